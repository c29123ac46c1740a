"""`tf.random`'s ops with hidden state: their numbers follow from `set_seed` and the order of calls, as TensorFlow's do.

Every function reserves its place in the stream of its op, dtype and seed (`draws.random_stream`) and draws from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, group, numpy_dtype, short_name
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor
from . import seeds
from .arithmetic import add, maximum, multiply, real_divide, subtract
from .draws import (
    INTEGERS_32_64,
    PARAMETERS,
    WIDE_FLOATS,
    parameter,
    random_categorical,
    random_gamma,
    random_normal,
    random_poisson,
    random_shuffle,
    random_stream,
    random_truncated_normal,
    random_uniform,
    random_uniform_int,
    refused,
    refused_value,
    shape_argument,
)
from .seeds import blocks_for_categorical, blocks_for_outputs, blocks_for_shuffle
from .shaping import broadcast_to

_FLOAT32, _INT32 = np.dtype("float32"), np.dtype("int32")
_UNIFORM = group("bfloat16", "float16", "float32", "float64", "int32", "int64")


def set_seed(seed: int | None) -> None:
    """Sets the global seed, from which all random ops without a seed of their own derive theirs.

    Every op begins its sequence anew, so that a program that sets the same seed draws the same numbers.

    Arguments:
        seed: an integer of any size and sign (a tensor of one will do), or None for numbers that do not repeat.

    Raises TypeError for what is no number.
    """
    seeds.set_seed(op_seed(seed))


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = _FLOAT32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Uniform numbers in [minval, maxval).

    Arguments:
        shape: the shape drawn; for floats the result broadcasts it with the bounds.
        minval, maxval: the bounds; 0 and 1 by default. Integers need `maxval`, and both bounds 0-D.
        dtype: float16, bfloat16, float32, float64, int32 or int64.
        seed: the op's seed, see `set_seed`.

    Floats are differentiable with respect to the bounds. Raises ValueError for another dtype or integers without
    `maxval`, InvalidArgumentError for integers with minval >= maxval and for a bad shape.
    """
    to = numpy_dtype(dtype)
    if to not in _UNIFORM:
        raise refused_value("dtype", to, _UNIFORM)
    op = "RandomUniformInt" if to.kind in "iu" else "RandomUniform"
    if maxval is None and to.kind in "iu":
        raise ValueError(f"Must specify maxval for integer dtype {to.name}")
    return uniform_from(_begin(op, to, seed), shape, minval, maxval, to, op)


def uniform_from(begin: Callable, shape: Any, minval: Any, maxval: Any, dtype: np.dtype, title: str) -> Tensor:
    """Uniform numbers from the stream `begin(shape, dtype of the shape)`, asked for once all arguments are checked."""
    if dtype.kind in "iu":
        low, high = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
        dims, of = shape_argument(shape, title)
        return random_uniform_int(begin(dims, of), low, high, dims)
    standard = maxval is None and type(minval) in (int, float) and minval == 0
    if not standard:
        low, high = convert_to_tensor(minval, dtype), convert_to_tensor(1 if maxval is None else maxval, dtype)
    dims, of = shape_argument(shape, title)
    unit = random_uniform(begin(dims, of), dims, dtype)
    return unit if standard else add(multiply(unit, subtract(high, low)), low)


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = _FLOAT32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers of the given mean and standard deviation.

    Arguments:
        shape: the shape drawn; the result broadcasts it with `mean` and `stddev`.
        mean, stddev: tensors of `dtype` or what can be; the result is differentiable with respect to them.
        dtype: float16, bfloat16, float32 or float64.
        seed: the op's seed, see `set_seed`.

    Raises TypeError or ValueError for parameters of another dtype, InvalidArgumentError for a bad dtype or shape.
    """
    to = numpy_dtype(dtype)
    op = "RandomStandardNormal"
    return normal_from(_begin(op, to, seed), random_normal, shape, mean, stddev, to, op)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = _FLOAT32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal numbers, those more than two standard deviations from the mean drawn again.

    Arguments, gradients and errors are those of `normal`.
    """
    to = numpy_dtype(dtype)
    op = "TruncatedNormal"
    return normal_from(_begin(op, to, seed), random_truncated_normal, shape, mean, stddev, to, op)


