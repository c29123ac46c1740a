"""What became of a graph, kept on disk beside its objects: the next process neither lowers nor writes it again.

A recipe says how a graph was cut into pieces, and for each region what its code takes and gives. It is found by a
fingerprint of the graph, which two graphs share only if they compile to the same.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...core.variable import Variable
from ...graph.ir import Graph, Node, Value
from ...ops.seeds import NodeStream
from ...version import __version__
from . import cache as disk
from .target import Target

_FORMAT = 1
_PACKAGE = Path(__file__).parents[2]
# what decides how a graph is compiled, besides the graph
_SOURCES = ("engines/llvm", "engines/llvm/lower", "engines/llvm/vector_math", "graph", "keras/optimizers", "ops")


class _Unknown(Exception):
    """An attribute that says nothing to another process."""


def fingerprint(graph: Graph, target: Target, least: int, strict: bool) -> str | None:
    """What tells a graph from all that compile to something else; None where there is no telling."""
    try:
        lines = [_FORMAT, __version__, _stamp(), target, least, strict, _lines(graph, {})]
    except _Unknown:
        return None
    return "r" + disk.digest(repr(lines).encode()).hex()


def _lines(graph: Graph, variables: dict[int, int]) -> list[Any]:
    """A graph, with numbers in the place of its values and variables."""
    numbers: dict[Value, int] = {}
    lines: list[Any] = []
    for value in graph.inputs:
        numbers[value] = len(numbers)
        lines.append((value.shape, value.dtype.str))
    for node in graph.nodes:
        attributes = [_described(a, variables) for a in node.attributes]
        lines.append((node.op.name, [numbers[x] for x in node.inputs], attributes))
        for out in node.outputs:
            numbers[out] = len(numbers)
            lines.append((out.shape, out.dtype.str))
    lines.append([numbers[x] for x in graph.outputs])
    return lines


def _described(a: Any, variables: dict[int, int]) -> Any:
    if a is None or isinstance(a, (bool, int, float, str, bytes, type(Ellipsis), np.dtype)):
        return type(a).__name__, repr(a)
    if isinstance(a, np.generic):
        return "number", a.dtype.str, a.tobytes().hex()
    if isinstance(a, Graph):
        return _lines(a, variables)
    if isinstance(a, tuple):
        return [_described(x, variables) for x in a]
    if isinstance(a, NodeStream):
        return "stream"  # Python's: it leaves no trace in what is compiled
    if isinstance(a, Variable):
        return "variable", variables.setdefault(id(a), len(variables)), str(a.shape), a.dtype.name
    if isinstance(a, Tensor) and isinstance(a._value, (np.ndarray, np.generic)) and a._value.dtype.kind != "O":
        value = np.ascontiguousarray(a._value)
        return "tensor", a._value.shape, value.dtype.str, disk.digest(value.tobytes()).hex()
    module = getattr(a, "__module__", None) or ""
    if callable(a) and module.startswith("tapeflow.") and "<" not in getattr(a, "__qualname__", "<"):
        return "function", module, a.__qualname__
    raise _Unknown


@cache
def _stamp() -> str:
    """Which sources compiled it."""
    found = []
    for folder in _SOURCES:
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns))
    return disk.digest(repr(found).encode()).hex()


def get(key: str) -> Any:
    """The recipe of a fingerprint, if there is one."""
    data = disk.get(key)
    return None if data is None else json.loads(data)


def put(key: str, recipe: Any) -> None:
    """Keeps a recipe."""
    disk.put(key, json.dumps(recipe).encode())


def numbered(graph: Graph) -> list[Value]:
    """The values of a graph in the order in which recipes number them."""
    return [*graph.inputs, *[out for node in graph.nodes for out in node.outputs]]


def variables_of(nodes: list[Node]) -> list[Variable]:
    """The variables among the attributes of nodes, each once, in order."""
    found = {id(a): a for node in nodes for a in node.attributes if isinstance(a, Variable)}
    return list(found.values())
