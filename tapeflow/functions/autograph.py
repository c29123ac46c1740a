"""AutoGraph: Python functions rewritten so that their statements over tensors become part of the graph.

The rewriting is done by `diastatic-malt`, TensorFlow's own AutoGraph as a package; what the statements do is in
`control.statements`. The package is imported with the first function that is traced. A function whose source cannot be
read is traced as it is.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import logging
from collections.abc import Callable
from typing import Any

from ..control import statements
from ..core.logs import warning
from ..graph.trace import SOURCES

_UNREADABLE = "cannot read its source"


@functools.lru_cache(maxsize=1)
def _malt() -> Any:
    """The package's `impl.api`, which writes our statements into what it converts."""
    import importlib.util  # noqa: F401 - the package uses it and forgets to import it

    from malt.core import config, config_lib
    from malt.impl import api
    from malt.utils import ag_logging

    class Transpiler(api.PyToPy):
        def transform(self, entity: Any, context: Any) -> tuple:
            made, module, source_map = super().transform(entity, context)
            _remember_lines(source_map)
            return made, module, source_map

        def get_extra_locals(self) -> dict:
            found = super().get_extra_locals()
            names = ("if_stmt", "while_stmt", "for_stmt", "if_exp", "and_", "or_", "not_", "assert_stmt")
            found["ag__"].__dict__.update({name: getattr(statements, name) for name in names}, converted_call=_called)
            return found

    config.CONVERSION_RULES = (config_lib.DoNotConvert("tapeflow"), *config.CONVERSION_RULES)
    ag_logging.warning = lambda *args, **kwargs: None  # ours is below
    api._TRANSPILER = Transpiler()
    return api


def converted(function: Callable) -> Callable:
    """The function with its statements rewritten; as it is where that cannot be done."""
    if getattr(function, "__wrapped_by_do_not_convert__", False) or not hasattr(function, "__code__"):
        return _calling(function)
    try:
        return _rewritten(function)
    except Exception as error:
        _note_unconverted(function, error)
        return function


def _calling(function: Callable) -> Callable:
    """A callable object, whose `__call__` is rewritten."""
    method = type(function).__call__ if callable(function) else None
    if getattr(function, "__wrapped_by_do_not_convert__", False) or not hasattr(method, "__code__"):
        return function
    made = converted(method)
    return functools.partial(made, function)


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
    if place is not None and hasattr(error, "add_note"):
        error.add_note(f"in the program: {place}")


def _called(f: Any, args: tuple, kwargs: dict | None, caller_fn_scope: Any = None, options: Any = None) -> Any:
    """A call inside of a rewritten function: of a function that is rewritten in turn, or runs as it is."""
    special = statements.BUILTINS.get(f) if f.__hash__ is not None and isinstance(f, (type, type(len))) else None
    if special is not None and not kwargs:
        return special(*args)
    return _malt_call(f, args, kwargs, caller_fn_scope, options)


def _malt_call(f: Any, args: tuple, kwargs: dict | None, scope: Any, options: Any) -> Any:
    api = _malt()
    if getattr(f, "__wrapped_by_do_not_convert__", False):
        return f(*args, **(kwargs or {}))
    try:
        return api.converted_call(f, args, kwargs, scope, options)
    except Exception as error:
        error.__dict__.pop("ag_error_metadata", None)
        raise


def _remember_lines(source_map: dict) -> None:
    """Tells traces which lines of the program a rewritten function's lines come from."""
    for generated, origin in source_map.items():
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

    wrapper.__wrapped_by_do_not_convert__ = True  # type: ignore[attr-defined]
    wrapper.autograph_info__ = None  # what the package looks for
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
