"""`tf.vectorized_map`: a function of one example run once for a whole batch of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff.batching import Batched, batched
from ..core import errors, nest
from ..core.convert import convert_to_tensor
from ..core.logs import warning
from ..core.op import TENSORS
from ..core.tensor import Tensor
from ..ops.joining import stack, unstack


def vectorized_map(fn: Callable, elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """`fn` of each row of `elems`, the results stacked, by running it once on all rows.

    Arguments:
        fn: a function of a row: of a structure like `elems` with one dimension less each. Its results have the same
            shape for every row.
        elems: a tensor, or a nest of tensors with equal first dimensions; those of length 1 broadcast.
        fallback_to_while_loop: whether to run `fn` row by row where it needs the value of a row (an `if` of it, say).
        warn: whether to warn of that.

    Returns what `fn` returns, with another first dimension each; None where it returns None.

    Raises TypeError where `fn` is no function, IndexError for 0-d elems, InvalidArgumentError where their lengths
    differ, and what `fn` raises.
    """
    if not callable(fn):
        raise TypeError(f"'fn' must be callable. Received: {fn!r} of type {type(fn).__name__}")
    tensors = [convert_to_tensor(x) for x in nest.flatten(elems)]
    count = _length(tensors)
    try:
        rows = [
            batched(x) if x._value.shape[0] == count else TENSORS.reshape(x, x._value.shape[1:])  # type: ignore[attr-defined]
            for x in tensors
        ]
        result = fn(nest.pack_sequence_as(elems, rows) if nest.is_nested(elems) else rows[0])
        return nest.map_structure(lambda y: _whole(y, count), result)
    except Exception as error:
        if not fallback_to_while_loop or not count:
            raise
        if warn:
            warning("tf.vectorized_map runs %r row by row, since it could not run at once: %s", fn, error)
        return _one_by_one(fn, elems, tensors, count)


def _length(tensors: list[Tensor]) -> int:
    """The number of rows, which all but those of one row agree on."""
    if not tensors:
        raise ValueError("tf.vectorized_map needs at least one tensor in `elems`.")
    sizes = set()
    for x in tensors:
        if not x._value.shape:
            raise IndexError("The elems of tf.vectorized_map need a first dimension to go along; a scalar has none.")
        sizes.add(x._value.shape[0])
    if len(sizes) > 1:
        sizes.discard(1)
    if len(sizes) > 1:
        raise errors.InvalidArgumentError(
            None, None, f"The elems of tf.vectorized_map differ in their first dimension: {sorted(sizes)}"
        )
    return sizes.pop()


def _whole(y: Any, count: int) -> Any:
    """The results of all rows, of the result for one."""
    if y is None:
        return None
    y = convert_to_tensor(y)
    if isinstance(y, Batched):
        return y._inner
    return TENSORS.broadcast_to(y, (count, *y._value.shape))  # type: ignore[attr-defined]


def _one_by_one(fn: Callable, elems: Any, tensors: list[Tensor], count: int) -> Any:
    columns = [unstack(x) if x._value.shape[0] == count else unstack(x) * count for x in tensors]
    results = [
        fn(nest.pack_sequence_as(elems, row) if nest.is_nested(elems) else row[0]) for row in zip(*columns, strict=True)
    ]
    return nest.map_structure(lambda *parts: None if parts[0] is None else stack(list(parts)), *results)
