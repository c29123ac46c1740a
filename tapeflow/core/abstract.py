"""What is known of a tensor before it has a value: shape and dtype.

Shape rules take anything with `.shape` (a tuple, dimensions not known being None, or None where the rank is not known)
and `.dtype` (NumPy's), so arrays themselves will do, and give an `Abstract`, or a tuple of them for several outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Abstract:
    """Shape and dtype of an array that is not there."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: tuple[int | None, ...] | None, dtype: np.dtype) -> None:
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"this needs the value of a tensor ({self!r}) that is symbolic: it has none while a tf.function is traced. "
            "Give the argument as a Python value, compute it outside of the function, or use tf.numpy_function."
        )

    __array__ = __int__ = __float__ = __bool__ = __index__ = _refuse

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Abstract) and self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"{self.dtype.name}{list(self.shape) if self.shape is not None else '<unknown>'}"
