"""Matrix products as tiles in registers, with whatever follows a product done to its vectors before they are stored.

`plan_tile` (in `product_plans`) says how a product of some shape is cut up; `product` writes it. Its work is numbered
in blocks, of rows or of columns, so that threads can divide it: every block is computed in the same way whichever
thread does it, so results do not depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.product_plans import Tile, plan_tile
from tapeflow.engines.llvm.tiles import (
    Epilogue,
    Part,
    add_run,
    hand_over,
    keep,
    kept,
    over,
    parts_of,
    scaled,
    shifted,
    target_of,
    zeros,
)
from tapeflow.engines.llvm.values import F32, Kind, V, constant, index

_CHUNK = 65536  # bytes of half-done sums that a product in several depths keeps on the stack: well within L2


def product(
    b: Builder, A: V, B: V, M: int, N: int, K: int, *, epilogue: Epilogue, kind: Kind = F32, transpose_a: bool = False,
    transpose_b: bool = False, lda: int | None = None, ldb: int | None = None, lo: V | int = 0,
    hi: V | int | None = None, tile: Tile | None = None, rolled: bool = True, band: int = 0,
) -> None:  # fmt: skip
    """Writes C = op(A) op(B) for the blocks lo..hi of a tile's split, all of them if `hi` is not given.

    op(A) is [M, K] and op(B) [K, N]; `lda` and `ldb` are the lengths of a row as it lies in memory, in numbers. With a
    `band`, which a tile's rows must divide, A is its bands of so many columns of a transposed A: [M / band, K, band].
    C is nowhere stored: `epilogue(b, x, i, j, used, mask)` gets the vector of row i and columns j, j + 1, ...; where
    the row ends within it, `used` lanes belong to it and `mask` names them, else `mask` is None. A product with one
    column has one lane. With `rolled` the epilogue is written once a tile, in a loop over its rows; short ones are
    better without.
    """
    lda = lda or (M if transpose_a else K)
    ldb = ldb or (K if transpose_b else N)
    if tile is None:
        tile = plan_tile(M, N, K, target_of(b.module), kind, transpose_a, transpose_b, lda, ldb, band=band)
    assert not band or tile.form == "tile", "bands of a product with a vector"
    if tile.form == "dot":
        write = _rows_dot if N == 1 else _columns_dot
        write(b, A, B, M, N, K, kind, lda, ldb, epilogue, lo, hi, tile, rolled)
    elif tile.form == "column":
        _column(b, A, B, M, K, kind, lda, ldb if not transpose_b else 1, epilogue, lo, hi, tile)
    else:
        _Product(b, A, B, M, N, K, kind, transpose_a, transpose_b, lda, ldb, epilogue, tile, rolled, band).write(lo, hi)


def batched(
    b: Builder, A: V, B: V, shape: Sequence[int], strides_a: Sequence[int], strides_b: Sequence[int], M: int, N: int,
    K: int, *, epilogue: Callable[[V, Builder, V, V, V, int, V | None], None], lo: V | int = 0,
    hi: V | int | None = None, kind: Kind = F32, transpose_a: bool = False, transpose_b: bool = False,
    lda: int | None = None, ldb: int | None = None, tile: Tile | None = None, rolled: bool = True,
) -> None:  # fmt: skip
    """The products lo..hi of a batch of a shape, numbered row by row; all of them if `hi` is not given.

    `strides_a` and `strides_b` tell how far apart the matrices lie along each axis of the batch, in numbers, 0 where
    one is used again. The epilogue gets the product's number before what that of `product` gets.
    """
    count = 1
    for length in shape:
        count *= length
    with b.loop(lo, count if hi is None else hi) as loop:
        left, a, c = loop.i, index(0), index(0)
        for length, step_a, step_b in reversed(list(zip(shape, strides_a, strides_b, strict=True))):
            if length == 1:
                continue
            place = left if length == count else b.op("rem", left, index(length))
            left = b.op("div", left, index(length))
            a, c = shifted(b, a, scaled(b, place, step_a)), shifted(b, c, scaled(b, place, step_b))
        product(
            b, b.address(A, a, kind), b.address(B, c, kind), M, N, K, kind=kind, transpose_a=transpose_a,
            transpose_b=transpose_b, lda=lda, ldb=ldb, tile=tile, rolled=rolled,
            epilogue=lambda b, x, i, j, used, mask: epilogue(loop.i, b, x, i, j, used, mask),
        )  # fmt: skip


class _Product:
    """A product in tiles of several rows, being written."""

    def __init__(
        self, b: Builder, A: V, B: V, M: int, N: int, K: int, kind: Kind, transpose_a: bool, transpose_b: bool,
        lda: int, ldb: int, epilogue: Epilogue, tile: Tile, rolled: bool, band: int,
    ) -> None:  # fmt: skip
        self.b, self.A, self.B, self.M, self.N, self.K, self.kind = b, A, B, M, N, K, kind
        self.transpose_a, self.transpose_b, self.lda, self.ldb = transpose_a, transpose_b, lda, ldb
        self.epilogue, self.tile, self.band = epilogue, tile, band
        width = sum(part.lanes for part in parts_of(min(N, tile.columns), target_of(b.module), kind))
        self.buffer = b.allocate(kind, tile.rows * width) if rolled and min(M, tile.rows) > 1 else None
        self.panel = b.allocate(kind, tile.depth * width) if tile.packed else None
        self.chunk = max(1, _CHUNK // (tile.rows * width * kind.bytes))  # tiles, one below the other
        self.partial = b.allocate(kind, self.chunk * tile.rows * width) if tile.depth < K else None

    def write(self, lo: V | int, hi: V | int | None) -> None:
        """All blocks lo..hi."""
        whole = (0, None)
        rows, columns = ((lo, hi), whole) if self.tile.split == "m" else (whole, (lo, hi))
        over(self.b, self.N, self.tile.columns, lambda j, width: self._down(j, width, *rows), *columns)

    def _down(self, j: V, width: int, lo: V | int, hi: V | int | None) -> None:
        """The tiles of some columns, from above to below."""
        b, tile = self.b, self.tile
        parts = parts_of(width, target_of(b.module), self.kind)
        if self.partial is None:
            B, ldb = self._columns(j, width, index(0), self.K, parts)

            def whole(i: V, rows: int) -> None:
                sums = self._run(zeros(rows, parts, self.kind), i, index(0), rows, B, ldb, parts, self.K)
                hand_over(b, sums, rows, parts, i, j, self.epilogue, self.buffer)

            over(b, self.M, tile.rows, whole, lo, hi)
            return
        last = -(-self.M // tile.rows) if hi is None else hi
        with b.loop(lo, last, self.chunk) as loop:
            end = shifted(b, loop.i, self.chunk)
            end = b.select(b.compare("lt", end, index(last)), end, index(last))
            self._deep(j, width, parts, loop.i, end)

    def _deep(self, j: V, width: int, parts: list[Part], lo: V, hi: V) -> None:
        """Some tiles, in steps of a depth in which the columns of B stay in the cache."""
        b, tile, kind = self.b, self.tile, self.kind
        assert self.partial is not None
        partial, size = self.partial, tile.rows * sum(part.lanes for part in parts)

        def place(i: V) -> V:
            first = b.sub(i, scaled(b, lo, tile.rows))
            return b.address(partial, scaled(b, first, size // tile.rows), kind)

        def first(i: V, rows: int) -> None:
            keep(b, zeros(rows, parts, kind), rows, parts, place(i))

        def step(k: V, depth: int, last: bool) -> None:
            B, ldb = self._columns(j, width, k, depth, parts)

            def further(i: V, rows: int) -> None:
                sums = self._run(kept(b, rows, parts, place(i), kind), i, k, rows, B, ldb, parts, depth)
                if last:
                    hand_over(b, sums, rows, parts, i, j, self.epilogue, self.buffer)
                else:
                    keep(b, sums, rows, parts, place(i))

            over(b, self.M, tile.rows, further, lo, hi)

        over(b, self.M, tile.rows, first, lo, hi)
        before = (self.K - 1) // tile.depth * tile.depth
        with b.loop(0, before, tile.depth) as loop:
            step(loop.i, tile.depth, False)
        step(index(before), self.K - before, True)

    def _columns(self, j: V, width: int, k: V, depth: int, parts: list[Part]) -> tuple[V, int]:
        """Where some columns of B begin, and how far apart their rows are; in a packed product a copy of them."""
        b, kind = self.b, self.kind
        if self.panel is None:
            return b.address(self.B, shifted(b, scaled(b, k, self.ldb), j), kind), self.ldb
        across = sum(part.lanes for part in parts)
        if self.transpose_b:
            source = b.address(self.B, shifted(b, scaled(b, j, self.ldb), k), kind)
            transpose(b, source, self.ldb, self.panel, across, width, depth, kind)
        else:
            source = b.address(self.B, shifted(b, scaled(b, k, self.ldb), j), kind)
            _copy(b, source, self.ldb, self.panel, across, parts, depth, kind)
        return self.panel, across

    def _run(
        self, sums: list[V], i: V, k: V, rows: int, B: V, ldb: int, parts: list[Part], depth: int
    ) -> list[V]:  # fmt: skip
        """A tile's sums with some depth added."""
        b, lda, band = self.b, self.lda, self.band
        if band:
            within = b.op("and", i, index(band - 1))
            first = scaled(b, b.sub(i, within), self.K)
            offsets, step, start = list(range(rows)), band, shifted(b, scaled(b, k, band), shifted(b, first, within))
        elif self.transpose_a:
            offsets, step, start = list(range(rows)), lda, shifted(b, scaled(b, k, lda), i)
        else:
            offsets, step, start = [r * lda for r in range(rows)], 1, shifted(b, scaled(b, i, lda), k)
        A = b.address(self.A, start, self.kind)
        return add_run(b, sums, A, offsets, step, B, ldb, parts, depth, self.kind, self.tile.unroll)


