"""Elementwise work on arrays that lie in memory in different orders: along which dimension lanes go, and transposing.

Lanes go along the dimension in which most arrays have their elements side by side. Those that have them so in another
one are read as squares, which are transposed in registers: twenty times as fast as element by element.
"""

from __future__ import annotations

from contextlib import ExitStack

from .builder import Builder
from .points import Access, Kernel, Point, Pointers, finish
from .products import turned
from .tiles import over, shifted
from .values import I64, V, constant, index

_TURNING = 5  # about what it costs to read a vector of a transposed square, a plain vector costing 1
_BETTER = 0.8  # of the cost at which another dimension is chosen than the last


def turned_dimension(kernel: Kernel, lanes: int) -> int | None:
    """Puts the dimension last along which lanes go best.

    Gives the one in which the other arrays lie, if squares of them are to be transposed.
    """
    if not kernel.movable or kernel.rank < 2 or 0 in kernel.dims:
        return None
    costs = [_cost(kernel, q, lanes) for q in range(kernel.rank)]
    best = min(range(kernel.rank), key=lambda q: costs[q])
    if costs[best] < _BETTER * costs[-1]:
        kernel.put_last(best)
    return _across(kernel, kernel.rank - 1, lanes)


def _cost(kernel: Kernel, q: int, lanes: int) -> float:
    """About what all reads and writes take with lanes along a dimension, but for what is the same for all."""
    n = kernel.dims[q]
    squares = _across(kernel, q, lanes) is not None
    total = 0.0
    for a in kernel.reads.values():
        total += 1 if a.strides[q] in (0, 1) else _TURNING if squares else min(lanes, n)
    for writes in kernel.writes.values():
        total += sum(1 if a.strides[q] == 1 else min(lanes, n) for a in writes)
    return total * -(-n // lanes) / n


def _across(kernel: Kernel, q: int, lanes: int) -> int | None:
    """The one dimension in which all arrays lie whose elements are apart along q, where squares fit into it."""
    apart = [a for a in kernel.reads.values() if a.strides[q] not in (0, 1)]
    if not apart or kernel.dims[q] < lanes or any(a.cell.kind.bytes < 4 for a in apart):
        return None
    found = {d for a in apart for d in range(kernel.rank) if a.strides[d] == 1 and kernel.dims[d] >= lanes}
    if len(found) != 1 or any(a.strides[next(iter(found))] != 1 for a in apart):
        return None
    return found.pop()


def write_squares(b: Builder, kernel: Kernel, lanes: int, across: int) -> int:
    """Writes the loops, with squares of the last dimension and the one across; gives the number of parts."""
    lo, hi = b.parameters[1], b.parameters[2]
    dims, last = kernel.dims, kernel.rank - 1
    pointers = Pointers(b, kernel)
    apart = [a for a in kernel.reads.values() if a.strides[last] not in (0, 1)]
    rooms = [b.allocate(a.cell.kind, lanes * lanes) for a in apart]
    whole, rest = dims[last] // lanes * lanes, dims[last] % lanes
    outer = [d for d in range(kernel.rank) if d not in (across, last)]

    def row(i: V, j: V, mask: V | None, given: dict) -> None:
        places: list[V | None] = [None] * kernel.rank
        finish(Point(b, pointers, places, last, lanes, mask, steps=[(across, i), (last, j)], given=given))

    def square(i: V, j: V) -> None:
        for a, room in zip(apart, rooms, strict=True):
            kind = a.cell.kind
            lines = [b.load(_place(b, pointers, a, i, last, shifted(b, j, r)), kind, lanes) for r in range(lanes)]
            for k, line in enumerate(turned(b, lines)):
                b.store(line, b.address(room, k * lanes, kind))
        with b.loop(0, lanes) as loop:
            given = {}
            for a, room in zip(apart, rooms, strict=True):
                place = b.address(room, b.mul(loop.i, index(lanes)), a.cell.kind)
                given[a.cell, a.offset, a.strides] = b.load(place, a.cell.kind, lanes)
            row(shifted(b, i, loop.i), j, None, given)

    def strip(i: V, rows: int) -> None:
        if rows == lanes:
            with b.loop(0, whole, lanes) as loop:
                square(i, loop.i)
        else:
            with b.loop(0, rows) as line, b.loop(0, whole, lanes) as loop:
                row(shifted(b, i, line.i), loop.i, None, {})
        if rest:
            with b.loop(0, rows) as line:
                row(shifted(b, i, line.i), index(whole), b.mask(rest, lanes), {})

    if not outer:
        over(b, dims[across], lanes, strip, lo, hi)
        return -(-dims[across] // lanes)
    with ExitStack() as loops:
        for k, d in enumerate(outer):
            loop = loops.enter_context(b.loop(lo, hi) if k == 0 else b.loop(0, dims[d]))
            pointers = pointers.moved(b, d, loop.i)
        over(b, dims[across], lanes, strip)
    return dims[outer[0]]


def _place(b: Builder, pointers: Pointers, a: Access, i: V, last: int, j: V) -> V:
    """Where an access finds an element, its rows being the last dimension."""
    at = shifted(b, i, b.mul(j, constant(a.strides[last], I64)))
    return b.address(pointers.at[id(a)], at, a.cell.kind)
