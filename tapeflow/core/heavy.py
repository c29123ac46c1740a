"""Kernels of ops that may be worth compiling: an engine that can do so is asked once they have had enough to do.

Engines stand floors above, so they come here by themselves (`engines.eager.install`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# (op, values and attributes) -> what the kernel gives, or None where it shall run itself
compiled: Callable[[Any, tuple], Any] | None = None
# two matrices -> their product, or None where NumPy shall make it
product: Callable[[Any, Any], Any] | None = None


def offered(op: Any, kernel: Callable, work: Callable[..., int], least: int) -> Callable:
    """The kernel, which offers a run whose `work`, in operations, is at least `least` to the engine first."""

    def run(*args: Any) -> Any:
        if compiled is not None and work(*args) >= least:
            found = compiled(op, args)
            if found is not None:
                return found
        return kernel(*args)

    return run
