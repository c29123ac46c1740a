"""Rows put at positions of an array: added, subtracted, in place of what is there, the greater or the lesser.

What goes to one row goes there in the order of the updates. Threads divide the rows that are written, each looking at
all positions, so that results do not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .builder import Builder
from .points import lanes_of
from .reductions import extreme
from .values import I64, Kind, V, constant, index

_DIVIDED = 1 << 15  # elements of updates from which threads divide the rows
_PARTS = 8
_WIDE = 8  # elements of a row from which looking at positions of other threads' rows costs little


class Rows(NamedTuple):
    """`updates` rows of `width` elements of a kind that go into `rows` others, in a way of HOW."""

    rows: int
    updates: int
    width: int
    kind: Kind
    how: str

    @property
    def parts(self) -> int:
        """Into how many the rows are divided among threads."""
        divided = self.width >= _WIDE and self.updates * self.width >= _DIVIDED
        return min(self.rows, _PARTS) if divided else 1


def _chosen(name: str) -> Callable[[Builder, V, V], V]:
    def choose(b: Builder, old: V, new: V) -> V:
        if old.kind.floating:
            return extreme(b, name, old, new)
        return b.select(b.compare("gt" if name == "max" else "lt", new, old), new, old)

    return choose


HOW: dict[str, Callable[[Builder, V, V], V]] = {
    "add": lambda b, old, new: b.add(old, new),
    "sub": lambda b, old, new: b.sub(old, new),
    "update": lambda b, old, new: new,
    "max": _chosen("max"),
    "min": _chosen("min"),
}


def scatter(b: Builder, places: V, given: V, first: V | None, out: V, shape: Rows, lo: V, hi: V) -> tuple[int, int]:
    """Writes `out`: what is at `first`, or zeros, with the rows `given` combined into it at `places` (i64, in range).

    All are addresses. Returns the number of parts, and about how much the whole work is.
    """
    parts, kind, width = shape.parts, shape.kind, shape.width
    begin, end = (_share(b, i, shape.rows, parts) for i in (lo, hi))
    lanes = lanes_of(b.module, kind.bytes)

    def start(i: V, count: int) -> None:
        x = constant(0, kind, count) if first is None else b.load(b.address(first, i, kind), kind, count)
        b.store(x, b.address(out, i, kind))

    _along(b, b.mul(begin, index(width)), b.mul(end, index(width)), lanes, start)
    with b.loop(0, shape.updates) as loop:
        place = b.load(b.address(places, loop.i, I64), I64)

        def work() -> None:
            source = b.address(given, b.mul(loop.i, index(width)), kind)
            target = b.address(out, b.mul(place, index(width)), kind)

            def combine(i: V, count: int) -> None:
                at = b.address(target, i, kind)
                old, new = b.load(at, kind, count), b.load(b.address(source, i, kind), kind, count)
                b.store(HOW[shape.how](b, old, new), at)

            _along(b, index(0), index(width), lanes, combine, width)

        if parts == 1:
            work()
        else:
            with b.when(b.op("and", b.compare("ge", place, begin), b.compare("lt", place, end))):
                work()
    return parts, shape.rows * width + 2 * shape.updates * width


def _share(b: Builder, i: V, rows: int, parts: int) -> V:
    return b.mul(i, index(rows)) if parts == 1 else b.op("div", b.mul(i, index(rows)), index(parts))


def _along(b: Builder, start: V, stop: V, lanes: int, work: Callable[[V, int], None], count: int | None = None) -> None:
    """`work(i, lanes)` on vectors from start to stop, and on the elements that are left; `count` if it is known."""
    if count == 1:
        work(start, 1)
        return
    if count is not None and count < lanes:
        with b.loop(start, stop) as loop:
            work(loop.i, 1)
        return
    whole = b.sub(stop, b.op("rem", b.sub(stop, start), index(lanes)))
    with b.loop(start, whole, lanes) as loop:
        work(loop.i, lanes)
    if count is None or count % lanes:
        with b.loop(whole, stop) as loop:
            work(loop.i, 1)
