"""Layers around another: `TimeDistributed` and `Bidirectional`."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.joining import concat, stack, unstack
from ...ops.permuting import reverse
from ...ops.shaping import reshape
from ..naming import scope
from ..registry import serialize
from .layer import Layer


class Wrapper(Layer):
    """What layers around another one share. Raises ValueError for what is no layer."""

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer} supplied to {type(self).__name__} isn't a supported layer type.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        _build(self.layer, input_shape)
        self.built = True

    def get_config(self) -> dict:
        return {**super().get_config(), "layer": serialize(self.layer, "keras.layers")}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        from . import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects), **config)


class TimeDistributed(Wrapper):
    """The layer at each step of inputs [batch, steps, ...].

    Steps become part of the batch, so that the layer is called once; where it keeps statistics, or heeds a mask, it is
    called step by step.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{tuple(input_shape)}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: Any = None, mask: Any = None) -> Tensor:
        options = {"training": training} if self.layer._takes_training and training is not None else {}
        sizes = inputs._value.shape
        statistics = any(not v.trainable for v in self.layer.weights) and training
        if type(sizes[1]) is int and (statistics or mask is not None and self.layer._takes_mask):
            masks = [None] * sizes[1] if mask is None else unstack(mask, axis=1)
            outputs = []
            for x, m in zip(unstack(inputs, axis=1), masks, strict=True):
                more = {"mask": m} if m is not None and self.layer._takes_mask else {}
                outputs.append(self.layer(x, **options, **more))
            return stack(outputs, axis=1)
        y = self.layer(reshape(inputs, (-1, *sizes[2:])), **options)
        if type(sizes[0]) is int and type(sizes[1]) is int:
            return reshape(y, (*sizes[:2], *y._value.shape[1:]))
        lead = (-1, sizes[1]) if type(sizes[1]) is int else (sizes[0], -1) if type(sizes[0]) is int else sizes[:2]
        return reshape(y, (*lead, *y._value.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (inner[0], input_shape[1], *inner[1:])


_MERGES = ("concat", "sum", "ave", "mul", None)


class Bidirectional(Layer):
    """A recurrent layer over the steps in their order, and another over the steps in reverse, their outputs merged.

    Arguments:
        layer: an `RNN`, `LSTM`, `GRU` or another layer with `go_backwards`; it is made again, from its configuration.
        merge_mode: "concat", "sum", "ave", "mul", or None for both outputs.
        weights: what both begin with.
        backward_layer: the layer over the steps in reverse; by default like `layer`.
        kwargs: those of `Layer`.

    Raises ValueError for another merge mode, and for layers that go the same way or differ in what they return.
    """

    def __init__(
        self, layer: Layer, merge_mode: str | None = "concat", weights: Any = None,
        backward_layer: Layer | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        for name, given in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(given, Layer) and (given is not None or name == "layer"):
                raise ValueError(
                    f"Please initialize `Bidirectional` with a `keras.layers.Layer`. Received: {name}={given}"
                )
        if merge_mode not in _MERGES:
            raise ValueError(f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of {_MERGES}")
        super().__init__(**kwargs)
        self.forward_layer = _again(layer, "forward")
        self.backward_layer = backward_layer or _again(layer, "backward", go_backwards=True)
        self._given_backward = backward_layer is not None
        if self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value. Received: "
                f"{self.forward_layer.go_backwards} for both"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(self.forward_layer, name) != getattr(self.backward_layer, name):
                raise ValueError(f"Forward layer and backward layer are expected to have the same value for `{name}`.")
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask"):
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        self.stateful = layer.stateful  # type: ignore[attr-defined]
        self.return_sequences = layer.return_sequences  # type: ignore[attr-defined]
        self.return_state = layer.return_state  # type: ignore[attr-defined]
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._begin_with = weights

    @property
    def layer(self) -> Layer:
        """The layer over the steps in their order."""
        return self.forward_layer

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for one in (self.forward_layer, self.backward_layer):
            _build(one, sequences_shape)
        if self._begin_with:
            self.set_weights(self._begin_with)
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        options = {"mask": mask, **({} if training is None else {"training": training})}
        half = len(initial_state) // 2 if initial_state is not None else 0
        y = self.forward_layer(sequences, initial_state=initial_state[:half] if half else None, **options)
        back = self.backward_layer(sequences, initial_state=initial_state[half:] if half else None, **options)
        states: tuple = ()
        if self.return_state:
            (y, *ahead), (back, *behind) = y, back
            states = (*ahead, *behind)
        if self.return_sequences:
            back = reverse(back, [1])
        outputs = (y, back) if self.merge_mode is None else (self._merged(y, back),)
        return (*outputs, *states) if len(outputs) > 1 or states else outputs[0]

    def _merged(self, y: Tensor, back: Tensor) -> Tensor:
        if self.merge_mode == "concat":
            return concat([y, back], -1)
        if self.merge_mode == "mul":
            return y * back
        return (y + back) / 2 if self.merge_mode == "ave" else y + back

    def reset_state(self) -> None:
        """The states of both layers become zeros."""
        for one in (self.forward_layer, self.backward_layer):
            one.reset_state()

    reset_states = reset_state

    @property
    def states(self) -> list | None:
        """The states that both layers keep."""
        found = [one.states for one in (self.forward_layer, self.backward_layer)]
        return [*found[0], *found[1]] if None not in found else None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the steps for the outputs of all of them, none for the last outputs and the states."""
        mask = mask[0] if isinstance(mask, list) else mask
        kept = mask if self.return_sequences else None
        outputs = [kept, kept] if self.merge_mode is None else [kept]
        if self.return_state:
            return outputs + [None] * 2 * len(self.forward_layer.state_size)
        return outputs if self.merge_mode is None else kept

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: list = []
        if self.return_state:
            shape, *states = shape
        if self.merge_mode == "concat":
            shape = (*shape[:-1], shape[-1] * 2)
        outputs = [shape, shape] if self.merge_mode is None else [shape]
        return [*outputs, *states, *states] if len(outputs) > 1 or states else shape

    def get_config(self) -> dict:
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        config["layer"] = serialize(self.forward_layer, "keras.layers")
        if self._given_backward:
            config["backward_layer"] = serialize(self.backward_layer, "keras.layers")
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        from . import deserialize

        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize(config[name], custom_objects)
        return cls(**config)


def _again(layer: Layer, prefix: str, **changed: Any) -> Any:
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    return type(layer).from_config({**layer.get_config(), **changed, "name": name})


def _build(layer: Layer, shape: Any) -> None:
    if not layer.built:
        with scope(layer.name):
            layer.build(shape)
        layer.built = True
