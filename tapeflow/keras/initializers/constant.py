"""Initializers without chance: zeros, ones, one number or array, the identity matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.dtypes import numpy_dtype
from ...core.tensor import Tensor, flat, wrap
from ..settings import floatx
from .initializer import Initializer


class Constant(Initializer):
    """`value` everywhere; an array is broadcast to the shape. Raises ValueError where it does not."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        value = np.asarray(self.value).astype(numpy_dtype(dtype or floatx()))
        return wrap(flat(np.broadcast_to(value, tuple(shape)).copy()))

    def get_config(self) -> dict:
        return {"value": np.asarray(self.value).tolist()}


class Zeros(Initializer):
    """Zeros; strings cannot be had."""

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        return wrap(flat(np.zeros(tuple(shape), numpy_dtype(dtype or floatx()))))


class Ones(Initializer):
    """Ones; strings cannot be had."""

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        return wrap(flat(np.ones(tuple(shape), numpy_dtype(dtype or floatx()))))


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zeros elsewhere. Raises ValueError for shapes that are no matrix's."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        if len(shape) != 2:
            raise ValueError(f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape}")
        return wrap((self.gain * np.eye(shape[0], shape[1])).astype(numpy_dtype(dtype or floatx())))

    def get_config(self) -> dict:
        return {"gain": self.gain}
