"""How tensors and variables print: TensorFlow's words around NumPy's way of writing arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def value_repr(value: Any) -> str:
    """The value as `repr(tensor)` shows it after `numpy=`; one of several lines begins on a line of its own."""
    if isinstance(value, np.ndarray) and value.ndim:
        return _below(repr(value))
    scalar = value[()] if isinstance(value, np.ndarray) else value
    if isinstance(scalar, bytes):
        return repr(scalar)
    if isinstance(scalar, np.generic):
        # ml_dtypes shortens bfloat16; TensorFlow shows the float that it is
        return repr(float(scalar)) if scalar.dtype.kind == "V" else str(scalar)
    return repr(scalar)


def value_str(value: Any) -> str:
    """The value as `str(tensor)` shows it."""
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    return _below(str(value))


def _below(text: str) -> str:
    return "\n" + text if "\n" in text else text


def tensor_repr(tensor: Any) -> str:
    return f"<tf.Tensor: shape={tensor.shape}, dtype={tensor.dtype.name}, numpy={value_repr(tensor._value)}>"


def tensor_str(tensor: Any) -> str:
    return f"tf.Tensor({value_str(tensor._value)}, shape={tensor.shape}, dtype={tensor.dtype.name})"


def variable_repr(variable: Any) -> str:
    return (
        f"<tf.Variable '{variable.name}' shape={variable.shape} dtype={variable.dtype.name}, "
        f"numpy={value_repr(variable._tensor._value)}>"
    )
