"""`tf.keras.models`: layers that are whole programs."""

from __future__ import annotations

from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential"]
