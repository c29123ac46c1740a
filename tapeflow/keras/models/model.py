"""`tf.keras.Model`: a layer with what a program does to the whole: predicting, summaries, its layers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...core import nest
from ...core.errors import UnimplementedError
from ..layers.keras_tensor import KerasTensor
from ..layers.layer import Layer, shape_of
from .network import Network
from .network_config import network_config, network_of
from .summary import table


class Model(Layer):
    """A layer that a program trains and asks.

    Subclasses make their layers in the constructor and compute in `call(inputs, training=None)`. A functional model,
    `Model(inputs, outputs)`, computes what the layers between its inputs and its outputs do; subclasses that hand these
    two on to this constructor are functional models as well.

    Arguments:
        inputs, outputs: KerasTensors in lists, tuples and dictionaries: see `tf.keras.Input`.
        trainable: whether its variables are trained.
        name: its name.
        kwargs: those of `Layer`.

    Raises ValueError for inputs that the outputs do not come from.
    """

    _network: Network | None = None
    _is_chain = False  # whether each layer is known to be given what the one before it gave

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            return super().__new__(Functional)
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _is_functional(args, kwargs):
            if args:
                raise TypeError(f"A model takes `inputs` and `outputs`, both, or neither. Received: {args}")
            super().__init__(**kwargs)
            return
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False))
        if len(args) > 3 or given.keys() & kwargs.keys():
            raise TypeError(f"Model() does not take these arguments: {args}, {kwargs}")
        given.update(kwargs)
        inputs, outputs = given.pop("inputs"), given.pop("outputs")
        super().__init__(**given)
        self._network = Network(inputs, outputs, self.name)
        self._functional_layers = self._network.layers
        self.built = self._settled = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs of a functional model. Subclasses define what they compute."""
        if self._network is None:
            return super().call(inputs)
        return self._network.run(inputs, mask)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the layers inside give their outputs the masks that they have."""
        return None

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """The inputs of a functional model; None for others."""
        return None if self._network is None else self._network.flat_inputs

    @property
    def outputs(self) -> list[KerasTensor] | None:
        """The outputs of a functional model; None for others."""
        return None if self._network is None else self._network.flat_outputs

    @property
    def input(self) -> Any:
        """The inputs of a functional model in their structure. Raises AttributeError for others."""
        return super().input if self._network is None else self._network.inputs

    @property
    def output(self) -> Any:
        """The outputs of a functional model in their structure. Raises AttributeError for others."""
        return super().output if self._network is None else self._network.outputs

    @property
    def input_names(self) -> list[str]:
        """The names of a functional model's inputs."""
        return [x.name for x in self.inputs or ()]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give a functional model's outputs."""
        return [x._keras_history.operation.name for x in self.outputs or () if x._keras_history is not None]

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs, in their structure."""
        return super().input_shape if self._network is None else shape_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs, in their structure."""
        return super().output_shape if self._network is None else shape_of(self.output)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of a functional model's outputs for inputs of these shapes."""
        if self._network is None:
            return super().compute_output_shape(input_shape)
        given = self._network.inputs
        shapes = [input_shape] if isinstance(given, KerasTensor) else nest.flatten_up_to(given, input_shape)
        made = [KerasTensor(s, x.dtype) for s, x in zip(shapes, nest.flatten(given), strict=True)]
        count = len(self._inbound_nodes)
        outputs = self(nest.pack_sequence_as(given, made) if not isinstance(given, KerasTensor) else made[0])
        del self._inbound_nodes[count:]
        return shape_of(outputs)

    def _output_shape(self, input_shape: Any) -> Any:
        if self._network is None and type(self).compute_output_shape is Model.compute_output_shape:
            return None
        return super()._output_shape(input_shape)

    def _whole(self) -> Network | None:
        """The model as a functional one, where it is one."""
        return self._network

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
        """The arguments to make the same model again; a subclass whose constructor takes others adds them.

        For a functional model its layers, and the calls that connect them.
        """
        if self._network is None or type(self).__init__ is not Model.__init__:
            return super().get_config()
        return {"name": self.name, "trainable": self._trainable, **network_config(self._network)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        """A model of a configuration, with new variables."""
        if "input_layers" not in config:
            return cls(**config)
        inputs, outputs = network_of(config, custom_objects)
        return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))


class Functional(Model):
    """What `tf.keras.Model(inputs, outputs)` gives."""


def _is_functional(args: tuple, kwargs: dict) -> bool:
    return len(args) >= 2 or "outputs" in kwargs and (len(args) == 1 or "inputs" in kwargs)


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
