"""Pooling: the maximum or the mean of windows that slide over a tensor.

The ops take (windows, strides, dilations, padding), a number for every dimension of their input, so that images with
channels first or last, sequences and volumes are one case. The gradient of `max_pool` with respect to its input is
linear in what comes from above; its transpose, `max_pool_pick`, gives the derivatives of higher order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, group, numpy_dtype, short_name
from ..core.elementwise import refused_dtype
from ..core.op import define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .pooling_kernels import at_maxima, avg_pool_gradient, max_pool_gradient, places_of_maxima
from .pooling_kernels import avg_pool as means
from .pooling_kernels import max_pool as maxima
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

_REAL = FLOATS | group("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")

# -- the ops -----------------------------------------------------------------------------------------------------------


def _title(kind: str, rank: int) -> str:
    return f"{kind}3D" if rank == 5 else kind


def _outputs(kind: str, shape: tuple, windows: tuple, strides: tuple, dilations: tuple, padding: Any) -> tuple:
    """The shape of what is pooled. Raises InvalidArgumentError for another rank and windows that are too large."""
    title = _title(kind, len(windows))
    if len(shape) != len(windows):
        raise errors.invalid(
            title, f"the input must have {len(windows)} dimensions, but its shape is {shape_text(shape)}"
        )
    return tuple(
        [
            output_size(n, w, s, d, of_axis(padding, i), title)
            for i, (n, w, s, d) in enumerate(zip(shape, windows, strides, dilations, strict=True))
        ]
    )


@lru_cache(1024)
def _axes(kind: str, shape: tuple, windows: tuple, strides: tuple, dilations: tuple, padding: Any) -> tuple:
    title = _title(kind, len(windows))
    if len(shape) != len(windows):
        _outputs(kind, shape, windows, strides, dilations, padding)
    return axes_of(shape, windows, strides, dilations, padding, title)


def _pooled_shape(kind: str) -> Callable:
    def infer(x: Any, *how: Any) -> Abstract:
        return Abstract(None if x.shape is None else _outputs(kind, x.shape, *how), x.dtype)

    return infer


pool_maxima = define(
    "max_pool",
    lambda xp: lambda x, *how: maxima(x, _axes("MaxPool", x.shape, *how)),
    _pooled_shape("MaxPool"),
    [lambda F, g, x, y, *how: F.max_pool_grad(g, x, y, *how)],
    saves=lambda x, y, *how: (x, y),
    work=lambda x, *how: 8 * x.size,
)
define(
    "max_pool_grad",
    lambda xp: lambda g, x, y, *how: max_pool_gradient(g, x, y, _axes("MaxPool", x.shape, *how)),
    lambda g, x, y, *how: Abstract(x.shape, g.dtype),
    [lambda F, d, x, y, *how: F.max_pool_pick(d, x, y, *how), None, None],
    saves=lambda g, x, y, out, *how: (x, y),
    inputs=3,
    work=lambda g, x, y, *how: 16 * x.size,
)
define(
    "max_pool_pick",
    lambda xp: lambda d, x, y, *how: at_maxima(d, x, y, _axes("MaxPool", x.shape, *how)),
    lambda d, x, y, *how: Abstract(y.shape, d.dtype),
    [lambda F, g, x, y, *how: F.max_pool_grad(g, x, y, *how), None, None],
    saves=lambda d, x, y, out, *how: (x, y),
    inputs=3,
)
pool_means = define(
    "avg_pool",
    lambda xp: lambda x, *how: means(x, _axes("AvgPool", x.shape, *how)),
    _pooled_shape("AvgPool"),
    [lambda F, g, shape, *how: F.avg_pool_grad(g, shape, *how)],
    saves=lambda x, y, *how: (x._value.shape,),
    work=lambda x, *how: 8 * x.size,
)
define(
    "avg_pool_grad",
    lambda xp: lambda g, shape, *how: avg_pool_gradient(g, _axes("AvgPool", shape, *how)),
    lambda g, shape, *how: Abstract(tuple([n if type(n) is int else None for n in shape]), g.dtype),
    [lambda F, d, shape, *how: F.avg_pool(d, *how)],
    work=lambda g, shape, *how: 16 * prod(shape),
)


def _with_places(x: Any, windows: tuple, strides: tuple, padding: Any, dtype: np.dtype, batch: bool) -> tuple:
    ones = (1,) * x.ndim
    axes = _axes("MaxPoolWithArgmax", x.shape, windows, strides, ones, padding)
    places = places_of_maxima(x, axes)
    if not batch and x.size:
        places %= x.size // len(x)
    return maxima(x, axes), places.astype(dtype)


def _with_places_shape(x: Any, windows: tuple, strides: tuple, padding: Any, dtype: np.dtype, batch: bool) -> tuple:
    ones = (1,) * len(windows)
    shape = None if x.shape is None else _outputs("MaxPoolWithArgmax", x.shape, windows, strides, ones, padding)
    return Abstract(shape, x.dtype), Abstract(shape, dtype)


def _from_places(F: Any, gs: Any, wanted: Any, x: Any, y: Any, *how: Any) -> tuple:
    windows, strides, padding = how[:3]
    return (None if gs[0] is None else F.max_pool_grad(gs[0], x, y, windows, strides, (1,) * len(windows), padding),)


_max_pool_with_argmax = define(
    "max_pool_with_argmax",
    lambda xp: _with_places,
    _with_places_shape,
    _from_places,
    saves=lambda x, y, places, *how: (x, y),
    outputs=2,
)

# -- what functions of `tf.nn` share -----------------------------------------------------------------------------------


@remembered
def _how(ksize: Any, strides: Any, padding: Any, data_format: Any, dilations: Any, space: int, title: str) -> tuple:
    """The canonical attributes of a function's arguments. Raises as the functions say."""
    first = channels_first(data_format, space, title)
    windows = numbers(ksize, space, first, "ksize")
    steps = numbers(strides, space, first, "strides")
    apart = numbers(dilations, space, first, "dilations")
    positive(windows, "Sliding window ksize must be positive", title)
    positive(steps, "Stride must be > 0", title)
    positive(apart, "Dilated rates should be larger than 0", title)
    padding = full_padding(padding, space + 2, title)
    if not isinstance(padding, str):
        for (before, after), window, rate in zip(padding, windows, apart, strict=True):
            if max(before, after) > (window - 1) * rate:
                raise errors.invalid(
                    title, f"Padding {(before, after)} needs to be smaller than the window size {window}"
                )
    return windows, steps, apart, padding


