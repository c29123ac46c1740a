"""Branches in a graph: one node with a subgraph for each function, of which the one chosen runs.

The derivative of a branch is another branch. It computes again what it needs of the chosen subgraph, but for what an
effect gave (random numbers, variables read where they change): those values leave the node as further outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import GradientTape
from ..core import errors, nest
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS, Op
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, wrap
from ..engines import compile_graph
from ..graph.ir import CONSTANT, Graph, Node, Value
from ..graph.passes import optimized
from ..graph.state import READ
from ..graph.trace import Symbolic, Trace, replay, user_place


def branches(pred: Symbolic, functions: Sequence[Callable], title: str = "tf.cond") -> Any:
    """What one of the functions gives: the first for a true `pred`, else the second; of numbers the one of that number.

    Raises TypeError where results differ in dtype or container, ValueError where they differ in structure.
    """
    parts, results = traced(functions)
    tensors = []
    for part, result in zip(parts, results, strict=True):
        with part:
            leaves = nest.flatten(result, expand_composites=True)
            tensors.append([None if leaf is None else convert_to_tensor(leaf) for leaf in leaves])
    _check_alike(results, tensors, title)
    present = [i for i, leaf in enumerate(tensors[0]) if leaf is not None]
    outputs = iter(joined(pred, parts, [[leaves[i] for i in present] for leaves in tensors]))
    packed = [None if leaf is None else next(outputs) for leaf in tensors[0]]
    return nest.map_structure(lambda leaf: packed.pop(0), results[0], expand_composites=True)


def traced(functions: Sequence[Callable]) -> tuple[list[Trace], list]:
    """The functions traced, each in a part of its own: the parts, and what the functions returned there."""
    trace: Trace = active_tapes().trace
    parts = [Trace(f"{trace.name}_branch_{i}", parent=trace, lift_reads=True) for i in range(len(functions))]
    results = []
    for part, function in zip(parts, functions, strict=True):
        with part:
            results.append(function())
    return parts, results


def joined(pred: Symbolic, parts: Sequence[Trace], tensors: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """The outputs of the branch whose parts were traced; `tensors` are those of each, alike in dtype."""
    trace: Trace = active_tapes().trace
    graphs = [part.graph(outputs) for part, outputs in zip(parts, tensors, strict=True)]
    captured = [outer(x) for part in parts for x, _ in part.captures]
    counts = (*[len(part.captures) for part in parts], len(tensors[0]))
    outputs = _run([pred, *captured], counts, *graphs)
    for part in parts:
        trace.absorb(part)
    return list(outputs)


def outer(x: Tensor) -> Tensor:
    """A tensor that a subgraph captured; a variable's value is read again, so that the tapes outside see it read."""
    if isinstance(x, Symbolic) and x._node_value.node is not None and x._node_value.node.op is READ:
        return x._node_value.node.attributes[0].read_value()
    return x


def _check_alike(results: list, tensors: list[list], title: str) -> None:
    for k, (result, leaves) in enumerate(zip(results[1:], tensors[1:], strict=True), 1):
        try:
            nest.assert_same_structure(results[0], result, expand_composites=True)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"The branches of {title} must return the same structure (at {user_place()}): {error}"
            ) from None
        for a, b in zip(tensors[0], leaves, strict=True):
            if (a is None) != (b is None):
                raise ValueError(
                    f"The branches of {title} must return the same structure (at {user_place()}): one returns None "
                    f"where another returns a tensor (branch {k if b is None else 0} returns the None)"
                )
            if a is not None and a._value.dtype != b._value.dtype:
                raise TypeError(
                    f"The branches of {title} must return the same dtypes (at {user_place()}): branch 0 returns "
                    f"{a.dtype.name}, branch {k} {b.dtype.name}. tf.cast one of them."
                )


# -- the op ------------------------------------------------------------------------------------------------------------


def _number(pred: Any, count: int) -> int:
    """Which of `count` branches the value chooses."""
    if np.asarray(pred).dtype.kind not in "iu":
        return 0 if pred else 1
    number = int(pred)
    return number if 0 <= number < count else count - 1


def _own(given: Sequence, counts: tuple, k: int) -> list:
    """The captured values that belong to branch `k`."""
    start = sum(counts[:k])
    return list(given[start : start + counts[k]])


def executable(graph: Graph) -> Callable:
    """The function on arrays that a subgraph is, compiled once."""
    found = graph.__dict__.get("_run")
    if found is None:
        found = graph._run = compile_graph(optimized(graph)).run  # type: ignore[attr-defined]
    return found


def _kernel(values: Sequence, counts: tuple, *graphs: Graph) -> tuple:
    k = _number(values[0], len(graphs))
    return executable(graphs[k])(*_own(values[1:], counts, k))


def _infer(values: Sequence, counts: tuple, *graphs: Graph) -> tuple:
    return tuple(
        Abstract(_common([known(v.shape) for v in each]), each[0].dtype)
        for each in zip(*[graph.outputs for graph in graphs], strict=True)
    )


def _common(shapes: list) -> Any:
    first = shapes[0]
    if any(s is None or first is None or len(s) != len(first) for s in shapes):
        return None
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True)) if first else ()


def _run(inputs: Sequence[Tensor], counts: tuple, *graphs: Graph) -> Sequence[Tensor]:
    pred = inputs[0]
    if type(pred) is Tensor:
        k = _number(pred._value, len(graphs))
        return replay(graphs[k], _own(inputs[1:], counts, k))
    trace = active_tapes().trace
    wanted = counts[-1]
    effect = any(has_effect(graph) for graph in graphs)
    if effect and tracked(inputs):
        graphs = _with_effects(graphs, counts)
    return trace.add(BRANCH_WITH_EFFECT if effect else BRANCH, inputs, (counts, *graphs))[:wanted]


