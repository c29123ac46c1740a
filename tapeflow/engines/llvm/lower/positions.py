"""Ops that take elements from positions that are computed, or put them there.

Positions are checked: where one is out of range, the region is left to NumPy, whose kernel raises the error. Until the
check is seen, code reads and writes at the first position instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program, contiguous, kind_of
from ..scatters import Rows, scatter
from ..values import I1, I32, I64, V, constant
from .rules import rule

_COMPARED = 256  # elements of a sequence each of which is compared with what is looked for


def in_range(program: Program, at: Cell, n: int) -> Cell:
    """Positions as ints of 64 bits, checked to be in [0, n)."""
    wide = program.cast(at, I64)

    def inside(b: Builder, i: V) -> V:
        return b.op("and", b.compare("ge", i, b.like(i, 0)), b.compare("lt", i, b.like(i, n)))

    program.check(program.map(inside, wide, kind=I1))
    return program.map(lambda b, i: b.select(inside(b, i), i, b.like(i, 0)), wide)


def _of_vectors(program: Program, at: Cell, sizes: Sequence[int], batch: Sequence[int] = ()) -> Cell:
    """Positions [..., depth] in dimensions of these sizes, behind those of the batch, as numbers of rows [...].

    The batch's dimensions are the first ones of the positions, each of which is in the example that it stands in.
    """
    shape, depth = at.shape[:-1], at.shape[-1]
    steps = contiguous((*batch, *sizes))
    total = program.number(0, I64, shape)
    for a, n in enumerate(batch):
        if n != 1:
            total = _plus(program, total, program.place(shape, a), steps[a])
    for i in range(depth):
        begin, size = [0] * len(at.shape), [*shape, 1]
        begin[-1] = i
        column = program.reshape(program.slice(at, begin, [1] * len(size), size), shape)
        total = _plus(program, total, in_range(program, column, sizes[i]), steps[len(batch) + i])
    return total


def _plus(program: Program, total: Cell, at: Cell, step: int) -> Cell:
    return program.map(lambda b, t, i: b.add(t, b.mul(i, b.like(i, step))), total, at)


# -- taking ------------------------------------------------------------------------------------------------------------


@rule("gather")
def _gather(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, at), (axis, batch_dims) = inputs, node.attributes
    shape = node.outputs[0].shape
    safe = in_range(program, at, x.shape[axis])
    if not batch_dims:
        return program.pick(x, safe, axis, shape)
    count, before, n, inner = _four(x.shape, axis, batch_dims)
    each = prod(at.shape[batch_dims:])
    rows = program.transpose(program.reshape(x, (count, before, n, inner)), (0, 2, 1, 3))
    places = _in_batches(program, program.reshape(safe, (count, each)), n)
    picked = program.pick(program.reshape(rows, (count * n, before * inner)), places, 0, (count, each, before * inner))
    back = program.transpose(program.reshape(picked, (count, each, before, inner)), (0, 2, 1, 3))
    return program.reshape(back, shape)


def _four(shape: Sequence[int], axis: int, batch_dims: int) -> tuple[int, int, int, int]:
    """The sizes of a shape's four parts: batch, between batch and axis, axis, behind it."""
    return prod(shape[:batch_dims]), prod(shape[batch_dims:axis]), shape[axis], prod(shape[axis + 1 :])


def _in_batches(program: Program, at: Cell, n: int) -> Cell:
    """Positions [batch, each] in n rows of each example as positions in all rows."""
    if at.shape[0] == 1:
        return at
    return _plus(program, at, program.place(at.shape, 0), n)


@rule("gather_nd")
def _gather_nd(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, at), (batch_dims,) = inputs, node.attributes
    depth = batch_dims + at.shape[-1]
    places = _of_vectors(program, at, x.shape[batch_dims:depth], x.shape[:batch_dims])
    rows = program.reshape(x, (prod(x.shape[:depth]), *x.shape[depth:]))
    return program.pick(rows, program.whole(places), 0, node.outputs[0].shape)


@rule("reverse_sequence")
def _reverse_sequence(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, lengths), (steps, batch) = inputs, node.attributes
    count, n = x.shape[batch], x.shape[steps]
    until = program.reshape(in_range(program, lengths, n + 1), (count, 1))
    step = program.place((count, n), 1)

    def turned(b: Builder, i: V, end: V) -> V:
        last = b.sub(b.sub(end, b.like(end, 1)), i)
        return b.select(b.compare("lt", i, end), last, i)

    places = _in_batches(program, program.map(turned, step, until), n)
    rest = [i for i in range(len(x.shape)) if i not in (batch, steps)]
    order = [batch, steps, *rest]
    moved = program.transpose(x, order)
    rows = program.reshape(moved, (count * n, *moved.shape[2:]))
    back = [order.index(i) for i in range(len(order))]
    return program.transpose(program.pick(rows, places, 0, moved.shape), back)


