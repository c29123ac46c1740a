"""The loops of reductions, with what is computed of their results.

A reduction goes over the kept dimensions, in vectors along the inner ones (columns) or one row at a time (rows), and
for each position as often over the reduced dimensions as results of reductions are needed there again: stage after
stage. Rows of few vectors stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from .builder import Builder
from .grouping import seen
from .points import Kernel, Point, Pointers, masked
from .program import Cell
from .values import I1, I64, V, constant, index

_IN_REGISTERS = 8  # vectors of a row that are held while it is worked on
_WRITTEN_OUT = 200  # operations of a row in registers, all of which are written out
_ROW = 1 << 14  # elements of a row that a later pass may find again on the stack
_DEAR = 8  # simple operations from which that is cheaper than making it again
_UNROLLED = 4  # vectors at once in a long reduction, whose sums would wait for each other

NEUTRAL = {"sum": 0, "prod": 1, "all": 1, "any": 0}


class Reduction:
    """The loops of one reduction, being written."""

    def __init__(self, b: Builder, kernel: Kernel, lanes: int) -> None:
        self.b = b
        self.kernel = kernel
        self.group = kernel.group
        parts = kernel.parts
        self.outer = [d for d, p in enumerate(parts) if p == 0]
        self.reduced = [d for d, p in enumerate(parts) if p == 1]
        self.inner = [d for d, p in enumerate(parts) if p == 2]
        self.rows = not self.inner
        self.lanes = lanes
        self.stages = self._stages()
        self.reductions = [c for c in self.group.cells if c.how == "reduce"]

    def _stages(self) -> dict[Cell, int]:
        """In which pass over the reduced dimensions a cell is known: those of full size; kept ones after that pass."""
        stages: dict[Cell, int] = {}
        own = set(self.group.cells)
        for cell in self.group.cells:
            stage = 0
            for x in cell.operands:
                x = seen(x)
                if x in own:
                    kept = not self.group.is_full(x)
                    full = self.group.is_full(cell)
                    stage = max(stage, stages[x] + (1 if kept and full else 0))
            stages[cell] = stage
        return stages

    def write(self) -> int:
        """Writes the loops; gives the number of parts."""
        b, dims = self.b, self.kernel.dims
        lo, hi = b.parameters[1], b.parameters[2]
        pointers = Pointers(b, self.kernel)
        places: list[V | None] = [None] * len(dims)
        with ExitStack() as loops:
            divided = bool(self.outer)
            parts = dims[self.outer[0]] if divided else 1
            for k, d in enumerate(self.outer):
                loop = loops.enter_context(b.loop(lo, hi) if k == 0 else b.loop(0, dims[d]))
                places[d] = loop.i
                pointers = pointers.moved(b, d, loop.i)
            for d in self.inner[:-1]:
                loop = loops.enter_context(b.loop(0, dims[d]))
                places[d] = loop.i
                pointers = pointers.moved(b, d, loop.i)
            if self.rows:
                self._position(pointers, places, -1, self.lanes, None)
            else:
                d = self.inner[-1]
                n = dims[d]
                whole = n // self.lanes * self.lanes
                if not divided and len(self.inner) == 1 and n > 2 * self.lanes:
                    # blocks of columns are what threads divide
                    parts = -(-n // self.lanes)
                    full = n // self.lanes
                    end = b.select(b.compare("lt", hi, index(full)), hi, index(full))
                    with b.loop(lo, end) as loop:
                        at = b.mul(loop.i, constant(self.lanes, I64))
                        placed = [*places]
                        placed[d] = at
                        self._position(pointers.moved(b, d, at), placed, d, self.lanes, None)
                    if n % self.lanes:
                        with b.when(b.compare("eq", hi, index(parts))):
                            self._rest(pointers, places, d, n)
                    return parts
                if whole:
                    with b.loop(0, whole, self.lanes) as loop:
                        placed = [*places]
                        placed[d] = loop.i
                        self._position(pointers.moved(b, d, loop.i), placed, d, self.lanes, None)
                if n % self.lanes:
                    self._rest(pointers, places, d, n)
        return parts

    def _rest(self, pointers: Pointers, places: list, d: int, n: int) -> None:
        rest = n % self.lanes
        start = index(n - rest)
        placed = [*places]
        placed[d] = start
        lanes, mask = (1, None) if rest == 1 else (self.lanes, self.b.mask(rest, self.lanes))
        self._position(pointers.moved(self.b, d, start), placed, d, lanes, mask)

    def _position(self, pointers: Pointers, places: list, lane_dim: int, lanes: int, mask: V | None) -> None:
        """All passes at one position of the kept dimensions."""
        b = self.b
        width = 1 if self.rows else lanes
        kept: dict[Cell, V] = {}
        last = max([self.stages[c] for c in self.group.cells], default=0)
        in_registers = self._fits_registers(lanes)
        points: dict[int, Point] = {}
        held = {} if in_registers else self._held(lanes)
        for stage in range(last + 1):
            sums = [c for c in self.reductions if self.stages[c] == stage]
            writes = [
                c for c in self.kernel.writes if self.group.is_full(c) and self.stages[c] == stage and c.how != "reduce"
            ]
            if sums or writes:
                if in_registers:
                    found = self._registers(pointers, places, points, kept, sums, writes)
                else:
                    again: dict[Cell, Any] = {c: p for c, p in held.items() if self.stages[c] < stage}
                    again.update(
                        (c, accesses[0])
                        for c, accesses in self.kernel.writes.items()
                        if self.group.is_full(c) and self.stages[c] < stage
                    )
                    keeps = {c: p for c, p in held.items() if self.stages[c] == stage}
                    found = self._pass(pointers, places, lane_dim, lanes, mask, kept, again, keeps, sums, writes)
                kept.update(zip(sums, found, strict=True))
            after = Point(b, pointers, places, -1 if self.rows else lane_dim, width, mask, given=kept)
            for cell in self.group.cells:
                if not self.group.is_full(cell) and self.stages[cell] == stage:
                    kept[cell] = after.value(cell)
        # at the very end: a variable that is written here may be read before
        after = Point(b, pointers, places, -1 if self.rows else lane_dim, width, mask)
        for cell, accesses in self.kernel.writes.items():
            if not self.group.is_full(cell):
                for a in accesses:
                    after.store(kept[cell], a)

    def _fits_registers(self, lanes: int) -> bool:
        """Whether a row is so short that its vectors stay at hand."""
        if not self.rows or len(self.reduced) != 1:
            return False
        count = -(-self.kernel.dims[self.reduced[0]] // lanes)
        full = sum(1 + c.weight // 4 for c in self.group.cells if self.group.is_full(c))
        return count <= 2 or count <= _IN_REGISTERS and count * full <= _WRITTEN_OUT

    def _held(self, lanes: int) -> dict[Cell, V]:
        """Room on the stack for what is dear to make and needed in a later pass."""
        if not self.rows or len(self.reduced) != 1:
            return {}
        n = self.kernel.dims[self.reduced[0]]
        if n > _ROW:
            return {}
        latest: dict[Cell, int] = {}
        cost: dict[Cell, int] = {}
        for cell in self.group.cells:
            if self.group.is_full(cell):
                inside = [seen(x) for x in cell.operands if seen(x) in cost]
                cost[cell] = cell.weight + sum(cost[x] for x in inside if self.stages[x] == self.stages[cell])
            for x in cell.operands:
                latest[seen(x)] = max(latest.get(seen(x), 0), self.stages[cell])
        wanted = [
            c for c in cost if latest.get(c, 0) > self.stages[c] and cost[c] >= _DEAR and c not in self.kernel.writes
        ]
        return {c: self.b.allocate(c.kind, -(-n // lanes) * lanes) for c in wanted}

    def _registers(
        self, pointers: Pointers, places: list, points: dict[int, Point], kept: dict, sums: list, writes: list
    ) -> list[V]:
        """A pass over a row whose vectors all stay at hand."""
        b = self.b
        d = self.reduced[0]
        n = self.kernel.dims[d]
        count = -(-n // self.lanes)
        totals: list[V | None] = [None] * len(sums)
        for k in range(count):
            rest = min(n - k * self.lanes, self.lanes)
            mask = None if rest == self.lanes else b.mask(rest, self.lanes)
            if k not in points:
                points[k] = Point(b, pointers, places, d, self.lanes, mask, steps=[(d, index(k * self.lanes))])
            point = points[k]
            point.known.update(kept)
            for i, cell in enumerate(sums):
                x = self._element(point, cell, mask)
                total = totals[i]
                totals[i] = x if total is None else combined(b, cell, total, x)
            for cell in writes:
                value = point.value(cell)
                for a in self.kernel.writes[cell]:
                    point.store(value, a)
        return [across(b, cell, total) for cell, total in zip(sums, totals, strict=True) if total is not None]

    def _element(self, point: Point, cell: Cell, mask: V | None) -> V:
        x = point.operand(cell.operands[0], cell)
        return masked(self.b, x, mask, neutral(cell)) if self.rows else x

    def _pass(
        self, pointers: Pointers, places: list, lane_dim: int, lanes: int, mask: V | None, kept: dict, again: dict,
        keeps: dict, sums: list, writes: list,
    ) -> list[V]:  # fmt: skip
        """A pass over all reduced dimensions: the totals, and what is written on the way."""
        b, dims = self.b, self.kernel.dims
        first = [constant(neutral(c), c.kind, lanes) for c in sums]
        *wide, d = self.reduced

        def work(point: Point, totals: Sequence[V], mask: V | None) -> list[V]:
            new = [combined(b, c, t, self._element(point, c, mask)) for c, t in zip(sums, totals, strict=True)]
            for cell in writes:
                value = point.value(cell)
                for a in self.kernel.writes[cell]:
                    point.store(value, a)
            for cell, place in keeps.items():
                b.store(point.value(cell), b.address(place, point.steps[-1][1], cell.kind))
            return new

        def nest(k: int, at: Pointers, placed: list, totals: list[V]) -> list[V]:
            if k < len(wide):
                with b.loop(0, dims[wide[k]], carried=totals) as loop:
                    inside = [*placed]
                    inside[wide[k]] = loop.i
                    loop.carry(*nest(k + 1, at.moved(b, wide[k], loop.i), inside, loop.values))
                return loop.results
            return self._last(at, placed, d, lane_dim, lanes, mask, kept, again, sums, totals, work)

        totals = nest(0, pointers, places, first)
        return [across(b, c, t) if self.rows else t for c, t in zip(sums, totals, strict=True)]

    def _last(
        self, at: Pointers, placed: list, d: int, lane_dim: int, lanes: int, mask: V | None, kept: dict, again: dict,
        sums: list[Cell], totals: list[V], work: Callable,
    ) -> list[V]:  # fmt: skip
        """The innermost loop of a pass."""
        b, n = self.b, self.kernel.dims[d]
        if not self.rows:
            with b.loop(0, n, carried=totals) as loop:
                point = Point(b, at, placed, lane_dim, lanes, mask, steps=[(d, loop.i)], given=kept, again=again)
                loop.carry(*work(point, loop.values, None))
            return loop.results
        done = 0
        many = _UNROLLED * lanes
        if n >= 2 * many and totals:
            # sums of their own, so that none waits for the one before
            groups = [totals, *[[constant(neutral(c), c.kind, lanes) for c in sums]] * (_UNROLLED - 1)]
            done = n // many * many
            with b.loop(0, done, many, carried=[v for group in groups for v in group]) as loop:
                news: list[V] = []
                for u in range(_UNROLLED):
                    i = loop.i if not u else b.add(loop.i, index(u * lanes))
                    point = Point(b, at, placed, d, lanes, steps=[(d, i)], given=kept, again=again)
                    news += work(point, loop.values[u * len(totals) : (u + 1) * len(totals)], None)
                loop.carry(*news)
            found = loop.results
            parts = [found[u * len(totals) : (u + 1) * len(totals)] for u in range(_UNROLLED)]
            totals = [
                combined(b, c, combined(b, c, p, q), combined(b, c, r, s))
                for c, p, q, r, s in zip(sums, *parts, strict=True)
            ]
        whole = n // lanes * lanes
        if whole > done:
            with b.loop(done, whole, lanes, carried=totals) as loop:
                point = Point(b, at, placed, d, lanes, steps=[(d, loop.i)], given=kept, again=again)
                loop.carry(*work(point, loop.values, None))
            totals = loop.results
        if n % lanes:
            rest = b.mask(n % lanes, lanes)
            point = Point(b, at, placed, d, lanes, rest, steps=[(d, index(whole))], given=kept, again=again)
            totals = work(point, totals, rest)
        return totals


def neutral(cell: Cell) -> Any:
    """The number that changes no total of a reduction."""
    name = cell.data[0]
    if name in NEUTRAL:
        return NEUTRAL[name]
    if cell.kind.floating:
        return float("-inf") if name == "max" else float("inf")
    if cell.kind is I1:
        return 0 if name == "max" else 1
    bits = cell.kind.bytes * 8
    if not cell.kind.signed:
        return 0 if name == "max" else 2**bits - 1
    return -(2 ** (bits - 1)) if name == "max" else 2 ** (bits - 1) - 1


def combined(b: Builder, cell: Cell, total: V, x: V) -> V:
    """One more element in a total."""
    name, kind = cell.data[0], cell.kind
    if name in ("sum", "prod"):
        return b.op("add" if name == "sum" else "mul", total, x)
    if name in ("all", "any"):
        return b.op("and" if name == "all" else "or", total, x)
    if kind.floating:
        return extreme(b, name, total, x)
    return b.select(b.compare("gt" if name == "max" else "lt", x, total), x, total)


def extreme(b: Builder, name: str, x: V, y: V) -> V:
    """The larger or smaller of floats, NaN where one is."""
    chosen = b.select(b.compare("gt" if name == "max" else "lt", x, y), x, y)
    return b.select(b.compare("uno", x, x), x, chosen)


_ACROSS = {"sum": ("fadd", "add", "add"), "prod": ("fmul", "mul", "mul")}


def across(b: Builder, cell: Cell, x: V) -> V:
    """All lanes of a total in one number."""
    name, kind = cell.data[0], cell.kind
    if x.lanes == 1:
        return x
    if name in _ACROSS:
        return b.reduce(_ACROSS[name][0 if kind.floating else 1], x)
    if name in ("all", "any"):
        return b.reduce("and" if name == "all" else "or", x)
    # halves against each other: NaN must win, which LLVM's own reductions do not promise everywhere
    while x.lanes > 1:
        half = x.lanes // 2
        low = b.shuffle(x, None, list(range(half)))
        high = b.shuffle(x, None, list(range(half, 2 * half)))
        if half == 1:
            low, high = b.extract(x, 0), b.extract(x, 1)
        x = combined(b, cell, low, high)
    return x
