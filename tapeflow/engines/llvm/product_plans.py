"""How a matrix product is cut into tiles, by its shape and the machine; and where a BLAS is better."""

from __future__ import annotations

from typing import NamedTuple

from tapeflow.engines.llvm.builder import F32, Kind
from tapeflow.engines.llvm.tiles import Target, turn_cycles

_PANEL = 32 * 1024  # bytes of B that are copied to the stack at a time: most of the first cache
_CACHE = 256 * 1024  # bytes of B that tiles go over again and again: well within the second cache of any machine
# products beyond so many multiplications are a BLAS's: as they are, with B transposed, with A transposed and long sums
_LARGE, _LARGE_TURNED, _FAR = 200_000_000, 400_000_000, 50_000_000


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


def choose(
    M: int, N: int, K: int, target: Target, kind: Kind = F32, transpose_a: bool = False, transpose_b: bool = False,
    lda: int | None = None, ldb: int | None = None, threads: int = 1,
) -> Tile | None:  # fmt: skip
    """How to cut a product up, or None where a BLAS is faster.

    Measured on one thread of a Xeon with AVX-512 and 2 MB of second cache, floats, the least of 15 runs that store
    their product and do no more, in GFLOP/s of these tiles and of OpenBLAS 0.3 (`numpy.matmul`):

    M, N, K               tiles  BLAS      M, N, K               tiles  BLAS
    32, 128, 784            196   108      32, 10, 128              76    47
    784, 128, 32, A^T       175   126      128, 10, 32, A^T         78    55
    32, 128, 10, B^T        100    40      64, 64, 32              141   103
    32, 256, 64             155   112      64, 256, 32, A^T        162   142
    1024, 128, 128          177   152      1024, 512, 128          203   160
    512, 512, 512           180   164      256, 1024, 784          147   152
    256, 1024, 1024, B^T    169   152      1024, 1024, 256, A^T    145   161
    784, 128, 1000, A^T     130   148      1024, 1024, 1024        138   166
    8, 8, 30                 13     5      64, 30, 8                69    30
    32, 1, 30                 6     3      1, 128, 784              52    37
    """
    limit = _FAR if transpose_a and K >= 512 else _LARGE_TURNED if transpose_b else _LARGE
    if limit < M * N * K:
        return None
    return plan_tile(M, N, K, target, kind, transpose_a, transpose_b, lda, ldb, threads)


def plan_tile(
    M: int, N: int, K: int, target: Target, kind: Kind = F32, transpose_a: bool = False, transpose_b: bool = False,
    lda: int | None = None, ldb: int | None = None, threads: int = 1,
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
    return _best(M, N, K, target, kind, transpose_b, threads)


def _best(M: int, N: int, K: int, target: Target, kind: Kind, transpose_b: bool, threads: int) -> Tile:
    """The tile of the least estimated time."""
    lanes = target.lanes(kind)
    total = -(-N // lanes)
    spare = 1 if target.masked else 2  # without fma a product needs a place of its own
    best: tuple[float, Tile] | None = None
    for vectors in range(1, min(total, 8) + 1):
        for rows in range(1, min(M, 24) + 1):
            if rows * vectors + vectors + spare > target.registers:
                break
            width = vectors * lanes * kind.bytes
            packed = transpose_b or _pack(M, N, K, kind)
            depth = _depth(K, width, _PANEL if packed else _CACHE, rows < M)
            unroll = max(1, min(4, 16 // (rows * vectors)))
            for split in ("n",) if packed and total > vectors * threads else ("m", "n"):
                tile = Tile("tile", rows, vectors * lanes, depth, unroll, split, packed)
                time = _time(M, N, K, tile, lanes, threads)
                if best is None or time < best[0]:
                    best = time, tile
    assert best is not None
    return best[1]


def _pack(M: int, N: int, K: int, kind: Kind) -> bool:
    """Whether copying columns of B pays: many rows use them, and they lie far apart."""
    return M >= 128 and N * kind.bytes >= 2048 and K >= 64


def _depth(K: int, width: int, room: int, again: bool) -> int:
    """All of the sum if the columns that a tile goes over fit their cache or are gone over once; else equal parts."""
    if K * width <= room or not again and room == _CACHE:
        return K
    steps = -(-K * width // room)
    return -(-K // steps)


def _time(M: int, N: int, K: int, tile: Tile, lanes: int, threads: int) -> float:
    """Estimated cycles of the thread that has most to do."""

    def one(rows: int, vectors: int) -> float:
        return K * turn_cycles(rows, vectors, tile.unroll) + 4 * rows * vectors + 10

    def line(rows: int, columns: int) -> float:
        full, rest = divmod(columns, tile.columns)
        return full * one(rows, tile.columns // lanes) + (one(rows, -(-rest // lanes)) if rest else 0)

    down, below = divmod(M, tile.rows)
    blocks = tile.blocks(M, N)
    share = -(-blocks // threads)
    time = down * line(tile.rows, N) + (line(below, N) if below else 0)
    return time * share / blocks * (1 + 0.01 * bool(below) + 0.01 * bool(N % tile.columns))
