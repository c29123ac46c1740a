"""Moments, and what is normalised by them; biases, the L2 loss, and losses averaged over a global batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import FLOATS, NUMBERS, as_dtype
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .arithmetic import typed_constant
from .deferring import deferred, shape_of
from .reduction import reduce_mean, reduce_sum, reduce_variance, reduced_axes

_FLOAT32, _FLOAT64 = np.dtype("float32"), np.dtype("float64")
half = typed_constant(0.5)

# -- biases ------------------------------------------------------------------------------------------------------------


def _bias_kernel(xp: Any) -> Callable:
    return lambda x, b, axis: x + (b if axis == -1 else b.reshape(-1, *[1] * (x.ndim - 2)))


def _bias_shape(x: Any, b: Any, axis: int) -> Abstract:
    if x.shape is not None and b.shape is not None:
        if len(x.shape) < 2:
            raise errors.invalid("BiasAdd", f"Input tensor must be at least 2D: {shape_text(x.shape)}")
        if len(b.shape) != 1:
            raise errors.invalid("BiasAdd", f"Biases must be 1D: {shape_text(b.shape)}")
        channels, biases = x.shape[axis], b.shape[0]
        if channels != biases and None not in (channels, biases):
            which = "last" if axis == -1 else "channel"
            raise errors.invalid(
                "BiasAdd",
                f"Must provide as many biases as the {which} dimension of the input tensor: {shape_text(b.shape)} vs. "
                f"{shape_text(x.shape)}",
            )
    return Abstract(x.shape, x.dtype)


_bias_add = define(
    "bias_add",
    _bias_kernel,
    _bias_shape,
    [
        lambda F, g, rank, axis: g,
        lambda F, g, rank, axis: F.reduce_sum(g, tuple([i for i in range(rank) if i != axis % rank]), False),
    ],
    saves=lambda x, b, out, axis: (len(x._value.shape),),
    inputs=2,
)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """value + bias, one bias for each channel.

    Arguments:
        value: a tensor of two or more dimensions, of numbers.
        bias: a vector of the same dtype.
        data_format: "N...C" (the default; the last dimension is that of the channels) or "NC..." (the second is).

    Raises InvalidArgumentError for shapes that do not fit or dtypes that differ, ValueError for another format.
    """
    if data_format is None or data_format.startswith("N") and data_format.endswith("C"):
        axis = -1
    elif data_format.startswith("NC"):
        axis = 1
    else:
        raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
    x = convert_to_tensor(value)
    b = convert_like(bias, x._value.dtype)
    dtype = x._value.dtype
    if dtype != b._value.dtype:
        raise mixed_dtypes(_bias_add.op, dtype, b._value.dtype)
    if dtype not in NUMBERS:
        raise refused_dtype(_bias_add.op, dtype, NUMBERS)
    shape = x._value.shape
    if len(shape) < 2 or b._value.shape != (shape[axis],):
        _bias_shape(x._value, b._value, axis)
    return _bias_add(x, b, axis)


def _l2_kernel(xp: Any) -> Callable:
    def l2_loss(t: Any) -> Any:
        dtype = t.dtype
        flat = t.reshape(-1)
        if dtype.itemsize == 2:
            flat = flat.astype(_FLOAT32)
        return (xp.dot(flat, flat) * half(flat.dtype)).astype(dtype)

    return l2_loss


_l2_loss = define(
    "l2_loss",
    _l2_kernel,
    lambda t: Abstract((), t.dtype),
    [lambda F, g, t: g * t],
    saves=lambda t, out: (t,),
    title="L2Loss",
)


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """sum(t ** 2) / 2, of a tensor of floats. Raises InvalidArgumentError for other dtypes."""
    t = convert_to_tensor(t)
    if t._value.dtype not in FLOATS:
        raise refused_dtype(_l2_loss.op, t._value.dtype, FLOATS)
    return _l2_loss(t)


# -- moments -----------------------------------------------------------------------------------------------------------


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance (the population's, divided by n) over `axes`.

    Arguments:
        x: a tensor of numbers; halves are computed in float32.
        axes: the dimensions to go over, an int or a sequence of ints; None for all.
        shift: accepted, without effect.
        keepdims: whether these dimensions stay, of size 1.

    Raises InvalidArgumentError for an axis out of range or what are no numbers.
    """
    x = convert_to_tensor(x)
    dtype = x._value.dtype
    if dtype in FLOATS:
        y = T.cast(x, _FLOAT32) if dtype.itemsize == 2 else x
        mean, variance = reduce_mean(y, axes, keepdims), reduce_variance(y, axes, keepdims)
    else:
        mean = reduce_mean(x, axes, keepdims)
        apart = T.squared_difference(x, reduce_mean(x, axes, True))
        variance = reduce_mean(apart, axes, keepdims)
    return (T.cast(mean, dtype), T.cast(variance, dtype)) if dtype.itemsize == 2 else (mean, variance)


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over `axes`, each element counted as often as its weight says.

    Arguments:
        x: a tensor of floats; halves are computed in float32.
        axes, keepdims: as for `moments`.
        frequency_weights: a tensor that broadcasts with x, cast to its dtype.

    Raises InvalidArgumentError for an axis out of range or shapes that do not broadcast.
    """
    x = convert_to_tensor(x)
    w = convert_like(frequency_weights, x._value.dtype)
    dtype = x._value.dtype
    if dtype.itemsize == 2:
        x = T.cast(x, _FLOAT32)
    if w._value.dtype != x._value.dtype:
        w = T.cast(w, x._value.dtype)
    total = reduce_sum(w + T.zeros_like(x), axes, True)
    mean = reduce_sum(w * x, axes, True) / total
    variance = reduce_sum(w * T.squared_difference(x, mean), axes, True) / total
    if not keepdims:
        rank = len(x._value.shape)
        gone = reduced_axes(axes, rank, "Sum")
        shape = () if gone is None else tuple([n for i, n in enumerate(mean._value.shape) if i not in gone])
        mean, variance = T.reshape(mean, shape), T.reshape(variance, shape)
    return (T.cast(mean, dtype), T.cast(variance, dtype)) if dtype.itemsize == 2 else (mean, variance)


def sufficient_statistics(
    x: Any, axes: Sequence[int], shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """What mean and variance over `axes` can be computed from, sums that add up over batches.

    Arguments:
        x: a tensor of floats.
        axes: a sequence of ints, the dimensions to sum over.
        shift: a value near the mean, which x is taken relative to so that few digits cancel; or None.
        keepdims: whether these dimensions stay, of size 1.

    Returns the number of elements, their sum, the sum of their squares, and the shift; see `normalize_moments`.
    Raises TypeError for `axes` that is no sequence, InvalidArgumentError for one out of range.
    """
    x = convert_to_tensor(x)
    dtype, rank = x._value.dtype, len(x._value.shape)
    over = reduced_axes(list(dict.fromkeys(axes)), rank, "Sum")
    total: Any = prod([x._value.shape[a] for a in over])
    counts = convert_to_tensor(dtype.type(total) if type(total) is int else total, dtype)
    if shift is None:
        return counts, reduce_sum(x, over, keepdims), reduce_sum(T.square(x), over, keepdims), None
    shift = convert_like(shift, dtype)
    sums = reduce_sum(T.subtract(x, shift), over, keepdims)
    return counts, sums, reduce_sum(T.squared_difference(x, shift), over, keepdims), shift


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of `sufficient_statistics`.

    Arguments:
        counts: the number of elements, a scalar.
        mean_ss, variance_ss: the sums of the elements and of their squares, relative to the shift.
        shift: the shift, or None.
    """
    share = T.reciprocal(convert_to_tensor(counts))
    offset = T.multiply(convert_to_tensor(mean_ss), share)
    mean = offset if shift is None else T.add(offset, shift)
    return mean, T.subtract(T.multiply(convert_to_tensor(variance_ss), share), T.square(offset))


