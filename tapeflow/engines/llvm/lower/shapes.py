"""Ops that move elements: most only look at memory otherwise, the rest puts pieces together."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ....ops.diagonals import diagonal_positions
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program
from ..values import V
from .reductions import total
from .rules import rule


@rule("reshape", "squeeze", "expand_dims")
def _reshape(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), shape = inputs, node.outputs[0].shape
    if x.how == "tile" and x.size and shape[-1:] == x.shape[-1:] and program.uses.get(node.inputs[0]) == 1:
        return program.tile(x.data, x.operands, shape)  # the same vectors, so that what follows can be done to them
    return program.reshape(x, shape)


@rule("transpose")
def _transpose(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (perm,) = inputs, node.attributes
    return program.transpose(x, [a % len(perm) for a in perm])


@rule("broadcast_to")
def _broadcast(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.broadcast(inputs[0], node.outputs[0].shape)


@rule("sum_to_shape")
def _sum_to(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), shape = inputs, node.outputs[0].shape
    extra = len(x.shape) - len(shape)
    axes = [a for a, n in enumerate(x.shape) if a < extra or shape[a - extra] == 1 != n]
    return program.reshape(total(program, "sum", x, axes), shape)


@rule("strided_slice")
def _strided_slice(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (spec,) = inputs, node.attributes
    begin, step, shape = resolved(x.shape, spec)
    return program.reshape(program.slice(x, begin, step, shape), node.outputs[0].shape)


def resolved(shape: Sequence[int], spec: tuple) -> tuple[list[int], list[int], list[int]]:
    """(first position, step, how many) along each dimension, of what stands between brackets."""
    used = sum(part is not None and part is not Ellipsis for part in spec)
    begin: list[int] = []
    step: list[int] = []
    size: list[int] = []
    for part in spec:
        if part is None:
            continue
        if part is Ellipsis:
            for _ in range(len(shape) - used):
                _append(begin, step, size, slice(None), shape)
        elif type(part) is tuple:
            _append(begin, step, size, slice(*part), shape)
        elif type(part) is int:
            n = shape[len(begin)]
            begin.append(part % n)
            step.append(1)
            size.append(1)
        else:
            raise Unsupported(f"an index {part!r}")
    while len(begin) < len(shape):
        _append(begin, step, size, slice(None), shape)
    return begin, step, size


def _append(begin: list[int], step: list[int], size: list[int], part: slice, shape: Sequence[int]) -> None:
    places = range(*part.indices(shape[len(begin)]))
    begin.append(places.start if len(places) else 0)
    step.append(places.step)
    size.append(len(places))


@rule("strided_slice_grad")
def _put_back(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g,), (shape, spec) = inputs, node.attributes
    begin, step, size = resolved(shape, spec)
    return program.parts(shape, [(program.reshape(g, size), begin, step)], 0)


@rule("split")
def _split(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), axis = inputs, node.attributes[1]
    axis %= len(x.shape)
    made, at = [], 0
    for value in node.outputs:
        begin = [0] * len(x.shape)
        begin[axis] = at
        made.append(program.slice(x, begin, [1] * len(x.shape), value.shape))
        at += value.shape[axis]
    return made


@rule("unstack")
def _unstack(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), (axis, count) = inputs, node.attributes
    axis %= len(x.shape)
    made = []
    for i in range(count):
        begin, size = [0] * len(x.shape), list(x.shape)
        begin[axis], size[axis] = i, 1
        part = program.slice(x, begin, [1] * len(x.shape), size)
        made.append(program.reshape(part, node.outputs[i].shape))
    return made


@rule("concat")
def _concat(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (axis,) = node.attributes
    shape = node.outputs[0].shape
    return _joined(program, inputs, shape, axis % len(shape))


@rule("stack")
def _stack(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (axis,) = node.attributes
    shape = node.outputs[0].shape
    axis %= len(shape)
    parts = [program.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in inputs]
    return _joined(program, parts, shape, axis)


def _joined(program: Program, parts: Sequence[Cell], shape: Sequence[int], axis: int) -> Cell:
    pieces, at = [], 0
    for x in parts:
        begin = [0] * len(shape)
        begin[axis] = at
        at += x.shape[axis]
        if x.size:
            pieces.append((x, begin))
    if not pieces:
        raise Unsupported("nothing to join")
    return program.parts(shape, pieces)


@rule("pad")
def _pad(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (paddings, mode, value) = inputs, node.attributes
    if mode == "CONSTANT":
        return program.parts(node.outputs[0].shape, [(x, [before for before, _ in paddings])], value)
    edge = int(mode == "REFLECT")
    for axis, (before, after) in enumerate(paddings):
        if before or after:
            n = x.shape[axis]
            first, last = _part(program, x, axis, edge, before), _part(program, x, axis, n - edge - after, after)
            shape = (*x.shape[:axis], before + n + after, *x.shape[axis + 1 :])
            x = _joined(program, [_turned(program, first, axis), x, _turned(program, last, axis)], shape, axis)
    return x


@rule("mirror_pad_grad")
def _folded(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g,), (paddings, mode) = inputs, node.attributes
    edge = int(mode == "REFLECT")
    for axis, (before, after) in enumerate(paddings):
        n = g.shape[axis] - before - after
        center = _part(program, g, axis, before, n)
        for start, size, place in ((0, before, edge), (before + n, after, n - edge - after)):
            if size:
                begin = [0] * len(g.shape)
                begin[axis] = place
                mirrored = _turned(program, _part(program, g, axis, start, size), axis)
                center = program.binary("add", center, program.parts(center.shape, [(mirrored, begin)], 0))
        g = center
    return g


def _part(program: Program, x: Cell, axis: int, start: int, size: int) -> Cell:
    """So many elements along an axis."""
    begin, shape = [0] * len(x.shape), list(x.shape)
    begin[axis], shape[axis] = start, size
    return program.slice(x, begin, [1] * len(shape), shape)


def _turned(program: Program, x: Cell, axis: int) -> Cell:
    begin, step = [0] * len(x.shape), [1] * len(x.shape)
    begin[axis], step[axis] = max(x.shape[axis] - 1, 0), -1
    return program.slice(x, begin, step, x.shape)


@rule("roll")
def _roll(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (shifts, axes) = inputs, node.attributes
    for shift, axis in zip(shifts, axes, strict=True):
        axis %= len(x.shape)
        n = x.shape[axis]
        by = shift % n
        if by:
            parts = [_part(program, x, axis, n - by, by), _part(program, x, axis, 0, n - by)]
            x = _joined(program, parts, x.shape, axis)
    return x


@rule("tile")
def _tile(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (multiples,) = inputs, node.attributes
    split: list[int] = []
    wide: list[int] = []
    for n, m in zip(x.shape, multiples, strict=True):
        split += [1, n]
        wide += [m, n]
    if not x.size:
        raise Unsupported("tiles of nothing")
    spread = program.broadcast(program.reshape(x, split), wide)
    return program.reshape(program.map(lambda b, v: v, spread), node.outputs[0].shape)


@rule("reverse")
def _reverse(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes,) = inputs, node.attributes
    turned = {a % len(x.shape) for a in axes}
    begin = [n - 1 if a in turned else 0 for a, n in enumerate(x.shape)]
    step = [-1 if a in turned else 1 for a in range(len(x.shape))]
    if not x.size:
        raise Unsupported("nothing to reverse")
    return program.slice(x, begin, step, x.shape)


# -- diagonals ---------------------------------------------------------------------------------------------------------


def _runs(rows: int, columns: int, low: int, high: int, align: str) -> list[tuple[int, int, int, int]]:
    """(diagonal, place of its first element within it, where that lies in the matrix, how many elements it has)."""
    found = []
    d, i, row, column = (a.tolist() for a in diagonal_positions(rows, columns, low, high, align))
    for k in range(high - low + 1):
        if k in d:
            first = d.index(k)
            found.append((k, i[first], row[first] * columns + column[first], d.count(k)))
    return found


@rule("matrix_diag_part")
def _diagonal_parts(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (low, high, align, padding) = inputs, node.attributes
    *batch, rows, columns = x.shape
    shape = node.outputs[0].shape
    runs = _runs(rows, columns, low, high, align)
    flat = program.reshape(x, (prod(batch), rows * columns))
    count = prod(batch)
    parts = [program.slice(flat, (0, at), (1, columns + 1), (count, n)) for _, _, at, n in runs]
    if len(runs) == 1:
        return program.reshape(parts[0], shape)
    wide = shape[-1]
    pieces = [(part, (0, k * wide + i)) for part, (k, i, _, _) in zip(parts, runs, strict=True)]
    return program.reshape(program.parts((count, shape[-2] * wide), pieces, _number(padding)), shape)


def _along_diagonals(
    program: Program, diagonals: Cell, shape: Sequence[int], low: int, high: int, align: str
) -> list[tuple]:
    """Pieces of matrices [batch, rows * columns]: diagonals, each at its place."""
    *batch, rows, columns = shape
    count, wide = prod(batch), diagonals.shape[-1]
    flat = program.reshape(diagonals, (count, diagonals.size // count))
    return [
        (program.slice(flat, (0, k * wide + i), (1, 1), (count, n)), (0, at), (1, columns + 1))
        for k, i, at, n in _runs(rows, columns, low, high, align)
    ]


@rule("matrix_diag")
def _from_diagonals(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (low, high, _, _, align, padding) = inputs, node.attributes
    shape = node.outputs[0].shape
    pieces = _along_diagonals(program, x, shape, low, high, align)
    flat = (prod(shape[:-2]), prod(shape[-2:]))
    return program.reshape(program.parts(flat, pieces, _number(padding)), shape)


@rule("matrix_set_diag")
def _with_diagonals(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, diagonals), (low, high, align) = inputs, node.attributes
    flat = (prod(x.shape[:-2]), prod(x.shape[-2:]))
    pieces = _along_diagonals(program, diagonals, x.shape, low, high, align)
    return program.reshape(program.parts(flat, [(program.reshape(x, flat), (0, 0)), *pieces]), x.shape)


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


@rule("matrix_band_part")
def _band(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (lower, upper) = inputs, node.attributes
    rows, columns = x.shape[-2:]
    lower, upper = (lower if lower >= 0 else rows), (upper if upper >= 0 else columns)
    rank = len(x.shape)

    def code(b: Builder, v: V, i: V, j: V) -> V:
        off = b.sub(i, j)
        inside = b.op("and", b.compare("le", off, b.like(off, lower)), b.compare("ge", off, b.like(off, -upper)))
        return b.select(inside, v, b.like(v, 0))

    places = [program.place(x.shape, rank - 2), program.place(x.shape, rank - 1)]
    return program.map(code, x, *places, weight=3)


@rule("trace")
def _trace(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,) = inputs
    *batch, rows, columns = x.shape
    flat = program.reshape(x, (prod(batch), rows * columns))
    diagonal = program.slice(flat, (0, 0), (1, columns + 1), (prod(batch), min(rows, columns)))
    return program.reshape(total(program, "sum", diagonal, (1,)), tuple(batch))
