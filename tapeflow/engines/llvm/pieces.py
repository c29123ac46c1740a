"""A graph in pieces: what is compiled, in regions as large as order allows, and what runs by its NumPy kernel.

Nodes get phases: even ones are compiled together, odd ones run one by one in between. A node's phase is the least that
comes after all it depends on: its inputs, and for what reads or writes variables or has another effect, whatever must
have happened before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ...core.abstract import Abstract
from ...core.op import Op
from ...core.variable import Variable
from ...graph.ir import CONSTANT, Graph, Node, Value
from ...graph.state import ASSIGNMENTS, EFFECT, READ, UPDATE

BEGIN = "node_stream"  # where a node's random numbers begin, which is nobody else's concern: it waits for no effect
ASSERT = "assert"  # an effect that is a check where it is compiled
WRITES_HERE = frozenset([*ASSIGNMENTS.values(), UPDATE])
_MOST = 4000  # nodes of a region: larger ones are cut, so that no compilation takes long


def makers(graph: Graph) -> dict[Value, Node]:
    """Which node of the graph makes a value. Inputs are made by none, even if a node of another graph made them."""
    return {out: node for node in graph.nodes for out in node.outputs}


def written_by(node: Node) -> list[Any]:
    """The variables that a node writes, where they are known."""
    return [a for a in node.attributes if isinstance(a, Variable)] if node.op in WRITES_HERE else []


EACH = 300  # elements that a node counts for besides its own, since NumPy takes as long to start one
TURNS = 16  # times that a subgraph is taken to run


class Unsupported(Exception):
    """What the compiler does not do; the op then runs by its NumPy kernel."""


class Region:
    """Nodes that are compiled together, the values they need, and those that others need of them."""

    def __init__(self, nodes: list[Node], inputs: list[Value], outputs: list[Value]) -> None:
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs

    @property
    def work(self) -> int:
        """About how many elements are computed."""
        return _work(self.nodes)


def _work(nodes: Sequence[Node]) -> int:
    total = 0
    for node in nodes:
        for value in node.outputs or node.inputs:
            total += _size(value) * (_depth(node) if node.op.name in ("matmul", "dense") else 1)
        for x in node.inputs if node.op.name.startswith("reduce") else ():
            total += _size(x)
        for a in node.attributes:
            if isinstance(a, Graph):
                total += TURNS * (_work(a.nodes) + EACH * len(a.nodes))
    return total


def _size(value: Value) -> int:
    return prod([n or 0 for n in value.shape or ()])


def _depth(node: Node) -> int:
    shape = node.inputs[0].shape
    return 1 + max(shape[-1] or 1, 1) // 8 if shape else 1


def in_pieces(graph: Graph, native: dict[Node, bool]) -> list[Region | list[Node]]:
    """Regions, and lists of nodes that run by themselves, in the order in which they run."""
    maker = makers(graph)
    phase = _phases(graph, native, maker)
    where: dict[int, list[Node]] = {}
    for node in graph.nodes:
        if node in phase:
            where.setdefault(phase[node], []).append(node)
    used_by: dict[Value, set[int]] = {}
    for node, p in phase.items():
        for x in node.inputs:
            used_by.setdefault(x, set()).add(p)
    for x in graph.outputs:
        used_by.setdefault(x, set()).add(-2)
    position = {node: i for i, node in enumerate(graph.nodes)}
    pieces: list[Region | list[Node]] = []
    for p in sorted(where):
        nodes = where[p]
        if p % 2:
            pieces.append(nodes)
            continue
        own = {out for node in nodes for out in node.outputs}
        inputs: dict[Value, None] = {}
        free: list[Node] = []
        for node in nodes:
            for x in node.inputs:
                if x in own or x in inputs:
                    continue
                if x in maker and maker[x] not in phase:  # a constant, or a variable read here
                    if maker[x] not in free:
                        free.append(maker[x])
                else:
                    inputs[x] = None
        outputs = [out for node in nodes for out in node.outputs if used_by.get(out, {p}) - {p}]
        # a variable is read where the graph reads it: what the region wrote before is what it holds then
        pieces.append(Region(sorted([*free, *nodes], key=position.__getitem__), list(inputs), outputs))
    return pieces


def _phases(graph: Graph, native: dict[Node, bool], maker: dict[Value, Node]) -> dict[Node, int]:
    """The phase of every node but constants, and reads that regions make themselves."""
    late = _read_late(graph, maker)
    phase: dict[Node, int] = {}
    writes: dict[int, Node] = {}  # of a variable: the last write
    reads: dict[int, list[Node]] = {}  # of a variable: who used it since
    barrier: Node | None = None
    touched: list[Node] = []  # since the barrier
    last_effect: Node | None = None
    read = {out: node for out, node in maker.items() if node.op is READ}
    wants_read = {read[x] for x in graph.outputs if x in read}
    for node in graph.nodes:
        if not native.get(node):
            wants_read.update(read[x] for x in node.inputs if x in read)
    for node in graph.nodes:
        if node.op is CONSTANT or node.op is READ and node not in wants_read and node not in late:
            continue
        before: list[Node] = []
        for x in node.inputs:
            source = maker.get(x)
            if source is None or source.op is CONSTANT:
                continue
            if source in phase:
                before.append(source)
            if source.op is READ:
                variable = id(source.attributes[0])
                if variable in writes:
                    before.append(writes[variable])
                reads.setdefault(variable, []).append(node)
                touched.append(node)
        if node.op is READ:
            variable = id(node.attributes[0])
            if variable in writes:
                before.append(writes[variable])
            reads.setdefault(variable, []).append(node)
        for written in written_by(node):
            variable = id(written)
            before += reads.pop(variable, [])
            if variable in writes:
                before.append(writes[variable])
            writes[variable] = node
        if node.op.effect or node.op is READ or any(x in read for x in node.inputs):
            if barrier is not None:
                before.append(barrier)
            touched.append(node)
        if node.op.effect and node.op is not READ and node.op not in WRITES_HERE and node.op.name != BEGIN:
            if last_effect is not None:
                before.append(last_effect)
            last_effect = node
            if _touches_variables(node):
                before += touched
                barrier, touched = node, []
        mine = native.get(node, False) and node.op is not READ
        at = 0 if mine else -1
        for other in before:
            if other is node:
                continue
            p = phase[other]
            at = max(at, p if (p % 2 == 0) == mine else p + 1)
        phase[node] = at
    return phase


def _touches_variables(node: Node) -> bool:
    """Whether an effect may read or write variables: Python's own, and those of the graphs inside it."""
    return (
        node.op is EFFECT
        or any(isinstance(a, Graph) for a in node.attributes)
        or callable(next((a for a in node.attributes if callable(a)), None))
    )


