"""Differentiation: tapes, forward accumulators, jacobians, custom gradients; and `tf.autodiff`, which names them."""

from typing import Any

from .tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]


def __getattr__(name: str) -> Any:
    if name == "ForwardAccumulator":  # few programs want it, and it costs a millisecond
        from .forward import ForwardAccumulator

        globals()[name] = ForwardAccumulator
        return ForwardAccumulator
    from ..compat.nearest import missing

    raise missing(__name__, name)
