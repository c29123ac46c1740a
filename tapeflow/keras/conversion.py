"""From what users pass to Keras to tensors of the float type wanted: here values are cast, where ops would refuse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable, numpy_dtype
from ..core.tensor import Tensor, flat, ndarray, wrap
from ..core.variable import Variable
from ..ops.casting import cast
from .settings import floatx

_INT32, _INT64 = np.dtype("int32"), np.dtype("int64")


def converted(value: Any, dtype: np.dtype) -> Tensor:
    """The value as a tensor of this dtype, cast where it has another."""
    kind = type(value)
    if kind is Tensor:
        return value if value._value.dtype is dtype else cast(value, dtype)
    if kind is ndarray and value.dtype.kind in "fiub":
        return wrap(flat(value.astype(dtype)))
    return cast(convert_to_tensor(value), dtype)


def predicted(y_pred: Any) -> Tensor:
    """Predictions as a tensor of their own float type; the default one for integers."""
    if type(y_pred) is not Tensor:
        y_pred = convert_to_tensor(y_pred)
    return y_pred if is_differentiable(y_pred._value.dtype) else cast(y_pred, floatx())


def class_numbers(value: Any) -> Tensor:
    """Numbers of classes as a tensor of int32 or int64; others are cast to int64."""
    if type(value) is ndarray and value.dtype.kind in "iufb":
        return wrap(flat(value.astype(_INT64)))
    tensor = convert_to_tensor(value)
    return tensor if tensor._value.dtype in (_INT32, _INT64) else cast(tensor, _INT64)


def of_default_float(x: Any, dtype: np.dtype) -> Any:
    """A layer's input: floats of another type cast to its own, everything else as it is.

    NumPy arrays and lists of numbers become tensors.
    """
    kind = type(x)
    if kind is ndarray:
        return wrap(flat(x.astype(dtype))) if x.dtype.kind == "f" else convert_to_tensor(x)
    if isinstance(x, (Tensor, Variable)):
        tensor = x if isinstance(x, Tensor) else x.read_value()
    elif hasattr(x, "__array__") or isinstance(x, (list, tuple)):
        tensor = convert_to_tensor(x)
    else:
        return x
    have = tensor._value.dtype
    return cast(tensor, dtype) if have is not dtype and is_differentiable(have) and have.kind != "c" else tensor


def float_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype of a `dtype` argument; the default float type for None. Configurations are understood."""
    if isinstance(dtype, dict):
        dtype = dtype["config"]["name"]
    return numpy_dtype(floatx() if dtype is None else getattr(dtype, "name", dtype))
