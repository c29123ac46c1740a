"""Guard zones: with TAPEFLOW_GUARD=1 compiled code gets copies of its arrays with known bytes on both sides.

A kernel that writes beyond its array changes these bytes, which is found after the call, in the array that it happened
to, instead of a crash somewhere else later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

ZONE = 4096  # bytes on each side: a vector beyond the end, and a row of a tile
_CANARY = 0xA5


def enabled() -> bool:
    """Whether TAPEFLOW_GUARD asks for guard zones."""
    return os.environ.get("TAPEFLOW_GUARD", "") not in ("", "0")


class Guarded:
    """A copy of an array between guard zones, in C's order and aligned to 64 bytes: `array`."""

    def __init__(self, original: np.ndarray) -> None:
        self.original = original
        size = original.nbytes
        whole = np.full(size + 2 * ZONE + 64, _CANARY, np.uint8)
        start = ZONE + -(whole.__array_interface__["data"][0] + ZONE) % 64
        self.array = whole[start : start + size].view(original.dtype).reshape(original.shape)
        self.array[...] = original
        self._before, self._after = whole[:start], whole[start + size :]
        self._bytes = original.tobytes()

    def check(self, name: str, writable: bool = True) -> None:
        """Raises RuntimeError, with the name, if bytes around the array changed; or in it, if it is only to be read."""
        for zone, where in ((self._before, "before"), (self._after, "after")):
            changed = np.flatnonzero(zone != _CANARY)
            if changed.size:
                away = zone.size - changed[-1] if where == "before" else changed[0] + 1
                raise RuntimeError(
                    f"compiled code wrote outside of {name}, {_text(self.original)}: {changed.size} bytes {where} "
                    f"it, the nearest {away} away"
                )
        if not writable and self.array.tobytes() != self._bytes:
            raise RuntimeError(f"compiled code wrote into {name}, {_text(self.original)}, which it only reads")

    def copy_back(self) -> None:
        """Puts what was written into the array that the copy stands for."""
        self.original[...] = self.array


def guarded_entry(
    entry: Callable, names: Sequence[str], writable: Sequence[bool], arena: Guarded | None = None,
    arena_name: str = "the arena",
) -> Callable:  # fmt: skip
    """An entry into compiled code that is given copies between guard zones, and looks at these after each call.

    The names of the arguments are for the error, a RuntimeError; those that are written get what their copies hold.
    """

    def guarded(*values: Any) -> Any:
        copies = [Guarded(np.asarray(x)) for x in values]
        refused = entry(*[copy.array for copy in copies])
        if refused is not None:
            return refused
        for copy, name, written in zip(copies, names, writable, strict=True):
            copy.check(name, written)
        if arena is not None:
            arena.check(arena_name)
        for copy, written in zip(copies, writable, strict=True):
            if written:
                copy.copy_back()
        return None

    return guarded


def _text(x: np.ndarray) -> str:
    """An array's dtype and shape, for messages."""
    return f"{x.dtype}{list(x.shape)}"


def guarded_copy(array: np.ndarray) -> Guarded:
    """The array's contents between guard zones."""
    return Guarded(array)
