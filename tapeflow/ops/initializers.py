"""TensorFlow's own initializers, `tf.zeros_initializer` and its like: given a shape and a dtype, they make a tensor.

With a seed the random ones are stateless, so one object gives the same numbers at every call; without, they follow
`tf.random.set_seed`. The many initializers of Keras are `tf.keras.initializers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.convert import constant
from ..core.dtypes import FLOATS, as_dtype, numpy_dtype
from ..core.tensor import Tensor, flat, wrap
from .draws import shape_argument
from .random import normal, uniform
from .stateless_random import stateless_normal, stateless_uniform

_FLOAT32 = np.dtype("float32")
_PARTITION = ("partition_shape", "partition_offset")


class Initializer:
    """What gives a variable its first value: called with a shape and a dtype, it returns a tensor."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        """The initial value: a tensor of `shape` and `dtype`."""
        raise TypeError(f"{type(self).__name__} must define __call__(shape, dtype=None, **kwargs)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another of this kind."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer of this configuration; a "dtype" in it, of older programs, is left out."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


class ZerosInitializer(Initializer):
    """Tensors of zeros, of any dtype but string."""

    def __call__(self, shape: Any, dtype: Any = _FLOAT32, **kwargs: Any) -> Tensor:
        """Zeros. Raises ValueError for strings, InvalidArgumentError for a bad shape."""
        return _filled(0, shape, dtype, kwargs)


class OnesInitializer(Initializer):
    """Tensors of ones (True for booleans), of any dtype but string."""

    def __call__(self, shape: Any, dtype: Any = _FLOAT32, **kwargs: Any) -> Tensor:
        """Ones. Raises ValueError for strings, InvalidArgumentError for a bad shape."""
        return _filled(1, shape, dtype, kwargs)


class ConstantInitializer(Initializer):
    """Tensors of one value, or of a given list of values.

    Arguments:
        value: a number, a list or tuple of them, or a NumPy array, of as many elements as the shape asked for.
        support_partition: whether the arguments `partition_shape` and `partition_offset` of the call are let pass.

    Raises TypeError for any other value.
    """

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value).__name__}. Expected Python scalar, list or tuple of "
                "values, or numpy.ndarray."
            )
        self.value = value
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        """The value in this shape; its own dtype where none is asked for. Raises TypeError where it does not fit."""
        _partition(kwargs)
        if kwargs and not self.support_partition:
            raise ValueError("Constant initializer doesn't support partition-related arguments")
        return constant(self.value, dtype=dtype, shape=shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another of this kind."""
        return {"value": self.value}


class RandomUniformInitializer(Initializer):
    """Uniform numbers.

    Arguments:
        minval, maxval: the bounds, the upper excluded.
        seed: an integer, or None.
    """

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = _FLOAT32, **kwargs: Any) -> Tensor:
        """Uniform numbers of a floating or integer dtype. Raises ValueError for others."""
        to = numpy_dtype(dtype)
        if to not in FLOATS and to.kind not in "iu":
            raise ValueError(f"Argument `dtype` expected to be numeric and not complex. Received {as_dtype(to)}.")
        return _drawn(self.seed, stateless_uniform, uniform)(
            _partition(kwargs, shape), minval=self.minval, maxval=self.maxval, dtype=to
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another of this kind."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class RandomNormalInitializer(Initializer):
    """Normal numbers.

    Arguments:
        mean, stddev: of the distribution.
        seed: an integer, or None.
    """

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Any, dtype: Any = _FLOAT32, **kwargs: Any) -> Tensor:
        """Normal numbers of a floating dtype. Raises ValueError for others."""
        to = numpy_dtype(dtype)
        if to not in FLOATS:
            raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {as_dtype(to)}.")
        return _drawn(self.seed, stateless_normal, normal)(
            _partition(kwargs, shape), mean=self.mean, stddev=self.stddev, dtype=to
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another of this kind."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


def _drawn(seed: int | None, stateless: Callable, stateful: Callable) -> Callable:
    if seed is None:
        return stateful
    return lambda shape, **parameters: stateless(shape, [seed, 0], **parameters)


def _filled(value: int, shape: Any, dtype: Any, kwargs: dict[str, Any]) -> Tensor:
    to = numpy_dtype(dtype)
    if to.kind == "O":
        raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {as_dtype(to)}.")
    return wrap(flat(np.full(shape_argument(_partition(kwargs, shape), "Fill")[0], value, to)))


def _partition(kwargs: dict[str, Any], shape: Any = None) -> Any:
    """The shape of the part that is asked for, of a variable in parts; else the shape. Raises TypeError for others."""
    for key in kwargs:
        if key not in _PARTITION:
            raise TypeError(f"Keyword argument should be one of {list(_PARTITION)}. Received: {key}")
    part = kwargs.get("partition_shape")
    return shape if part is None else part


# the names that TensorFlow gives them
zeros_initializer = ZerosInitializer
ones_initializer = OnesInitializer
constant_initializer = ConstantInitializer
random_uniform_initializer = RandomUniformInitializer
random_normal_initializer = RandomNormalInitializer