def tracked(inputs: Sequence[Tensor]) -> bool:
    """Whether a tape follows one of the tensors."""
    stack = active_tapes()
    tapes = [tape for tape in stack if tape is not stack.trace]
    return any(x._key is not None and x._key in tape._records for tape in tapes for x in inputs)


def has_effect(graph: Graph) -> bool:
    """Whether running a graph does anything but give its outputs."""
    return any(node.op.effect and node.op is not READ for node in graph.nodes)


def effect_values(graph: Graph) -> list[Value]:
    """What the effects of a graph give, which it cannot give a second time."""
    return [out for node in graph.nodes if node.op.effect for out in node.outputs]


def _with_effects(graphs: Sequence[Graph], counts: tuple) -> tuple[Graph, ...]:
    """The branches with what their effects give as further outputs; in the place of another branch's, zeros."""
    found = [effect_values(graph) for graph in graphs]
    extended = []
    for k, graph in enumerate(graphs):
        nodes, outputs = list(graph.nodes), list(graph.outputs)
        for j, values in enumerate(found):
            for value in values:
                if j == k:
                    outputs.append(value)
                    continue
                zeros = wrap(flat(np.zeros([n or 0 for n in known(value.shape) or ()], value.dtype)))
                node = Node(CONSTANT, [], (zeros,), [])
                node.outputs = [Value(node, known(value.shape), value.dtype)]
                nodes.append(node)
                outputs.append(node.outputs[0])
        extended.append(Graph(graph.name, graph.inputs, nodes, outputs))
    return tuple(extended)


def without_effects(graph: Graph, wanted: int) -> Graph:
    """The graph whose further inputs are what its effects gave; with its first `wanted` outputs.

    Raises UnimplementedError where a subgraph of it has effects.
    """
    for node in graph.nodes:
        if node.op.effect and any(isinstance(a, Graph) for a in node.attributes):
            raise errors.UnimplementedError(
                None,
                None,
                f"a gradient through a branch or loop around another one that has effects (random numbers, "
                f"assignments, tf.print), at {node.place}: move the effect out of the inner one, or take the gradient "
                "inside",
            )
    nodes = [node for node in graph.nodes if not node.op.effect]
    return Graph(graph.name, [*graph.inputs, *effect_values(graph)], nodes, graph.outputs[:wanted])


def _gradients(
    F: Any, g: Sequence, needs: Sequence[bool], inputs: tuple, outputs: tuple, counts: tuple, *graphs: Graph
) -> list:
    pred, captured = inputs[0], inputs[1:]
    wanted = counts[-1]
    reached = [i for i in range(wanted) if g[i] is not None]
    places = [i for i, x in enumerate(captured) if needs[i + 1] and is_differentiable(x._value.dtype)]
    extras = list(outputs[wanted:])
    if not places or not reached:
        return [None] * len(inputs)

    def side(k: int) -> Callable:
        before = sum(len(effect_values(graph)) for graph in graphs[:k])
        start = sum(counts[:k])

        def run() -> list:
            own = [TENSORS.identity(x) for x in _own(captured, counts, k)]  # type: ignore[attr-defined]
            given = extras[before : before + len(effect_values(graphs[k]))] if extras else []
            found = pulled_back(without_effects(graphs[k], wanted), own, given, reached, [g[i] for i in reached])
            return [
                found[i - start]
                if 0 <= i - start < len(own) and found[i - start] is not None
                else TENSORS.zeros_like(captured[i])  # type: ignore[attr-defined]
                for i in places
            ]

        return run

    if type(pred) is Tensor:
        results = side(_number(pred._value, len(graphs)))()
    else:
        results = branches(pred, [side(k) for k in range(len(graphs))])
    gradients: list = [None] * len(inputs)
    for i, d in zip(places, results, strict=True):
        gradients[i + 1] = d
    return gradients


def pulled_back(
    graph: Graph, sources: Sequence[Tensor], rest: Sequence[Tensor], reached: Sequence[int], upstream: Sequence
) -> list:
    """The gradients of a graph's outputs `reached`, times `upstream`, for each source: dense, or None."""
    with GradientTape() as tape:
        tape.watch([x for x in sources if is_differentiable(x._value.dtype)])
        outputs = replay(graph, [*sources, *rest])
    targets = [outputs[i] for i in reached]
    found = tape.gradient(targets, list(sources), output_gradients=list(upstream))
    return [d.dense() if isinstance(d, IndexedSlices) else d for d in found]


def split_saved(*given: Any) -> tuple:
    """What ops with subgraphs save: their inputs and outputs, whose numbers the attribute before the graphs follows."""
    at = next(i for i, x in enumerate(given) if type(x) is tuple)
    return given[:at]


def _op(effect: bool) -> Op:
    op = Op(
        "cond",
        lambda xp: _kernel,
        _infer,
        _gradients,
        saves=lambda *given: _halves(given),
        title="If",
        inputs=None,
        outputs=0,
        effect=effect,
    )
    op.call = _run
    return op


def _keep(node: Node) -> None:
    """Gives a branch that no tape followed what its effects gave as further outputs."""
    counts, *graphs = node.attributes
    if len(node.outputs) == counts[-1]:
        graphs = _with_effects(graphs, counts)
        node.attributes = (counts, *graphs)
        node.outputs += [Value(node, known(v.shape), v.dtype) for v in graphs[0].outputs[counts[-1] :]]


def _halves(given: tuple) -> tuple:
    tensors = split_saved(*given)
    counts = given[len(tensors)]
    n = 1 + sum(counts[:-1])
    return tensors[:n], tensors[n:]


BRANCH, BRANCH_WITH_EFFECT = _op(False), _op(True)
BRANCH_WITH_EFFECT.keep = _keep
