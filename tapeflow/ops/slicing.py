"""Slices: `x[...]` in all its forms, `tf.slice` and `tf.strided_slice`, all of them one op.

That op's attribute is a spec: a tuple with, in the order of the dimensions, an int (take that one and drop the
dimension), `(start, stop, step)` as in a Python slice, None (a new dimension of 1) and at most one Ellipsis. It means
what it means to NumPy, which is what TensorFlow means by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.size import Size, has_sizes, size_of
from ..core.tensor import Tensor, ndarray
from ..core.variable import Variable
from .deferring import deferred
from .statics import refused_integer, static_array

WHOLE = (None, None, None)


def string_element(value: Any) -> Any:
    """What indexing gave, as tensors hold it: one string of an array of strings comes out of it bare."""
    if type(value) is bytes:
        out = np.empty((), object)
        out[()] = value
        return out
    return value


# -- the op ------------------------------------------------------------------------------------------------------------


def numpy_index(spec: tuple) -> Any:
    """The spec as what goes between an array's brackets."""
    if len(spec) == 1:
        only = spec[0]
        return slice(*only) if type(only) is tuple else only
    return tuple([slice(*part) if type(part) is tuple else part for part in spec])


def _sliced(x: Any, spec: tuple) -> Abstract:
    shape = x.shape
    if spec.count(Ellipsis) > 1:
        raise errors.invalid("StridedSlice", "Multiple ellipses in slice spec not allowed")
    used = sum(part is not None and part is not Ellipsis for part in spec)
    if shape is None:
        return Abstract(None, x.dtype)
    if used > len(shape):
        if not shape:
            raise errors.invalid("StridedSlice", "Attempting to slice scalar input.")
        raise errors.invalid(
            "StridedSlice", f"Index out of range using input dim {len(shape)}; input has only {len(shape)} dims"
        )
    out: list[int | None] = []
    rest = iter(enumerate(shape))
    for part in spec:
        if part is None:
            out.append(1)
        elif part is Ellipsis:
            out += [next(rest)[1] for _ in range(len(shape) - used)]
        elif type(part) is tuple:
            axis, size = next(rest)
            if part[2] == 0:
                raise errors.invalid("StridedSlice", f"strides[{axis}] must be non-zero")
            if has_sizes(part) or size is None and part != WHOLE:
                out.append(None)
            else:
                out.append(size and len(range(*slice(*part).indices(size))))
        else:
            axis, size = next(rest)
            if size is not None and not -size <= part < size:
                raise errors.invalid(
                    "StridedSlice",
                    f"slice index {part} of dimension {axis} out of bounds: its size is {size}, in {shape_text(shape)}",
                )
    return Abstract((*out, *[size for _, size in rest]), x.dtype)


strided_slice_of = define(
    "strided_slice",
    lambda xp: lambda x, spec: string_element(x[numpy_index(spec)]),
    _sliced,
    [lambda F, g, shape, spec: F.strided_slice_grad(g, shape, spec)],
    saves=lambda x, out, spec: (x._value.shape,),
)


def _put_back(xp: Any) -> Any:
    def put_back(g: Any, shape: tuple, spec: tuple) -> Any:
        out = xp.zeros(shape, g.dtype)
        if xp is not np:
            return out.at[numpy_index(spec)].set(g)
        out[numpy_index(spec) if shape else ()] = g if shape else g.reshape(())
        return out

    return put_back


define(
    "strided_slice_grad",
    _put_back,
    lambda g, shape, spec: Abstract(shape, g.dtype),
    [lambda F, g, shape, spec: F.strided_slice(g, spec)],
)

# -- x[...] ------------------------------------------------------------------------------------------------------------


def getitem(x: Any, key: Any) -> Any:
    """`x[key]` for a tensor: integers, slices, None and Ellipsis, alone or in a tuple or list, or a mask of bools.

    Integers may be NumPy's, or 0-d tensors or variables of int16, int32 or int64.

    Raises InvalidArgumentError for an index out of range or too many of them, TypeError for what is no index (lists of
    positions among them: tf.gather takes those), ValueError for a mask of another shape.
    """
    if type(key) is int:
        return strided_slice_of(x, (key,))
    if type(key) is slice:
        return strided_slice_of(x, (_range(key),))
    if _is_mask(key):
        return TENSORS.boolean_mask(x, key)
    return strided_slice_of(x, spec_of(key))


def spec_of(key: Any) -> tuple:
    """The spec of what stands between brackets, masks excepted. Raises TypeError for what is no index."""
    if type(key) is not tuple and type(key) is not list:
        return (_part(key),)
    return tuple([_part(part) for part in key])


def _is_mask(key: Any) -> bool:
    if isinstance(key, (Tensor, Variable)):
        return key.dtype.is_bool
    return type(key) is bool or isinstance(key, ndarray) and key.dtype.kind == "b"


def _part(part: Any) -> Any:
    if type(part) is int or part is None or part is Ellipsis:
        return part
    if type(part) is slice:
        return _range(part)
    if type(part) is bool:
        raise refused_integer(np.dtype(bool), "StridedSlice", "Index", "int16, int32, int64")
    return _whole_number(part)


