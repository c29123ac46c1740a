"""Convolution layers that keep channels apart: depthwise, and depthwise then pointwise (separable)."""

from __future__ import annotations

from typing import Any

from ...core.op import TENSORS as T
from ...core.tensor import Tensor
from .convolutional import SpatialFilter


def _multiplier(depth_multiplier: Any) -> int:
    if not hasattr(depth_multiplier, "__index__") or depth_multiplier <= 0:
        raise ValueError(
            "Invalid value for argument `depth_multiplier`. Expected a strictly positive integer. Received "
            f"depth_multiplier={depth_multiplier}."
        )
    return int(depth_multiplier)


class _DepthwiseConv(SpatialFilter):
    """The layer in any rank; see `DepthwiseConv2D`."""

    _filters = False
    _weights = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        weights = {
            "depthwise_initializer": depthwise_initializer, "bias_initializer": bias_initializer,
            "depthwise_regularizer": depthwise_regularizer, "bias_regularizer": bias_regularizer,
            "depthwise_constraint": depthwise_constraint, "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(
            None, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, weights,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = _multiplier(depth_multiplier)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,  # type: ignore[attr-defined]
            regularizer=self.depthwise_regularizer,  # type: ignore[attr-defined]
            constraint=self.depthwise_constraint,  # type: ignore[attr-defined]
            name="kernel",
        )
        self._outs = channels * self.depth_multiplier
        self.bias = self._add("bias", (self._outs,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        kernel = T.reshape(self.kernel.read_value(), (*self.kernel_size, 1, self._outs))
        return self._activated(self._convolved(inputs, kernel, self._how))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        channels = input_shape[1 if self._how[3] else -1]
        return self._outputs(input_shape, channels * self.depth_multiplier)

    def get_config(self) -> dict:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(_DepthwiseConv):
    """`DepthwiseConv2D` for sequences [batch, steps, channels]."""

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """The convolution of each channel of images by filters of its own, a bias and an activation.

    Arguments:
        depth_multiplier: the number of filters for each channel.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: those of the kernel
            [window..., channels, depth_multiplier].
        The others are those of `Conv2D`.

    Raises ValueError as `Conv2D` does.
    """

    rank = 2


class _SeparableConv(SpatialFilter):
    """The layer in any rank; see `SeparableConv2D`."""

    _weights = ("depthwise", "pointwise", "bias")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        weights = {
            "depthwise_initializer": depthwise_initializer, "pointwise_initializer": pointwise_initializer,
            "bias_initializer": bias_initializer, "depthwise_regularizer": depthwise_regularizer,
            "pointwise_regularizer": pointwise_regularizer, "bias_regularizer": bias_regularizer,
            "depthwise_constraint": depthwise_constraint, "pointwise_constraint": pointwise_constraint,
            "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, weights,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = _multiplier(depth_multiplier)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        self._between = channels * self.depth_multiplier
        ones = (1,) * self.rank
        for name, shape in (
            ("depthwise", (*self.kernel_size, channels, self.depth_multiplier)),
            ("pointwise", (*ones, self._between, self.filters)),
        ):
            weight = self.add_weight(
                shape,
                getattr(self, f"{name}_initializer"),
                regularizer=getattr(self, f"{name}_regularizer"),
                constraint=getattr(self, f"{name}_constraint"),
                name=f"{name}_kernel",
            )
            setattr(self, f"{name}_kernel", weight)
        self.bias = self._add("bias", (self.filters,)) if self.use_bias else None
        self._points = (ones, "VALID", ones, self._how[3])
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        kernel = T.reshape(self.depthwise_kernel.read_value(), (*self.kernel_size, 1, self._between))
        self._check(inputs, kernel)
        y = T.convolution(inputs, kernel, *self._how)
        return self._activated(self._convolved(y, self.pointwise_kernel.read_value(), self._points))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._outputs(input_shape, self.filters)

    def get_config(self) -> dict:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class SeparableConv1D(_SeparableConv):
    """`SeparableConv2D` for sequences [batch, steps, channels]."""

    rank = 1


class SeparableConv2D(_SeparableConv):
    """The convolution of each channel of images by itself, a mixing of channels, a bias and an activation.

    Arguments:
        depth_multiplier: the number of filters for each channel in the first step.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: those of its kernel
            [window..., channels, depth_multiplier].
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: those of the second step's kernel
            [1..., channels * depth_multiplier, filters].
        The others are those of `Conv2D`.

    Raises ValueError as `Conv2D` does.
    """

    rank = 2
