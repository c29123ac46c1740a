"""`tf.gradients`: derivatives of what a trace has computed so far, without a tape.

The graph is the record: the nodes between sources and targets are put on the books of a tape, as if one had looked on,
and walked backward with the rules that tapes use. What the walk computes are nodes of the trace like any others, so
derivatives have derivatives. Ops of tensors that have a value are computed while tracing and make no node; the trace
records those that begin with a tensor made in the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff.backward import pull_back
from ..autodiff.request import UnconnectedGradients
from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS
from ..core.tapes import TapeStack, active_tapes, new_key, pop_stack, push_stack
from ..core.tensor import Tensor
from ..core.variable import Variable
from .ir import CONSTANT, Node, Value
from .state import READ
from .trace import Symbolic, Trace, out_of_scope, user_place


class AggregationMethod:
    """How gradients that meet are added: names that programs pass on, without effect."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
) -> list:
    """The gradients of the sum of `ys` with respect to each of `xs`, inside a function that is being traced.

    Arguments:
        ys, xs: tensors or variables, or lists of them.
        grad_ys: for each of `ys` what comes from above, of its shape; None, for all or for one, stands for ones.
        gate_gradients, aggregation_method: accepted, without effect.
        stop_gradients: tensors that are taken for constants, as if they did not depend on anything.
        unconnected_gradients: what to give for a source that no target depends on: None, or zeros.

    Returns a list with a tensor for each of `xs` (IndexedSlices where only some of its rows were gathered), or None.

    Raises RuntimeError outside of a `tf.function`; ValueError for another number or shape of `grad_ys`, an unknown
    `unconnected_gradients` or `aggregation_method`; TypeError for `ys` that are strings or, without `grad_ys`, complex,
    for dicts, and for gradients from above of another dtype.
    """
    trace = active_tapes().trace
    if trace is None:
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled: it works inside a tf.function. Here, use "
            "tf.GradientTape."
        )
    kind = UnconnectedGradients(unconnected_gradients)
    if aggregation_method not in (None, 0, 1, 2):
        raise ValueError(
            f"Invalid `aggregation_method` {aggregation_method!r}: it is one of tf.AggregationMethod's values"
        )
    targets = [_tensor(y, "ys") for y in _listed(ys, "ys")]
    sources = [_source(x) for x in _listed(xs, "xs")]
    stopped = [_source(x) for x in _listed([] if stop_gradients is None else stop_gradients, "stop_gradients")]
    upstream = _from_above(targets, grad_ys)
    books = _Books(trace, sources, stopped)
    targets = [books.known(y) for y in targets]
    records = books.kept(targets)
    seeds: dict = {}
    for y, g in zip(targets, upstream, strict=True):
        if y._key in records and is_differentiable(y._value.dtype):
            g = TENSORS.ones_like(y) if g is None else g  # type: ignore[attr-defined]
            seeds[y._key] = seeds[y._key] + g if y._key in seeds else g
    keys = [x._key if x._key in records else None for x in books.sources]
    if seeds:
        pull_back(TENSORS, records, seeds, keys, len(keys) + 1)
    found = [seeds.get(key) if key is not None else None for key in keys]
    if kind is UnconnectedGradients.ZERO:
        found = [
            TENSORS.zeros_like(convert_to_tensor(x)) if g is None else g  # type: ignore[attr-defined]
            for x, g in zip(sources, found, strict=True)
        ]
    return found


# -- what is asked for -------------------------------------------------------------------------------------------------


def _listed(given: Any, argument: str) -> list:
    if isinstance(given, dict):
        raise TypeError(f"tf.gradients takes a tensor or a list of tensors as `{argument}`, not a dict: {given!r}")
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _tensor(y: Any, argument: str) -> Tensor:
    try:
        return convert_to_tensor(y.values if isinstance(y, IndexedSlices) else y)
    except (TypeError, ValueError):
        raise TypeError(f"tf.gradients takes tensors as `{argument}`, not {y!r}") from None


def _source(x: Any) -> Any:
    return x if isinstance(x, Variable) else _tensor(x, "xs")


