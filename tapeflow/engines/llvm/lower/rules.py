"""How ops become cells: one rule for each op that the compiler knows, by its name.

A rule takes the program, the node and the cells of its inputs, and gives the cells of its outputs. It raises
`Unsupported` for what it does not do; so does every op without a rule.

Rules compute with floats of 32 and 64 bits. For an op of float16 or bfloat16 the rule is given float32 in their place,
and what it gives is rounded once, as NumPy's kernels have it; but for ops that only move numbers (`MOVES`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ....core.abstract import Abstract
from ....core.op import OPS, Op
from ....graph.ir import Node
from ....graph.late import is_late
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..values import HALVES

_Rules = dict[str, Callable[[Program, Node, Sequence[Cell]], Cell | Sequence[Cell]]]
RULES: _Rules = {}
LATE: _Rules = {}  # of twins of ops, some attributes of which are inputs: see `graph.late`


# what moves numbers and computes with none, or sees to it by itself
MOVES = frozenset({
    "add_n", "assign", "assign_add", "assign_sub", "bitcast", "broadcast_to", "cast", "concat", "cond", "conj",
    "dropout", "expand_dims", "gather", "gather_nd", "identity", "matrix_band_part", "matrix_diag",
    "matrix_diag_part", "matrix_set_diag", "mirror_pad_grad", "one_hot", "ones_like", "pad", "random_shuffle",
    "random_uniform", "read_variable", "reshape", "reverse", "reverse_sequence", "roll", "split", "squeeze", "stack",
    "stop_gradient", "strided_slice", "strided_slice_grad", "tile", "transpose", "unstack", "update", "where",
    "while_loop", "zeros_like",
})  # fmt: skip


def rule(*names: str) -> Callable[[Callable], Callable]:
    """Declares the rule of ops."""

    def declared(function: Callable) -> Callable:
        for name in names:
            RULES[name] = function
        return function

    return declared


def late_rule(*names: str) -> Callable[[Callable], Callable]:
    """Declares the rule of the twins of ops."""

    def declared(function: Callable) -> Callable:
        LATE.update(dict.fromkeys(names, function))
        return function

    return declared


def lowered(program: Program, node: Node, inputs: Sequence[Cell]) -> list[Cell]:
    """The cells of a node's outputs. Raises Unsupported."""
    name = node.op.name
    twin = is_late(node.op)
    if not twin and OPS.get(name, node.op) is not node.op:  # a function that runs as a whole, called as an op is
        raise Unsupported(f"a function {name} of what is known only when it runs")
    function = (LATE if twin else RULES).get(name)
    if function is None:
        raise Unsupported("numbers that are known only when it runs" if twin else f"op {name}")
    if not all(x.size for x in inputs):
        raise Unsupported("an array of nothing")
    halves = name not in MOVES and (
        any(x.kind in HALVES for x in inputs) or any(kind_of(v.dtype) in HALVES for v in node.outputs)
    )
    found = _by_way_of_floats(function, program, node, inputs) if halves else function(program, node, inputs)
    cells = [found] if isinstance(found, Cell) else list(found)
    for cell, value in zip(cells, node.outputs, strict=True):
        if cell.shape != value.shape:
            raise Unsupported(f"{node.op.name} gave {cell.shape} where the graph has {value.shape}")
    return cells


class _Wide(NamedTuple):
    """A node as its rule sees it: with float32 in the place of smaller floats."""

    op: Op
    inputs: Sequence[Any]
    attributes: tuple
    outputs: Sequence[Abstract]


_FLOAT32 = np.dtype("float32")


def _by_way_of_floats(function: Callable, program: Program, node: Node, inputs: Sequence[Cell]) -> list[Cell]:
    kinds = [kind_of(v.dtype) for v in node.outputs]
    outputs = [
        Abstract(v.shape, _FLOAT32 if k in HALVES else v.dtype) for v, k in zip(node.outputs, kinds, strict=True)
    ]
    wide: Any = _Wide(node.op, node.inputs, node.attributes, outputs)
    found = function(program, wide, [program.wide(x) for x in inputs])
    cells = [found] if isinstance(found, Cell) else list(found)
    return [program.cast(x, k) if k in HALVES else x for x, k in zip(cells, kinds, strict=True)]
