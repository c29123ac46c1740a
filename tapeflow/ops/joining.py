"""Joining tensors and taking them apart again: concat, stack, unstack, split."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor, set_pack
from ..core.dtypes import short_name
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from ..core.variable import Variable
from .deferring import deferred, shape_of
from .slicing import WHOLE, shape_slice, string_element
from .statics import from_end, static_array, static_int

# -- what joins: their values are of one dtype -------------------------------------------------------------------------


def _tensors(values: Sequence, title: str) -> list[Tensor]:
    """The values as tensors of one dtype: the first that has one of its own decides for Python's numbers."""
    if all(type(v) is Tensor for v in values):
        tensors = list(values)
    else:
        dtype = next((v.dtype for v in values if isinstance(v, (Tensor, Variable))), None)
        if dtype is None and len(values):
            dtype = convert_to_tensor(values[0]).dtype
            if dtype == "int32" and any(isinstance(v, float) for v in values):
                dtype = convert_to_tensor(1.0).dtype
        tensors = [v if isinstance(v, Tensor) else _converted(v, dtype) for v in values]
    first = tensors[0]._value.dtype
    for i, x in enumerate(tensors):
        if x._value.dtype != first:
            raise errors.invalid(
                title,
                f"cannot compute {title} as input #{i}(zero-based) was expected to be a {short_name(first)} tensor "
                f"but is a {short_name(x._value.dtype)} tensor; nothing is converted silently: tf.cast one of them",
            )
    return tensors


def _converted(value: Any, dtype: Any) -> Tensor:
    return convert_to_tensor(value) if isinstance(value, Variable) else convert_to_tensor(value, dtype)


# -- concat ------------------------------------------------------------------------------------------------------------


def _concatenated(values: Sequence, axis: int) -> Abstract:
    first = values[0]
    shapes = [v.shape for v in values if v.shape is not None]
    if not shapes:
        return Abstract(None, first.dtype)
    rank = len(shapes[0])
    if not rank:
        raise errors.invalid("ConcatV2", "ConcatOp : Can't concatenate scalars (use tf.stack instead)")
    if not -rank <= axis < rank:
        raise errors.invalid(
            "ConcatV2", f"ConcatOp : Expected concatenating dimensions in the range [{-rank}, {rank}), but got {axis}"
        )
    axis = from_end(axis, rank)
    out = list(shapes[0])
    for i, shape in enumerate(shapes[1:], 1):
        if len(shape) != rank:
            raise errors.invalid(
                "ConcatV2",
                f"ConcatOp : Ranks of all input tensors should match: shape[0] = {shape_text(shapes[0])} vs. "
                f"shape[{i}] = {shape_text(shape)}",
            )
        for j, (a, b) in enumerate(zip(out, shape, strict=True)):
            if j == axis:
                out[j] = None if a is None or b is None else a + b
            elif a is None or b is None:
                out[j] = b if a is None else a
            elif a != b:
                raise errors.invalid(
                    "ConcatV2",
                    f"ConcatOp : Dimension {j} in both shapes must be equal: shape[0] = {shape_text(shapes[0])} vs. "
                    f"shape[{i}] = {shape_text(shape)}",
                )
    if len(shapes) < len(values):
        out[axis] = None
    return Abstract(tuple(out), first.dtype)


def _concat_grad(F: Any, g: Any, needs: Sequence[bool], shapes: tuple, axis: int) -> list:
    axis = from_end(axis, len(shapes[0]))
    ends = list(accumulate([shape[axis] for shape in shapes]))
    return [
        F.strided_slice(g, shape_slice(end - shape[axis], end, axis)) if need else None
        for need, shape, end in zip(needs, shapes, ends, strict=True)
    ]


_concat = define(
    "concat",
    lambda xp: lambda values, axis: xp.concatenate(values, axis),
    _concatenated,
    _concat_grad,
    saves=lambda *given: (tuple([x._value.shape for x in given[:-2]]),),
    title="ConcatV2",
    inputs=None,
)


