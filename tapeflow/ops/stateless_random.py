"""`tf.random.stateless_*`: numbers that are a pure function of their arguments, two seeds among them, as TensorFlow's.

Every function scrambles its seeds into the beginning of a stream (`draws.stateless_stream`) and draws from there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import group, numpy_dtype, short_name
from ..core.op import define
from ..core.tensor import Tensor
from ..core.variable import Variable
from .draws import (
    FULL_INTEGERS,
    INTEGERS_32_64,
    PARAMETERS,
    WIDE_FLOATS,
    random_binomial,
    random_categorical,
    random_gamma,
    random_normal,
    random_poisson,
    random_shuffle,
    random_truncated_normal,
    random_uniform_full_int,
    refused,
    refused_value,
    shape_argument,
    stateless_stream,
)
from .random import (
    categorical_arguments,
    concentration_and_rate,
    normal_from,
    rates,
    scaled_gamma,
    uniform_from,
)

_FLOAT32, _INT32, _INT64 = np.dtype("float32"), np.dtype("int32"), np.dtype("int64")
_UNIFORM = group("bfloat16", "float16", "float32", "float64", "int32", "int64", "uint32", "uint64")


class Algorithm(enum.Enum):
    """Which generator makes random words. Only Philox is here; ThreeFry is refused where numbers would be drawn."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


_NUMBERS = {member.name.lower(): member.value for member in Algorithm}


def algorithm(alg: Any, title: str) -> int:
    """The number of an algorithm, given as a member of `Algorithm`, its number, a tensor of it, or its name.

    Raises ValueError for an unknown one, TypeError for what can be none, InvalidArgumentError for ThreeFry.
    """
    number: Any = alg
    if isinstance(alg, Algorithm):
        number = alg.value
    elif isinstance(alg, str):
        if alg not in _NUMBERS:
            raise ValueError(
                f"Argument `alg` got unsupported value {alg}. Supported values are philox for the Philox algorithm, "
                "threefry for the ThreeFry algorithm, and auto_select for auto-selection."
            )
        number = _NUMBERS[alg]
    elif isinstance(alg, (int, np.integer, Tensor, Variable)):
        number = int(alg if not isinstance(alg, Variable) else alg.read_value())
        if number not in (1, 2, 3):
            raise ValueError(
                f"Argument `alg` got unsupported value {number}. Supported values are 1 for the Philox algorithm, "
                "2 for the ThreeFry algorithm, and 3 for auto-selection."
            )
    else:
        raise TypeError(f"Can't convert argument `alg` (of value {alg!r} and type {type(alg)}) to int.")
    if number == Algorithm.THREEFRY.value:
        raise errors.invalid(title, "the ThreeFry algorithm is not supported; use alg='philox' or alg='auto_select'")
    return number


