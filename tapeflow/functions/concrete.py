"""A traced function: one graph, for arguments of one signature, ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import errors, nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import numpy_dtype
from ..core.shapes import TensorShape
from ..core.tapes import TapeStack, active_tapes
from ..core.tensor import Tensor, ndarray
from ..core.type_spec import TensorSpec
from ..core.variable import Variable
from ..engines import compile_graph
from ..graph.ir import CONSTANT, Graph
from ..graph.passes import optimized
from ..graph.state import READ
from ..graph.trace import Trace, replay
from .signature import is_input, shown, spec_of

_NOTHING = object()  # stands in the structure of outputs where there is no tensor


class ConcreteFunction:
    """A graph that can be called: what `get_concrete_function` gives.

    Called with the tensors of its signature, by position or by name; Python values that are part of the signature may
    be left out. `graph` prints as text.
    """

    def __init__(
        self, name: str, graph: Graph, args: tuple, kwargs: dict, names: Sequence[str], result: Any, strict: bool
    ) -> None:
        self.name = name
        self.graph = optimized(graph)
        self.traced = graph  # what tapes see: gradients then add up in the order in which eager ones do
        self._names = [*names[: len(args)], *[f"args_{i}" for i in range(len(names), len(args))]]
        self._arguments = (args, kwargs)  # with a TensorSpec for each input
        self._result = result  # the structure of outputs, each leaf an index into the graph's outputs or _NOTHING
        self._single = result == 0 and type(result) is int
        self._executable = compile_graph(self.graph, strict)
        self._variables = self.graph.variables()
        self.reads = [n.attributes[0] for n in graph.nodes if n.op is READ]
        self.constants = [n for n in graph.nodes if n.op is CONSTANT and n.outputs[0].dtype.kind in "fcV"]
        self.derivatives: dict = {}

    # -- calling --

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function of these tensors. Raises TypeError for arguments that do not fit the signature."""
        return self.call_flat(self._inputs(args, kwargs))

    def call_flat(self, inputs: Sequence[Tensor]) -> Any:
        """The function of its inputs, in the order of the graph's."""
        stack = active_tapes()
        if stack:
            return self.packed(self._tracked(stack, inputs))
        values = self._executable.run(*[x._value for x in inputs])
        if self._single:
            out = Tensor()
            out._value = values[0]
            out._key = None
            return out
        return self.packed([_wrapped(value) for value in values])

    def _tracked(self, stack: TapeStack, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """The outputs where a tape or a trace is active."""
        if stack.trace is not None or any(type(x) is not Tensor for x in inputs):
            return replay(self.traced, inputs)
        from .gradients import recorded

        return recorded(self, stack, inputs)

    def packed(self, outputs: Sequence[Tensor]) -> Any:
        """The outputs in the structure that the Python function returned."""
        if self._single:
            return outputs[0]
        return nest.map_structure(lambda i: None if i is _NOTHING else outputs[i], self._result, expand_composites=True)

    def run_flat(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The outputs where nobody records."""
        return [_wrapped(value) for value in self._executable.run(*[x._value for x in inputs])]

    def _inputs(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """The tensors among the arguments of a direct call, checked against the signature."""
        specs = [s for s in nest.flatten(self._arguments, expand_composites=True) if isinstance(s, TensorSpec)]
        named = dict(zip(self._names, self._arguments[0]))
        named.update(self._arguments[1])
        given: dict[str, Any] = {}
        order = [*self._names[: len(self._arguments[0])], *self._arguments[1]]
        if len(args) > len(self._arguments[0]):
            raise TypeError(f"{self.name} takes {len(self._arguments[0])} positional arguments, got {len(args)}")
        tensors_only = [name for name in order if _has_tensors(named[name])]
        positions = order if len(args) > len(tensors_only) else tensors_only
        given.update(zip(positions, args))
        for name, value in kwargs.items():
            if name not in named or name in given:
                raise TypeError(f"{self.name} got an unexpected argument '{name}'; it takes {order}")
            given[name] = value
        leaves = []
        for name in order:
            if not _has_tensors(named[name]):
                continue
            if name not in given:
                raise TypeError(f"{self.name} missing required argument '{name}'")
            leaves += nest.flatten(given[name], expand_composites=True)
        if len(leaves) != len(specs):
            leaves = [x for x in leaves if isinstance(x, (Tensor, Variable, ndarray))]
        tensors = []
        for x, spec in zip(leaves, specs, strict=True):
            tensor = convert_to_tensor(x, None if isinstance(x, Tensor) else spec.dtype)
            if not spec.is_compatible_with(tensor):
                message = (
                    f"Binding inputs to {self.name} failed: argument of {spec_of(tensor)!r} where the signature has "
                    f"{spec!r}. Call the tf.function itself, which traces for other shapes and dtypes."
                )
                if tensor.dtype != spec.dtype:
                    raise errors.DtypeMismatchError(None, None, message)
                raise TypeError(message)
            tensors.append(tensor)
        return tensors

    # -- looking at it --

    @property
    def plan(self) -> str:
        """How the graph runs: the kernels that it was compiled to, and what runs by NumPy, as text."""
        made = self._executable.made()
        return getattr(made, "plan", f"numpy  all {len(self.graph.nodes)} nodes, one by one")

    @property
    def structured_input_signature(self) -> tuple[tuple, dict]:
        """The arguments, positional and by keyword, with a TensorSpec for each tensor."""
        return self._arguments

    @property
    def structured_outputs(self) -> Any:
        """The structure returned, with a TensorSpec for each tensor."""
        specs = [TensorSpec(TensorShape(v.shape), v.dtype) for v in self.graph.outputs]
        return nest.map_structure(lambda i: None if i is _NOTHING else specs[i], self._result)

    @property
    def inputs(self) -> list[TensorSpec]:
        """The specs of the graph's inputs."""
        return [TensorSpec(TensorShape(v.shape), v.dtype, v.name) for v in self.graph.inputs]

    @property
    def outputs(self) -> list[TensorSpec]:
        """The specs of the graph's outputs."""
        return [TensorSpec(TensorShape(v.shape), v.dtype) for v in self.graph.outputs]

    @property
    def captured_inputs(self) -> list[Any]:
        """What the graph uses besides its inputs: variables, and tensors from outside."""
        return [*self._variables, *[n.attributes[0] for n in self.graph.nodes if n.op is CONSTANT]]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the graph reads or writes."""
        return tuple(self._variables)

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that are trainable."""
        return tuple(v for v in self._variables if v.trainable)

    def __str__(self) -> str:
        rows = [f"  {name}: {value!r}" for name, value in zip(self._names, self._arguments[0])]
        rows += [f"  {name}: {value!r}" for name, value in self._arguments[1].items()]
        captured = [f"  {v.name}: {v.dtype.name}{list(v.shape)}" for v in self._variables]
        parts = ["ConcreteFunction Input Parameters:", *rows, "Output Type:", f"  {self.structured_outputs!r}"]
        if captured:
            parts += ["Captures:", *captured]
        return "\n".join(parts)

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}{tuple(self._arguments[0])} -> {self.structured_outputs!r}>"


def traced(
    name: str, function: Callable, args: tuple, kwargs: dict, specs: Sequence[TensorSpec], names: Sequence[str],
    may_create: bool, rewrite: Callable | None, strict: bool = False,
) -> tuple[ConcreteFunction, Trace]:  # fmt: skip
    """Traces a function of these arguments, in which `specs` say what is known of the inputs, in their order."""
    trace = Trace(name)
    trace.may_create = may_create
    trace.rewrite = rewrite
    leaves = nest.flatten((args, kwargs), expand_composites=True)
    labels = _labels(args, kwargs, names)
    remaining = iter(specs)
    symbolic, signature = [], []
    for leaf, label in zip(leaves, labels, strict=True):
        if not is_input(leaf):
            symbolic.append(leaf)
            signature.append(shown(leaf))
            continue
        spec = next(remaining)
        symbolic.append(trace.placeholder(spec.shape._dims, numpy_dtype(spec.dtype), spec.name or label))
        signature.append(TensorSpec(spec.shape, spec.dtype, spec.name or label))
    given, named = nest.pack_sequence_as((args, kwargs), symbolic, expand_composites=True)
    with trace:
        result = function(*given, **named)
        outputs: list[Tensor] = []
        places: list[Any] = []
        for leaf in nest.flatten(result, expand_composites=True):
            places.append(_NOTHING if leaf is None else len(outputs))
            if leaf is not None:
                outputs.append(_returned(leaf, name))
        graph = trace.graph(outputs)
    structure = nest.pack_sequence_as(result, places, expand_composites=True)
    arguments = nest.pack_sequence_as((args, kwargs), signature, expand_composites=True)
    return ConcreteFunction(name, graph, arguments[0], arguments[1], names, structure, strict), trace


def _returned(leaf: Any, name: str) -> Tensor:
    """A leaf of what the function returned as a tensor. Raises TypeError for what cannot be one."""
    try:
        return convert_to_tensor(leaf)
    except (TypeError, ValueError):
        raise TypeError(
            f"A tf.function returns tensors, structures of them, and None; '{name}' returned {leaf!r} of type "
            f"{type(leaf).__name__}"
        ) from None


def _labels(args: tuple, kwargs: dict, names: Sequence[str]) -> list[str]:
    """A name for each leaf of the arguments."""
    labels: list[str] = []
    for i, arg in enumerate([*args, *[kwargs[k] for k in sorted(kwargs)]]):
        name = (
            names[i] if i < min(len(names), len(args)) else sorted(kwargs)[i - len(args)] if i >= len(args) else "args"
        )
        count = len(nest.flatten(arg, expand_composites=True))
        labels += [name] if count == 1 else [f"{name}_{k}" for k in range(count)]
    return labels


def _has_tensors(structure: Any) -> bool:
    return any(isinstance(x, TensorSpec) for x in nest.flatten(structure, expand_composites=True))


def _wrapped(value: Any) -> Tensor:
    out = Tensor()
    out._value = value
    out._key = None
    return out
