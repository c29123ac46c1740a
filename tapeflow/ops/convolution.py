"""Convolution: three ops, each the gradient of the others, and the functions of `tf.nn` over the first.

    convolution                  of inputs and a filter
    convolution_input_gradient   of the outputs' gradient and a filter: also the transposed convolution
    convolution_filter_gradient  of inputs and the outputs' gradient

All take (strides, padding, dilations, channels_first) for the dimensions of space. A filter [window..., depth, m]
whose depth divides the inputs' channels works on groups of so many channels. Source: Dumoulin and Visin, A guide to
convolution arithmetic for deep learning (2016).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import FLOATS, group
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .convolution_kernels import convolve, to_filter, to_input
from .windows import (
    axes_of,
    channels_first,
    full_padding,
    numbers,
    of_axis,
    output_size,
    positive,
    remembered,
    spatial,
)

_FLOAT32 = np.dtype("float32")
_PLANE_DTYPES = FLOATS | group("int32")
TITLES = {1: "Conv2D", 2: "Conv2D", 3: "Conv3D"}  # by the dimensions of space

# -- what fits ---------------------------------------------------------------------------------------------------------


def _split(shape: tuple, first: bool) -> tuple[Any, tuple, Any]:
    """Batch, space and channels of a shape."""
    return (shape[0], tuple(shape[2:]), shape[1]) if first else (shape[0], tuple(shape[1:-1]), shape[-1])


def _joined(batch: Any, space: tuple, channels: Any, first: bool) -> tuple:
    return (batch, channels, *space) if first else (batch, *space, channels)


def _check(shape: tuple, filters: tuple, space: int, first: bool) -> None:
    """Raises InvalidArgumentError where the shapes of inputs and filter, as far as known, do not fit."""
    title = TITLES.get(space, "Conv2D")
    for what, given in (("input", shape), ("filter", filters)):
        if len(given) != space + 2:
            raise errors.invalid(title, f"convolution {what} must be {space + 2}-dimensional: {shape_text(given)}")
    channels = shape[1] if first else shape[-1]
    depth, m = filters[-2:]
    if type(depth) is not int:
        return
    if depth < 1:
        raise errors.invalid(title, f"filter depth must be strictly positive, got {depth}")
    if type(channels) is not int:
        return
    if channels % depth:
        raise errors.invalid(
            title,
            f"input depth must be evenly divisible by filter depth: {channels} vs {depth} (input "
            f"{shape_text(shape)}, filter {shape_text(filters)})",
        )
    if type(m) is int and channels and m % (channels // depth):
        raise errors.invalid(
            title, f"output depth must be evenly divisible by number of groups: {m} vs {channels // depth}"
        )


def _convolved(
    shape: tuple | None, filters: tuple | None, strides: tuple, padding: Any, dilations: tuple, first: bool
) -> tuple | None:
    """The shape of a convolution, None for what is not known. Raises as `_check` does."""
    space = len(strides)
    if shape is None or filters is None:
        return None
    _check(shape, filters, space, first)
    batch, sizes, _ = _split(shape, first)
    title = TITLES[space]
    outs = [
        output_size(n, w, s, d, of_axis(padding, i), title)
        for i, (n, w, s, d) in enumerate(zip(sizes, filters[:-2], strides, dilations, strict=True))
    ]
    return _joined(batch, tuple(outs), filters[-1], first)


def _check_gradient(
    outputs: tuple | None, shape: tuple, filters: tuple, strides: tuple, padding: Any, dilations: tuple, first: bool
) -> None:
    """Raises InvalidArgumentError where outputs are not of the shape that a convolution of these shapes gives."""
    expected = _convolved(shape, filters, strides, padding, dilations, first)
    if outputs is None or expected is None:
        return
    fits = len(outputs) == len(expected) and all(
        type(a) is not int or type(b) is not int or a == b for a, b in zip(outputs, expected, strict=True)
    )
    if not fits:
        title = f"{TITLES[len(strides)]}BackpropInput"
        raise errors.invalid(
            title,
            f"Size of out_backprop doesn't match computed: actual = {shape_text(outputs)}, computed = "
            f"{shape_text(expected)}, for a convolution of {shape_text(shape)} with a filter {shape_text(filters)}, "
            f"strides {list(strides)}, padding {padding!r}, dilations {list(dilations)}",
        )


@lru_cache(1024)
def _axes(shape: tuple, filters: tuple, strides: tuple, padding: Any, dilations: tuple, first: bool) -> tuple:
    """The windows of a convolution. Raises as `_check` does."""
    _check(shape, filters, len(strides), first)
    space = shape[2:] if first else shape[1:-1]
    return axes_of(space, filters[:-2], strides, dilations, padding, TITLES[len(strides)])


@lru_cache(1024)
def _axes_back(outputs: tuple, shape: tuple, filters: tuple, *how: Any) -> tuple:
    """The windows of a convolution with these outputs. Raises as `_check_gradient` does."""
    _check_gradient(outputs, shape, filters, *how)
    return _axes(shape, filters, *how)


# -- kernels -----------------------------------------------------------------------------------------------------------


def _last(x: np.ndarray, first: bool) -> np.ndarray:
    """With the channels last, halves in float32."""
    if x.dtype.itemsize == 2:
        x = x.astype(_FLOAT32)
    return np.moveaxis(x, 1, -1) if first else x


def _given(x: np.ndarray, first: bool, dtype: np.dtype) -> np.ndarray:
    """As the op gives it: in its format, and of its dtype."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1) if first else x, dtype)


