"""`tf.stop_gradient`: where differentiation ends."""

from __future__ import annotations

from typing import Any

from ..core.convert import convert_to_tensor
from ..core.elementwise import same
from ..core.op import define
from ..core.tensor import Tensor

_stop_gradient = define("stop_gradient", lambda xp: lambda x: x, same)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """A tensor of the same value that every tape takes for a constant."""
    return _stop_gradient(convert_to_tensor(input))
