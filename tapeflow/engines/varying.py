"""Graphs of inputs whose sizes are not known: made ready anew for the sizes that they are called with.

Code is compiled for arrays of one shape each. So the ops of such a graph are traced once more on inputs of the shapes
that come; what followed from sizes is known then. Shapes beyond the first few run by NumPy, which takes any.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..core.shapes import shape_text
from ..graph.ir import Graph
from ..graph.passes import optimized
from ..graph.trace import Trace, replay

_MOST = 8  # combinations of shapes that are compiled for
_EACH = 300  # elements that a node counts for besides its own


def varies(graph: Graph) -> bool:
    """Whether an input of a graph may have several shapes."""
    return any(x.shape is None or None in x.shape for x in graph.inputs)


class Varying:
    """A graph that can be run on arrays of any shapes: `run(*arrays)`.

    Arguments:
        graph: the graph.
        make: makes a graph of known shapes ready.
        general: makes this one ready, for whatever shapes.
        least: elements computed from which it is worth to look closer.
        always: whether it is compiled for all shapes, however many come.
    """

    def __init__(self, graph: Graph, make: Callable, general: Callable, least: int, always: bool) -> None:
        self.graph = graph
        self._make = make
        self._general_of = general
        self._general: Any = None
        self._least = least
        self._always = always
        self._runs: dict[tuple, Callable] = {}
        self._made: dict[tuple, Any] = {}
        self._inner = any(isinstance(a, Graph) for node in graph.nodes for a in node.attributes)
        sizes = [prod([n or 0 for n in x.shape or ()]) for node in graph.nodes for x in node.outputs]
        self._widest = max(sizes, default=0)

    def run(self, *arrays: Any) -> tuple:
        """The arrays of the outputs."""
        shapes = tuple([x.shape for x in arrays])
        found = self._runs.get(shapes)
        if found is None:
            found = self._for(shapes)
        return found(*arrays)

    def _for(self, shapes: tuple) -> Callable:
        run = None
        if (self._always or len(self._runs) < _MOST) and self._pays(shapes):
            known = of_shapes(self.graph, shapes)
            made = None if known is None else self._make(known)
            run = self._runs[shapes] = self.by_any if made is None else made.run
            self._made[shapes] = made
        return run or self.by_any

    @property
    def plan(self) -> str:
        """How the graph runs for the shapes that came, as text."""
        lines = []
        by_any = f"numpy  all {len(self.graph.nodes)} nodes, one by one"
        for shapes, made in self._made.items():
            lines.append(f"for {', '.join(map(shape_text, shapes))}:")
            lines.append(getattr(made, "plan", by_any))
        return "\n".join([*lines, f"{by_any}, for other shapes"])

    def _pays(self, shapes: tuple) -> bool:
        """A first look: whether there may be enough to do for arrays of these shapes."""
        size = max([self._widest, *map(prod, shapes)])
        return self._inner or len(self.graph.nodes) * (_EACH + 2 * size) > self._least

    def by_any(self, *arrays: Any) -> tuple:
        """The arrays of the outputs, by the engine that takes any shapes."""
        if self._general is None:
            self._general = self._general_of(self.graph)
        return self._general.run(*arrays)


def of_shapes(graph: Graph, shapes: tuple) -> Graph | None:
    """The graph for inputs of these shapes; None where an op refuses them, or there is nothing to trace."""
    try:
        with Trace(graph.name) as trace:
            inputs = [trace.placeholder(s, x.dtype, x.name) for s, x in zip(shapes, graph.inputs, strict=True)]
            outputs = replay(graph, inputs)
            return optimized(trace.graph(outputs))
    except Exception:  # whatever it is, running the graph as it is raises it where it belongs
        return None
