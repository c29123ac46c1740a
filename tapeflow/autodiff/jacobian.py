"""Jacobians: every row of d target / d source from one batched backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import nest
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, wrap
from ..core.variable import Variable
from .backward import pull_back
from .batching import Batched, CannotBatch, batched
from .request import UnconnectedGradients, source_key, targets_of


def jacobian(tape: Any, target: Any, sources: Any, unconnected: UnconnectedGradients, batch: bool) -> Any:
    """See `GradientTape.jacobian`."""
    y = _one_target(target)
    flat_sources = nest.flatten(sources)
    shape = _shape(target) if y is None else y._value.shape
    seeds = None
    if y is not None:
        size = int(np.prod(shape, dtype=np.int64))
        seeds = np.eye(size, dtype=y._value.dtype).reshape((size, *shape))
    rows = _rows(tape, y, seeds, flat_sources, batch)
    found = []
    for source, g in zip(flat_sources, rows, strict=True):
        like = _shape(source)
        if g is not None:
            g = TENSORS.reshape(g, (*shape, *like))  # type: ignore[attr-defined]
        elif unconnected is UnconnectedGradients.ZERO:
            g = wrap(flat(np.zeros((*shape, *like), source.dtype.as_numpy_dtype)))
        found.append(g)
    return nest.pack_sequence_as(sources, found)


def batch_jacobian(tape: Any, target: Any, source: Any, unconnected: UnconnectedGradients, batch: bool) -> Any:
    """See `GradientTape.batch_jacobian`."""
    of, by = _shape(target), _shape(source)
    if not of or not by:
        raise IndexError(
            "batch_jacobian takes a target and a source with a first dimension of examples; their shapes are "
            f"{list(of)} and {list(by)}"
        )
    if of[0] != by[0]:
        raise ValueError(f"Need first dimension of target shape ({of}) and source shape ({by}) to match.")
    y = _one_target(target)
    seeds = None
    if y is not None:
        size = int(np.prod(of[1:], dtype=np.int64))
        one_each = np.eye(size, dtype=y._value.dtype).reshape((size, 1, *of[1:]))
        seeds = np.broadcast_to(one_each, (size, *of)).copy()
    (g,) = _rows(tape, y, seeds, [source], batch)
    if g is None:
        if unconnected is UnconnectedGradients.ZERO:
            return wrap(np.zeros((*of, *by[1:]), source.dtype.as_numpy_dtype))
        return None
    rank = len(g._value.shape)
    g = TENSORS.transpose(g, (1, 0, *range(2, rank)))  # type: ignore[attr-defined]
    return TENSORS.reshape(g, (*of, *by[1:]))  # type: ignore[attr-defined]


def _rows(tape: Any, y: Tensor | None, seeds: Any, sources: list, batch: bool) -> list:
    """For each source the gradients for all seeds, stacked, or None."""
    keys = [source_key(s) for s in sources]
    stack = active_tapes()
    if tape in stack and not tape._persistent:
        stack.remove(tape)
    records, watched = tape._records, len(tape._watched)
    if not tape._persistent:
        tape._used = True
        tape._records = {}
    if y is None or y._key not in records or not len(seeds):
        return [None] * len(keys)
    if batch:
        try:
            grads = pull_back(TENSORS, dict(records), {y._key: batched(wrap(seeds))}, keys, watched)
            return [_inner(grads.get(key), len(seeds)) for key in keys]
        except CannotBatch:
            pass  # row by row
    found: list[list] = [[] for _ in keys]
    for seed in seeds:
        grads = pull_back(TENSORS, dict(records), {y._key: wrap(flat(np.asarray(seed)))}, keys, watched)
        for rows, key in zip(found, keys, strict=True):
            rows.append(grads.get(key))
    return [None if rows[0] is None else TENSORS.stack(list(map(_dense, rows)), 0) for rows in found]  # type: ignore[attr-defined]


def _dense(g: Any) -> Any:
    return g.dense() if isinstance(g, IndexedSlices) else g


def _inner(g: Any, size: int) -> Any:
    g = _dense(g)
    if g is None or isinstance(g, Batched):
        return None if g is None else g._inner
    return TENSORS.broadcast_to(g, (size, *g._value.shape))  # type: ignore[attr-defined]


def _one_target(target: Any) -> Tensor | None:
    targets, _ = targets_of(target, None)
    if len(nest.flatten(target)) != 1:
        raise ValueError(f"A Jacobian is of one target tensor, not of {len(nest.flatten(target))}")
    return targets[0] if targets else None


def _shape(x: Any) -> tuple:
    return (x._tensor if isinstance(x, Variable) else x)._value.shape
