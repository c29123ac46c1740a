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
from .compiler import described
from .pieces import Region, in_pieces, makers, rebuilt, why_not
from .program import Unsupported
from .region import RegionFunction
from .target import Target, host

_EACH = 300  # elements that a node counts for besides its own, since NumPy takes as long to start one


class NativeExecutable:
    """A graph of which parts are compiled: `run(*arrays)` gives the tuple of its outputs' arrays."""

    def __init__(self, graph: Graph, target: Target, least: int, strict: bool) -> None:
        self.graph = graph
        self.functions: list[RegionFunction] = []
        self.reasons: dict[Node, str] = {}
        native: dict[Node, bool] = {}
        maker = makers(graph)
        for node in graph.nodes:
            why = why_not(node, maker)
            native[node] = why is None
            if why is not None:
                self.reasons[node] = why
        # an optimizer's few numbers are Python's to compute
        missing = [item for item in self.reasons.items() if item[0].op is not NUMBERS]
        if strict and missing:
            node, why = missing[0]
            raise Unsupported(f"{why}{f' (written at {node.place})' if node.place else ''}")
        pieces = in_pieces(graph, native)

        def make(region: Region, i: int) -> Any:
            idle = all(n.op is READ or n.op is CONSTANT for n in region.nodes)
            if idle or region.work + _EACH * len(region.nodes) < least:
                return None
            try:
                function = RegionFunction(region, f"{graph.name}_{i}", target)
            except (Unsupported, OSError):  # the latter where the system gives no memory for code
                if strict:
                    raise
                return None
            self.functions.append(function)
            return function.run

        self._executable: Executable = by_numpy(rebuilt(graph, pieces, make))
        self.run = self._executable.run

    @property
    def plan(self) -> str:
        """Which kernels there are, and what runs by NumPy."""
        lines = []
        for function in self.functions:
            lines.append(f"native {function.name}: {len(function.compiled.groups)} kernels, "
                         f"arena of {function.compiled.memory.bytes} bytes")  # fmt: skip
            lines += [f"  {line}" for line in described(function.compiled.groups)]
        for node, why in self.reasons.items():
            lines.append(f"numpy  {node.op.name}: {why}{f'  # {node.place}' if node.place else ''}")
        return "\n".join(lines)


def compile_graph(graph: Graph, target: Target, least: int = 0, strict: bool = False) -> NativeExecutable:
    """Makes a graph ready to run: regions of less work than `least` elements are left to NumPy.

    With `strict` a node that cannot be compiled raises Unsupported, which names it.
    """
    return NativeExecutable(graph, target, least, strict)


__all__ = ["NativeExecutable", "Unsupported", "compile_graph", "host"]
