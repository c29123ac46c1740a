"""Engines: what runs graphs. A graph is made ready by the first call: what is never called is never compiled.

    numpy    node by node, with the ops' own kernels: the reference, and what the other engines fall back on
    llvm     compiled for this machine, with nodes that it has no rule for run by NumPy in between

The environment chooses: TAPEFLOW_ENGINE=numpy for NumPy alone, =llvm to compile even what hardly gains by it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..core import errors
from ..graph.ir import Graph

# what a region must be worth, in elements computed, before it is compiled; see `Region.work`
_LEAST = 8000


class Executable:
    """A graph that can be run: `run(*arrays)` gives the tuple of its outputs' arrays."""

    __slots__ = ("graph", "run", "_strict", "_made")

    def __init__(self, graph: Graph, strict: bool = False) -> None:
        self.graph = graph
        self._strict = strict
        self._made: Any = None
        self.run: Callable = self._first

    def _first(self, *arrays: Any) -> tuple:
        return self.made().run(*arrays)

    def made(self) -> Any:
        """The engine's own object, made now if it was not yet. Raises InvalidArgumentError if it must be compiled."""
        if self._made is None:
            self._made = _made(self.graph, self._strict)
            self.run = self._made.run
        return self._made


def compile_graph(graph: Graph, strict: bool = False) -> Executable:
    """Makes a graph ready to run on the engine that is chosen; with `strict`, as one whole that is compiled."""
    return Executable(graph, strict)


def chosen() -> str:
    """The engine that TAPEFLOW_ENGINE names, or "" where it leaves the choice. Raises ValueError for another name."""
    name = os.environ.get("TAPEFLOW_ENGINE", "").strip().lower()
    if name not in ("", "numpy", "llvm"):
        raise ValueError(f"TAPEFLOW_ENGINE must be numpy or llvm, not {name!r}")
    return name


def _made(graph: Graph, strict: bool) -> Any:
    from .numpy import compile_graph as by_numpy

    name = chosen()
    if name != "numpy":
        from .varying import Varying, varies

        if varies(graph):
            least = 0 if strict or name == "llvm" else _LEAST
            return Varying(graph, lambda known: _made(known, strict), by_numpy, least, strict)
    worth = strict or name == "llvm" or name == "" and _worth(graph)
    if worth:
        from .llvm import Unsupported, compile_graph, host

        target = host()
        if target is not None:
            try:
                return compile_graph(graph, target, 0 if strict or name == "llvm" else _LEAST, strict)
            except Unsupported as reason:
                raise errors.InvalidArgumentError(
                    None, None, f"tf.function(jit_compile=True) cannot compile '{graph.name}': {reason}"
                ) from None
        if strict:
            raise errors.InvalidArgumentError(
                None, None, f"tf.function(jit_compile=True) cannot compile '{graph.name}': this machine has no compiler"
            )
    return by_numpy(graph)


def _worth(graph: Graph) -> bool:
    """A first look: whether there may be enough to do that compiling it pays."""
    return _work(graph) > _LEAST


def _work(graph: Graph) -> int:
    total = 0
    for node in graph.nodes:
        total += _EACH + sum(_TURNS * _work(a) for a in node.attributes if isinstance(a, Graph))
        for value in (*node.outputs, *node.inputs):
            size = 1
            for n in value.shape or ():
                size *= n or 0
            total += size
        if total > _LEAST:
            break
    return total


# elements that a node counts for besides its own, since NumPy takes as long to start one; times a subgraph runs
_EACH, _TURNS = 300, 16