@rule("one_hot")
def _one_hot(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (at,), (_, axis, on, off) = inputs, node.attributes
    shape = node.outputs[0].shape
    axis %= len(shape)
    kind = kind_of(node.outputs[0].dtype)
    if at.kind.bytes < 4:
        at = program.cast(at, I32)  # in which every position has a number
    places = program.reshape(at, (*at.shape[:axis], 1, *at.shape[axis:]))
    here = program.place(shape, axis, at.kind)

    def code(b: Builder, i: V, p: V) -> V:
        yes, no = constant(on, kind, i.lanes), constant(off, kind, i.lanes)
        return b.select(b.compare("eq", i, p), yes, no)

    return program.map(code, places, here, kind=kind, weight=2)


@rule("searchsorted")
def _searchsorted(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (sequence, values), (side, dtype) = inputs, node.attributes
    n, m, count = sequence.shape[-1], values.shape[-1], prod(values.shape[:-1])
    if n > _COMPARED or sequence.kind is not values.kind or values.kind is I1:
        raise Unsupported("a search in so many elements")
    rows = program.reshape(sequence, (count, 1, n))
    wanted = program.reshape(values, (count, m, 1))

    def before(b: Builder, x: V, v: V) -> V:
        if side == "left":
            return b.cast(b.compare("lt", x, v), I64)
        # everything stands before NaN
        found = b.compare("le", x, v)
        return b.cast(b.op("or", found, b.compare("uno", v, v)) if v.kind.floating else found, I64)

    found = program.reduce("sum", program.map(before, rows, wanted, kind=I64), (2,))
    return program.cast(program.reshape(found, values.shape), kind_of(dtype))


# -- putting -----------------------------------------------------------------------------------------------------------


def _scattered(
    program: Program, how: str, rows: int, width: int, places: Cell, given: Cell, first: Cell | None = None
) -> Cell:
    """An array [rows, width]: that of `first`, or zeros, with the rows `given` combined into it at their places."""
    if not rows * width:
        raise Unsupported("positions in nothing")
    if given.kind is I1 and how != "update":
        raise Unsupported("sums of bools")
    shape = Rows(rows, places.size, width, given.kind, how)
    operands = [program.whole(x) for x in (places, given, *([] if first is None else [first]))]

    def write(b: Builder, at: list[V], out: V, lo: V, hi: V) -> tuple[int, int]:
        return scatter(b, at[0], at[1], None if first is None else at[2], out, shape, lo, hi)

    return program.custom(write, operands, (rows, width), given.kind)


@rule("gather_grad")
def _gather_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g, at), (shape, axis, batch_dims) = inputs, node.attributes
    count, before, n, inner = _four(shape, axis, batch_dims)
    each = prod(at.shape[batch_dims:])
    places = _in_batches(program, program.reshape(in_range(program, at, n), (count, each)), n)
    rows = program.transpose(program.reshape(g, (count, before, each, inner)), (0, 2, 1, 3))
    made = _scattered(program, "add", count * n, before * inner, places, rows)
    back = program.transpose(program.reshape(made, (count, n, before, inner)), (0, 2, 1, 3))
    return program.reshape(back, shape)


@rule("scatter_nd")
def _scatter_nd(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (at, updates), (shape,) = inputs, node.attributes
    depth = at.shape[-1]
    places = _of_vectors(program, at, shape[:depth])
    how = "update" if updates.kind is I1 else "add"
    made = _scattered(program, how, prod(shape[:depth]), prod(shape[depth:]), places, updates)
    return program.reshape(made, shape)


@rule(*[f"tensor_scatter_{how}" for how in ("update", "add", "sub", "max", "min")])
def _tensor_scatter(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    x, at, updates = inputs
    depth = at.shape[-1]
    how = node.op.name.removeprefix("tensor_scatter_")
    places = _of_vectors(program, at, x.shape[:depth])
    made = _scattered(program, how, prod(x.shape[:depth]), prod(x.shape[depth:]), places, updates, x)
    return program.reshape(made, x.shape)


@rule("bincount")
def _bincount(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (at, *weights), (size, rows, binary, dtype) = inputs, node.attributes
    count = at.shape[0] if rows and len(at.shape) == 2 else 1
    # what is too large is counted in a column that nobody looks at
    wide = program.cast(program.reshape(at, (count, at.size // count)), I64)
    capped = program.map(lambda b, i: b.select(b.compare("lt", i, b.like(i, size)), i, b.like(i, size)), wide)
    places = _in_batches(program, in_range(program, capped, size + 1), size + 1)
    given = weights[0] if weights and not binary else program.wide(program.number(1, kind_of(dtype), at.shape))
    made = _scattered(program, "update" if binary else "add", count * (size + 1), 1, places, given)
    counts = program.slice(program.reshape(made, (count, size + 1)), (0, 0), (1, 1), (count, size))
    return program.reshape(counts, node.outputs[0].shape)
