"""AutoGraph: Python functions rewritten so that their statements over tensors become part of the graph.

The rewriting is done by `diastatic-malt`, TensorFlow's own AutoGraph as a package; what the statements do is in
`control.statements`. The package is imported with the first function that has statements. A function whose source
cannot be read is traced as it is.

Of functions without such statements only the calls are handed on (`functions.calls`), and the package stays away.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import logging
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any
from weakref import ref

from ..control import returns, statements
from ..core.logs import warning
from ..graph import unknown_rank
from ..graph.trace import SOURCES, is_ours
from .calls import handed_on

_UNREADABLE = "cannot read its source"
# functions of these packages have no statements over tensors
_AS_THEY_ARE = frozenset(["tapeflow", "malt", "numpy", "scipy", "pytest", *sys.stdlib_module_names]) - {"__main__"}
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
# functions that look at the frame that calls them
_OF_FRAMES = (eval, super, globals, locals)


@functools.lru_cache(maxsize=1)
def _malt() -> Any:
    """The package's `impl.api`, which writes our statements into what it converts."""
    import importlib.util  # noqa: F401 - the package uses it and forgets to import it

    from malt.core import config, config_lib
    from malt.impl import api
    from malt.operators import function_wrappers
    from malt.utils import ag_logging

    class FunctionScope(function_wrappers.FunctionScope):
        def ret(self, value: Any, did_return: Any) -> Any:
            return returns.checked(super().ret(value, did_return), did_return)

    class Transpiler(api.PyToPy):
        def transform(self, entity: Any, context: Any) -> tuple:
            made, module, source_map = super().transform(entity, context)
            _remember_lines(source_map)
            return made, module, source_map

        def get_extra_locals(self) -> dict:
            found = super().get_extra_locals()
            names = ("if_stmt", "while_stmt", "for_stmt", "if_exp", "and_", "or_", "not_", "assert_stmt")
            found["ag__"].__dict__.update({name: getattr(statements, name) for name in names}, converted_call=_called)
            found["ag__"].FunctionScope = FunctionScope
            return found

    config.CONVERSION_RULES = (config_lib.DoNotConvert("tapeflow"), *config.CONVERSION_RULES)
    ag_logging.warning = lambda *args, **kwargs: None  # ours is below
    api._TRANSPILER = Transpiler()
    return api


_KEPT = "__autograph_rewritten__"


def converted(function: Callable) -> Callable:
    """The function with its statements rewritten; as it is where that cannot be done, which a warning says."""
    return _converted(function, _note_unconverted)


def _converted(function: Any, complain: Callable) -> Callable:
    if isinstance(function, MethodType):
        return functools.partial(_converted(function.__func__, complain), function.__self__)
    if not isinstance(function, FunctionType):
        method: Any = type(function).__call__ if callable(function) else None
        return functools.partial(_converted(method, complain), function) if _is_written(method) else function
    if not _is_written(function):
        return function
    light = handed_on(function, _called)
    if light is not None:
        return light
    # kept with the function, so that one that calls itself is rewritten once, and not at the end of Python's stack
    owner, made = function.__dict__.get(_KEPT, (None, None))
    if owner is not None and owner() is function:
        return made
    try:
        made = _rewritten(function)
    except RecursionError:  # the program's, which happened to be noticed here
        raise
    except Exception as error:
        complain(function, error)
        return function
    function.__dict__[_KEPT] = ref(function), made
    return made


def _is_written(f: Any) -> bool:
    """Whether it is a function of the program, to be rewritten."""
    return (
        isinstance(f, FunctionType)
        and (f.__module__ or "").partition(".")[0] not in _AS_THEY_ARE
        and not is_ours(f.__code__.co_filename)
        and not f.__code__.co_flags & _GENERATORS
        and not hasattr(f, "autograph_info__")
    )


def _rewritten(function: Callable) -> Callable:
    api = _malt()
    from malt.core import ag_ctx

    made = api._convert_actual(function, _context(True))

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            with ag_ctx.ControlStatusCtx(status=ag_ctx.Status.ENABLED):
                return made(*args, **kwargs)
        except Exception as error:
            _add_place(error)
            raise

    return run


