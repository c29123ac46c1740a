"""Putting elements at positions: scatter_nd, the tensor_scatter_nd ops, dynamic_stitch and dynamic_partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import ANY, NUMBERS, REALS, int32, short_name
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.size import known
from ..core.tensor import Tensor, wrap
from .deferring import deferred, shape_of
from .statics import refused_integer, static_array, static_ints

_INDICES = ("int16", "int32", "int64")

# -- rows into rows ----------------------------------------------------------------------------------------------------


def add_rows(xp: Any, out: Any, places: Any, rows: Any) -> Any:
    """`out` [n, d] with `rows` [m, d] added at `places` [m], which may name one more than once; in place for NumPy."""
    if xp is not np:
        return out.at[places].add(rows)
    if rows.shape[1] == 1:
        # ufunc.at is three times as fast on vectors
        np.add.at(out.reshape(-1), places, rows.reshape(-1))
    else:
        np.add.at(out, places, rows)
    return out


def set_rows(xp: Any, out: Any, places: Any, rows: Any) -> Any:
    """`out` with `rows` in place of the rows at `places`; the last one counts."""
    if xp is not np:
        return out.at[places].set(rows)
    out[places] = rows
    return out


def _subtract_rows(xp: Any, out: Any, places: Any, rows: Any) -> Any:
    return add_rows(xp, out, places, -rows if rows.dtype.kind != "u" else (rows.dtype.type(0) - rows))


def rows_by(name: str) -> Callable:
    """Rows combined by an operation (a ufunc's name) that cannot be done on several at a time."""

    def combine(xp: Any, out: Any, places: Any, rows: Any) -> Any:
        if xp is not np:
            return getattr(out.at[places], {"minimum": "min", "maximum": "max"}.get(name, name))(rows)
        getattr(np, name).at(out, places, rows)
        return out

    return combine


ROW_UPDATES = {
    "update": set_rows,
    "add": add_rows,
    "sub": _subtract_rows,
    "max": rows_by("maximum"),
    "min": rows_by("minimum"),
}

# -- positions ---------------------------------------------------------------------------------------------------------


def places_of(xp: Any, indices: Any, shape: tuple) -> Any:
    """Positions [..., depth] in a tensor of `shape` as row numbers [count] of it as a matrix."""
    depth = indices.shape[-1]
    if xp is np and indices.size:
        for i in range(depth):
            column = indices[..., i]
            if np.minimum.reduce(column, None) < 0 or np.maximum.reduce(column, None) >= shape[i]:
                raise IndexError
    strides = [prod(shape[i + 1 : depth]) for i in range(depth)]
    wide = indices.astype(xp.int64)
    total = xp.zeros(indices.shape[:-1], wide.dtype)
    for i, stride in enumerate(strides):
        total = total + wide[..., i] * stride
    return total.reshape(-1)


def scattered(xp: Any, update: Callable, out: Any, indices: Any, updates: Any) -> Any:
    """`out` with `updates` combined into it at the positions `indices`, in place for NumPy."""
    shape, depth = out.shape, indices.shape[-1]
    inner = prod(shape[depth:])
    places = places_of(xp, indices, shape)
    rows = update(xp, out.reshape(prod(shape[:depth]), inner), places, updates.reshape(places.shape[0], inner))
    return rows.reshape(shape)


def check_scatter(indices: Any, updates: Any, shape: tuple, title: str) -> None:
    """Raises InvalidArgumentError where updates, or the positions they are for, do not fit a tensor of `shape`."""
    at, of = indices.shape, updates.shape
    if at is None or of is None or shape is None:
        return
    at, of, shape = (known(each) or () for each in (at, of, shape))
    for what, given in (("Indices", at), ("Updates", of)):
        if not given:
            raise errors.invalid(title, f"{what} shape must have rank at least one. Found:[]")
    if at[-1] is None:
        return
    depth = at[-1]
    if depth > len(shape):
        raise errors.invalid(
            title,
            f"positions of {depth} integers are too long for shape {shape_text(shape)}: indices are {shape_text(at)}",
        )
    wanted = (*at[:-1], *shape[depth:])
    if len(of) != len(wanted) or any(a != b and None not in (a, b) for a, b in zip(of, wanted, strict=True)):
        raise errors.invalid(
            title,
            f"updates have shape {shape_text(of)}, but indices {shape_text(at)} into shape {shape_text(shape)} take "
            f"updates of shape {shape_text(wanted)}",
        )
    if isinstance(indices, np.ndarray) and None not in shape[:depth]:
        check_positions(indices, shape[:depth], shape, title)


def check_positions(indices: np.ndarray, sizes: tuple, shape: tuple, title: str) -> None:
    """Raises InvalidArgumentError for the first of `indices` [..., depth] outside of `sizes`, a part of `shape`."""
    wrong = ~within(indices, sizes)
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0].tolist())
        where = f"[{','.join(map(str, at))}]" if at else ""
        raise errors.invalid(
            title, f"indices{where} = {indices[at].tolist()} does not index into shape {shape_text(shape)}"
        )


