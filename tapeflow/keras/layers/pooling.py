"""Pooling layers: the maximum or the mean of windows, and of all of space."""

from __future__ import annotations

from typing import Any

from ...core.dtypes import FLOATS
from ...core.elementwise import refused_dtype
from ...core.tensor import Tensor
from ...ops.casting import cast
from ...ops.pooling import pool_maxima, pool_means
from ...ops.reduction import reduce_max, reduce_mean, reduce_sum
from ...ops.shaping import expand_dims
from ...ops.windows import output_size
from .input_spec import InputSpec
from .layer import Layer
from .spatial import channels_of, format_of, of_format, padding_mode, per_dimension, space_of


class _Pooling(Layer):
    """Windows of any rank, pooled; see `MaxPooling2D`."""

    rank: int
    _op: Any

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = per_dimension(pool_size, self.rank, "pool_size")
        self.strides = per_dimension(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = padding_mode(padding)
        self.data_format = format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        numbers = [of_format(1, n, 1, self.data_format) for n in (self.pool_size, self.strides, (1,) * self.rank)]
        self._how = (*numbers, self.padding.upper())

    def build(self, input_shape: Any) -> None:
        if len(input_shape) == self.rank + 2:
            self.compute_output_shape(input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        return self._op(inputs, *self._how)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        space = []
        mode = self.padding.upper()
        for n, w, s in zip(space_of(input_shape, self.data_format), self.pool_size, self.strides, strict=True):
            if n and mode == "VALID" and n < w:
                raise ValueError(
                    f"Computed output size would be zero or negative. Received: `inputs.shape={tuple(input_shape)}`, "
                    f"`pool_size={self.pool_size}`, `strides={self.strides}`, `padding={self.padding}`."
                )
            space.append(output_size(n, w, s, 1, mode, "Pool"))
        return of_format(input_shape[0], tuple(space), channels_of(input_shape, self.data_format), self.data_format)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("pool_size", "padding", "strides", "data_format")},
        }


class _MaxPooling(_Pooling):
    _op = staticmethod(pool_maxima)

    def __init__(self, pool_size: Any = 2, *args: Any, **kwargs: Any) -> None:
        super().__init__(pool_size, *args, **kwargs)


class MaxPooling1D(_MaxPooling):
    """The maximum of windows along sequences [batch, steps, channels]; arguments are those of `MaxPooling2D`."""

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The maximum of windows of images [batch, height, width, channels].

    Arguments:
        pool_size, strides: an int, or one for each dimension of space; strides are the pool's size by default.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        kwargs: those of `Layer`.

    Raises ValueError for numbers that are not positive, another padding, and inputs of another rank.
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The maximum of windows of volumes [batch, depth, height, width, channels]; arguments as for `MaxPooling2D`."""

    rank = 3


class _AveragePooling(_Pooling):
    _op = staticmethod(pool_means)

    def call(self, inputs: Tensor) -> Tensor:
        if inputs._value.dtype not in FLOATS:
            raise refused_dtype(pool_means.op, inputs._value.dtype, FLOATS)  # type: ignore[attr-defined]
        return super().call(inputs)


class AveragePooling1D(_AveragePooling):
    """The mean of windows along sequences [batch, steps, channels]; arguments are those of `MaxPooling2D`."""

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of windows of images [batch, height, width, channels], padding not counted.

    Arguments and errors are those of `MaxPooling2D`; `pool_size` has no default.
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of windows of volumes [batch, depth, height, width, channels]; arguments as for `MaxPooling2D`."""

    rank = 3


class _GlobalPooling(Layer):
    """All of space, pooled, in any rank; see `GlobalAveragePooling2D`."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._axes = [i for i, n in enumerate(of_format(0, (1,) * self.rank, 0, self.data_format)) if n]

    def compute_output_shape(self, input_shape: Any) -> tuple:
        channels = channels_of(input_shape, self.data_format)
        if self.keepdims:
            return of_format(input_shape[0], (1,) * self.rank, channels, self.data_format)
        return (input_shape[0], channels)

    def get_config(self) -> dict:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class _GlobalAverage(_GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        return reduce_mean(inputs, self._axes, self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """The mean over the steps of sequences [batch, steps, channels]; with a mask, of those steps that it keeps.

    Arguments are those of `GlobalAveragePooling2D`.
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        kept = expand_dims(cast(mask, inputs._value.dtype), 2 if self._axes == [1] else 1)
        return reduce_sum(inputs * kept, self._axes, self.keepdims) / reduce_sum(kept, self._axes, self.keepdims)


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean of each channel of images [batch, height, width, channels].

    Arguments:
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        keepdims: whether the dimensions of space stay, of size 1.
        kwargs: those of `Layer`.
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean of each channel of volumes; arguments are those of `GlobalAveragePooling2D`."""

    rank = 3


class _GlobalMax(_GlobalPooling):
    def call(self, inputs: Tensor) -> Tensor:
        return reduce_max(inputs, self._axes, self.keepdims)


class GlobalMaxPooling1D(_GlobalMax):
    """The maximum of each channel of sequences; arguments are those of `GlobalAveragePooling2D`."""

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """The maximum of each channel of images; arguments are those of `GlobalAveragePooling2D`."""

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """The maximum of each channel of volumes; arguments are those of `GlobalAveragePooling2D`."""

    rank = 3
