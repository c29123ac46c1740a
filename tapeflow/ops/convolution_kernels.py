"""Convolution and its two transposes on arrays with the channels last, by NumPy's copies and BLAS.

A convolution is one product: the windows of the input, copied out as the rows of a matrix, times the filter. The
filter's gradient is the product of that matrix, transposed, and the outputs' gradient; the input's gradient is a
product with the transposed filter for each position of the window, added where that position lies. Windows of one
element need no copy. Where a row of a window is shorter than a row of outputs (few channels), the matrix is made
transposed: for 28x28x1 its copy takes an eighth.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..core.blas import dot
from .windows import Axis

_LIMIT = 1 << 22  # elements of windows copied out at once: 16 MB of float32
_free: list[np.ndarray] = []  # buffers for such copies: fresh memory costs page faults, 3 ms in 22 of a small network
_FEW = 8  # channels below which the input's gradient is one product of long rows


def convolve(x: np.ndarray, k: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """[n, space..., c] by [window..., c / groups, m]: [n, outputs..., m]."""
    *window, depth, m = k.shape
    outs = tuple(axis.outputs for axis in axes)
    out = np.empty((len(x), *outs, m), x.dtype)
    if not out.size or not k.size:
        out.fill(0)
        return out
    if x.shape[-1] != depth:
        return _depthwise(x, k, axes, out) if depth == 1 else _by_groups(x, k, axes, out)
    matrix = k.reshape(-1, m)
    for part, rows in _rows(x, axes):
        product = dot(rows, matrix)
        if len(part) == len(x):
            return product.reshape(out.shape)
        out[part.start : part.stop] = product.reshape(len(part), *outs, m)
    return out


def to_input(g: np.ndarray, k: np.ndarray, shape: tuple, axes: tuple[Axis, ...]) -> np.ndarray:
    """The gradient with respect to inputs of `shape`, of that with respect to the outputs."""
    *_, depth, m = k.shape
    d = np.zeros(shape, g.dtype)
    if not d.size or not g.size or not k.size:
        return d
    channels = shape[-1]
    if channels != depth:
        groups = channels // depth
        if depth == 1:
            g = g.reshape(*g.shape[:-1], channels, m // groups)
            k = k.reshape(*k.shape[:-2], channels, m // groups)
            for tap, there, here in taps_of(axes):
                d[here] += np.einsum("...cq,cq->...c", g[there], k[tap])
            return d
        for one, many in _groups(groups, depth, m):
            d[..., one] = to_input(g[..., many], k[..., many], (*shape[:-1], depth), axes)
        return d
    if _single(axes):
        d[_first(axes)] = dot(g.reshape(-1, m), k.reshape(depth, m).T).reshape(*g.shape[:-1], depth)
        return d
    rows = g.reshape(-1, m)
    if depth < _FEW and len(rows) * prod(k.shape[:-1]) <= _LIMIT:
        columns = dot(k.reshape(-1, m), rows.T).reshape(*k.shape[:-1], *g.shape[:-1])
        for tap, there, here in taps_of(axes):
            d[here] += np.moveaxis(columns[tap], 0, -1)[there]
        return d
    for tap, there, here in taps_of(axes):
        d[here] += dot(rows, k[tap].T).reshape(*g.shape[:-1], depth)[there]
    return d


def to_filter(x: np.ndarray, g: np.ndarray, shape: tuple, axes: tuple[Axis, ...]) -> np.ndarray:
    """The gradient with respect to a filter of `shape`, of that with respect to the outputs."""
    *_, depth, m = shape
    channels = x.shape[-1]
    if not g.size or not x.size:
        return np.zeros(shape, g.dtype)
    if channels != depth:
        groups = channels // depth
        d = np.zeros(shape, g.dtype)
        if depth == 1:
            g = g.reshape(*g.shape[:-1], channels, m // groups)
            for tap, there, here in taps_of(axes):
                inputs, outputs = x[here].reshape(-1, channels), g[there].reshape(-1, channels, m // groups)
                d[tap] = np.einsum("nc,ncq->cq", inputs, outputs).reshape(1, m)
            return d
        for one, many in _groups(groups, depth, m):
            d[..., many] = to_filter(x[..., one], g[..., many], (*shape[:-1], m // groups), axes)
        return d
    total = None
    for part, rows in _rows(x, axes):
        product = dot(rows.T, g[part.start : part.stop].reshape(-1, m))
        total = product if total is None else total + product
    return total.reshape(shape)  # type: ignore[union-attr]


# -- windows -----------------------------------------------------------------------------------------------------------


def _rows(x: np.ndarray, axes: tuple[Axis, ...]) -> Any:
    """(examples, their windows as a matrix, a window a row): all at once where that is not too much memory."""
    channels = x.shape[-1]
    outs = tuple(axis.outputs for axis in axes)
    if _single(axes):
        yield range(len(x)), x[_first(axes)].reshape(-1, channels)
        return
    size = prod(outs) * prod(axis.window for axis in axes) * channels
    step = max(1, min(len(x), _LIMIT // size))
    need = step * size * x.itemsize
    buffer = _free.pop() if _free else np.empty(need, np.uint8)
    if len(buffer) < need:
        buffer = np.empty(need, np.uint8)
    try:
        for start in range(0, len(x), step):
            stop = min(start + step, len(x))
            yield range(start, stop), _windows(x[start:stop], axes, outs, buffer)
    finally:
        if len(_free) < 2 and len(buffer) <= 4 * _LIMIT:
            _free.append(buffer)


def _windows(x: np.ndarray, axes: tuple[Axis, ...], outs: tuple, buffer: np.ndarray) -> np.ndarray:
    """The windows, a row each, copied into the buffer; it is free again when the generator goes on."""
    x = _padded(x, axes)
    channels = x.shape[-1]
    n, *space, c = x.strides
    window = tuple(axis.window for axis in axes)
    steps = [stride * axis.stride for stride, axis in zip(space, axes, strict=True)]
    within = [stride * axis.dilation for stride, axis in zip(space, axes, strict=True)]
    shape, strides = (len(x), *outs, *window, channels), (n, *steps, *within, c)
    # as_strided costs ten times as much
    view = np.ndarray(shape, x.dtype, x, 0, strides) if x.flags.c_contiguous else as_strided(x, shape, strides)
    run = channels * (window[-1] if axes[-1].dilation == 1 else 1)
    width = prod(window) * channels
    narrow = run < outs[-1]
    if narrow:
        half = 1 + len(axes)
        view = view.transpose(*range(half, view.ndim), *range(half))
    rows = buffer[: view.size * x.itemsize].view(x.dtype)
    np.copyto(rows.reshape(view.shape), view)
    return rows.reshape(width, -1).T if narrow else rows.reshape(-1, width)


def _padded(x: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    if all(axis.inside for axis in axes):
        return x
    reach = [(axis.outputs - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 for axis in axes]
    out = np.zeros((len(x), *reach, x.shape[-1]), x.dtype)
    taken = [min(axis.size, length - axis.before) for axis, length in zip(axes, reach, strict=True)]
    into = tuple(slice(axis.before, axis.before + n) for axis, n in zip(axes, taken, strict=True))
    out[(slice(None), *into)] = x[(slice(None), *[slice(0, n) for n in taken])]
    return out


@lru_cache(1024)
def taps_of(axes: tuple[Axis, ...]) -> Any:
    """For each position in the window: its index, and where it lies among outputs and inputs."""
    pending = [((), (slice(None),), (slice(None),))]
    for axis in axes:
        pending = [
            ((*tap, j), (*there, out), (*here, place))
            for tap, there, here in pending
            for j, out, place in axis.taps
        ]  # fmt: skip
    return pending


def _single(axes: tuple[Axis, ...]) -> bool:
    """Whether windows are single elements of the input, none of them padding."""
    return all(axis.window == 1 and axis.inside for axis in axes)


def _first(axes: tuple[Axis, ...]) -> tuple:
    """Where windows of one element lie."""
    return (slice(None), *[slice(0, (axis.outputs - 1) * axis.stride + 1, axis.stride) for axis in axes])


# -- groups ------------------------------------------------------------------------------------------------------------


def _groups(groups: int, depth: int, m: int) -> Any:
    """Each group's channels of the input, and of the output."""
    size = m // groups
    for i in range(groups):
        yield slice(i * depth, (i + 1) * depth), slice(i * size, (i + 1) * size)


def _by_groups(x: np.ndarray, k: np.ndarray, axes: tuple[Axis, ...], out: np.ndarray) -> np.ndarray:
    depth, m = k.shape[-2:]
    for one, many in _groups(x.shape[-1] // depth, depth, m):
        out[..., many] = convolve(x[..., one], k[..., many], axes)
    return out


def _depthwise(x: np.ndarray, k: np.ndarray, axes: tuple[Axis, ...], out: np.ndarray) -> np.ndarray:
    """Each channel by filters of its own: products of as many numbers as there are outputs, added up."""
    channels, m = x.shape[-1], k.shape[-1]
    out.fill(0)
    if m == channels:
        for tap, there, here in taps_of(axes):
            out[there] += x[here] * k[tap][0]
        return out
    split = out.reshape(*out.shape[:-1], channels, m // channels)
    for tap, there, here in taps_of(axes):
        split[there] += x[here][..., None] * k[tap].reshape(channels, -1)
    return out
