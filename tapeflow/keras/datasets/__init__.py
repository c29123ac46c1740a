"""`tf.keras.datasets`: small data sets to try things on."""

from __future__ import annotations

from . import mnist

__all__ = ["mnist"]
