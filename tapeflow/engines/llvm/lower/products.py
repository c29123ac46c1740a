"""Products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..builder import F32, F64
from ..program import Cell, Program, Unsupported
from . import rule


@rule("matmul")
def _matmul(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, y), (tx, ty) = inputs, node.attributes
    return product(program, x, y, tx, ty, node.outputs[0].shape)


@rule("dense")
def _dense(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    x, w, bias = inputs
    return program.binary("add", product(program, x, w, False, False, node.outputs[0].shape), bias)


@rule("bias_add")
def _bias_add(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    x, bias = inputs
    axis = node.attributes[0] if node.attributes and isinstance(node.attributes[0], int) else -1
    if axis % len(x.shape) != len(x.shape) - 1:
        bias = program.reshape(bias, (*bias.shape, *[1] * (len(x.shape) - 1 - axis % len(x.shape))))
    return program.binary("add", x, bias)


def product(program: Program, x: Cell, y: Cell, tx: bool, ty: bool, shape: Sequence[int]) -> Cell:
    """The product of the last two dimensions. Rows of many matrices times one matrix are rows of one."""
    if x.kind not in (F32, F64) or y.kind is not x.kind:
        raise Unsupported(f"a product of {x.kind.name}")
    batch = shape[:-2]
    if batch and all(n == 1 for n in y.shape[:-2]) and not tx:
        rows = program.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
        matrix = program.reshape(y, y.shape[-2:])
        flat = _of_two(program, rows, matrix, False, ty, (rows.shape[0], shape[-1]))
        return program.reshape(flat, shape)
    if not batch:
        return _of_two(program, x, y, tx, ty, shape)
    if x.shape[:-2] != tuple(batch) or y.shape[:-2] != tuple(batch):
        raise Unsupported("a product of batches that broadcast")
    count = prod(batch)
    x, tx = _plain(program, program.reshape(x, (count, *x.shape[-2:])), tx)
    y, ty = _plain(program, program.reshape(y, (count, *y.shape[-2:])), ty)
    return program.reshape(program.product(x, y, tx, ty, (count, *shape[-2:])), shape)


def _of_two(program: Program, x: Cell, y: Cell, tx: bool, ty: bool, shape: Sequence[int]) -> Cell:
    x, tx = _plain(program, x, tx)
    y, ty = _plain(program, y, ty)
    return program.product(x, y, tx, ty, shape)


def _plain(program: Program, x: Cell, transposed: bool) -> tuple[Cell, bool]:
    """An operand whose rows lie in one piece each; a transposed look at such a one counts as transposed."""
    base, offset, strides = program.strided(x)
    if base is x:
        return x, transposed
    n, m = x.shape[-2:]
    if strides[-1] == 1 or m == 1:
        return x, transposed
    if strides[-2] == 1 or n == 1:
        order = [*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2]
        return program.transpose(x, order), not transposed
    return program.copy(x), transposed
