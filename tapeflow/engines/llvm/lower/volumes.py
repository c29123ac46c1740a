"""Convolutions and pooling in three dimensions, as such in two: the depth becomes images and channels, or comes after.

Of a convolution, the layers that a result reads stand side by side as channels of one image, so that what there is for
images computes all of it. Windows of a pooling are gone over in height and width first, then in depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from ....ops.windows import Axis, axes_of, of_axis
from ..pieces import Unsupported
from ..program import Cell, Program


class Depth(NamedTuple):
    """The depth of a convolution of volumes [n, depth, height, width, channels] in groups of channels."""

    axis: Axis
    groups: int

    @classmethod
    def of(cls, x: Sequence[int], k: Sequence[int], strides: tuple, padding: Any, dilations: tuple) -> Depth:
        """The depth of the convolution of a shape with filters [depth, height, width, channels / groups, f]."""
        one = padding if isinstance(padding, str) else (of_axis(padding, 0),)
        (axis,) = axes_of((x[1],), (k[0],), strides[:1], dilations[:1], one, "Conv3D")
        if axis.before < 0 or not axis.taps or not k[-2] or x[-1] % k[-2]:
            raise Unsupported("padding that takes away, or channels that filters do not divide")
        return cls(axis, x[-1] // k[-2])

    def layers(self, program: Program, x: Cell) -> Cell:
        """Images [n * outputs, height, width, channels of all layers that an output reads], group by group."""
        n, _, high, wide, channels = x.shape
        each, axis = channels // self.groups, self.axis
        shape = (n, axis.outputs, high, wide, self.groups, axis.window, each)

        def made() -> Cell:
            pieces = []
            for j, outs, ins in axis.taps:
                count = outs.stop - outs.start
                part = program.slice(x, (0, ins.start, 0, 0, 0), (1, axis.stride, 1, 1, 1), (n, count, *x.shape[2:]))
                split = program.reshape(part, (n, count, high, wide, self.groups, 1, each))
                pieces.append((split, (0, outs.start, 0, 0, 0, j, 0)))
            filled = sum(count.stop - count.start for _, count, _ in axis.taps) == axis.outputs * axis.window
            return program.parts(shape, pieces, None if filled else 0)

        flat = (n * axis.outputs, high, wide, axis.window * channels)
        if axis.window == axis.stride == 1 and axis.outputs == axis.size:
            return program.reshape(x, flat)
        return program.reshape(program.once(("layers", x, self), made), flat)

    def filters(self, program: Program, k: Cell) -> Cell:
        """Filters [height, width, channels of all layers / groups, f]."""
        depth, high, wide, channels, count = k.shape
        return program.reshape(program.transpose(k, (1, 2, 0, 3, 4)), (high, wide, depth * channels, count))

    def filters_back(self, program: Program, k: Cell, shape: Sequence[int]) -> Cell:
        """Filters of `filters` as they were."""
        depth, high, wide, channels, count = shape
        return program.transpose(program.reshape(k, (high, wide, depth, channels, count)), (2, 0, 1, 3, 4))

    def folded(self, program: Program, d: Cell, shape: Sequence[int]) -> Cell:
        """Images of `layers` added up where they came from: volumes of a shape."""
        n, size, high, wide, channels = shape
        axis, each = self.axis, channels // self.groups
        if axis.window == axis.stride == 1 and axis.outputs == axis.size:
            return program.reshape(d, shape)
        split = program.reshape(d, (n, axis.outputs, high, wide, self.groups, axis.window, each))
        arrays: list[tuple[set[int], list[tuple]]] = []  # layers that are apart from each other share an array
        for j, outs, ins in axis.taps:
            count = outs.stop - outs.start
            part = program.slice(
                split, (0, outs.start, 0, 0, 0, j, 0), (1,) * 7, (n, count, high, wide, self.groups, 1, each)
            )
            piece = (
                program.reshape(part, (n, count, high, wide, channels)),
                (0, ins.start, 0, 0, 0),
                (1, axis.stride, 1, 1, 1),
            )
            places = set(range(size)[ins])
            for taken, pieces in arrays:
                if not taken & places:
                    taken |= places
                    pieces.append(piece)
                    break
            else:
                arrays.append((places, [piece]))
        total: Cell | None = None
        for taken, pieces in arrays:
            made = program.parts(shape, pieces, None if len(taken) == size else 0)
            total = made if total is None else program.binary("add", total, made)
        assert total is not None
        return total


def without_depth(how: tuple) -> tuple:
    """(strides, padding, dilations) of the two dimensions behind the depth."""
    strides, padding, dilations = how
    return strides[1:], padding if isinstance(padding, str) else padding[1:], dilations[1:]


def pooling_stages(shape: Sequence[int], pooled: Sequence[int], how: tuple) -> list[tuple]:
    """The poolings that one of volumes is made of: (shape of its images, its attributes, shape of what it gives)."""
    n, depth, high, wide, channels = shape
    _, low, *space, _ = pooled
    numbers, padding = how[:3], how[3]

    def of(*axes: int) -> tuple:
        one = padding if isinstance(padding, str) else tuple(padding[i] for i in axes)
        return (*[tuple(each[i] for i in axes) for each in numbers], one)

    width = prod(space) * channels
    return [
        ((n * depth, high, wide, channels), of(0, 2, 3, 4), (n * depth, *space, channels)),
        ((n, depth, width), of(0, 1, 4), (n, low, width)),
    ]
