"""How a matrix product is cut into tiles, by its shape and the machine; and where a BLAS is better."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tapeflow.engines.llvm.tiles import Target, turn_cycles
from tapeflow.engines.llvm.values import F32, Kind

_PANEL = 32 * 1024  # bytes of B that are copied to the stack at a time: most of the first cache
_AGAIN = 64  # rows, and their length, from which columns are copied together for all of them to go over
_CACHE = 256 * 1024  # bytes of B that tiles go over again and again: well within the second cache of any machine
_LARGE = 2_000_000_000  # multiplications of a product that is left to a BLAS


class Tile(NamedTuple):
    """How a product is cut up.

    `form` is "tile" (rows times vectors of columns), "dot" (sums along vectors) or "column" (a transposed matrix times
    a column). Blocks are `rows` by `columns`; the sum goes in steps of `depth`, its loop is written `unroll` times;
    `split` says whether blocks of rows ("m") or of columns ("n") are numbered. A packed product copies the columns of B
    that it goes over to the stack, where they lie together, which a transposed B must be.
    """

    form: str
    rows: int
    columns: int
    depth: int
    unroll: int
    split: str
    packed: bool = False

    def blocks(self, M: int, N: int) -> int:
        """The number of blocks along the split."""
        return -(-M // self.rows) if self.split == "m" else -(-N // self.columns)


def by_blas(M: int, N: int, K: int) -> bool:
    """Whether a BLAS is so much faster that what follows the product may as well be a kernel of its own.

    Measured on a Xeon with AVX-512 and 2 MB of second cache, floats, the least of many runs that store their product
    where it was before, in GFLOP/s of these tiles and of OpenBLAS 0.3 (`numpy.matmul`), first on one thread:

    M, N, K               tiles  BLAS      M, N, K               tiles  BLAS
    32, 128, 784            181   115      784, 128, 32, A^T       177   122
    32, 128, 10, B^T         85    42      32, 256, 64             152   110
    1024, 128, 128          207   151      1024, 512, 128          203   157
    1024, 128, 512          183   156      512, 128, 1024, A^T     151   147
    512, 512, 512           186   163      256, 1024, 784          177   151
    256, 1024, 1024, B^T    179   151      1024, 1024, 256, A^T    169   161
    784, 128, 1000, A^T     142   149      1024, 1024, 1024        165   167
    1024, 1024, 4096, A^T   160   155      2048, 2048, 2048        166   171
    on two threads:
    1024, 128, 128          408   282      1024, 512, 128          415   326
    256, 1024, 784          375   302      1024, 1024, 256, A^T    343   305
    1024, 1024, 1024        342   333      2048, 2048, 2048        328   341
    """
    return _LARGE < M * N * K


def band_of(M: int, N: int, K: int) -> int:
    """How many columns of a transposed A are copied to a band beforehand, so that a tile reads numbers side by side.

    0 where that does not pay: where few columns of B meet them, or a tile's share of A is so small that it stays in
    the first cache, however far apart its rows lie.
    """
    if min(M, K) < _AGAIN or N < 256 or K < 128:
        return 0
    return next((band for band in (16, 8) if M % band == 0), 0)


@lru_cache(4096)
def plan_tile(
    M: int, N: int, K: int, target: Target, kind: Kind = F32, transpose_a: bool = False, transpose_b: bool = False,
    lda: int | None = None, ldb: int | None = None, threads: int = 1, band: int = 0,
) -> Tile:  # fmt: skip
    """The best way of cutting up a product of [M, K] and [K, N] for so many threads."""
    lanes = target.lanes(kind)
    ldb = ldb or (K if transpose_b else N)
    if N == 1 and not transpose_a and (transpose_b or ldb == 1):
        return Tile("dot", min(M, 8), 1, K, 1, "m")
    if N == 1 and transpose_a and M > 1:
        return Tile("column", lanes * min(8, -(-M // lanes)), 1, K, 2, "m")
    if transpose_b and M <= 2 and not transpose_a:
        return Tile("dot", M, lanes, K, 1, "n")
    return _best(M, N, K, target, kind, transpose_a and not band, transpose_b, threads, band)


def _best(
    M: int, N: int, K: int, target: Target, kind: Kind, transpose_a: bool, transpose_b: bool, threads: int,
    band: int,
) -> Tile:  # fmt: skip
    """The tile of the least estimated time."""
    lanes = target.lanes(kind)
    total = -(-N // lanes)
    spare = 1 if target.masked else 2  # without fma a product needs a place of its own
    packed = transpose_b or min(M, K) >= _AGAIN
    best: tuple[float, Tile] | None = None
    for vectors in range(min(total, 2), min(total, 4 if M >= 6 else 8) + 1):
        for rows in range(1, min(M, 24) + 1):
            if rows * vectors + vectors + spare > target.registers:
                break
            if band % rows:
                continue
            depth = _depth(K, vectors * lanes * kind.bytes, _PANEL if packed else _CACHE, rows < M)
            unroll = max(1 if K < _AGAIN else 2, min(4, 16 // (rows * vectors)))
            for split in ("m", "n"):
                tile = Tile("tile", rows, vectors * lanes, depth, unroll, split, packed)
                time = _time(M, N, K, tile, lanes, kind, transpose_a, transpose_b, threads)
                if best is None or time < best[0]:
                    best = time, tile
    assert best is not None
    return best[1]


def _depth(K: int, width: int, room: int, again: bool) -> int:
    """All of the sum if the columns that a tile goes over fit their cache or are gone over once; else equal parts."""
    if K * width <= room or not again and room == _CACHE:
        return K
    steps = -(-K * width // room)
    return -(-K // steps)


def _time(
    M: int, N: int, K: int, tile: Tile, lanes: int, kind: Kind, transpose_a: bool, transpose_b: bool, threads: int
) -> float:
    """Estimated cycles of the thread that has most to do.

    Fitted to what 27 shapes took in some 40 ways each: what it chooses took 6% longer than the best, in the mean.
    """
    far = not tile.packed and K * tile.columns * kind.bytes > _PANEL  # columns that come from the second cache
    lines = 0.1 if transpose_a else 0.05  # for a row's number: as many lines of the cache are in use as there are rows

    def one(rows: int, vectors: int) -> float:
        turn = turn_cycles(rows, vectors, tile.unroll) + 0.5 + lines * rows + far * vectors
        return K * turn + (4 + 1.4 * (-(-K // tile.depth) - 1)) * rows * vectors + 10

    def line(rows: int, columns: int) -> float:
        full, rest = divmod(columns, tile.columns)
        return full * one(rows, tile.columns // lanes) + (one(rows, -(-rest // lanes)) if rest else 0)

    share = -(-tile.blocks(M, N) // threads)
    rows, columns = (min(M, share * tile.rows), N) if tile.split == "m" else (M, min(N, share * tile.columns))
    down, below = divmod(rows, tile.rows)
    time = down * line(tile.rows, columns) + (line(below, columns) if below else 0)
    copied = K * -(-columns // lanes) * (6 if transpose_b else 2.5) if tile.packed else 0
    return (time + copied) * (1.02 if tile.split == "n" and threads > 1 else 1)  # every thread reads all of A
