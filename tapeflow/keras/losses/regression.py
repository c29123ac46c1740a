"""Losses between numbers: squares, magnitudes, percentages, logarithms, angles."""

from __future__ import annotations

import math
from typing import Any

from ...core.tensor import Tensor
from ...ops.arithmetic import abs_ as absolute
from ...ops.arithmetic import maximum, square, squared_difference
from ...ops.comparison import less_equal
from ...ops.elementary import log, rsqrt, softplus
from ...ops.reduction import reduce_mean, reduce_sum
from ...ops.selection import where
from ..conversion import converted, predicted
from ..settings import epsilon
from .reduction import squeeze_or_expand_to_same_rank


def _pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the predictions' float type and of one rank."""
    y_pred = predicted(y_pred)
    y_true = converted(y_true, y_pred._value.dtype)
    if len(y_true._value.shape) != len(y_pred._value.shape):
        return squeeze_or_expand_to_same_rank(y_true, y_pred)
    return y_true, y_pred


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of (y_true - y_pred)**2 over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(squared_difference(y_true, y_pred), -1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of |y_true - y_pred| over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(absolute(y_true - y_pred), -1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 times the mean of |y_true - y_pred| / |y_true| over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(absolute((y_true - y_pred) / maximum(absolute(y_true), epsilon())), -1) * 100.0


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of (log(y_true + 1) - log(y_pred + 1))**2 over the last axis; negative numbers count as 0."""
    y_true, y_pred = _pair(y_true, y_pred)
    first, second = log(maximum(y_pred, epsilon()) + 1.0), log(maximum(y_true, epsilon()) + 1.0)
    return reduce_mean(squared_difference(first, second), -1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """The mean over the last axis of half the squared error, which beyond `delta` goes on as a line."""
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    size = absolute(error)
    delta = float(delta)
    return reduce_mean(where(less_equal(size, delta), square(error) * 0.5, size * delta - 0.5 * delta * delta), -1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of log(cosh(y_pred - y_true)) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    return reduce_mean(error + softplus(error * -2.0) - math.log(2.0), -1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between both along an axis: -1 for the same direction, 0 with a vector of zeros."""
    y_true, y_pred = _pair(y_true, y_pred)
    return -reduce_sum(unit(y_true, axis) * unit(y_pred, axis), axis)


def unit(x: Tensor, axis: int) -> Tensor:
    """x scaled to length 1 along an axis; where it is shorter than the fuzz factor, divided by that."""
    return x * rsqrt(maximum(reduce_sum(square(x), axis, keepdims=True), epsilon() ** 2))


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of y_pred - y_true * log(y_pred) over the last axis."""
    y_pred = predicted(y_pred)
    y_true = converted(y_true, y_pred._value.dtype)
    return reduce_mean(y_pred - y_true * log(y_pred + epsilon()), -1)
