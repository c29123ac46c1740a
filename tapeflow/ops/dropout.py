"""Dropout: elements set to zero at random, the others scaled up so that the expected sum stays.

The ways differ in where the noise comes from; an element is kept where its noise, uniform in [0, 1), is not below the
rate.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, as_dtype
from ..core.op import define
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor
from ..core.variable import Variable
from . import seeds
from .arithmetic import multiply, one, real_divide, subtract, zero
from .comparison import greater_equal
from .random import op_seed, uniform
from .stateless_random import stateless_uniform


def _masked(x: Any, keep: Any) -> Abstract:
    try:
        return Abstract(broadcast_shapes(keep.shape, x.shape), x.dtype)
    except errors.InvalidArgumentError:
        raise errors.invalid(
            "Dropout", f"noise of shape {list(keep.shape)} does not broadcast with x of shape {list(x.shape)}"
        ) from None


_drop = define(
    "dropout",
    lambda xp: lambda x, keep: xp.where(keep, x, zero(x.dtype)),
    _masked,
    [lambda F, g, keep, shape: F.sum_to(F.dropout(g, keep), shape), None],
    saves=lambda x, keep, out: (keep, x._value.shape),
    inputs=2,
    doc="The elements that are kept, zeros in place of the others.",
)


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None) -> Tensor:
    """The elements of x, each zero with probability `rate`, the others divided by 1 - rate.

    Arguments:
        x: a floating point tensor.
        rate: a number in [0, 1), or a scalar tensor of the dtype of x, with respect to which the result is
            differentiable.
        noise_shape: a shape that broadcasts with that of x; elements that share a number share their fate. None
            in it stands for the dimension of x.
        seed: the op's seed, see `tf.random.set_seed`.

    Raises ValueError for x that is not floating, a rate out of range, not scalar or of another dtype, and
    InvalidArgumentError for a noise shape that does not broadcast.
    """
    return _dropped(
        x,
        rate,
        noise_shape,
        lambda shape, dtype: uniform(shape, dtype=dtype, seed=seed),
        lambda: seeds.get_seed(op_seed(seed)),  # a rate of 0 takes its seed from the sequence all the same
    )


def stateless_dropout(
    x: Any, rate: Any, seed: Any, rng_alg: Any = None, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """`dropout` that drops the same elements for the same arguments.

    Arguments:
        x, rate, noise_shape: as for `dropout`.
        seed: two int32 or int64 integers.
        rng_alg: "philox" or "auto_select" (the default).

    Raises what `dropout` does, and InvalidArgumentError for a bad seed and ThreeFry.
    """
    return _dropped(x, rate, noise_shape, lambda shape, dtype: stateless_uniform(shape, seed, dtype=dtype, alg=rng_alg))


def general_dropout(
    x: Any, rate: Any, uniform_sampler: Callable, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """`dropout` with the noise that `uniform_sampler(shape=..., dtype=...)` gives, numbers in [0, 1).

    It is not called for a rate of 0. Raises what `dropout` does.
    """
    return _dropped(x, rate, noise_shape, lambda shape, dtype: uniform_sampler(shape=shape, dtype=as_dtype(dtype)))


def _dropped(x: Any, rate: Any, noise_shape: Any, sampler: Callable, idle: Callable | None = None) -> Tensor:
    """Dropout with the noise `sampler(shape, dtype)`; with nothing to drop, `idle()` is called instead."""
    number = isinstance(rate, Real)
    if number and not 0 <= rate < 1:
        raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
    if type(x) is not Tensor:
        x = convert_to_tensor(x)
    dtype = x._value.dtype
    if dtype not in FLOATS:
        raise ValueError(
            f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={as_dtype(dtype)}"
        )
    if number:
        if rate == 0:
            if idle is not None:
                idle()
            return x
        scaled = multiply(x, 1 / (1 - rate))
    else:
        rate = _scalar(rate, dtype)
        scaled = real_divide(x, subtract(convert_to_tensor(one(dtype)), rate))
    noise = sampler(_noise_shape(noise_shape, x), dtype)
    return _drop(scaled, greater_equal(noise, rate))


def _scalar(rate: Any, dtype: Any) -> Tensor:
    if not isinstance(rate, (Tensor, Variable)):
        raise ValueError(f"`rate` must be a scalar or scalar tensor. Received: rate={rate}")
    rate = convert_to_tensor(rate)
    if rate._value.shape:
        raise ValueError(f"Shape {rate.shape} must have rank 0: `rate` is one number for all of `x`")
    if rate._value.dtype != dtype:
        raise ValueError(
            "`x.dtype` must be compatible with `rate.dtype`. "
            f"Received: x.dtype={as_dtype(dtype)} and rate.dtype={rate.dtype}"
        )
    return rate


def _noise_shape(noise_shape: Any, x: Tensor) -> Any:
    have = x._value.shape
    if noise_shape is None:
        return have
    if isinstance(noise_shape, (list, tuple)) and len(noise_shape) == len(have):
        return [n if wanted is None else wanted for wanted, n in zip(noise_shape, have, strict=True)]
    return noise_shape
