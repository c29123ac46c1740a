"""Ops on lists of tensors that are one value of a graph (`core.tensor_list`): what TensorArrays are made of there.

All are linear in their lists, and the gradient of each is another of them, so there are derivatives of every order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.batching import Batched, CannotBatch
from ..core import errors
from ..core.abstract import Abstract
from ..core.dtypes import VARIANT
from ..core.op import TENSORS, Op
from ..core.tapes import active_tapes, record
from ..core.tensor import Tensor, flat, wrap
from ..core.tensor_list import ZERO, Kept, TensorList

_LIST = Abstract((), VARIANT)


class OutOfRange(errors.OutOfRangeError, errors.InvalidArgumentError):
    """An index that a list does not have: TensorFlow raises the first kind eagerly, the second in a graph."""


def accumulate(grads: dict, key: Any, d: Any) -> None:
    """Adds a gradient to what is known of a key; lists add up by an op of their own."""
    known = grads.get(key)
    if known is None:
        grads[key] = d
    elif isinstance(d, Tensor) and d._value.dtype is VARIANT:
        grads[key] = ADD.call([known, d])
    else:
        grads[key] = known + d


def zeros_for(x: Tensor) -> Tensor:
    """The zero of a tensor's gradients."""
    if x._value.dtype is VARIANT:
        return wrap(ZERO)
    return TENSORS.zeros_like(x)  # type: ignore[attr-defined]


def _pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    op, keys, saved, attributes, _, _ = rec
    if type(keys) is not tuple:
        keys = (keys,)
    if not any(key in wanted for key in keys):
        return
    if F.raw:
        g = [None if d is None else wrap(d) for d in g] if op.outputs != 1 else wrap(g)
    for key, d in zip(keys, op.grads(g, *saved, *attributes), strict=False):
        if d is not None and key in wanted:
            accumulate(grads, key, d._value if F.raw else d)


def list_op(name: str, kernel: Callable, infer: Callable, grads: Any = (), outputs: int = 1, saves: Any = None) -> Op:
    """An op on a list of tensors; `grads(g, *saved, *attributes)` gives a gradient for each of the first.

    In a trace it is a node even where all inputs are known: what writes change must belong to one run of the graph.
    """
    op = Op(name, lambda xp: kernel, infer, grads, inputs=None, outputs=outputs, saves=saves, pull=_pull)

    def call(tensors: Sequence[Tensor], *attributes: Any) -> Any:
        trace = active_tapes().trace
        inputs = tuple(tensors)
        if any(isinstance(x, Batched) for x in inputs):
            raise CannotBatch("lists of tensors hold one example each")
        if trace is not None:
            return trace.add(op, inputs, attributes)
        made = kernel([x._value for x in inputs], *attributes)
        outs = (wrap(flat(made)),) if outputs == 1 else tuple([wrap(flat(v)) for v in made])
        if grads:
            record(op, inputs, attributes, outs)
        return outs[0] if outputs == 1 else outs

    op.call = call
    return op


# -- the kernels -------------------------------------------------------------------------------------------------------


def _put(values: Sequence, dynamic: bool) -> TensorList:
    made, index, x = values
    if not index.shape:
        return _written(made, int(index), x, dynamic)
    for at, row in zip(index.tolist(), x, strict=True):
        made = _written(made, at, flat(row), dynamic)
    return made


def _written(before: TensorList, index: int, x: Any, dynamic: bool) -> TensorList:
    if index < 0 or index >= before.size and not dynamic:
        if index < 0:
            raise OutOfRange(None, None, f"Writing to negative indices (index {index}) is not allowed.")
        raise OutOfRange(
            None,
            None,
            f"Tried to write to index {index} but array is not resizeable and size is: {before.size}; "
            "tf.TensorArray(..., dynamic_size=True) grows as it is written.",
        )
    return before.with_entry(index, x)


