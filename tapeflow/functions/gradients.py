"""Gradients through calls of traced functions: a call under a tape is one record.

Its forward graph gives, besides the outputs, the intermediates that the backward graph needs, and nothing else of the
call is kept. Both come from one trace of the graph with a tape inside, cut in two where the forward part ends, once for
each set of inputs that a tape follows. Where more than one tape looks on, or one that stays, or forward mode, the ops
are run and recorded one by one, which derivatives of every order come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import GradientTape
from ..core import errors
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import Namespace
from ..core.tapes import TapeStack, record
from ..core.tensor import Tensor, flat, wrap
from ..engines import compile_graph
from ..graph.ir import CONSTANT, Graph, Value
from ..graph.passes import optimized
from ..graph.state import READ
from ..graph.trace import Trace, replay


def recorded(function: Any, stack: TapeStack, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """The outputs of a traced function, recorded on the tapes that track one of its inputs or variables."""
    for variable in function.reads:
        variable.read_value()  # which tapes watch from now on
    constants = [node.attributes[0] for node in function.constants]
    records = [tape._records for tape in stack]
    followed = tuple(
        x._key is not None and any(x._key in known for known in records) for x in (*inputs, *constants, *function.reads)
    )
    if not any(followed):
        return function.run_flat(inputs)
    if len(stack) > 1 or type(stack[0]) is not GradientTape or stack[0]._persistent:
        return replay(function.traced, inputs)
    if followed not in function.derivatives:
        try:
            function.derivatives[followed] = Derivative(function, followed)
        except (errors.UnimplementedError, LookupError, NotImplementedError):
            # an op without a derivative: an error for whoever asks for the gradient, not for the call
            function.derivatives[followed] = None
    derivative = function.derivatives[followed]
    return replay(function.traced, inputs) if derivative is None else derivative.call(inputs)


class Derivative:
    """The forward and the backward graph of a traced function, for those of its inputs that a tape follows."""

    def __init__(self, function: Any, followed: tuple[bool, ...]) -> None:
        graph: Graph = function.traced
        self.name = function.name
        trace = Trace(f"{function.name}_and_gradient")
        inputs = [trace.placeholder(v.shape, v.dtype, v.name) for v in graph.inputs]
        # constants that a tape follows are inputs as well: their gradients are asked for
        count = len(inputs)
        nodes = function.constants
        self.constants = [n.attributes[0] for n, on in zip(nodes, followed[count:]) if on]
        lifted = {n.outputs[0] for n, on in zip(nodes, followed[count:]) if on}
        captured = [n.outputs[0] for n in nodes if n.outputs[0] in lifted]
        whole = Graph(
            graph.name,
            [*graph.inputs, *captured],
            [n for n in graph.nodes if lifted.isdisjoint(n.outputs)],
            graph.outputs,
        )
        inputs += [trace.placeholder(v.shape, v.dtype) for v in captured]
        variables = [v for v, on in zip(function.reads, followed[count + len(nodes) :]) if on]
        self.variables = list({id(v): v for v in variables}.values())
        on = [x for x, f in zip(inputs[:count], followed) if f] + inputs[count:]
        self.places = [i for i, f in enumerate(followed[:count]) if f]
        with trace:
            with GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([*on, *self.variables])
                outputs = replay(whole, inputs)
            cut = len(trace.nodes)
            before = list(trace.inputs)
            reached = [
                i for i, y in enumerate(outputs) if y._key in tape._records and is_differentiable(y._value.dtype)
            ]
            upstream = [trace.placeholder(outputs[i]._value.shape, outputs[i]._value.dtype) for i in reached]
            targets = [outputs[i] for i in reached]
            found = tape.gradient(targets, [*on, *self.variables], output_gradients=upstream) if targets else []
            self.reached = reached
            self.slices: list[bool | None] = []  # of each source: whether slices come, None for no gradient
            gradients: list[Tensor] = []
            for g in found:
                self.slices.append(None if g is None else isinstance(g, IndexedSlices))
                gradients += [] if g is None else [g.values, g.indices] if isinstance(g, IndexedSlices) else [g]
            results = [trace.value_of(y) for y in outputs]
            wanted = [trace.value_of(g) for g in gradients]
        self._cut(trace, cut, before, [trace.value_of(u) for u in upstream], results, wanted)

    def _cut(
        self, trace: Trace, cut: int, inputs: list[Value], upstream: list[Value], results: list[Value],
        wanted: list[Value],
    ) -> None:  # fmt: skip
        """Cuts the trace in two: the values that cross the cut are what a call keeps for its gradient."""
        first, second = trace.nodes[:cut], trace.nodes[cut:]
        constants = [n for n in trace.nodes if n.op is CONSTANT]
        own = {out for n in [*second, *constants] for out in n.outputs}
        head = [n for n in constants if n in first]
        backward = optimized(Graph(f"gradient_of_{self.name}", [], [*head, *second], wanted))
        used = [x for n in backward.nodes for x in n.inputs] + backward.outputs
        crossing = [v for v in dict.fromkeys(used) if v not in own and v not in set(upstream)]
        self.backward = Graph(backward.name, [*crossing, *upstream], backward.nodes, backward.outputs)
        tail = [n for n in constants if n in second and not set(n.outputs).isdisjoint(results)]
        self.forward = optimized(Graph(self.name, inputs, [*first, *tail], [*results, *crossing]))
        self.count = len(results)
        self.run_forward = compile_graph(self.forward)
        self.run_backward = compile_graph(self.backward)
        at = {value: i for i, value in enumerate(inputs)}
        reads = {n.outputs[0]: n.attributes[0] for n in first if n.op is READ}
        # of each crossing value: the input that it is, the variable that it was read from, or None
        self.origins = [at.get(v, reads.get(v)) for v in crossing]

    def call(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The outputs of a call, as one record on the active tape."""
        tensors = [*inputs, *self.constants]
        followed = [tensors[i] for i in self.places] + self.constants
        followed += [v._tensor for v in self.variables]
        values = self.run_forward.run(*[x._value for x in tensors])
        outputs = [wrap(value) for value in values[: self.count]]
        kept = []
        for value, origin in zip(values[self.count :], self.origins):
            if type(origin) is int:
                kept.append(tensors[origin])
                continue
            tensor = wrap(value)
            if origin is not None:
                tensor._key = origin._key
            kept.append(tensor)
        if self.reached:
            reached = tuple([outputs[i] for i in self.reached])
            record(_Call(self, kept), tuple(followed), (), reached)
        return outputs


