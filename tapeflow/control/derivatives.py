"""The derivative of a subgraph, for the branches and loops that run it: what is kept of it, and the way back.

A subgraph is traced once more with a tape inside. Where its own part ends the trace is cut: what the backward part
needs of the first is what is kept, and nothing is computed a second time. The kept values are pushed on a stack that
goes through the graph as one value. Pushing and popping are each other's derivative, so the way back is a branch or a
loop like any other, and can be differentiated in turn.

Then what was kept has gradients as well, for which more may have to be kept: a subgraph that is to be differentiated
`deep` keeps what its derivatives of every order need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..autodiff.backward import pull_back
from ..autodiff.batching import Batched, CannotBatch
from ..autodiff.tape import GradientTape
from ..core.dtypes import VARIANT, is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..graph.ir import CONSTANT, Graph, Node, Value
from ..graph.late import DIMENSION
from ..graph.lists import POP, PUSH, accumulate, is_open, zeros_for
from ..graph.trace import Symbolic, Trace, replay


class _Inner(GradientTape):
    """The tape inside of a split: that it can be asked more than once does not mean that the program asks."""


def tracked(inputs: Sequence[Tensor]) -> list[bool]:
    """Of each tensor, whether a tape follows it."""
    stack = active_tapes()
    records = [tape._records for tape in stack if tape is not stack.trace]
    return [x._key is not None and any(x._key in known for known in records) for x in inputs]


def refuse_batched(inputs: Sequence[Tensor]) -> None:
    """Raises where a branch or loop would have to run for many examples at once."""
    if any(isinstance(x, Batched) for x in inputs):
        raise CannotBatch("a branch or loop of a graph runs for one example at a time")


def is_deep(inputs: Sequence[Tensor]) -> bool:
    """Whether derivatives of derivatives may be asked for: several tapes follow, or one that stays, or forward mode."""
    tapes = active_tapes()
    keys = {x._key for x in inputs if x._key is not None}
    following = [tape for tape in tapes if tape is not tapes.trace and not keys.isdisjoint(tape._records)]
    return (
        tapes.trace.deep
        or len(following) > 1
        or any(
            type(tape) is not _Inner and (not isinstance(tape, GradientTape) or tape._persistent) for tape in following
        )
    )


def reaching(graph: Graph, active: set[int]) -> set[int]:
    """The numbers of the outputs on which those of the inputs may have a differentiable influence."""
    reached = {graph.inputs[i] for i in active}
    for node in graph.nodes:
        if not reached.isdisjoint(node.inputs):
            reached.update(out for out in node.outputs if is_differentiable(out.dtype))
    return {i for i, value in enumerate(graph.outputs) if value in reached}


class Way(NamedTuple):
    """A backward part: its nodes, the values that come in, and the values that it gives."""

    nodes: list[Node]
    kept: list[Value]  # the stack; with gradients of what was kept, the stack of those
    below: list[Value]  # what is below
    upstream: list[Value]  # the gradients of outputs
    begun: list[Value]  # totals
    found: list[Value | None]  # the gradient for each input of the subgraph
    totals: list[Value]

    def uses(self, value: Value) -> bool:
        """Whether a value is needed."""
        return any(value in node.inputs for node in self.nodes) or value in self.found or value in self.totals


class Split:
    """A subgraph cut in two.

    Arguments:
        graph: the subgraph.
        active: the numbers of the inputs whose gradients will be asked for.
        steady: the numbers of the inputs that the backward part gets anew, so that they need not be kept.
        deep: whether the gradients will be differentiated.
        looping: whether the outputs are the next iteration's inputs. Then gradients of both have the inputs' shapes,
            and every input that is followed has one, a zero if there is no other.
    """

    def __init__(
        self, graph: Graph, active: Iterable[int], steady: Iterable[int], deep: bool, looping: bool = False
    ) -> None:
        self.looping = looping
        self.trace = trace = Trace(f"gradient_of_{graph.name}")
        trace.deep = deep
        self.inputs = [trace.placeholder(known(v.shape), v.dtype, v.name) for v in graph.inputs]
        for i, variable in graph.reads.items():
            self.inputs[i]._key = variable._key
        with trace:
            with _Inner(persistent=True, watch_accessed_variables=False) as self.tape:
                self.tape.watch([self.inputs[i] for i in active])
                self.outputs = replay(graph, self.inputs)
            for y in self.outputs:
                trace.value_of(y)
        self.forward = list(trace.nodes)
        self._sizes: list[Node] = []
        self._sealed = False
        self.steady = list(steady)
        self._steady = {self.inputs[i]._node_value for i in self.steady}
        self.reached = [i for i, y in enumerate(self.outputs) if y._key in self.tape._records]
        self.kept: list[Symbolic] = []
        self.kept = self._needed(None)
        while deep:
            more = [x for x in self._needed(self.kept) if all(x is not k for k in self.kept)]
            if not more:
                break
            self.kept = [*self.kept, *more]
        self._sealed = True

    def kinds(self, differentiable: bool = False) -> tuple:
        """Shape and dtype of each kept value, as POP takes them; None for those without a derivative, if asked."""
        return tuple(
            None
            if differentiable and not is_differentiable(x._value.dtype)
            else (known(x._value.shape), x._value.dtype)
            for x in self.kept
        )

    def pushing(self, stack: Value) -> tuple[list[Node], Value]:
        """The nodes of the first part, and one more that pushes what is kept on a stack; the new stack."""
        values = _values(self.kept)
        node = Node(PUSH, [stack, *values], (None, len(values)), [])
        node.outputs = [Value(node, (), VARIANT)]
        constants = [n for n in self.trace.nodes if n.op is CONSTANT]
        return [*constants, *[n for n in self.forward if n.op is not CONSTANT], node], node.outputs[0]

    def backward(
        self,
        reached: Sequence[int],
        totals: Sequence[Sequence[int]] = (),
        kept: Sequence[Symbolic] | None = None,
    ) -> Way:
        """The backward part, for gradients of the outputs `reached`, and of values that were kept.

        Arguments:
            totals: for each gradient that is to go on adding up, the numbers of the inputs that it belongs to.
            kept: those of which gradients come, on a stack; None for no such stack.
        """
        trace, records = self.trace, self.tape._records
        start = len(trace.nodes)
        seeds = [x for x in kept or () if is_differentiable(x._value.dtype)]
        with trace:
            upstream = [self._like((self.inputs if self.looping else self.outputs)[i]) for i in reached]
            of_kept = [self._like(x) for x in seeds]
            begun = [self._like(self.inputs[each[0]]) for each in totals]
            grads: dict = {}
            for each, total in zip(totals, begun, strict=True):
                accumulate(grads, self.inputs[each[0]]._key, total)
            for y, g in zip([*[self.outputs[i] for i in reached], *seeds], [*upstream, *of_kept], strict=True):
                if y._key in records:
                    accumulate(grads, y._key, g)
            keys = [x._key for x in self.inputs if x._key in records]
            pull_back(TENSORS, dict(records), grads, keys, len(self.tape._watched))
            found = [None if x._key is None else dense(grads.get(x._key)) for x in self.inputs]
            if self.looping:
                found = [zeros_for(x) if d is None and x._key is not None else d for x, d in zip(self.inputs, found)]
            gradients = [None if d is None else trace.value_of(d) for d in found]
            sums = []
            for each in totals:
                summed: dict = {}
                for key in dict.fromkeys(self.inputs[i]._key for i in each):
                    if key in grads:
                        accumulate(summed, 0, dense(grads[key]))
                sums.append(trace.value_of(summed[0]))
        nodes = self._without_sizes(trace.nodes[start:])
        constants = [node for node in trace.nodes[:start] if node.op is CONSTANT]
        primals, gradients_of_kept = _values(self.kept), _values(of_kept)
        pops = [_popping([], self.kinds(), primals)]
        if kept is not None:
            kinds = self.kinds(differentiable=True)
            likes = [v for v, kind in zip(primals, kinds, strict=True) if is_open(kind)]
            pops.append(_popping(likes, kinds, gradients_of_kept))
        return Way(
            [*constants, *pops, *self._sizes, *nodes],
            [node.inputs[0] for node in pops],
            [node.outputs[0] for node in pops],
            _values(upstream),
            _values(begun),
            gradients,
            sums,
        )

    def _without_sizes(self, nodes: list[Node]) -> list[Node]:
        """The nodes but those that tell sizes of what the first part made, and numbers computed of them.

        A size is asked for once and known from then on, in later backward parts too. The sizes themselves are taken in
        the first part, unless that is settled.
        """
        own = {out for node in self.forward for out in node.outputs}
        own.update(x._node_value for x in self.inputs)
        first = [node for node in self.trace.nodes if node.op is CONSTANT]
        numbers = {out for node in [*first, *self.forward, *self._sizes] if _is_number(node) for out in node.outputs}
        left = []
        for node in nodes:
            if node.op is DIMENSION and node.inputs[0] in own:
                (self._sizes if self._sealed else self.forward).append(node)
                numbers.update(node.outputs)
            elif node.op is not CONSTANT and _is_number(node) and numbers.issuperset(node.inputs):
                self._sizes.append(node)
                numbers.update(node.outputs)
            else:
                left.append(node)
        return left

    def _needed(self, kept: Sequence[Symbolic] | None) -> list[Symbolic]:
        """What the backward part needs of the first."""
        way = self.backward(self.reached, kept=kept)
        wanted = {value for value in way.found if value is not None}
        for node in reversed(way.nodes):
            if not wanted.isdisjoint(node.outputs):
                wanted.update(node.inputs)
        values = [x._node_value for x in self.inputs]
        values += [out for node in self.forward if node.op is not CONSTANT for out in node.outputs]
        return [self.trace.tensors[v] for v in values if v in wanted and v not in self._steady]

    def _like(self, x: Tensor) -> Symbolic:
        return self.trace.placeholder(known(x._value.shape), x._value.dtype)


def _values(tensors: Sequence[Symbolic]) -> list[Value]:
    return [x._node_value for x in tensors]


def _popping(likes: list[Value], kinds: tuple, values: list[Value]) -> Node:
    """A node that takes values from a stack, its first input; its first output is the stack below."""
    return Node(POP, [Value(None, (), VARIANT), *likes], (kinds,), [Value(None, (), VARIANT), *values])


def _is_number(node: Node) -> bool:
    return (
        not node.op.effect
        and len(node.outputs) == 1
        and node.outputs[0].shape == ()
        and node.outputs[0].dtype.kind == "i"
    )


def dense(g: Any) -> Any:
    """A gradient as a tensor, of IndexedSlices too."""
    return g.dense() if isinstance(g, IndexedSlices) else g
