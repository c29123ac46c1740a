"""Convolution layers of one, two and three dimensions, and what they share with the transposed and separable ones."""

from __future__ import annotations

from typing import Any

from ...core.elementwise import mixed_dtypes
from ...core.op import TENSORS as T
from ...core.tensor import Tensor
from ...ops import convolution as _ops
from ...ops.windows import output_size
from .. import activations, constraints, initializers, regularizers
from ..registry import serialize
from .input_spec import InputSpec
from .layer import Layer
from .spatial import channels_of, format_of, is_first, of_format, padding_mode, per_dimension, space_of

_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class SpatialFilter(Layer):
    """A layer that slides filters over `rank` dimensions of space: what all of them have in common.

    Subclasses say which weights they have (`_weights`), make them, and compute.
    """

    rank: int
    _filters = True  # whether the number of filters is an argument
    _weights: tuple[str, ...] = ("kernel", "bias")
    _paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: Any,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        weights: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        rank = self.rank
        if self._filters:
            if not hasattr(filters, "__index__") or filters <= 0:
                raise ValueError(
                    "Invalid value for argument `filters`. Expected a strictly positive integer. Received "
                    f"filters={filters}."
                )
            self.filters = int(filters)
        self.kernel_size = per_dimension(kernel_size, rank, "kernel_size")
        self.strides = per_dimension(strides, rank, "strides")
        self.dilation_rate = per_dimension(dilation_rate, rank, "dilation_rate")
        self.padding = padding_mode(padding, self._paddings)
        self.data_format = format_of(data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        for name in self._weights:
            for kind, module in _KINDS.items():
                setattr(self, f"{name}_{kind}", module.get(weights[f"{name}_{kind}"]))
        self.input_spec = InputSpec(ndim=rank + 2)
        self.bias: Any = None
        self._how = (self.strides, self._explicit_padding(), self.dilation_rate, is_first(self.data_format))

    def _explicit_padding(self) -> Any:
        if self.padding != "causal":
            return self.padding.upper()
        return tuple(((k - 1) * d, 0) for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of the inputs, which from now on must not change. Raises ValueError for None."""
        if len(input_shape) != self.rank + 2:
            raise ValueError(
                f"{type(self).__name__} expects inputs of {self.rank + 2} dimensions. Received: {input_shape=}"
            )
        channels = channels_of(input_shape, self.data_format)
        if channels is None:
            raise ValueError(f"The channels of the inputs to {type(self).__name__} must be known: {input_shape=}")
        axis = 1 if is_first(self.data_format) else -1
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add(self, name: str, shape: tuple) -> Any:
        """A weight, with the initializer, regularizer and constraint given for it."""
        return self.add_weight(
            shape,
            getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            name=name,
        )

    def _convolved(self, x: Tensor, kernel: Tensor, how: tuple) -> Tensor:
        """The convolution with the kernel, the bias added."""
        self._check(x, kernel)
        if self.bias is None:
            return T.convolution(x, kernel, *how)
        return _ops.convolution_with_bias(x, kernel, self.bias.read_value(), *how)

    def _check(self, x: Tensor, kernel: Tensor) -> None:
        """Raises InvalidArgumentError for inputs of another dtype than the kernel's, such as integers."""
        dtype, wanted = x._value.dtype, kernel._value.dtype
        if dtype is not wanted and dtype != wanted:
            raise mixed_dtypes(T.convolution.op, dtype, wanted)

    def _activated(self, y: Tensor) -> Tensor:
        activation = self.activation
        return y if activation is activations.linear else activation(y)

    def _outputs(self, input_shape: Any, channels: int) -> tuple:
        """The shape of a convolution's outputs. Raises ValueError where a window is larger than the inputs."""
        padding = self._how[1]
        made = []
        for i, n in enumerate(space_of(input_shape, self.data_format)):
            one = padding if isinstance(padding, str) else padding[i]
            reach = (self.kernel_size[i] - 1) * self.dilation_rate[i] + 1
            if n and one != "SAME" and n + (0 if one == "VALID" else sum(one)) < reach:
                raise ValueError(
                    "Computed output size would be zero or negative. Received `inputs shape="
                    f"{tuple(input_shape)}`, `kernel_size={self.kernel_size}`, `dilation_rate={self.dilation_rate}`, "
                    f"`strides={self.strides}`, `padding={self.padding}`."
                )
            made.append(output_size(n, self.kernel_size[i], self.strides[i], self.dilation_rate[i], one, "Conv"))
        return of_format(input_shape[0], tuple(made), channels, self.data_format)

    def get_config(self) -> dict:
        names = ["kernel_size", "strides", "padding", "data_format", "dilation_rate"]
        return {
            **super().get_config(),
            **({"filters": self.filters} if self._filters else {}),
            **{name: getattr(self, name) for name in names},
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **{
                f"{name}_{kind}": serialize(getattr(self, f"{name}_{kind}"), f"keras.{kind}s")
                for name in self._weights
                for kind in _KINDS
            },
        }


class _Conv(SpatialFilter):
    """A convolution of any rank; see `Conv2D`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        weights = {
            "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer, "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint, "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, weights,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        if not hasattr(groups, "__index__") or groups <= 0:
            raise ValueError(f"The number of groups must be a positive integer. Received: groups={groups}.")
        if self.filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. Received: "
                f"groups={groups}, filters={filters}."
            )
        self.groups = int(groups)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. Received "
                f"groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.compute_output_shape(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self._add("bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return self._activated(self._convolved(inputs, self.kernel.read_value(), self._how))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._outputs(input_shape, self.filters)

    def get_config(self) -> dict:
        return {**super().get_config(), "groups": self.groups}


class Conv1D(_Conv):
    """The convolution of sequences [batch, steps, channels].

    Arguments are those of `Conv2D`; padding may be "causal" too: before the sequence only, so that no output depends on
    later inputs.
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """The convolution of images [batch, height, width, channels], a bias and an activation.

    Arguments:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: an int, or one for each dimension of space.
        padding: "valid", "same", and in one dimension "causal".
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        groups: into how many groups the input channels are divided, each with filters of its own.
        activation: a function or its name; none by default.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: what kernel [window..., channels / groups, filters] and bias [filters]
            begin with.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on them and on the outputs.
        kernel_constraint, bias_constraint: what optimizers apply to them after an update.
        kwargs: those of `Layer`.

    Raises ValueError for numbers that are not positive or do not divide, strides together with dilations, and inputs of
    another rank, other channels, or smaller than a window.
    """

    rank = 2


class Conv3D(_Conv):
    """The convolution of volumes [batch, depth, height, width, channels]; arguments are those of `Conv2D`."""

    rank = 3
