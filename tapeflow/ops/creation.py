"""Tensors made from little but their shape: zeros, fill, eye, range, linspace, meshgrid, sequence_mask, one_hot."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype, bool_, float32, float64, numpy_dtype, string
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.size import has_sizes, size_of
from ..core.tapes import made
from ..core.tensor import Tensor, flat, wrap
from ..core.variable import Variable
from .deferring import deferred, shape_of, unknown
from .statics import from_end, refused_integer, static_shape_vector

# -- filled ------------------------------------------------------------------------------------------------------------


def zeros(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of zeros; of empty strings for tf.string, of False for tf.bool.

    Arguments:
        shape: a list, tuple, TensorShape or vector of ints, or one int.
        dtype: its dtype.

    Raises TypeError for sizes that are no ints, ValueError for unknown ones, InvalidArgumentError for negative ones.
    """
    dims = static_shape_vector(shape, "Fill")
    to = numpy_dtype(dtype)
    if has_sizes(dims):
        return TENSORS.broadcast_to(zeros((), to), dims)
    return made(wrap(flat(np.full(dims, b"", object) if to.kind == "O" else np.zeros(dims, to))))


def ones(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of ones; of True for tf.bool. Arguments and errors as for `zeros`; TypeError for tf.string."""
    dims = static_shape_vector(shape, "Fill")
    to = numpy_dtype(dtype)
    if to.kind == "O":
        raise TypeError("Cannot convert 1 to EagerTensor of dtype string")
    if has_sizes(dims):
        return TENSORS.broadcast_to(ones((), to), dims)
    return made(wrap(flat(np.ones(dims, to))))


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of the given shape with one value everywhere; its gradient is what comes to all of them together.

    Arguments:
        dims: the shape, as for `zeros`.
        value: a scalar; its dtype is the result's.

    Raises InvalidArgumentError for a value that is no scalar, and for shapes as `zeros` does.
    """
    shape = static_shape_vector(dims, "Fill")
    x = convert_to_tensor(value)
    if x._value.shape != ():
        raise errors.invalid("Fill", f"value must represent a scalar, got shape {shape_text(x._value.shape)}")
    return made(TENSORS.broadcast_to(x, shape))


@deferred(
    lambda num_rows, num_columns=None, batch_shape=None, dtype=float32, name=None: unknown(
        2 + (0 if batch_shape is None else len(static_shape_vector(batch_shape, "Fill"))), numpy_dtype(dtype)
    ),
    values=("num_rows", "num_columns", "batch_shape"),
)
def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = float32, name: str | None = None
) -> Tensor:
    """The identity matrix, `num_rows` by `num_columns` (as many by default), as often as `batch_shape` says.

    Raises TypeError for sizes that are no ints and for tf.string, InvalidArgumentError for negative ones.
    """
    columns = num_rows if num_columns is None else num_columns
    sizes = []
    for n in (num_rows, columns):
        if isinstance(n, (Tensor, Variable)):
            n = convert_to_tensor(n)._value
        if not isinstance(n, (int, np.integer)) and not (
            isinstance(n, np.ndarray) and not n.ndim and n.dtype.kind in "iu"
        ):
            raise TypeError(
                "Arguments `num_rows` and `num_columns` must be positive integer values. "
                f"Received: num_rows={num_rows}, num_columns={columns}"
            )
        sizes.append(int(n))
    to = numpy_dtype(dtype)
    if to.kind == "O":
        raise TypeError("Cannot convert 1 to EagerTensor of dtype string")
    shape = (*(() if batch_shape is None else static_shape_vector(batch_shape, "Fill")), *sizes)
    static_shape_vector(shape, "Fill")
    out = np.zeros(shape, to)
    diagonal = np.arange(min(sizes))
    out[..., diagonal, diagonal] = 1
    return made(wrap(out))


# -- sequences ---------------------------------------------------------------------------------------------------------