# -- products with a vector --


def _rows_dot(
    b: Builder, A: V, B: V, M: int, N: int, K: int, kind: Kind, lda: int, ldb: int, epilogue: Epilogue, lo: V | int,
    hi: V | int | None, tile: Tile, rolled: bool,
) -> None:  # fmt: skip
    """A matrix times a column, both of which lie along the sum."""
    buffer = b.allocate(kind, tile.rows) if rolled and min(M, tile.rows) > 1 else None

    def rows(i: V, count: int) -> None:
        sums = dots(b, b.address(A, scaled(b, i, lda), kind), lda, count, B, K, kind)
        hand_over(b, sums, count, [Part(0, 1, 1)], i, index(0), epilogue, buffer)

    over(b, M, tile.rows, rows, lo, hi)


def _columns_dot(
    b: Builder, A: V, B: V, M: int, N: int, K: int, kind: Kind, lda: int, ldb: int, epilogue: Epilogue, lo: V | int,
    hi: V | int | None, tile: Tile, rolled: bool,
) -> None:  # fmt: skip
    """Few rows times a transposed matrix: every number is the product of two rows."""
    target = target_of(b.module)
    buffer, group = b.allocate(kind, tile.columns), 4

    def columns(j: V, width: int) -> None:
        with b.loop(0, M) as loop:
            a = b.address(A, scaled(b, loop.i, lda), kind)

            def some(c: V, count: int) -> None:
                row = b.address(B, scaled(b, shifted(b, j, c), ldb), kind)
                for n, x in enumerate(dots(b, row, ldb, count, a, K, kind)):
                    b.store(x, b.address(buffer, shifted(b, c, n), kind))

            over(b, width, group, some)
            parts = parts_of(width, target, kind)
            hand_over(b, kept(b, 1, parts, buffer, kind), 1, parts, loop.i, j, epilogue, None)

    over(b, N, tile.columns, columns, lo, hi)