def _range(part: slice) -> tuple:
    start, stop, step = part.start, part.stop, part.step
    return (
        start if start is None or type(start) is int else _whole_number(start),
        stop if stop is None or type(stop) is int else _whole_number(stop),
        step if step is None or type(step) is int else _whole_number(step),
    )


def _whole_number(part: Any) -> Any:
    if isinstance(part, (np.integer, ndarray)):
        value = part
    elif type(part) is Size:
        return part
    elif isinstance(part, (Tensor, Variable)):
        part = convert_to_tensor(part)
        value = part._value
    else:
        value = None
    if (
        value is None
        or value.ndim
        or value.dtype.kind not in "iu"
        or value is not part
        and value.dtype.name not in _INDICES
    ):
        hint = ""
        if isinstance(part, (list, Tensor, ndarray)):
            hint = ". To take several positions, use tf.gather or tf.gather_nd; to take by a condition, a mask of bools"
        raise TypeError(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors "
            f"are valid indices, got {part!r}{hint}"
        )
    return size_of(part) if isinstance(value, Abstract) else int(value)


_INDICES = ("int16", "int32", "int64")

# -- as functions ------------------------------------------------------------------------------------------------------


def _slice_kind(input_: Any, begin: Any, size: Any, name: str | None = None) -> Abstract:
    x = convert_to_tensor(input_)._value
    sizes = size if isinstance(size, (list, tuple)) else [None] * len(x.shape)
    return Abstract(tuple([n if type(n) is int and n >= 0 else None for n in sizes]), x.dtype)


@deferred(_slice_kind, values=("begin", "size"))
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of a tensor that begins at `begin` and has shape `size`; -1 in `size` means up to the end.

    Arguments:
        input_: a tensor of any rank.
        begin, size: one integer for each of its dimensions.

    Raises InvalidArgumentError for a part that does not lie within the tensor.
    """
    x = convert_to_tensor(input_)
    begin, size = static_array(begin, "Slice", "Index"), static_array(size, "Slice", "Index")
    shape = x._value.shape
    rank = len(shape)
    if begin.shape != (rank,) or size.shape != (rank,):
        raise errors.invalid(
            "Slice",
            f"Expected begin and size arguments to be 1-D tensors of size {rank}, but got shapes "
            f"{shape_text(begin.shape)} and {shape_text(size.shape)} instead.",
        )
    spec = []
    for i, (first, count, have) in enumerate(zip(begin.tolist(), size.tolist(), shape, strict=True)):
        if have is not None and not 0 <= first <= have:
            raise errors.invalid("Slice", f"Expected begin[{i}] in [0, {have}], but got {first}")
        if count < -1 or have is not None and count > have - first:
            left = "its size" if have is None else have - first
            raise errors.invalid("Slice", f"Expected size[{i}] in [0, {left}], but got {count}")
        spec.append((first, None if count == -1 else first + count, None))
    return strided_slice_of(x, tuple(spec))


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """The part of a tensor from `begin` up to `end` in steps of `strides`, one entry a dimension.

    Arguments:
        input_: a tensor of any rank.
        begin, end: vectors of integers, of one length, which may be less than the rank.
        strides: a vector of that length; ones by default.
        begin_mask, end_mask: bit i set: entry i of `begin` or `end` does not count, the range is open there.
        ellipsis_mask: bit i set: entry i stands for as many dimensions as are left over.
        new_axis_mask: bit i set: entry i is a new dimension of size 1.
        shrink_axis_mask: bit i set: entry i takes the one position `begin[i]` and drops the dimension.
        var: a variable the result belongs to, so that it can be assigned to; None otherwise.

    Raises InvalidArgumentError for vectors of different lengths, a stride of 0 and positions out of range.
    """
    first, last = static_array(begin, "StridedSlice", "Index"), static_array(end, "StridedSlice", "Index")
    step = np.ones_like(first) if strides is None else static_array(strides, "StridedSlice", "Index")
    if first.ndim != 1 or first.shape != last.shape or first.shape != step.shape:
        raise errors.invalid(
            "StridedSlice",
            "Expected begin, end, and strides to be 1D equal size tensors, but got shapes "
            f"{shape_text(first.shape)}, {shape_text(last.shape)}, and {shape_text(step.shape)} instead.",
        )
    spec: list[Any] = []
    for i, (a, b, c) in enumerate(zip(first.tolist(), last.tolist(), step.tolist(), strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            spec.append(Ellipsis)
        elif new_axis_mask & bit:
            spec.append(None)
        elif shrink_axis_mask & bit:
            if c <= 0:
                raise errors.invalid("StridedSlice", f"only stride 1 allowed on non-range indexing, not {c}")
            spec.append(a)
        else:
            spec.append((None if begin_mask & bit else a, None if end_mask & bit else b, c))
    if var is not None:
        return var[tuple([slice(*part) if type(part) is tuple else part for part in spec])]
    return strided_slice_of(convert_to_tensor(input_), tuple(spec))


def shape_slice(start: int, stop: int, axis: int) -> tuple:
    """The spec that takes `start:stop` of one axis, counted from the front, and everything of those before it."""
    return (WHOLE,) * axis + ((start, stop, None),)