_RANGES = ("int32", "int64", "float16", "bfloat16", "float32", "float64")  # in the order in which one takes in another


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """The vector start, start + delta, ... up to `limit`, which does not belong to it; `range(limit)` begins at 0.

    Arguments:
        start, limit, delta: scalars.
        dtype: that of the result; by default the widest of the three.

    Raises InvalidArgumentError for delta 0, a limit on the wrong side of start, values that are no scalars and dtypes
    that are neither int32, int64 nor floating, TypeError for values that do not fit the dtype.
    """
    if limit is None:
        start, limit = 0, start
    if dtype is None:
        given = [convert_to_tensor(v) for v in (start, limit, delta)]
        names = [v.dtype.name for v in given]
        for name_ in names:
            if name_ not in _RANGES:
                raise AssertionError(f"tf.range takes int32, int64 and floating values, not {name_}")
        to = numpy_dtype(_RANGES[max(map(_RANGES.index, names))])
    else:
        to = numpy_dtype(dtype)
        if as_dtype(to).name not in _RANGES:
            raise refused_integer(to, "Range", "Tidx", ", ".join(_RANGES))
        given = [v if isinstance(v, (Tensor, Variable)) else convert_to_tensor(v, to) for v in (start, limit, delta)]
        given = [convert_to_tensor(v) for v in given]
    if any(type(v) is not Tensor for v in given):
        return _range_of(*[TENSORS.cast(v, to) for v in given])
    first, last, step = [
        _scalar(v, what, "Range").astype(to) for v, what in zip(given, ("start", "limit", "delta"), strict=True)
    ]
    if not step:
        raise errors.invalid("Range", f"Requires delta != 0: {step}")
    if step > 0 and first > last or step < 0 and first < last:
        sign, order = (">", "<=") if step > 0 else ("<", ">=")
        raise errors.invalid("Range", f"Requires start {order} limit when delta {sign} 0: {first}/{last}")
    if to.kind in "iu":
        count = (abs(int(last) - int(first)) + abs(int(step)) - 1) // abs(int(step))
    else:
        count = int(np.ceil(abs(np.float64((last - first) / step))))
    return made(wrap(first + np.arange(count).astype(to) * step))


_range_of = define(
    "range",
    lambda xp: lambda start, limit, delta: range_(wrap(start), wrap(limit), wrap(delta))._value,
    lambda start, limit, delta: Abstract((None,), start.dtype),
    inputs=3,
    doc="The vector that begins at `start`, for bounds known only when a graph runs.",
)


def _scalar(x: Tensor, what: str, title: str) -> Any:
    if x._value.shape != ():
        raise errors.invalid(title, f"{what} must be a scalar, not shape {shape_text(x._value.shape)}")
    return x._value


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """`num` values, evenly spaced from `start` to `stop`, along a new dimension `axis`; differentiable.

    Arguments:
        start, stop: tensors that broadcast, floating; integers become float64.
        num: how many, an integer >= 0.

    Raises TypeError for a `num` that is no integer and a `stop` that does not fit the dtype of `start`,
    InvalidArgumentError for a negative `num`.
    """
    first = convert_to_tensor(start)
    last = stop if isinstance(stop, Tensor) else convert_to_tensor(stop, first.dtype)
    number = convert_to_tensor(num)
    if not number.dtype.is_integer:
        raise TypeError(f"Argument `num` must be of type integer. Received {num!r} of dtype {number.dtype.name}")
    n = int(number._value)
    if n < 0:
        raise errors.invalid("LinSpace", f"num must be >= 0, not {n}")
    F: Any = TENSORS
    if first.dtype.is_integer:
        first, last = F.cast(first, float64._np), F.cast(convert_to_tensor(last), float64._np)
    span = last - first
    first, last = F.broadcast_to(first, span._value.shape), F.broadcast_to(last, span._value.shape)
    rank = len(span._value.shape)
    at = from_end(axis, rank + 1)
    if not 0 <= at <= rank:
        raise errors.invalid("LinSpace", f"axis {axis} is out of range for values of rank {rank}")
    to = span._value.dtype
    steps = wrap(np.arange(1, max(n - 1, 1)).astype(to).reshape((-1,) + (1,) * (rank - at)))
    between = F.expand_dims(first, at) + F.expand_dims(span / wrap(to.type(max(n - 1, 1))), at) * steps
    ends = [F.expand_dims(first, at), between, F.expand_dims(last, at)]
    return F.concat(ends[:n] if n < 2 else ends, at) if n else F.strided_slice(between, _nothing(at))


