"""What shape a tensor has, as tensors: shape, shape_n, size, rank, and the shape that two shapes broadcast to."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import int32, numpy_dtype, short_name
from ..core.op import define
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor, wrap
from .deferring import deferred, shape_of
from .statics import static_array

_shape = define(
    "shape",
    lambda xp: lambda x, dtype: np.array(x.shape, dtype),
    lambda x, dtype: Abstract((None if x.shape is None else len(x.shape),), dtype),
)
_size = define("size", lambda xp: lambda x, dtype: dtype.type(prod(x.shape)), lambda x, dtype: Abstract((), dtype))
_rank = define("rank", lambda xp: lambda x: np.int32(len(x.shape)), lambda x: Abstract((), np.dtype("int32")))


def _integer(out_type: Any, title: str) -> np.dtype:
    dtype = numpy_dtype(out_type or int32)
    if dtype.name not in ("int32", "int64"):
        raise errors.invalid(
            title,
            f"Value for attr 'out_type' of {short_name(dtype)} is not in the list of allowed values: int32, int64",
        )
    return dtype


def shape(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The shape as a vector of int32, or of `out_type`. Raises InvalidArgumentError for another type than int64."""
    return _shape(convert_to_tensor(input), _integer(out_type, "Shape"))


def shape_n(input: Any, out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors. Raises as `shape` does."""
    return [shape(x, out_type) for x in input]


def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """How many elements the tensor has, as an int32 or of `out_type`, any type of numbers."""
    return _size(convert_to_tensor(input), numpy_dtype(out_type or int32))


def rank(input: Any, name: str | None = None) -> Tensor:
    """How many dimensions the tensor has, an int32."""
    return _rank(convert_to_tensor(input))


def _longer(x: Any, y: Any) -> int | None:
    sizes = (shape_of(x)[0], shape_of(y)[0])
    return None if None in sizes else max(sizes)


@deferred(
    lambda shape_x, shape_y: Abstract((_longer(shape_x, shape_y),), convert_to_tensor(shape_x)._value.dtype),
    values=("shape_x", "shape_y"),
)
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that two shapes, vectors of integers, broadcast to. Raises InvalidArgumentError where they do not."""
    x, y = static_array(shape_x, "BroadcastArgs", "T"), static_array(shape_y, "BroadcastArgs", "T")
    if x.dtype != y.dtype:
        raise errors.invalid("BroadcastArgs", f"shapes must be of one dtype, not {x.dtype.name} and {y.dtype.name}")
    return wrap(np.array(broadcast_shapes(tuple(x.tolist()), tuple(y.tolist()), op_name="BroadcastArgs"), x.dtype))
