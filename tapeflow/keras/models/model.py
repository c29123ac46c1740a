"""`tf.keras.Model`: a layer with what a program does to the whole: predicting, summaries, its layers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...core import nest
from ...core.errors import UnimplementedError
from ..layers.keras_tensor import KerasTensor
from ..layers.layer import Layer
from .summary import table


class Model(Layer):
    """A layer that a program trains and asks.

    Subclasses make their layers in the constructor and compute in `call(inputs, training=None)`. Functional models,
    `Model(inputs, outputs)`, are not supported yet: that is a TypeError.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or "inputs" in kwargs or "outputs" in kwargs:
            raise TypeError(
                "Functional models, tf.keras.Model(inputs, outputs), are not supported yet. Use tf.keras.Sequential, "
                "or a subclass of tf.keras.Model."
            )
        super().__init__(**kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers that belong to it directly, in the order in which they were assigned."""
        return [layer for layer in self._sublayers() if isinstance(layer, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """One of its layers, by name or by place. Raises ValueError where there is none, and for both or neither."""
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError(f"Provide either a layer name or layer index at `get_layer`. Received: {name=}, {index=}")
        if index is not None:
            if len(layers) <= index:
                raise ValueError(f"Was asked for layer {index}, counted from 0, of a model of {len(layers)} layers.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """The model of x, in batches, as NumPy arrays.

        Arguments:
            x: arrays or tensors of examples, in a list, tuple or dictionary where there are several inputs; or an
                iterable of batches.
            batch_size: how many examples at a time; 32 by default.
            verbose: accepted; nothing is printed.
            steps: after how many batches to stop.
            callbacks: only None is supported.

        Raises ValueError for inputs of different lengths, or without examples.
        """
        if callbacks:
            raise _later("predict(callbacks=...)")
        outputs = []
        for i, batch in enumerate(_batches(x, batch_size or 32)):
            if steps is not None and i == steps:
                break
            outputs.append(nest.map_structure(np.asarray, self(batch, training=False)))
        if not outputs:
            raise ValueError("`predict` was given no examples.")
        return nest.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    def predict_on_batch(self, x: Any) -> Any:
        """The model of one batch, as NumPy arrays."""
        return nest.map_structure(np.asarray, self(x, training=False))

    def summary(
        self, line_length: int | None = None, positions: Any = None, print_fn: Callable | None = None,
        expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
    ) -> None:  # fmt: skip
        """Prints a table of the layers, the shapes of their outputs, and their numbers of parameters.

        Arguments:
            line_length: how many characters a line has.
            print_fn: what is called with the text, instead of printing it.
            expand_nested: whether layers inside layers have lines.
            show_trainable: whether there is a column for that.
            layer_range: the names of the first and last layer to show.
            positions: accepted, without effect.
        """
        (print_fn or print)(table(self, line_length or 78, expand_nested, show_trainable, layer_range))

    def build(self, input_shape: Any = None) -> None:
        """Makes the variables by calling the model once with zeros of this shape (1 where it is not known)."""
        if self.built or input_shape is None:
            self.built = True
            return
        shape = tuple(input_shape)
        self(np.zeros([1 if n is None else n for n in shape], self.dtype))
        self._batch_input_shape = shape

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        """A subclass's layers are built when its `call` comes to them."""
        if type(self).build is not Model.build:
            super()._build_for(args, kwargs)
        if args and hasattr(args[0], "shape"):
            self._batch_input_shape = (None, *tuple(args[0].shape)[1:])
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Raises UnimplementedError: training by `fit` comes later."""
        raise _later("compile()")

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Raises UnimplementedError: training by `fit` comes later."""
        raise _later("fit()")

    def evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Raises UnimplementedError: training by `fit` comes later."""
        raise _later("evaluate()")

    def train_on_batch(self, *args: Any, **kwargs: Any) -> None:
        """Raises UnimplementedError: training by `fit` comes later."""
        raise _later("train_on_batch()")

    def test_on_batch(self, *args: Any, **kwargs: Any) -> None:
        """Raises UnimplementedError: training by `fit` comes later."""
        raise _later("test_on_batch()")

    def get_config(self) -> dict:
        """The arguments to make the same model again; a subclass whose constructor takes others adds them."""
        return super().get_config()


def _later(what: str) -> UnimplementedError:
    return UnimplementedError(
        None,
        None,
        f"Model.{what} is not supported yet: train with tf.GradientTape and optimizer.apply_gradients, and predict "
        "with model(x) or model.predict(x).",
    )


def _batches(x: Any, size: int) -> Iterator[Any]:
    """The examples of x in batches; what is no array, and no structure of arrays, gives batches itself."""
    if isinstance(x, KerasTensor):
        raise TypeError("`predict` needs examples, and was given a keras.Input.")
    if not hasattr(x, "shape") and not isinstance(x, (list, tuple, dict)):
        for batch in x:
            yield batch[0] if isinstance(batch, tuple) else batch
        return
    if isinstance(x, list) and not any(hasattr(part, "shape") for part in x):
        x = np.asarray(x)
    lengths = {len(part) for part in nest.flatten(x)}
    if len(lengths) != 1:
        raise ValueError(f"The inputs have different numbers of examples: {sorted(lengths)}")
    for start in range(0, lengths.pop(), size):
        yield nest.map_structure(lambda part, start=start: part[start : start + size], x)
