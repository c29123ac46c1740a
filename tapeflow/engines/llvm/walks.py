"""Kernels that walk along a dimension element by element: running totals, and the greatest elements in their order."""

from __future__ import annotations

from collections.abc import Callable

from .builder import Builder
from .points import lanes_of
from .values import I64, Kind, V, constant, index

Combine = Callable[[Builder, V, V], V]


def scan(
    b: Builder, x: V, out: V, sizes: tuple[int, int, int], kind: Kind, combine: Combine, first: float,
    exclusive: bool, reverse: bool, lo: V, hi: V,
) -> tuple[int, int]:  # fmt: skip
    """Running totals along the middle one of three dimensions, from its end with `reverse`.

    A total begins with the first element, or with the number `first` where each leaves out its own (`exclusive`).
    Returns the number of parts, the outer dimension, and about how much the whole work is.
    """
    outer, n, inner = sizes
    lanes = lanes_of(b.module, kind.bytes)

    def walk(at: V, count: int) -> None:
        """Of `count` columns side by side, the first of them at this offset."""

        def place(step: V) -> V:
            back = b.sub(index(n - 1), step) if reverse else step
            return b.add(at, b.mul(back, index(inner)))

        def load(step: V) -> V:
            return b.load(b.address(x, place(step), kind), kind, count)

        begin = constant(first, kind, count) if exclusive else load(index(0))
        b.store(begin, b.address(out, place(index(0)), kind))
        with b.loop(1, n, carried=[begin]) as loop:
            new = load(b.sub(loop.i, index(1)) if exclusive else loop.i)
            # what an exclusive total begins with counts as its first element
            total = combine(b, loop.values[0], new)
            b.store(total, b.address(out, place(loop.i), kind))
            loop.carry(total)

    with b.loop(lo, hi) as block:
        at = b.mul(block.i, index(n * inner))
        whole = inner // lanes * lanes
        if whole:
            with b.loop(0, whole, lanes) as columns:
                walk(b.add(at, columns.i), lanes)
        if inner > whole:
            with b.loop(whole, inner) as columns:
                walk(b.add(at, columns.i), 1)
    return outer, outer * n * inner * 4


def greatest(
    b: Builder, x: V, places: V, sizes: tuple[int, int, int], kind: Kind, smallest: bool, lo: V, hi: V
) -> tuple[int, int]:
    """Where the k greatest (or smallest) of every row of n elements are (i64), in their order.

    NaN is greater than all numbers; of equal elements the first comes first. Every element is put among those found so
    far, which is fast for a small k.

    Arguments:
        x: the address of the rows.
        places: that of room for the positions [rows, k].
        sizes: rows, n, k.
    """
    rows, n, k = sizes
    held = b.allocate(kind, k)

    def comes_before(v: V, i: V, w: V, j: V) -> V:
        """Whether v, at position i, stands before w, at j."""
        better = _exceeds(b, w, v) if smallest else _exceeds(b, v, w)
        worse = _exceeds(b, v, w) if smallest else _exceeds(b, w, v)
        first = b.op("and", b.invert(worse), b.compare("lt", i, j))
        return b.op("or", better, first)

    with b.loop(lo, hi) as row:
        source = b.address(x, b.mul(row.i, index(n)), kind)
        target = b.address(places, b.mul(row.i, index(k)), I64)
        # the first k in the order in which they come, each put among those before it; then the others
        with b.loop(0, k) as loop:
            v = b.load(b.address(source, loop.i, kind), kind)
            _insert(b, v, loop.i, held, target, loop.i, kind, comes_before)
        with b.loop(k, n) as loop:
            v = b.load(b.address(source, loop.i, kind), kind)
            least = b.load(b.address(held, k - 1, kind), kind)
            where = b.load(b.address(target, k - 1, I64), I64)
            with b.when(comes_before(v, loop.i, least, where)):
                _insert(b, v, loop.i, held, target, index(k - 1), kind, comes_before)
    return rows, rows * n * (4 + k)


def _insert(b: Builder, v: V, i: V, held: V, target: V, last: V, kind: Kind, comes_before: Callable) -> None:
    """Puts an element in front of the first one that it comes before, among those up to `last`, which falls out."""
    with b.loop(0, last, carried=[v, i]) as loop:
        v, i = loop.values
        at, where = b.address(held, loop.i, kind), b.address(target, loop.i, I64)
        w, j = b.load(at, kind), b.load(where, I64)
        before = comes_before(v, i, w, j)
        b.store(b.select(before, v, w), at)
        b.store(b.select(before, i, j), where)
        loop.carry(b.select(before, w, v), b.select(before, j, i))
    v, i = loop.results
    b.store(v, b.address(held, last, kind))
    b.store(i, b.address(target, last, I64))


def _exceeds(b: Builder, x: V, y: V) -> V:
    greater = b.compare("gt", x, y)
    if not x.kind.floating:
        return greater
    return b.op("or", greater, b.op("and", b.compare("uno", x, x), b.compare("ord", y, y)))
