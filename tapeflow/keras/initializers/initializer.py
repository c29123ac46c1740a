"""The base class of initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Initializer:
    """What gives a variable its first value: `initializer(shape, dtype=None)` is a tensor.

    Subclasses define `__call__`, and `get_config` where they have arguments.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not define __call__(shape, dtype=None), as an initializer must")

    def get_config(self) -> dict:
        """The arguments to make the same initializer again."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Initializer:
        return cls(**config)

    def clone(self) -> Initializer:
        """A new initializer of the same configuration."""
        return type(self).from_config(self.get_config())
