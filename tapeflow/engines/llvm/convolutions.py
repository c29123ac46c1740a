"""What a convolution is along its axes, seen from what it writes: outputs, positions that they read, taps of a filter.

A convolution and its gradient by the input are one thing: every output is a sum, over taps, of the numbers at positions
that go on by a step, times rows of a filter that go on by another.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple


class Axis(NamedTuple):
    """Output o reads, for tap t, position o * stride + first + t * step if it lies in 0..inputs, and the filter's row
    filter_first + t * filter_step."""

    outputs: int
    inputs: int
    stride: int
    first: int
    step: int
    taps: int
    filter_first: int = 0
    filter_step: int = 1

    @property
    def inside(self) -> tuple[int, int]:
        """The outputs that read nothing beyond the input: from the first of them up to before the second."""
        if not self.taps:
            return 0, self.outputs
        low = max(0, -(self.first // self.stride)) if self.first < 0 else 0
        high = (self.inputs - 1 - self.first - (self.taps - 1) * self.step) // self.stride + 1
        high = max(0, min(high, self.outputs))
        return min(low, high), high

    @property
    def clipped(self) -> bool:
        """Whether some output reads beyond the input."""
        return self.inside != (0, self.outputs)


class Convolution(NamedTuple):
    """Sizes: images of [height, width, channels], filters [filter_height, filter_width, channels / groups, filters].

    Results are [images, *outputs, filters]. `pads` are the zeros before and after, for height and for width.
    """

    images: int
    height: int
    width: int
    channels: int
    filter_height: int
    filter_width: int
    filters: int
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    groups: int = 1

    @property
    def outputs(self) -> tuple[int, int]:
        """Height and width of the results."""
        high, wide = self.axis(0).outputs, self.axis(1).outputs
        return high, wide

    @property
    def depthwise(self) -> bool:
        """Whether every channel has one filter of its own."""
        return self.groups == self.channels == self.filters

    @property
    def image_size(self) -> int:
        """Numbers in an image."""
        return self.height * self.width * self.channels

    @property
    def filter_size(self) -> int:
        """Numbers in all filters."""
        return self.filter_height * self.filter_width * (self.channels // self.groups) * self.filters

    def merged(self) -> Convolution:
        """The same with its pixels in one row, where a filter sees one pixel and all of them."""
        if self.filter_height * self.filter_width == 1 and self.strides == (1, 1) and self.pads == ((0, 0), (0, 0)):
            return self._replace(height=1, width=self.height * self.width)
        return self

    def axis(self, n: int) -> Axis:
        """Height (0) or width (1) of the convolution."""
        size, taps = (self.height, self.width)[n], (self.filter_height, self.filter_width)[n]
        stride, step, (before, after) = self.strides[n], self.dilations[n], self.pads[n]
        outputs = max(0, (size + before + after - (taps - 1) * step - 1) // stride + 1)
        return Axis(outputs, size, stride, -before, step, taps)

    def back(self, n: int) -> list[tuple[int, Axis]]:
        """Height or width of the gradient by the input, one axis for every phase of the stride, with turned filters.

        Phase a writes positions a, a + stride, ...: those read every tap whose distance is a multiple of the stride.
        """
        forward = self.axis(n)
        stride, step, taps, pad = forward.stride, forward.step, forward.taps, -forward.first
        common = gcd(stride, step)
        apart = stride // common
        axes = []
        for a in range(min(stride, forward.inputs)):
            count = -(-(forward.inputs - a) // stride)
            found = [k for k in range(min(apart, taps)) if (a + pad - k * step) % stride == 0]
            if not found:
                axes.append((a, Axis(count, forward.outputs, 1, 0, 1, 0)))
                continue
            number = -(-(taps - found[0]) // apart)
            last = found[0] + (number - 1) * apart
            first = (a + pad - last * step) // stride
            axes.append((a, Axis(count, forward.outputs, 1, first, step // common, number, taps - 1 - last, apart)))
        return axes
