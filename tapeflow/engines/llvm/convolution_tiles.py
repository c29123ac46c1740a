"""Convolutions of images [n, height, width, channels] as tiles in registers: pixels of a row times vectors of channels.

`forward` and `input_gradient` work on images lo..hi. The filters' gradient is in `filter_gradients`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.convolutions import Axis, Convolution
from tapeflow.engines.llvm.filter_layouts import block_columns, choose_rows
from tapeflow.engines.llvm.tiles import (
    Epilogue,
    Part,
    add_run,
    hand_over,
    over,
    parts_of,
    scaled,
    shifted,
    target_of,
    zeros,
)
from tapeflow.engines.llvm.values import F32, PTR, U64, Kind, Type, V, constant, index


def forward(
    b: Builder, X: V, W: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0, hi: V | int | None = None,
    kind: Kind = F32, rolled: bool = True,
) -> None:  # fmt: skip
    """The convolution of images lo..hi, all if `hi` is not given.

    W is as `arrange_filters` (in `filter_layouts`) wrote it where `arranges(shape, kind)`, else as the filters are.
    `epilogue(b, x, i, j, used, mask)` gets the vector of pixel i, counted over all images, and filters j, j + 1, ...
    """
    columns = block_columns(shape, target_of(b.module), kind)
    shape = shape.merged()
    down, across = shape.axis(0), shape.axis(1)
    taps = (shape.filter_height, shape.filter_width)
    kernel = _Kernel(shape.width, shape.channels, shape.filters, shape.groups, taps, shape.depthwise, kind)

    def placed(b: Builder, x: V, n: V, row: V, i: V, j: V, used: int, mask: V | None) -> None:
        line = shifted(b, scaled(b, n, down.outputs), row)
        epilogue(b, x, shifted(b, scaled(b, line, across.outputs), i), j, used, mask)

    last = shape.images if hi is None else hi
    _Images(b, X, shape.image_size, W, down, across, kernel, columns, placed, rolled).write(lo, last)


def input_gradient(
    b: Builder, dY: V, turned: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0,
    hi: V | int | None = None, kind: Kind = F32, rolled: bool = True,
) -> None:  # fmt: skip
    """The gradient by the input, for images lo..hi, from filters that `turn_filters` wrote.

    The epilogue gets the vector of pixel i, counted over all images, and channels j, j + 1, ...; every one once.
    """
    columns = block_columns(shape, target_of(b.module), kind, True)
    shape = shape.merged()
    high, wide = shape.outputs
    taps = (shape.filter_height, shape.filter_width)
    kernel = _Kernel(wide, shape.filters, shape.channels, shape.groups, taps, shape.depthwise, kind)
    size, last = high * wide * shape.filters, shape.images if hi is None else hi
    for row_phase, down in shape.back(0):
        for phase, across in shape.back(1):

            def placed(
                b: Builder, x: V, n: V, row: V, i: V, j: V, used: int, mask: V | None, first: int = row_phase,
                second: int = phase,
            ) -> None:  # fmt: skip
                line = shifted(b, scaled(b, row, shape.strides[0]), first)
                line = shifted(b, scaled(b, n, shape.height), line)
                pixel = shifted(b, scaled(b, i, shape.strides[1]), second)
                epilogue(b, x, shifted(b, scaled(b, line, shape.width), pixel), j, used, mask)

            _Images(b, dY, size, turned, down, across, kernel, columns, placed, rolled).write(lo, last)


def bounds(b: Builder, axis: Axis, o: V, clipped: bool = True) -> tuple[V, V]:
    """The taps of output o that read a position there is: from the first up to before the second."""
    if not clipped:
        return index(0), index(axis.taps)
    start, step = shifted(b, scaled(b, o, axis.stride), axis.first), index(axis.step)
    zero, taps = index(0), index(axis.taps)
    before = b.sub(index(axis.step - 1), start)
    first = b.op("div", b.select(b.compare("lt", before, zero), zero, before), step)
    room = b.sub(index(axis.inputs - 1 + axis.step), start)
    last = b.op("div", b.select(b.compare("lt", room, zero), zero, room), step)
    return first, b.select(b.compare("lt", last, taps), last, taps)


def over_taps(
    b: Builder, axis: Axis, o: V, carried: Sequence[V], body: Callable[[V, list[V]], list[V]], clipped: bool = False
) -> list[V]:  # fmt: skip
    """What is carried through `body(tap, carried)` for all taps of an output, clipped to those that read something."""
    if not clipped and axis.taps == 1:
        return body(index(0), list(carried))
    with b.loop(*bounds(b, axis, o, clipped), carried=carried) as loop:
        loop.carry(*body(loop.i, loop.values))
    return loop.results


class _Kernel(NamedTuple):
    """Of what an image is read with: pixels in a row of it, numbers in a pixel, outputs, groups, taps."""

    width: int
    channels: int
    filters: int
    groups: int
    taps: tuple[int, int]
    paired: bool
    kind: Kind

    @property
    def depth(self) -> int:
        """Channels that an output reads of a pixel."""
        return self.channels // self.groups

    @property
    def columns(self) -> int:
        """Outputs that read the same channels; all of them where each reads its own."""
        return self.filters if self.paired else self.filters // self.groups


class _Images:
    """All outputs of some images, being written; the epilogue gets their image, row and column."""

    def __init__(
        self, b: Builder, X: V, size: int, W: V, down: Axis, across: Axis, kernel: _Kernel, columns: int | None,
        epilogue: Callable[[Builder, V, V, V, V, V, int, V | None], None], rolled: bool,
    ) -> None:  # fmt: skip
        self.b, self.X, self.size, self.W, self.down, self.across = b, X, size, W, down, across
        self.kernel, self.kind, self.epilogue = kernel, kernel.kind, epilogue
        self.target = target_of(b.module)
        length, self.arranged = max(1, across.outputs), columns is not None
        self.rows, self.columns = choose_rows(length, kernel.columns, self.target, self.kind, columns)
        self.n = self.begin = index(0)  # the image, and where the filter's block begins
        self.line = kernel.filters  # numbers in a row of the block
        self.buffer = b.allocate(self.kind, self.rows * self.columns) if rolled and self.rows > 1 else None

    def write(self, lo: V | int, hi: V | int) -> None:
        """Images lo..hi, every block of columns of each; where filters are large every image for each block."""
        b = self.b
        if not self.across.outputs or not self.down.outputs:
            return

        def images(body: Callable[[V], None]) -> None:
            with b.loop(lo, hi) as loop:
                body(loop.i)

        if self.arranged:
            self._blocks(lambda *block: images(lambda n: self._rows(n, *block)))
        else:
            images(lambda n: self._blocks(lambda *block: self._rows(n, *block)))

    def _blocks(self, body: Callable[[V, V, int], None]) -> None:
        """`body(channel, column, width)` for every group and block of columns."""
        b, kernel = self.b, self.kernel
        if kernel.groups == 1 or kernel.paired:
            over(b, kernel.columns, self.columns, lambda j, width: body(index(0), j, width))
            return
        with b.loop(0, kernel.groups) as loop:
            channel, first = scaled(b, loop.i, kernel.depth), scaled(b, loop.i, kernel.columns)
            over(b, kernel.columns, self.columns, lambda j, width: body(channel, shifted(b, first, j), width))

    def _rows(self, n: V, channel: V, j: V, width: int) -> None:
        """All rows of some columns."""
        self.n, self.begin = n, j
        if self.arranged:
            high, wide = self.kernel.taps
            self.line, self.begin = width, scaled(self.b, j, high * wide * self.depth)
        parts = parts_of(width, self.target, self.kind)
        if self.kernel.paired:
            channel = j

        def row(o: V, _: int) -> None:
            self._row(o, channel, j, parts)

        over(self.b, self.down.outputs, 1, row)

    def _row(self, o: V, channel: V, j: V, parts: list[Part]) -> None:
        """A row's tiles: whole ones within the image, whole ones at its ends, and one of what is left."""
        b, axis, rows = self.b, self.across, self.rows

        def tile(start: V, count: int, border: bool = True) -> None:
            sums = self._sums(o, start, count, channel, parts, border)
            self._finish(sums, count, o, start, j, parts)

        low, high = axis.inside
        full, rest = divmod(axis.outputs, rows)
        inner = [s for s in range(0, full * rows, rows) if low <= s and s + rows <= high]
        ends = full - len(inner)
        if inner:
            count = len(inner) * rows
            over(b, count, rows, lambda at, _: tile(shifted(b, at, inner[0]), rows, False))
        before = inner[0] // rows if inner else ends

        def end(n: V, _: int) -> None:
            if inner:
                there = b.compare("ge", n, index(before))
                n = shifted(b, n, b.select(there, index(len(inner)), index(0)))
            tile(scaled(b, n, rows), rows)

        over(b, ends, 1, end)
        if rest:
            start = full * rows
            tile(index(start), rest, not low <= start <= axis.outputs <= high)

    def _finish(self, sums: list[V], count: int, o: V, start: V, j: V, parts: list[Part]) -> None:
        def placed(b: Builder, x: V, i: V, j: V, used: int, mask: V | None) -> None:
            self.epilogue(b, x, self.n, o, i, j, used, mask)

        hand_over(self.b, sums, count, parts, start, j, placed, self.buffer)

    @property
    def depth(self) -> int:
        """Numbers that an output reads of a pixel."""
        return 1 if self.kernel.paired else self.kernel.depth

    def _sums(
        self, o: V, start: V, count: int, channel: V, parts: list[Part], border: bool
    ) -> list[V]:  # fmt: skip
        """A tile of `count` outputs from `start` on; at a border some read zeros beyond the image."""
        b, axis, kernel, kind, depth = self.b, self.across, self.kernel, self.kind, self.depth
        sums = zeros(count, parts, kind)
        if not axis.taps or not self.down.taps:
            return sums
        joined = kernel.groups == 1 and axis.step == axis.filter_step == 1
        jump = axis.stride * kernel.channels

        def run(sums: list[V], A: V | list[V], B: V, length: int, step_a: int = 1, step_b: int = 0) -> list[V]:
            number = len(sums) // len(parts)
            unroll = max(1, min(4, 32 // len(sums)))
            offsets = [r * jump if isinstance(A, V) else 0 for r in range(number)]
            step_b = step_b or self.line
            return add_run(b, sums, A, offsets, step_a, B, step_b, parts, length, kind, unroll, kernel.paired)

        def line(t: V, sums: list[V]) -> list[V]:
            if border:
                return over_taps(b, axis, start, sums, lambda u, sums: guarded(t, u, sums))
            if depth == 1 or joined:
                A, B = self._place(o, start, t, 0, channel)
                if depth > 1:
                    return run(sums, A, B, axis.taps * depth)
                return run(sums, A, B, axis.taps, axis.step * kernel.channels, axis.filter_step * self.line)
            return over_taps(b, axis, start, sums, lambda u, sums: tap(t, u, sums))

        def tap(t: V, u: V, sums: list[V]) -> list[V]:
            A, B = self._place(o, start, t, u, channel)
            return run(sums, A, B, depth)

        def guarded(t: V, u: V, sums: list[V]) -> list[V]:
            A, B = self._place(o, start, t, u, channel)
            x = self._position(start, u)
            nothing = self._nothing(depth if not kernel.paired else sum(part.lanes for part in parts))
            rows = []
            for r in range(count):
                place = b.cast(shifted(b, x, r * axis.stride), U64)
                there = b.compare("lt", place, constant(axis.inputs, U64))
                rows.append(b.select(there, self._beyond(A, index(r * jump)), nothing))
            return run(sums, rows, B, depth)

        return over_taps(b, self.down, o, sums, line, self.down.clipped)

    def _nothing(self, count: int) -> V:
        """Zeros, to read where there is no image."""
        name = f"@zeros_{self.kind.name}_{count}"
        text = f"private unnamed_addr constant [{count} x {self.kind.llvm}] zeroinitializer, align 64"
        self.b.module.globals[name] = text
        return V(name, Type(PTR))

    def _beyond(self, pointer: V, offset: V) -> V:
        """An address that may lie outside of its array, unlike those that `Builder.address` writes."""
        return self.b.value(f"getelementptr {self.kind.llvm}, {pointer.text}, {offset.text}", Type(PTR))

    def _position(self, i: V, tap: V) -> V:
        """The position along a row that output i reads for a tap."""
        b, across = self.b, self.across
        x = shifted(b, scaled(b, i, across.stride), across.first)
        return shifted(b, x, scaled(b, tap, across.step))

    def _place(self, o: V, i: V, t: V, u: V | int, channel: V) -> tuple[V, V]:
        """What output (o, i) reads for a tap (t, u): of the image, and of the filter."""
        b, down, across, kernel = self.b, self.down, self.across, self.kernel
        tap = index(u)
        y = shifted(b, shifted(b, scaled(b, o, down.stride), down.first), scaled(b, t, down.step))
        pixel = shifted(b, scaled(b, y, kernel.width), self._position(i, tap))
        at = shifted(b, scaled(b, pixel, kernel.channels), channel)
        A = self._beyond(self.X, shifted(b, scaled(b, self.n, self.size), at))
        p = shifted(b, scaled(b, t, down.filter_step), down.filter_first)
        q = shifted(b, scaled(b, tap, across.filter_step), across.filter_first)
        row = scaled(b, shifted(b, scaled(b, p, kernel.taps[1]), q), self.depth * self.line)
        return A, b.address(self.W, shifted(b, row, self.begin), self.kind)
