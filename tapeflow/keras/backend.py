"""`tf.keras.backend`: Keras's settings, and the few of its functions that are no more than another name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..core.variable import Variable
from ..ops.casting import cast
from .layers.keras_tensor import KerasTensor
from .naming import forget_names, unique_name
from .random import forget_seeds
from .settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

__all__ = [
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "get_value",
    "image_data_format",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_value",
]


def backend() -> str:
    """What Keras computes with, by the name that programs know."""
    return "tensorflow"


def clear_session(free_memory: bool = True) -> None:
    """Forgets what names were given, and the seed of draws without one."""
    forget_names()
    forget_seeds()


def get_uid(prefix: str = "") -> int:
    """How often this was asked for the prefix, counted from 1, together with the names given."""
    name = unique_name(prefix)
    tail = name.rpartition("_")[2]
    return int(tail) + 1 if tail.isdigit() and name != prefix else 1


def cast_to_floatx(x: Any) -> Any:
    """An array or tensor in the default float type."""
    if isinstance(x, (Tensor, Variable)):
        return cast(x, floatx())
    return np.asarray(x, dtype=floatx())


def get_value(x: Any) -> Any:
    """The value of a variable or tensor, as an array."""
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    """`x.assign(value)`, the value cast to the variable's dtype."""
    x.assign(np.asarray(value, dtype=x.dtype.as_numpy_dtype))


def is_keras_tensor(x: Any) -> bool:
    """Whether x is what `tf.keras.Input` gives."""
    return isinstance(x, KerasTensor)
