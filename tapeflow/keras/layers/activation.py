"""Layers that apply a function to each element, or along an axis: Activation, ReLU, LeakyReLU, PReLU, ELU,
Softmax; and what only has a penalty."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.comparison import greater
from ...ops.selection import where
from ...ops.shaping import zeros_like
from .. import activations, regularizers
from .input_spec import InputSpec
from .layer import Layer
from .weighted import Weighted


class _Shapeless(Layer):
    """A layer whose outputs have the shape of its inputs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Activation(_Shapeless):
    """A function of tensors, or the name of one."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def get_config(self) -> dict:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(_Shapeless):
    """max(x, 0), see `tf.keras.activations.relu`. Raises ValueError for negative arguments."""

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        given = {"max_value": max_value or 0, "negative_slope": negative_slope, "threshold": threshold}
        for name, value in given.items():
            if value is None or value < 0:
                raise ValueError(f"{name} of a ReLU layer cannot be a negative value. Received: {name}={value}")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict:
        own = ("max_value", "negative_slope", "threshold")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class LeakyReLU(_Shapeless):
    """x, times `negative_slope` (in Keras 2 `alpha`) where it is negative. Raises ValueError for None."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                "The negative_slope value of a Leaky ReLU layer cannot be None or negative. Expected a float. "
                f"Received: negative_slope={negative_slope}"
            )
        self.negative_slope = negative_slope

    def call(self, inputs: Tensor) -> Tensor:
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class PReLU(Weighted):
    """x, times a trained `alpha` where it is negative.

    Arguments:
        alpha_initializer, alpha_regularizer, alpha_constraint: of alpha, which has an example's shape.
        shared_axes: axes, counted from 1, along which alpha is one number.
        kwargs: those of `Layer`.

    Source: He et al., Delving deep into rectifiers (2015).
    """

    def __init__(
        self, alpha_initializer: Any = "Zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.supports_masking = True
        self._keep(
            alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint
        )
        shared = shared_axes is None or isinstance(shared_axes, (list, tuple))
        self.shared_axes = shared_axes if shared else [shared_axes]

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or ()
        shape = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        self.alpha = self._weight("alpha", tuple(shape))
        axes = {i: input_shape[i] for i in range(1, len(input_shape)) if i not in shared} if shared else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs) - self.alpha.read_value() * activations.relu(-inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "shared_axes": self.shared_axes}


class ELU(_Shapeless):
    """x, and `alpha * (exp(x) - 1)` where it is negative."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        return activations.elu(inputs, self.alpha)

    def get_config(self) -> dict:
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(_Shapeless):
    """exp(x) over its sum along an axis, or along several; where `mask` is False, 0."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return activations.softmax(inputs, self.axis)
        if not _broadcasts(mask.shape, inputs.shape):
            raise ValueError(
                f"The `mask` must be broadcastable to `inputs`. Received: inputs.shape={inputs.shape}, "
                f"mask.shape={mask.shape}"
            )
        counts = mask if mask.dtype == "bool" else greater(mask, 0.5)
        kept = where(counts, inputs, -3e4 if inputs.dtype.name == "float16" else -1e9)
        y = activations.softmax(kept, self.axis)
        return where(counts, y, zeros_like(y))

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}


def _broadcasts(shape: Any, to: Any) -> bool:
    pairs = zip(reversed(tuple(shape)), reversed(tuple(to)), strict=False)
    return len(shape) <= len(to) and all(n in (1, None) or m is None or n == m for n, m in pairs)


class ActivityRegularization(_Shapeless):
    """The inputs, whose sums of absolute values (times l1) and squares (times l2) join the losses."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Tensor) -> Tensor:
        return inputs

    def get_config(self) -> dict:
        config = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config