def _convolution_kernel(xp: Any) -> Callable:
    def convolution(x: Any, k: Any, strides: tuple, padding: Any, dilations: tuple, first: bool) -> Any:
        axes = _axes(x.shape, k.shape, strides, padding, dilations, first)
        dtype = x.dtype
        x, k = _last(x, first), _last(k, False)
        return _given(convolve(x, k, axes), first, dtype)

    return convolution


def _input_kernel(xp: Any) -> Callable:
    def input_gradient(
        g: Any, k: Any, shape: tuple, strides: tuple, padding: Any, dilations: tuple, first: bool
    ) -> Any:
        axes = _axes_back(g.shape, shape, k.shape, strides, padding, dilations, first)
        batch, space, channels = _split(shape, first)
        dtype = g.dtype
        g, k = _last(g, first), _last(k, False)
        return _given(to_input(g, k, (batch, *space, channels), axes), first, dtype)

    return input_gradient


def _filter_kernel(xp: Any) -> Callable:
    def filter_gradient(
        x: Any, g: Any, shape: tuple, strides: tuple, padding: Any, dilations: tuple, first: bool
    ) -> Any:
        axes = _axes_back(g.shape, x.shape, shape, strides, padding, dilations, first)
        dtype = g.dtype
        x, g = _last(x, first), _last(g, first)
        return _given(to_filter(x, g, shape, axes), False, dtype)

    return filter_gradient


def _biased_kernel(xp: Any) -> Callable:
    convolved = _convolution_kernel(xp)

    def convolution_with_bias(
        x: Any, k: Any, b: Any, strides: tuple, padding: Any, dilations: tuple, first: bool
    ) -> Any:
        y = convolved(x, k, strides, padding, dilations, first)
        y += b.reshape(-1, *[1] * len(strides)) if first else b
        return y

    return convolution_with_bias


def _work(x: Any, k: Any, *how: Any) -> int:
    return x.size * k.size // (k.shape[-2] or 1)


def _work_of_filter(x: Any, g: Any, shape: tuple, *how: Any) -> int:
    return x.size * prod(shape) // (shape[-2] or 1)


# -- the ops -----------------------------------------------------------------------------------------------------------


def _shape(F: Any, x: Any) -> tuple:
    return x.shape if F.raw else x._value.shape


def _convolution_shape(x: Any, k: Any, *how: Any) -> Abstract:
    return Abstract(_convolved(x.shape, k.shape, *how), x.dtype)


def _input_shape(g: Any, k: Any, shape: tuple, *how: Any) -> Abstract:
    known = tuple([n if type(n) is int else None for n in shape])
    if k.shape is not None:
        _check_gradient(g.shape, known, k.shape, *how)
    return Abstract(known, g.dtype)


def _filter_shape(x: Any, g: Any, shape: tuple, *how: Any) -> Abstract:
    known = tuple([n if type(n) is int else None for n in shape])
    if x.shape is not None:
        _check_gradient(g.shape, x.shape, known, *how)
    return Abstract(known, g.dtype)