# -- normalisation -----------------------------------------------------------------------------------------------------


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Tensor:
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset.

    Arguments:
        x: a tensor of floats.
        mean, variance, offset, scale: tensors that broadcast with x; `offset` and `scale` may be None.
        variance_epsilon: a small number, so that nothing is divided by zero.

    Source: Ioffe and Szegedy, Batch Normalization (2015).
    """
    x, mean, variance = convert_to_tensor(x), convert_to_tensor(mean), convert_to_tensor(variance)
    factor = T.rsqrt(variance + variance_epsilon)
    if scale is not None:
        factor = factor * scale
    constant = -(mean * factor) if offset is None else T.subtract(offset, mean * factor)
    dtype = x._value.dtype
    return x * T.cast(factor, dtype) + T.cast(constant, dtype)


def batch_norm_with_global_normalization(
    input: Any,
    mean: Any,
    variance: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: Any,
    scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:
    """`batch_normalization` with offset `beta` and, with `scale_after_normalization`, scale `gamma`."""
    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon)


_FORMATS = {"NHWC": (4, 3), "NCHW": (4, 1), "NDHWC": (5, 4), "NCDHW": (5, 1)}
_FUSED = "FusedBatchNormV3"


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation of images, over all dimensions but that of the channels (`tf.compat.v1.nn`).

    Arguments:
        x: images, 4-D, or 5-D for the formats with a D; float16, bfloat16 or float32.
        scale, offset: a number for each channel, float32.
        mean, variance: those to normalise by where `is_training` is False; in training the running ones, needed where
            `exponential_avg_factor` is not 1.
        epsilon: what is added to the variance.
        data_format: "NHWC", "NCHW", "NDHWC" or "NCDHW".
        is_training: whether to normalise by the batch's own mean and variance.
        exponential_avg_factor: how much of the running values the batch's replace.

    Returns the normalised images, the running mean, and the running variance (of which the batch's part is divided by
    n - 1); gradients flow through the first alone.

    Raises ValueError for a missing mean or variance, InvalidArgumentError for shapes that do not fit.
    """
    if data_format not in _FORMATS:
        raise errors.invalid(_FUSED, f"data_format must be one of {', '.join(_FORMATS)}, not {data_format!r}")
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != "
            f"1.0. Received: `mean` {mean!r} and `variance` {variance!r}"
        )
    x = convert_to_tensor(x)
    dtype, shape = x._value.dtype, x._value.shape
    rank, channel = _FORMATS[data_format]
    if len(shape) != rank:
        raise errors.invalid(_FUSED, f"input must be {rank}-dimensional for {data_format}, not {shape_text(shape)}")
    wide = _FLOAT32 if dtype.itemsize == 2 else dtype
    given = {"scale": scale, "offset": offset, "mean": mean, "variance": variance}
    vectors = {key: convert_like(v, wide) for key, v in given.items() if v is not None}
    for key, vector in vectors.items():
        if vector._value.shape != (shape[channel],):
            raise errors.invalid(
                _FUSED,
                f"{key} must have the same number of elements as the channels of x, got "
                f"{shape_text(vector._value.shape)} and {shape[channel]}",
            )
    y = T.cast(x, wide)
    over = [i for i in range(rank) if i != channel]
    if is_training:
        count = prod([shape[i] for i in over])
        center, spread = reduce_mean(y, over), reduce_variance(y, over)
        running = [center, spread * (count / max(count - 1, 1))]
        if exponential_avg_factor != 1.0:
            keep, take = 1 - exponential_avg_factor, exponential_avg_factor
            old = [vectors["mean"], vectors["variance"]]
            running = [a * keep + b * take for a, b in zip(old, running, strict=True)]
    else:
        center, spread = running = [vectors["mean"], vectors["variance"]]
    along = tuple([shape[i] if i == channel else 1 for i in range(rank)])
    factor = T.rsqrt(spread + epsilon) * vectors["scale"]
    y = (y - T.reshape(center, along)) * T.reshape(factor, along) + T.reshape(vectors["offset"], along)
    return T.cast(y, dtype), T.stop_gradient(running[0]), T.stop_gradient(running[1])


