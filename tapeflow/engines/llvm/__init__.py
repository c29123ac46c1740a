"""The engine that compiles graphs for the CPU with LLVM.

A graph is cut into pieces (`pieces`): regions of ops that have lowering rules (`lower`), and single nodes that run by
their NumPy kernels. A region becomes a program of cells (`program`), which are put into kernels (`grouping`), laid out
in memory (`memory`) and written as one module of IR (`compiler`, `loops`, `kernels`, `products`); compiled (`native`)
and called (`entry`, `region`). What is left of the graph, a node for each region, runs on the NumPy engine.
"""

from __future__ import annotations

from typing import Any

from ...graph.ir import CONSTANT, Graph, Node
from ...graph.state import NUMBERS, READ
from ..numpy import Executable
from ..numpy import compile_graph as by_numpy
from .native import from_cache
from .pieces import BEGIN, EACH, Region, Unsupported, in_pieces, makers, rebuilt
from .recipes import fingerprint, get, numbered, put
from .region import Recipe, RegionFunction, compile_region
from .target import Target, host

# an optimizer's few numbers, and where random numbers begin
_IN_PYTHON = frozenset([NUMBERS.name, BEGIN])


class NativeExecutable:
    """A graph of which parts are compiled: `run(*arrays)` gives the tuple of its outputs' arrays."""

    def __init__(self, graph: Graph, pieces: list, functions: dict[int, RegionFunction], target: Target) -> None:
        self.graph = graph
        self.functions = list(functions.values())
        self._target = target
        made = {i: function.run for i, function in functions.items()}
        self._executable: Executable = by_numpy(rebuilt(graph, pieces, lambda region, i: made.get(i)))
        self.run = self._executable.run
        graph.kernels = self.kernels

    def kernels(self) -> dict[Node, str]:
        """Of each compiled node, the kernel that does the last of its work."""
        from .compiler import nodes_of

        found = {}
        for function in self.functions:
            for group, kernel in function.compiled.groups:
                found.update(dict.fromkeys(nodes_of(group), f"{function.name}.{kernel.name}"))
        return found

    @property
    def reasons(self) -> dict[Node, str]:
        """Why nodes run by NumPy that no rule compiles."""
        return _reasons(self.graph)

    @property
    def plan(self) -> str:
        """Which kernels there are, and what runs by NumPy."""
        from .compiler import described

        lines = []
        for function in self.functions:
            made = function.compiled
            lines.append(f"native {function.name}: {len(made.groups)} kernels, arena of {made.memory.bytes} bytes")
            lines += [f"  {line}" for line in described(made.groups)]
        for node, why in self.reasons.items():
            lines.append(f"numpy  {node.op.name}: {why}{f'  # {node.place}' if node.place else ''}")
        return "\n".join(lines)


def compile_graph(graph: Graph, target: Target, least: int = 0, strict: bool = False) -> NativeExecutable:
    """Makes a graph ready to run: regions of less work than `least` elements are left to NumPy.

    With `strict` a node that cannot be compiled raises Unsupported, which names it.
    """
    key = fingerprint(graph, target, least, strict)
    kept = None if key is None else get(key)
    if kept is not None:
        try:
            return _from_disk(graph, kept, target)
        except (KeyError, OSError):  # an object that is no longer there
            pass
    reasons = _reasons(graph)
    missing = [item for item in reasons.items() if item[0].op.name not in _IN_PYTHON]
    if strict and missing:
        node, why = missing[0]
        raise Unsupported(f"{why}{f' (written at {node.place})' if node.place else ''}")
    pieces = in_pieces(graph, {node: node not in reasons for node in graph.nodes})
    functions: dict[int, RegionFunction] = {}
    for i, piece in enumerate(pieces):
        if isinstance(piece, list) or all(n.op is READ or n.op is CONSTANT for n in piece.nodes):
            continue
        if piece.work + EACH * len(piece.nodes) < least:
            continue
        try:
            functions[i] = compile_region(piece, f"{graph.name}_{i}", target)
        except (Unsupported, OSError):  # the latter where the system gives no memory for code
            if strict:
                raise
    if key is not None:
        _to_disk(key, graph, pieces, functions)
    return NativeExecutable(graph, pieces, functions, target)


def _reasons(graph: Graph) -> dict[Node, str]:
    from .lower.support import why_not

    maker = makers(graph)
    found = {node: why_not(node, maker) for node in graph.nodes}
    return {node: why for node, why in found.items() if why is not None}


def _to_disk(key: str, graph: Graph, pieces: list, functions: dict[int, RegionFunction]) -> None:
    """Keeps how a graph was cut, and what the code of its regions takes."""
    values = {value: i for i, value in enumerate(numbered(graph))}
    nodes = {node: i for i, node in enumerate(graph.nodes)}
    kept: list[list[Any]] = []
    for i, piece in enumerate(pieces):
        if isinstance(piece, list):
            kept.append([[nodes[n] for n in piece]])
            continue
        code = [functions[i].recipe, functions[i].native.key] if i in functions else None
        kept.append(
            [
                [nodes[n] for n in piece.nodes],
                [values[v] for v in piece.inputs],
                [values[v] for v in piece.outputs],
                code,
            ]
        )
    put(key, kept)


def _from_disk(graph: Graph, kept: list, target: Target) -> NativeExecutable:
    """The graph as it was cut before. Raises KeyError where an object is no longer on disk."""
    values = numbered(graph)
    pieces: list = []
    functions: dict[int, RegionFunction] = {}
    for i, (numbers, *rest) in enumerate(kept):
        nodes = [graph.nodes[n] for n in numbers]
        if not rest:
            pieces.append(nodes)
            continue
        inputs, outputs, code = rest
        region = Region(nodes, [values[v] for v in inputs], [values[v] for v in outputs])
        pieces.append(region)
        if code is not None:
            native = from_cache(code[1], target)
            if native is None:
                raise KeyError(code[1])
            functions[i] = RegionFunction(region, f"{graph.name}_{i}", Recipe(*code[0]), native, target)
    return NativeExecutable(graph, pieces, functions, target)


__all__ = ["NativeExecutable", "Unsupported", "compile_graph", "host"]
