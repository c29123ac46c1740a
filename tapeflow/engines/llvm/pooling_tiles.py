"""Pooling of images [n, height, width, channels] and its gradients, vectors of channels at a time, images lo..hi.

A pooling is described by the `Convolution` of one filter a channel that has its windows: see `pooling`. Zeros around an
image take no part, neither in a maximum nor in the number that a mean is divided by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.convolution_tiles import bounds, over_taps
from tapeflow.engines.llvm.convolutions import Axis, Convolution
from tapeflow.engines.llvm.tiles import Epilogue, Part, for_each_vector, over, parts_of, scaled, shifted, target_of
from tapeflow.engines.llvm.values import F32, I1, Kind, V, constant, index

_TOGETHER = 4  # vectors of channels whose taps are gone over in one loop

Pads = tuple[tuple[int, int], tuple[int, int]]


def pooling(
    images: int, height: int, width: int, channels: int, window: tuple[int, int], strides: tuple[int, int],
    pads: Pads = ((0, 0), (0, 0)), dilations: tuple[int, int] = (1, 1),
) -> Convolution:  # fmt: skip
    """The shape of a pooling."""
    return Convolution(images, height, width, channels, *window, channels, strides, dilations, pads, channels)


def needs_place(shape: Convolution) -> bool:
    """Whether windows overlap or leave gaps, so that the gradients need an array of the images' size to add up in."""
    return (shape.filter_height, shape.filter_width) != shape.strides or shape.dilations != (1, 1)


def max_pool(
    b: Builder, X: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0, hi: V | int | None = None,
    kind: Kind = F32,
) -> None:  # fmt: skip
    """The greatest number of every window; NaN where one is NaN. The epilogue gets pixels over all images."""

    def more(x: V, most: V) -> V:
        return b.intrinsic("maximum", most, x, flags="nsz")

    _pool(b, X, shape, float("-inf"), more, lambda x, count: x, epilogue, lo, hi, kind)


def average_pool(
    b: Builder, X: V, shape: Convolution, *, epilogue: Epilogue, lo: V | int = 0, hi: V | int | None = None,
    kind: Kind = F32,
) -> None:  # fmt: skip
    """The mean of every window. The epilogue gets pixels over all images."""

    def mean(x: V, count: V) -> V:
        return b.div(x, b.splat(count, x.lanes))

    _pool(b, X, shape, 0.0, lambda x, sum: b.add(sum, x), mean, epilogue, lo, hi, kind)


def max_pool_gradient(
    b: Builder, X: V, Y: V, dY: V, shape: Convolution, *, epilogue: Epilogue, place: V | None = None, lo: V | int = 0,
    hi: V | int | None = None, kind: Kind = F32,
) -> None:  # fmt: skip
    """The gradient by the images, from what `max_pool` read and gave: the first of equal maxima takes all of it.

    The epilogue gets every pixel of all images once. `place` is as large as X and needed where `needs_place` says so;
    it may be the memory that the epilogue stores to.
    """

    def tap(x: V, y: V, g: V, left: V) -> tuple[V, V]:
        here = b.op("or", b.compare("eq", x, y), b.compare("uno", x, x))
        taken = b.op("and", here, left)
        return b.select(taken, g, constant(0, kind, g.lanes)), b.op("xor", left, taken)

    _Spread(b, X, Y, dY, shape, tap, None, epilogue, place, kind).write(lo, hi)


def average_pool_gradient(
    b: Builder, dY: V, shape: Convolution, *, epilogue: Epilogue, place: V | None = None, lo: V | int = 0,
    hi: V | int | None = None, kind: Kind = F32,
) -> None:  # fmt: skip
    """The gradient by the images: each of a window's numbers takes its share. See `max_pool_gradient`."""

    def share(g: V, count: V) -> V:
        return b.div(g, b.splat(count, g.lanes))

    _Spread(b, None, None, dY, shape, None, share, epilogue, place, kind).write(lo, hi)


