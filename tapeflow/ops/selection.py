"""Elements chosen or held to a range: `where`, and clipping by value and by norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import FLOATS, NUMBERS_BOOL
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.indexed_slices import IndexedSlices
from ..core.op import OPS, TENSORS, define
from ..core.shapes import broadcast_shapes, shape_text
from ..core.tensor import Tensor, wrap
from .arithmetic import divide, like, maximum, minimum, multiply, one, subtract, zero
from .casting import cast
from .elementary import sqrt

# -- where -------------------------------------------------------------------------------------------------------------


def _selected(condition: Any, x: Any, y: Any) -> Abstract:
    if condition.dtype.kind != "b":
        raise errors.invalid(
            "SelectV2", f"the condition of tf.where is a bool tensor, not {condition.dtype.name}; tf.cast or compare it"
        )
    if x.dtype != y.dtype:
        raise mixed_dtypes(OPS["where"], x.dtype, y.dtype)
    try:
        return Abstract(broadcast_shapes(condition.shape, x.shape, y.shape), x.dtype)
    except errors.InvalidArgumentError:
        raise errors.invalid(
            "SelectV2",
            f"condition {shape_text(condition.shape)}, then {shape_text(x.shape)}, and else {shape_text(y.shape)} "
            "must be broadcastable",
        ) from None


_select = define(
    "where",
    lambda xp: xp.where,
    _selected,
    [
        None,
        lambda F, g, c, x, y: F.sum_to(F.where(c, g, like(F, zero, g)), x),
        lambda F, g, c, x, y: F.sum_to(F.where(c, like(F, zero, g), g), y),
    ],
    saves=lambda c, x, y, out: (c, x._value.shape, y._value.shape),
    inputs=3,
    title="SelectV2",
)
_where_indices = define(
    "where_indices",
    lambda xp: xp.argwhere,
    lambda x: Abstract((None, None if x.shape is None else len(x.shape)), np.dtype("int64")),
    title="Where",
)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """The elements of x where the condition holds and of y where not, the three broadcast to one shape.

    With the condition alone (bools or numbers, of rank 1 or more): the indices of what is true or not 0, int64
    [n, rank], in row-major order.

    Raises ValueError for one of x and y alone, InvalidArgumentError for shapes or dtypes that do not fit.
    """
    if x is None and y is None:
        condition = convert_to_tensor(condition)
        value = condition._value
        if value.dtype not in NUMBERS_BOOL:
            raise refused_dtype(OPS["where_indices"], value.dtype, NUMBERS_BOOL)
        if not len(value.shape):
            raise errors.invalid("Where", "tf.where of a 0-d tensor alone has no indices; give x and y, or a vector")
        return _where_indices(condition)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    if type(condition) is not Tensor:
        condition = convert_to_tensor(condition, None if hasattr(condition, "dtype") else "bool")
    if type(x) is not Tensor or type(y) is not Tensor:
        if isinstance(y, Tensor) and not isinstance(x, Tensor):
            x = convert_like(x, y._value.dtype)
        x = convert_to_tensor(x)
        y = convert_like(y, x._value.dtype)
    if condition._value.dtype.kind != "b" or x._value.dtype != y._value.dtype:
        _selected(condition._value, x._value, y._value)
    return _select(condition, x, y)


# -- clipping by value -------------------------------------------------------------------------------------------------


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """The values held to [clip_value_min, clip_value_max], which broadcast to the shape of `t` (or of its slices).

    Where a value is at or within the limits the gradient goes to it, elsewhere to the limit. Raises ValueError for
    limits that would make the shape larger, InvalidArgumentError for shapes and dtypes that do not fit.
    """
    if isinstance(t, IndexedSlices):
        return IndexedSlices(clip_by_value(t.values, clip_value_min, clip_value_max), t.indices, t.dense_shape)
    if type(t) is not Tensor:
        t = convert_to_tensor(t)
    below = minimum(t, clip_value_max)
    _check_shape(t, below)
    clipped = maximum(below, clip_value_min)
    _check_shape(t, clipped)
    return clipped


def _check_shape(t: Tensor, clipped: Tensor) -> None:
    if t._value.shape != clipped._value.shape:
        raise ValueError(
            f"Shapes {t._value.shape} and {clipped._value.shape} are incompatible: the limits must broadcast to the "
            "shape of the values"
        )


# -- clipping by norm --------------------------------------------------------------------------------------------------


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """The values scaled down so that their L2 norm over `axes` (all by default) is at most `clip_norm`.

    Takes tensors and IndexedSlices of floats; a norm below 0 counts as 0. Raises InvalidArgumentError for others, and
    for axes that are not there.
    """
    if isinstance(t, IndexedSlices):
        return IndexedSlices(clip_by_norm(t.values, clip_norm, axes), t.indices, t.dense_shape)
    t = convert_to_tensor(t)
    from .reduction import reduce_sum

    squares = reduce_sum(multiply(t, t), axes, True)
    # the root of 0 has no derivative, so it is taken of 1 there
    some = TENSORS.not_equal(squares, wrap(zero(squares.dtype)))  # type: ignore[attr-defined]
    norm = _select(some, sqrt(_select(some, squares, wrap(one(squares.dtype)))), squares)
    highest = maximum(cast(clip_norm, t.dtype), wrap(zero(t.dtype)))
    return divide(multiply(t, highest), maximum(norm, highest))


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """The values scaled down so that their L2 norm divided by their number is at most `clip_norm`."""
    from .reduction import reduce_sum

    t = convert_to_tensor(t)
    size = np.asarray(t._value.size).astype(t._value.dtype)[()]
    inverse = multiply(TENSORS.rsqrt(reduce_sum(multiply(t, t))), wrap(size))  # type: ignore[attr-defined]
    return multiply(multiply(t, clip_norm), minimum(inverse, divide(wrap(one(t.dtype)), clip_norm)))


def _norm(xp: Any) -> Callable:
    def global_norm(values: Sequence) -> Any:
        total = zero(values[0].dtype)
        for x in values:
            x = x.reshape(-1)
            total = total + xp.dot(x, x)
        return xp.sqrt(total)

    return global_norm


def _norm_shape(values: Sequence) -> Abstract:
    first = values[0].dtype
    for x in values:
        if x.dtype not in FLOATS:
            raise refused_dtype(OPS["global_norm"], x.dtype, FLOATS)
        if x.dtype != first:
            raise mixed_dtypes(OPS["global_norm"], first, x.dtype)
    return Abstract((), first)


def _norm_grad(F: Any, g: Any, needs: Sequence, norm: Any, *values: Any) -> list:
    scale = g / norm
    return [scale * x if need else None for x, need in zip(values, needs)]


_global_norm = define(
    "global_norm",
    _norm,
    _norm_shape,
    _norm_grad,
    saves=lambda *values_out: (values_out[-1], *values_out[:-1]),
    inputs=None,
    title="L2Loss",
)


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The L2 norm of all elements of a sequence of tensors, IndexedSlices and None: sqrt(sum of all squares).

    Raises TypeError for what is no sequence, InvalidArgumentError for dtypes that are not floats or differ.
    """
    values = [v for v in _tensors(t_list) if v is not None]
    if not values:
        return wrap(np.float32(0))
    _norm_shape([v._value for v in values])
    return _global_norm(values)


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list, Tensor]:
    """All tensors of a sequence scaled by one factor, so that their global norm is at most `clip_norm`.

    Arguments:
        t_list: tensors, IndexedSlices and None, which stays None.
        clip_norm: 0-d, the norm not to exceed.
        use_norm: the global norm, where it is known already.

    Returns (the list of clipped tensors, the global norm before). An infinite norm makes all elements NaN. Raises as
    `global_norm` does.
    """
    values = _tensors(t_list)
    norm = global_norm(t_list) if use_norm is None else convert_to_tensor(use_norm)
    unit = wrap(one(norm.dtype))
    scale = multiply(clip_norm, minimum(divide(unit, norm), divide(unit, clip_norm)))
    scale = TENSORS.add(scale, subtract(norm, norm))  # type: ignore[attr-defined] # 0, but NaN for an infinite norm
    clipped = [None if v is None else multiply(v, scale) for v in values]
    return [
        IndexedSlices(c, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else c
        for t, c in zip(t_list, clipped)
    ], norm


def _tensors(t_list: Any) -> list[Tensor | None]:
    """The values of a sequence of tensors, IndexedSlices and None."""
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return [None if t is None else t.values if isinstance(t, IndexedSlices) else convert_to_tensor(t) for t in t_list]
