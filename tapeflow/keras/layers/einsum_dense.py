"""`EinsumDense`: a dense layer whose product is an einsum."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...core.tensor import Tensor
from ...ops.einsum import einsum
from .. import activations
from .input_spec import InputSpec
from .weighted import Weighted


class EinsumDense(Weighted):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Arguments:
        equation: such as `"abc,cd->abd"`; `...` may stand on the left, or on the right, of inputs and outputs.
        output_shape: the sizes of the outputs behind the batch's, an int or several, None where the inputs say them.
        activation: a function or its name.
        bias_axes: the letters of the outputs' axes along which there is a bias; None for no bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            of kernel and bias.
        activity_regularizer: a penalty on the outputs.
        lora_rank, lora_alpha, quantization_config: of Keras 3; only None is supported.
        kwargs: those of `Layer`.

    Raises ValueError for an equation of another form, or shapes that do not fit it.
    """

    def __init__(
        self, equation: str, output_shape: int | Sequence[int | None], activation: Any = None,
        bias_axes: str | None = None, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if lora_rank is not None or quantization_config is not None:
            raise ValueError("EinsumDense supports neither `lora_rank` nor `quantization_config`.")
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self._keep(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def _sizes(self, input_shape: Any) -> tuple[dict, list, str, str]:
        """The size of each letter, the outputs' shape, and the letters of kernel and outputs."""
        found = re.fullmatch(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", self.equation)
        if not found or (found[1], found[3]) != (found[5], found[7]) or found[1] and found[3]:
            raise ValueError(
                f"Invalid einsum equation '{self.equation}'. Equations must be in the form [X],[Y]->[Z], "
                "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
            )
        inputs, kernel, outputs = found[2], found[4], found[6]
        shape = list(input_shape)
        more = len(shape) - len(inputs)
        given = [shape[0], *self.partial_output_shape]
        if found[1]:
            left, own = shape[:more], shape[more:]
            output_shape = [*given[:1], *left[1:], *given[1:]]
            sizes = dict(zip(outputs, output_shape[more:], strict=False))
        else:
            left, own = [], shape[: len(inputs)]
            output_shape = [*given, *shape[len(inputs) :]] if found[3] else given
            sizes = dict(zip(outputs, output_shape, strict=False))
        of_inputs = dict(zip(inputs, own, strict=False))
        unknown = [c for c in outputs if c not in inputs and c not in kernel]
        if unknown or len(own) != len(inputs):
            raise ValueError(
                f"The equation '{self.equation}' does not fit inputs of shape {tuple(shape)}"
                + (f": the outputs' '{unknown[0]}' is in neither inputs nor kernel" if unknown else "")
            )
        for letter, size in of_inputs.items():
            if None not in (size, sizes.get(letter)) and sizes[letter] != size:
                raise ValueError(
                    f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape is {size}, "
                    f"and output shape is {sizes[letter]}."
                )
        sizes.update({letter: size for letter, size in of_inputs.items() if size is not None})
        if not found[1] and not found[3]:
            output_shape = [sizes.get(letter) for letter in outputs]
        else:
            at = more if found[1] else 0
            output_shape[at : at + len(outputs)] = [sizes.get(letter) for letter in outputs]
        return sizes, output_shape, kernel, outputs

    def build(self, input_shape: Any) -> None:
        sizes, _, kernel, outputs = self._sizes(input_shape)
        shape = tuple([sizes.get(letter) for letter in kernel])
        if None in shape:
            raise ValueError(f"The kernel's shape is not known: {shape}, of the equation '{self.equation}'")
        initializer = self.kernel_initializer
        if getattr(initializer, "input_axes", True) is None or getattr(initializer, "output_axes", True) is None:
            config = {**initializer.get_config(), "seed": initializer.seed, **_fans(kernel, outputs)}
            initializer = type(initializer).from_config(config)
        self.kernel = self.add_weight(
            shape, initializer, regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel"
        )
        self.bias = None
        if self.bias_axes:
            first = min(outputs.index(letter) for letter in self.bias_axes)
            tail = [sizes[c] if c in self.bias_axes else 1 for c in outputs[first:]]
            more = self.equation.endswith("...") and len(input_shape) - len(self.equation.split(",")[0].strip(".")) or 0
            self.bias = self._weight("bias", (*tail, *[1] * more))
        self.input_spec = InputSpec(ndim=len(input_shape))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        y = einsum(self.equation, inputs, self.kernel.read_value())
        if self.bias is not None:
            y = y + self.bias.read_value()
        return y if self.activation is activations.linear else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(self._sizes(input_shape)[1])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
        }


def _fans(kernel: str, outputs: str) -> dict:
    """Which axes of the kernel count as outputs and which as inputs, for initializers that scale by their number."""
    made = [i for i, letter in enumerate(kernel) if letter in outputs]
    return {"input_axes": [i for i in range(len(kernel)) if i not in made], "output_axes": made}
