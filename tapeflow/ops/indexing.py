"""Taking elements by their positions: gather, gather_nd, boolean_mask, embedding lookups."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import int32
from ..core.indexed_slices import IndexedSlices, set_ops
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.size import has_sizes, shape_vector
from ..core.tensor import Tensor, flat, wrap
from ..core.variable import Variable
from .creation import range_
from .deferring import deferred, shape_of
from .scattering import add_rows, check_positions, ignores, within
from .slicing import string_element
from .statics import from_end, refused_integer, static_int

_UNSIGNED = {np.dtype(f"int{bits}"): np.dtype(f"uint{bits}") for bits in (16, 32, 64)}


def indices_of(value: Any, title: str, attr: str = "Tindices") -> Tensor:
    """Positions as a tensor of int16, int32 or int64. Raises InvalidArgumentError for another dtype."""
    x = convert_to_tensor(value)
    if x._value.dtype not in _UNSIGNED:
        raise refused_integer(x._value.dtype, title, attr, "int16, int32, int64")
    return x


def _outside(indices: Any, size: int) -> bool:
    """Whether a position is below 0 or not below `size`: one comparison, negative ones being huge as unsigned."""
    if not indices.ndim:
        return not 0 <= indices < size
    return indices.size and np.maximum.reduce(indices.view(_UNSIGNED[indices.dtype]), None) >= size


def bad_index(indices: Any, size: int, title: str) -> errors.InvalidArgumentError:
    """The error that names the first position of `indices` that is not in [0, size)."""
    indices = np.asarray(indices)
    at = tuple(np.argwhere((indices < 0) | (indices >= size))[0].tolist())
    where = f"[{','.join(map(str, at))}]" if at else ""
    return errors.invalid(title, f"indices{where} = {indices[at]} is not in [0, {size})")


# -- gather ------------------------------------------------------------------------------------------------------------


def _gathered(params: Any, indices: Any, axis: int, batch_dims: int) -> Abstract:
    of, at = params.shape, indices.shape
    if of is None or at is None:
        return Abstract(None, params.dtype)
    if not of:
        raise errors.invalid("GatherV2", "params must be at least 1 dimensional")
    rank = len(of)
    if not 0 <= axis < rank:
        least = axis + 1 if axis >= 0 else -axis
        raise errors.invalid(
            "GatherV2", f"Shape must be at least rank {least} but is rank {rank}: params is {shape_text(of)}"
        )
    if not 0 <= batch_dims <= len(at):
        raise errors.invalid(
            "GatherV2", f"batch_dims ({batch_dims}) must be in [0, {len(at)}], the rank of indices {shape_text(at)}"
        )
    if batch_dims > axis:
        raise errors.invalid("GatherV2", f"batch_dims ({batch_dims}) must be less than or equal to axis ({axis})")
    for i in range(batch_dims):
        if of[i] != at[i] and None not in (of[i], at[i]):
            raise errors.invalid(
                "GatherV2", f"params.shape[{i}]: {of[i]} should be equal to indices.shape[{i}]: {at[i]}"
            )
    if of[axis] is not None and isinstance(indices, (np.ndarray, np.generic)) and _outside(indices, of[axis]):
        raise bad_index(indices, of[axis], "GatherV2")
    return Abstract((*of[:axis], *at[batch_dims:], *of[axis + 1 :]), params.dtype)


def _gather_kernel(xp: Any) -> Any:
    def gather(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
        if xp is np and _outside(indices, params.shape[axis]):
            raise IndexError
        if not batch_dims:
            return string_element(params.take(indices, axis))
        of, at = params.shape, indices.shape
        count, before, n, inner = _batched(of, axis, batch_dims)
        rows = params.reshape(count, before, n, inner)
        rows = rows[xp.arange(count)[:, None], :, indices.reshape(count, prod(at[batch_dims:]))]
        return rows.transpose(0, 2, 1, 3).reshape(*of[:axis], *at[batch_dims:], *of[axis + 1 :])

    return gather


def _batched(shape: tuple, axis: int, batch_dims: int) -> tuple[int, int, int, int]:
    """The sizes of a shape's four parts: batch, between batch and axis, axis, behind it."""
    return prod(shape[:batch_dims]), prod(shape[batch_dims:axis]), shape[axis], prod(shape[axis + 1 :])


def _gather_grad(F: Any, g: Any, indices: Any, shape: tuple, axis: int, batch_dims: int) -> Any:
    if axis or batch_dims:
        return F.gather_grad(g, indices, shape, axis, batch_dims)
    n = prod(indices.shape) if F.raw else prod(indices._value.shape)
    return IndexedSlices(
        F.reshape(g, (n, *shape[1:])),
        F.reshape(indices, (n,)),
        shape if F.raw else shape_vector(shape),
    )