def _add_place(error: Exception) -> None:
    """Notes the line of the program at which a rewritten function failed, which the traceback shows rewritten."""
    step = error.__traceback__
    place = None
    while step is not None:
        place = SOURCES.get(step.tb_frame.f_code.co_filename, {}).get(step.tb_lineno, place)
        step = step.tb_next
    note = f"in the program: {place}"
    if place is not None and hasattr(error, "add_note") and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _called(f: Any, args: tuple, kwargs: dict | None, scope: Any = None, options: Any = None) -> Any:
    """A call inside of a rewritten function: of a function that is rewritten in turn, or runs as it is."""
    kind = type(f)
    if kind is functools.partial:
        return _called(f.func, (*f.args, *args), {**f.keywords, **(kwargs or {})}, scope, options)
    if kind is not FunctionType and kind is not MethodType and not kwargs and f.__hash__ is not None:
        special = statements.BUILTINS.get(f) if isinstance(f, (type, BuiltinFunctionType)) else None
        if special is not None:
            return special(*args)
        if f in _OF_FRAMES and scope is not None:
            return _malt().converted_call(f, args, kwargs, scope, options)
    if options is not None and not options.internal_convert_user_code or isinstance(f, type):
        return f(*args, **(kwargs or {}))
    if kind is FunctionType and unknown_rank.concerns(f, args, kwargs or {}):
        return unknown_rank.call(f, args, kwargs or {})
    return _converted(f, lambda *unreadable: None)(*args, **(kwargs or {}))


def _remember_lines(source_map: dict) -> None:
    """Tells traces which lines of the program a rewritten function's lines come from."""
    for generated, origin in source_map.items():
        if "__autograph_generated_file" not in generated.filename:
            continue  # a line of the program, which stands for itself
        place = f"{origin.loc.filename.rpartition('/')[2]}:{origin.loc.lineno}"
        SOURCES.setdefault(generated.filename, {})[generated.lineno] = place


def _note_unconverted(function: Any, error: Exception) -> None:
    code = getattr(function, "__code__", None)
    readable = code is not None and bool(linecache.getlines(code.co_filename))
    warning(
        "AutoGraph could not convert %s and will run it as it is, so `if`, `while` and `for` over tensors will not "
        "work in it. Cause: %s. To silence this warning, decorate the function with "
        "@tf.autograph.experimental.do_not_convert",
        getattr(function, "__qualname__", function),
        error if readable else _UNREADABLE,
    )


# -- tf.autograph ------------------------------------------------------------------------------------------------------


class ConversionError(Exception):
    """A function that AutoGraph cannot convert."""


def do_not_convert(func: Callable | None = None) -> Any:
    """A decorator: in a traced function, this one is called as it is written."""
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    wrapper.autograph_info__ = None  # type: ignore[attr-defined]
    return wrapper


def to_graph(entity: Callable, recursive: bool = True, experimental_optional_features: Any = None) -> Callable:
    """The function with its statements rewritten. Raises ConversionError where that cannot be done."""
    try:
        return _malt()._convert_actual(entity, _context(recursive))
    except Exception as error:
        raise ConversionError(f"converting {entity!r}: {type(error).__name__}: {error}") from None


def _context(recursive: bool) -> Any:
    from malt.core import converter

    return converter.ProgramContext(
        options=converter.ConversionOptions(
            recursive, user_requested=True, optional_features=converter.Feature.ASSERT_STATEMENTS
        )
    )


def to_code(entity: Callable, recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The source of the function with its statements rewritten. Raises ConversionError where that cannot be done."""
    return inspect.cleandoc("\n" + inspect.getsource(to_graph(entity, recursive)))


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much AutoGraph tells of what it does, from 0 (nothing) to 10."""
    logging.getLogger("tapeflow.autograph").setLevel(logging.WARNING if level == 0 else logging.DEBUG)


def own_names() -> dict[str, Any]:
    """What programs name and the package must find to be its own: the features, and the options of loops."""
    _malt()
    from malt.core.converter import Feature
    from malt.lang.directives import set_loop_options

    return {"Feature": Feature, "set_loop_options": set_loop_options}


def trace(*args: Any) -> None:
    """Prints its arguments while a function is traced."""
    print(*args)