def _element(given: TensorList, index: int, shape: Any, dtype: np.dtype, strict: bool) -> Any:
    """The array at an index; where there is none, zeros of the shape, or of that of another element."""
    if strict and not 0 <= index < given.size:
        if index < 0:
            raise OutOfRange(None, None, f"Reading from negative indices (index {index}) is not allowed.")
        raise OutOfRange(None, None, f"Tried to read from index {index} but array size is: {given.size}")
    found = given.entries.get(index)
    return zeros(shape, dtype, given) if found is None else found


def zeros(shape: Any, dtype: np.dtype, like: Any = None) -> Any:
    """Zeros of a shape; where that is not known, of that of an element of the list `like`."""
    if dtype is VARIANT:
        return ZERO
    if shape is None or None in shape:
        shape = next((x.shape for x in like.entries.values()), None) if type(like) is TensorList else None
        if shape is None:
            raise errors.InvalidArgumentError(
                None,
                None,
                "Tried to read an element of a TensorArray that was never written, and whose shape is not known: "
                "tf.TensorArray(..., element_shape=...) gives one.",
            )
    if dtype.kind == "O":
        made = np.empty(shape, object)
        made.fill(b"")
        return made
    return flat(np.zeros(shape, dtype))


def _get(values: Sequence, shape: Any, dtype: np.dtype, strict: bool) -> Any:
    given, index = values
    if not index.shape:
        return _element(given, int(index), shape, dtype, strict)
    return _rows([_element(given, at, shape, dtype, strict) for at in index.tolist()], shape, dtype)


def _rows(parts: list, shape: Any, dtype: np.dtype) -> Any:
    if not parts:
        return np.zeros((0, *[n or 0 for n in shape or ()]), dtype)
    first = parts[0].shape
    for i, part in enumerate(parts):
        if part.shape != first:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"The elements of a TensorArray differ in shape, so they cannot be stacked: {list(first)} at index 0, "
                f"{list(part.shape)} at index {i}.",
            )
    return np.stack(parts)


def _spread(values: Sequence) -> TensorList:
    index, x = values
    if not index.shape:
        return TensorList(int(index) + 1, {int(index): x})
    entries: dict[int, Any] = {}
    for at, row in zip(index.tolist(), x, strict=True):
        row = flat(row)
        entries[at] = entries[at] + row if at in entries else row
    return TensorList(max(entries, default=-1) + 1, entries)


def _erase(values: Sequence) -> TensorList:
    made, index = values
    for at in [int(index)] if not index.shape else index.tolist():
        if at in made.entries:
            made = made.with_entry(at)
    return made


def _stack(values: Sequence, count: Any, shape: Any, dtype: np.dtype) -> Any:
    given = values[0]
    size = given.size if count is None else count
    return _rows([_element(given, i, shape, dtype, False) for i in range(size)], shape, dtype)


def _unstack(values: Sequence) -> TensorList:
    return TensorList(len(values[0]), {i: flat(row) for i, row in enumerate(values[0])})


def _concat(values: Sequence, shape: Any, dtype: np.dtype) -> tuple:
    """The elements one after the other, and their lengths. Lengths that are given are those of absent ones too."""
    given = values[0]
    rest = shape[1:] if shape else None
    known = values[1].tolist() if len(values) > 1 else None
    parts = []
    for i in range(given.size if known is None else len(known)):
        part = given.entries.get(i)
        if part is None:
            part = zeros(shape, dtype, given) if known is None else zeros((known[i], *(rest or ())), dtype)
        if not part.shape:
            raise errors.InvalidArgumentError(
                None, None, f"Concat saw a scalar shape at index {i} but requires at least vectors."
            )
        parts.append(part)
    if not parts:
        return np.zeros((0, *[n or 0 for n in rest or ()]), dtype), np.zeros(0, np.int64)
    return np.concatenate(parts), np.array([len(part) for part in parts], np.int64)


