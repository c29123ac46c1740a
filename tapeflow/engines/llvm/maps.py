"""The loops of elementwise work: the last dimension in vectors, the first one divided among threads."""

from __future__ import annotations

from contextlib import ExitStack

from .builder import Builder
from .points import Kernel, Point, Pointers, finish
from .values import I64, V, constant, index

_UNIT = 4096  # elements of elementwise work in one dimension that a thread takes at a time


def write_map(b: Builder, kernel: Kernel, lanes: int) -> int:
    """Writes the loops; gives the number of parts."""
    dims, lo, hi = kernel.dims, b.parameters[1], b.parameters[2]
    pointers = Pointers(b, kernel)
    if not dims:
        finish(Point(b, pointers, [], -1, 1))
        return 1
    n = dims[-1]
    if len(dims) == 1:
        unit = max(_UNIT // lanes, 1) * lanes
        parts = -(-n // unit)
        whole = n // lanes * lanes
        if parts == 1:
            _vectors(b, kernel, pointers, [None], index(0), index(whole), n, lanes, None)
            return 1
        start = b.mul(lo, constant(unit, I64))
        stop = b.mul(hi, constant(unit, I64))
        stop = b.select(b.compare("lt", stop, index(whole)), stop, index(whole))
        last = b.compare("eq", hi, index(parts))
        _vectors(b, kernel, pointers, [None], start, stop, n, lanes, last)
        return parts
    with ExitStack() as loops:
        places: list[V | None] = []
        for d in range(len(dims) - 1):
            loop = loops.enter_context(b.loop(lo, hi) if d == 0 else b.loop(0, dims[d]))
            places.append(loop.i)
            pointers = pointers.moved(b, d, loop.i)
        whole = n // lanes * lanes
        _vectors(b, kernel, pointers, [*places, None], index(0), index(whole), n, lanes, None)
    return dims[0]


def _vectors(
    b: Builder, kernel: Kernel, pointers: Pointers, places: list, start: V, stop: V, n: int, lanes: int, last: V | None
) -> None:
    """The last dimension, in vectors from start to stop, and what is left behind them (only where `last`)."""
    d = len(kernel.dims) - 1
    if n >= lanes:
        with b.loop(start, stop, lanes) as loop:
            finish(Point(b, pointers, places, d, lanes, steps=[(d, loop.i)]))
    rest = n % lanes
    if rest:
        with ExitStack() as only:
            if last is not None:
                only.enter_context(b.when(last))
            count = 1 if rest == 1 else lanes
            mask = None if rest == 1 else b.mask(rest, lanes)
            finish(Point(b, pointers, places, d, count, mask, steps=[(d, index(n - rest))]))