@deferred(lambda input, *args, **kwargs: Abstract(shape_of(input), convert_to_tensor(input)._value.dtype))
def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """x / (bias + alpha * s) ** beta, s the sum of squares over the channels up to `depth_radius` away.

    Arguments:
        input: images [batch, height, width, channels], floats.

    Raises InvalidArgumentError for other ranks or dtypes. Source: Krizhevsky et al., ImageNet Classification with Deep
    Convolutional Neural Networks (2012), section 3.3.
    """
    x = convert_to_tensor(input)
    dtype, shape = x._value.dtype, x._value.shape
    if dtype not in FLOATS:
        raise refused_dtype(T.l2_loss.op, dtype, FLOATS)
    if len(shape) != 4:
        raise errors.invalid("LRN", f"in must be 4-dimensional, not {shape_text(shape)}")
    y = T.cast(x, _FLOAT32) if dtype.itemsize == 2 else x
    channels = np.arange(shape[3])
    near = abs(channels[:, None] - channels) <= int(depth_radius)
    sums = T.matmul(T.square(y), convert_to_tensor(near.astype(y._value.dtype)), False, False)
    y = y * (sums * float(alpha) + float(bias)) ** -float(beta)
    return T.cast(y, dtype) if dtype.itemsize == 2 else y


