"""Layers that normalize: BatchNormalization, LayerNormalization, GroupNormalization, UnitNormalization and RMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.errors import UnimplementedError
from ...core.tensor import Tensor
from ...ops.arithmetic import maximum
from ...ops.casting import cast
from ...ops.elementary import rsqrt
from ...ops.normalization import moments
from ...ops.reduction import reduce_mean, reduce_sum
from ...ops.selection import where
from ...ops.shaping import broadcast_to, reshape, zeros_like
from ..settings import epsilon as fuzz
from .input_spec import InputSpec
from .layer import Layer
from .weighted import Weighted


def _wide(x: Tensor) -> Tensor:
    """Half precision as float32, in which moments do not overflow."""
    return cast(x, "float32") if x._value.dtype.itemsize == 2 else x


def _transformed(x: Tensor, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, in two operations on x."""
    scale = rsqrt(variance + epsilon)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    return x * scale + (shift if beta is None else shift + beta)


def _check_axes(axis: Any, shape: Any) -> None:
    for one in axis if isinstance(axis, (list, tuple)) else [axis]:
        if not -len(shape) <= one < len(shape):
            raise ValueError(f"Axis {one} is out of bounds for input shape {tuple(shape)}. Received: axis={axis}")


class _Normalization(Weighted):
    """Inputs and outputs have one shape."""

    axis: Any

    def compute_output_shape(self, input_shape: Any) -> Any:
        _check_axes(self.axis, input_shape)
        return input_shape

    def _along(self, variable: Any, shape: list, dtype: Any) -> Any:
        """A variable's value in a shape that broadcasts with the inputs."""
        if variable is None:
            return None
        value = variable.read_value()
        value = value if tuple(value.shape) == tuple(shape) else reshape(value, shape)
        return cast(value, dtype) if value.dtype != dtype else value


class BatchNormalization(_Normalization):
    """In training normalizes each channel by the batch's mean and variance; else by their moving averages.

    Arguments:
        axis: the axis of the channels.
        momentum: how much of the moving averages stays in each step.
        epsilon: what is added to variances.
        center, scale: whether there are beta (added) and gamma (multiplied), one for each channel.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: what they begin with.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of beta and gamma.
        renorm, renorm_clipping, renorm_momentum: batch renormalization; only False is supported.
        synchronized: accepted.
        kwargs: those of `Layer`.

    A layer that is not `trainable` uses the moving averages in training too. With a mask, steps that do not count are
    left out of the moments. Source: Ioffe and Szegedy, Batch normalization (2015).
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        for name in ("fused", "virtual_batch_size", "adjustment"):
            kwargs.pop(name, None)
        super().__init__(**kwargs)
        if renorm:
            raise UnimplementedError(None, None, "BatchNormalization(renorm=True) is not supported.")
        self.axis = int(axis[0] if isinstance(axis, (list, tuple)) else axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.synchronized = synchronized
        self.supports_masking = True
        self._keep(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer, moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        _check_axes(self.axis, input_shape)
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(f"Axis {self.axis} of the inputs must have a known size. Received: {tuple(input_shape)}")
        self.gamma = self._weight("gamma", (size,)) if self.scale else None
        self.beta = self._weight("beta", (size,)) if self.center else None
        self.moving_mean = self._weight("moving_mean", (size,), trainable=False)
        self.moving_variance = self._weight("moving_variance", (size,), trainable=False)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self.built = True

    def call(self, inputs: Tensor, training: Any = None, mask: Any = None) -> Tensor:
        x = _wide(inputs)
        rank = len(x._value.shape)
        axis = self.axis % rank
        size = self.moving_mean.shape[0]
        shape = [size] if axis == rank - 1 else [size if i == axis else 1 for i in range(rank)]
        if training and self.trainable:
            axes = [i for i in range(rank) if i != axis]
            mean, variance = moments(x, axes) if mask is None else _masked_moments(x, axes, mask)
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                before = cast(moving.read_value(), x.dtype)
                moving.assign(before * self.momentum + now * (1.0 - self.momentum))
            if len(shape) > 1:
                mean, variance = reshape(mean, shape), reshape(variance, shape)
        else:
            mean = self._along(self.moving_mean, shape, x.dtype)
            variance = self._along(self.moving_variance, shape, x.dtype)
        gamma, beta = self._along(self.gamma, shape, x.dtype), self._along(self.beta, shape, x.dtype)
        y = _transformed(x, mean, variance, gamma, beta, self.epsilon)
        return y if x is inputs else cast(y, self.dtype)

    def get_config(self) -> dict:
        own = ("axis", "momentum", "epsilon", "center", "scale", "synchronized")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def _masked_moments(x: Tensor, axes: list, mask: Any) -> tuple[Tensor, Tensor]:
    if len(mask.shape) != len(x.shape) - 1:
        raise ValueError(
            f"The mask provided should be one dimension less than the inputs. Received: mask.shape={mask.shape}, "
            f"inputs.shape={x.shape}"
        )
    counts = broadcast_to(cast(mask, "bool")[..., None], x._value.shape)
    count = reduce_sum(cast(counts, x.dtype), axes) + fuzz()
    kept = where(counts, x, zeros_like(x))
    mean = reduce_sum(kept, axes, keepdims=True) / (reduce_sum(cast(counts, x.dtype), axes, keepdims=True) + fuzz())
    away = where(counts, x - mean, zeros_like(x))
    return reduce_sum(kept, axes) / count, reduce_sum(away * away, axes) / count


class LayerNormalization(_Normalization):
    """Normalizes each example by its mean and variance along `axis`, one axis or several.

    Arguments:
        axis: the axes.
        epsilon: what is added to variances.
        center, scale: whether there are beta (added) and gamma (multiplied), of the shape of the inputs along `axis`.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            beta and gamma.
        kwargs: those of `Layer`; `rms_scaling`, with which inputs are scaled by their variance, and not shifted.

    Source: Ba, Kiros and Hinton, Layer normalization (2016).
    """

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.rms_scaling = rms_scaling
        self.supports_masking = True
        self._keep(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def _axes(self, rank: int) -> list[int]:
        given = [self.axis] if isinstance(self.axis, int) else self.axis
        return sorted(a % rank for a in given)

    def build(self, input_shape: Any) -> None:
        _check_axes(self.axis, input_shape)
        shape = tuple([input_shape[a] for a in self._axes(len(input_shape))])
        if None in shape:
            raise ValueError(f"Axes {self.axis} of the inputs must have known sizes. Received: {tuple(input_shape)}")
        self.gamma = self._weight("gamma", shape) if self.scale or self.rms_scaling else None
        self.beta = self._weight("beta", shape) if self.center and not self.rms_scaling else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        x = _wide(inputs)
        sizes = x._value.shape
        axes = self._axes(len(sizes))
        last = axes == list(range(len(sizes) - len(axes), len(sizes)))
        shape = [sizes[i] if i in axes else 1 for i in range(axes[0] if last else 0, len(sizes))]
        gamma, beta = self._along(self.gamma, shape, x.dtype), self._along(self.beta, shape, x.dtype)
        mean, variance = moments(x, axes, keepdims=True)
        if self.rms_scaling:
            y = x * (rsqrt(variance + self.epsilon) * gamma)
        else:
            y = _transformed(x, mean, variance, gamma, beta, self.epsilon)
        return y if x is inputs else cast(y, self.dtype)

    def get_config(self) -> dict:
        own = ("axis", "epsilon", "center", "scale", "rms_scaling")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class RMSNormalization(_Normalization):
    """Divides each example by the root of its mean square along `axis`, and multiplies by a scale.

    Source: Zhang and Sennrich, Root mean square layer normalization (2019).
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.supports_masking = True
        self._keep(scale_initializer="ones")

    _axes = LayerNormalization._axes

    def build(self, input_shape: Any) -> None:
        _check_axes(self.axis, input_shape)
        self.scale = self._weight("scale", tuple([input_shape[a] for a in self._axes(len(input_shape))]))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        x = _wide(inputs)
        sizes = x._value.shape
        axes = self._axes(len(sizes))
        scale = self._along(self.scale, [n if i in axes else 1 for i, n in enumerate(sizes)], x.dtype)
        y = x * rsqrt(reduce_mean(x * x, axes, keepdims=True) + self.epsilon) * scale
        return y if x is inputs else cast(y, self.dtype)

    def get_config(self) -> dict:
        return {**Layer.get_config(self), "axis": self.axis, "epsilon": self.epsilon}