def normal_from(
    begin: Callable, draw: Callable, shape: Any, mean: Any, stddev: Any, dtype: np.dtype, title: str
) -> Tensor:
    """Normal numbers, truncated or not, from the stream `begin(shape, dtype of the shape)`."""
    mean, stddev = parameter(mean, dtype, FLOATS, title), parameter(stddev, dtype, FLOATS, title)
    dims, of = shape_argument(shape, title)
    return add(multiply(draw(begin(dims, of), dims, dtype), stddev), mean)


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = _FLOAT32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Gamma numbers of concentration `alpha` and rate `beta`: `shape` of them for each pair of parameters.

    Arguments:
        shape: the shape drawn for each pair, int32; the result has shape `shape + broadcast(alpha, beta)`.
        alpha: concentrations. Zero gives the smallest positive number, a negative one NaN.
        beta: rates, 1 by default.
        dtype: float16, float32 or float64.
        seed: the op's seed, see `set_seed`.

    Differentiable with respect to both, once for `alpha`. Raises TypeError or ValueError for parameters of another
    dtype, InvalidArgumentError for a bad dtype or shape and for parameters that do not broadcast.
    """
    to = numpy_dtype(dtype)
    dims = _int32_shape(shape, "RandomGamma")
    alpha, beta = concentration_and_rate(alpha, beta, to, "RandomGamma")
    full = dims + alpha._value.shape
    return scaled_gamma(random_gamma(_begin("RandomGamma", to, seed)(full, _INT32), alpha, full), beta, to)


def concentration_and_rate(alpha: Any, beta: Any, dtype: np.dtype, title: str) -> tuple[Tensor, Tensor | None]:
    """The parameters of a gamma distribution as tensors, alpha spread to the shape of the two."""
    alpha = parameter(alpha, dtype, WIDE_FLOATS, title)
    if beta is None:
        return alpha, None
    beta = parameter(beta, dtype, WIDE_FLOATS, title)
    both = broadcast_shapes(alpha._value.shape, beta._value.shape)
    return (alpha if alpha._value.shape == both else broadcast_to(alpha, both)), beta


def scaled_gamma(sample: Tensor, beta: Tensor | None, dtype: np.dtype) -> Tensor:
    """Gamma numbers of rate 1 brought to rate `beta`, none below the smallest normal number."""
    if beta is not None:
        sample = real_divide(sample, beta)
    return maximum(sample, np.finfo(dtype).tiny)


def poisson(shape: Any, lam: Any, dtype: Any = _FLOAT32, seed: int | None = None, name: str | None = None) -> Tensor:
    """Poisson counts of rate `lam`: `shape` of them for each rate.

    Arguments:
        shape: the shape drawn for each rate, int32; the result has shape `shape + lam.shape`.
        lam: rates, float16, float32, float64, int32 or int64.
        dtype: the dtype of the result, one of the same.
        seed: the op's seed, see `set_seed`.

    Not differentiable. Raises InvalidArgumentError for a bad dtype or shape.
    """
    to = numpy_dtype(dtype)
    dims = _int32_shape(shape, "RandomPoissonV2")
    rate = rates(lam, to, "RandomPoissonV2")
    full = dims + rate._value.shape
    # the dtype of the rates does not name the stream
    return random_poisson(_begin("RandomPoissonV2", to, seed)(full, _INT32), rate, full, to)


def rates(lam: Any, dtype: np.dtype, title: str) -> Tensor:
    """The rates of a Poisson distribution as a tensor. Raises InvalidArgumentError for dtypes that none has."""
    rate = convert_to_tensor(lam)
    if rate._value.dtype not in PARAMETERS:
        raise refused("R", rate._value.dtype, PARAMETERS, title)
    if dtype not in PARAMETERS:
        raise refused("dtype", dtype, PARAMETERS, title)
    return rate


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows (slices along the first dimension) in random order.

    Arguments:
        value: a tensor of any dtype; a 0-d one is returned as it is.
        seed: the op's seed, see `set_seed`.

    Differentiable: the gradient is put back in the old order.
    """
    value = convert_to_tensor(value)
    array = value._value
    rows = array.shape[0] if array.shape else 0
    kernel = ("RandomShuffle", short_name(array.dtype))
    return random_shuffle(random_stream(kernel, op_seed(seed), blocks_for_shuffle(rows)), value, False)