def within(indices: np.ndarray, sizes: tuple) -> np.ndarray:
    """For each position, [..., depth], whether it lies within `sizes`."""
    return np.asarray(np.logical_and.reduce((indices >= 0) & (indices < np.array(sizes, np.int64)), -1))


def ignores(policy: str, title: str) -> bool:
    """Whether a `bad_indices_policy` leaves out positions that are out of range. Raises InvalidArgumentError."""
    if policy not in ("", "DEFAULT", "ERROR", "IGNORE"):
        raise errors.invalid(title, f'bad_indices_policy must be "DEFAULT", "ERROR" or "IGNORE", not {policy!r}')
    return policy == "IGNORE"


# -- scatter_nd --------------------------------------------------------------------------------------------------------


def _zeros(xp: Any, shape: tuple, dtype: np.dtype) -> Any:
    return np.full(shape, b"", object) if dtype.kind == "O" else xp.zeros(shape, dtype)


def _scatter_kernel(xp: Any) -> Any:
    def scatter_nd(indices: Any, updates: Any, shape: tuple) -> Any:
        update = set_rows if updates.dtype.kind in "Ob" else add_rows
        return scattered(xp, update, _zeros(xp, shape, updates.dtype), indices, updates)

    return scatter_nd


def _scatter_shape(indices: Any, updates: Any, shape: tuple) -> Abstract:
    check_scatter(indices, updates, shape, "ScatterNd")
    return Abstract(shape, updates.dtype)


_scatter_nd = define(
    "scatter_nd",
    _scatter_kernel,
    _scatter_shape,
    [None, lambda F, g, indices, shape: F.gather_nd(g, indices, 0)],
    saves=lambda indices, updates, out, shape: (indices,),
    inputs=2,
)


def scatter_nd(indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None) -> Tensor:
    """Zeros with the updates added at the positions given; what goes to one position adds up.

    Arguments:
        indices: [..., depth] int16, int32 or int64; each vector is a position in the first `depth` dimensions.
        updates: a tensor of shape indices.shape[:-1] + shape[depth:].
        shape: that of the result, a vector of integers.
        bad_indices_policy: "ERROR" (the default) or "IGNORE", which leaves out positions that are out of range.

    Raises InvalidArgumentError for positions out of range and shapes that do not fit.
    """
    at = convert_to_tensor(indices, dtype_hint=int32)
    if at._value.dtype.name not in _INDICES:
        raise refused_integer(at._value.dtype, "ScatterNd", "Tindices", ", ".join(_INDICES))
    values = convert_to_tensor(updates)
    dims = static_ints(shape, "ScatterNd", "Tindices", "shape")
    if any(n < 0 for n in dims):
        raise errors.invalid("ScatterNd", f"Dimension {min(dims)} must be >= 0; the shape: {list(dims)}")
    at, values = _without_bad(at, values, dims, bad_indices_policy, "ScatterNd")
    _scatter_shape(at._value, values._value, dims)
    return _scatter_nd(at, values, dims)


def _without_bad(at: Tensor, values: Tensor, shape: tuple, policy: str, title: str) -> tuple[Tensor, Tensor]:
    """The positions and updates, with "IGNORE" only those that lie within `shape`."""
    if not ignores(policy, title):
        return at, values
    valid = within(at._value, shape[: at._value.shape[-1]])
    return wrap(at._value[valid]), TENSORS.boolean_mask(values, wrap(valid))


# -- tensor_scatter_nd -------------------------------------------------------------------------------------------------