class GroupNormalization(_Normalization):
    """Normalizes each example by the mean and variance of groups of channels.

    Arguments:
        groups: how many groups there are; -1 for one for each channel.
        axis: the axis of the channels.
        epsilon, center, scale, and what beta and gamma, one for each channel, have: as `LayerNormalization`.

    Raises ValueError for a number of channels that the groups do not divide. Source: Wu and He (2018).
    """

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.supports_masking = True
        self._keep(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        _check_axes(self.axis, input_shape)
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(f"Axis {self.axis} of the inputs must have a known size. Received: {tuple(input_shape)}")
        self.groups = size if self.groups == -1 else self.groups
        if size < self.groups or size % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must divide the number of channels ({size}), and not exceed it."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self.gamma = self._weight("gamma", (size,)) if self.scale else None
        self.beta = self._weight("beta", (size,)) if self.center else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        x = _wide(inputs)
        sizes = x._value.shape
        axis = self.axis % len(sizes)
        each = sizes[axis] // self.groups
        grouped = reshape(x, (*sizes[:axis], self.groups, each, *sizes[axis + 1 :]))
        shape = [1] * (len(sizes) + 1)
        shape[axis : axis + 2] = [self.groups, each]
        gamma, beta = self._along(self.gamma, shape, x.dtype), self._along(self.beta, shape, x.dtype)
        axes = [i for i in range(1, len(sizes) + 1) if i != axis]
        mean, variance = moments(grouped, axes, keepdims=True)
        y = reshape(_transformed(grouped, mean, variance, gamma, beta, self.epsilon), sizes)
        return y if x is inputs else cast(y, self.dtype)

    def get_config(self) -> dict:
        own = ("groups", "axis", "epsilon", "center", "scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class UnitNormalization(Layer):
    """Divides inputs by their length along `axis`, one axis or several."""

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"Invalid value for `axis` argument: expected an int or a list/tuple of ints, not {axis!r}")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        squares = reduce_sum(inputs * inputs, self.axis, keepdims=True)
        return inputs * rsqrt(maximum(squares, 1e-12))

    def compute_output_shape(self, input_shape: Any) -> Any:
        _check_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}