def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """The tensors one after the other along a dimension that they have.

    Arguments:
        values: a list of tensors of one dtype whose shapes differ at most in dimension `axis`, or one tensor, which is
            given back as it is.
        axis: the dimension, which may count from the end.

    Raises InvalidArgumentError for shapes or dtypes that do not match, for scalars, and for an axis out of range.
    """
    if not isinstance(values, (list, tuple)):
        values = [values]
    at = static_int(axis, "ConcatV2", single=True)
    if len(values) == 1:
        return TENSORS.identity(convert_to_tensor(values[0]))
    if not values:
        raise errors.invalid("ConcatV2", "there is nothing to concatenate: `values` is empty")
    return _concat(_tensors(values, "ConcatV2"), at)


# -- stack -------------------------------------------------------------------------------------------------------------


def _stacked(values: Sequence, axis: int) -> Abstract:
    shape = values[0].shape
    for i, v in enumerate(values):
        if shape is None or v.shape is None:
            shape = v.shape if shape is None else shape
        elif len(shape) != len(v.shape) or any(
            a != b and None not in (a, b) for a, b in zip(shape, v.shape, strict=True)
        ):
            raise errors.invalid(
                "Pack",
                f"Shapes of all inputs must match: values[0].shape = {shape_text(shape)} != values[{i}].shape = "
                f"{shape_text(v.shape)}",
            )
        else:
            shape = tuple([b if a is None else a for a, b in zip(shape, v.shape, strict=True)])
    if shape is None:
        return Abstract(None, values[0].dtype)
    axis = from_end(axis, len(shape) + 1)
    return Abstract((*shape[:axis], len(values), *shape[axis:]), values[0].dtype)


def _stack_kernel(xp: Any) -> Any:
    if xp is not np:
        return xp.stack

    def stack(values: Sequence, axis: int) -> Any:
        # np.stack takes 3 us more
        first = values[0]
        if not first.ndim:
            if first.dtype.kind == "O":
                return np.concatenate([v[None] for v in values])
            if any(v.ndim for v in values):
                raise ValueError("shapes differ")
            return np.array(values, first.dtype)
        at = (slice(None),) * from_end(axis, first.ndim + 1) + (None,)
        return np.concatenate([v[at] for v in values], len(at) - 1)

    return stack


_stack = define(
    "stack",
    _stack_kernel,
    _stacked,
    lambda F, g, needs, rank, axis: [
        F.strided_slice(g, (WHOLE,) * from_end(axis, rank) + (i,)) if need else None for i, need in enumerate(needs)
    ],
    saves=lambda *given: (len(given[-2]._value.shape),),
    title="Pack",
    inputs=None,
)


def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """The tensors side by side along a new dimension.

    Arguments:
        values: a list of tensors of one shape and dtype, or one tensor, whose rows they are.
        axis: where the new dimension goes, which may count from the end: in [-(rank + 1), rank + 1).

    Raises ValueError for an axis out of range, InvalidArgumentError for shapes that differ, and for dtypes that differ
    InvalidArgumentError, or TypeError where a Python number does not fit the tensors' dtype.
    """
    if isinstance(values, (Tensor, Variable, np.ndarray)):
        x = convert_to_tensor(values)
        if axis == 0 or not x._value.shape:
            return x
        values = unstack(x)
    elif not isinstance(values, (list, tuple)):
        return convert_to_tensor(values)
    if not len(values):
        return convert_to_tensor([])
    tensors = _tensors(values, "Pack")
    rank = len(tensors[0]._value.shape) + 1
    if not -rank <= axis < rank:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-rank}, {rank})")
    return _stack(tensors, axis)


def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """Raises RuntimeError: as in TensorFlow this is for graphs only, where `tf.stack` does the same."""
    raise RuntimeError("tf.parallel_stack() is not compatible with eager execution. Use tf.stack().")


def _pack(value: Any, wanted: np.dtype | None) -> Tensor:
    """A (nested) sequence with tensors in it as one tensor, of the dtype wanted or of the first tensor's."""
    return _packed(value, wanted if wanted is not None else _first_dtype(value), wanted is not None)


