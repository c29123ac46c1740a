"""`tf.keras`: layers, models, losses, metrics and optimizers. Its parts load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "3.15.1"  # the Keras whose behaviour this follows

_MODULES = frozenset(
    (
        "activations",
        "backend",
        "constraints",
        "datasets",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
        "optimizers",
        "random",
        "regularizers",
        "utils",
    )
)
_NAMES = {
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "layers.keras_tensor",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "variable",
}
__all__ = [*sorted(_MODULES), *_NAMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _NAMES:
        value = globals()[name] = getattr(import_module(f".{_NAMES[name]}", __name__), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
