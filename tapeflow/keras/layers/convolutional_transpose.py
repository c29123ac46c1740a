"""Transposed convolution layers, which enlarge."""

from __future__ import annotations

from typing import Any

from ...core.op import TENSORS as T
from ...core.tensor import Tensor
from ...ops.normalization import bias_add
from .convolutional import SpatialFilter
from .spatial import of_format, per_dimension, space_of


class _ConvTranspose(SpatialFilter):
    """The transpose of a convolution of any rank; see `Conv2DTranspose`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = per_dimension(output_padding, self.rank, "output_padding", least=0)
            for i, (extra, stride) in enumerate(zip(self.output_padding, self.strides, strict=True)):
                if extra >= stride:
                    raise ValueError(
                        "`output_padding` must be strictly less than `strides` for all dimensions. At dimension "
                        f"{i}, `output_padding` is {extra} but `strides` is {stride}."
                    )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, self.filters, channels))
        self.bias = self._add("bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        kernel = self.kernel.read_value()
        self._check(inputs, kernel)
        shape = self.compute_output_shape(inputs._value.shape)
        y = T.convolution_input_gradient(inputs, kernel, shape, *self._how)
        if self.bias is not None:
            y = bias_add(y, self.bias.read_value(), "NC." if self._how[3] else None)
        return self._activated(y)

    def _length(self, n: Any, i: int) -> Any:
        """The size of the outputs in a dimension, for inputs of size n."""
        if n is None:
            return None
        stride, reach = self.strides[i], (self.kernel_size[i] - 1) * self.dilation_rate[i] + 1
        if self.output_padding is None:
            return n * stride + (max(reach - stride, 0) if self.padding == "valid" else 0)
        margin = reach // 2 if self.padding == "same" else 0
        return (n - 1) * stride + reach - 2 * margin + self.output_padding[i]

    def compute_output_shape(self, input_shape: Any) -> tuple:
        space = tuple([self._length(n, i) for i, n in enumerate(space_of(input_shape, self.data_format))])
        return of_format(input_shape[0], space, self.filters, self.data_format)

    def get_config(self) -> dict:
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv1DTranspose(_ConvTranspose):
    """The transposed convolution of sequences [batch, steps, channels]; arguments are those of `Conv2DTranspose`."""

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """The transposed convolution of images [batch, height, width, channels], a bias and an activation.

    Arguments:
        output_padding: how much larger than least the outputs are, an int or one for each dimension of space, less than
            the strides; None for strides times the inputs' size, and with "valid" what a larger window adds.
        The others are those of `Conv2D`; the kernel is [window..., filters, channels].

    Raises ValueError as `Conv2D` does.
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """The transposed convolution of volumes [batch, depth, height, width, channels].

    Arguments are those of `Conv2DTranspose`, but for `data_format`, which stands before `output_padding`.
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, *args, **kwargs)