def _begin(seed: Any, alg: Any, title: str) -> Callable:
    """What gives the stream of a stateless op once its other arguments are checked."""
    if alg is not None:
        algorithm(alg, title)
    return lambda dims=None, of=None: stateless_stream(seed)


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = _FLOAT32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Uniform numbers in [minval, maxval), the same for the same arguments.

    Arguments:
        shape: the shape drawn; for floats the result broadcasts it with the bounds.
        seed: two int32 or int64 integers.
        minval, maxval: the bounds; 0 and 1 by default. Integers need both, 0-D, or None for both, which draws from all
            integers of the dtype.
        dtype: float16, bfloat16, float32, float64, int32, int64, and with both bounds None uint32 and uint64.
        alg: "philox" or "auto_select".

    Floats are differentiable with respect to the bounds. Raises ValueError for another dtype or one bound missing,
    InvalidArgumentError for minval >= maxval, a bad seed or shape, and ThreeFry.
    """
    to = numpy_dtype(dtype)
    if to not in _UNIFORM:
        raise refused_value("dtype", to, _UNIFORM)
    if to.kind in "iu":
        if (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer `dtype` argument {to.name}, argument `minval` and `maxval` must be both None or not "
                f"None. Got `minval`={minval} and `maxval`={maxval}."
            )
        if minval is not None and to.kind == "u":
            raise ValueError(
                f"Argument `dtype` got invalid value {to.name} when argument `minval` is not None. Please don't use "
                "unsigned integers in this case."
            )
    begin = _begin(seed, alg, "StatelessRandomUniformV2")
    return full_or_uniform_from(begin, shape, minval, maxval, to)


def full_or_uniform_from(begin: Callable, shape: Any, minval: Any, maxval: Any, dtype: np.dtype) -> Tensor:
    """`random.uniform_from`, and all integers of the dtype where both bounds are None."""
    if dtype.kind in "iu" and minval is None:
        dims, of = shape_argument(shape, "StatelessRandomUniformFullIntV2")
        return random_uniform_full_int(begin(dims, of), dims, dtype)
    title = "StatelessRandomUniformIntV2" if dtype.kind in "iu" else "StatelessRandomUniformV2"
    return uniform_from(begin, shape, minval, maxval, dtype, title)


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = _FLOAT32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Normal numbers of the given mean and standard deviation, the same for the same arguments.

    Arguments:
        shape: the shape drawn; the result broadcasts it with `mean` and `stddev`.
        seed: two int32 or int64 integers.
        mean, stddev: tensors of `dtype` or what can be; the result is differentiable with respect to them.
        dtype: float16, bfloat16, float32 or float64.
        alg: "philox" or "auto_select".

    Raises TypeError or ValueError for parameters of another dtype, InvalidArgumentError for a bad dtype, seed or shape
    and for ThreeFry.
    """
    title = "StatelessRandomNormalV2"
    return normal_from(_begin(seed, alg, title), random_normal, shape, mean, stddev, numpy_dtype(dtype), title)


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = _FLOAT32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Normal numbers, those more than two standard deviations from the mean drawn again.

    Arguments, gradients and errors are those of `stateless_normal`.
    """
    title = "StatelessTruncatedNormalV2"
    begin = _begin(seed, alg, title)
    return normal_from(begin, random_truncated_normal, shape, mean, stddev, numpy_dtype(dtype), title)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = _FLOAT32, name: str | None = None
) -> Tensor:
    """Gamma numbers of concentration `alpha` and rate `beta`, the same for the same arguments.

    Arguments:
        shape: the shape of the result; it ends with the broadcast shape of `alpha` and `beta`.
        seed: two int32 or int64 integers.
        alpha: concentrations. Zero gives the smallest positive number, a negative one NaN.
        beta: rates, 1 by default.
        dtype: float16, float32 or float64.

    Differentiable with respect to both, once for `alpha`. Raises TypeError or ValueError for parameters of another
    dtype, InvalidArgumentError for a bad dtype, seed or shape and for parameters that do not broadcast.
    """
    to = numpy_dtype(dtype)
    title = "StatelessRandomGammaV3"
    alpha, beta = concentration_and_rate(alpha, beta, to, title)
    dims = shape_argument(shape, title)[0]
    return scaled_gamma(random_gamma(stateless_stream(seed), alpha, dims), beta, to)


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = _INT32, name: str | None = None) -> Tensor:
    """Poisson counts of rate `lam`, the same for the same arguments.

    Arguments:
        shape: the shape of the result; it ends with the shape of `lam`.
        seed: two int32 or int64 integers.
        lam: rates, float16, float32, float64, int32 or int64.
        dtype: the dtype of the result, one of the same.

    Not differentiable. Raises InvalidArgumentError for a bad dtype, seed or shape.
    """
    to = numpy_dtype(dtype)
    title = "StatelessRandomPoisson"
    rate = rates(lam, to, title)
    dims = shape_argument(shape, title)[0]
    return random_poisson(stateless_stream(seed, title), rate, dims, to)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = _INT32, name: str | None = None
) -> Tensor:
    """Binomial counts of `counts` trials of probability `probs`, the same for the same arguments.

    Arguments:
        shape: the shape of the result; it ends with the broadcast shape of `counts` and `probs`.
        seed: two int32 or int64 integers.
        counts: numbers of trials, of the dtype of `probs`; those of 0 or fewer give 0.
        probs: probabilities, float16, float32 or float64.
        output_dtype: float16, float32, float64, int32 or int64.

    Not differentiable. Raises InvalidArgumentError for a bad dtype, seed or shape and for parameters that do not
    broadcast or differ in dtype, NotFoundError for integer parameters.
    """
    title = "StatelessRandomBinomial"
    probs = convert_to_tensor(probs, dtype_hint=_FLOAT32)
    counts = convert_to_tensor(counts, dtype_hint=probs._value.dtype)
    to = binomial_dtypes(counts, probs, output_dtype, title)
    dims = shape_argument(shape, title)[0]
    return random_binomial(stateless_stream(seed, title), counts, probs, dims, to)


def binomial_dtypes(counts: Tensor, probs: Tensor, dtype: Any, title: str) -> np.dtype:
    """The dtype of the counts drawn. Raises as `stateless_binomial` for dtypes that do not go together."""
    to = numpy_dtype(dtype)
    if to not in PARAMETERS:
        raise refused("dtype", to, PARAMETERS, title)
    of = counts._value.dtype
    if of in INTEGERS_32_64:
        raise errors.NotFoundError(
            None, None, f"{title} has no kernel for counts of {short_name(of)}: tf.cast them to the dtype of probs"
        )
    if of not in WIDE_FLOATS:
        raise refused("T", of, WIDE_FLOATS, title)
    if probs._value.dtype != of:
        raise errors.invalid(
            title,
            f"cannot compute {title} as input #3(zero-based) was expected to be a {short_name(of)} tensor but is a "
            f"{short_name(probs._value.dtype)} tensor",
        )
    return to


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = _INT64, name: str | None = None
) -> Tensor:
    """Class indices drawn with probabilities softmax(logits), the same for the same arguments.

    Arguments:
        logits: [batch, classes], floats; logits that are not finite have probability 0.
        num_samples: how many to draw for each row.
        seed: two int32 or int64 integers.
        dtype: int32 or int64.

    Gives [batch, num_samples]. Not differentiable. Raises ValueError for another dtype, InvalidArgumentError for a bad
    seed, logits that are no matrix or have no class, and a negative `num_samples`, NotFoundError for integer logits.
    """
    title = "StatelessMultinomial"
    logits, count, to = categorical_arguments(logits, num_samples, dtype, title)
    return random_categorical(stateless_stream(seed, title), logits, count, to)


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """The rows (slices along the first dimension) in random order, the same for the same arguments.

    Arguments:
        value: a tensor of any dtype; a 0-d one is returned as it is.
        seed: two int32 or int64 integers.
        alg: "philox" or "auto_select".

    Differentiable: the gradient is put back in the old order. Raises InvalidArgumentError for a bad seed and ThreeFry.
    """
    return random_shuffle(_begin(seed, alg, "StatelessShuffle")(), convert_to_tensor(value), False)


def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """New seeds made of one: [num, 2], of the seed's dtype.

    Arguments:
        seed: two int32 or int64 integers.
        num: how many.
        alg: "philox" or "auto_select".

    Raises InvalidArgumentError for a bad seed, a negative number and ThreeFry, ValueError for a seed of floats.
    """
    seed = convert_to_tensor(seed)
    return stateless_uniform([int(num), 2], seed, None, None, _seed_dtype(seed, "seed"), alg=alg)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed made of a seed and a number: int[2], of the dtype of `data`.

    Arguments:
        seed: two int32 or int64 integers.
        data: an integer scalar, the number of a step or a replica for instance.
        alg: "philox" or "auto_select".

    Raises InvalidArgumentError for a bad seed, `data` that is no scalar and ThreeFry, ValueError for `data` that is no
    32- or 64-bit integer.
    """
    data = convert_to_tensor(data)
    _seed_dtype(data, "data")
    return _fold(_begin(seed, alg, "StatelessRandomUniformFullIntV2")(), data)


def _seed_dtype(value: Tensor, argument: str) -> np.dtype:
    dtype = value._value.dtype
    if dtype not in FULL_INTEGERS:
        raise refused_value(f"{argument}.dtype", dtype, FULL_INTEGERS)
    return dtype


def _folded(stream: Any, data: Any) -> Abstract:
    if data.shape:
        raise errors.invalid("Pack", f"fold_in takes a scalar as data, not one of shape {list(data.shape)}")
    return Abstract((2,), data.dtype)


def _fold_kernel(stream: Any, data: Any) -> np.ndarray:
    _folded(stream, data)
    drawn = random_uniform_full_int.op.kernel(stream, (), data.dtype)
    return np.array([drawn, data], data.dtype)


_fold = define("fold_in", lambda xp: _fold_kernel, _folded, inputs=2)