def _input(x: Any, dtypes: Any, op: Any) -> Tensor:
    x = convert_to_tensor(x)
    if x._value.dtype not in dtypes:
        raise refused_dtype(op, x._value.dtype, dtypes)
    return x


def _maximum(x: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, space: int) -> Tensor:
    x = _input(x, _REAL, pool_maxima.op)
    return pool_maxima(x, *_how(ksize, strides, padding, data_format, None, space, _title("MaxPool", space + 2)))


def _mean(x: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, space: int) -> Tensor:
    x = _input(x, FLOATS, pool_means.op)
    return pool_means(x, *_how(ksize, strides, padding, data_format, None, space, _title("AvgPool", space + 2)))


def _space_of(x: Tensor, data_format: Any) -> int:
    """The dimensions of space of an input of 3, 4 or 5 dimensions."""
    shape = x._value.shape
    if shape is None:
        return 2 if data_format is None else len(data_format) - 2
    if not 3 <= len(shape) <= 5:
        raise ValueError(f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={shape} of rank {len(shape)}.")
    return len(shape) - 2


# -- functions of `tf.nn` ----------------------------------------------------------------------------------------------


def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The maximum of windows along sequences [batch, width, channels].

    Arguments are those of `max_pool2d`, with one dimension of space; data_format is "NWC" or "NCW".
    """
    return _maximum(input, ksize, strides, padding, data_format, 1)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The maximum of windows of images [batch, height, width, channels]; padding never is the maximum.

    Arguments:
        input: a tensor of real numbers.
        ksize, strides: an int, or a list of one, two or four.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NHWC" or "NCHW".

    The gradient goes to the first of equal elements. Raises InvalidArgumentError for a window larger than the image,
    numbers that are not positive, another rank and unknown words, ValueError for lists of another length.
    """
    return _maximum(input, ksize, strides, padding, data_format, 2)


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """The maximum of windows of volumes [batch, depth, height, width, channels].

    Arguments are those of `max_pool2d`, with three dimensions of space; data_format is "NDHWC" or "NCDHW".
    """
    return _maximum(input, ksize, strides, padding, data_format, 3)


def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`max_pool1d`, `max_pool2d` or `max_pool3d`, as the input has three, four or five dimensions.

    Raises ValueError for another rank.
    """
    x = _input(input, _REAL, pool_maxima.op)
    return _maximum(x, ksize, strides, padding, data_format, _space_of(x, data_format))


def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The mean of windows along sequences [batch, width, channels].

    Arguments are those of `avg_pool2d`, with one dimension of space; data_format is "NWC" or "NCW".
    """
    return _mean(input, ksize, strides, padding, data_format, 1)


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The mean of windows of images [batch, height, width, channels]; padding does not count.

    Arguments:
        input: a tensor of float16, bfloat16, float32 or float64; halves are summed in float32.
        ksize, strides: an int, or a list of one, two or four.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: "NHWC" or "NCHW".

    Raises InvalidArgumentError for a window larger than the image, numbers that are not positive, another rank or dtype
    and unknown words, ValueError for lists of another length.
    """
    return _mean(input, ksize, strides, padding, data_format, 2)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """The mean of windows of volumes [batch, depth, height, width, channels].

    Arguments are those of `avg_pool2d`, with three dimensions of space; data_format is "NDHWC" or "NCDHW".
    """
    return _mean(input, ksize, strides, padding, data_format, 3)


def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`avg_pool1d`, `avg_pool2d` or `avg_pool3d`, as the input has three, four or five dimensions.

    Raises ValueError for another rank.
    """
    x = _input(input, FLOATS, pool_means.op)
    return _mean(x, ksize, strides, padding, data_format, _space_of(x, data_format))


class MaxPoolWithArgmax(NamedTuple):
    """What `tf.nn.max_pool_with_argmax` gives."""

    output: Tensor
    argmax: Tensor


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    output_dtype: Any = "int64",
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> MaxPoolWithArgmax:
    """The maximum of windows of images [batch, height, width, channels], and where it is.

    Arguments:
        input, ksize, strides, padding: those of `max_pool2d`.
        data_format: "NHWC".
        output_dtype: int64 or int32.
        include_batch_in_index: whether places are counted through the whole batch, or in each image anew.

    Returns the maxima and their places, (row * width + column) * channels + channel. Raises ValueError for another
    format, InvalidArgumentError for another dtype, and as `max_pool2d` does.
    """
    title = "MaxPoolWithArgmax"
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other than 'NHWC' are not supported. Received: {data_format=}")
    dtype = numpy_dtype(output_dtype)
    if dtype.name not in ("int32", "int64"):
        raise errors.invalid(
            title,
            f"Value for attr 'Targmax' of {short_name(dtype)} is not in the list of allowed values: int32, int64",
        )
    x = _input(input, _REAL, _max_pool_with_argmax.op)
    windows, steps, _, padding = _how(ksize, strides, padding, data_format, None, 2, title)
    return MaxPoolWithArgmax(*_max_pool_with_argmax(x, windows, steps, padding, dtype, bool(include_batch_in_index)))


_KINDS = {"MAX": (_REAL, pool_maxima, "MaxPool"), "AVG": (FLOATS, pool_means, "AvgPool")}


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Pooling of one, two or three dimensions of space.

    Arguments:
        input: [batch, space..., channels].
        window_shape: a list with the window's size in each dimension of space.
        pooling_type: "MAX" or "AVG".
        strides, dilations: a list with a number for each dimension of space, 1 by default.
        padding: "SAME", "VALID", or a list of pairs, one for each dimension.
        data_format: as for `max_pool1d`, `max_pool2d` and `max_pool3d`.

    Raises ValueError for another kind, an input of another rank, both strides and dilations of more than one, and
    dilations with "SAME"; InvalidArgumentError as `max_pool2d` does.
    """
    space = len(window_shape)
    if pooling_type not in _KINDS or space not in (1, 2, 3):
        raise ValueError(f"{space}-D {pooling_type} pooling is not supported.")
    dtypes, run, kind = _KINDS[pooling_type]
    x = _input(input, dtypes, run.op)  # type: ignore[attr-defined]
    shape = x._value.shape
    if shape is not None and len(shape) != space + 2:
        raise ValueError(f"Shape {shape} must have rank {space + 2}")
    first = channels_first(data_format, space, kind)
    how = _how(window_shape, strides, padding, data_format, dilations, space, _title(kind, space + 2))
    apart = list(spatial(how[2], first))
    if max(apart) > 1:
        if padding == "SAME":
            raise ValueError(
                "pooling with 'SAME' padding is not implemented for `dilation_rate` > 1. Received: "
                f"padding={padding} and dilation_rate={apart}"
            )
        if max(how[1]) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={strides} and dilation_rate={apart}"
            )
    return run(x, *how)