def _count(b: Builder, down: Axis, across: Axis, o: V, i: V, kind: Kind) -> V:
    """How many numbers a window has within the image."""
    count = None
    for axis, at in ((down, o), (across, i)):
        first, last = bounds(b, axis, at, axis.clipped)
        length = b.sub(last, first) if axis.clipped else last
        count = length if count is None else b.mul(count, length)
    assert count is not None
    return constant(down.taps * across.taps, kind) if not (down.clipped or across.clipped) else b.cast(count, kind)


def _position(b: Builder, axis: Axis, o: V, tap: V) -> V:
    return shifted(b, shifted(b, scaled(b, o, axis.stride), axis.first), scaled(b, tap, axis.step))


def _pool(
    b: Builder, X: V, shape: Convolution, start: float, step: Callable[[V, V], V], finish: Callable[[V, V], V],
    epilogue: Epilogue, lo: V | int, hi: V | int | None, kind: Kind,
) -> None:  # fmt: skip
    """Every window's numbers taken together by `step(number, so far)`, and what their count makes of it."""
    down, across = shape.axis(0), shape.axis(1)
    target, channels = target_of(b.module), shape.channels
    with (
        b.loop(lo, shape.images if hi is None else hi) as images,
        b.loop(0, down.outputs) as rows,
        b.loop(0, across.outputs) as columns,
    ):
        image = scaled(b, images.i, shape.image_size)
        o, i = rows.i, columns.i
        line = shifted(b, scaled(b, images.i, down.outputs), o)
        pixel = shifted(b, scaled(b, line, across.outputs), i)
        count = _count(b, down, across, o, i, kind)

        def some(j: V, width: int) -> None:
            parts = parts_of(width, target, kind)

            def row(t: V, found: list[V]) -> list[V]:
                y = scaled(b, _position(b, down, o, t), shape.width)

                def tap(u: V, found: list[V]) -> list[V]:
                    at = scaled(b, shifted(b, y, _position(b, across, i, u)), channels)
                    place = b.address(X, shifted(b, shifted(b, image, at), j), kind)
                    return [
                        step(b.load(b.address(place, part.at, kind), kind, part.lanes, mask=part.mask(b)), x)
                        for part, x in zip(parts, found, strict=True)
                    ]

                return over_taps(b, across, i, found, tap, across.clipped)

            found = [constant(start, kind, part.lanes) for part in parts]
            for part, x in zip(parts, over_taps(b, down, o, found, row, down.clipped), strict=True):
                epilogue(b, finish(x, count), pixel, shifted(b, j, part.at), part.used, part.mask(b))

        over(b, channels, _TOGETHER * target.lanes(kind), some)


