"""The densely connected layer."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.products import dense, tensordot
from .. import activations, constraints, initializers, regularizers
from ..registry import serialize
from .input_spec import InputSpec, check_inputs
from .layer import Layer


class Dense(Layer):
    """`activation(inputs @ kernel + bias)` for inputs [..., n]; the outputs are [..., units].

    Arguments:
        units: the number of outputs, a positive int.
        activation: a function or its name; none by default.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: what kernel [n, units] and bias [units] begin with.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on them and on the outputs.
        kernel_constraint, bias_constraint: what optimizers apply to them after an update.
        lora_rank, lora_alpha, quantization_config: of Keras 3; only None is supported.
        kwargs: those of `Layer`.

    Raises ValueError for a number of units that is no positive int, and for inputs of fewer than two dimensions or
    another size than it was built for.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not hasattr(units, "__index__") or units <= 0:
            raise ValueError(f"Received an invalid value for `units`, expected a positive integer. Received: {units=}")
        if lora_rank is not None or quantization_config is not None:
            raise ValueError("Dense supports neither `lora_rank` nor `quantization_config`.")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise ValueError(f"The last dimension of inputs to a Dense layer must be known. Received: {input_shape=}")
        self.kernel = self.add_weight(
            (size, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        kernel, bias = self.kernel.read_value(), self.bias
        if bias is not None and len(inputs._value.shape) == 2:
            y = dense(inputs, kernel, bias.read_value())
        else:
            check_inputs(self.input_spec, inputs, self.name)
            y = tensordot(inputs, kernel, 1)
            if bias is not None:
                y = y + bias
        activation = self.activation
        return y if activation is activations.linear else activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **{
                name: serialize(getattr(self, name), f"keras.{name.split('_')[1]}s")
                for name in (
                    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
                    "kernel_constraint", "bias_constraint",
                )
            },
        }  # fmt: skip
