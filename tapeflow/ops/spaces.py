"""Blocks of space moved into channels or the batch, and back, by reshaping and transposing."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.op import TENSORS
from ..core.shapes import shape_text
from ..core.tensor import Tensor, wrap
from .deferring import deferred, shape_of, unknown
from .statics import static_array

_FORMATS = ("NHWC", "NCHW")


def _image(x: Any, block_size: Any, data_format: str, title: str) -> tuple[Tensor, int]:
    """The input as [batch, height, width, channels], and the block size."""
    block = int(block_size)
    if data_format not in _FORMATS:
        raise errors.invalid(
            title,
            f'Value for attr \'data_format\' of "{data_format}" is not in the list of allowed values: "NHWC", "NCHW"',
        )
    if block < 2:
        raise errors.invalid(title, f"Value for attr 'block_size' of {block} must be at least minimum 2")
    x = convert_to_tensor(x)
    if len(x._value.shape) != 4:
        raise errors.invalid(title, f"Input rank should be 4 instead of {len(x._value.shape)}")
    return (TENSORS.transpose(x, (0, 2, 3, 1)) if data_format == "NCHW" else x), block


def _of_rank(input: Any, *args: Any, **kwargs: Any) -> Abstract:
    return unknown(len(shape_of(input)), convert_to_tensor(input)._value.dtype)


def _as_given(x: Tensor, data_format: str) -> Tensor:
    return TENSORS.transpose(x, (0, 3, 1, 2)) if data_format == "NCHW" else x


@deferred(_of_rank)
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Images with each block of block_size x block_size pixels made one pixel of so many times more channels.

    Arguments:
        input: [batch, height, width, channels], or with `data_format="NCHW"` [batch, channels, height, width].
        block_size: 2 or more; it must divide height and width.

    Raises InvalidArgumentError for another rank, block size or format.
    """
    title = "SpaceToDepth"
    x, b = _image(input, block_size, data_format, title)
    n, height, width, channels = x._value.shape
    if height % b or width % b:
        raise errors.invalid(title, f"Image width {width} and height {height} should be divisible by block_size: {b}")
    x = TENSORS.reshape(x, (n, height // b, b, width // b, b, channels))
    x = TENSORS.transpose(x, (0, 1, 3, 2, 4, 5))
    return _as_given(TENSORS.reshape(x, (n, height // b, width // b, b * b * channels)), data_format)


@deferred(_of_rank)
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Images with the channels of each pixel made a block of block_size x block_size pixels; undoes `space_to_depth`.

    Arguments:
        input: [batch, height, width, channels], or with `data_format="NCHW"` [batch, channels, height, width].
        block_size: 2 or more; its square must divide the channels.

    Raises InvalidArgumentError for another rank, block size or format.
    """
    title = "DepthToSpace"
    x, b = _image(input, block_size, data_format, title)
    n, height, width, channels = x._value.shape
    if channels % (b * b):
        raise errors.invalid(title, f"Input depth dimension {channels} should be divisible by: {b * b}")
    x = TENSORS.reshape(x, (n, height, width, b, b, channels // (b * b)))
    x = TENSORS.transpose(x, (0, 1, 3, 2, 4, 5))
    return _as_given(TENSORS.reshape(x, (n, height * b, width * b, channels // (b * b))), data_format)


def _blocks(x: Any, block_shape: Any, margins: Any, what: str, title: str) -> tuple[Tensor, list[int], list]:
    """The input, the size of a block in each of its dimensions, and what to pad or crop there."""
    x = convert_to_tensor(x)
    block, around = static_array(block_shape, title, "Tblock_shape"), static_array(margins, title, f"T{what}")
    if block.ndim != 1:
        raise errors.invalid(title, f"block_shape rank should be 1 instead of {block.ndim}")
    dims = len(block)
    if len(x._value.shape) < 1 + dims:
        raise errors.invalid(title, f"input rank should be >= {1 + dims} instead of {len(x._value.shape)}")
    if around.shape != (dims, 2):
        raise errors.invalid(title, f"{what} should have shape [{dims}, 2] instead of {shape_text(around.shape)}")
    for i, n in enumerate(block.tolist()):
        if n < 1:
            raise errors.invalid(title, f"All values in block_shape must be positive, got value, {n} at index {i}.")
    if (around < 0).any():
        raise errors.invalid(title, f"{what.capitalize()} must be non-negative, got {around.tolist()}")
    return x, block.tolist(), around.tolist()


@deferred(_of_rank, values=("block_shape", "paddings"))
def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Each position within blocks of space made an example of its own, after padding with zeros.

    Arguments:
        input: [batch, space..., rest...].
        block_shape: [m], the size of a block in each of the m dimensions of space.
        paddings: [m, 2], what to put before and after each.

    Returns [batch * prod(block_shape), padded space / block_shape..., rest...].

    Raises InvalidArgumentError where the blocks do not divide the padded space, and for other shapes.
    """
    title = "SpaceToBatchND"
    x, block, around = _blocks(input, block_shape, paddings, "paddings", title)
    dims, rank = len(block), len(x._value.shape)
    x = TENSORS.pad(x, ((0, 0), *map(tuple, around), *((0, 0),) * (rank - 1 - dims)), "CONSTANT", 0)
    batch, *shape = x._value.shape
    space, rest = shape[:dims], shape[dims:]
    for i, (n, b) in enumerate(zip(space, block, strict=True)):
        if n % b:
            raise errors.invalid(title, f"padded_shape[{i}]={n} is not divisible by block_shape[{i}]={b}")
    cells = [n // b for n, b in zip(space, block, strict=True)]
    x = TENSORS.reshape(x, (batch, *[n for pair in zip(cells, block, strict=True) for n in pair], *rest))
    within = tuple(range(2, 2 * dims + 1, 2))
    x = TENSORS.transpose(x, (*within, 0, *range(1, 2 * dims, 2), *range(2 * dims + 1, 2 * dims + 1 + len(rest))))
    return TENSORS.reshape(x, (batch * prod(block), *cells, *rest))


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """`space_to_batch_nd`, under the name it has for images."""
    return space_to_batch_nd(input, block_shape, paddings)


@deferred(_of_rank, values=("block_shape", "crops"))
def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Examples put together as the positions within blocks of space, then cropped; undoes `space_to_batch_nd`.

    Arguments:
        input: [batch, space..., rest...]; prod(block_shape) must divide the batch.
        block_shape: [m], the size of a block in each of the m dimensions of space; one integer means it for two.
        crops: [m, 2], what to cut off before and after each.

    Returns [batch / prod(block_shape), space * block_shape - crops..., rest...].

    Raises InvalidArgumentError where the sizes do not fit.
    """
    title = "BatchToSpaceND"
    if isinstance(block_shape, int):
        block_shape = [block_shape, block_shape]
    x, block, around = _blocks(input, block_shape, crops, "crops", title)
    dims, count = len(block), prod(block)
    batch, *shape = x._value.shape
    space, rest = shape[:dims], shape[dims:]
    if batch % count:
        raise errors.invalid(
            title, f"Input batch dimension ({batch}) is not divisible by product of block sizes ({count})"
        )
    x = TENSORS.reshape(x, (*block, batch // count, *space, *rest))
    pairs = [axis for i in range(dims) for axis in (dims + 1 + i, i)]
    x = TENSORS.transpose(x, (dims, *pairs, *range(2 * dims + 1, 2 * dims + 1 + len(rest))))
    whole = [n * b for n, b in zip(space, block, strict=True)]
    x = TENSORS.reshape(x, (batch // count, *whole, *rest))
    spec: list[tuple] = [(None, None, None)]
    for i, (n, (before, after)) in enumerate(zip(whole, around, strict=True)):
        if before + after > n:
            raise errors.invalid(title, f"cropped_shape[{i}]={n - before - after} must be non-negative")
        spec.append((before, n - after, None))
    return TENSORS.strided_slice(x, tuple(spec))


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The paddings that make blocks divide a space, and the crops that undo them.

    Arguments:
        input_shape: [m], the size of the space.
        block_shape: [m].
        base_paddings: [m, 2], what to pad at least; nothing by default.

    Returns (paddings, crops), both int32 [m, 2].
    """
    sizes, block = (static_array(v, "RequiredSpaceToBatchPaddings") for v in (input_shape, block_shape))
    base = np.zeros((len(block), 2), np.int32)
    if base_paddings is not None:
        base = static_array(base_paddings, "RequiredSpaceToBatchPaddings")
    extra = -(sizes + base.sum(1)) % block
    paddings = np.stack([base[:, 0], base[:, 1] + extra], 1).astype(np.int32)
    crops = np.stack([np.zeros_like(extra), extra], 1).astype(np.int32)
    return wrap(paddings), wrap(crops)
