"""`tf.keras.models`: layers that are whole programs."""

from __future__ import annotations

from .model import Functional, Model
from .sequential import Sequential

KNOWN = {"Functional": Functional, "Model": Model, "Sequential": Sequential}

__all__ = ["Model", "Sequential"]
