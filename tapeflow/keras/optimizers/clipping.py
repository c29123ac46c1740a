"""Gradients held within bounds: each element, each gradient's norm, or the norm of all together.

Written over a namespace of ops, as gradient rules are: arrays in an eager step, tensors in one that is traced.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ...core.tensor import wrap
from ...ops import arithmetic, casting, comparison, reduction, selection  # noqa: F401 - which put ops into namespaces

_FLOAT64 = np.dtype("float64")


def clip_values(F: Any, grads: list[Any], bound: float) -> list[Any]:
    """Every element between -bound and bound."""
    return [F.minimum(F.maximum(g, _like(F, -bound, g)), _like(F, bound, g)) for g in grads]


def clip_norms(F: Any, grads: list[Any], bound: float) -> list[Any]:
    """Each gradient scaled down to this norm where its norm is larger."""
    return [_scaled(F, g, _factor(F, F.sqrt(_squares(F, g)), bound)) for g in grads]


def clip_global_norm(F: Any, grads: list[Any], bound: float) -> list[Any]:
    """All gradients scaled down alike to this norm of all together, where it is larger; NaN where it is not finite."""
    squares = [_squares(F, g) for g in grads]
    if len({_dtype(F, g) for g in grads}) > 1:
        squares = [F.cast(x, _FLOAT64) for x in squares]
    norm = F.sqrt(reduce(F.add, squares))
    factor = F.where(F.is_finite(norm), _factor(F, norm, bound), _number(F, np.nan))
    return [_scaled(F, g, factor) for g in grads]


def _squares(F: Any, g: Any) -> Any:
    return F.reduce_sum(F.square(g), None, False)


def _factor(F: Any, norm: Any, bound: float) -> Any:
    """What brings a norm down to a bound; 1 where it is below."""
    norm = F.cast(norm, _FLOAT64)
    above = F.greater(norm, _number(F, bound))
    safe = F.where(above, norm, _number(F, 1.0))  # 0 would divide by itself
    return F.where(above, F.real_divide(_number(F, bound), safe), _number(F, 1.0))


def _scaled(F: Any, g: Any, factor: Any) -> Any:
    return F.multiply(g, F.cast(factor, _dtype(F, g)))


def _dtype(F: Any, g: Any) -> np.dtype:
    return g.dtype if F.raw else g._value.dtype


def _number(F: Any, value: float) -> Any:
    return np.float64(value) if F.raw else wrap(np.float64(value))


def _like(F: Any, value: float, g: Any) -> Any:
    number = _dtype(F, g).type(value)
    return number if F.raw else wrap(number)
