"""Differentiation: tapes, forward accumulators, jacobians, custom gradients; and `tf.autodiff`, which names them."""

from typing import NoReturn

from .forward import ForwardAccumulator
from .tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