def _split(values: Sequence) -> TensorList:
    x, lengths = values[0], values[1].tolist()
    if sum(lengths) != len(x):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {sum(lengths)} and "
            f"value's shape is: {list(x.shape)}",
        )
    entries, start = {}, 0
    for i, n in enumerate(lengths):
        entries[i] = x[start : start + n]
        start += n
    return TensorList(len(lengths), entries)


# -- what they give ----------------------------------------------------------------------------------------------------


def _like_index(values: Sequence, shape: Any, dtype: np.dtype, strict: bool) -> Abstract:
    index = values[1].shape
    if index == ():
        return Abstract(shape, dtype)
    return Abstract(None if shape is None or index is None else (index[0], *shape), dtype)


def _concatenated(values: Sequence, shape: Any, dtype: np.dtype) -> tuple:
    rest = None if shape is None else (None, *shape[1:])
    return Abstract(rest, dtype), Abstract((None,), np.dtype(np.int64))


def _shape_and_dtype(x: Tensor) -> tuple:
    return x._value.shape, x._value.dtype


NEW: Op = list_op("list_new", lambda values: TensorList(max(int(values[0]), 0)), lambda values: _LIST)
FROM: Op = list_op(
    "list_from",
    lambda values, places, size: TensorList(size, dict(zip(places, values, strict=True))),
    lambda values, places, size: _LIST,
    lambda g, *given: [
        GET.call([g, wrap(np.int32(at))], *kind, False) for at, kind in zip(given[-2], given[:-2], strict=True)
    ],
    saves=lambda *given: tuple(map(_shape_and_dtype, given[:-3])),
)
PUT: Op = list_op(
    "list_put",
    _put,
    lambda values, dynamic: _LIST,
    lambda g, index, kind, dynamic: _of_put(g, index, kind),
    saves=lambda before, index, x, out, dynamic: (index, _shape_and_dtype(x)),
)
GET: Op = list_op(
    "list_get",
    _get,
    _like_index,
    lambda g, index, *attributes: [SPREAD.call([index, g])],
    saves=lambda given, index, *rest: (index,),
)
SPREAD: Op = list_op(
    "list_spread",
    _spread,
    lambda values: _LIST,
    lambda g, index, kind: [None, GET.call([g, index], *_row_kind(kind, index), False)],
    saves=lambda index, x, out: (index, _shape_and_dtype(x)),
)
ERASE: Op = list_op(
    "list_erase",
    _erase,
    lambda values: _LIST,
    lambda g, index: [ERASE.call([g, index])],
    saves=lambda given, index, out: (index,),
)
STACK: Op = list_op(
    "list_stack",
    _stack,
    lambda values, count, shape, dtype: Abstract(None if shape is None else (count, *shape), dtype),
    lambda g, *attributes: [UNSTACK.call([g])],
)
UNSTACK: Op = list_op(
    "list_unstack",
    _unstack,
    lambda values: _LIST,
    lambda g, kind: [STACK.call([g], kind[0][0], kind[0][1:], kind[1])],
    saves=lambda x, out: (_shape_and_dtype(x),),
)
CONCAT: Op = list_op(
    "list_concat",
    _concat,
    _concatenated,
    lambda g, lengths, *attributes: [None if g[0] is None else SPLIT.call([g[0], lengths])],
    outputs=2,
    saves=lambda *given: (given[-3],),
)
SPLIT: Op = list_op(
    "list_split",
    _split,
    lambda values: _LIST,
    lambda g, lengths, kind: [CONCAT.call([g, lengths], *kind)[0]],
    saves=lambda x, lengths, out: (lengths, _shape_and_dtype(x)),
)
ADD: Op = list_op("list_add", lambda values: values[0] + values[1], lambda values: _LIST, lambda g: [g, g])
SIZE: Op = list_op(
    "list_size", lambda values: np.int32(values[0].size), lambda values: Abstract((), np.dtype(np.int32))
)


