"""`tf.function`: a Python function that is traced once for each signature, and then runs as a graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from ..core import nest
from ..core.context import settings
from ..core.convert import convert_to_tensor
from ..core.logs import warning
from ..core.tensor import Tensor
from ..core.type_spec import TensorSpec
from ..graph.trace import place_of, user_place
from .concrete import ConcreteFunction, traced
from .signature import Parameters, is_input, key_of, relaxed, spec_of

_MANY = 5  # traces in a row after which a warning says what kept changing


class Function:
    """What `tf.function` makes of a Python function. See there."""

    def __init__(
        self,
        python_function: Callable,
        name: str | None = None,
        input_signature: Any = None,
        autograph: bool = True,
        jit_compile: bool | None = None,
        reduce_retracing: bool = False,
        experimental_implements: str | None = None,
        experimental_autograph_options: Any = None,
        experimental_attributes: Any = None,
        instance: Any = None,
    ) -> None:
        self._python_function = python_function
        self._name: str = name or getattr(python_function, "__name__", None) or type(python_function).__name__
        self._options = {
            "input_signature": input_signature,
            "autograph": autograph,
            "jit_compile": jit_compile,
            "reduce_retracing": reduce_retracing,
            "experimental_implements": experimental_implements,
            "experimental_autograph_options": experimental_autograph_options,
            "experimental_attributes": experimental_attributes,
        }
        self._reduce_retracing = reduce_retracing
        self._autograph = autograph
        self._instance = instance  # a weak reference to the object whose method this is
        self._parameters: Any = Parameters(python_function, instance is not None, input_signature)
        self._cache: dict[Any, ConcreteFunction] = {}
        self._traces: list[tuple[Any, list[TensorSpec], ConcreteFunction]] = []  # (key without shapes, specs, traced)
        self._count = 0
        self._in_a_row: list[Any] = []
        self._tracing: list[Any] = []
        self._created = False  # whether the first trace, which may make variables, is done
        self._converted: Callable | None = None
        self._bound: dict[int, tuple[ref, Function]] = {}
        functools.update_wrapper(self, python_function, updated=())

    # -- calling --

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the graph of this signature, traced first where there is none."""
        if settings["run_functions_eagerly"]:
            return self._plain(self._python_function)(*args, **kwargs)
        concrete, leaves = self._specialized(args, kwargs)
        return concrete.call_flat(leaves)

    def _specialized(self, args: tuple, kwargs: dict) -> tuple[ConcreteFunction, list[Tensor]]:
        """The graph for these arguments, and its inputs among them."""
        args, kwargs = self._parameters.canonical(args, kwargs)
        key: Any = tuple([key_of(x) for x in args])
        if kwargs:
            key = key, tuple([(name, key_of(kwargs[name])) for name in sorted(kwargs)])
        concrete = self._cache.get(key)
        if concrete is None:
            concrete = self._traced(key, args, kwargs)
        elif self._in_a_row:
            self._in_a_row.clear()
        leaves = []
        for x in args:
            kind = type(x)
            if kind is Tensor:
                leaves.append(x)
            elif kind is np.ndarray or isinstance(x, np.generic):
                leaves.append(convert_to_tensor(x))
            elif kind is not int and kind is not float and x is not None:
                leaves += _inputs(x)
        if kwargs:
            leaves += _inputs({name: kwargs[name] for name in kwargs})
        return concrete, leaves

    def _plain(self, function: Callable) -> Callable:
        """The function to call, of a method with its object."""
        if self._instance is None:
            return function
        instance = self._instance()
        if instance is None:
            raise ReferenceError(f"the object whose method '{self._name}' this is is gone")
        return functools.partial(function, instance)

    # -- tracing --

    def _traced(self, key: Any, args: tuple, kwargs: dict) -> ConcreteFunction:
        leaves = [x for x in nest.flatten((args, kwargs), expand_composites=True) if is_input(x)]
        specs = self._parameters_specs(args) or [spec_of(x) for x in leaves]
        general = _without_shapes(key)
        if self._parameters.specs is not None or self._reduce_retracing:
            for other, have, concrete in self._traces:
                if other == general and all(a.is_subtype_of(b) for a, b in zip(specs, have, strict=True)):
                    self._cache[key] = concrete
                    return concrete
        if self._reduce_retracing:
            for other, have, _ in self._traces:
                if other == general:
                    specs = relaxed(have, specs) or specs
        if any(key == running for running in self._tracing):
            raise RecursionError(
                f"tf.function '{self._name}' calls itself with arguments of the same signature while it is being "
                f"traced (at {user_place()}). A graph cannot contain itself: recursion must go over Python values that "
                "change from call to call, or become a tf.while_loop."
            )
        self._tracing.append(key)
        try:
            concrete, made = self._trace(args, kwargs, specs, may_create=not self._created)
            if made and not self._created:
                # a second trace shows whether the variables are kept: it must not make them again
                self._created = True
                concrete, _ = self._trace(args, kwargs, specs, may_create=False)
            self._created = True
        finally:
            self._tracing.pop()
        self._cache[key] = concrete
        self._traces.append((general, specs, concrete))
        self._warn(args, kwargs)
        return concrete

    def _trace(self, args: tuple, kwargs: dict, specs: Sequence[TensorSpec], may_create: bool) -> tuple:
        self._count += 1
        function = self._plain(self._to_trace())
        names = self._parameters.names
        rewrite = _converted_by_autograph if self._autograph else None
        try:
            strict = bool(self._options["jit_compile"])
            concrete, trace = traced(self._name, function, args, kwargs, specs, names, may_create, rewrite, strict)
        except RecursionError as error:
            if str(error).startswith("maximum"):  # Python's own
                raise self._endless(error) from None
            raise
        return concrete, trace.created

    def _endless(self, error: RecursionError) -> RecursionError:
        step, place = error.__traceback__, None
        while step is not None:
            place = place_of(step.tb_frame.f_code.co_filename, step.tb_lineno) or place
            step = step.tb_next
        return RecursionError(
            f"tf.function '{self._name}': a function calls itself without end while it is being traced (at {place}). "
            "Both branches of an `if` over a tensor are traced, so such an `if` cannot end a recursion: use a `while`, "
            "or decide by Python values."
        )

    def _to_trace(self) -> Callable:
        """The Python function as AutoGraph writes it, or as it is."""
        if not self._autograph:
            return self._python_function
        if self._converted is None:
            self._converted = _converted_by_autograph(self._python_function)
        return self._converted

    def _parameters_specs(self, args: tuple) -> list[TensorSpec] | None:
        """The specs of the input signature, with the arguments' names, where there is one."""
        if self._parameters.specs is None:
            return None
        return nest.flatten(self._parameters.specs)

    def _warn(self, args: tuple, kwargs: dict) -> None:
        """After several calls in a row that were traced, says which argument kept changing."""
        names = [*self._parameters.names[: len(args)], *["args"] * (len(args) - len(self._parameters.names)), *kwargs]
        self._in_a_row.append([(name, _shown(x)) for name, x in zip(names, [*args, *kwargs.values()], strict=False)])
        if len(self._in_a_row) % _MANY:
            return
        before, now = self._in_a_row[-2:]
        changed = [f"'{name}' (was {a}, now {b})" for (name, a), (_, b) in zip(before, now, strict=False) if a != b]
        warning(
            "The last %d calls of tf.function '%s' all traced it anew, which is slow. What is different each time: %s. "
            "Pass tensors instead of Python numbers; give changing shapes as None in an input_signature, or use "
            "reduce_retracing=True; and make the tf.function once, outside of loops.",
            len(self._in_a_row),
            self._name,
            ", ".join(changed) or "the structure of the arguments",
        )

    # -- as an object --

    def __get__(self, instance: Any, owner: type | None = None) -> Function:
        """The method of an object: a tf.function of its own, which does not keep the object alive."""
        if instance is None:
            return self
        found = self._bound.get(id(instance))
        if found is not None and found[0]() is instance:
            return found[1]
        number = id(instance)
        weak = ref(instance, lambda _, bound=self._bound: bound.pop(number, None))
        method = Function(self._python_function, self._name, instance=weak, **self._options)
        self._bound[number] = (weak, method)
        return method

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The graph for arguments, in which `tf.TensorSpec`s may stand for tensors."""
        if self._parameters.specs is not None and not args and not kwargs:
            args = self._parameters.specs
        return self._specialized(args, kwargs)[0] if not _has_specs((args, kwargs)) else self._for_specs(args, kwargs)

    def _for_specs(self, args: tuple, kwargs: dict) -> ConcreteFunction:
        args, kwargs = self._parameters.canonical(args, kwargs)
        key: Any = tuple([key_of(x) for x in args])
        if kwargs:
            key = key, tuple([(name, key_of(kwargs[name])) for name in sorted(kwargs)])
        return self._cache.get(key) or self._traced(key, args, kwargs)

    def experimental_get_tracing_count(self) -> int:
        """How often the function has been traced."""
        return self._count

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """The signatures traced so far, as text."""
        return "\n\n".join(str(concrete) for _, _, concrete in self._traces)

    def experimental_get_compiler_ir(self, *args: Any, **kwargs: Any) -> Callable:
        """A function that gives the graph for these arguments as text, whatever stage is asked for."""
        concrete = self.get_concrete_function(*args, **kwargs)
        return lambda stage="hlo", device_name=None, platform_name=None: str(concrete.graph)

    @property
    def python_function(self) -> Callable:
        """The Python function it was made of."""
        return self._python_function

    @property
    def input_signature(self) -> Any:
        """The input signature, or None."""
        return self._parameters.specs

    @property
    def function_spec(self) -> inspect.Signature:
        """The signature of the Python function."""
        return self._parameters.signature

    def __repr__(self) -> str:
        return f"<tf.function {self._name}{self._parameters.signature}, traced {self._count} times>"

    def __copy__(self) -> Function:
        return Function(self._python_function, self._name, instance=self._instance, **self._options)

    def __deepcopy__(self, memo: dict) -> Function:
        return self.__copy__()


def function(
    func: Callable | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Compiles a function into graphs: the decorator of everything that should be fast.

        @tf.function
        def step(x):
            return tf.reduce_sum(x * x)

    The Python function runs once for each signature of its arguments (dtype and shape of tensors, values of Python
    numbers and strings, identity of other objects), on tensors without values; the ops it calls become a graph, and
    every call runs that. Printing and appending to lists happen while tracing; `tf.print`, random numbers and
    assignments to variables at every call.

    Arguments:
        func: the function; without it, a decorator is returned.
        input_signature: a sequence of `tf.TensorSpec`s, to which all calls must fit; None for a dimension lets it vary.
        autograph: whether `if`, `while` and `for` over tensors become part of the graph.
        jit_compile: whether the whole graph must be compiled: where something in it cannot be, the first call raises
            InvalidArgumentError, which names the op.
        reduce_retracing: whether shapes that vary from call to call are traced with unknown dimensions.
        experimental_implements, experimental_autograph_options, experimental_attributes,
            experimental_follow_type_hints: accepted, without effect.
        experimental_relax_shapes, experimental_compile: former names of `reduce_retracing` and `jit_compile`.

    Raises TypeError for what is not callable and for a bad `input_signature`; calls raise ValueError for variables
    created on other than the first call.
    """
    options = {
        "input_signature": input_signature,
        "autograph": autograph,
        "jit_compile": experimental_compile if jit_compile is None else jit_compile,
        "reduce_retracing": bool(reduce_retracing or experimental_relax_shapes),
        "experimental_implements": experimental_implements,
        "experimental_autograph_options": experimental_autograph_options,
        "experimental_attributes": experimental_attributes,
    }

    def decorated(python_function: Callable) -> Function:
        if not callable(python_function):
            raise TypeError(f"tf.function takes a callable, not {python_function!r}")
        if isinstance(python_function, Function):
            python_function = python_function._python_function
        if inspect.ismethod(python_function):
            made = Function(python_function.__func__, instance=ref(python_function.__self__), **options)
            made._owner = python_function.__self__  # which nobody else may hold
            return made
        return Function(python_function, **options)

    return decorated if func is None else decorated(func)


# -- pieces ------------------------------------------------------------------------------------------------------------


def _inputs(structure: Any) -> list[Tensor]:
    """The inputs of a graph among the leaves of an argument."""
    return [convert_to_tensor(x) for x in nest.flatten(structure, expand_composites=True) if is_input(x)]


def _has_specs(structure: Any) -> bool:
    return any(isinstance(x, TensorSpec) for x in nest.flatten(structure, expand_composites=True))


def _without_shapes(key: Any) -> Any:
    """A key with the shapes of tensors left out."""
    if type(key) is not tuple:
        return key
    if len(key) == 2 and isinstance(key[0], np.dtype) and (key[1] is None or type(key[1]) is tuple):
        return key[0]
    return tuple([_without_shapes(part) for part in key])


def _shown(x: Any) -> str:
    """An argument as a warning shows it."""
    text = repr(nest.map_structure(lambda leaf: spec_of(leaf) if is_input(leaf) else leaf, x))
    return text if len(text) <= 80 else text[:77] + "..."


def _converted_by_autograph(python_function: Callable) -> Callable:
    from .autograph import converted  # with the first function that is traced: what it needs is slow to import

    return converted(python_function)