def _tensor_scatter(how: str, grads: Any, allowed: set, saves: Callable | None = None) -> Callable:
    """Declares the op that combines updates into a tensor in a way of ROW_UPDATES; gives its public function."""
    title = f"TensorScatter{how.capitalize()}"
    update = ROW_UPDATES[how]

    def infer(x: Any, indices: Any, updates: Any) -> Abstract:
        check_scatter(indices, updates, x.shape, title)
        return Abstract(x.shape, x.dtype)

    def kernel(xp: Any) -> Any:
        def tensor_scatter(x: Any, indices: Any, updates: Any) -> Any:
            return scattered(xp, update, xp.array(x), indices, updates)

        return tensor_scatter

    op = define(f"tensor_scatter_{how}", kernel, infer, grads, saves=saves, title=title, inputs=3)

    def run(tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None) -> Tensor:
        at = convert_to_tensor(indices, dtype_hint=int32)
        if at._value.dtype.name not in _INDICES:
            raise refused_integer(at._value.dtype, title, "Tindices", ", ".join(_INDICES))
        x = convert_to_tensor(tensor)
        dtype = x._value.dtype
        values = updates if isinstance(updates, Tensor) else convert_to_tensor(updates, dtype)
        if values._value.dtype != dtype:
            raise errors.invalid(
                title,
                f"cannot compute {title} as input #2(zero-based) was expected to be a {short_name(dtype)} tensor but "
                f"is a {short_name(values._value.dtype)} tensor",
            )
        if dtype not in allowed:
            raise errors.failed(errors.NotFoundError, title, f"there is no kernel for {short_name(dtype)}")
        at, values = _without_bad(at, values, x._value.shape, bad_indices_policy, title)
        infer(x._value, at._value, values._value)
        return op(x, at, values)

    return run


def _extremum_grad(F: Any, g: Any, needs: Sequence, x: Any, indices: Any, updates: Any, out: Any) -> list:
    """The gradient of a maximum or minimum goes in equal parts to all that attain it."""
    dtype = g.dtype if F.raw else g._value.dtype
    won = F.cast(F.equal(x, out), dtype)
    won_by = F.cast(F.equal(updates, F.gather_nd(out, indices, 0)), dtype)
    shape = x.shape if F.raw else x._value.shape
    share = g / (won + F.scatter_nd(indices, won_by, shape))
    return [
        share * won if needs[0] else None,
        None,
        F.gather_nd(share, indices, 0) * won_by if needs[2] else None,
    ]


def _indices_alone(x: Tensor, indices: Tensor, updates: Tensor, out: Tensor) -> tuple:
    return (indices,)


tensor_scatter_nd_update = _tensor_scatter(
    "update",
    [
        lambda F, g, indices: F.tensor_scatter_update(g, indices, F.zeros_like(F.gather_nd(g, indices, 0))),
        None,
        lambda F, g, indices: F.gather_nd(g, indices, 0),
    ],
    ANY,
    _indices_alone,
)
tensor_scatter_nd_add = _tensor_scatter(
    "add",
    [lambda F, g, indices: g, None, lambda F, g, indices: F.gather_nd(g, indices, 0)],
    NUMBERS,
    _indices_alone,
)
tensor_scatter_nd_sub = _tensor_scatter(
    "sub",
    [lambda F, g, indices: g, None, lambda F, g, indices: -F.gather_nd(g, indices, 0)],
    NUMBERS,
    _indices_alone,
)
tensor_scatter_nd_max = _tensor_scatter("max", _extremum_grad, REALS, lambda *given: given)
tensor_scatter_nd_min = _tensor_scatter("min", _extremum_grad, REALS, lambda *given: given)

_WHAT = {
    "update": "with the updates in place of what is there; of several for one position the last counts",
    "add": "with the updates added to what is there",
    "sub": "with the updates subtracted from what is there",
    "max": "with the greater of what is there and the updates",
    "min": "with the lesser of what is there and the updates",
}
for _how, _what in _WHAT.items():
    _function = globals()[f"tensor_scatter_nd_{_how}"]
    _function.__name__ = _function.__qualname__ = f"tensor_scatter_nd_{_how}"
    _function.__doc__ = f"""A copy of a tensor, at the positions given {_what}.

    Arguments:
        tensor: a tensor.
        indices: [..., depth] integers; each vector is a position in the first `depth` dimensions of `tensor`.
        updates: a tensor of the same dtype, of shape indices.shape[:-1] + tensor.shape[depth:].
        bad_indices_policy: "ERROR" (the default) or "IGNORE", which leaves out positions that are out of range.

    Raises InvalidArgumentError for positions out of range and shapes that do not fit, TypeError for updates of another
    dtype.
    """