def _from_above(targets: Sequence[Tensor], given: Any) -> list:
    """The gradient that comes to each target from above, None for ones."""
    upstream = [None] * len(targets) if given is None else _listed(given, "grad_ys")
    if len(upstream) != len(targets):
        raise ValueError(f"tf.gradients was given {len(upstream)} grad_ys for {len(targets)} ys")
    made: list = []
    for y, g in zip(targets, upstream, strict=True):
        kind = y._value.dtype.kind
        if kind == "O":
            raise TypeError(f"tf.gradients: a tensor of strings has no gradient: {y!r} (at {user_place()})")
        if g is None and kind == "c":
            raise TypeError(
                f"tf.gradients: the gradient of a complex tensor needs `grad_ys`, for {y!r} (at {user_place()})"
            )
        if g is not None and not isinstance(g, IndexedSlices):
            g = g if isinstance(g, Tensor) else convert_to_tensor(g, None if isinstance(g, Variable) else y.dtype)
            if g._value.dtype != y._value.dtype:
                raise TypeError(f"grad_ys of dtype {g.dtype.name} for {y!r} of dtype {y.dtype.name}")
            if not g.shape.is_compatible_with(y.shape):
                raise ValueError(f"grad_ys of shape {g.shape} for {y!r} of shape {y.shape}: they must be the same")
        made.append(g)
    return made


# -- the nodes as records ----------------------------------------------------------------------------------------------


class _Books:
    """What a tape would have recorded of a trace and those around it, had it watched the sources."""

    _auto = False

    def __init__(self, trace: Trace, sources: Sequence, stopped: Sequence) -> None:
        self.trace = trace
        self.chain = [trace]
        while self.chain[0].parent is not None:
            self.chain.insert(0, self.chain[0].parent)
        # what a subgraph captured is the tensor outside
        self.captured = {value: x for part in self.chain for x, value in part.captures}
        self.sources = [x if isinstance(x, Variable) else self.known(x) for x in sources]
        self.stopped = [x if isinstance(x, Variable) else self.known(x) for x in stopped]
        self._records: dict = {}

    def known(self, x: Tensor) -> Tensor:
        """The one tensor that stands for a value, whichever of its copies the program has."""
        if not isinstance(x, Symbolic):
            return x
        if x._trace not in self.chain:
            raise out_of_scope(x)
        return self._of(x._trace, x._node_value)

    def _of(self, part: Trace, value: Value) -> Any:
        outer = self.captured.get(value)
        if outer is not None:
            return self.known(outer)
        node = value.node
        return node.attributes[0] if node is not None and node.op is CONSTANT else part.tensor_of(value)

    def kept(self, targets: Sequence[Tensor]) -> dict:
        """The records, in order, of what lies between the sources and the targets."""
        records = self._records = dict(self.trace._records)
        intermediate = set()
        for x in self.sources:
            if isinstance(x, Symbolic) and x._node_value.node is not None:
                intermediate.add(id(x))  # watched where it is made: records are in order
            else:
                self._watch(x)
        token = push_stack(TapeStack([self], self.trace))
        try:
            for part, node in self._between(targets):
                if node.op.keep is not None:
                    node.op.keep(node, part)
                outputs = tuple([self._of(part, value) for value in node.outputs])
                inputs = tuple([self._of(part, value) for value in node.inputs])
                node.op.remember(inputs, node.attributes, outputs)
                for out in outputs:
                    if id(out) in intermediate:
                        self._watch(out)
        finally:
            pop_stack(token)
        for x in self.stopped:
            if x._key in records:
                records[x._key] = None
        return records

    def _watch(self, x: Any) -> None:
        value = x._tensor._value if isinstance(x, Variable) else x._value
        if is_differentiable(value.dtype):
            if x._key is None:
                x._key = new_key()
            self._records.setdefault(x._key, None)

    def _between(self, targets: Sequence[Tensor]) -> list[tuple[Trace, Node]]:
        """The nodes on a way from a source to a target, in order, each with the trace it belongs to."""
        sources = {id(x) for x in self.sources}  # tensors, and variables
        stopped = {id(x) for x in self.stopped}
        on = set(sources)
        found = []
        for part in self.chain:
            for node in part.nodes:
                if node.op is CONSTANT:
                    x = node.attributes[0]
                    if x._key in self._records:
                        on.add(id(x))
                    continue
                inputs = [id(self._of(part, value)) for value in node.inputs]
                outputs = [id(self._of(part, value)) for value in node.outputs]
                begins = id(node.attributes[0]) in sources if node.op is READ else not on.isdisjoint(inputs)
                if begins:
                    on.update(out for out in outputs if out not in stopped)
                if begins or not sources.isdisjoint(outputs):
                    found.append((part, node, inputs, outputs))
        wanted = {id(y) for y in targets}
        kept = []
        for part, node, inputs, outputs in reversed(found):
            if not wanted.isdisjoint(outputs):
                kept.append((part, node))
                wanted.update(inputs)
        return kept[::-1]
