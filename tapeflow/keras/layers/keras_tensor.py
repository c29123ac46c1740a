"""`KerasTensor`: the shape and dtype of a model's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.dtypes import as_dtype
from ..naming import unique_name


class KerasTensor:
    """A tensor of known shape and dtype without a value: what `tf.keras.Input` gives.

    It may stand first in a `Sequential`. Layers cannot be called with it.
    """

    def __init__(self, shape: Sequence[int | None], dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = tuple(shape)
        self.dtype = as_dtype(dtype).name
        self.name = name or unique_name("KerasTensor")

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def unsupported(self, layer: Any) -> Exception:
        """The error of a layer that is called with it."""
        return TypeError(
            f"The layer '{layer.name}' was called with a keras.Input: functional models are not supported yet. Use "
            "tf.keras.Sequential, or a subclass of tf.keras.Model whose call() names the layers in turn."
        )

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"