LAST: Op = list_op(
    "list_last",
    lambda values: np.array([at not in values[0][i + 1 :] for i, at in enumerate(values[0])], bool),
    lambda values: Abstract(values[0].shape, np.dtype(bool)),
)


def _of_put(g: Tensor, index: Tensor, kind: tuple) -> list:
    """Gradients of a write. What comes to `x` is read first: lists are quicker to read before they are written to."""
    found = GET.call([g, index], *_row_kind(kind, index), False)
    rank = len(found._value.shape or ())
    if index._value.shape != () and rank:  # of places written to twice the first has no influence
        last = TENSORS.reshape(LAST.call([index]), (-1, *[1] * (rank - 1)))  # type: ignore[attr-defined]
        found = TENSORS.where(last, found, TENSORS.zeros_like(found))  # type: ignore[attr-defined]
    return [ERASE.call([g, index]), None, found]


def _row_kind(kind: tuple, index: Tensor) -> tuple:
    """Shape and dtype of one row, of those of what was written to `index`, a place or a vector of them."""
    shape, dtype = kind
    return (shape[1:] if shape is not None and index._value.shape != () else shape), dtype


# -- stacks of what is kept --------------------------------------------------------------------------------------------


def _push(values: Sequence, places: Any, width: int) -> Kept:
    if places is None:
        return Kept(values[0], tuple(values[1:]))
    items: list[Any] = [None] * width
    for at, x in zip(places, values[1:], strict=True):
        items[at] = x
    return Kept(values[0], tuple(items))


def is_open(kind: Any) -> bool:
    """Whether a shape and dtype do not tell what a zero would be."""
    return kind is not None and kind[1] is not VARIANT and (kind[0] is None or None in kind[0])


def _pop(values: Sequence, kinds: tuple) -> tuple:
    """What is below, and the items. Absent ones are zeros; those of open kinds like the further values, in order."""
    kept, likes = values[0], iter(values[1:])
    items = kept.items if type(kept) is Kept else (None,) * len(kinds)
    made = []
    for x, kind in zip(items, kinds, strict=True):
        like = next(likes, None) if is_open(kind) else None
        if kind is not None:
            made.append(x if x is not None else zeros(*kind) if like is None else np.zeros_like(like))
    return (kept.below if type(kept) is Kept else ZERO, *made)


def _popped(g: Any, *given: Any) -> list:
    """The gradients of what was pushed."""
    *kinds, places, width = given
    wanted: list[Any] = [None] * width
    at = range(width) if places is None else places
    for i, (shape, dtype) in zip(at, kinds, strict=True):
        wanted[i] = (shape, dtype) if dtype.kind in "fcV" else None
    below, *found = POP.call([g], tuple(wanted))
    remaining = iter(found)
    return [below, *[next(remaining) if wanted[i] is not None else None for i in at]]


def _pushed(g: Any, kinds: tuple) -> list:
    """The gradient of a stack that was popped."""
    below, *items = g
    at = [i for i, kind in enumerate(kinds) if kind is not None]
    present = [(i, d) for i, d in zip(at, items, strict=True) if d is not None]
    below = wrap(ZERO) if below is None else below
    return [PUSH.call([below, *[d for _, d in present]], tuple([i for i, _ in present]), len(kinds))]


PUSH: Op = list_op(
    "push",
    _push,
    lambda values, places, width: _LIST,
    _popped,
    saves=lambda kept, *given: tuple(map(_shape_and_dtype, given[:-3])),
)
POP: Op = list_op(
    "pop",
    _pop,
    lambda values, kinds: (_LIST, *[Abstract(*kind) for kind in kinds if kind is not None]),
    _pushed,
    outputs=0,
)
IS_KEPT: Op = list_op(
    "is_kept", lambda values: np.bool_(type(values[0]) is Kept), lambda values: Abstract((), np.dtype(bool))
)
