"""`tf.keras.Sequential`: layers one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.errors import UnimplementedError
from ...core.tensor import Tensor
from ..layers import deserialize
from ..layers.holder import Untracked
from ..layers.input_layer import Input, InputLayer
from ..layers.keras_tensor import KerasTensor
from ..layers.layer import Layer, shape_of
from ..layers.masks import mask_of, set_mask
from ..layers.reshape import Lambda
from ..layers.symbolic import node_of
from ..naming import scope
from ..registry import serialize
from ..tracking import structure
from .model import Model
from .network import Network


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

    _input_dtype: str | None = None
    _is_chain = True

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        self._symbols = Untracked()  # the input and each layer's output, as far as they are known
        for layer in [layers] if isinstance(layers, Layer) else layers or ():
            self.add(layer, rebuild=False)
        self._build_ahead()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer behind the others. Raises ValueError for what is no layer, or one whose name is taken."""
        if isinstance(layer, KerasTensor):
            layer = node_of(layer).operation
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
        self._network = None
        self._settled = self.built = False
        if rebuild:
            self._build_ahead()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away, and returns it. Raises IndexError where there is none."""
        layer = self._layers.pop()
        self._network = None
        del self._symbols[len(self._layers) + 1 :]
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
        if mask is not None and mask_of(x) is None:
            set_mask(x, mask)
        for layer in self._layers:
            x = layer(x)
        return x

    # -- building --

    def build(self, input_shape: Any = None) -> None:
        """Makes the variables for inputs of this shape. Layers behind one that cannot say its outputs' shape wait."""
        if input_shape is not None:
            self._batch_input_shape = tuple(input_shape)
            self._symbols.clear()
        self._build_ahead()

    def _build_ahead(self) -> None:
        """Calls the layers with the input as a KerasTensor, those that have not been called so."""
        if not self._layers:
            return
        symbols = self._symbols
        if not symbols:
            first = self._layers[0]
            shape = first._batch_input_shape if first._batch_input_shape is not None else self._batch_input_shape
            if shape is None:
                return
            self._batch_input_shape = tuple(shape)
            symbols.append(_beginning(first, tuple(shape), self._input_dtype or self.dtype))
        with scope(self.name):
            for layer in self._layers[len(symbols) - 1 :]:
                try:
                    symbols.append(symbols[-1] if isinstance(layer, InputLayer) else layer(symbols[-1]))
                except UnimplementedError:
                    return
        self.built = True
        self._network = None
        structure.version += 1

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        """The layers are built when `call` comes to them; of the inputs only the shape is noted."""
        x = args[0] if args else None
        if self._batch_input_shape is None and isinstance(x, Tensor):
            self._batch_input_shape = (None, *tuple(x.shape)[1:])
            self._input_dtype = x.dtype.name
        self.built = True

    def _whole(self) -> Network | None:
        """The model as a functional one, where the input's shape is known and the layers say theirs."""
        if self._network is None and self._layers:
            if len(self._symbols) != len(self._layers) + 1:
                self._build_ahead()
            if len(self._symbols) == len(self._layers) + 1:
                self._network = Network(self._symbols[0], self._symbols[-1], self.name)
        return self._network

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """Its input, where the shape is known; else None."""
        whole = self._whole()
        return None if whole is None else whole.flat_inputs

    @property
    def outputs(self) -> list[KerasTensor] | None:
        """Its outputs, where the input's shape is known; else None."""
        whole = self._whole()
        return None if whole is None else whole.flat_outputs

    @property
    def input(self) -> Any:
        """Its input. Raises AttributeError where the shape is not known."""
        return self._known().inputs

    @property
    def output(self) -> Any:
        """Its output. Raises AttributeError where the input's shape is not known."""
        return self._known().outputs

    def _known(self) -> Network:
        whole = self._whole()
        if whole is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined input shape yet.")
        return whole

    @property
    def input_shape(self) -> Any:
        """The shape of its input. Raises AttributeError where it is not known."""
        return shape_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of its output. Raises AttributeError where the input's is not known."""
        return shape_of(self.output)

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


def _beginning(first: Layer, shape: tuple, dtype: str) -> KerasTensor:
    """What the first layer is given."""
    if isinstance(first, InputLayer):
        return first.output
    if isinstance(first, Model) and first.inputs:
        dtype = first.inputs[0].dtype
    return Input(batch_shape=shape, dtype=dtype)
