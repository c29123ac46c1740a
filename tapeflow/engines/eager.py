"""Eager work that is worth compiling: convolutions, pooling, recurrent networks, products, over large arrays.

An op of a signature (shapes, dtypes, attributes) is compiled once it has had as much to do as compiling costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import heavy
from ..core.op import OPS, Op
from ..graph.ir import Graph, Node, Value
from . import chosen, compile_graph

_PAYS = 1_500_000_000  # operations by NumPy that take about as long as compiling
_PRODUCTS = 2_000_000_000  # multiplications of products by BLAS that do
_runs: dict[Any, Any] = {}  # of a signature: the work so far, or what runs it, or None


def install() -> None:
    """Has the kernels of heavy ops and large products ask here."""
    if heavy.compiled is None and chosen() != "numpy":
        heavy.compiled, heavy.product = run, product


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
    if type(found) is int:
        found = _worked(key, found + op.work(*args), _PAYS, op, values, attributes)  # type: ignore[misc]
    if found is None:
        return None
    outputs = found.run(*values)
    return outputs[0] if op.outputs == 1 else outputs


def product(a: np.ndarray, b: np.ndarray) -> Any:
    """The product of two matrices in one piece each, transposed or not, compiled; None where NumPy shall make it."""
    ta, tb = not a.flags.c_contiguous, not b.flags.c_contiguous
    if ta and not a.flags.f_contiguous or tb and not b.flags.f_contiguous:
        return None
    key = (a.dtype, a.shape, b.shape, ta, tb)
    found = _runs.get(key, 0)
    if found is None:
        return None
    values = (a.T if ta else a, b.T if tb else b)
    if type(found) is int:
        made = a.dtype.kind == "f" and a.dtype.itemsize >= 4 and b.dtype == a.dtype
        work = found + a.size * b.shape[1] if made else _PRODUCTS
        found = _worked(key, work, _PRODUCTS, OPS["matmul"] if made else None, values, (ta, tb))
        if found is None:
            return None
    return found.run(*values)[0]


def _worked(key: Any, work: int, pays: int, op: Op | None, values: tuple, attributes: tuple) -> Any:
    """What runs a signature that had so much work, if that is enough and code comes of it."""
    _runs[key] = work if work < pays else None  # None while it is compiled, which may run the kernel
    if work < pays or op is None:
        return None
    _runs[key] = _compiled(op, values, attributes)
    return _runs[key]


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