def _column(
    b: Builder, A: V, B: V, M: int, K: int, kind: Kind, lda: int, ldb: int, epilogue: Epilogue, lo: V | int,
    hi: V | int | None, tile: Tile,
) -> None:  # fmt: skip
    """A transposed matrix times a column: vectors of rows, handed over one row at a time."""
    target = target_of(b.module)
    buffer = b.allocate(kind, tile.rows + target.lanes(kind))

    def rows(i: V, count: int) -> None:
        parts = parts_of(count, target, kind)
        a = b.address(A, i, kind)
        sums = add_run(b, zeros(1, parts, kind), B, [0], ldb, a, lda, parts, K, kind, tile.unroll)
        keep(b, sums, 1, parts, buffer)
        with b.loop(0, count) as loop:
            x = b.load(b.address(buffer, loop.i, kind), kind)
            epilogue(b, x, shifted(b, i, loop.i), index(0), 1, None)

    over(b, M, tile.rows, rows, lo, hi)


def dots(b: Builder, X: V, step: int, count: int, y: V, K: int, kind: Kind) -> list[V]:
    """The products of `count` rows of X, each `step` numbers after the other, with the K numbers of y."""
    target = target_of(b.module)
    lanes = target.lanes(kind)
    whole, rest = K // lanes * lanes, K % lanes

    def add(sums: Sequence[V], k: V, mask: V | None) -> list[V]:
        x, other = b.address(X, k, kind), b.load(b.address(y, k, kind), kind, lanes, mask=mask)
        rows = [b.load(b.address(x, r * step, kind), kind, lanes, mask=mask) for r in range(count)]
        return [b.add(b.mul(row, other), s) for row, s in zip(rows, sums, strict=True)]

    sums = [constant(0, kind, lanes)] * count
    if whole:
        with b.loop(0, whole, lanes, carried=sums) as loop:
            loop.carry(*add(loop.values, loop.i, None))
        sums = loop.results
    if rest and target.masked:
        sums = add(sums, index(whole), b.mask(rest, lanes))
    results = [b.reduce("fadd", s) for s in sums]
    if rest and not target.masked:
        for k in range(whole, K):
            other = b.load(b.address(y, k, kind), kind)
            for r in range(count):
                number = b.load(b.address(X, r * step + k, kind), kind)
                results[r] = b.add(results[r], b.mul(number, other))
    return results