def _read_late(graph: Graph, maker: dict[Value, Node]) -> set[Node]:
    """Reads whose value is used after the variable has been written again: they are made where they stand."""
    found: set[Node] = set()
    stale: set[Node] = set()
    fresh: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for x in node.inputs:
            if maker.get(x) in stale:
                found.add(maker[x])
        if node.op is READ:
            fresh.setdefault(id(node.attributes[0]), []).append(node)
        elif node.op in WRITES_HERE:
            for variable in written_by(node):
                stale.update(fresh.pop(id(variable), []))
        elif node.op.effect and node.op.name != ASSERT and _touches_variables(node):
            for nodes in fresh.values():
                stale.update(nodes)
            fresh.clear()
    for x in graph.outputs:
        if maker.get(x) in stale:
            found.add(maker[x])
    return found


def rebuilt(
    graph: Graph, pieces: Sequence[Region | list[Node]], make: Callable[[Region, int], Callable | None]
) -> Graph:
    """The graph with one node in the place of each region, whose kernel `make` gives; with None it stays in nodes."""
    nodes: list[Node] = [n for n in graph.nodes if n.op is CONSTANT]
    for i, piece in enumerate(pieces):
        if isinstance(piece, list):
            nodes += piece
            continue
        kernel = make(piece, i)
        if kernel is None:
            nodes += [n for n in piece.nodes if n.op is not CONSTANT]
            continue
        op = Op(
            f"native{i}",
            lambda xp, kernel=kernel: kernel,
            lambda values, outputs=piece.outputs: tuple([Abstract(v.shape, v.dtype) for v in outputs]),
            inputs=None,
            outputs=0,
            effect=True,
        )
        nodes.append(Node(op, piece.inputs, (), piece.outputs))
    seen: set[Any] = set()
    order = []
    for node in nodes:  # a variable may be read in several pieces
        if id(node) not in seen:
            seen.add(id(node))
            order.append(node)
    return Graph(graph.name, graph.inputs, order, graph.outputs)
