"""Loops in a graph: one node with a subgraph for the condition and one for the body.

The derivative of a loop is another loop, back through its iterations. Where a tape follows, each iteration pushes what
its derivative needs on a stack, which is one more variable of the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import nest
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import VARIANT, is_differentiable
from ..core.op import TENSORS, Op
from ..core.shapes import TensorShape
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, wrap
from ..core.tensor_list import ZERO
from ..graph.ir import CONSTANT, Graph, Node, Value
from ..graph.lists import IS_KEPT, accumulate, zeros_for
from ..graph.trace import Symbolic, Trace, replay, user_place
from .derivatives import Split, dense, is_deep, reaching, refuse_batched, tracked
from .graph_branches import executable, has_effect, outer


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
    return list(_run([*variables, *captured[0], *captured[1]], counts, *graphs))


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
        part.own_reads()
        graphs.append(part.graph(made))
        inner.append(part)
    return graphs, inner


def _read_before(part: Trace, writes: dict) -> bool:
    """Whether a variable that the loop assigns was read before it."""
    nodes = [x._node_value.node for x, _ in part.captures if isinstance(x, Symbolic)]
    return any(node is not None and any(id(a) in writes for a in node.attributes) for node in nodes)


def check_next(
    before: Sequence[Tensor], after: Sequence[Tensor], shapes: Sequence[TensorShape], names: Sequence[str]
) -> None:
    """Raises where the body's loop variables do not fit those before."""
    for name, x, y, shape in zip(names, before, after, shapes, strict=True):
        if x._value.dtype != y._value.dtype:
            raise TypeError(
                f"Loop variable {name} enters the loop as {x.dtype.name} and is {y.dtype.name} after one iteration (at "
                f"{user_place()}): tf.cast it, in the loop or before it."
            )
        if not TensorShape(known(y._value.shape)).is_subtype_of(shape):
            raise ValueError(
                f"Loop variable {name} enters the loop with shape {shape} and has shape {y.shape} after one iteration "
                f"(at {user_place()}). Give `shape_invariants` where it may change: tf.TensorShape([None]) for a "
                "vector of any length."
            )


# -- the op ------------------------------------------------------------------------------------------------------------


def _split(given: Sequence, counts: tuple) -> tuple[list, list, list]:
    n, c, _ = counts
    return list(given[:n]), list(given[n : n + c]), list(given[n + c :])


def _kernel(values: Sequence, counts: tuple, cond: Graph, body: Graph, plan: Any) -> tuple:
    state, of_cond, of_body = _split(values, counts)
    test, step = executable(cond), executable(body)
    while test(*state, *of_cond)[0]:
        state = step(*state, *of_body)
    return tuple(state)


def _infer(values: Sequence, counts: tuple, cond: Graph, body: Graph, plan: Any) -> tuple:
    return tuple(Abstract(known(v.shape), v.dtype) for v in body.inputs[: counts[0]])


def _run(inputs: Sequence[Tensor], counts: tuple, cond: Graph, body: Graph, plan: Any = None) -> Sequence[Tensor]:
    """The loop in a trace, as a node; elsewhere, the ops of its iterations."""
    trace = active_tapes().trace
    if trace is None:
        state, of_cond, of_body = _split(inputs, counts)
        while replay(cond, [*state, *of_cond])[0]:
            state = replay(body, [*state, *of_body])
        return state
    refuse_batched(inputs)
    op = LOOP_WITH_EFFECT if has_effect(cond) or has_effect(body) else LOOP
    followed = tracked(inputs)
    if any(followed):
        n, *others = counts
        plan = Plan(cond, body, counts, followed, is_deep(inputs))
        given = [*inputs[:n], wrap(ZERO), *inputs[n:]]
        outputs = trace.add(op, given, ((n + 1, *others), plan.cond, plan.body, plan))[:n]
    else:
        outputs = trace.add(op, inputs, (counts, cond, body, None))
    for graph in (cond, body):
        trace.absorb(graph)
    return outputs


# -- the derivative ----------------------------------------------------------------------------------------------------


class Plan:
    """How a loop is differentiated: its body split, with a stack of what each iteration keeps as one more variable."""

    def __init__(self, cond: Graph, body: Graph, counts: tuple, followed: Sequence[bool], deep: bool) -> None:
        n, c, m = counts
        on = [*followed[:n], *followed[n + c :]]
        active: set[int] = set()
        more = {i for i, v in enumerate(body.inputs) if on[i] and is_differentiable(v.dtype)}
        while not more <= active:  # a variable may come to depend on a tape's tensors in a later iteration
            active |= more
            more = reaching(body, active)
        self.split = split = Split(body, active, range(n, n + m), deep, looping=True)
        self.moving = sorted(i for i in active if i < n)
        stack = Value(None, (), VARIANT)
        nodes, kept = split.pushing(stack)
        inputs = [x._node_value for x in split.inputs]
        outputs = [split.trace.value_of(y) for y in split.outputs]
        self.body = Graph(body.name, [*inputs[:n], stack, *inputs[n:]], nodes, [*outputs, kept])
        self.body.reads = {i + 1: variable for i, variable in body.reads.items()}
        unused = Value(None, (), VARIANT)
        self.cond = Graph(cond.name, [*cond.inputs[:n], unused, *cond.inputs[n:]], cond.nodes, cond.outputs)
        self.__name__ = f"keeps {len(split.kept)}"
        self.whole = deep and all(followed)  # nothing more can be asked for
        self._ways: dict = {}

    def way(self, members: tuple, deep: bool) -> tuple[Graph, Graph, list[int]]:
        """Condition and body of the loop back, and which of the body's inputs it needs besides its variables."""
        if (members, deep) not in self._ways:
            split = self.split
            way = split.backward(self.moving, members, split.kept if deep else None)
            variables = [*way.kept, *way.upstream, *way.begun]
            used = [i for i in split.steady if way.uses(split.inputs[i]._node_value)]
            gradients = [way.found[i] for i in self.moving]  # none is absent, see Split
            out: list = [*way.below, *gradients, *way.totals]
            inputs = [*variables, *[split.inputs[i]._node_value for i in used]]
            going = Node(IS_KEPT, [way.kept[0]], (), [])
            going.outputs = [Value(going, (), np.dtype(bool))]
            cond = Graph(f"{split.trace.name}_condition", variables, [going], going.outputs)
            body = Graph(split.trace.name, inputs, way.nodes, out)
            self._ways[members, deep] = cond, body, used
        return self._ways[members, deep]