# -- dynamic_stitch and dynamic_partition ------------------------------------------------------------------------------


@deferred(
    lambda indices, data, name=None: Abstract(
        (None, *shape_of(data[0])[len(shape_of(indices[0])) :]), convert_to_tensor(data[0])._value.dtype
    ),
    values=("indices",),
)
def dynamic_stitch(indices: Sequence, data: Sequence, name: str | None = None) -> Tensor:
    """One tensor put together from parts: row `indices[m][i]` of it is `data[m][i]`; the last one counts.

    Arguments:
        indices: a list of int32 tensors.
        data: a list of tensors of one dtype, `data[m]` of shape `indices[m].shape + rest`.

    Returns a tensor of shape [greatest index + 1] + rest; rows that no index names are zeros.

    Raises InvalidArgumentError for shapes that do not fit and negative indices.
    """
    title = "DynamicStitch"
    if not len(indices) or len(indices) != len(data):
        raise errors.invalid(title, f"takes lists of one length >= 1, not {len(indices)} indices and {len(data)} data")
    places = [static_array(i, title) for i in indices]
    first = convert_to_tensor(data[0])
    parts = [first, *[d if isinstance(d, Tensor) else convert_to_tensor(d, first.dtype) for d in data[1:]]]
    rest = first._value.shape[places[0].ndim :]
    for i, (at, part) in enumerate(zip(places, parts, strict=True)):
        shape = part._value.shape
        if shape[: at.ndim] != at.shape:
            raise errors.invalid(
                title,
                f"data[{i}].shape = {shape_text(shape)} does not start with "
                f"indices[{i}].shape = {shape_text(at.shape)}",
            )
        if shape[at.ndim :] != rest:
            raise errors.invalid(
                title, f"data[{i}].shape = {shape_text(shape)} must end in {shape_text(rest)}, as data[0]'s does"
            )
        if (at < 0).any():
            raise errors.invalid(title, f"indices[{i}] is out of range: {int(at.min())}")
    flat = np.concatenate([at.reshape(-1) for at in places])
    rows = TENSORS.concat([TENSORS.reshape(part, (at.size, *rest)) for at, part in zip(places, parts, strict=True)], 0)
    shape = (int(flat.max()) + 1 if flat.size else 0, *rest)
    empty = wrap(_zeros(np, shape, first._value.dtype))
    return TENSORS.tensor_scatter_update(empty, wrap(flat[:, None]), rows)


@deferred(
    lambda data, partitions, num_partitions, name=None: [
        Abstract((None, *shape_of(data)[len(shape_of(partitions)) :]), convert_to_tensor(data)._value.dtype)
        for _ in range(num_partitions)
    ],
    values=("partitions",),
)
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """The rows of a tensor dealt out to `num_partitions` tensors: each row to the one that `partitions` names.

    Arguments:
        data: a tensor whose shape begins with that of `partitions`.
        partitions: int32 tensor of numbers in [0, num_partitions).

    Raises InvalidArgumentError for a number out of range and shapes that do not fit.
    """
    title = "DynamicPartition"
    if num_partitions < 1:
        raise errors.invalid(title, f"Value for attr 'num_partitions' of {num_partitions} must be at least minimum 1")
    x, to = convert_to_tensor(data), static_array(partitions, title)
    shape = x._value.shape
    if shape[: to.ndim] != to.shape:
        raise errors.invalid(
            title,
            f"data.shape must start with partitions.shape, got data.shape = {shape_text(shape)}, partitions.shape = "
            f"{shape_text(to.shape)}",
        )
    wrong = np.argwhere((to < 0) | (to >= num_partitions))
    if len(wrong):
        at = tuple(wrong[0].tolist())
        raise errors.invalid(
            title, f"partitions[{','.join(map(str, at))}] = {int(to[at])} is not in [0, {num_partitions})"
        )
    # a leading dimension of 1 makes the gradients of the gathers dense ones
    rows = TENSORS.reshape(x, (1, to.size, *shape[to.ndim :]))
    out = []
    for i in range(num_partitions):
        which = np.flatnonzero(to.reshape(-1) == i)
        part = TENSORS.gather(rows, wrap(which), 1, 0)
        out.append(TENSORS.reshape(part, (which.size, *shape[to.ndim :])))
    return out