lrn = local_response_normalization

# -- losses over a global batch ----------------------------------------------------------------------------------------


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """The sum of the losses, each times its weight, divided by the global batch size.

    Arguments:
        per_example_loss: a tensor of one or more dimensions, the first that of the examples.
        sample_weight: weights that broadcast with it, or lack its last dimension.
        global_batch_size: by how many to divide, an int; by default the number of examples.

    Raises ValueError for a scalar loss or a batch size that is negative or no scalar, TypeError for one that is no int.
    """
    loss = convert_to_tensor(per_example_loss)
    shape = loss._value.shape
    if not shape:
        raise ValueError(
            "Invalid value passed for `per_example_loss`. Expected a tensor with at least rank 1. Received "
            f"per_example_loss={loss!r} with rank 0"
        )
    size = shape[0] if global_batch_size is None else _batch_size(global_batch_size)
    if sample_weight is not None:
        loss = _weighted(loss, sample_weight)
    if loss._value.dtype.kind in "iu":
        loss = T.cast(loss, _FLOAT64)
    total = reduce_sum(loss)
    return total / size if size else T.zeros_like(total)


def _batch_size(size: Any) -> int:
    value = np.asarray(convert_to_tensor(size)._value)
    if value.dtype.kind not in "iu":
        raise TypeError(f"global_batch_size must be an integer, not {size!r} of dtype {as_dtype(value.dtype)!r}")
    if value.ndim:
        raise ValueError(f"global_batch_size must be scalar, not of shape {value.shape}")
    if value < 0:
        raise ValueError(f"global_batch_size must be non-negative, not {int(value)}")
    return int(value)


def _weighted(loss: Tensor, sample_weight: Any) -> Tensor:
    """The losses times their weights, which may have one dimension too few, or one of size 1 too many."""
    w = convert_to_tensor(sample_weight)
    if w._value.dtype != loss._value.dtype:
        w = T.cast(w, loss._value.dtype)
    rank, shape = len(loss._value.shape), w._value.shape
    if shape:
        if len(shape) == rank + 1 and shape[-1] == 1:
            w = T.reshape(w, shape[:-1])
        elif len(shape) == rank - 1:
            w = T.reshape(w, (*shape, 1))
    return T.multiply(loss, w)


def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The sum of the regularisation losses, divided by the number of replicas: one, outside of a strategy."""
    return reduce_sum(convert_to_tensor(regularization_loss))
