"""What a layer's call hands on to the layers inside it: whether this is training, and who is outermost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ...core.tapes import active_tapes


class _Calls(threading.local):
    """Of each thread: how deep in layers it is, and the `training` that applies there."""

    def __init__(self) -> None:
        self.depth = 0
        self.training: Any = None


calls = _Calls()


def rewritten(method: Callable) -> Callable:
    """A method of the program's that this library calls, such as a layer's `call`; in a trace, as AutoGraph has it."""
    trace = active_tapes().trace
    return method if trace is None or trace.rewrite is None else trace.rewrite(method)


class Flags:
    """What no program need pay for before it uses it: `busy` says that a call must look after one of them."""

    busy = False
    losses = False  # whether any layer has ever added a loss
    masks = False  # whether any tensor may have a mask

    @classmethod
    def use_losses(cls) -> None:
        """From now on calls look after losses of earlier calls."""
        cls.losses = cls.busy = True

    @classmethod
    def use_masks(cls) -> None:
        """From now on calls look after masks."""
        cls.masks = cls.busy = True
