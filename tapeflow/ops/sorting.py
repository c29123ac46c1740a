"""Order: sort, argsort, top_k, in_top_k, searchsorted, unique. NaN counts as greater than every number."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import REALS, int32, numpy_dtype, short_name
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.op import OPS, define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .deferring import deferred, shape_of
from .statics import from_end, refused_integer, static_int

# -- sort and argsort --------------------------------------------------------------------------------------------------


def _order(xp: Any, x: Any, axis: int, descending: bool) -> Any:
    """The stable order along an axis: of equal elements the first stays the first."""
    if not descending:
        return xp.argsort(x, axis, kind="stable")
    # in reverse, so that equal elements come out in their order once the result is turned round
    n = x.shape[axis]
    return n - 1 - xp.flip(xp.argsort(xp.flip(x, axis), axis, kind="stable"), axis)


def _sort_kernel(xp: Any) -> Any:
    def sort(x: Any, axis: int, descending: bool) -> Any:
        out = xp.sort(x, axis)
        return xp.flip(out, axis) if descending else out

    return sort


def _sort_grad(F: Any, g: Any, x: Any, axis: int, descending: bool) -> Any:
    rank = x.ndim if F.raw else len(x._value.shape)
    perm = (*range(axis), *range(axis + 1, rank), axis)
    back = (*range(axis), rank - 1, *range(axis, rank - 1))
    order, g = F.transpose(F.argsort(x, axis, descending), perm), F.transpose(g, perm)
    shape = g.shape if F.raw else g._value.shape
    return F.transpose(F.gather_grad(g, order, shape, rank - 1, rank - 1), back)


_INT32 = np.dtype("int32")
_sort = define(
    "sort",
    _sort_kernel,
    lambda x, axis, descending: Abstract(x.shape, x.dtype),
    [_sort_grad],
    saves=lambda x, out, axis, descending: (x,),
)
_argsort = define(
    "argsort",
    lambda xp: lambda x, axis, descending: _order(xp, x, axis, descending).astype(_INT32),
    lambda x, axis, descending: Abstract(x.shape, _INT32),
)


def _sortable(values: Any, axis: Any, direction: str, title: str) -> tuple[Tensor, int, bool]:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(
            f"Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction={direction}"
        )
    x = convert_to_tensor(values)
    at = static_int(axis, title)
    rank = len(x._value.shape)
    if x._value.dtype not in REALS:
        raise refused_dtype(OPS[title.lower()], x._value.dtype, REALS)
    if not -rank <= at < rank:
        raise errors.invalid(title, f"axis {at} is out of range for a tensor of rank {rank}")
    return x, from_end(at, rank), direction == "DESCENDING"


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """The tensor sorted along a dimension.

    Arguments:
        values: a tensor of real numbers of rank 1 or more.
        axis: the dimension, which may count from the end.
        direction: "ASCENDING" or "DESCENDING".

    Raises ValueError for another direction, InvalidArgumentError for an axis out of range and other dtypes.
    """
    return _sort(*_sortable(values, axis, direction, "Sort"))


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """The positions that sort a tensor along a dimension, int32. Arguments and errors as for `sort`.

    The order is always stable: equal elements keep theirs, so `stable` has no effect.
    """
    return _argsort(*_sortable(values, axis, direction, "Argsort"))


# -- top_k -------------------------------------------------------------------------------------------------------------


class TopKV2(NamedTuple):
    """What `tf.math.top_k` gives."""

    values: Tensor
    indices: Tensor


def _top_k_kernel(xp: Any) -> Any:
    def top_k(x: Any, k: int, dtype: np.dtype) -> tuple:
        if k == 1 and x.shape[-1]:
            order = xp.argmax(x, -1)[..., None]
        else:
            order = _order(xp, x, x.ndim - 1, True)[..., :k]
        return xp.take_along_axis(x, order, -1), order.astype(dtype)

    return top_k


def _top_k_shapes(x: Any, k: int, dtype: np.dtype) -> tuple:
    if x.shape is None:
        return Abstract(None, x.dtype), Abstract(None, dtype)
    if not x.shape:
        raise errors.invalid("TopKV2", "input must be >= 1-D, got shape []")
    if k < 0:
        raise errors.invalid("TopKV2", f"Need k >= 0, got {k}")
    if x.shape[-1] is not None and x.shape[-1] < k:
        raise errors.invalid("TopKV2", f"input must have at least k columns. Had {x.shape[-1]}, needed {k}")
    return Abstract((*x.shape[:-1], k), x.dtype), Abstract((*x.shape[:-1], k), dtype)


def _top_k_grad(F: Any, g: list, indices: Any, shape: tuple, *attributes: Any) -> Any:
    last = len(shape) - 1
    return None if g[0] is None else F.gather_grad(g[0], indices, shape, last, last)


_top_k = define(
    "top_k",
    _top_k_kernel,
    _top_k_shapes,
    [_top_k_grad],
    saves=lambda x, values, indices, k, dtype: (indices, x._value.shape),
    title="TopKV2",
    outputs=2,
)


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None) -> TopKV2:
    """The k greatest elements of the last dimension, the greatest first, and where they are.

    Arguments:
        input: a tensor of real numbers, [..., n].
        k: how many, an integer in [0, n].
        sorted: has no effect: the result is always sorted.
        index_type: tf.int16, tf.int32 or tf.int64.

    Returns a named tuple (values, indices), both [..., k]; of equal elements the first comes first.

    Raises InvalidArgumentError for a k out of range and for other dtypes.
    """
    x = convert_to_tensor(input)
    if x._value.dtype not in REALS:
        raise refused_dtype(OPS["top_k"], x._value.dtype, REALS)
    dtype = numpy_dtype(index_type)
    if dtype.name not in ("int16", "int32", "int64"):
        raise refused_integer(dtype, "TopKV2", "index_type", "int16, int32, int64")
    return TopKV2(*_greatest(x, k, dtype))


@deferred(
    lambda x, k, dtype: [
        Abstract((*shape_of(x)[:-1], k if type(k) is int else None), d) for d in (x._value.dtype, dtype)
    ],
    values=("k",),
)
def _greatest(x: Tensor, k: Any, dtype: np.dtype) -> list[Tensor]:
    if type(k) is not int:
        counted = convert_to_tensor(k)
        if counted._value.shape != ():
            raise errors.invalid("TopKV2", f"k must be scalar, got shape {shape_text(counted._value.shape)}")
        k = static_int(counted, "TopKV2", "Tk")
    _top_k_shapes(x._value, k, dtype)
    return _top_k(x, k, dtype)


@deferred(lambda targets, predictions, k, name=None: Abstract(shape_of(targets), np.dtype(bool)), values=("k",))
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """For each row whether fewer than k of its predictions are greater than the one of its target.

    Arguments:
        targets: int32 or int64 [n].
        predictions: float32 [n, classes].
        k: a scalar.

    Returns bool [n]: false where a target is out of range or a prediction of its row is not finite.

    Raises InvalidArgumentError for other shapes.
    """
    scores, labels = convert_to_tensor(predictions, dtype_hint="float32"), convert_to_tensor(targets, dtype_hint=int32)
    number = convert_to_tensor(k)
    title = "InTopKV2"
    if labels._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(labels._value.dtype, title, "T")
    if scores._value.dtype != np.float32:
        raise mixed_dtypes(OPS["in_top_k"], np.dtype("float32"), scores._value.dtype)
    if number._value.shape != ():
        raise errors.invalid(title, f"k must be 0-D, got shape {shape_text(number._value.shape)}")
    if len(scores._value.shape) != 2:
        raise errors.invalid(
            title, f"predictions must be 2-dimensional, not of shape {shape_text(scores._value.shape)}"
        )
    if len(labels._value.shape) != 1:
        raise errors.invalid(title, f"targets must be 1-dimensional, not of shape {shape_text(labels._value.shape)}")
    if labels._value.shape != scores._value.shape[:1]:
        raise errors.invalid(
            title,
            f"First dimension of predictions {scores._value.shape[0]} must match length of targets "
            f"{labels._value.shape[0]}",
        )
    return _in_top_k(labels, scores, int(number._value))


def _in_top_k_kernel(xp: Any) -> Any:
    def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
        classes = predictions.shape[1]
        known = (targets >= 0) & (targets < classes)
        if not classes:
            return known
        own = xp.take_along_axis(predictions, xp.where(known, targets, 0)[:, None], 1)
        return known & xp.isfinite(predictions).all(1) & ((predictions > own).sum(1) < k)

    return in_top_k


_in_top_k = define(
    "in_top_k",
    _in_top_k_kernel,
    lambda targets, predictions, k: Abstract(targets.shape, np.dtype(bool)),
    title="InTopKV2",
    inputs=2,
)

# -- searchsorted ------------------------------------------------------------------------------------------------------


def _search_kernel(xp: Any) -> Any:
    def searchsorted(sequence: Any, values: Any, side: str, dtype: np.dtype) -> Any:
        count = prod(values.shape[:-1])
        rows, wanted = sequence.reshape(count, sequence.shape[-1]), values.reshape(count, values.shape[-1])
        out = (
            xp.stack([xp.searchsorted(row, w, side) for row, w in zip(rows, wanted, strict=True)]) if count else wanted
        )
        out = out.reshape(values.shape).astype(dtype)
        if values.dtype.kind == "f":
            # no element is less than NaN, and none greater
            out = xp.where(xp.isnan(values), dtype.type(0 if side == "left" else sequence.shape[-1]), out)
        return out

    return searchsorted


_searchsorted = define(
    "searchsorted",
    _search_kernel,
    lambda sequence, values, side, dtype: Abstract(values.shape, dtype),
    title="LowerBound",
    inputs=2,
)


@deferred(
    lambda sorted_sequence, values, side="left", out_type=int32, name=None: Abstract(
        shape_of(values), numpy_dtype(out_type)
    )
)
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = int32, name: str | None = None
) -> Tensor:
    """Where each value would have to be put into a sorted sequence.

    Arguments:
        sorted_sequence: [..., n], sorted along its last dimension.
        values: [..., m] of the same dtype, with the same leading dimensions.
        side: "left" for the place before elements equal to the value, "right" for the one behind them.
        out_type: tf.int32 or tf.int64.

    Returns a tensor of the shape of `values`. Raises ValueError for another side, InvalidArgumentError for dtypes and
    shapes that do not fit.
    """
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = '{side}'.")
    sequence, wanted = convert_to_tensor(sorted_sequence), convert_to_tensor(values)
    title = "LowerBound" if side == "left" else "UpperBound"
    dtype = numpy_dtype(out_type)
    if dtype.name not in ("int32", "int64"):
        raise refused_integer(dtype, title, "out_type")
    if sequence._value.dtype != wanted._value.dtype:
        raise mixed_dtypes(OPS["searchsorted"], sequence._value.dtype, wanted._value.dtype)
    if sequence._value.dtype not in REALS:
        raise errors.failed(
            errors.NotFoundError,
            title,
            f"there is no kernel for {short_name(sequence._value.dtype)}, only for real numbers",
        )
    of, at = sequence._value.shape, wanted._value.shape
    if not of or not at:
        raise errors.invalid(title, "sorted_sequence and values must be at least 1-dimensional")
    if prod(of[:-1]) != prod(at[:-1]):
        raise errors.invalid(
            title, f"Leading dim_size of both tensors must match: shapes {shape_text(of)} and {shape_text(at)}."
        )
    return _searchsorted(sequence, wanted, side, dtype)


# -- unique ------------------------------------------------------------------------------------------------------------


class Unique(NamedTuple):
    """What `tf.unique` gives."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """What `tf.unique_with_counts` gives."""

    y: Tensor
    idx: Tensor
    count: Tensor


def _unique_kernel(xp: Any) -> Any:
    def unique(x: Any, dtype: np.dtype) -> tuple:
        """In the order in which they appear, where NumPy's are sorted."""
        _, first, inverse, counts = xp.unique(x, True, True, True, equal_nan=False)
        appearance = first.argsort()
        rank = xp.empty_like(appearance)
        rank[appearance] = xp.arange(appearance.size)
        return x[first[appearance]], rank[inverse].astype(dtype), counts[appearance].astype(dtype)

    return unique


