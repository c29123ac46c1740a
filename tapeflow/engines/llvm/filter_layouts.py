"""How a convolution's filters lie in memory for its tiles: as they are, in blocks of columns, turned for a gradient.

Rows of many filters are far apart. Tiles go down a few columns of them again and again, which then share few places of
the caches: large filters are copied to blocks of the columns of a tile, one block after the other, each with its rows
side by side. On an image of 14 x 14 x 256 and 256 filters of 3 x 3 that is 2.5 times as fast.
"""

from __future__ import annotations

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.convolutions import Convolution
from tapeflow.engines.llvm.products import transpose
from tapeflow.engines.llvm.tiles import (
    Part,
    Target,
    for_each_vector,
    over,
    scaled,
    shifted,
    target_of,
    turn_cycles,
)
from tapeflow.engines.llvm.values import F32, Kind, V, index

_FAR = 1024  # bytes between rows of filters
_LARGE = 256 * 1024  # bytes of all of them


def arranges(shape: Convolution, kind: Kind = F32, back: bool = False) -> bool:
    """Whether `forward`, or with `back` the gradient by the input, reads its filters in blocks of columns."""
    columns = shape.channels if back else shape.filters
    return shape.groups == 1 and columns * kind.bytes >= _FAR and shape.filter_size * kind.bytes >= _LARGE


def block_columns(shape: Convolution, target: Target, kind: Kind, back: bool = False) -> int | None:
    """The columns of a block, None if the filters are in one."""
    if not arranges(shape, kind, back):
        return None
    shape = shape.merged()
    columns = shape.channels if back else shape.filters
    length = -(-shape.width // shape.strides[1]) if back else shape.outputs[1]
    return choose_rows(max(1, length), columns, target, kind)[1]


def choose_rows(
    length: int, columns: int, target: Target, kind: Kind, width: int | None = None
) -> tuple[int, int]:  # fmt: skip
    """Rows and columns of a tile for runs of so many rows, by the least estimated time; the columns may be given."""
    lanes = target.lanes(kind)
    spare = 1 if target.masked else 2
    best = (float("inf"), 1, lanes)
    for vectors in range(1, min(-(-columns // lanes), 8) + 1) if width is None else (width // lanes,):
        for rows in range(1, min(length, 24) + 1):
            if rows * vectors + vectors + spare > target.registers:
                break
            down, below = divmod(length, rows)
            full, rest = divmod(columns, vectors * lanes)
            time = 0.0
            for number, count in ((full, vectors), (1, -(-rest // lanes))):
                if count:
                    time += number * down * turn_cycles(rows, count)
                    time += number * turn_cycles(below, count) if below else 0
            time *= 1 + 0.01 * bool(below) + 0.01 * bool(rest)
            best = min(best, (time, rows, vectors * lanes))
    return best[1], best[2]


def arrange_filters(
    b: Builder, W: V, place: V, shape: Convolution, *, kind: Kind = F32, lo: V | int = 0, hi: V | int | None = None
) -> None:
    """Writes the filters as `forward` reads them where `arranges(shape, kind)`; they are as many numbers as before.

    The work is over the rows lo..hi of filter_height * filter_width * channels.
    """
    rows, filters = shape.filter_size // shape.filters, shape.filters
    columns = block_columns(shape, target_of(b.module), kind) or filters
    with b.loop(lo, rows if hi is None else hi) as loop:
        source = b.address(W, scaled(b, loop.i, filters), kind)

        def block(j: V, width: int) -> None:
            begin = b.address(source, j, kind)
            end = b.address(place, shifted(b, scaled(b, j, rows), scaled(b, loop.i, width)), kind)
            for_each_vector(b, width, kind, lambda at, part: _move(b, begin, end, at, part, kind))

        over(b, filters, columns, block)


def turn_filters(
    b: Builder, W: V, place: V, shape: Convolution, *, kind: Kind = F32, lo: V | int = 0, hi: V | int | None = None
) -> None:
    """Writes the filters as `input_gradient` reads them: taps in reverse, inputs and outputs of a group exchanged.

    They are as many numbers as before. The work is over the taps lo..hi of filter_height * filter_width.
    """
    taps, inputs, outputs = shape.filter_height * shape.filter_width, shape.channels, shape.filters
    ours, theirs = inputs // shape.groups, outputs // shape.groups
    with b.loop(lo, taps if hi is None else hi) as loop:
        back = b.sub(index(taps - 1), loop.i)
        source = b.address(W, scaled(b, loop.i, ours * outputs), kind)
        if shape.groups == 1:
            columns = block_columns(shape, target_of(b.module), kind, True) or inputs

            def block(j: V, width: int) -> None:
                begin = b.address(source, scaled(b, j, outputs), kind)
                row = scaled(b, back, outputs * width)
                end = b.address(place, shifted(b, scaled(b, j, taps * outputs), row), kind)
                transpose(b, begin, outputs, end, width, width, outputs, kind)

            over(b, inputs, columns, block)
            return
        end = b.address(place, scaled(b, back, theirs * inputs), kind)
        if shape.depthwise:
            for_each_vector(b, inputs, kind, lambda at, part: _move(b, source, end, at, part, kind))
            return
        with b.loop(0, shape.groups) as group:
            begin = b.address(source, scaled(b, group.i, theirs), kind)
            finish = b.address(end, scaled(b, group.i, ours), kind)
            transpose(b, begin, outputs, finish, inputs, ours, theirs, kind)


def _move(b: Builder, source: V, place: V, at: V, part: Part, kind: Kind) -> None:
    mask = part.mask(b)
    b.store(b.load(b.address(source, at, kind), kind, part.lanes, mask=mask), b.address(place, at, kind), mask=mask)
