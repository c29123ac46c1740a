"""Layers that make space larger or smaller: zeros around it, its edges cut off, its elements repeated."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core import errors
from ...core.convert import convert_to_tensor
from ...core.op import TENSORS as T
from ...core.tensor import Tensor
from .input_spec import InputSpec
from .layer import Layer
from .spatial import channels_of, format_of, is_first, of_format, pairs, per_dimension, space_of

# -- zeros around ------------------------------------------------------------------------------------------------------


class _Margins(Layer):
    """Two ints for each dimension of space, of any rank; see `ZeroPadding2D` and `Cropping2D`."""

    rank: int
    _name: str

    def __init__(self, margins: Any, data_format: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # in one dimension two ints are before and after
        self._pairs = pairs((margins,) if _is_pair(margins, self.rank) else margins, self.rank, self._name)
        self.data_format = format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        # in one dimension the configuration is one pair
        setattr(self, self._name, self._pairs[0] if self.rank == 1 else self._pairs)

    def get_config(self) -> dict:
        config = {**super().get_config(), self._name: getattr(self, self._name)}
        return config if self.rank == 1 and self._name == "cropping" else {**config, "data_format": self.data_format}


def _is_pair(margins: Any, rank: int) -> bool:
    return rank == 1 and isinstance(margins, (list, tuple)) and len(margins) == 2


class _ZeroPadding(_Margins):
    _name = "padding"

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        return T.pad(inputs, of_format((0, 0), self._pairs, (0, 0), self.data_format), "CONSTANT", 0)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        space = space_of(input_shape, self.data_format)
        sizes = tuple([None if n is None else n + a + b for n, (a, b) in zip(space, self._pairs, strict=True)])
        return of_format(input_shape[0], sizes, channels_of(input_shape, self.data_format), self.data_format)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after sequences [batch, steps, channels]: `padding` is an int or (before, after)."""

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images [batch, height, width, channels].

    Arguments:
        padding: an int; (rows, columns); or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        kwargs: those of `Layer`.

    Raises ValueError for another structure or negative numbers.
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes [batch, depth, height, width, channels]; arguments are as for `ZeroPadding2D`."""

    rank = 3


# -- edges cut off -----------------------------------------------------------------------------------------------------


class _Cropping(_Margins):
    _name = "cropping"

    def call(self, inputs: Tensor) -> Tensor:
        shape = inputs._value.shape
        self._check(shape)
        whole = (None, None, None)
        parts = tuple([(a, -b if b else None, None) for a, b in self._pairs])
        return T.strided_slice(inputs, of_format(whole, parts, whole, self.data_format))

    def _check(self, shape: Any) -> None:
        for n, (a, b) in zip(space_of(shape, self.data_format), self._pairs, strict=True):
            if type(n) is int and a + b >= n:
                raise ValueError(
                    "Values in `cropping` argument should be smaller than the corresponding spatial dimension of the "
                    f"input. Received: input_shape={tuple(shape)}, cropping={getattr(self, self._name)}"
                )

    def compute_output_shape(self, input_shape: Any) -> tuple:
        self._check(input_shape)
        space = space_of(input_shape, self.data_format)
        sizes = tuple([None if n is None else n - a - b for n, (a, b) in zip(space, self._pairs, strict=True)])
        return of_format(input_shape[0], sizes, channels_of(input_shape, self.data_format), self.data_format)


class Cropping1D(_Cropping):
    """Sequences [batch, steps, channels] without what `cropping`, an int or (before, after), says."""

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Images [batch, height, width, channels] without their edges.

    Arguments:
        cropping: an int; (rows, columns); or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        kwargs: those of `Layer`.

    Raises ValueError for another structure, negative numbers, and where nothing would be left.
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Volumes [batch, depth, height, width, channels] without their edges; arguments are as for `Cropping2D`."""

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


# -- elements repeated -------------------------------------------------------------------------------------------------


def _triangle(d: np.ndarray) -> np.ndarray:
    return np.maximum(1 - abs(d), 0)


def _cubic(d: np.ndarray) -> np.ndarray:
    d = abs(d)
    near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _lanczos(radius: int) -> Any:
    return lambda d: np.where(abs(d) < radius, np.sinc(d) * np.sinc(d / radius), 0)


# by interpolation: the weight of an element at a distance (Keys, Cubic Convolution Interpolation, 1981; Duchon, Lanczos
# Filtering, 1979)
_WEIGHTS = {"bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


def _interpolation(size: int, factor: int, kind: str) -> np.ndarray:
    """The matrix [size, size * factor] that interpolates between elements whose centers are at 0.5, 1.5, ..."""
    centers = (np.arange(size * factor) + 0.5) / factor - 0.5
    weights = _WEIGHTS[kind](centers - np.arange(size)[:, None])
    return weights / weights.sum(0)


class _UpSampling(Layer):
    """Each element of space repeated, in any rank; see `UpSampling2D`."""

    rank: int

    def __init__(self, size: Any, data_format: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size: Any = per_dimension(size, self.rank, "size")
        self.data_format = format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._factors = of_format(1, self.size, 1, self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        shape = inputs._value.shape
        apart, whole, joined = [], [], []
        for n, factor in zip(shape, self._factors, strict=True):
            apart += [n] if factor == 1 else [n, 1]
            whole += [n] if factor == 1 else [n, factor]
            joined.append(n if factor == 1 else n * factor)
        return T.reshape(T.broadcast_to(T.reshape(inputs, tuple(apart)), tuple(whole)), tuple(joined))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple([None if n is None else n * f for n, f in zip(input_shape, self._factors, strict=True)])


class UpSampling1D(_UpSampling):
    """Sequences [batch, steps, channels] with each step `size` times."""

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size[0]}


class UpSampling2D(_UpSampling):
    """Images [batch, height, width, channels], enlarged.

    Arguments:
        size: by how much, an int or one each for rows and columns.
        data_format: "channels_last" or "channels_first"; Keras' setting by default.
        interpolation: "nearest" (pixels are repeated), "bilinear", "bicubic", "lanczos3" or "lanczos5".
        kwargs: those of `Layer`.

    Raises ValueError for numbers that are not positive and another interpolation, UnimplementedError where one other
    than "nearest" meets dimensions that are not known.
    """

    rank = 2

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in ("nearest", *_WEIGHTS):
            raise ValueError(
                f"`interpolation` argument should be one of {('nearest', *_WEIGHTS)}. Received: {interpolation}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return super().call(inputs)
        first = is_first(self.data_format)
        x = T.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        height, width = x._value.shape[1:3]
        if type(height) is not int or type(width) is not int:
            raise errors.failed(
                errors.UnimplementedError, "Resize", f"{self.interpolation} needs images of known height and width"
            )
        rows, columns = (
            convert_to_tensor(_interpolation(n, f, self.interpolation).astype(x._value.dtype))
            for n, f in zip((height, width), self.size, strict=True)
        )
        x = T.transpose(T.matmul(T.transpose(x, (0, 3, 1, 2)), columns, False, False), (0, 1, 3, 2))
        x = T.matmul(x, rows, False, False)  # [batch, channels, columns, rows]
        return T.transpose(x, (0, 1, 3, 2) if first else (0, 3, 2, 1))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


class UpSampling3D(_UpSampling):
    """Volumes [batch, depth, height, width, channels] with each element `size` times, an int or one a dimension."""

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