_gather = define(
    "gather",
    _gather_kernel,
    _gathered,
    [_gather_grad, None],
    saves=lambda params, indices, out, axis, batch_dims: (indices, params._value.shape),
    title="GatherV2",
    inputs=2,
)


def _gather_grad_kernel(xp: Any) -> Any:
    def gather_grad(g: Any, indices: Any, shape: tuple, axis: int, batch_dims: int) -> Any:
        count, before, n, inner = _batched(shape, axis, batch_dims)
        each = prod(indices.shape[batch_dims:])
        rows = g.reshape(count, before, each, inner).transpose(0, 2, 1, 3).reshape(count * each, before * inner)
        places = (indices.reshape(count, each) + (xp.arange(count) * n)[:, None]).reshape(-1)
        out = add_rows(xp, xp.zeros((count * n, before * inner), g.dtype), places, rows)
        return out.reshape(count, n, before, inner).transpose(0, 2, 1, 3).reshape(shape)

    return gather_grad


# the adjoint of gather as a dense tensor, where it does not make IndexedSlices
define(
    "gather_grad",
    _gather_grad_kernel,
    lambda g, indices, shape, axis, batch_dims: Abstract(shape, g.dtype),
    [lambda F, g, indices, shape, axis, batch_dims: F.gather(g, indices, axis, batch_dims), None],
    saves=lambda g, indices, out, *attributes: (indices,),
    inputs=2,
)


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """The parts of a tensor at the given positions of one dimension.

    Arguments:
        params: a tensor or variable of rank 1 or more.
        indices: positions, a tensor of int16, int32 or int64 of any shape.
        validate_indices: has no effect; positions are always checked.
        axis: the dimension of `params`, which may count from the end; `batch_dims` by default.
        batch_dims: how many leading dimensions `params` and `indices` have in common, which are gathered from one by
            one; from the end of `indices` if negative.

    Returns a tensor of shape params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]. Its gradient
    with respect to `params` is tf.IndexedSlices for axis 0.

    Raises InvalidArgumentError for a position out of range (negative ones are), an axis out of range, and batch
    dimensions that differ.
    """
    if type(params) is not Tensor:
        params = convert_to_tensor(params)
    if type(indices) is not Tensor or indices._value.dtype not in _UNSIGNED:
        indices = indices_of(indices, "GatherV2")
    if axis is None:
        axis = batch_dims
    elif type(axis) is not int:
        axis = static_int(axis, "GatherV2", "Taxis")
    if batch_dims < 0:
        batch_dims += len(indices._value.shape)
    rank = len(params._value.shape)
    if -rank <= axis < 0:
        axis += rank
    if axis == 0:
        # TensorFlow takes no notice of batch_dims here
        batch_dims = 0
    if not 0 <= axis < rank or batch_dims:
        _gathered(params._value, indices._value, axis, batch_dims)
    return _gather(params, indices, axis, batch_dims)


# -- gather_nd ---------------------------------------------------------------------------------------------------------


def _gathered_nd(params: Any, indices: Any, batch_dims: int) -> Abstract:
    of, at = params.shape, indices.shape
    if of is None or at is None:
        return Abstract(None, params.dtype)
    if not of:
        raise errors.invalid("GatherNd", "params must be at least a vector")
    if not at:
        raise errors.invalid("GatherNd", "indices must be at least a vector")
    if at[-1] is None:
        return Abstract(None, params.dtype)
    depth = batch_dims + at[-1]
    if depth > len(of):
        raise errors.invalid(
            "GatherNd", f"index innermost dimension length must be <= params rank; saw: {depth} vs. {len(of)}"
        )
    if any(a != b and None not in (a, b) for a, b in zip(of[:batch_dims], at[:batch_dims], strict=True)):
        raise errors.invalid(
            "GatherNd",
            f"the first {batch_dims} dimensions of params {shape_text(of)} and indices {shape_text(at)} differ",
        )
    if isinstance(indices, np.ndarray) and None not in of[batch_dims:depth]:
        check_positions(indices, of[batch_dims:depth], of, "GatherNd")
    return Abstract((*at[:-1], *of[depth:]), params.dtype)


