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
    """Whether any layer has ever added a loss: until then nobody need look after losses of earlier calls."""

    losses = False
