"""Jacobians: every row of d target / d source from one batched backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import nest
from ..core.dtypes import numpy_dtype
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS
from ..core.size import has_sizes
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, wrap
from ..core.variable import Variable
from .backward import pull_back
from .batching import CannotBatch, batched, every
from .request import UnconnectedGradients, source_key, targets_of


def jacobian(tape: Any, target: Any, sources: Any, unconnected: UnconnectedGradients, batch: bool) -> Any:
    """See `GradientTape.jacobian`."""
    y = _one_target(target)
    flat_sources = nest.flatten(sources)
    shape = _shape(target) if y is None else y._value.shape
    rows = _rows(tape, y, _one_each, flat_sources, batch)
    found = []
    for source, g in zip(flat_sources, rows, strict=True):
        like = _shape(source)
        if g is not None:
            g = TENSORS.reshape(g, (*shape, *like))  # type: ignore[attr-defined]
        elif unconnected is UnconnectedGradients.ZERO:
            g = _zeros((*shape, *like), source)
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
    if type(of[0]) is int is type(by[0]) and of[0] != by[0]:
        raise ValueError(f"Need first dimension of target shape ({of}) and source shape ({by}) to match.")
    (g,) = _rows(tape, _one_target(target), _one_of_each_example, [source], batch)
    if g is None:
        return _zeros((*of, *by[1:]), source) if unconnected is UnconnectedGradients.ZERO else None
    rank = len(g._value.shape)
    g = TENSORS.transpose(g, (1, 0, *range(2, rank)))  # type: ignore[attr-defined]
    return TENSORS.reshape(g, (*of, *by[1:]))  # type: ignore[attr-defined]


def _one_each(shape: tuple, dtype: np.dtype) -> np.ndarray:
    """For each element a seed that is 1 there."""
    size = int(np.prod(shape, dtype=np.int64))
    return np.eye(size, dtype=dtype).reshape((size, *shape))


def _one_of_each_example(shape: tuple, dtype: np.dtype) -> np.ndarray:
    """For each element of an example a seed that is 1 there, in all examples."""
    each = _one_each(shape[1:], dtype)[:, None]
    return np.broadcast_to(each, (len(each), *shape)).copy()


def _zeros(shape: tuple, source: Any) -> Tensor:
    zero = wrap(numpy_dtype(source.dtype).type(0))
    return TENSORS.broadcast_to(zero, shape)  # type: ignore[attr-defined]


def _rows(tape: Any, y: Tensor | None, seeds_of: Callable, sources: list, batch: bool) -> list:
    """For each source the gradients for all of the target's seeds, stacked, or None."""
    keys = [source_key(s) for s in sources]
    stack = active_tapes()
    if tape in stack and not tape._persistent:
        stack.remove(tape)
    records, watched = tape._records, len(tape._watched)
    if not tape._persistent:
        tape._used = True
        tape._records = {}
    if y is None or y._key not in records:
        return [None] * len(keys)
    if has_sizes(y._value.shape):

        def pulled(seed: Tensor) -> list:
            grads = pull_back(TENSORS, dict(records), {y._key: seed}, keys, watched)
            return [_dense(grads.get(key)) for key in keys]

        return stack.trace.rows(pulled, y, lambda value: seeds_of(value.shape, value.dtype), batch)
    seeds = seeds_of(y._value.shape, y._value.dtype)
    if not len(seeds):
        return [None] * len(keys)
    if batch:
        try:
            grads = pull_back(TENSORS, dict(records), {y._key: batched(wrap(seeds))}, keys, watched)
            return [None if key not in grads else every(_dense(grads[key]), len(seeds)) for key in keys]
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


def _one_target(target: Any) -> Tensor | None:
    targets, _ = targets_of(target, None)
    if len(nest.flatten(target)) != 1:
        raise ValueError(f"A Jacobian is of one target tensor, not of {len(nest.flatten(target))}")
    return targets[0] if targets else None


def _shape(x: Any) -> tuple:
    return (x._tensor if isinstance(x, Variable) else x)._value.shape