def _keep(node: Node, trace: Trace) -> None:
    """Plans the derivative of a loop that is a node of the trace: it begins with an empty stack, and gives the last.

    A plan for less, which a tape had made, stays: its stack is a variable of the loop like the others.
    """
    counts, cond, body, plan = node.attributes
    if plan is None or not plan.whole:
        n, *others = counts
        plan = Plan(cond, body, counts, [True] * len(node.inputs), True)
        empty = Node(CONSTANT, [], (wrap(ZERO),), [], node.place)
        empty.outputs = [Value(empty, (), VARIANT)]
        trace.nodes.insert(trace.nodes.index(node), empty)
        node.inputs.insert(n, empty.outputs[0])
        node.attributes = ((n + 1, *others), plan.cond, plan.body, plan)
        node.outputs.append(Value(node, (), VARIANT))


def _pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    """Gradients of a loop: another one, back through its iterations.

    What a captured tensor has of other gradients goes in, so that they add up as they do where there is no graph.
    """
    _, all_keys, (inputs, outputs), (counts, _, _, plan), _, _ = rec
    n = counts[0] - 1
    moving, of_kept = plan.moving, g[n]
    if of_kept is None and all(g[i] is None for i in moving):
        return
    _, _, of_body = _split(inputs, counts)
    keys_of_body = all_keys[len(inputs) - len(of_body) :]
    members: dict = {}
    for j, (key, x) in enumerate(zip(keys_of_body, plan.split.inputs[n:], strict=True)):
        if key is not None and key in wanted and x._key is not None:
            members.setdefault(key, []).append(n + j)
    cond, body, used = plan.way(tuple(map(tuple, members.values())), of_kept is not None)
    begun = [dense(grads[key]) if key in grads else zeros_for(of_body[each[0] - n]) for key, each in members.items()]
    upstream = [zeros_for(outputs[i]) if g[i] is None else g[i] for i in moving]
    variables = [outputs[n], *([] if of_kept is None else [of_kept]), *upstream, *begun]
    found = _run([*variables, *[of_body[i - n] for i in used]], (len(variables), 0, len(used)), cond, body)
    found = list(found)[len(variables) - len(upstream) - len(begun) :]
    for key, total in zip(members, found[len(moving) :], strict=True):
        grads[key] = total
    for i, d in zip(moving, found, strict=False):
        if all_keys[i] is not None and all_keys[i] in wanted:
            accumulate(grads, all_keys[i], d)


def _halves(*given: Any) -> tuple:
    at = next(i for i, x in enumerate(given) if type(x) is tuple)
    n = sum(given[at])
    return given[:n], given[n:at]


def _op(effect: bool) -> Op:
    op = Op(
        "while_loop", lambda xp: _kernel, _infer, _pull, saves=_halves, title="While", inputs=None, outputs=0,
        pull=_pull, effect=effect,
    )  # fmt: skip
    op.call = _run
    op.keep = _keep
    return op


LOOP, LOOP_WITH_EFFECT = _op(False), _op(True)


def labels(body: Callable, loop_vars: Sequence[Any]) -> list[str]:
    """What messages call each leaf of the loop variables: its number, and the name of the body's parameter."""
    code = getattr(body, "__code__", None)
    named = code is not None and code.co_argcount == len(loop_vars)
    found: list[str] = []
    for i, each in enumerate(loop_vars):
        name = f"{i} ('{code.co_varnames[i]}')" if named else f"{i}"
        count = len(nest.flatten(each))
        found += [name] if count == 1 else [f"{name}, leaf {k}," for k in range(count)]
    return found


def invariants(given: Any, variables: Sequence[Tensor], names: Sequence[str]) -> list[TensorShape]:
    """The shape of each loop variable in every iteration: as given, or the one that it begins with.

    Raises ValueError where as many shapes are not given, or one does not fit what the variable begins with.
    """
    before = [TensorShape(known(x._value.shape)) for x in variables]
    if given is None:
        return before
    found = [TensorShape(getattr(leaf, "shape", leaf)) for leaf in nest.flatten(given)]
    if len(found) != len(variables):
        raise ValueError(
            f"`shape_invariants` has {len(found)} shapes for {len(variables)} loop variables (at {user_place()})"
        )
    for i, (shape, x, begun) in enumerate(zip(found, variables, before, strict=True)):
        if x._value.dtype is VARIANT:  # a TensorArray is one value, whatever is in it
            found[i] = begun
        elif not begun.is_subtype_of(shape):
            raise ValueError(
                f"The shape invariant {shape} of loop variable {names[i]} does not hold for the shape that it enters "
                f"the loop with, {begun} (at {user_place()})."
            )
    return found


def as_bool(value: Any) -> Tensor:
    """What a condition returned, as a tensor. Raises TypeError where it is no bool."""
    tensor = convert_to_tensor(value)
    if tensor._value.shape not in ((), None):
        tensor = TENSORS.reshape(tensor, ())  # type: ignore[attr-defined]
    return tensor
