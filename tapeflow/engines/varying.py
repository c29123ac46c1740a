"""Graphs of inputs whose sizes are not known: made ready anew for the sizes that they are called with.

Code is compiled for arrays of one shape each. So the ops of such a graph are traced once more on inputs of the shapes
that come; what followed from sizes is known then. The first shapes are compiled at once, as a batch's size is mostly
the same; others when they come again, since sequences may have any length; and those beyond a few run by NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..core import errors
from ..core.shapes import shape_text
from ..graph.ir import Graph
from ..graph.passes import optimized
from ..graph.trace import Trace, replay

_MOST, _REMEMBERED = 8, 64  # combinations of shapes that are compiled for, and that are known again
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
        least: elements computed from which it is worth to look closer; with 0 all shapes are compiled at once.
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
        self._seen: set[tuple] = set()  # once
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
        if len(self._runs) >= _REMEMBERED and not self._always:
            return self.by_any
        if not self._pays(shapes) or len(self._made) >= _MOST and not self._always:
            self._runs[shapes] = self.by_any
            return self.by_any
        if self._made and self._least and shapes not in self._seen:
            if len(self._seen) < _REMEMBERED:
                self._seen.add(shapes)
            return self.by_any
        known = of_shapes(self.graph, shapes)
        made = self._made[shapes] = None if known is None else self._make(known)
        run = self._runs[shapes] = self.by_any if made is None else made.run
        return run

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
    except (TypeError, ValueError, IndexError, errors.OpError):  # raised where it belongs when the graph runs as it is
        return None