def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Class indices drawn with probabilities softmax(logits).

    Arguments:
        logits: [batch, classes], floats; logits that are not finite have probability 0.
        num_samples: how many to draw for each row.
        dtype: int32 or int64 (the default).
        seed: the op's seed, see `set_seed`.

    Gives [batch, num_samples]. Not differentiable. Raises ValueError for another dtype, InvalidArgumentError for
    logits that are no matrix or have no class and for a negative `num_samples`, NotFoundError for integer logits.
    """
    logits, count, to = categorical_arguments(logits, num_samples, dtype, "Multinomial")
    batch, given = logits._value.shape[0], logits._value.dtype
    blocks = blocks_for_categorical(batch, count)
    return random_categorical(
        random_stream(("Multinomial", given.name, to.name), op_seed(seed), blocks), logits, count, to
    )


def categorical_arguments(logits: Any, num_samples: Any, dtype: Any, title: str) -> tuple[Tensor, int, np.dtype]:
    """Logits as a matrix, the number of samples as an int, and the dtype of the indices. Raises as `categorical`."""
    to = numpy_dtype("int64" if dtype is None else dtype)
    if to not in INTEGERS_32_64:
        raise refused_value("dtype", to, INTEGERS_32_64)
    logits = convert_to_tensor(logits)
    array = logits._value
    if array.dtype not in FLOATS:
        if array.dtype.kind in "iu":
            raise errors.NotFoundError(
                None, None, f"{title} has no kernel for logits of {short_name(array.dtype)}: tf.cast them to a float"
            )
        raise refused("T", array.dtype, FLOATS, title)
    count = num_samples if type(num_samples) is int else _count(num_samples, title)
    random_categorical.op.infer(None, array, count, to)  # type: ignore[attr-defined]
    return logits, count, to


def _count(num_samples: Any, title: str) -> int:
    given = convert_to_tensor(num_samples, None if isinstance(num_samples, Tensor) else "int32")._value
    if given.dtype.name != "int32":
        raise errors.invalid(
            title,
            f"cannot compute {title} as input #1(zero-based) was expected to be a int32 tensor but is a "
            f"{short_name(given.dtype)} tensor",
        )
    if given.ndim:
        raise errors.invalid(title, f"num_samples should be a scalar, got shape {list(given.shape)}")
    return int(given)


# -- seeds and shapes of stateful ops ----------------------------------------------------------------------------------


def _begin(op: str, dtype: np.dtype, seed: Any) -> Callable:
    """What reserves the stream of an op once it is known what shape it draws, and of which dtype that shape is."""

    def begin(dims: tuple[int, ...], of: np.dtype) -> Tensor:
        return random_stream((op, dtype.name, of.name), op_seed(seed), blocks_for_outputs(math.prod(dims)))

    return begin


def op_seed(seed: Any) -> int | None:
    """An op's seed as an int. Raises TypeError for what is no number."""
    if seed is None or type(seed) is int:
        return seed
    if not isinstance(seed, (str, bytes)):
        try:
            return int(seed)
        except (TypeError, ValueError):
            pass
    raise TypeError(f"a seed must be an integer or None, got {seed!r}")


def _int32_shape(shape: Any, title: str) -> tuple[int, ...]:
    if isinstance(shape, Tensor):
        convert_to_tensor(shape, "int32")
    return shape_argument(shape, title)[0]