def _gather_nd_kernel(xp: Any) -> Any:
    def gather_nd(params: Any, indices: Any, batch_dims: int) -> Any:
        at = indices.shape
        depth = batch_dims + at[-1]
        if xp is np and any(_outside(indices[..., i], n) for i, n in enumerate(params.shape[batch_dims:depth])):
            raise IndexError
        if depth > params.ndim:
            raise IndexError
        if not depth:
            return xp.broadcast_to(params, (*at[:-1], *params.shape)).copy()
        grid = [xp.arange(n).reshape((n,) + (1,) * (len(at) - 2 - i)) for i, n in enumerate(at[:batch_dims])]
        if not at[-1]:
            grid = [xp.broadcast_to(rows, at[:-1]) for rows in grid]
        return string_element(params[(*grid, *[indices[..., i] for i in range(at[-1])])])

    return gather_nd


def _gather_nd_grad(F: Any, g: Any, indices: Any, shape: tuple, batch_dims: int) -> Any:
    at = indices.shape if F.raw else indices._value.shape
    if len(at) == 2 and at[1] == 1 and not batch_dims:
        return IndexedSlices(g, F.reshape(indices, at[:1]), shape if F.raw else shape_vector(shape))
    if batch_dims:
        if has_sizes(at[:batch_dims]):
            grid = [
                F.broadcast_to(
                    F.reshape(range_(0, n, dtype=indices._value.dtype), (1,) * i + (n,) + (1,) * (len(at) - 1 - i)),
                    (*at[:-1], 1),
                )
                for i, n in enumerate(at[:batch_dims])
            ]
            return F.scatter_nd(F.concat([*grid, indices], len(at) - 1), g, shape)
        dtype = indices.dtype if F.raw else indices._value.dtype
        grid = np.indices(at[:batch_dims], dtype).reshape(
            batch_dims, *at[:batch_dims], *(1,) * (len(at) - 1 - batch_dims)
        )
        grid = np.moveaxis(np.broadcast_to(grid, (batch_dims, *at[:-1])), 0, -1)
        indices = F.concat([grid if F.raw else wrap(grid), indices], len(at) - 1)
    return F.scatter_nd(indices, g, shape)


_gather_nd = define(
    "gather_nd",
    _gather_nd_kernel,
    _gathered_nd,
    [_gather_nd_grad, None],
    saves=lambda params, indices, out, batch_dims: (indices, params._value.shape),
    inputs=2,
)


def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Tensor:
    """The parts of a tensor at positions that are vectors: `params[tuple(indices[i])]` for every i.

    Arguments:
        params: a tensor of rank 1 or more.
        indices: [..., depth] integers; each vector of them is a position in the first `depth` dimensions of `params`.
        batch_dims: how many leading dimensions `params` and `indices` have in common, which are gathered from one by
            one.
        bad_indices_policy: "ERROR" (the default) or "IGNORE", which gives zeros for a position out of range.

    Returns a tensor of shape indices.shape[:-1] + params.shape[batch_dims + depth:].

    Raises InvalidArgumentError for positions out of range or longer than the rank of `params`, ValueError for
    `batch_dims` that are not less than the rank of `indices`.
    """
    params = convert_to_tensor(params)
    indices = indices_of(indices, "GatherNd")
    rank = len(indices._value.shape)
    if batch_dims and not 0 <= batch_dims < rank:
        raise ValueError(f"Argument `batch_dims` = {batch_dims} must be less than rank(`indices`) = {rank}")
    ignored = ignores(bad_indices_policy, "GatherNd")
    value = indices._value
    if batch_dims or ignored or not rank or not params._value.shape:
        _gathered_nd(params._value, Abstract(value.shape, value.dtype) if ignored else value, batch_dims)
    if not ignored:
        return _gather_nd(params, indices, batch_dims)
    valid = within(value, params._value.shape[batch_dims : batch_dims + value.shape[-1]])
    out = _gather_nd(params, wrap(value * valid[..., None].astype(value.dtype)), batch_dims)
    mask = wrap(flat(valid.reshape(valid.shape + (1,) * (len(out._value.shape) - valid.ndim))))
    return TENSORS.where(mask, out, TENSORS.zeros_like(out))


# -- positions as numbers ----------------------------------------------------------------------------------------------


