"""`tf.keras.optimizers`: what makes steps out of gradients."""

from __future__ import annotations

from typing import Any

from ..registry import resolve
from ..registry import serialize as _serialize
from . import schedules
from .adam import Adam, Adamax, AdamW, Nadam
from .adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from .optimizer import Optimizer
from .sgd import SGD

_CLASSES = (SGD, Adam, AdamW, Adamax, Nadam, RMSprop, Adagrad, Adadelta, Ftrl)
_KNOWN: dict[str, Any] = {c.__name__: c for c in _CLASSES} | {c.__name__.lower(): c for c in _CLASSES}

__all__ = [*(c.__name__ for c in _CLASSES), "Optimizer", "deserialize", "get", "schedules", "serialize"]


def get(identifier: Any) -> Any:
    """An optimizer by name, configuration, class or instance. Raises ValueError for others."""
    if isinstance(identifier, dict) and "class_name" not in identifier:
        raise ValueError(f"Could not interpret optimizer identifier: {identifier}")
    known = identifier.lower() if isinstance(identifier, str) and identifier.lower() in _KNOWN else identifier
    return resolve(known, _KNOWN, "optimizer", Optimizer)


def serialize(optimizer: Any) -> Any:
    """The configuration of an optimizer."""
    return _serialize(optimizer, "keras.optimizers")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The optimizer of a configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "optimizer", Optimizer)
