"""The code of kernels other than loops: products with what follows them, arrays put together from pieces."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from math import prod

from .builder import Builder, Module
from .memory import Memory
from .pieces import Unsupported
from .points import Kernel, Point, Pointers, Written, lanes_of
from .product_plans import plan_tile
from .products import batched
from .program import Cell, contiguous
from .tiles import target_of
from .values import I64, PTR, V, constant

_ROLLED = 6  # cells after a product from which their code stands in a loop over rows


def write_product(module: Module, kernel: Kernel, name: str) -> Written:
    """Products of many matrices and the elementwise work on their results."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    lo, hi = b.parameters[1], b.parameters[2]
    group = kernel.group
    lead = group.lead
    x, y = lead.operands
    tx, ty = lead.data
    rows, columns = lead.shape[-2:]
    depth = x.shape[-2] if tx else x.shape[-1]
    (a, lda, far_a), (c, ldb, far_c) = (_matrix(b, kernel.memory, m) for m in (x, y))
    pointers = Pointers(b, kernel)
    axes = [axis for axis, n in enumerate(lead.shape) if n != 1]  # those that the kernel's dimensions are
    rank = len(lead.shape)
    lane_dim = axes.index(rank - 1) if columns != 1 else -1

    def finished(places: dict[int, V], value: V, mask: V | None) -> None:
        steps = [(dim, places[axis]) for dim, axis in enumerate(axes)]
        point = Point(
            b, pointers, [None] * len(axes), lane_dim, value.lanes, mask, steps=steps, given={lead: value}
        )  # fmt: skip
        made = [(point.value(cell), accesses) for cell, accesses in kernel.writes.items()]
        for out, accesses in made:
            for access in accesses:
                point.store(out, access)

    rolled = len(group.cells) > _ROLLED
    tile = plan_tile(rows, columns, depth, target_of(module), lead.kind, tx, ty, lda, ldb)
    options = {
        "kind": lead.kind, "transpose_a": tx, "transpose_b": ty, "lda": lda, "ldb": ldb, "lo": lo, "hi": hi,
        "tile": tile, "rolled": rolled,
    }  # fmt: skip
    batch = lead.shape[:-2]
    parts = prod(batch)

    def of_batch(n: V, b: Builder, v: V, i: V, j: V, used: int, mask: V | None) -> None:
        places = {rank - 2: i, rank - 1: j}
        for axis in reversed(range(len(batch))):
            places[axis] = n if axis == 0 else b.op("rem", n, constant(batch[axis], I64))
            n = b.op("div", n, constant(batch[axis], I64)) if axis else n
        finished(places, v, mask)

    batched(b, a, c, batch, far_a, far_c, rows, columns, depth, epilogue=of_batch, **options)
    b.finish()
    return Written(name, parts, 2 * prod(lead.shape) * depth // 8)


def _matrix(b: Builder, memory: Memory, x: Cell) -> tuple[V, int, tuple[int, ...]]:
    """(address, elements from row to row, and from matrix to matrix along the batch) of an operand of a product."""
    base, offset, strides = (x.operands[0], *x.data) if x.how == "view" else (x, 0, contiguous(x.shape))
    pointer = b.address(memory.pointer(b, base), offset, x.kind)
    return pointer, strides[-2] if x.shape[-2] > 1 else max(x.shape[-1], 1), strides[:-2]


class Finish:
    """What is done with the vectors of a tile: called with the row, the column, the vector, and its mask."""

    def __init__(self, b: Builder, kernel: Kernel) -> None:
        self.b, self.kernel = b, kernel
        self.lead = kernel.group.lead
        rank, wide = len(kernel.dims), self.lead.shape[-1] != 1
        self.pointers = Pointers(b, kernel)
        self.lane_dim = rank - 1 if wide else -1
        self.row_dim = 0 if rank and (rank == 2 or not wide) else None  # None where there are no rows to speak of
        self.places: list[V | None] = [None] * rank

    def _steps(self, i: V, j: V) -> list[tuple[int, V]]:
        rows = [(self.row_dim, i)] if self.row_dim is not None else []
        return [*rows, (self.lane_dim, j)] if self.lane_dim >= 0 else rows

    def __call__(self, i: V, j: V, value: V, mask: V | None) -> None:
        point = Point(
            self.b, self.pointers, self.places, self.lane_dim, value.lanes, mask, steps=self._steps(i, j),
            given={self.lead: value},
        )  # fmt: skip
        made = [(point.value(cell), accesses) for cell, accesses in self.kernel.writes.items()]
        for out, accesses in made:
            for access in accesses:
                point.store(out, access)


def write_tile(module: Module, kernel: Kernel, name: str) -> Written:
    """What a tile makes, and the elementwise work on its vectors."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    lead = kernel.group.lead
    if len(kernel.dims) > 1 + (lead.shape[-1] != 1):
        raise Unsupported("work after a tile that does not go row by row")
    finished = Finish(b, kernel)
    rolled = len(kernel.group.cells) > _ROLLED
    parts, work = lead.data(b, _addresses(b, kernel.memory, lead), finished, b.parameters[1], b.parameters[2], rolled)
    b.finish()
    return Written(name, parts, work + _work_after(kernel))


def _work_after(kernel: Kernel) -> int:
    """Simple operations of the elementwise work that follows a tile."""
    cells = [c for c in kernel.group.cells if c.how == "map"]
    return prod(kernel.group.dims) * (sum(c.weight for c in cells) + 2 * len(kernel.writes))


def write_custom(module: Module, kernel: Kernel, name: str) -> Written:
    """An array written in a way of its own."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    lead = kernel.group.lead
    place = kernel.memory.pointer(b, lead)
    parts, work = lead.data(b, _addresses(b, kernel.memory, lead), place, b.parameters[1], b.parameters[2])
    b.finish()
    return Written(name, parts, work)


def _addresses(b: Builder, memory: Memory, cell: Cell) -> list[V]:
    """Where the operands of a cell begin; they lie in one piece."""
    found = []
    for x in cell.operands:
        base, offset = (x.operands[0], x.data[0]) if x.how == "view" else (x, 0)
        found.append(b.address(memory.pointer(b, base), offset, x.kind))
    return found


def write_parts(module: Module, kernel: Kernel, name: str) -> Written:
    """An array put together: what fills it, then each piece at its place."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    cell = kernel.group.lead
    places, fill = cell.data
    target = kernel.memory.pointer(b, cell)
    lanes = lanes_of(module, cell.kind.bytes)
    if fill is not None:
        _fill(b, cell, target, fill, lanes)
    for x, (start, strides) in zip(cell.operands, places, strict=True):
        copy_array(b, kernel.memory, x, b.address(target, start, cell.kind), strides)
    b.finish()
    return Written(name, 1, prod(cell.shape))


def copy_array(b: Builder, memory: Memory, x: Cell, to: V, strides: Sequence[int] | None = None) -> None:
    """Copies what a cell looks at in memory to an address, from where on its dimensions have these strides."""
    strides = contiguous(x.shape) if strides is None else strides
    lanes = lanes_of(b.module, x.kind.bytes)
    if x.how == "number":
        _copy(b, x, None, [0] * len(x.shape), to, strides, lanes)
        return
    base, offset, steps = (x.operands[0], *x.data) if x.how == "view" else (x, 0, contiguous(x.shape))
    _copy(b, x, b.address(memory.pointer(b, base), offset, x.kind), steps, to, strides, lanes)


def _fill(b: Builder, cell: Cell, target: V, fill: float, lanes: int) -> None:
    n = cell.size
    whole = n // lanes * lanes
    if whole:
        with b.loop(0, whole, lanes) as loop:
            b.store(constant(fill, cell.kind, lanes), b.address(target, loop.i, cell.kind))
    for i in range(whole, n):
        b.store(constant(fill, cell.kind), b.address(target, i, cell.kind))


def _copy(
    b: Builder, x: Cell, source: V | None, steps: Sequence[int], to: V, strides: Sequence[int], lanes: int
) -> None:
    """Copies elements between strides, in vectors along the last dimension where both lie side by side."""
    dims = [(n, s, t) for n, s, t in zip(x.shape, steps, strides, strict=True) if n != 1]
    merged: list[list[int]] = []
    for n, s, t in dims:
        if merged and merged[-1][1] == n * s and merged[-1][2] == n * t:
            merged[-1] = [merged[-1][0] * n, s, t]
        else:
            merged.append([n, s, t])
    n, s, t = merged.pop() if merged else [1, 1, 1]
    kind = x.kind

    def element(i: V | int, width: int) -> None:
        if source is None:
            value = constant(x.data, kind, width)
        else:
            value = b.load(b.address(at[0], _times(b, i, s), kind), kind, width)
        b.store(value, b.address(at[1], _times(b, i, t), kind))

    with ExitStack() as loops:
        at = [source if source is not None else to, to]
        for size, step, stride in merged:
            loop = loops.enter_context(b.loop(0, size))
            at = [b.address(at[0], _times(b, loop.i, step), kind), b.address(at[1], _times(b, loop.i, stride), kind)]
        done = 0
        if t == 1 and (s == 1 or source is None) and n >= lanes:
            done = n // lanes * lanes
            with b.loop(0, done, lanes) as loop:
                element(loop.i, lanes)
        if n - done > 4:
            with b.loop(done, n) as loop:
                element(loop.i, 1)
        else:
            for i in range(done, n):
                element(i, 1)


def _times(b: Builder, i: V | int, stride: int) -> V | int:
    if isinstance(i, int):
        return i * stride
    return i if stride == 1 else b.mul(i, constant(stride, I64))
