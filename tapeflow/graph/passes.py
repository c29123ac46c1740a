"""What is done to graphs before they run: functions from a graph to a graph that gives the same values.

    simplified      x * 1, x + 0, double transposes, casts and reshapes to what x is already
    folded          ops on constants alone
    merged          the same op of the same values twice (common subexpressions)
    pruned          nodes that no output and no effect needs

What has an effect stays, where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dtypes import VARIANT
from ..core.tensor import flat, wrap
from .ir import CONSTANT, Graph, Node, Value
from .state import READ

_FOLDED = 1 << 16  # elements: a larger constant is cheaper to make again than to keep


def optimized(graph: Graph) -> Graph:
    """The graph after all passes."""
    for run in (simplified, folded, merged, pruned):
        graph = run(graph)
    return graph


def pruned(graph: Graph) -> Graph:
    """Without nodes that neither an output nor an effect needs."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        lasting = node.op.effect and node.op is not READ
        if lasting or not needed.isdisjoint(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    return Graph(graph.name, graph.inputs, kept[::-1], graph.outputs)


def merged(graph: Graph) -> Graph:
    """With one node for each op of the same values with the same attributes."""
    seen: dict[Any, Node] = {}

    def same(node: Node) -> list[Value] | None:
        if node.op.effect:
            return None
        if node.op is CONSTANT:
            value = node.attributes[0]._value
            if type(value) is np.ndarray and value.size > 64 or value.dtype.kind == "O" or value.dtype is VARIANT:
                return None
            key: Any = (node.op.name, value.shape, value.dtype, value.tobytes())
        else:
            # 1, 1.0 and True are equal and mean different things
            key = (node.op, tuple(node.inputs), node.attributes, tuple(map(type, node.attributes)))
        try:
            before = seen.setdefault(key, node)
        except TypeError:  # an attribute that cannot be hashed
            return None
        return None if before is node else before.outputs

    return _replacing(graph, same)


def folded(graph: Graph) -> Graph:
    """With ops on constants alone computed."""
    known: dict[Value, Any] = {}

    def fold(node: Node) -> Node | None:
        op = node.op
        if op is CONSTANT:
            known[node.outputs[0]] = node.attributes[0]._value
        elif not op.effect and op.outputs == 1 and node.inputs and all(x in known for x in node.inputs):
            values = [known[x] for x in node.inputs]
            try:
                value = (
                    op.kernel(values, *node.attributes) if op.inputs is None else op.kernel(*values, *node.attributes)
                )
            except Exception:  # it shall fail when the graph runs, if it does
                return None
            value = flat(value)
            if getattr(value, "size", 0) <= _FOLDED and isinstance(value, (np.ndarray, np.generic)):
                known[node.outputs[0]] = value
                return Node(CONSTANT, [], (wrap(value),), node.outputs, node.place)
        return None

    return _rewritten(graph, fold)


def simplified(graph: Graph) -> Graph:
    """Without ops that give their input back."""
    made: dict[Value, Node] = {out: node for node in graph.nodes for out in node.outputs}

    def same(node: Node) -> list[Value] | None:
        rule = _SAME.get(node.op.name)
        found = rule(node, made) if rule is not None else None
        return None if found is None else [found]

    return _replacing(graph, same)


# -- x again -----------------------------------------------------------------------------------------------------------


def _is_all(value: Value, number: int, made: dict[Value, Node]) -> bool:
    node = made.get(value)
    if node is None or node.op is not CONSTANT:
        return False
    array = node.attributes[0]._value
    return array.dtype.kind in "iufc" and array.size == 1 and bool((array == number).all())


def _neutral(number: int, both: bool) -> Callable:
    """x op number, and with `both` number op x, are x where the shape stays x's."""

    def rule(node: Node, made: dict[Value, Node]) -> Value | None:
        x, y = node.inputs
        out = node.outputs[0]
        if _is_all(y, number, made) and x.shape == out.shape and _known(x):
            return x
        if both and _is_all(x, number, made) and y.shape == out.shape and _known(y):
            return y
        return None

    return rule


def _known(x: Value) -> bool:
    return x.shape is not None and None not in x.shape


def _unchanged(node: Node, made: dict[Value, Node]) -> Value | None:
    """A cast to its own dtype, a reshape or broadcast to its own shape."""
    x, out = node.inputs[0], node.outputs[0]
    return x if x.dtype == out.dtype and x.shape == out.shape and _known(x) else None


def _identity(node: Node, made: dict[Value, Node]) -> Value | None:
    return node.inputs[0]


def _untransposed(node: Node, made: dict[Value, Node]) -> Value | None:
    x, (perm,) = node.inputs[0], node.attributes
    rank = len(perm)
    if all(a % rank == i for i, a in enumerate(perm)):
        return x
    before = made.get(x)
    if before is not None and before.op.name == "transpose":
        first = before.attributes[0]
        if all(first[a % rank] % rank == i for i, a in enumerate(perm)):
            return before.inputs[0]
    return None


# adding 0 is not among them for floats: -0.0 + 0.0 is 0.0
_SAME: dict[str, Callable] = {
    "multiply": _neutral(1, both=True),
    "real_divide": _neutral(1, both=False),
    "subtract": _neutral(0, both=False),
    "add": lambda node, made: _neutral(0, both=True)(node, made) if node.outputs[0].dtype.kind in "iu" else None,
    "cast": _unchanged,
    "reshape": _unchanged,
    "broadcast_to": _unchanged,
    "identity": _identity,
    "stop_gradient": _identity,
    "transpose": _untransposed,
}


# -- walking -----------------------------------------------------------------------------------------------------------


def _replacing(graph: Graph, same: Callable[[Node], list[Value] | None]) -> Graph:
    """The graph without the nodes for which `same` gives the values that stand for their outputs."""
    other: dict[Value, Value] = {}
    nodes = []
    for node in graph.nodes:
        inputs = [other.get(x, x) for x in node.inputs]
        if inputs != node.inputs:
            node = Node(node.op, inputs, node.attributes, node.outputs, node.place)
        found = same(node)
        if found is None:
            nodes.append(node)
        else:
            other.update(zip(node.outputs, found, strict=True))
    return Graph(graph.name, graph.inputs, nodes, [other.get(x, x) for x in graph.outputs])


def _rewritten(graph: Graph, change: Callable[[Node], Node | None]) -> Graph:
    return Graph(graph.name, graph.inputs, [change(node) or node for node in graph.nodes], graph.outputs)
