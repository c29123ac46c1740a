"""`tf.compat.v1.nn`: batch normalization with its statistics."""

from typing import NoReturn

from ...ops.normalization import fused_batch_norm

__all__ = ["fused_batch_norm"]


def __getattr__(name: str) -> NoReturn:
    from ..nearest import missing

    raise missing(__name__, name)
