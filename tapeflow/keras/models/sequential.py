"""`tf.keras.Sequential`: layers one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layers import deserialize
from ..layers.input_layer import InputLayer
from ..layers.keras_tensor import KerasTensor
from ..layers.layer import Layer
from ..layers.reshape import Lambda
from ..naming import scope
from ..registry import serialize
from ..tracking import structure
from .model import Model


class Sequential(Model):
    """Each layer is given what the one before it gave.

    Where the first layer says the shape of the inputs (`tf.keras.Input(shape)`, or `input_shape=` of any layer), the
    variables are there from the start; otherwise from the first call on.

    Arguments:
        layers: a list of layers.
        trainable: whether its variables are trained.
        name: its name.

    Raises ValueError for what is no layer, and for two layers of one name.
    """

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        for layer in [layers] if isinstance(layers, Layer) else layers or ():
            self.add(layer, rebuild=False)
        self._build_ahead()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer behind the others. Raises ValueError for what is no layer, or one whose name is taken."""
        if isinstance(layer, KerasTensor):
            layer = layer.source
        if not isinstance(layer, Layer):
            if not callable(layer) or isinstance(layer, type):
                raise ValueError(
                    "Only instances of `keras.Layer` can be added to a Sequential model. "
                    f"Received: {layer!r} (of type {type(layer)})"
                )
            layer = Lambda(layer)
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` argument to pass a "
                "unique name."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"Sequential model '{self.name}' has layers already: an input can only be the first.")
        self._layers.append(layer)
        self._settled = self.built = False
        if rebuild:
            self._build_ahead()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away, and returns it. Raises IndexError where there is none."""
        layer = self._layers.pop()
        self._settled = self.built = False
        if rebuild:
            self._build_ahead()
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input's."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x = inputs
        for layer in self._layers:
            x = layer(x)
        return x

    # -- building --

    def build(self, input_shape: Any = None) -> None:
        """Makes the variables for inputs of this shape. The layers from the first whose shapes are not known wait."""
        if input_shape is None:
            self._build_ahead()
            return
        shape: Any = tuple(input_shape) if not isinstance(input_shape, dict) else input_shape
        self._batch_input_shape = shape
        with scope(self.name):
            for layer in self._layers:
                if not layer.built:
                    with scope(layer.name):
                        layer.build(shape)
                    layer.built = True
                layer._batch_input_shape = shape
                shape = layer._output_shape(shape)
                if shape is None:
                    return
        self.built = True
        structure.version += 1

    def _build_ahead(self) -> None:
        shape = self._batch_input_shape if self._layers else None
        if self._layers and self._layers[0]._batch_input_shape is not None:
            shape = self._layers[0]._batch_input_shape
        if shape is not None:
            self.build(shape)

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        shape = getattr(args[0], "shape", None) if args else None
        if shape is not None and all(type(layer).build is not Layer.build or layer.built for layer in self._layers[:1]):
            self.build((None, *tuple(shape)[1:]))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def _output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self._layers:
            shape = None if shape is None else layer._output_shape(shape)
        return shape

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """The shape and dtype of its input, where the shape is known; else None."""
        shape = self._batch_input_shape
        return None if shape is None else [KerasTensor(shape, self.dtype)]

    @property
    def outputs(self) -> list[KerasTensor] | None:
        """The shape and dtype of its output, where the input's shape is known; else None."""
        shape = self._batch_input_shape
        shape = None if shape is None else self._output_shape(shape)
        return None if shape is None else [KerasTensor(shape, self.dtype)]

    # -- configuration --

    def get_config(self) -> dict:
        """The configurations of the layers, and the input's shape."""
        layers = [serialize(layer, "keras.layers") for layer in self._layers]
        config = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype, "layers": layers}
        if self._batch_input_shape is not None:
            config["build_input_shape"] = self._batch_input_shape
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Sequential:
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for layer in config["layers"]:
            model.add(deserialize(layer, custom_objects), rebuild=False)
        model.build(config.get("build_input_shape"))
        return model
