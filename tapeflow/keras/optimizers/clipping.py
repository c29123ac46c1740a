"""Gradients held within bounds: each element, each gradient's norm, or the norm of all together."""

from __future__ import annotations

from typing import Any

import numpy as np


def clip_values(grads: list[Any], bound: float) -> list[Any]:
    """Every element between -bound and bound."""
    return [np.minimum(np.maximum(g, g.dtype.type(-bound)), g.dtype.type(bound)) for g in grads]


def clip_norms(grads: list[Any], bound: float) -> list[Any]:
    """Each gradient scaled down to this norm where its norm is larger."""
    return [_scaled(g, bound, float(np.sqrt(_squares(g)))) for g in grads]


def clip_global_norm(grads: list[Any], bound: float) -> list[Any]:
    """All gradients scaled down alike to this norm of all together, where it is larger; NaN where it is not finite."""
    norm = float(np.sqrt(sum(_squares(g) for g in grads)))
    if not np.isfinite(norm):
        return [g * g.dtype.type(np.nan) for g in grads]
    return [_scaled(g, bound, norm) for g in grads]


def _squares(g: Any) -> Any:
    return np.add.reduce(np.square(g), axis=None)


def _scaled(g: Any, bound: float, norm: float) -> Any:
    return g * g.dtype.type(bound / norm) if norm > bound else g