# -- copying and transposing --


def _copy(b: Builder, source: V, step: int, place: V, across: int, parts: list[Part], depth: int, kind: Kind) -> None:
    """Rows that lie `step` numbers apart, brought together."""
    with b.loop(0, depth) as loop:
        row = b.address(source, scaled(b, loop.i, step), kind)
        end = b.address(place, scaled(b, loop.i, across), kind)
        for part in parts:
            x = b.load(b.address(row, part.at, kind), kind, part.lanes, mask=part.mask(b))
            b.store(x, b.address(end, part.at, kind))


def transpose(b: Builder, source: V, step: int, place: V, across: int, columns: int, depth: int, kind: Kind) -> None:
    """place[k * across + c] = source[c * step + k] for so many columns and so much depth, squares at a time."""
    target = target_of(b.module)
    side = min(target.lanes(kind), 8)

    def square(c: V, k: V, wide: int, deep: int) -> None:
        start = b.address(source, shifted(b, scaled(b, c, step), k), kind)
        mask = None if deep == side else b.mask(deep, side)
        lines = [b.load(b.address(start, r * step, kind), kind, side, mask=mask) for r in range(wide)]
        lines += [constant(0, kind, side)] * (side - wide)
        end = b.address(place, shifted(b, scaled(b, k, across), c), kind)
        for r, line in enumerate(turned(b, lines)[:deep]):
            b.store(line, b.address(end, r * across, kind), mask=None if wide == side else b.mask(wide, side))

    def single(c: V, k: V) -> None:
        x = b.load(b.address(source, shifted(b, scaled(b, c, step), k), kind), kind)
        b.store(x, b.address(place, shifted(b, scaled(b, k, across), c), kind))

    def strip(c: V, wide: int) -> None:
        def piece(k: V, deep: int) -> None:
            if target.masked or wide == deep == side:
                square(c, k, wide, deep)
                return
            with b.loop(0, wide) as loop, b.loop(0, deep) as inner:
                single(shifted(b, c, loop.i), shifted(b, k, inner.i))

        over(b, depth, side, piece)

    over(b, columns, side, strip)


def turned(b: Builder, lines: Sequence[V]) -> list[V]:
    """A square transposed: in each of log2 steps pairs of rows exchange what lies off the diagonal."""
    side, lines = len(lines), list(lines)
    distance = 1
    while distance < side:
        upper = [n if not n & distance else side + n - distance for n in range(side)]
        lower = [n + distance if not n & distance else side + n for n in range(side)]
        for r in range(side):
            if not r & distance:
                x, y = lines[r], lines[r + distance]
                lines[r], lines[r + distance] = b.shuffle(x, y, upper), b.shuffle(x, y, lower)
        distance *= 2
    return lines
