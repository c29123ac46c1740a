"""`tf.autograph.experimental`: what says how functions are rewritten.

`set_loop_options(shape_invariants=[(variable, shape)], maximum_iterations=n)` is called first in a loop. The rewriting
finds it by its identity, so it is the rewriting package's own, as `Feature` is.
"""

from __future__ import annotations

from typing import Any

from ..functions.autograph import do_not_convert, own_names

__all__ = ["do_not_convert"]
_LAZY = ("Feature", "set_loop_options")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return own_names()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_LAZY])