def _biased_shape(x: Any, k: Any, b: Any, *how: Any) -> Abstract:
    out = _convolution_shape(x, k, *how)
    if b.shape is not None and k.shape is not None and (len(b.shape) != 1 or b.shape[0] not in (k.shape[-1], None)):
        raise errors.invalid(
            "BiasAdd", f"Must provide as many biases as the filter has outputs: {list(b.shape)} vs. {list(k.shape)}"
        )
    return out


def _to_x(F: Any, g: Any, x: Any, k: Any, *how: Any) -> Any:
    return F.convolution_input_gradient(g, k, _shape(F, x), *how)


def _to_k(F: Any, g: Any, x: Any, k: Any, *how: Any) -> Any:
    return F.convolution_filter_gradient(x, g, _shape(F, k), *how)


def _to_bias(F: Any, g: Any, x: Any, k: Any, strides: tuple, padding: Any, dilations: tuple, first: bool) -> Any:
    axes = tuple(range(len(strides) + 2))
    return F.reduce_sum(g, tuple([i for i in axes if i != (1 if first else axes[-1])]), False)


_convolution = define(
    "convolution",
    _convolution_kernel,
    _convolution_shape,
    [_to_x, _to_k],
    saves=lambda x, k, out, *how: (x, k),
    title="Conv2D",
    inputs=2,
    work=_work,
)
_input_gradient = define(
    "convolution_input_gradient",
    _input_kernel,
    _input_shape,
    [
        lambda F, d, g, k, shape, *how: F.convolution(d, k, *how),
        lambda F, d, g, k, shape, *how: F.convolution_filter_gradient(d, g, _shape(F, k), *how),
    ],
    saves=lambda g, k, out, *how: (g, k),
    title="Conv2DBackpropInput",
    inputs=2,
    work=_work,
)
_filter_gradient = define(
    "convolution_filter_gradient",
    _filter_kernel,
    _filter_shape,
    [
        lambda F, d, x, g, shape, *how: F.convolution_input_gradient(g, d, _shape(F, x), *how),
        lambda F, d, x, g, shape, *how: F.convolution(x, d, *how),
    ],
    saves=lambda x, g, out, *how: (x, g),
    title="Conv2DBackpropFilter",
    inputs=2,
    work=_work_of_filter,
)
convolution_with_bias = define(
    "convolution_with_bias",
    _biased_kernel,
    _biased_shape,
    [_to_x, _to_k, _to_bias],
    """The convolution of inputs and a filter, and a bias for each output channel, in one op.""",
    saves=lambda x, k, b, out, *how: (x, k),
    title="Conv2D",
    inputs=3,
    work=_work,
)

# -- what functions of `tf.nn` share -----------------------------------------------------------------------------------


@remembered
def how_of(
    strides: Any, padding: Any, data_format: Any, dilations: Any, space: int, title: str
) -> tuple[tuple, Any, tuple, bool]:
    """The canonical attributes (strides, padding, dilations, channels_first) of a function's arguments.

    Raises InvalidArgumentError for numbers that are not positive and unknown words, UnimplementedError for strides over
    batch or channels, ValueError for lists of another length.
    """
    first = channels_first(data_format, space, title)
    made = []
    for what, given, message in (
        ("strides", strides, "Row and column strides should be larger than 0"),
        ("dilations", dilations, "Dilated rates should be larger than 0"),
    ):
        full = numbers(given, space, first, what)
        positive(full, message, title)
        if full[0] != 1 or full[1 if first else -1] != 1:
            raise errors.failed(
                errors.UnimplementedError, title, f"{what} in the batch and depth dimensions are not supported: {given}"
            )
        made.append(spatial(full, first))
    padding = full_padding(padding, space + 2, title)
    if not isinstance(padding, str):
        if any(padding[0]) or any(padding[1 if first else -1]):
            raise errors.invalid(
                title, f"Nonzero explicit padding in the batch or depth dimensions is not supported: {list(padding)}"
            )
        padding = spatial(padding, first)
    return made[0], padding, made[1], first


