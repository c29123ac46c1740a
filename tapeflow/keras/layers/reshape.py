"""Layers that rearrange or rescale: Reshape, Permute, RepeatVector, Rescaling, Identity, Lambda."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ...core.tensor import Tensor
from ...ops.casting import cast
from ...ops.shaping import broadcast_to, expand_dims, reshape, transpose
from .calls import rewritten
from .input_spec import InputSpec
from .layer import Layer


class Reshape(Layer):
    """The elements of each example in another shape, of which one dimension may be -1.

    Raises ValueError where the number of elements differs.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape) if hasattr(target_shape, "__iter__") else (target_shape,)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"There must be at most one unknown dimension (-1) in target_shape. Got: {target_shape}")

    def call(self, inputs: Tensor) -> Tensor:
        batch, *rest = inputs._value.shape
        if all(type(n) is int for n in rest):
            return reshape(inputs, (-1, *self.compute_output_shape((batch, *rest))[1:]))
        return reshape(inputs, (batch, *self.target_shape))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        target = self.target_shape
        if None in input_shape[1:]:
            return (input_shape[0], *[None if n == -1 else n for n in target])
        size, known = prod(input_shape[1:]), prod(n for n in target if n != -1)
        if size != known and (-1 not in target or not known or size % known):
            raise ValueError(
                f"The total size of the tensor must be unchanged. Received: input_shape={tuple(input_shape[1:])}, "
                f"target_shape={target}"
            )
        return (input_shape[0], *[size // known if n == -1 else n for n in target])

    def get_config(self) -> dict:
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The dimensions of each example, counted from 1, in another order. Raises ValueError for no permutation."""

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], *[input_shape[d] for d in self.dims])

    def get_config(self) -> dict:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Inputs [batch, n] as [batch, times, n], all the same. Raises TypeError for a number of times that is no int."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        batch, size = inputs._value.shape
        return broadcast_to(expand_dims(inputs, 1), (batch, self.n, size))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict:
        return {**super().get_config(), "n": self.n}


class Rescaling(Layer):
    """`inputs * scale + offset`, in the layer's float type."""

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return cast(inputs, self.dtype) * self.scale + self.offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


class Identity(Layer):
    """The inputs as they are, whatever their structure."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Lambda(Layer):
    """A function of the user's, called with `arguments` as well; `output_shape` says what shapes it gives.

    Variables made in it do not belong to the layer.
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self._output = output_shape
        self.mask = mask
        self.supports_masking = mask is not None

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What `mask` says, itself or as a function of the inputs and their mask."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def call(self, inputs: Any) -> Any:
        return rewritten(self.function)(inputs, **self.arguments)

    def _output_shape(self, input_shape: Any) -> Any:
        return None if self._output is None else self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output is None:
            raise TypeError(f"The shape that the Lambda layer {self.name} gives is not known: pass it `output_shape`.")
        shape = self._output(input_shape) if callable(self._output) else (input_shape[0], *self._output)
        return tuple(shape)
