"""`tf.strings`: text. So far only the formatting of tensors."""

from typing import NoReturn

from .ops.string_format import format

__all__ = ["format"]


def __getattr__(name: str) -> NoReturn:
    from .compat.nearest import missing

    raise missing(__name__, name)
