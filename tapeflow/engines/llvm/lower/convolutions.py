"""Convolutions and pooling, and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....ops.windows import axes_of
from ..builder import Builder
from ..convolution_tiles import forward, input_gradient
from ..convolutions import Convolution
from ..filter_gradients import add_chunks, chunks_of, filter_gradient, scratch_numbers
from ..filter_layouts import arrange_filters, arranges, turn_filters
from ..pieces import Unsupported
from ..pooling_tiles import (
    average_pool,
    average_pool_gradient,
    max_pool,
    max_pool_gradient,
    needs_place,
    pooling,
)
from ..program import Cell, Program
from ..values import F32, F64, V
from .rules import rule
from .volumes import Depth, pooling_stages, without_depth

Finished = Callable[[V, V, V, V | None], None]


def _epilogue(finished: Finished) -> Callable:
    return lambda b, x, i, j, used, mask: finished(i, j, x, mask)


# -- shapes --


def _floats(x: Cell) -> None:
    if x.kind not in (F32, F64):
        raise Unsupported(f"a convolution of {x.kind.name}")


def _geometry(x: Sequence[int], k: Sequence[int], strides: tuple, padding: Any, dilations: tuple) -> Convolution:
    """The shape of a convolution of [n, ..., c] images with [..., c / groups, f] filters."""
    space = len(strides)
    found = axes_of(tuple(x[1:-1]), tuple(k[:-2]), strides, dilations, padding, "Conv2D")
    pads = [_pads(axis) for axis in found]
    sizes, windows = list(x[1:-1]), list(k[:-2])
    strides, dilations = tuple(strides), tuple(dilations)
    if space == 1:
        sizes, windows, pads = [1, *sizes], [1, *windows], [(0, 0), *pads]
        strides, dilations = (1, *strides), (1, *dilations)
    if k[-2] == 0 or x[-1] % k[-2]:
        raise Unsupported("channels that filters do not divide")
    return Convolution(
        x[0], sizes[0], sizes[1], x[-1], windows[0], windows[1], k[-1], strides, dilations, (pads[0], pads[1]),
        x[-1] // k[-2],
    )  # fmt: skip


def _pads(axis: Any) -> tuple[int, int]:
    after = (axis.outputs - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 - axis.before - axis.size
    if axis.before < 0 or axis.outputs < 1:
        raise Unsupported("padding that takes away")
    return axis.before, max(after, 0)


def _work(shape: Convolution) -> int:
    high, wide = shape.outputs
    return shape.images * high * wide * shape.filter_size // 4


def _last(program: Program, x: Cell, first: bool) -> Cell:
    """Images with their channels last, in one piece."""
    rank = len(x.shape)
    return program.whole(program.transpose(x, (0, *range(2, rank), 1)) if first else x)


def _first(program: Program, x: Cell, first: bool) -> Cell:
    """Images with their channels where they were."""
    rank = len(x.shape)
    return program.transpose(x, (0, rank - 1, *range(1, rank - 1))) if first else x


def _shape_last(shape: Sequence[int], first: bool) -> tuple[int, ...]:
    return (shape[0], *shape[2:], shape[1]) if first else tuple(shape)


# -- convolutions --


def _convolved(program: Program, x: Cell, k: Cell, how: tuple, shape: Sequence[int]) -> Cell:
    strides, padding, dilations, first = how
    _floats(x)
    x, k = _last(program, x, first), program.whole(k)
    if len(strides) == 3:
        depth = Depth.of(x.shape, k.shape, strides, padding, dilations)
        x, k = depth.layers(program, x), program.whole(depth.filters(program, k))
        strides, padding, dilations = without_depth((strides, padding, dilations))
    geometry = _geometry(x.shape, k.shape, strides, padding, dilations)
    if geometry.groups > 1 and not geometry.depthwise and geometry.filters % geometry.groups:
        raise Unsupported("filters that groups do not divide")

    if arranges(geometry, x.kind):

        def arrange(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
            arrange_filters(b, at[0], place, geometry, kind=k.kind)
            return 1, geometry.filter_size

        filters = program.custom(arrange, (k,), k.shape)
    else:
        filters = k

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        forward(b, at[0], at[1], geometry, epilogue=_epilogue(finished), lo=lo, hi=hi, kind=x.kind, rolled=rolled)
        return geometry.images, _work(geometry)

    return program.tile(write, (x, filters), _shape_last(shape, first))


@rule("convolution")
def _convolution(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, k), how = inputs, node.attributes
    return _first(program, _convolved(program, x, k, how, node.outputs[0].shape), how[-1])


@rule("convolution_with_bias")
def _with_bias(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, k, bias), how = inputs, node.attributes
    return _first(program, program.binary("add", _convolved(program, x, k, how, node.outputs[0].shape), bias), how[-1])


@rule("convolution_input_gradient")
def _input_gradient(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g, k), (_, *how) = inputs, node.attributes
    strides, padding, dilations, first = how
    _floats(g)
    g, k = _last(program, g, first), program.whole(k)
    shape = _shape_last(node.outputs[0].shape, first)
    depth = None
    images = shape
    if len(strides) == 3:
        depth = Depth.of(shape, k.shape, strides, padding, dilations)
        images = (shape[0] * depth.axis.outputs, *shape[2:-1], shape[-1] * depth.axis.window)
        k = program.whole(depth.filters(program, k))
        strides, padding, dilations = without_depth((strides, padding, dilations))
    geometry = _geometry(images, k.shape, strides, padding, dilations)
    taps = geometry.filter_height * geometry.filter_width

    def turn(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        turn_filters(b, at[0], place, geometry, kind=k.kind, lo=lo, hi=hi)
        return taps, geometry.filter_size

    turned = program.custom(turn, (k,), k.shape)

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        input_gradient(
            b, at[0], at[1], geometry, epilogue=_epilogue(finished), lo=lo, hi=hi, kind=g.kind, rolled=rolled
        )
        return geometry.images, _work(geometry)

    made = program.tile(write, (g, turned), images)
    return _first(program, made if depth is None else depth.folded(program, made, shape), first)


@rule("convolution_filter_gradient")
def _filter_gradient(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, g), (_, *how) = inputs, node.attributes
    strides, padding, dilations, first = how
    _floats(x)
    x, g = _last(program, x, first), _last(program, g, first)
    shape = filters = node.outputs[0].shape
    depth = None
    if len(strides) == 3:
        depth = Depth.of(x.shape, shape, strides, padding, dilations)
        x = depth.layers(program, x)
        filters = (*shape[1:3], shape[0] * shape[3], shape[4])
        strides, padding, dilations = without_depth((strides, padding, dilations))
    geometry = _geometry(x.shape, filters, strides, padding, dilations)

    def sums(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        filter_gradient(b, at[0], at[1], place, geometry, kind=x.kind, lo=lo, hi=hi)
        return chunks_of(geometry), _work(geometry)

    scratch = program.custom(sums, (x, g), (scratch_numbers(geometry),))

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        add_chunks(b, at[0], geometry, epilogue=_epilogue(finished), lo=lo, hi=hi, kind=x.kind)
        return geometry.filter_size // geometry.filters, geometry.filter_size * chunks_of(geometry)

    made = program.tile(write, (scratch,), filters)
    return made if depth is None else depth.filters_back(program, made, shape)


# -- pooling --


def _pooling(shape: Sequence[int], how: tuple) -> Convolution:
    """The shape of a pooling of images [n, ..., c]."""
    windows, strides, dilations, padding = how
    rank = len(shape)
    axes = axes_of(tuple(shape), tuple(windows), tuple(strides), tuple(dilations), padding, "MaxPool")[1:-1]
    sizes, window = list(shape[1:-1]), list(windows[1:-1])
    steps, apart = list(strides[1:-1]), list(dilations[1:-1])
    pads = [_pads(axis) for axis in axes]
    if rank == 3:
        sizes, window, steps, apart, pads = [1, *sizes], [1, *window], [1, *steps], [1, *apart], [(0, 0), *pads]
    return pooling(
        shape[0], sizes[0], sizes[1], shape[-1], (window[0], window[1]), (steps[0], steps[1]), (pads[0], pads[1]),
        (apart[0], apart[1]),
    )  # fmt: skip


def _channels_last(rank: int, how: tuple) -> tuple[bool, tuple]:
    """Whether channels stand first, and the attributes for channels that stand last."""
    windows, strides, dilations, padding = how
    passive = [i for i in range(rank) if windows[i] == strides[i] == 1 and not _padded(padding, i)]
    if 0 not in passive or rank - 1 not in passive and 1 not in passive:
        raise Unsupported("pooling over the batch or channels")
    if rank - 1 in passive:
        return False, how
    order = (0, *range(2, rank), 1)
    turned = tuple(tuple(each[i] for i in order) for each in how[:3])
    return True, (*turned, padding if isinstance(padding, str) else tuple(padding[i] for i in order))


def _padded(padding: Any, i: int) -> bool:
    return not isinstance(padding, str) and any(padding[i])


def _stages(shape: Sequence[int], pooled: Sequence[int], how: tuple) -> list[tuple]:
    """The poolings of sequences and images that one is made of."""
    if len(shape) not in (3, 4, 5):
        raise Unsupported("pooling in so many dimensions")
    return pooling_stages(shape, pooled, how) if len(shape) == 5 else [(shape, how, pooled)]


@rule("max_pool", "avg_pool")
def _pool(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), how, shape = inputs, node.attributes, node.outputs[0].shape
    _floats(x)
    first, how = _channels_last(len(x.shape), how)
    x, shape = _last(program, x, first), _shape_last(shape, first)
    for images, part, pooled in _stages(x.shape, shape, how):
        x = _pooled(program, node.op.name, program.reshape(x, images), part, pooled)
    return _first(program, program.reshape(x, shape), first)


def _pooled(program: Program, name: str, x: Cell, how: tuple, shape: Sequence[int]) -> Cell:
    geometry = _pooling(x.shape, how)
    make = max_pool if name == "max_pool" else average_pool
    x = program.whole(x)

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        make(b, at[0], geometry, epilogue=_epilogue(finished), lo=lo, hi=hi, kind=x.kind)
        return geometry.images, x.size * 2

    return program.tile(write, (x,), shape)


@rule("max_pool_grad")
def _max_pool_gradient(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    _floats(inputs[1])
    first, how = _channels_last(len(inputs[1].shape), node.attributes)
    g, x, y = (_last(program, cell, first) for cell in inputs)
    shape = x.shape
    stages = _stages(shape, y.shape, how)
    reads = [x]  # what each of them reads, then what the last one gives
    for images, part, pooled in stages[:-1]:
        reads.append(_pooled(program, "max_pool", program.reshape(reads[-1], images), part, pooled))
    for (images, part, pooled), before, after in zip(stages[::-1], reads[::-1], [y, *reads[:0:-1]], strict=True):
        read, gave = program.reshape(before, images), program.reshape(after, pooled)
        g = _to_maxima(program, program.reshape(g, pooled), read, gave, part)
    return _first(program, program.reshape(g, shape), first)


def _to_maxima(program: Program, g: Cell, x: Cell, y: Cell, how: tuple) -> Cell:
    g, x, y = (program.whole(cell) for cell in (g, x, y))
    geometry = _pooling(x.shape, how)
    apart = needs_place(geometry)
    operands = (g, x, y, program.custom(_nothing, (g,), x.shape)) if apart else (g, x, y)

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        place = at[3] if apart else None
        max_pool_gradient(
            b, at[1], at[2], at[0], geometry, epilogue=_epilogue(finished), place=place, lo=lo, hi=hi, kind=x.kind
        )
        return geometry.images, x.size * 3

    return program.tile(write, operands, x.shape)


@rule("avg_pool_grad")
def _average_pool_gradient(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g,), (shape, *how) = inputs, node.attributes
    _floats(g)
    first, turned = _channels_last(len(shape), tuple(how))
    g, shape = _last(program, g, first), _shape_last(shape, first)
    for images, part, pooled in reversed(_stages(shape, g.shape, turned)):
        g = _to_all(program, program.reshape(g, pooled), part, images)
    return _first(program, program.reshape(g, shape), first)


def _to_all(program: Program, g: Cell, how: tuple, shape: Sequence[int]) -> Cell:
    g = program.whole(g)
    geometry = _pooling(shape, how)
    apart = needs_place(geometry)
    operands = (g, program.custom(_nothing, (g,), shape)) if apart else (g,)

    def write(b: Builder, at: list[V], finished: Finished, lo: V, hi: V, rolled: bool) -> tuple[int, int]:
        place = at[1] if apart else None
        average_pool_gradient(b, at[0], geometry, epilogue=_epilogue(finished), place=place, lo=lo, hi=hi, kind=g.kind)
        return geometry.images, geometry.images * geometry.image_size * 2

    return program.tile(write, operands, shape)


def _nothing(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
    """Memory that somebody else fills."""
    return 1, 0
