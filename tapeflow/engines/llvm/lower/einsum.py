"""Einsum: a product of matrices, or of elements, of operands whose dimensions are put in order first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....ops.einsum import contraction
from ..builder import Builder
from ..program import Cell, Program
from ..values import V
from .products import product
from .reductions import total
from .rules import rule


@rule("einsum")
def _einsum(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (equation,) = node.attributes
    plan = contraction(equation, *[x.shape for x in inputs])
    parts = [_prepared(program, x, step) for x, step in zip(inputs, plan.operands, strict=True)]
    if len(parts) == 1:
        z = parts[0]
    elif plan.matrices:
        x, y = parts
        z = product(program, x, y, False, False, (*_batch(x, y), x.shape[-2], y.shape[-1]))
    else:
        z = program.binary("mul", *parts)
    z = program.reshape(z, plan.shape)
    if plan.perm is not None:
        z = program.transpose(z, plan.perm)
    for axis, first, size in plan.diagonal:
        z = _on_diagonal(program, z, axis, first, size)
    return z


def _batch(x: Cell, y: Cell) -> tuple[int, ...]:
    return tuple([max(n, m) for n, m in zip(x.shape[:-2], y.shape[:-2], strict=True)])


def _prepared(program: Program, x: Cell, step: Any) -> Cell:
    """An operand's diagonals, summed over what is its alone, in the order of the product."""
    if step.diagonal is not None:
        x = program.diagonal(x, step.diagonal[0], len(step.diagonal[1]))
    if step.summed is not None:
        shape = [n for a, n in enumerate(x.shape) if a not in step.summed]
        x = program.reshape(total(program, "sum", x, step.summed), shape)
    if step.perm is not None:
        x = program.transpose(x, step.perm)
    return program.reshape(x, step.shape)


def _on_diagonal(program: Program, z: Cell, axis: int, first: int, size: int) -> Cell:
    """A new axis, nothing but zeros off the diagonal that it makes with the first one."""
    z = program.reshape(z, (*z.shape[:axis], 1, *z.shape[axis:]))
    shape = tuple([size if i == axis else n for i, n in enumerate(z.shape)])

    def code(b: Builder, v: V, i: V, j: V) -> V:
        # a product, so that NaN stays NaN
        return b.mul(v, b.select(b.compare("eq", i, j), b.like(v, 1), b.like(v, 0)))

    return program.map(code, z, program.place(shape, axis), program.place(shape, first), weight=3)
