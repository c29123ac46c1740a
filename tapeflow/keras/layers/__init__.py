"""`tf.keras.layers`: what models are built from."""

from __future__ import annotations

from typing import Any

from ..registry import resolve
from ..registry import serialize as _serialize
from .activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .input_layer import Input, InputLayer
from .input_spec import InputSpec
from .layer import Layer
from .merging import Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract
from .op_layer import OpLayer
from .reshape import Lambda, Permute, Rescaling, Reshape

_CLASSES = (
    Activation, Add, Average, Concatenate, Dense, Dropout, ELU, Flatten, InputLayer, Lambda, LeakyReLU, Maximum,
    Minimum, Multiply, Permute, ReLU, Rescaling, Reshape, Softmax, Subtract,
)  # fmt: skip
_KNOWN: dict[str, Any] = {c.__name__: c for c in (*_CLASSES, OpLayer)}

__all__ = [*[c.__name__ for c in _CLASSES], "Input", "InputSpec", "Layer", "deserialize", "serialize"]


def serialize(layer: Layer) -> Any:
    """The configuration of a layer."""
    return _serialize(layer, "keras.layers")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The layer or model of a configuration, with new variables. Raises ValueError for a class that is not known."""
    from ..models import KNOWN as MODELS

    return resolve(config, _KNOWN | MODELS | (custom_objects or {}), "layer", Layer)
