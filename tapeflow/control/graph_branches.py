"""Branches in a graph: one node with a subgraph for each function, of which the one chosen runs.

The derivative of a branch is another branch, which goes back through the subgraph that was chosen. What it needs of it
leaves the node on a stack, as one more output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import nest
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import VARIANT, is_differentiable
from ..core.op import Op
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, wrap
from ..core.tensor_list import ZERO
from ..engines import compile_graph
from ..graph.ir import CONSTANT, Graph, Node, Value
from ..graph.lists import zeros_for
from ..graph.passes import optimized
from ..graph.state import READ
from ..graph.trace import Symbolic, Trace, replay, user_place
from .derivatives import Split, dense, is_deep, refuse_batched, tracked
from .graph_arrays import as_leaf, as_value, either


def branches(pred: Symbolic, functions: Sequence[Callable], title: str = "tf.cond") -> Any:
    """What one of the functions gives: the first for a true `pred`, else the second; of numbers the one of that number.

    Raises TypeError where results differ in dtype or container, ValueError where they differ in structure.
    """
    parts, results = traced(functions)
    tensors = []
    for part, result in zip(parts, results, strict=True):
        with part:
            leaves = [as_value(leaf) for leaf in nest.flatten(result, expand_composites=True)]
            tensors.append([None if leaf is None else convert_to_tensor(leaf) for leaf in leaves])
    _check_alike(results, tensors, title)
    like = nest.flatten(results[0], expand_composites=True)
    for result in results[1:]:
        others = nest.flatten(result, expand_composites=True)
        like = [either(a, b, f"a result of {title}") for a, b in zip(like, others, strict=True)]
    present = [i for i, leaf in enumerate(tensors[0]) if leaf is not None]
    outputs = iter(joined(pred, parts, [[leaves[i] for i in present] for leaves in tensors]))
    packed = [None if leaf is None else as_leaf(next(outputs), of) for leaf, of in zip(tensors[0], like, strict=True)]
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
    for part in parts:
        part.own_reads()
    graphs = [part.graph(outputs) for part, outputs in zip(parts, tensors, strict=True)]
    captured = [outer(x) for part in parts for x, _ in part.captures]
    counts = (*[len(part.captures) for part in parts], len(tensors[0]))
    return list(_run([pred, *captured], counts, *graphs, None))


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
        found = graph._run = compile_graph(optimized(graph)).made().run  # type: ignore[attr-defined]
    return found


def _kernel(values: Sequence, counts: tuple, *graphs: Any) -> tuple:
    k = _number(values[0], len(graphs) - 1)
    return executable(graphs[k])(*_own(values[1:], counts, k))


def _infer(values: Sequence, counts: tuple, *graphs: Any) -> tuple:
    return tuple(
        Abstract(_common([known(v.shape) for v in each]), each[0].dtype)
        for each in zip(*[graph.outputs for graph in graphs[:-1]], strict=True)
    )


def _common(shapes: list) -> Any:
    first = shapes[0]
    if any(s is None or first is None or len(s) != len(first) for s in shapes):
        return None
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True)) if first else ()


def _run(inputs: Sequence[Tensor], counts: tuple, *graphs: Any) -> Sequence[Tensor]:
    """The branch in a trace, as a node; elsewhere, the ops of the one that is chosen."""
    *graphs, _ = graphs  # type: ignore[assignment]
    pred = inputs[0]
    if type(pred) is Tensor:
        k = _number(pred._value, len(graphs))
        return replay(graphs[k], _own(inputs[1:], counts, k))
    refuse_batched(inputs)
    trace = active_tapes().trace
    op = BRANCH_WITH_EFFECT if any(has_effect(graph) for graph in graphs) else BRANCH
    followed = tracked(inputs)
    if any(followed):
        plan = Plan(graphs, counts, followed[1:], is_deep(inputs))
        outputs = trace.add(op, inputs, ((*counts[:-1], counts[-1] + 1), *plan.graphs, plan))[:-1]
    else:
        outputs = trace.add(op, inputs, (counts, *graphs, None))
    for graph in graphs:
        trace.absorb(graph)
    return outputs


def has_effect(graph: Graph) -> bool:
    """Whether running a graph does anything but give its outputs."""
    return any(node.op.effect and node.op is not READ for node in graph.nodes)


# -- the derivative ----------------------------------------------------------------------------------------------------


class Plan:
    """How a branch is differentiated: its subgraphs split, with a stack of what they keep as one more output."""

    def __init__(self, graphs: Sequence[Graph], counts: tuple, followed: Sequence[bool], deep: bool) -> None:
        self.splits, self.graphs = [], []
        for k, graph in enumerate(graphs):
            on = _own(followed, counts, k)
            active = [i for i, v in enumerate(graph.inputs) if on[i] and is_differentiable(v.dtype)]
            split = Split(graph, active, range(counts[k]), deep)
            nothing = Node(CONSTANT, [], (wrap(ZERO),), [])
            nothing.outputs = [Value(nothing, (), VARIANT)]
            nodes, kept = split.pushing(nothing.outputs[0])
            outputs = [split.trace.value_of(y) for y in split.outputs]
            inputs = [x._node_value for x in split.inputs]
            self.splits.append(split)
            self.graphs.append(Graph(graph.name, inputs, [nothing, *nodes], [*outputs, kept]))
            self.graphs[-1].reads = graph.reads
        self.__name__ = f"keeps {[len(split.kept) for split in self.splits]}"
        self.whole = deep and all(followed)  # nothing more can be asked for


def _keep(node: Node, trace: Trace) -> None:
    """Plans the derivative of a branch that is a node of the trace: what it keeps is one more output.

    A plan for less, which a tape had made, stays: its stack is an output of the branch like the others.
    """
    counts, *graphs, plan = node.attributes
    if plan is None or not plan.whole:
        plan = Plan(graphs, counts, [True] * (len(node.inputs) - 1), True)
        node.attributes = ((*counts[:-1], counts[-1] + 1), *plan.graphs, plan)
        node.outputs.append(Value(node, (), VARIANT))


def _pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    """Gradients of a branch: another one, back through the subgraph that was chosen.

    What a captured tensor has of other gradients goes in, so that they add up as they do where there is no graph.
    """
    _, all_keys, (inputs, outputs), (counts, *_, plan), _, _ = rec
    wide = counts[-1] - 1
    reached = [i for i in range(wide) if g[i] is not None]
    captured = dict(zip(all_keys[1:], inputs[1:], strict=True))
    keys = [
        key for key, x in captured.items() if key is not None and key in wanted and is_differentiable(x._value.dtype)
    ]
    if not keys or not reached and g[wide] is None:
        return
    begun = [dense(grads[key]) if key in grads else zeros_for(captured[key]) for key in keys]
    first = [outputs[wide], *([] if g[wide] is None else [g[wide]]), *[g[i] for i in reached], *begun]
    given, graphs = [inputs[0]], []
    for k, split in enumerate(plan.splits):
        own = _own(all_keys[1:], counts, k)
        members = [[i for i, x in enumerate(split.inputs) if own[i] == key and x._key is not None] for key in keys]
        way = split.backward(reached, [each for each in members if each], None if g[wide] is None else split.kept)
        placed, totals = iter(way.begun), iter(way.totals)
        into = [next(placed) if each else Value(None, *_kind(captured[key])) for each, key in zip(members, keys)]
        out = [next(totals) if each else value for each, value in zip(members, into)]
        used = [i for i, x in enumerate(split.inputs) if way.uses(x._node_value)]
        behind = [split.inputs[i]._node_value for i in used]
        graphs.append(Graph(split.trace.name, [*way.kept, *way.upstream, *into, *behind], way.nodes, out))
        own_inputs = _own(inputs[1:], counts, k)
        given += [*first, *[own_inputs[i] for i in used]]
    sizes = [len(graph.inputs) for graph in graphs]
    for key, total in zip(keys, _run(given, (*sizes, len(keys)), *graphs, None), strict=True):
        grads[key] = total


def _kind(x: Tensor) -> tuple:
    return known(x._value.shape), x._value.dtype


def _halves(*given: Any) -> tuple:
    at = next(i for i, x in enumerate(given) if type(x) is tuple)
    n = 1 + sum(given[at][:-1])
    return given[:n], given[n:at]


def _op(effect: bool) -> Op:
    op = Op(
        "cond", lambda xp: _kernel, _infer, _pull, saves=_halves, title="If", inputs=None, outputs=0, pull=_pull,
        effect=effect,
    )  # fmt: skip
    op.call = _run
    op.keep = _keep
    return op


BRANCH, BRANCH_WITH_EFFECT = _op(False), _op(True)
