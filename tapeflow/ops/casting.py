"""From one dtype to another: casting, casting without overflow, and the same bits seen as another type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import NUMBERS, as_dtype, is_differentiable, numpy_dtype, short_name
from ..core.elementwise import refused_dtype
from ..core.indexed_slices import IndexedSlices
from ..core.op import OPS, TENSORS, define
from ..core.tensor import Tensor, wrap

# -- cast --------------------------------------------------------------------------------------------------------------


def _cast(xp: Any) -> Callable:
    def cast(x: Any, dtype: np.dtype) -> Any:
        kind = x.dtype.kind
        if kind == "c" and dtype.kind != "c":
            x = x.real
            kind = "f"
        if dtype.kind in "iu" and kind in "fV" and xp is np:
            return _float_to_int(x, dtype)
        return x.astype(dtype)

    return cast


_THROUGH: dict[Any, np.dtype] = {("i", 1): np.dtype("int32"), ("i", 2): np.dtype("int32"), ("u", 1): np.dtype("int32")}
_THROUGH |= {("u", 2): np.dtype("int32"), ("u", 4): np.dtype("int64")}
_INT64, _FLOAT32 = np.dtype("int64"), np.dtype("float32")


def _float_to_int(x: Any, dtype: np.dtype) -> Any:
    """Truncates; small and unsigned types wrap as TensorFlow's do on x86, NaN and what is too large is the minimum."""
    if x.dtype.kind == "V":
        x = x.astype(_FLOAT32)
    if dtype.kind == "u" and dtype.itemsize == 8:
        # what int64 does not hold goes through it 2^63 lower
        half = x.dtype.type(2.0**63)
        upper = x >= half
        if upper.any():
            top = dtype.type(1 << 63)
            high = np.where(x >= 2 * half, top, (x - half).astype(_INT64).astype(dtype) ^ top)
            return np.where(upper, high, x.astype(_INT64).astype(dtype))[()]
        return x.astype(_INT64).astype(dtype)
    through = _THROUGH.get((dtype.kind, dtype.itemsize))
    return x.astype(dtype) if through is None else x.astype(through).astype(dtype)


def _cast_shape(x: Any, dtype: np.dtype) -> Abstract:
    if (x.dtype.kind == "O") != (dtype.kind == "O"):
        way = "to_number reads" if x.dtype.kind == "O" else "as_string writes"
        message = f"Cast {short_name(x.dtype)} to {short_name(dtype)} is not supported; tf.strings.{way} numbers"
        raise errors.failed(errors.UnimplementedError, "Cast", message)
    return Abstract(x.shape, dtype)


_to_dtype = define(
    "cast",
    _cast,
    _cast_shape,
    [lambda F, g, of, to: F.cast(g, of) if is_differentiable(of) else None],
    saves=lambda x, out, dtype: (x._value.dtype,),
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The values in another dtype.

    Arguments:
        x: a tensor, variable, IndexedSlices, or what can be one; of any shape.
        dtype: the dtype wanted. Floats become ints by truncation, complex numbers lose their imaginary part.

    Raises UnimplementedError between strings and numbers, TypeError for what is no dtype. Differentiable between
    floating and complex types.
    """
    to = numpy_dtype(dtype)
    if type(x) is not Tensor:
        if isinstance(x, IndexedSlices):
            return IndexedSlices(cast(x.values, to), x.indices, x.dense_shape)
        x = convert_to_tensor(x)
    have = x._value.dtype
    if have is to or have == to:
        return x
    if have.kind == "O" or to.kind == "O":
        _cast_shape(x._value, to)
    return _to_dtype(x, to)


# -- without overflow --------------------------------------------------------------------------------------------------


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The values in another dtype, those that it cannot hold replaced by the nearest that it can.

    Real and imaginary parts are held to the range each by itself. Raises TypeError for bools and strings.
    """
    value = convert_to_tensor(value)
    to = as_dtype(dtype)
    if value.dtype.is_complex:
        if not to.is_complex:
            return saturate_cast(TENSORS.real(value), to)  # type: ignore[attr-defined]
        if to.real_dtype.size < value.dtype.real_dtype.size:
            parts = (TENSORS.real(value), TENSORS.imag(value))  # type: ignore[attr-defined]
            return TENSORS.complex(*[saturate_cast(part, to.real_dtype) for part in parts])  # type: ignore[attr-defined]
        return cast(value, to)
    within = to.real_dtype
    for kind in (value.dtype, within):
        if kind.is_bool or not kind.is_numeric:
            raise TypeError(f"Cannot find minimum value of {kind}: tf.saturate_cast is for numbers.")
    if within.min > value.dtype.min:
        value = TENSORS.maximum(value, wrap(_inside(within.min, value._value.dtype)))  # type: ignore[attr-defined]
    if within.max < value.dtype.max:
        value = TENSORS.minimum(value, wrap(_inside(within.max, value._value.dtype)))  # type: ignore[attr-defined]
    return cast(value, to)


def _inside(limit: Any, dtype: np.dtype) -> Any:
    """The number of the dtype nearest to the limit of a range, on its inner side."""
    bound = dtype.type(limit)
    return np.nextafter(bound, dtype.type(0)) if abs(bound.item()) > abs(limit) else bound


# -- bits --------------------------------------------------------------------------------------------------------------


def _bitcast(xp: Any) -> Callable:
    def bitcast(x: Any, dtype: np.dtype) -> Any:
        have, size = x.dtype.itemsize, dtype.itemsize
        if have > size:
            return np.ascontiguousarray(x).reshape(*x.shape, 1).view(dtype)
        bits = np.ascontiguousarray(x).view(dtype)
        return bits.reshape(x.shape if have == size else x.shape[:-1])

    return bitcast


def _bitcasted(x: Any, dtype: np.dtype) -> Abstract:
    for kind in (x.dtype, dtype):
        if kind not in NUMBERS:
            raise refused_dtype(OPS["bitcast"], kind, NUMBERS)
    have, size = x.dtype.itemsize, dtype.itemsize
    if x.shape is None:
        return Abstract(None, dtype)
    if have == size:
        return Abstract(x.shape, dtype)
    if have > size:
        return Abstract((*x.shape, have // size), dtype)
    if not x.shape or x.shape[-1] not in (None, size // have):
        raise errors.invalid(
            "Bitcast",
            f"Cannot bitcast from {short_name(x.dtype)}{list(x.shape)} to {short_name(dtype)}: "
            f"the last dimension must be {size // have}",
        )
    return Abstract(x.shape[:-1], dtype)


_bits_as = define("bitcast", _bitcast, _bitcasted)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The same bits as another type of number. No gradient.

    Into a smaller type, elements become a new last dimension; into a larger one, the last dimension becomes an element.
    Raises InvalidArgumentError for bools and strings, and for a last dimension that does not fit.
    """
    input = convert_to_tensor(input)
    to = numpy_dtype(type)
    _bitcasted(input._value, to)
    return _bits_as(input, to)
