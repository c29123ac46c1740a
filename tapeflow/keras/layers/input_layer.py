"""`tf.keras.Input` and the layer it stands for: where a model begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..naming import unique_name
from .keras_tensor import KerasTensor
from .layer import Layer
from .symbolic import remember_call


class InputLayer(Layer):
    """Says what a model is given; hands it on.

    Arguments:
        shape: the shape of an example.
        batch_size: the number of examples, where it is always the same.
        dtype: the dtype of the inputs.
        batch_shape: the shape of a batch, instead of `shape` and `batch_size`.
        name: its name.
        kwargs: `input_shape`, as Keras 2 calls `shape`.

    Raises ValueError without a shape, or with two.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", shape)
        if sparse or ragged or input_tensor is not None:
            raise ValueError("An input is given by its shape: `sparse`, `ragged` and `input_tensor` are not supported.")
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"Pass either `shape` or `batch_shape` to an input. Received: {shape=}, {batch_shape=}")
        super().__init__(name=name or unique_name("input_layer"), **kwargs)
        self.batch_shape = _tuple(batch_shape) if batch_shape is not None else (batch_size, *_tuple(shape))
        self._batch_input_shape = self.batch_shape
        self._symbol = KerasTensor(self.batch_shape, dtype or self.dtype, name=self.name)
        remember_call(self, (), {}, self._symbol)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.batch_shape

    @property
    def output(self) -> KerasTensor:
        """The input as layers see it."""
        return self._symbol

    input = output

    def get_config(self) -> dict:
        return {"batch_shape": self.batch_shape, "dtype": self._symbol.dtype.name, "name": self.name}


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    ragged: bool | None = None,
) -> KerasTensor:
    """What a model is given: the beginning of a functional model, or the first part of a `Sequential`.

    See `InputLayer` for the arguments and errors.
    """
    return InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name).output


def _tuple(shape: Any) -> tuple:
    return tuple(shape) if hasattr(shape, "__iter__") else (shape,)
