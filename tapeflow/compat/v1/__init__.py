"""`tf.compat.v1`: what programs of eager mode still take from it. Graph mode and sessions are out of scope."""

from typing import NoReturn

from . import nn

__all__ = ["nn"]


def __getattr__(name: str) -> NoReturn:
    from ..nearest import missing

    raise missing(__name__, name)
