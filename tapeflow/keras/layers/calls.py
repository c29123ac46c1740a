"""What a layer's call hands on to the layers inside it: whether this is training, and who is outermost."""

from __future__ import annotations

import threading
from typing import Any


class _Calls(threading.local):
    """Of each thread: how deep in layers it is, and the `training` that applies there."""

    def __init__(self) -> None:
        self.depth = 0
        self.training: Any = None


calls = _Calls()


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
