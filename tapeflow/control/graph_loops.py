"""Loops in a graph: one node with a subgraph for the condition and one for the body.

The derivative of a loop goes through its iterations backward. A loop that a tape follows keeps its variables of each
iteration, and what effects of the body gave; what else its derivative needs of the body is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import errors, nest
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable
from ..core.op import TENSORS, Op
from ..core.shapes import TensorShape
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..graph.ir import Graph, Node, Value
from ..graph.trace import Symbolic, Trace, replay, user_place
from .graph_branches import (
    effect_values,
    executable,
    has_effect,
    outer,
    pulled_back,
    split_saved,
    tracked,
    without_effects,
)


def loop(cond: Callable, body: Callable, variables: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    """The last loop variables. `cond` and `body` take a list of tensors; `shapes` are what holds in every iteration.

    Raises TypeError where the body changes a dtype, ValueError where it changes a shape.
    """
    trace: Trace = active_tapes().trace
    graphs, inner = _traced(trace, cond, body, variables, shapes, {})
    writes = {**inner[0].written, **inner[1].written}
    if any(_read_before(part, writes) for part in inner):
        # what the loop assigns is read anew in each iteration; every other variable is read once, before the loop
        graphs, inner = _traced(trace, cond, body, variables, shapes, writes)
    count = len(variables)
    captured = [[outer(x) for x, _ in part.captures] for part in inner]
    counts = (count, len(captured[0]), len(captured[1]))
    outputs = _run([*variables, *captured[0], *captured[1]], counts, *graphs)
    for part in inner:
        trace.absorb(part)
    return list(outputs)


def _traced(
    trace: Trace, cond: Callable, body: Callable, variables: Sequence[Tensor], shapes: Sequence[Any], writes: dict
) -> tuple[list[Graph], list[Trace]]:
    """The subgraphs of condition and body, and their traces; variables in `writes` are read inside."""
    graphs, inner = [], []
    for what, function in (("condition", cond), ("body", body)):
        part = Trace(f"{trace.name}_{what}", parent=trace, lift_reads=True)
        part.written.update(writes)
        inputs = [part.placeholder(shape._dims, x._value.dtype) for x, shape in zip(variables, shapes, strict=True)]
        with part:
            made = function(inputs)
        graphs.append(part.graph(made))
        inner.append(part)
    return graphs, inner


def _read_before(part: Trace, writes: dict) -> bool:
    """Whether a variable that the loop assigns was read before it."""
    nodes = [x._node_value.node for x, _ in part.captures if isinstance(x, Symbolic)]
    return any(node is not None and any(id(a) in writes for a in node.attributes) for node in nodes)


def check_next(before: Sequence[Tensor], after: Sequence[Tensor], shapes: Sequence[TensorShape]) -> None:
    """Raises where the body's loop variables do not fit those before."""
    for i, (x, y, shape) in enumerate(zip(before, after, shapes, strict=True)):
        if x._value.dtype != y._value.dtype:
            raise TypeError(
                f"Loop variable {i} enters the loop as {x.dtype.name} and is {y.dtype.name} after one iteration (at "
                f"{user_place()}): tf.cast it, in the loop or before it."
            )
        if not TensorShape(known(y._value.shape)).is_subtype_of(shape):
            raise ValueError(
                f"Loop variable {i} enters the loop with shape {shape} and has shape {y.shape} after one iteration "
                f"(at {user_place()}). Give `shape_invariants` where it may change: tf.TensorShape([None]) for a "
                "vector of any length."
            )


# -- the op ------------------------------------------------------------------------------------------------------------


class History:
    """What a loop keeps of its iterations: a list of tuples of arrays. It goes through a graph as one value."""

    __slots__ = ("steps",)
    shape = ()
    ndim = 0
    dtype = np.dtype(object)

    def __init__(self, steps: list[tuple]) -> None:
        self.steps = steps


def _split(given: Sequence, counts: tuple) -> tuple[list, list, list]:
    n, c, _ = counts
    return list(given[:n]), list(given[n : n + c]), list(given[n + c :])


def _kernel(values: Sequence, counts: tuple, cond: Graph, body: Graph) -> tuple:
    state, of_cond, of_body = _split(values, counts)
    test, step = executable(cond), executable(body)
    while test(*state, *of_cond)[0]:
        state = step(*state, *of_body)
    return tuple(state)


def _saving_kernel(values: Sequence, counts: tuple, cond: Graph, body: Graph) -> tuple:
    state, of_cond, of_body = _split(values, counts)
    test, step = executable(cond), executable(body)
    n = counts[0]
    steps = []
    while test(*state, *of_cond)[0]:
        made = step(*state, *of_body)
        steps.append((*state, *made[n:]))
        state = made[:n]
    return (*state, History(steps))


def _infer(values: Sequence, counts: tuple, cond: Graph, body: Graph) -> tuple:
    return tuple(Abstract(known(v.shape), v.dtype) for v in body.inputs[: counts[0]])


def _run(inputs: Sequence[Tensor], counts: tuple, cond: Graph, body: Graph) -> Sequence[Tensor]:
    trace = active_tapes().trace
    if trace is None:
        state, of_cond, of_body = _split(inputs, counts)
        while replay(cond, [*state, *of_cond])[0]:
            state = replay(body, [*state, *of_body])
        return state
    effect = has_effect(cond) or has_effect(body)
    if not tracked(inputs):
        return trace.add(LOOPS["while_loop", effect], inputs, (counts, cond, body))
    return trace.add(LOOPS["while_loop_saving", effect], inputs, (counts, cond, _extended(body)))[: counts[0]]