def _nothing(axis: int) -> tuple:
    return ((None, None, None),) * axis + ((0, 0, None),)


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """From vectors for each dimension, their coordinates on the grid of all combinations.

    Arguments:
        args: tensors of one dtype, of n1, n2, ... elements.
        indexing: "xy" (the default), where the first two dimensions of the result are n2, n1, or "ij", where they are
            n1, n2.

    Returns a tensor of the grid's shape for each.

    Raises ValueError for another `indexing`, TypeError for other keywords, InvalidArgumentError for mixed dtypes.
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"{next(iter(kwargs))!r} is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    F: Any = TENSORS
    vectors = [F.reshape(convert_to_tensor(x), (-1,)) for x in args]
    if len({x._value.dtype for x in vectors}) > 1:
        raise errors.invalid("MeshGrid", f"all must be of one dtype, not {', '.join(x.dtype.name for x in vectors)}")
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    shape = tuple([vectors[a]._value.shape[0] for a in axes])
    out = []
    for x, axis in zip(vectors, axes, strict=True):
        column = F.reshape(x, (-1,) + (1,) * (len(axes) - 1 - axis))
        out.append(F.broadcast_to(column, shape))
    return out


@deferred(
    lambda lengths, maxlen=None, dtype=bool_, name=None: Abstract(
        (*shape_of(lengths), maxlen if type(maxlen) is int else None), numpy_dtype(dtype)
    ),
    values=("lengths", "maxlen"),
)
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = bool_, name: str | None = None) -> Tensor:
    """A mask for each length: true for the first so many positions.

    Arguments:
        lengths: an integer tensor of any shape.
        maxlen: how many positions there are, a scalar; the greatest length by default.
        dtype: that of the result.

    Returns a tensor of shape lengths.shape + [maxlen]. Raises ValueError for a `maxlen` that is no scalar.
    """
    x = convert_to_tensor(lengths)
    if maxlen is None:
        size = max(0, int(np.max(x._value, initial=0)))
    else:
        limit = convert_to_tensor(maxlen)
        if limit._value.shape != ():
            raise ValueError(f"Argument `maxlen` must be scalar for sequence_mask, received shape {limit.shape}")
        size = int(limit._value)
    row = np.arange(size).astype(x._value.dtype)
    return wrap((row < np.asarray(x._value)[..., None]).astype(numpy_dtype(dtype)))


# -- one_hot -----------------------------------------------------------------------------------------------------------

_INDICES = ("uint8", "int8", "int32", "int64")


@lru_cache(64)
def _row(depth: int, dtype: np.dtype) -> np.ndarray:
    """0, 1, ..., depth - 1; for nobody to write to."""
    return np.arange(depth).astype(dtype)


def _one_hot_kernel(xp: Any) -> Any:
    def one_hot(indices: Any, depth: int, axis: int, on: Any, off: Any) -> Any:
        dtype = indices.dtype if indices.dtype.itemsize > 1 else np.dtype("int32")
        where = indices[..., None] == (_row(depth, dtype) if xp is np else xp.arange(depth, dtype=dtype))
        to = np.dtype(object) if isinstance(on, bytes) else np.asarray(on).dtype
        if to.kind != "O" and on == 1 and off == 0:
            out = where.astype(to)
        else:
            out = xp.where(where, np.array(on, to), np.array(off, to))
        return out if axis == out.ndim - 1 else xp.moveaxis(out, -1, axis)

    return one_hot


def _one_hot_shape(indices: Any, depth: int, axis: int, on: Any, off: Any) -> Abstract:
    dtype = np.dtype(object) if isinstance(on, bytes) else np.asarray(on).dtype
    if indices.shape is None:
        return Abstract(None, dtype)
    return Abstract((*indices.shape[:axis], depth, *indices.shape[axis:]), dtype)


_one_hot = define("one_hot", _one_hot_kernel, _one_hot_shape)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """For each index a vector with `on_value` at that position and `off_value` at all others.

    Arguments:
        indices: uint8, int8, int32 or int64 of any shape; those out of range get `off_value` everywhere.
        depth: how long the vectors are, a scalar.
        on_value, off_value: scalars, 1 and 0 by default.
        axis: where the new dimension goes; the last one by default.
        dtype: that of the result; by default that of the values, float32 where there are none.

    Raises InvalidArgumentError for another dtype of the indices, a negative depth, an axis out of range; TypeError for
    values of different dtypes.
    """
    x = convert_to_tensor(indices)
    title = "OneHot"
    if x._value.dtype.name not in _INDICES:
        raise refused_integer(x._value.dtype, title, "TI", ", ".join(_INDICES))
    n = depth
    if type(n) is not int:
        counted = convert_to_tensor(depth)
        if counted._value.dtype.kind not in "iu":
            raise TypeError(f"Cannot convert {depth!r} to EagerTensor of dtype int32: it is the depth of one_hot")
        if counted._value.shape != ():
            raise errors.invalid(title, f"depth must be a scalar, but got: {shape_text(counted._value.shape)}")
        n = size_of(counted)
    if n < 0:
        raise errors.invalid(title, f"depth must be non-negative, got: {n}")
    rank = len(x._value.shape)
    at = rank if axis is None or axis == -1 else axis
    if not 0 <= at <= rank:
        raise errors.invalid(title, f"Expected axis to be -1 or between [0, {rank + 1}).  But received: {axis}")
    on, off = _on_and_off(on_value, off_value, dtype)
    return _one_hot(x, n, at, on, off)


def _on_and_off(on_value: Any, off_value: Any, dtype: Any) -> tuple[Any, Any]:
    """The two values as NumPy scalars (bytes for strings) of one dtype."""
    wanted = None if dtype is None else as_dtype(dtype)
    if on_value is None and off_value is None:
        wanted = wanted or float32
        if wanted is string or wanted is bool_:
            raise TypeError(
                f"Cannot convert 1 to EagerTensor of dtype {wanted.name}: give one_hot on_value and off_value"
            )
        return numpy_dtype(wanted).type(1), numpy_dtype(wanted).type(0)
    given = {}
    for what, value in (("on_value", on_value), ("off_value", off_value)):
        if value is not None:
            given[what] = _preferred(value, wanted)
            if wanted is not None and given[what].dtype != wanted:
                raise TypeError(f"dtype {given[what].dtype} of {what} does not match dtype parameter {wanted}")
    kinds = {x.dtype for x in given.values()}
    if len(kinds) > 1:
        raise TypeError(
            f"dtype {given['on_value'].dtype} of on_value does not match dtype {given['off_value'].dtype} of off_value"
        )
    (kind,) = kinds
    for what, standing in (("on_value", 1), ("off_value", 0)):
        if what not in given:
            given[what] = convert_to_tensor(standing, kind)
        if given[what]._value.shape != ():
            raise errors.invalid("OneHot", f"{what} must be a scalar, but got: {shape_text(given[what]._value.shape)}")
    on, off = given["on_value"]._value, given["off_value"]._value
    return (on[()], off[()]) if kind is string else (on, off)


def _preferred(value: Any, wanted: Any) -> Tensor:
    return convert_to_tensor(value, dtype_hint=wanted)