def _unravel_kernel(xp: Any) -> Any:
    def unravel_index(indices: Any, dims: tuple) -> Any:
        # as integer division does in C, towards zero
        rest, sign = abs(indices), xp.sign(indices)
        strides = [prod(dims[i + 1 :]) for i in range(len(dims))]
        return xp.stack([rest // stride % n * sign for stride, n in zip(strides, dims, strict=True)]).astype(
            indices.dtype
        )

    return unravel_index


_unravel_index = define(
    "unravel_index",
    _unravel_kernel,
    lambda indices, dims: Abstract(None if indices.shape is None else (len(dims), *indices.shape), indices.dtype),
)


@deferred(
    lambda indices, dims, name=None: Abstract(
        (*shape_of(dims), *shape_of(indices)), convert_to_tensor(indices)._value.dtype
    ),
    values=("indices", "dims"),
)
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Numbers of elements, in row-major order, as their positions in a tensor of shape `dims`.

    Arguments:
        indices: int32 or int64, a scalar or vector.
        dims: a vector of sizes.

    Returns [len(dims)] or [len(dims), n]. Raises InvalidArgumentError for numbers that are too large and sizes of 0.
    """
    title = "UnravelIndex"
    x = convert_to_tensor(indices)
    if x._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(x._value.dtype, title, "Tidx")
    sizes = np.asarray(convert_to_tensor(dims, None if isinstance(dims, Tensor) else x.dtype)._value)
    if x._value.ndim > 1:
        raise errors.invalid(title, f'The indices can only be scalar or vector, got "{shape_text(x._value.shape)}"')
    if sizes.ndim != 1:
        raise errors.invalid(title, f'The dims can only be 1-D, got "{shape_text(sizes.shape)}"')
    shape = tuple(sizes.tolist())
    if 0 in shape:
        raise errors.invalid(
            title, f"Input dims cannot contain a dim of zero, but dims contains zero at index {shape.index(0)}"
        )
    if (np.asarray(x._value) >= prod(shape)).any():
        raise errors.invalid(title, f"index is out of bound: {int(np.max(x._value))} for dims {list(shape)}")
    return _unravel_index(x, shape)


# -- masks and embeddings ----------------------------------------------------------------------------------------------


def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Tensor:
    """The parts of a tensor where the mask is true, in row-major order, along one dimension in place of the mask's.

    Arguments:
        tensor: a tensor.
        mask: bools (or numbers that are not zero), of the shape of `tensor.shape[axis : axis + mask.ndim]`.
        axis: where the mask's dimensions begin in `tensor`'s; 0 by default.

    Raises ValueError for a 0-d mask or one of another shape.
    """
    x = convert_to_tensor(tensor)
    where = convert_to_tensor(mask)
    true = where._value if type(where) is not Tensor else np.asarray(where._value)
    start = 0 if axis is None else static_int(axis, "BooleanMask")
    shape = x._value.shape
    if not true.ndim:
        raise ValueError("mask cannot be scalar.")
    start = from_end(start, len(shape))
    part = shape[start : start + true.ndim]
    if part != true.shape and (len(part) != true.ndim or None not in (*part, *true.shape)):
        raise ValueError(f"Shapes {part} and {true.shape} are incompatible: the mask must have the tensor's shape")
    end = start + true.ndim
    x = TENSORS.reshape(x, (*shape[:start], prod(part), *shape[end:]))
    return _gather(x, _places(where) if type(where) is not Tensor else wrap(np.flatnonzero(true)), start, 0)


_places = define(
    "places_of_true",
    lambda xp: xp.flatnonzero,
    lambda mask: Abstract((None,), np.dtype("int64")),
    doc="Where, counted in row-major order, a mask is true.",
)


TENSORS.boolean_mask = boolean_mask


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """The rows of an embedding matrix for ids of any shape.

    Arguments:
        params: a tensor or variable [rows, ...], or a list of them that hold its rows one after the other.
        ids: integers.
        max_norm: rows of a greater Euclidean norm are scaled down to it.

    Raises ValueError where there are no params, InvalidArgumentError for an id out of range.
    """
    if params is None:
        raise ValueError("params must be specified")
    if isinstance(params, (list, tuple)):
        if not params:
            raise ValueError("Length of params is currently 0. Need at least one param.")
        params = params[0] if len(params) == 1 else TENSORS.concat([convert_to_tensor(p) for p in params], 0)
    ids = convert_to_tensor(ids, dtype_hint=int32) if not isinstance(ids, (Tensor, Variable)) else ids
    rows = gather(params, ids, axis=0)
    if max_norm is None:
        return rows
    rank, over = len(rows._value.shape), convert_to_tensor(ids)._value.ndim
    squares = TENSORS.reduce_sum(rows * rows, tuple(range(over, rank)), True)
    limit = convert_to_tensor(max_norm, rows.dtype)
    # a norm within the limit scales by limit / limit = 1
    return rows * limit / TENSORS.maximum(TENSORS.sqrt(squares), limit)


# -- IndexedSlices need these --------------------------------------------------------------------------------------


def _scatter_rows(values: Tensor, indices: Tensor, shape: tuple) -> Tensor:
    column = TENSORS.reshape(indices, (*indices._value.shape, 1))
    return TENSORS.scatter_nd(column, values, shape)


set_ops(lambda parts, axis: TENSORS.concat(list(parts), axis), _scatter_rows)