def _extended(body: Graph) -> Graph:
    """The body with what its effects gave as further outputs."""
    return Graph(body.name, body.inputs, body.nodes, [*body.outputs, *effect_values(body)])


def _keep(node: Node) -> None:
    """Makes a loop that no tape followed one that keeps its iterations."""
    counts, cond, body = node.attributes
    node.op = LOOPS["while_loop_saving", node.op.effect]
    node.attributes = (counts, cond, _extended(body))
    history = Abstract((), np.dtype(object))
    node.outputs.append(Value(node, history.shape, history.dtype))


def _gradients(
    F: Any, g: Sequence, needs: Sequence[bool], inputs: tuple, outputs: tuple, counts: tuple, cond: Graph, body: Graph
) -> list:
    n = counts[0]
    variables, of_cond, of_body = _split(inputs, counts)
    moving = [i for i in range(n) if is_differentiable(body.inputs[i].dtype)]
    first = n + len(of_cond)
    places = [i for i, x in enumerate(of_body) if needs[first + i] and is_differentiable(x._value.dtype)]
    if all(g[i] is None for i in moving):
        return [None] * len(inputs)
    upstream = [TENSORS.zeros_like(outputs[i]) if g[i] is None else g[i] for i in moving]  # type: ignore[attr-defined]
    backward = _backward_of_body(body, n, moving, places)
    results = TRACED_BACK.call([outputs[-1], *of_body, *upstream], (n, len(of_body)), tuple(places), backward)
    gradients: list = [None] * len(inputs)
    for i, d in zip([*moving, *[first + i for i in places]], results, strict=True):
        gradients[i] = d
    return gradients


def _backward_of_body(body: Graph, n: int, moving: list[int], places: list[int]) -> Graph:
    """The graph from an iteration's values and the gradients of its results to the gradients of what it began with."""
    trace = Trace(f"gradient_of_{body.name}")
    graph = without_effects(body, n)
    given = [trace.placeholder(known(v.shape), v.dtype) for v in graph.inputs]
    captured = len(body.inputs)
    upstream = [trace.placeholder(known(body.inputs[i].shape), body.inputs[i].dtype) for i in moving]
    with trace:
        found = pulled_back(graph, given[:captured], given[captured:], moving, upstream)
        wanted = [*moving, *[n + i for i in places]]
        made = [TENSORS.zeros_like(given[i]) if found[i] is None else found[i] for i in wanted]  # type: ignore[attr-defined]
    return trace.graph(made)


def _back_kernel(values: Sequence, counts: tuple, places: tuple, backward: Graph) -> tuple:
    n, captured = counts
    history, of_body, upstream = values[0], values[1 : 1 + captured], list(values[1 + captured :])
    run = executable(backward)
    d = len(upstream)
    totals: Any = None
    for step in reversed(history.steps):
        made = run(*step[:n], *of_body, *step[n:], *upstream)
        upstream = made[:d]
        totals = made[d:] if totals is None else [a + b for a, b in zip(totals, made[d:], strict=True)]
    if totals is None:
        totals = [np.zeros_like(of_body[i]) for i in places]
    return (*upstream, *totals)


def _refuse(*args: Any) -> Any:
    raise errors.UnimplementedError(
        None,
        None,
        "the second derivative of a tf.while_loop (or a loop over tensors) inside of one tf.function: take the outer "
        "derivative outside of the tf.function, or run the loop with a number of iterations known while tracing",
    )


def _call_back(inputs: Sequence[Tensor], counts: tuple, places: tuple, backward: Graph) -> Any:
    trace = active_tapes().trace
    return trace.add(TRACED_BACK, inputs, (counts, places, backward))


def _loop_op(name: str, effect: bool) -> Op:
    saving = name == "while_loop_saving"
    op = Op(
        name,
        (lambda xp: _saving_kernel) if saving else (lambda xp: _kernel),
        (lambda *given: (*_infer(*given), Abstract((), np.dtype(object)))) if saving else _infer,
        _gradients if saving else (),
        saves=_halves,
        title="While",
        inputs=None,
        outputs=0,
        effect=effect,
    )
    op.call = _run
    op.keep = None if saving else _keep
    return op


def _halves(*given: Any) -> tuple:
    tensors = split_saved(*given)
    n = sum(given[len(tensors)])
    return tensors[:n], tensors[n:]


LOOPS = {
    (name, effect): _loop_op(name, effect) for name in ("while_loop", "while_loop_saving") for effect in (False, True)
}
TRACED_BACK = Op(
    "while_loop_gradient",
    lambda xp: _back_kernel,
    lambda values, counts, places, backward: tuple(Abstract(known(v.shape), v.dtype) for v in backward.outputs),
    _refuse,
    inputs=None,
    outputs=0,
)
TRACED_BACK.call = _call_back


def invariants(given: Any, loop_vars: Any, variables: Sequence[Tensor]) -> list[TensorShape]:
    """The shape of each loop variable in every iteration: as given, or the one that it begins with."""
    if given is None:
        return [TensorShape(known(x._value.shape)) for x in variables]
    found = [TensorShape(shape) for shape in _shapes(given)]
    if len(found) != len(variables):
        raise ValueError(
            f"`shape_invariants` has {len(found)} shapes for {len(variables)} loop variables of {loop_vars!r}"
        )
    return found


def _shapes(given: Any) -> list:
    return [getattr(leaf, "shape", leaf) for leaf in nest.flatten(given)]


def as_bool(value: Any) -> Tensor:
    """What a condition returned, as a tensor. Raises TypeError where it is no bool."""
    tensor = convert_to_tensor(value)
    if tensor._value.shape not in ((), None):
        tensor = TENSORS.reshape(tensor, ())  # type: ignore[attr-defined]
    return tensor
