"""What a graph is made of: nodes in the order in which they run, and the values between them, each made once (SSA).

    graph step(x: float32[3]):
      %1 = read_variable w                  float32[3]    # train.py:12
      %2 = multiply(x, %1)                  float32[3]    # train.py:12
      assign(%2) w                                        # train.py:13
      return %2

A node is one run of a declared op (`core.op.Op`) on values, with the op's attributes. A value that no node makes is an
input. Constants are nodes of the op `constant`, whose attribute is the tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.dtypes import VARIANT, as_dtype
from ..core.op import Op
from ..core.shapes import shape_text
from ..core.tensor import Tensor


class Value:
    """What a node makes, or an input of the graph: shape (a dimension may be None, or all of it) and dtype."""

    __slots__ = ("node", "shape", "dtype", "name", "__weakref__")

    def __init__(
        self, node: Node | None, shape: tuple[int | None, ...] | None, dtype: np.dtype, name: str | None = None
    ) -> None:
        self.node = node
        self.shape = shape
        self.dtype = dtype
        self.name = name

    @property
    def kind(self) -> str:
        """Dtype and shape, as they print: `float32[2,?]`."""
        return f"{as_dtype(self.dtype).name}{shape_text(self.shape) if self.shape is not None else '<unknown>'}"


class Node:
    """One run of an op: `outputs = op(*inputs, *attributes)`, written at `place` (file and line) of the program."""

    __slots__ = ("op", "inputs", "attributes", "outputs", "place")

    def __init__(
        self, op: Op, inputs: Sequence[Value], attributes: tuple, outputs: list[Value], place: str | None = None
    ) -> None:
        self.op = op
        self.inputs = list(inputs)
        self.attributes = attributes
        self.outputs = outputs
        self.place = place


class Graph:
    """A function on arrays: `outputs` of `inputs`, by `nodes` in order."""

    def __init__(self, name: str, inputs: list[Value], nodes: list[Node], outputs: list[Value]) -> None:
        self.name = name
        self.inputs = inputs
        self.nodes = nodes
        self.outputs = outputs
        self.kernels: Callable[[], dict[Node, str]] | None = None  # of a compiled graph, the kernel of each node
        # of a subgraph: variables that are read in it, by the number of the input that their gradients belong to
        self.reads: dict[int, Any] = {}

    def variables(self) -> list[Any]:
        """The variables that nodes read or write, each once."""
        found = {id(a): a for node in self.nodes for a in node.attributes if hasattr(a, "read_value")}
        return list(found.values())

    def show(self, path: str | None = None, open_browser: bool = True) -> str:
        """Shows the graph as a page in a browser; returns the path of the page, a temporary one unless given."""
        from .show import show

        return show(self, path, open_browser)

    def __str__(self) -> str:
        return "\n".join(lines(self))

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.inputs)} inputs, {len(self.nodes)} nodes>"


# the value of a tensor known before the graph runs
CONSTANT = Op(
    "constant",
    lambda xp: lambda tensor: tensor._value,
    lambda tensor: Abstract(tensor._value.shape, tensor._value.dtype),
    inputs=0,
)
CONSTANT.call = lambda tensor: tensor


# -- as text -----------------------------------------------------------------------------------------------------------


def lines(graph: Graph, indent: str = "") -> Iterator[str]:
    """The graph as text, one line a node."""
    names: dict[Value, str] = {}
    for i, value in enumerate(graph.inputs):
        names[value] = f"%{value.name or i}"
    inputs = ", ".join(f"{names[v]}: {v.kind}" for v in graph.inputs)
    yield f"{indent}graph {graph.name}({inputs}):"
    count = len(graph.inputs)
    for node in graph.nodes:
        for out in node.outputs:
            names[out] = f"%{count}"
            count += 1
        made = ", ".join(names[out] for out in node.outputs)
        arguments = [names.get(x, "%?") for x in node.inputs] + [_attribute(a) for a in node.attributes]
        text = f"{indent}  {made + ' = ' if made else ''}{node.op.name}({', '.join(arguments)})"
        kinds = ", ".join(out.kind for out in node.outputs)
        text = f"{text:<64} {kinds:<24}" if kinds else f"{text:<89}"
        yield f"{text} # {node.place}" if node.place else text.rstrip()
        for attribute in node.attributes:
            if isinstance(attribute, Graph):
                yield from lines(attribute, indent + "    ")
    yield f"{indent}  return {', '.join(names.get(v, '%?') for v in graph.outputs)}"


def _attribute(a: Any) -> str:
    if type(a) is tuple:
        return f"({', '.join(map(_attribute, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, Tensor):
        value = a._value
        if value.dtype is VARIANT:
            return repr(value)
        text = str(value.tolist()) if np.size(value) <= 8 else "..."
        return text if len(text) <= 40 else "..."
    if isinstance(a, Graph):
        return f"graph {a.name}"
    if isinstance(a, np.dtype):
        return as_dtype(a).name
    if hasattr(a, "read_value"):
        return getattr(a, "path", a.name)
    text = getattr(a, "__name__", None) or repr(a)
    return text if len(text) <= 60 else text[:57] + "..."
