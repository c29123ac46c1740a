"""`tf.keras.utils`: seeds, one-hot arrays, files, and the user's own classes by name."""

from __future__ import annotations

from ..random import set_random_seed
from ..registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from .arrays import normalize, to_categorical
from .files import get_file

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]
