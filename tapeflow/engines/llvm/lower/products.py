"""Products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..blas import gemm, library
from ..builder import Builder
from ..pieces import Unsupported
from ..product_plans import band_of, by_blas, plan_tile
from ..products import product as write_product
from ..program import Cell, Program
from ..tiles import target_of
from ..values import F32, F64, V
from .rules import rule

_MANY, _FEW = 256, 1 << 17  # rows from which, and numbers of a matrix up to which, it is transposed beforehand
_THREADS = 2  # that tiles are cut for, whatever the machine has: code is the same everywhere


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


@rule("cross")
def _cross(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    shape = node.outputs[0].shape
    first, second = ([_column(program, x, i) for i in range(3)] for x in inputs)
    pieces = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        z = program.map(
            lambda b, x, y, v, w: b.sub(b.mul(x, w), b.mul(y, v)), first[j], first[k], second[j], second[k], weight=3
        )
        pieces.append((z, (*[0] * (len(shape) - 1), i)))
    return program.parts(shape, pieces)


def _column(program: Program, x: Cell, i: int) -> Cell:
    rank = len(x.shape)
    return program.slice(x, (*[0] * (rank - 1), i), [1] * rank, (*x.shape[:-1], 1))


def product(program: Program, x: Cell, y: Cell, tx: bool, ty: bool, shape: Sequence[int]) -> Cell:
    """The product of the last two dimensions. Rows of many matrices times one matrix are rows of one."""
    if x.kind not in (F32, F64) or y.kind is not x.kind:
        raise Unsupported(f"a product of {x.kind.name}")
    batch = tuple(shape[:-2])
    if all(n == 1 for n in y.shape[:-2]) and (not tx or all(n == 1 for n in batch)):
        rows = (prod(x.shape[:-1]), x.shape[-1]) if not tx else x.shape[-2:]
        return _of_two(program, program.reshape(x, rows), program.reshape(y, y.shape[-2:]), tx, ty, shape)
    if x.shape[:-2] != batch:
        x = program.copy(program.broadcast(x, (*batch, *x.shape[-2:])))
    if y.shape[:-2] != batch:
        y = program.copy(program.broadcast(y, (*batch, *y.shape[-2:])))
    x, tx = _plain(program, x, tx)
    y, ty = _plain(program, y, ty)
    return program.product(x, y, tx, ty, shape)


def _of_two(program: Program, x: Cell, y: Cell, tx: bool, ty: bool, shape: Sequence[int]) -> Cell:
    """The product of two matrices, whose rows make up all dimensions of the shape but the last."""
    x, tx = _plain(program, x, tx)
    y, ty = _plain(program, y, ty)
    depth, rows = x.shape if tx else reversed(x.shape)
    columns = shape[-1]
    if ty and rows >= _MANY and columns * depth <= _FEW:
        y, ty = program.copy(program.transpose(y, (1, 0))), False  # once, and not once for every thread or column
    lda, ldb = _apart(program, x), _apart(program, y)

    if by_blas(rows, columns, depth) and library() is not None:

        def call(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
            gemm(b, at[0], at[1], place, rows, columns, depth, x.kind, tx, ty, x_row=lda, y_row=ldb)
            return 1, rows * columns * depth // 4

        return program.custom(call, (x, y), shape)

    band = band_of(rows, columns, depth) if tx else 0
    if band:
        turned = program.transpose(program.reshape(x, (depth, rows // band, band)), (1, 0, 2))
        x = program.copy(turned)

    def write(b: Builder, at: list[V], finished: Any, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        tile = plan_tile(rows, columns, depth, target_of(b.module), x.kind, tx, ty, lda, ldb, _THREADS, band)
        write_product(
            b, at[0], at[1], rows, columns, depth, kind=x.kind, transpose_a=tx, transpose_b=ty, lda=lda, ldb=ldb,
            epilogue=lambda b, v, i, j, used, mask: finished(i, j, v, mask), lo=lo, hi=hi, tile=tile, rolled=rolled,
            band=band,
        )  # fmt: skip
        return tile.blocks(rows, columns), rows * columns * depth // 4

    return program.tile(write, (x, y), shape)


def _apart(program: Program, x: Cell) -> int:
    """Elements from row to row."""
    strides = program.strided(x)[2]
    return strides[-2] if x.shape[-2] > 1 else max(x.shape[-1], 1)


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
