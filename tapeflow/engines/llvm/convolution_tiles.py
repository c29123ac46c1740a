"""Convolutions of images [n, height, width, channels] as tiles in registers: pixels of a row times vectors of channels.

`forward` and `input_gradient` work on images lo..hi. The filters' gradient is in `filter_gradients`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import F32, PTR, U64, Builder, Kind, Type, V, constant, index
from tapeflow.engines.llvm.convolutions import Axis, Convolution
from tapeflow.engines.llvm.products import transpose
from tapeflow.engines.llvm.tiles import (
    Epilogue,
    Part,
    Target,
    add_run,
    for_each_vector,
    hand_over,
    over,
    parts_of,
    scaled,
    shifted,
    target_of,
    turn_cycles,
    zeros,
)

# Where a pixel has few numbers, up to so many tiles at the ends of a row are written out tap by tap, as many taps at
# most: finding out at run time which outputs read a pixel would take longer than reading it.
_SHALLOW, _BORDERS, _TAPS = 4, 4, 7


def forward(
    b: Builder, X: V, W: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0, hi: V | int | None = None,
    kind: Kind = F32, rolled: bool = True,
) -> None:  # fmt: skip
    """The convolution of images lo..hi, all if `hi` is not given.

    `epilogue(b, x, i, j, used, mask)` gets the vector of pixel i, counted over all images, and filters j, j + 1, ...
    """
    shape = shape.merged()
    down, across = shape.axis(0), shape.axis(1)
    kernel = _Kernel(
        shape.width, shape.channels, shape.filters, shape.groups, shape.filter_width, shape.depthwise, kind
    )
    size_in = shape.image_size
    size_out = down.outputs * across.outputs
    with b.loop(lo, shape.images if hi is None else hi) as loop:
        image, before = b.address(X, scaled(b, loop.i, size_in), kind), scaled(b, loop.i, size_out)

        def placed(b: Builder, x: V, row: V, i: V, j: V, used: int, mask: V | None) -> None:
            epilogue(b, x, shifted(b, shifted(b, before, scaled(b, row, across.outputs)), i), j, used, mask)

        _Image(b, image, W, down, across, kernel, placed, rolled).write()


def input_gradient(
    b: Builder, dY: V, turned: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0,
    hi: V | int | None = None, kind: Kind = F32, rolled: bool = True,
) -> None:  # fmt: skip
    """The gradient by the input, for images lo..hi, from filters that `turn_filters` wrote.

    The epilogue gets the vector of pixel i, counted over all images, and channels j, j + 1, ...; every one once.
    """
    shape = shape.merged()
    high, wide = shape.outputs
    kernel = _Kernel(wide, shape.filters, shape.channels, shape.groups, shape.filter_width, shape.depthwise, kind)
    with b.loop(lo, shape.images if hi is None else hi) as loop:
        image = b.address(dY, scaled(b, loop.i, high * wide * shape.filters), kind)
        before = scaled(b, loop.i, shape.height * shape.width)
        for row_phase, down in shape.back(0):
            for phase, across in shape.back(1):

                def placed(
                    b: Builder, x: V, row: V, i: V, j: V, used: int, mask: V | None, first: int = row_phase,
                    second: int = phase,
                ) -> None:  # fmt: skip
                    line = shifted(b, scaled(b, row, shape.strides[0]), first)
                    pixel = shifted(b, scaled(b, i, shape.strides[1]), second)
                    pixel = shifted(b, shifted(b, before, scaled(b, line, shape.width)), pixel)
                    epilogue(b, x, pixel, j, used, mask)

                _Image(b, image, turned, down, across, kernel, placed, rolled).write()


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
        end = b.address(place, scaled(b, back, theirs * inputs), kind)
        if shape.depthwise:
            for_each_vector(b, inputs, kind, lambda at, part: _move(b, source, end, at, part, kind))
        elif shape.groups == 1:
            transpose(b, source, outputs, end, inputs, inputs, outputs, kind)
        else:
            with b.loop(0, shape.groups) as group:
                begin = b.address(source, scaled(b, group.i, theirs), kind)
                finish = b.address(end, scaled(b, group.i, ours), kind)
                transpose(b, begin, outputs, finish, inputs, ours, theirs, kind)


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


def _move(b: Builder, source: V, place: V, at: V, part: Part, kind: Kind) -> None:
    mask = part.mask(b)
    b.store(b.load(b.address(source, at, kind), kind, part.lanes, mask=mask), b.address(place, at, kind), mask=mask)


class _Kernel(NamedTuple):
    """Of what an image is read with: pixels in a row of it, numbers in a pixel, outputs, groups, taps of a row."""

    width: int
    channels: int
    filters: int
    groups: int
    filter_width: int
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


def choose_rows(length: int, columns: int, target: Target, kind: Kind) -> tuple[int, int]:
    """Rows and columns of a tile for runs of so many rows, by the least estimated time."""
    lanes = target.lanes(kind)
    spare = 1 if target.masked else 2
    best = (float("inf"), 1, lanes)
    for vectors in range(1, min(-(-columns // lanes), 8) + 1):
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


class _Image:
    """All outputs of one image, being written; the epilogue gets their row and column."""

    def __init__(
        self, b: Builder, X: V, W: V, down: Axis, across: Axis, kernel: _Kernel,
        epilogue: Callable[[Builder, V, V, V, V, int, V | None], None], rolled: bool,
    ) -> None:  # fmt: skip
        self.b, self.X, self.W, self.down, self.across = b, X, W, down, across
        self.kernel, self.kind, self.epilogue = kernel, kernel.kind, epilogue
        self.target = target_of(b.module)
        self.rows, self.columns = choose_rows(max(1, across.outputs), kernel.columns, self.target, self.kind)
        self.buffer = b.allocate(self.kind, self.rows * self.columns) if rolled and self.rows > 1 else None

    def write(self) -> None:
        """Every group, every block of columns, every row."""
        b, kernel = self.b, self.kernel
        if not self.across.outputs or not self.down.outputs:
            return
        if kernel.groups == 1 or kernel.paired:
            over(b, kernel.columns, self.columns, lambda j, width: self._rows(index(0), j, width))
            return
        with b.loop(0, kernel.groups) as loop:
            channel, first = scaled(b, loop.i, kernel.depth), scaled(b, loop.i, kernel.columns)
            over(
                b, kernel.columns, self.columns,
                lambda j, width: self._rows(channel, shifted(b, first, j), width),
            )  # fmt: skip

    def _rows(self, channel: V, j: V, width: int) -> None:
        """All rows of some columns."""
        parts = parts_of(width, self.target, self.kind)
        if self.kernel.paired:
            channel = j

        def row(o: V, _: int) -> None:
            self._row(o, channel, j, parts)

        over(self.b, self.down.outputs, 1, row)

    def _row(self, o: V, channel: V, j: V, parts: list[Part]) -> None:
        """A row's tiles: whole ones within the image, whole ones at its ends, and one of what is left."""
        b, axis, rows = self.b, self.across, self.rows

        def tile(start: V, count: int, border: bool = True, at: int | None = None) -> None:
            sums = self._sums(o, start, count, channel, j, parts, border, at)
            self._finish(sums, count, o, start, j, parts)

        low, high = axis.inside
        full, rest = divmod(axis.outputs, rows)
        inner = [s for s in range(0, full * rows, rows) if low <= s and s + rows <= high]
        ends = full - len(inner)
        shallow = self.depth <= _SHALLOW and axis.taps <= _TAPS
        if inner:
            count = len(inner) * rows
            over(b, count, rows, lambda at, _: tile(shifted(b, at, inner[0]), rows, False))
        if shallow and ends <= _BORDERS:
            for s in range(0, full * rows, rows):
                if s not in inner:
                    tile(index(s), rows, at=s)
        else:
            before = inner[0] // rows if inner else ends

            def end(n: V, _: int) -> None:
                if inner:
                    there = b.compare("ge", n, index(before))
                    n = shifted(b, n, b.select(there, index(len(inner)), index(0)))
                tile(scaled(b, n, rows), rows)

            over(b, ends, 1, end)
        if rest:
            start = full * rows
            tile(index(start), rest, not low <= start <= axis.outputs <= high, start if shallow else None)

    def _finish(self, sums: list[V], count: int, o: V, start: V, j: V, parts: list[Part]) -> None:
        def placed(b: Builder, x: V, i: V, j: V, used: int, mask: V | None) -> None:
            self.epilogue(b, x, o, i, j, used, mask)

        hand_over(self.b, sums, count, parts, start, j, placed, self.buffer)

    @property
    def depth(self) -> int:
        """Numbers that an output reads of a pixel."""
        return 1 if self.kernel.paired else self.kernel.depth

    def _sums(
        self, o: V, start: V, count: int, channel: V, j: V, parts: list[Part], border: bool, at: int | None
    ) -> list[V]:  # fmt: skip
        """A tile of `count` outputs from `start` on; some may read beyond the image at a border, which is at `at`."""
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
            step_b = step_b or kernel.filters
            return add_run(b, sums, A, offsets, step_a, B, step_b, parts, length, kind, unroll, kernel.paired)

        def line(t: V, sums: list[V]) -> list[V]:
            if border:
                if at is None:
                    return over_taps(b, axis, start, sums, lambda u, sums: guarded(t, u, sums))
                return written_out(t, sums)
            if depth == 1 or joined:
                A, B = self._place(o, start, 0, t, 0, channel, j)
                if depth > 1:
                    return run(sums, A, B, axis.taps * depth)
                return run(sums, A, B, axis.taps, axis.step * kernel.channels, axis.filter_step * kernel.filters)
            return over_taps(b, axis, start, sums, lambda u, sums: tap(t, u, sums))

        def tap(t: V, u: V, sums: list[V]) -> list[V]:
            A, B = self._place(o, start, 0, t, u, channel, j)
            return run(sums, A, B, depth)

        def guarded(t: V, u: V, sums: list[V]) -> list[V]:
            A, B = self._place(o, start, 0, t, u, channel, j)
            x = self._position(start, 0, u)
            nothing = self._nothing(depth if not kernel.paired else sum(part.lanes for part in parts))
            rows = []
            for r in range(count):
                place = b.cast(shifted(b, x, r * axis.stride), U64)
                there = b.compare("lt", place, constant(axis.inputs, U64))
                rows.append(b.select(there, b.address(A, r * jump, kind), nothing))
            return run(sums, rows, B, depth)

        def written_out(t: V, sums: list[V]) -> list[V]:
            assert at is not None
            sums = list(sums)
            for u in range(axis.taps):
                first, last = axis.valid(u, at, count)
                if first < last:
                    A, B = self._place(o, start, first, t, u, channel, j)
                    some = slice(first * len(parts), last * len(parts))
                    sums[some] = run(sums[some], A, B, depth)
            return sums

        return over_taps(b, self.down, o, sums, line, self.down.clipped)

    def _nothing(self, count: int) -> V:
        """Zeros, to read where there is no image."""
        name = f"@zeros_{self.kind.name}_{count}"
        text = f"private unnamed_addr constant [{count} x {self.kind.llvm}] zeroinitializer, align 64"
        self.b.module.globals[name] = text
        return V(name, Type(PTR))

    def _position(self, i: V, more: int, tap: V) -> V:
        """The position along a row that output i + more reads for a tap."""
        b, across = self.b, self.across
        x = shifted(b, scaled(b, i, across.stride), across.first + more * across.stride)
        return shifted(b, x, scaled(b, tap, across.step))

    def _place(
        self, o: V, i: V, more: int, t: V, u: V | int, channel: V, j: V
    ) -> tuple[V, V]:  # fmt: skip
        """What output (o, i + more) reads for a tap (t, u): of the image, and of the filter."""
        b, down, across, kernel = self.b, self.down, self.across, self.kernel
        tap = index(u)
        y = shifted(b, shifted(b, scaled(b, o, down.stride), down.first), scaled(b, t, down.step))
        pixel = shifted(b, scaled(b, y, kernel.width), self._position(i, more, tap))
        A = b.address(self.X, shifted(b, scaled(b, pixel, kernel.channels), channel), self.kind)
        p = shifted(b, scaled(b, t, down.filter_step), down.filter_first)
        q = shifted(b, scaled(b, tap, across.filter_step), across.filter_first)
        row = scaled(b, shifted(b, scaled(b, p, kernel.filter_width), q), self.depth * kernel.filters)
        return A, b.address(self.W, shifted(b, row, j), self.kind)
