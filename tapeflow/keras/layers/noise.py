"""Layers that add or multiply noise in training: GaussianNoise, GaussianDropout, SpatialDropout1D, 2D and 3D."""

from __future__ import annotations

import math
from typing import Any

from ...core.tensor import Tensor
from ...ops.dropout import stateless_dropout
from ...ops.stateless_random import stateless_normal
from ..random import SeedGenerator, draw_seed
from ..settings import image_data_format
from .dropout import Dropout
from .input_spec import InputSpec
from .layer import Layer


class _Noise(Layer):
    """A random layer with one number, which leaves shapes as they are."""

    number: str
    highest: float

    def __init__(self, value: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= value <= self.highest:
            raise ValueError(
                f"Invalid value received for argument `{self.number}`. Expected a float value between 0 and "
                f"{self.highest}. Received: {self.number}={value}"
            )
        setattr(self, self.number, value)
        self.seed = seed
        self.supports_masking = True
        if value > 0:
            self.seed_generator = SeedGenerator(seed)

    def _normal(self, like: Tensor, mean: float, stddev: float) -> Tensor:
        seed = draw_seed(self.seed_generator)
        return stateless_normal(like._value.shape, seed, mean=mean, stddev=stddev, dtype=like.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), self.number: getattr(self, self.number), "seed": self.seed}


class GaussianNoise(_Noise):
    """Adds normal numbers of standard deviation `stddev` in training. Raises ValueError for one that is negative."""

    number = "stddev"
    highest = math.inf

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(stddev, seed, **kwargs)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        if not training or not self.stddev:  # type: ignore[attr-defined]
            return inputs
        return inputs + self._normal(inputs, 0.0, self.stddev)  # type: ignore[attr-defined]


class GaussianDropout(_Noise):
    """Multiplies by normal numbers of mean 1 and standard deviation sqrt(rate / (1 - rate)) in training.

    Raises ValueError for a rate outside of [0, 1].
    """

    number = "rate"
    highest = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        rate = self.rate  # type: ignore[attr-defined]
        if not training or not rate:
            return inputs
        return inputs * self._normal(inputs, 1.0, math.sqrt(rate / (1.0 - rate)))


class _SpatialDropout(Dropout):
    """Dropout of whole channels."""

    rank: int

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None,
        dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = data_format or image_data_format()
        if self.data_format not in ("channels_first", "channels_last"):
            raise ValueError(
                f'`data_format` must be "channels_first" or "channels_last". Received: data_format={data_format}.'
            )
        self.input_spec = InputSpec(ndim=self.rank)

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        sizes = inputs._value.shape
        ones = [1] * (self.rank - 2)
        shape = [*sizes[:2], *ones] if self.data_format == "channels_first" else [sizes[0], *ones, sizes[-1]]
        return stateless_dropout(inputs, self.rate, draw_seed(self.seed_generator), noise_shape=shape)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["noise_shape"]
        return {**config, "data_format": self.data_format}


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of [batch, steps, channels]. Source: Tompson et al. (2014)."""

    rank = 3

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype, **kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["data_format"]
        return config


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images [batch, height, width, channels], or of the other order."""

    rank = 4


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of [batch, depth, height, width, channels], or of the other order."""

    rank = 5
