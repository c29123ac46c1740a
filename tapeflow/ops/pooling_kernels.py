"""Pooling on arrays, one axis after the other: a maximum (or sum) over a window is one over each of its sides.

So a window of 3 x 3 takes 3 + 3 passes, not 9, and the gradient of a maximum is found the same way back: first the row
of the window that holds it, then the place in the row. Of equal elements the first gets all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .windows import Axis

_FLOAT32 = np.dtype("float32")


def in_float32(kernel: Callable) -> Callable:
    """The kernel for halves too: their values are computed in float32."""

    @wraps(kernel)
    def run(x: np.ndarray, *rest: Any) -> np.ndarray:
        dtype = x.dtype
        if dtype.itemsize != 2 or dtype.kind in "iu":
            return kernel(x, *rest)
        wide = [r.astype(_FLOAT32) if isinstance(r, np.ndarray) else r for r in (x, *rest)]
        return kernel(*wide).astype(dtype)

    return run


def _at(axis: int, part: slice) -> tuple:
    return (*(slice(None),) * axis, part)


def _pooled(axes: tuple[Axis, ...]) -> list[tuple[int, Axis]]:
    """The axes along which windows are not single elements, the last first."""
    return [(i, a) for i, a in reversed(list(enumerate(axes))) if a.window > 1 or a.stride > 1 or not a.inside]


# -- maxima ------------------------------------------------------------------------------------------------------------


def _lowest(dtype: np.dtype) -> Any:
    return dtype.type(-np.inf) if dtype.kind == "f" else np.iinfo(dtype).min


def _along(x: np.ndarray, i: int, axis: Axis) -> np.ndarray:
    """The maxima of the windows along one axis."""
    taps = axis.taps
    parts = [x[_at(i, here)] for _, _, here in taps]
    if axis.inside and len(parts) > 1:
        y = np.maximum(parts[0], parts[1])
        for part in parts[2:]:
            np.maximum(y, part, out=y)
        return y
    y = np.full((*x.shape[:i], axis.outputs, *x.shape[i + 1 :]), _lowest(x.dtype), x.dtype)
    for (_, there, _), part in zip(taps, parts, strict=True):
        out = y[_at(i, there)]
        np.maximum(out, part, out=out)
    return y


def _stages(x: np.ndarray, y: np.ndarray | None, axes: tuple[Axis, ...]) -> list[tuple]:
    """(index, axis, what goes in, what comes out) for each axis in turn; the last result is `y` where that is given."""
    stages = []
    pooled = _pooled(axes)
    for n, (i, axis) in enumerate(pooled):
        out = y if y is not None and n + 1 == len(pooled) else _along(x, i, axis)
        stages.append((i, axis, x, out))
        x = out
    return stages


@in_float32
def max_pool(x: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The maximum of each window."""
    stages = _stages(x, None, axes)
    return stages[-1][3] if stages else x


def _hits(i: int, axis: Axis, x: np.ndarray, y: np.ndarray) -> Any:
    """For each place in a window: outputs, inputs, and whether the window's first maximum is there.

    Without padding the last place takes what no other did, so that a maximum of NaN has a place, too.
    """
    taps = axis.taps
    free = None
    for n, (_, there, here) in enumerate(taps):
        at, to = _at(i, there), _at(i, here)
        if axis.inside and n + 1 == len(taps):
            hit = np.ones(y.shape, bool) if free is None else free
        else:
            hit = x[to] == y[at]
            if free is None:
                if axis.inside:
                    free = ~hit
                else:
                    free = np.ones(y.shape, bool)
                    free[at] = ~hit
            else:
                hit &= free[at]
                free[at] ^= hit
        yield at, to, hit


@in_float32
def max_pool_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The gradient of the maxima `y` of `x` with respect to x: each goes to the place of its maximum."""
    for i, axis, source, out in reversed(_stages(x, y, axes)):
        d = (np.empty if axis.tiles else np.zeros)(source.shape, g.dtype)
        for at, to, hit in _hits(i, axis, source, out):
            if axis.apart:
                np.multiply(g[at], hit, out=d[to])
            else:
                d[to] += g[at] * hit
        g = d
    return g


@in_float32
def at_maxima(d: np.ndarray, x: np.ndarray, y: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The elements of `d` at the places of the maxima `y` of `x`: the transpose of `max_pool_gradient`."""
    for i, axis, source, out in _stages(x, y, axes):
        picked = np.zeros(out.shape, d.dtype)
        for at, to, hit in _hits(i, axis, source, out):
            picked[at] += d[to] * hit
        d = picked
    return d


# -- means -------------------------------------------------------------------------------------------------------------


def _counts(axes: tuple[Axis, ...], dtype: np.dtype) -> Any:
    """How many inputs each window covers, padding not counted: a number, or an array where windows differ."""
    total: Any = dtype.type(1)
    for i, axis in enumerate(axes):
        if axis.inside:
            total = total * dtype.type(axis.window)
            continue
        count = np.zeros(axis.outputs, dtype)
        for _, there, _ in axis.taps:
            count[there] += 1
        total = total * count.reshape(-1, *[1] * (len(axes) - i - 1))
    return total


@in_float32
def avg_pool(x: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The mean of each window, of what is not padding."""
    counts = _counts(axes, x.dtype)
    for i, axis in _pooled(axes):
        y = np.zeros((*x.shape[:i], axis.outputs, *x.shape[i + 1 :]), x.dtype)
        for _, there, here in axis.taps:
            y[_at(i, there)] += x[_at(i, here)]
        x = y
    return x / counts


@in_float32
def avg_pool_gradient(g: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The gradient of the means with respect to the input: each spreads over its window."""
    g = g / _counts(axes, g.dtype)
    for i, axis in reversed(_pooled(axes)):
        d = np.zeros((*g.shape[:i], axis.size, *g.shape[i + 1 :]), g.dtype)
        for _, there, here in axis.taps:
            d[_at(i, here)] += g[_at(i, there)]
        g = d
    return g


# -- places ------------------------------------------------------------------------------------------------------------


def places_of_maxima(x: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """The index of each window's first maximum among all elements of x, flattened; int64."""
    index = np.arange(x.size).reshape(x.shape)
    if x.dtype.itemsize == 2 and x.dtype.kind not in "iu":
        x = x.astype(_FLOAT32)
    for i, axis, source, out in _stages(x, None, axes):
        picked = np.zeros(out.shape, np.int64)
        for at, to, hit in _hits(i, axis, source, out):
            picked[at] += index[to] * hit
        index = picked
    return index
