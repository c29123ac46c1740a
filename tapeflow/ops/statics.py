"""Attributes that users give as numbers, lists, shapes or tensors, made the tuples of ints that ops take."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import int32, short_name
from ..core.shapes import TensorShape, shape_text
from ..core.size import sizes_given
from ..core.tensor import Tensor, ndarray
from ..core.variable import Variable


def static_int(value: Any, title: str, attr: str = "Tidx", what: str = "axis", single: bool = False) -> int:
    """An argument that is one integer, such as an axis; with `single` a vector of one will do.

    Raises InvalidArgumentError for another dtype than int32 and int64 or more than one value, ValueError for None.
    """
    if type(value) is int:
        return value
    array = static_array(value, title, attr)
    if array.size != 1 or array.ndim and not single:
        raise errors.invalid(title, f"{what} must be a scalar, got shape {shape_text(array.shape)}")
    return int(array.reshape(-1)[0])


def static_ints(value: Any, title: str, attr: str = "Tidx", what: str = "axis") -> tuple[int, ...]:
    """An argument that is a vector of integers.

    Raises InvalidArgumentError for another dtype than int32 and int64 or another rank than 1, ValueError for None.
    """
    if type(value) in (tuple, list) and all(type(n) is int for n in value):
        return tuple(value)
    sizes = sizes_given(value)
    if sizes is not None:
        return sizes
    array = static_array(value, title, attr)
    if array.ndim != 1:
        raise errors.invalid(title, f"{what} must be a vector (1-D), got shape {shape_text(array.shape)}")
    return tuple(array.tolist())


def static_array(value: Any, title: str, attr: str = "Tidx") -> np.ndarray:
    """An argument made of integers, of any rank. Raises as `static_ints` does; an empty list counts as integers."""
    if isinstance(value, (list, tuple)) and not value:
        return np.empty(0, np.int32)
    array = np.asarray(convert_to_tensor(value, dtype_hint=int32)._value)
    if array.dtype.name not in ("int32", "int64"):
        raise refused_integer(array.dtype, title, attr)
    return array


def static_shape(shape: Any, op_name: str) -> tuple:
    """A shape argument (list, tuple, TensorShape, tensor, NumPy array, number) as a tuple of ints.

    Raises TypeError for what is not made of integers, InvalidArgumentError for a tensor of floats.
    """
    if type(shape) is tuple or type(shape) is list:
        if all(type(n) is int for n in shape):
            return tuple(shape)
    elif isinstance(shape, TensorShape):
        return tuple(shape.as_list())
    if type(shape) is not ndarray:
        sizes = sizes_given(shape)
        if sizes is not None:
            return sizes
    given = convert_to_tensor(shape, dtype_hint=int32) if not _is_empty(shape) else None
    if given is None:
        return ()
    value = np.asarray(given._value)
    if value.dtype.kind not in "iu":
        if isinstance(shape, Tensor):
            raise errors.invalid(
                op_name,
                f"Value for attr 'Tshape' of {short_name(value.dtype)} is not in the list of allowed values: "
                "int32, int64",
            )
        raise TypeError(
            f"Cannot convert {shape!r} to EagerTensor of dtype int32: the shape of {op_name} is made of ints"
        )
    return tuple(value.reshape(-1).tolist())


def _is_empty(shape: Any) -> bool:
    return isinstance(shape, (list, tuple)) and not shape


def static_shape_vector(shape: Any, title: str) -> tuple[int, ...]:
    """The shape argument of an op that makes a tensor: a vector of ints or one int, none of them negative.

    Raises TypeError for numbers that are no ints, ValueError for an unknown dimension, InvalidArgumentError for a
    tensor of another dtype, for more than one dimension and for negative sizes.
    """
    if type(shape) in (tuple, list) and all(type(n) is int for n in shape):
        dims = tuple(shape)
    else:
        dims = _converted_shape(shape, title)
    for n in dims:
        if n < 0:
            raise errors.invalid(title, f"Dimension {n} must be >= 0; the shape: {list(dims)}")
    return dims


def _converted_shape(shape: Any, title: str) -> tuple[int, ...]:
    if isinstance(shape, TensorShape):
        if not shape.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {shape} to a Tensor.")
        return tuple(shape.as_list())  # type: ignore[arg-type]
    sizes = sizes_given(shape)
    if sizes is not None:
        return sizes
    if isinstance(shape, (list, tuple)):
        if not shape:
            return ()
        if any(n is None for n in shape):
            raise ValueError(f"Attempt to convert a shape with an unknown dimension (None) to a Tensor: {shape}")
    array = np.asarray(convert_to_tensor(shape, dtype_hint=int32)._value)
    if array.dtype.name not in ("int32", "int64"):
        if isinstance(shape, (Tensor, Variable)) or array.dtype.kind in "iub":
            raise refused_integer(array.dtype, title, "index_type")
        raise TypeError(f"Cannot convert {shape!r} to EagerTensor of dtype int32: the shape of {title} is made of ints")
    if array.ndim > 1:
        raise errors.invalid(title, f"dims must represent a vector, got shape {shape_text(array.shape)}")
    return tuple(array.reshape(-1).tolist())


def refused_integer(
    dtype: np.dtype, title: str, attr: str, allowed: str = "int32, int64"
) -> errors.InvalidArgumentError:
    """The error for an argument of a dtype that is none of the integers `allowed`."""
    return errors.invalid(
        title, f"Value for attr '{attr}' of {short_name(dtype)} is not in the list of allowed values: {allowed}"
    )


def from_end(axis: int, rank: int) -> int:
    """An axis counted from the front, for one that may count from the end."""
    return axis + rank if axis < 0 else axis
