"""`tf.keras.constraints`: what optimizers do to a weight after each update, so that it stays in a set."""

from __future__ import annotations

from typing import Any

from ..core.convert import convert_to_tensor
from ..core.tensor import Tensor
from ..ops.arithmetic import maximum, square
from ..ops.elementary import sqrt
from ..ops.reduction import reduce_sum
from ..ops.selection import clip_by_value
from .naming import snake_case
from .registry import resolve
from .registry import serialize as _serialize
from .settings import epsilon

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip


class Constraint:
    """A function from a weight to the weight that takes its place. Subclasses define `__call__(w)`."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict:
        """The arguments to make the same constraint again: by default the attributes."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict) -> Constraint:
        return cls(**config)


class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w: Any) -> Tensor:
        return maximum(convert_to_tensor(w), 0.0)


class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`. Source: Srivastava et al., Dropout (2014), section 5.1."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = convert_to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (clip_by_value(norms, 0.0, float(self.max_value)) / (norms + epsilon()))


class UnitNorm(Constraint):
    """Norms along `axis` of 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = convert_to_tensor(w)
        return w / (_norms(w, self.axis) + epsilon())


class MinMaxNorm(Constraint):
    """Norms along `axis` between `min_value` and `max_value`, or a part `rate` of the way there."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = convert_to_tensor(w)
        norms = _norms(w, self.axis)
        wanted = clip_by_value(norms, float(self.min_value), float(self.max_value))
        return w * ((wanted * self.rate + norms * (1 - self.rate)) / (norms + epsilon()))


def _norms(w: Tensor, axis: Any) -> Tensor:
    return sqrt(reduce_sum(square(w), axis=axis, keepdims=True))


_CLASSES = (NonNeg, MaxNorm, UnitNorm, MinMaxNorm)
_KNOWN: dict[str, Any] = {c.__name__: c for c in _CLASSES} | {snake_case(c.__name__): c for c in _CLASSES}
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def get(identifier: Any) -> Any:
    """A constraint by name, configuration, class, instance or function; None for None. ValueError for others."""
    return None if identifier is None else resolve(identifier, _KNOWN, "constraint", Constraint)


def serialize(constraint: Any) -> Any:
    """The configuration of a constraint."""
    return _serialize(constraint, "keras.constraints")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The constraint of a configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "constraint", Constraint)