def _packed(value: Any, dtype: np.dtype, cast: bool) -> Tensor:
    if isinstance(value, (list, tuple)):
        if not len(value):
            return convert_to_tensor([], dtype)
        return _stack(_tensors([_packed(part, dtype, cast) for part in value], "Pack"), 0)
    if isinstance(value, Tensor) or hasattr(type(value), "__tf_tensor__"):
        x = convert_to_tensor(value)
        return TENSORS.cast(x, dtype) if cast and x._value.dtype != dtype else x
    return convert_to_tensor(value, dtype)


def _first_dtype(value: Any) -> Any:
    for part in value:
        if isinstance(part, (list, tuple)):
            found = _first_dtype(part)
        else:
            found = (
                part.dtype.as_numpy_dtype if hasattr(type(part), "__tf_tensor__") or isinstance(part, Tensor) else None
            )
        if found is not None:
            return np.dtype(found)
    return None


set_pack(_pack)

# -- unstack and split -------------------------------------------------------------------------------------------------


def _unstacked(x: Any, axis: int, count: int) -> tuple:
    axis = from_end(axis, len(x.shape))
    return (Abstract((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype),) * count


def _unstack_kernel(xp: Any) -> Any:
    def unstack(x: Any, axis: int, count: int) -> tuple:
        before = (slice(None),) * from_end(axis, x.ndim)
        if not before:
            return tuple([string_element(x[i]) for i in range(count)])
        return tuple([x[(*before, i)] for i in range(count)])

    return unstack


def _unstack_grad(F: Any, parts: list, axis: int, count: int) -> Any:
    if any(g is None for g in parts):
        absent = F.zeros_like(next(g for g in parts if g is not None))
        parts = [absent if g is None else g for g in parts]
    return F.stack(parts, axis)


_unstack = define("unstack", _unstack_kernel, _unstacked, [_unstack_grad], title="Unpack", outputs=0)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """The parts of a tensor along a dimension, each without it.

    Arguments:
        value: a tensor of rank 1 or more.
        num: how many parts there are, where that is to be checked.
        axis: the dimension, which may count from the end.

    Raises ValueError for an axis out of range, InvalidArgumentError where `num` is not the size of the dimension.
    """
    x = convert_to_tensor(value)
    shape = x._value.shape
    rank = len(shape)
    if not -rank <= axis < rank:
        raise ValueError(f"Argument `axis` = {axis} not in range [{-rank}, {rank})")
    axis = from_end(axis, rank)
    if num is not None and shape[axis] not in (num, None):
        raise errors.invalid("Unpack", f"Input shape axis {axis} must equal {num}, got shape {shape_text(shape)}")
    if shape[axis] is None and num is None:
        raise ValueError(f"Cannot infer argument `num` from shape {x.shape}")
    return list(_unstack(x, axis, shape[axis] if num is None else num))


def _split_shapes(x: Any, sizes: tuple, axis: int) -> tuple:
    axis = from_end(axis, len(x.shape))
    return tuple([Abstract((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype) for n in sizes])


def _split_kernel(xp: Any) -> Any:
    def split(x: Any, sizes: tuple, axis: int) -> tuple:
        before = (slice(None),) * from_end(axis, x.ndim)
        return tuple([x[(*before, slice(end - n, end))] for n, end in zip(sizes, accumulate(sizes), strict=True)])

    return split


def _split_grad(F: Any, parts: list, shape: tuple, sizes: tuple, axis: int) -> Any:
    if all(g is not None for g in parts):
        return F.concat(parts, axis)
    axis = from_end(axis, len(shape))
    total = None
    for g, n, end in zip(parts, sizes, accumulate(sizes), strict=True):
        if g is not None:
            term = F.strided_slice_grad(g, shape, shape_slice(end - n, end, axis))
            total = term if total is None else total + term
    return total


_split = define(
    "split",
    _split_kernel,
    _split_shapes,
    [_split_grad],
    saves=lambda *given: (given[0]._value.shape,),
    title="SplitV",
    outputs=0,
)


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """A tensor cut along a dimension: into that many equal parts, or into parts of the sizes given.

    Arguments:
        value: a tensor of rank 1 or more.
        num_or_size_splits: how many parts, or a vector of their sizes, of which one may be -1 for what is left.
        axis: the dimension, which may count from the end.
        num: how many sizes there are, where that is to be checked.

    Raises InvalidArgumentError for sizes that do not add up, an axis out of range, or a number of parts that does not
    divide the dimension; ValueError for a 0-d tensor or a float in place of the number.
    """
    x = convert_to_tensor(value)
    shape = x._value.shape
    count = isinstance(num_or_size_splits, (int, np.integer)) and not isinstance(num_or_size_splits, bool)
    title = "Split" if count else "SplitV"
    at, rank = static_int(axis, title), len(shape)
    if not -rank <= at < rank:
        raise errors.invalid(title, f"-input rank(-{rank}) <= split_dim < input rank ({rank}), but got {at}")
    at = from_end(at, rank)
    if count:
        n = int(num_or_size_splits)
        if n < 1:
            raise errors.invalid(title, f"Value for attr 'num_split' of {n} must be at least minimum 1")
        if type(shape[at]) is not int:
            return _equal_parts(x, n, at)
        if shape[at] % n:
            raise errors.invalid(
                title,
                "Number of ways to split should evenly divide the split dimension, but got split_dim "
                f"{at} (size = {shape[at]}) and num_split {n}",
            )
        return list(_split(x, (shape[at] // n,) * n, at))
    if type(shape[at]) is not int:
        return _parts_of_sizes(x, num_or_size_splits, at, num)
    return list(_split(x, _split_sizes(num_or_size_splits, num, shape[at]), at))


def _parts_kind(x: Tensor, sizes: Any, axis: int) -> list[Abstract]:
    shape = shape_of(x)
    return [
        Abstract((*shape[:axis], n if type(n) is int and n >= 0 else None, *shape[axis + 1 :]), x._value.dtype)
        for n in sizes
    ]


@deferred(lambda x, n, axis: _parts_kind(x, [None] * n, axis))
def _equal_parts(x: Tensor, n: int, axis: int) -> list[Tensor]:
    return split(x, n, axis)


@deferred(
    lambda x, sizes, axis, num: _parts_kind(
        x, sizes if isinstance(sizes, (list, tuple)) else shape_of(sizes) and [None] * shape_of(sizes)[0], axis
    )
)
def _parts_of_sizes(x: Tensor, sizes: Any, axis: int, num: int | None) -> list[Tensor]:
    return split(x, sizes, axis, num)


def _split_sizes(given: Any, num: int | None, size: int) -> tuple[int, ...]:
    if isinstance(given, (float, bool)) or isinstance(given, (Tensor, np.ndarray)) and given.shape == ():
        raise ValueError(
            f"Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: {given}"
        )
    sizes = static_array(given, "SplitV", "Tlen")
    if sizes.ndim != 1 or num is not None and num != sizes.size:
        raise errors.invalid(
            "SplitV",
            f"size of the split_tensor must be 1-D and have the same elements as outputs got {sizes.ndim} -D and "
            f"{sizes.size} elements" + ("" if num is None else f" for num = {num}"),
        )
    out = sizes.tolist()
    if not out:
        raise errors.invalid("SplitV", "Value for attr 'num_split' of 0 must be at least minimum 1")
    if out.count(-1) > 1:
        raise errors.invalid("SplitV", "There can only be one -1 in the input.")
    for i, n in enumerate(out):
        if n < -1:
            raise errors.invalid("SplitV", f"Split size at index {i} must be >= 0. Got: {n}")
    known = sum(n for n in out if n != -1)
    if known > size or known != size and -1 not in out:
        raise errors.invalid(
            "SplitV",
            f"the sizes {out} add up to {known}, the dimension to split has {size}: they must be equal, or with a -1 "
            "among the sizes not more",
        )
    return tuple([size - known if n == -1 else n for n in out])