def pair(x: Any, k: Any, dtypes: Any, op: Any = _convolution.op) -> tuple[Tensor, Tensor]:
    """Inputs and filter as tensors of one dtype. Raises InvalidArgumentError for two dtypes, or others than these."""
    x = convert_to_tensor(x)
    dtype = x._value.dtype
    k = convert_like(k, dtype)
    if dtype != k._value.dtype:
        raise mixed_dtypes(op, dtype, k._value.dtype)
    if dtype not in dtypes:
        raise refused_dtype(op, dtype, dtypes)
    return x, k


def convolved(x: Tensor, k: Tensor, how: tuple) -> Tensor:
    """The convolution; of inputs with more than one dimension of batches too, which come back."""
    shape, rank = x._value.shape, len(how[0]) + 2
    if shape is None or len(shape) <= rank:
        return _convolution(x, k, *how)
    extra = len(shape) - rank
    y = _convolution(T.reshape(x, (-1, *shape[extra + 1 :])), k, *how)
    return T.reshape(y, (*shape[: extra + 1], *y._value.shape[1:]))


def _of_space(x: Any, k: Any, strides: Any, padding: Any, data_format: Any, dilations: Any, space: int) -> Tensor:
    how = how_of(strides, padding, data_format, dilations, space, TITLES[space])
    return convolved(*pair(x, k, FLOATS if space == 3 else _PLANE_DTYPES), how)


# -- functions of `tf.nn` ----------------------------------------------------------------------------------------------


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The convolution (in truth the correlation) of sequences [batch, width, channels] and a filter.

    Arguments:
        input: a tensor of float16, bfloat16, float32, float64 or int32; there may be more dimensions of batches.
        filters: [window, channels / groups, outputs], of the same dtype.
        stride, dilations: an int, or a list of one or three.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NWC" or "NCW".

    Returns [batch, new width, outputs]. Halves are summed in float32. Raises InvalidArgumentError for shapes that do
    not fit, other dtypes and unknown words, ValueError for lists of another length.
    """
    return _of_space(input, filters, stride, padding, data_format, dilations, 1)


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The convolution (in truth the correlation) of images [batch, height, width, channels] and a filter.

    Arguments:
        input: a tensor of float16, bfloat16, float32, float64 or int32; there may be more dimensions of batches.
        filters: [height, width, channels / groups, outputs], of the same dtype.
        strides, dilations: an int, or a list of one, two or four.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NHWC" or "NCHW".

    Returns [batch, new height, new width, outputs]. Halves are summed in float32. Raises InvalidArgumentError for
    shapes that do not fit, other dtypes and unknown words, ValueError for lists of another length.
    """
    return _of_space(input, filters, strides, padding, data_format, dilations, 2)


def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The convolution (in truth the correlation) of volumes [batch, depth, height, width, channels] and a filter.

    Arguments:
        input: a tensor of float16, bfloat16, float32 or float64; there may be more dimensions of batches.
        filters: [depth, height, width, channels / groups, outputs], of the same dtype.
        strides, dilations: an int, or a list of one, three or five.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NDHWC" or "NCDHW".

    Returns [batch, new depth, new height, new width, outputs]. Raises as `conv2d` does.
    """
    return _of_space(input, filters, strides, padding, data_format, dilations, 3)


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """`conv1d`, `conv2d` or `conv3d`, as the filter has three, four or five dimensions.

    Raises ValueError for a filter of another rank, and where both strides and dilations are more than one.
    """
    k = convert_to_tensor(filters)
    shape = k._value.shape
    if shape is None or not 3 <= len(shape) <= 5:
        raise ValueError(f"`filters` must be of rank 3, 4 or 5. Received: filters of shape {shape_text(shape)}")
    x = convert_to_tensor(input)
    if k is not filters:
        k = convert_like(filters, x._value.dtype)
    space = len(shape) - 2
    how = how_of(strides, padding, data_format, dilations, space, TITLES[space])
    if max(how[0]) > 1 and max(how[2]) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
            f"strides={list(how[0])} and dilation_rate={list(how[2])}"
        )
    return convolved(*pair(x, k, FLOATS if space == 3 else _PLANE_DTYPES), how)


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any, name: str | None = None) -> Tensor:
    """`conv2d` with dilations of `rate`. Raises ValueError for a rate less than one."""
    if rate < 1:
        raise ValueError(f"`rate` must be at least one. Received: rate={rate}")
    return _of_space(value, filters, 1, padding, "NHWC", rate, 2)