class _Spread:
    """Gradients of windows handed out to the numbers that they were made of, being written.

    Windows side by side give every number its gradient once. There the windows go on to the image's end, those beyond
    the last result with a gradient of zero. Otherwise gradients are added up in an array first.
    """

    def __init__(
        self, b: Builder, X: V | None, Y: V | None, dY: V, shape: Convolution,
        tap: Callable[[V, V, V, V], tuple[V, V]] | None, share: Callable[[V, V], V] | None, epilogue: Epilogue,
        place: V | None, kind: Kind,
    ) -> None:  # fmt: skip
        self.b, self.X, self.Y, self.dY, self.shape, self.kind = b, X, Y, dY, shape, kind
        self.tap, self.share, self.epilogue, self.place = tap, share, epilogue, place
        self.down, self.across = shape.axis(0), shape.axis(1)
        self.adding = needs_place(shape)
        if self.adding and place is None:
            raise ValueError("windows that overlap or leave gaps need a place to add up gradients in")

    def write(self, lo: V | int, hi: V | int | None) -> None:
        """All images lo..hi."""
        b, shape, kind = self.b, self.shape, self.kind
        with b.loop(lo, shape.images if hi is None else hi) as images:
            n = images.i
            if not self.adding:
                self._windows(n, self._beyond(self.down), self._beyond(self.across))
                return
            assert self.place is not None
            image = b.address(self.place, scaled(b, n, shape.image_size), kind)

            def clear(at: V, part: Part) -> None:
                b.store(constant(0, kind, part.lanes), b.address(image, at, kind), mask=part.mask(b))

            for_each_vector(b, shape.image_size, kind, clear)
            self._windows(n, self.down, self.across)
            with b.loop(0, shape.height * shape.width) as pixels:
                row = b.address(image, scaled(b, pixels.i, shape.channels), kind)
                pixel = shifted(b, scaled(b, n, shape.height * shape.width), pixels.i)

                def done(j: V, part: Part) -> None:
                    x = b.load(b.address(row, j, kind), kind, part.lanes, mask=part.mask(b))
                    self.epilogue(b, x, pixel, j, part.used, part.mask(b))

                for_each_vector(b, shape.channels, kind, done)

    def _beyond(self, axis: Axis) -> Axis:
        """An axis with windows up to the image's end."""
        return axis._replace(outputs=-(-(axis.inputs - axis.first) // axis.stride))

    def _windows(self, n: V, down: Axis, across: Axis) -> None:
        """Every window of an image."""
        b, kind, shape = self.b, self.kind, self.shape
        target = target_of(b.module)
        with b.loop(0, down.outputs) as rows, b.loop(0, across.outputs) as columns:
            o, i = rows.i, columns.i
            there, inside = None, []
            for axis, longer, at in ((self.down, down, o), (self.across, across, i)):
                if longer.outputs > axis.outputs:
                    yes = b.compare("lt", at, index(axis.outputs))
                    inside.append(b.select(yes, at, index(axis.outputs - 1)))
                    there = yes if there is None else b.op("and", there, yes)
                else:
                    inside.append(at)
            line = shifted(b, scaled(b, n, self.down.outputs), inside[0])
            result = scaled(b, shifted(b, scaled(b, line, self.across.outputs), inside[1]), shape.channels)
            count = _count(b, down, across, o, i, kind) if self.share is not None else None

            def some(j: V, width: int) -> None:
                parts = parts_of(width, target, kind)
                where = shifted(b, result, j)
                gradients = self._loaded(self.dY, where, parts)
                if self.share is not None and count is not None:
                    gradients = [self.share(g, count) for g in gradients]
                if there is not None:
                    gradients = [b.select(there, g, constant(0, kind, g.lanes)) for g in gradients]
                maxima = self._loaded(self.Y, where, parts) if self.Y is not None else []
                left = [constant(1, I1, part.lanes) for part in parts] if self.tap is not None else []

                def row(t: V, left: list[V]) -> list[V]:
                    y = shifted(b, scaled(b, n, shape.height), _position(b, down, o, t))

                    def one(u: V, left: list[V]) -> list[V]:
                        pixel = shifted(b, scaled(b, y, shape.width), _position(b, across, i, u))
                        return self._hand_out(pixel, j, parts, gradients, maxima, left)

                    return over_taps(b, across, i, left, one, across.clipped)

                over_taps(b, down, o, left, row, down.clipped)

            over(b, shape.channels, _TOGETHER * target.lanes(kind), some)

    def _loaded(self, place: V, at: V, parts: Sequence[Part]) -> list[V]:
        b, kind = self.b, self.kind
        start = b.address(place, at, kind)
        return [b.load(b.address(start, part.at, kind), kind, part.lanes, mask=part.mask(b)) for part in parts]

    def _hand_out(
        self, pixel: V, j: V, parts: Sequence[Part], gradients: Sequence[V], maxima: Sequence[V], left: list[V]
    ) -> list[V]:  # fmt: skip
        """What one number of a window takes; returns which channels' gradients are still to be taken."""
        b, kind = self.b, self.kind
        at = shifted(b, scaled(b, pixel, self.shape.channels), j)
        if self.tap is not None and self.X is not None:
            numbers = self._loaded(self.X, at, parts)
            both = [self.tap(*four) for four in zip(numbers, maxima, gradients, left, strict=True)]
            gradients, left = [g for g, _ in both], [rest for _, rest in both]
        for part, g in zip(parts, gradients, strict=True):
            mask = part.mask(b)
            if self.adding:
                assert self.place is not None
                sum = b.address(self.place, shifted(b, at, part.at), kind)
                b.store(b.add(g, b.load(sum, kind, part.lanes, mask=mask)), sum, mask=mask)
            else:
                self.epilogue(b, g, pixel, shifted(b, j, part.at), part.used, mask)
        return left
