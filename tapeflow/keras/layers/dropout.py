"""The layer that forgets at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.tensor import Tensor
from ...ops.dropout import stateless_dropout
from ...ops.shaping import zeros_like
from ..random import SeedGenerator, draw_seed
from .layer import Layer


class Dropout(Layer):
    """In training sets elements to zero with probability `rate`, and divides the others by 1 - rate.

    Arguments:
        rate: a number in [0, 1].
        noise_shape: a shape that broadcasts with the inputs'; elements that share a number share their fate.
        seed: an int for repeatable draws.
        kwargs: those of `Layer`.

    Raises ValueError for another rate. Source: Srivastava et al., Dropout (2014).
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(
                f"Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: {rate=}"
            )
        self.rate = rate
        self.seed = seed
        self.noise_shape = noise_shape
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        if self.rate == 1:
            return zeros_like(inputs)
        return stateless_dropout(inputs, self.rate, draw_seed(self.seed_generator), noise_shape=self.noise_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
