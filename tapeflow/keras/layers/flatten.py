"""The layer that makes vectors of arrays."""

from __future__ import annotations

from math import prod
from typing import Any

from ...core.tensor import Tensor
from ...ops.shaping import expand_dims, reshape, transpose
from ..settings import image_data_format
from .layer import Layer


class Flatten(Layer):
    """Inputs [batch, ...] as [batch, n]; [batch] as [batch, 1].

    Arguments:
        data_format: with `channels_first`, the axis behind the batch's goes to the end before.
        kwargs: those of `Layer`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or image_data_format()

    def call(self, inputs: Tensor) -> Tensor:
        shape = inputs._value.shape
        if len(shape) < 2:
            return expand_dims(inputs, -1)
        if self.data_format == "channels_first" and len(shape) > 2:
            inputs = transpose(inputs, (0, *range(2, len(shape)), 1))
        # the number of features is the static part: batches of no examples have one too
        return reshape(inputs, (-1, _size(shape)) if None not in shape[1:] and _size(shape) else (shape[0], -1))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], None if None in input_shape[1:] else _size(input_shape))

    def get_config(self) -> dict:
        return {**super().get_config(), "data_format": self.data_format}


def _size(shape: Any) -> int:
    return prod(shape[1:])