class _Call:
    """One call of a traced function, as an op on a tape."""

    saves = None
    outputs = 0

    def __init__(self, derivative: Derivative, kept: list[Tensor]) -> None:
        self.name = derivative.name
        self.derivative = derivative
        self.kept = kept

    def describe(self, rec: tuple) -> tuple:
        return rec[4][:-1], rec[4][-1], self.kept

    def pull(self, F: Namespace, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        derivative = self.derivative
        upstream = []
        for d, (shape, dtype) in zip(g, rec[5], strict=True):
            if d is None:
                d = flat(np.zeros(shape, dtype))
                d = d if F.raw else wrap(d)
            elif isinstance(d, IndexedSlices):
                d = d.dense()
            upstream.append(d)
        if F.raw:
            found = derivative.run_backward.run(*[x._value for x in self.kept], *upstream)
        else:
            found = replay(derivative.backward, [*self.kept, *upstream])
        parts = iter(found)
        for key, slices in zip(rec[1], derivative.slices, strict=True):
            if slices is None:
                continue
            d = next(parts)
            if slices:
                indices = next(parts)
                d = IndexedSlices(d, indices, self._shape_of(rec, key, F))
            if key in wanted:
                grads[key] = grads[key] + d if key in grads else d

    @staticmethod
    def _shape_of(rec: tuple, key: Any, F: Namespace) -> Any:
        shape = rec[4][rec[1].index(key)]
        return tuple(shape) if F.raw else wrap(np.array(shape, np.int32))
