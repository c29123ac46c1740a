"""Convolutions that keep channels apart: each channel by filters of its own, and then mixed pixel by pixel."""

from __future__ import annotations

from typing import Any

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS
from ..core.op import TENSORS as T
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .convolution import convolved, how_of, pair
from .statics import static_shape_vector

_TITLE = "DepthwiseConv2dNative"


def _grouped(filters: tuple, title: str) -> tuple:
    """The shape of a filter [height, width, channels, multiplier] as that of a convolution in groups of one channel."""
    if len(filters) != 4:
        raise errors.invalid(title, f"filter must be 4-dimensional: {shape_text(filters)}")
    channels, multiplier = filters[2:]
    return (*filters[:2], 1, -1 if None in (channels, multiplier) else channels * multiplier)


def _check(shape: tuple | None, filters: tuple, first: bool, title: str) -> None:
    if shape is None:
        return
    if len(shape) != 4:
        raise errors.invalid(title, f"input must be 4-dimensional: {shape_text(shape)}")
    channels = shape[1 if first else 3]
    if channels != filters[2] and None not in (channels, filters[2]):
        raise errors.invalid(title, f"input and filter must have the same depth: {channels} vs {filters[2]}")


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The convolution of each channel of images by filters of its own.

    Arguments:
        input: [batch, height, width, channels], of float16, bfloat16, float32 or float64.
        filter: [height, width, channels, multiplier], of the same dtype.
        strides, dilations: an int, or a list of one, two or four.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NHWC" or "NCHW".

    Returns [batch, new height, new width, channels * multiplier]. Raises InvalidArgumentError for shapes that do not
    fit, other dtypes and unknown words, ValueError for lists of another length.
    """
    how = how_of(strides, padding, data_format, dilations, 2, _TITLE)
    x, k = pair(input, filter, FLOATS)
    shape = _grouped(k._value.shape, _TITLE)
    _check(x._value.shape, k._value.shape, how[3], _TITLE)
    return convolved(x, T.reshape(k, shape), how)


def depthwise_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d` with respect to an input of shape `input_sizes`.

    `out_backprop` is the gradient with respect to the output; the other arguments and errors are those of the function.
    """
    title = f"{_TITLE}BackpropInput"
    how = how_of(strides, padding, data_format, dilations, 2, title)
    g, k = pair(out_backprop, filter, FLOATS)
    shape = static_shape_vector(input_sizes, title)
    grouped = _grouped(k._value.shape, title)
    _check(shape, k._value.shape, how[3], title)
    return T.convolution_input_gradient(g, T.reshape(k, grouped), shape, *how)


def depthwise_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d` with respect to a filter of shape `filter_sizes`.

    `out_backprop` is the gradient with respect to the output; the other arguments and errors are those of the function.
    """
    title = f"{_TITLE}BackpropFilter"
    how = how_of(strides, padding, data_format, dilations, 2, title)
    x, g = pair(input, out_backprop, FLOATS)
    shape = static_shape_vector(filter_sizes, title)
    grouped = _grouped(shape, title)
    _check(x._value.shape, shape, how[3], title)
    return T.reshape(T.convolution_filter_gradient(x, g, grouped, *how), shape)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """`depthwise_conv2d`, and then a mixing of the channels of each pixel.

    Arguments:
        pointwise_filter: [1, 1, channels * multiplier, outputs].
        input, depthwise_filter, strides, padding, data_format, dilations: those of `depthwise_conv2d`.

    Raises ValueError for a pointwise filter of a larger window, and as `depthwise_conv2d` does. Source: Chollet,
    Xception: Deep Learning with Depthwise Separable Convolutions (2017).
    """
    point = convert_to_tensor(pointwise_filter)
    shape = point._value.shape
    if shape is not None and (len(shape) != 4 or any(n not in (1, None) for n in shape[:2])):
        raise ValueError(
            f"`pointwise_filter` must be of shape [1, 1, channels, outputs]. Received: {shape_text(shape)}"
        )
    y = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    how = how_of(1, "VALID", data_format, None, 2, "Conv2D")
    return convolved(*pair(y, pointwise_filter, FLOATS), how)
