"""`tf.keras.initializers`: what variables begin with."""

from __future__ import annotations

from typing import Any

from ..naming import snake_case
from ..registry import resolve
from ..registry import serialize as _serialize
from .constant import Constant, Identity, Ones, Zeros
from .initializer import Initializer
from .random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

_CLASSES = (
    Constant, Identity, Ones, Zeros, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform,
    Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
)  # fmt: skip
_KNOWN: dict[str, Any] = {c.__name__: c for c in _CLASSES} | {snake_case(c.__name__): c for c in _CLASSES}
_KNOWN |= {
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "one": Ones,
    "zero": Zeros,
    "orthogonal_initializer": Orthogonal,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}

constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, orthogonal = LecunNormal, LecunUniform, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]


def get(identifier: Any) -> Any:
    """An initializer by name, configuration, class, instance or function; None for None. ValueError for others."""
    return None if identifier is None else resolve(identifier, _KNOWN, "initializer", Initializer)


def serialize(initializer: Any) -> Any:
    """The configuration of an initializer."""
    return _serialize(initializer, "keras.initializers")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The initializer of a configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "initializer", Initializer)
