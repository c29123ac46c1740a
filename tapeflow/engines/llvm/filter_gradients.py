"""The gradient of a convolution by its filters, as tiles in registers: rows of the filter times vectors of outputs.

The batch is cut into chunks that depend on its sizes only. Each is summed on its own, image by image, and `add_chunks`
adds them up in their order, so that results do not depend on which thread did which.
"""

from __future__ import annotations

from collections.abc import Sequence

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.convolutions import Convolution
from tapeflow.engines.llvm.filter_layouts import choose_rows
from tapeflow.engines.llvm.tiles import (
    Epilogue,
    Part,
    add_run,
    for_each_vector,
    over,
    parts_of,
    scaled,
    shifted,
    target_of,
)
from tapeflow.engines.llvm.values import F32, Kind, V, constant, index

_CHUNKS = 16
_ROOM = 1 << 18  # numbers that the sums of all chunks may take, so that adding them stays cheap
_BAND = 256 * 1024  # bytes of an image and of its results that every tile goes over, within the second cache
_WRITTEN_OUT = 12  # rows of a filter so small that one tile has them all, each with a place of its own


def chunks_of(shape: Convolution) -> int:
    """Into how many chunks the batch is cut."""
    return max(1, min(shape.images, _CHUNKS, max(2, _ROOM // max(1, shape.filter_size))))


def scratch_numbers(shape: Convolution) -> int:
    """How many numbers of scratch the gradient takes: the sums of the chunks, and for each an image with its zeros."""
    return chunks_of(shape) * (shape.filter_size + _padded(shape.merged()))


def _padded(shape: Convolution) -> int:
    """Numbers of an image with the zeros around it, 0 if there are none."""
    if shape.pads == ((0, 0), (0, 0)):
        return 0
    (above, below), (left, right) = shape.pads
    return (shape.height + above + below) * (shape.width + left + right) * shape.channels


def filter_gradient(
    b: Builder, X: V, dY: V, scratch: V, shape: Convolution, *, kind: Kind = F32, lo: V | int = 0,
    hi: V | int | None = None,
) -> None:  # fmt: skip
    """Sums the chunks lo..hi of `chunks_of(shape)`, all if `hi` is not given, into the scratch."""
    chunks, size = chunks_of(shape), shape.filter_size
    high, wide = shape.outputs
    padded = _padded(shape)
    line = (shape.strides[0] * shape.width * shape.channels + wide * shape.filters) * kind.bytes
    band = min(high, max(1, max(_BAND, size * kind.bytes) // line))  # each band reads and writes all sums
    if band == high and shape.merged().height == 1:
        shape, band = shape.merged(), 1
        high, wide = shape.outputs
    with b.loop(lo, chunks if hi is None else hi) as loop:
        sums = b.address(scratch, scaled(b, loop.i, size), kind)
        _clear(b, sums, size, kind)
        room = b.address(scratch, shifted(b, scaled(b, loop.i, padded), chunks * size), kind)
        if padded:
            _clear(b, room, padded, kind)
        first = b.op("div", scaled(b, loop.i, shape.images), index(chunks))
        last = b.op("div", scaled(b, shifted(b, loop.i, 1), shape.images), index(chunks))
        with b.loop(first, last) as images:
            image = b.address(X, scaled(b, images.i, shape.image_size), kind)
            result = b.address(dY, scaled(b, images.i, high * wide * shape.filters), kind)
            if padded:
                _surround(b, image, room, shape, kind)
            _Gradient(b, room if padded else image, result, sums, shape, kind).write(band)


def add_chunks(
    b: Builder, scratch: V, shape: Convolution, *, epilogue: Epilogue, kind: Kind = F32, lo: V | int = 0,
    hi: V | int | None = None,
) -> None:  # fmt: skip
    """The filter's gradient from the sums of all chunks, as a matrix of [height * width * channels / groups, filters].

    The epilogue gets the vectors of its rows lo..hi, all if `hi` is not given.
    """
    rows, chunks = shape.filter_size // max(1, shape.filters), chunks_of(shape)
    with b.loop(lo, rows if hi is None else hi) as loop:
        row = scaled(b, loop.i, shape.filters)

        def vector(at: V, part: Part) -> None:
            mask, place = part.mask(b), shifted(b, row, at)
            x = b.load(b.address(scratch, place, kind), kind, part.lanes, mask=mask)
            for n in range(1, chunks):
                other = b.address(scratch, shifted(b, place, n * shape.filter_size), kind)
                x = b.add(x, b.load(other, kind, part.lanes, mask=mask))
            epilogue(b, x, loop.i, at, part.used, mask)

        for_each_vector(b, shape.filters, kind, vector)


def _clear(b: Builder, place: V, count: int, kind: Kind) -> None:
    """Zeros."""
    for_each_vector(
        b, count, kind,
        lambda at, part: b.store(constant(0, kind, part.lanes), b.address(place, at, kind), mask=part.mask(b)),
    )  # fmt: skip


def _surround(b: Builder, image: V, room: V, shape: Convolution, kind: Kind) -> None:
    """Copies an image to where zeros are around it."""
    (above, _), (left, right) = shape.pads
    line = shape.width * shape.channels
    with b.loop(0, shape.height) as loop:
        source = b.address(image, scaled(b, loop.i, line), kind)
        wide = (shape.width + left + right) * shape.channels
        start = shifted(b, scaled(b, shifted(b, loop.i, above), wide), left * shape.channels)
        end = b.address(room, start, kind)

        def move(at: V, part: Part) -> None:
            mask = part.mask(b)
            x = b.load(b.address(source, at, kind), kind, part.lanes, mask=mask)
            b.store(x, b.address(end, at, kind), mask=mask)

        for_each_vector(b, line, kind, move)


class _Gradient:
    """What one image adds to the gradient, being written."""

    def __init__(self, b: Builder, image: V, result: V, sums: V, shape: Convolution, kind: Kind) -> None:
        self.b, self.image, self.result, self.sums, self.shape, self.kind = b, image, result, sums, shape, kind
        left, right = shape.pads[1]
        self.pixels = shape.width + left + right
        self.first, self.high = index(0), shape.outputs[0]
        self.depth = 1 if shape.depthwise else shape.channels // shape.groups
        self.columns = shape.filters if shape.depthwise else shape.filters // shape.groups

    def write(self, band: int) -> None:
        """Every band of so many rows of the results, every group of it."""

        def some(first: V, count: int) -> None:
            self.first, self.high = first, count
            self._groups()

        over(self.b, self.shape.outputs[0], band, some)

    def _groups(self) -> None:
        b, shape = self.b, self.shape
        if shape.groups == 1 or shape.depthwise:
            self._group(index(0), index(0))
            return
        with b.loop(0, shape.groups) as loop:
            self._group(scaled(b, loop.i, self.depth), scaled(b, loop.i, self.columns))

    def _group(self, channel: V, first: V) -> None:
        """Runs of rows of the filter whose places in the image go on by a step; few rows are one run of any places."""
        b, shape = self.b, self.shape
        high, wide = shape.filter_height, shape.filter_width
        down, right = shape.dilations[0] * self.pixels * shape.channels, shape.dilations[1] * shape.channels
        if high * wide * self.depth <= _WRITTEN_OUT:
            places = [
                h * down + w * right + c for h in range(high) for w in range(wide) for c in range(self.depth)
            ]  # fmt: skip
            self._run(channel, first, index(0), index(0), places)
            return
        with b.loop(0, high) as loop:
            line, row = scaled(b, loop.i, down), scaled(b, loop.i, wide * self.depth)
            if self.depth == 1:
                self._run(channel, first, line, row, [w * right for w in range(wide)])
            elif shape.groups == 1 and shape.dilations[1] == 1:
                self._run(channel, first, line, row, list(range(wide * self.depth)))
            else:
                with b.loop(0, wide) as inner:
                    place = shifted(b, line, scaled(b, inner.i, right))
                    here = shifted(b, row, scaled(b, inner.i, self.depth))
                    self._run(channel, first, place, here, list(range(self.depth)))

    def _run(self, channel: V, first: V, place: V, row: V, places: Sequence[int]) -> None:
        """Rows of the filter from `row` on, for all columns."""
        b, length = self.b, len(places)
        target = target_of(b.module)
        rows, columns = choose_rows(length, self.columns, target, self.kind)
        step = places[1] - places[0] if length > 1 else 0
        even = all(p == n * step for n, p in enumerate(places))

        def block(j: V, width: int) -> None:
            parts = parts_of(width, target, self.kind)
            start = shifted(b, place, channel) if not self.shape.depthwise else shifted(b, place, j)
            column = shifted(b, first, j)
            if not even:
                for at in range(0, length, rows):
                    self._tile(start, places[at : at + rows], shifted(b, row, at), column, parts)
                return

            def tile(at: V, count: int) -> None:
                here = shifted(b, start, scaled(b, at, step))
                self._tile(here, places[:count], shifted(b, row, at), column, parts)

            over(b, length, rows, tile)

        over(b, self.columns, columns, block)

    def _tile(self, start: V, places: Sequence[int], row: V, j: V, parts: list[Part]) -> None:
        """Some rows and columns of the filter: what all pixels add to them."""
        b, shape, kind = self.b, self.shape, self.kind
        wide, filters = shape.outputs[1], shape.filters
        place = b.address(self.sums, shifted(b, scaled(b, row, filters), j), kind)
        slots = [(r * filters + part.at, part) for r in range(len(places)) for part in parts]
        sums = [b.load(b.address(place, at, kind), kind, part.lanes, mask=part.mask(b)) for at, part in slots]
        jump = shape.strides[0] * self.pixels * shape.channels
        with b.loop(0, self.high, carried=sums) as loop:
            line = shifted(b, self.first, loop.i)
            A = b.address(self.image, shifted(b, scaled(b, line, jump), start), kind)
            B = b.address(self.result, shifted(b, scaled(b, line, wide * filters), j), kind)
            unroll = 1 if len(sums) > 8 else 2
            step = shape.strides[1] * shape.channels
            loop.carry(
                *add_run(
                    b, loop.values, A, places, step, B, filters, parts, wide, kind, unroll, shape.depthwise
                )  # fmt: skip
            )
        place = b.address(self.sums, shifted(b, scaled(b, row, filters), j), kind)
        for x, (at, part) in zip(loop.results, slots, strict=True):
            b.store(x, b.address(place, at, kind), mask=part.mask(b))