def _unique_shapes(x: Any, dtype: np.dtype) -> tuple:
    if x.shape is not None and len(x.shape) != 1:
        raise errors.invalid("Unique", f"unique expects a 1D vector, not one of shape {shape_text(x.shape)}.")
    length = x.shape if x.shape is not None else (None,)
    return Abstract((None,), x.dtype), Abstract(length, dtype), Abstract((None,), dtype)


_unique = define("unique", _unique_kernel, _unique_shapes, outputs=3)


def unique_with_counts(x: Any, out_idx: Any = int32, name: str | None = None) -> UniqueWithCounts:
    """The distinct elements of a vector, in the order in which they appear, and how often each does.

    Arguments:
        x: a vector of any dtype.
        out_idx: tf.int32 or tf.int64.

    Returns a named tuple (y, idx, count): y[idx[i]] is x[i]. No NaN equals another.

    Raises InvalidArgumentError for what is no vector.
    """
    vector = convert_to_tensor(x)
    dtype = numpy_dtype(out_idx)
    if dtype.name not in ("int32", "int64"):
        raise refused_integer(dtype, "Unique", "out_idx")
    _unique_shapes(vector._value, dtype)
    return UniqueWithCounts(*_unique(vector, dtype))


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> Unique:
    """The distinct elements of a vector, (y, idx) of `unique_with_counts`, which see."""
    return Unique(*unique_with_counts(x, out_idx)[:2])
