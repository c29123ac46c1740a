"""Softmax and its logarithm, over one dimension or several together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS
from ..core.elementwise import refused_dtype, same
from ..core.op import define
from ..core.tensor import Tensor

_FLOAT32 = np.dtype("float32")


def _softmax_kernel(xp: Any) -> Callable:
    largest, total, exp = xp.maximum.reduce, xp.add.reduce, xp.exp

    def softmax(x: Any, axis: Any) -> Any:
        if x.dtype.itemsize == 2:
            return softmax(x.astype(_FLOAT32), axis).astype(x.dtype)
        if not x.size:
            return x
        e = exp(x - largest(x, axis, None, None, True))
        e /= total(e, axis, None, None, True)
        return e

    return softmax


def _log_softmax_kernel(xp: Any) -> Callable:
    largest, total, exp, log = xp.maximum.reduce, xp.add.reduce, xp.exp, xp.log

    def log_softmax(x: Any, axis: Any) -> Any:
        if x.dtype.itemsize == 2:
            return log_softmax(x.astype(_FLOAT32), axis).astype(x.dtype)
        if not x.size:
            return x
        z = x - largest(x, axis, None, None, True)
        z -= log(total(exp(z), axis, None, None, True))
        return z

    return log_softmax


def _over(axis: Any) -> tuple:
    return axis if type(axis) is tuple else (axis,)


def _softmax_gradient(F: Any, g: Any, y: Any, axis: Any) -> Any:
    return y * (g - F.reduce_sum(g * y, _over(axis), True))


def _log_softmax_gradient(F: Any, g: Any, y: Any, axis: Any) -> Any:
    return g - F.exp(y) * F.reduce_sum(g, _over(axis), True)


_softmax = define(
    "softmax",
    _softmax_kernel,
    same,
    [_softmax_gradient],
    """The softmax over a dimension, counted from the front, or over several together (a tuple of them).""",
    saves=lambda x, out, axis: (out,),
)
_log_softmax = define(
    "log_softmax",
    _log_softmax_kernel,
    same,
    [_log_softmax_gradient],
    """The logarithm of the softmax over a dimension, counted from the front, or over a tuple of them.""",
    saves=lambda x, out, axis: (out,),
)


def _normalising(run: Callable, logits: Any, axis: Any) -> Tensor:
    x = logits if type(logits) is Tensor else convert_to_tensor(logits)
    value = x._value
    if value.dtype not in FLOATS:
        raise refused_dtype(run.op, value.dtype, FLOATS)
    rank = len(value.shape)
    if type(axis) is not int:
        axis = -1 if axis is None else _static_axis(axis)
    if not -rank <= axis < rank:
        if not rank:
            raise errors.invalid(run.op.title, "logits must have >= 1 dimension, got a scalar")
        raise errors.invalid(
            run.op.title,
            f"`dim` must be in the range [{-rank}, {rank}) where {rank} is the number of dimensions in the input. "
            f"Received: dim={axis}",
        )
    return run(x, axis + rank if axis < 0 else axis)


def _static_axis(axis: Any) -> int:
    value = np.asarray(convert_to_tensor(axis)._value)
    if value.ndim or not np.issubdtype(value.dtype, np.integer):
        raise TypeError(f"The axis of a softmax is one int, not {axis!r}")
    return int(value)


def softmax(logits: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """exp(logits) divided by their sum along `axis` (the last by default), without overflow.

    Arguments:
        logits: a tensor of floats, of one or more dimensions.
        axis: the dimension along which the result sums to 1.

    Raises InvalidArgumentError for another dtype, a scalar, or an axis out of range; TypeError for an axis that is no
    int.
    """
    return _normalising(_softmax, logits, axis)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """logits - log(sum(exp(logits))) along `axis` (the last by default), without overflow. Errors as for `softmax`."""
    return _normalising(_log_softmax, logits, axis)
