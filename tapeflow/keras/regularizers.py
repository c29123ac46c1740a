"""`tf.keras.regularizers`: penalties on weights, which join the losses of a layer."""

from __future__ import annotations

import math
from typing import Any

from ..core.convert import convert_to_tensor
from ..core.tensor import Tensor
from ..ops.arithmetic import abs_ as absolute
from ..ops.arithmetic import square
from ..ops.creation import eye
from ..ops.elementary import sqrt
from ..ops.products import matmul
from ..ops.reduction import reduce_sum
from .naming import snake_case
from .registry import resolve
from .registry import serialize as _serialize

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "serialize",
]  # fmt: skip


class Regularizer:
    """A function from a weight to a penalty, a 0-d tensor. Subclasses define `__call__(x)`."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict:
        """The arguments to make the same regularizer again: by default the attributes."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict) -> Regularizer:
        return cls(**config)


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`. Raises ValueError for negative or infinite factors."""

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(l1 or 0.0, "l1")
        self.l2 = _factor(l2 or 0.0, "l2")

    def __call__(self, x: Any) -> Tensor:
        x = convert_to_tensor(x)
        penalty = convert_to_tensor(0.0, x.dtype)
        if self.l1:
            penalty = penalty + reduce_sum(absolute(x)) * self.l1
        if self.l2:
            penalty = penalty + reduce_sum(square(x)) * self.l2
        return penalty


class L1(Regularizer):
    """`l1 * sum(|x|)`. Raises ValueError for a negative or infinite factor."""

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Tensor:
        return reduce_sum(absolute(convert_to_tensor(x))) * self.l1


class L2(Regularizer):
    """`l2 * sum(x**2)`. Raises ValueError for a negative or infinite factor."""

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Tensor:
        return reduce_sum(square(convert_to_tensor(x))) * self.l2


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean magnitude of the cosines between the rows, or the columns, of a matrix.

    Raises ValueError for another `mode`, and when called for what is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}'
            )
        self.factor = _factor(factor, "factor")
        self.mode = mode

    def __call__(self, x: Any) -> Tensor:
        x = convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={x.shape}")
        rows = self.mode == "rows"
        unit = x / sqrt(reduce_sum(square(x), axis=1 if rows else 0, keepdims=True))
        cosines = matmul(unit, unit, transpose_a=not rows, transpose_b=rows)
        count = x.shape[0] if rows else x.shape[1]
        apart = cosines * (1.0 - eye(count, dtype=x.dtype))
        return reduce_sum(absolute(apart)) * (self.factor / (count * (count - 1.0)))


def _factor(value: Any, name: str) -> float:
    if not isinstance(value, (float, int)) or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value!r}"
        )
    return float(value)


_CLASSES = (L1L2, L1, L2, OrthogonalRegularizer)
_KNOWN: dict[str, Any] = {c.__name__: c for c in _CLASSES} | {snake_case(c.__name__): c for c in _CLASSES}
_KNOWN |= {"l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2}
l1, l2 = L1, L2


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """`L1L2(l1, l2)`."""
    return L1L2(l1, l2)


def get(identifier: Any) -> Any:
    """A regularizer by name, configuration, class, instance or function; None for None. ValueError for others."""
    return None if identifier is None else resolve(identifier, _KNOWN, "regularizer", Regularizer)


def serialize(regularizer: Any) -> Any:
    """The configuration of a regularizer."""
    return _serialize(regularizer, "keras.regularizers")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The regularizer of a configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "regularizer", Regularizer)
