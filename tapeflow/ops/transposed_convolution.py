"""Transposed convolution: the gradient of a convolution with respect to its input, as a function of its own."""

from __future__ import annotations

from typing import Any

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, group
from ..core.op import TENSORS as T
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .convolution import TITLES, how_of, pair
from .statics import static_shape_vector

_DTYPES = FLOATS | group("int32")


def _transposed(
    x: Any, k: Any, output_shape: Any, strides: Any, padding: Any, data_format: Any, dilations: Any, space: int
) -> Tensor:
    title = f"{TITLES[space]}BackpropInput"
    how = how_of(strides, padding, data_format, dilations, space, title)
    x, k = pair(x, k, FLOATS if space == 3 else _DTYPES, T.convolution_input_gradient.op)
    have, filters = x._value.shape, k._value.shape
    for what, shape in (("input", have), ("filters", filters)):
        if shape is not None and len(shape) != space + 2:
            raise errors.invalid(title, f"{what} must be {space + 2}-dimensional: {shape_text(shape)}")
    shape = static_shape_vector(output_shape, title)
    if len(shape) == space:
        shape = (have[0], filters[-2], *shape) if how[3] else (have[0], *shape, filters[-2])
    if len(shape) != space + 2:
        raise ValueError(
            f"`output_shape` must be of length {space} or {space + 2}. Received: output_shape={output_shape} of length "
            f"{len(shape)}"
        )
    return T.convolution_input_gradient(x, k, shape, *how)


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv1d`: what its gradient makes of [batch, width, inputs].

    Arguments are those of `conv2d_transpose`, with one dimension of space; data_format is "NWC" or "NCW".
    """
    return _transposed(input, filters, output_shape, strides, padding, data_format, dilations, 1)


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv2d`, which enlarges images: what its gradient makes of [batch, height, width, inputs].

    Arguments:
        input: a tensor of float16, bfloat16, float32, float64 or int32.
        filters: [height, width, outputs, inputs], of the same dtype.
        output_shape: the shape of the result, or its dimensions of space; one that the convolution with these arguments
            would take to the shape of the input.
        strides, padding, dilations: those of that convolution.
        data_format: "NHWC" or "NCHW".

    Raises InvalidArgumentError for shapes that do not fit, ValueError for lists of another length. Source: Zeiler et
    al., Deconvolutional Networks (2010).
    """
    return _transposed(input, filters, output_shape, strides, padding, data_format, dilations, 2)


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv3d`: what its gradient makes of [batch, depth, height, width, inputs].

    Arguments are those of `conv2d_transpose`, with three dimensions of space; data_format is "NDHWC" or "NCDHW".
    """
    return _transposed(input, filters, output_shape, strides, padding, data_format, dilations, 3)


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """`conv1d_transpose`, `conv2d_transpose` or `conv3d_transpose`, as the output's shape has 3, 4 or 5 dimensions.

    Raises ValueError for another number of dimensions.
    """
    shape = static_shape_vector(output_shape, "ConvTranspose")
    if not 3 <= len(shape) <= 5:
        raise ValueError(
            f"`output_shape` must be of length 3, 4 or 5. Received: output_shape={output_shape} of length {len(shape)}."
        )
    return _transposed(input, filters, shape, strides, padding, data_format, dilations, len(shape) - 2)


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: Any, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`, whose dilations are `rate`; `output_shape` is as for `conv2d_transpose`.

    Raises ValueError for a rate less than one, a padding that is neither "SAME" nor "VALID", or another number of
    channels than the filter has.
    """
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"`padding` must be either 'VALID' or 'SAME'. Received: padding={padding}")
    if rate < 1:
        raise ValueError(f"`rate` cannot be less than one. Received: rate={rate}")
    k = convert_to_tensor(filters)
    shape = static_shape_vector(output_shape, "Conv2DBackpropInput")
    if k._value.shape is not None and len(shape) == 4 == len(k._value.shape) and k._value.shape[2] != shape[3]:
        raise ValueError(
            "`output_shape` must have as many channels as `filters` has outputs. Received: "
            f"output_shape={output_shape}, filters of shape {shape_text(k._value.shape)}"
        )
    return _transposed(value, k if k is filters else filters, shape, 1, padding, "NHWC", rate, 2)
