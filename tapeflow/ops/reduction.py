"""Reductions: sums, means, products and extrema over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.op import define


def _kept(shape: tuple, axes: tuple) -> tuple:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _spread(F: Any, g: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    """The gradient of a sum: g at every element that was summed."""
    if axes is not None and not keepdims:
        g = F.reshape(g, _kept(shape, axes))
    return F.broadcast_to(g, shape)


def _reduced(x: Any, axes: tuple | None, keepdims: bool) -> Abstract:
    axes = tuple(range(len(x.shape))) if axes is None else axes
    if keepdims:
        return Abstract(_kept(x.shape, axes), x.dtype)
    return Abstract(tuple(n for i, n in enumerate(x.shape) if i not in axes), x.dtype)


def _sum(xp: Any) -> Any:
    reduce = xp.add.reduce
    return lambda x, axes, keepdims: reduce(x, axes, None, None, keepdims)


_reduce_sum = define(
    "reduce_sum",
    _sum,
    _reduced,
    [lambda F, g, shape, axes, keepdims: _spread(F, g, shape, axes, keepdims)],
    saves=lambda x, out, axes, keepdims: (x._value.shape,),
    title="Sum",
)
