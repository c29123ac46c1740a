"""Eager ops that are worth compiling: convolutions, pooling, recurrent networks over large arrays.

An op of a signature (shapes, dtypes, attributes) is compiled once it has had as much to do as compiling costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import heavy
from ..core.op import Op
from ..graph.ir import Graph, Node, Value
from . import chosen, compile_graph

_PAYS = 1_500_000_000  # operations by NumPy that take about as long as compiling
_runs: dict[Any, Any] = {}  # of a signature: the work so far, or what runs it, or None


def install() -> None:
    """Has the kernels of heavy ops ask here."""
    if heavy.compiled is None and chosen() != "numpy":
        heavy.compiled = run


def run(op: Op, args: tuple) -> Any:
    """What the op's kernel gives, compiled; None where the kernel shall run itself."""
    n = op.inputs
    values = tuple(args[0]) if n is None else args[:n]
    attributes = args[1:] if n is None else args[n:]
    key = (op.name, tuple([(v.shape, v.dtype) for v in values]), attributes)
    try:
        found = _runs.get(key, 0)
    except TypeError:  # an attribute that cannot be hashed
        return None
    if found is None:
        return None
    if type(found) is int:
        total = found + op.work(*args)  # type: ignore[misc]
        _runs[key] = total if total < _PAYS else None  # None while it is compiled, which may run the kernel
        if total < _PAYS:
            return None
        found = _runs[key] = _compiled(op, values, attributes)
        if found is None:
            return None
    outputs = found.run(*values)
    return outputs[0] if op.outputs == 1 else outputs


def _compiled(op: Op, values: tuple, attributes: tuple) -> Any:
    """The op as a compiled graph, None where no code comes of it."""
    if not all(type(v) is np.ndarray for v in values):
        return None
    inputs = [Value(None, v.shape, v.dtype) for v in values]
    made = op.infer(list(values), *attributes) if op.inputs is None else op.infer(*values, *attributes)
    node = Node(op, inputs, attributes, [])
    node.outputs = [Value(node, a.shape, a.dtype) for a in ([made] if op.outputs == 1 else made)]
    compiled = compile_graph(Graph(op.name, inputs, [node], node.outputs))
    return compiled if getattr(compiled.made(), "functions", None) else None
