"""Layers of several inputs of one shape: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...core import errors
from ...core.shapes import broadcast_shapes
from ...ops.arithmetic import add, maximum, minimum, multiply, subtract
from ...ops.joining import concat
from .layer import Layer


class _Merge(Layer):
    """An op between each input and what came of those before it."""

    combine: Callable

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(_several(self, input_shape))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return functools.reduce(self.combine, _several(self, inputs))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        try:
            return broadcast_shapes(*[tuple(shape) for shape in _several(self, input_shape)])  # type: ignore[return-value]
        except errors.InvalidArgumentError:
            raise ValueError(f"Inputs have incompatible shapes. Received shapes {list(input_shape)}") from None


def _several(layer: Layer, inputs: Any) -> Any:
    if not isinstance(inputs, (list, tuple)) or len(inputs) < 1 or not hasattr(inputs[0], "__len__"):
        raise ValueError(
            f"The merge layer '{layer.name}' should be called on a list of inputs. Received: {inputs!r} (not a list)"
        )
    return inputs


class Add(_Merge):
    """The sum of the inputs, which broadcast. Raises ValueError for shapes that do not."""

    combine = staticmethod(add)


class Multiply(_Merge):
    """The product of the inputs, which broadcast. Raises ValueError for shapes that do not."""

    combine = staticmethod(multiply)


class Maximum(_Merge):
    """The largest of the inputs, element by element. Raises ValueError for shapes that do not broadcast."""

    combine = staticmethod(maximum)


class Minimum(_Merge):
    """The smallest of the inputs, element by element. Raises ValueError for shapes that do not broadcast."""

    combine = staticmethod(minimum)


class Average(_Merge):
    """The mean of the inputs, element by element. Raises ValueError for shapes that do not broadcast."""

    combine = staticmethod(add)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / float(len(inputs))


class Subtract(_Merge):
    """The first of two inputs minus the second. Raises ValueError for another number of them."""

    combine = staticmethod(subtract)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: {input_shape=}")


class Concatenate(_Merge):
    """The inputs one behind the other along an axis. Raises ValueError where they differ along another."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return concat(_several(self, inputs), axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shapes = [list(shape) for shape in _several(self, input_shape)]
        first, axis = shapes[0], self.axis
        if len({len(shape) for shape in shapes}) > 1 or not -len(first) <= axis < len(first):
            raise ValueError(f"Concatenate along axis {axis} takes inputs of one rank. Received shapes {shapes}")
        rest = {tuple(n for i, n in enumerate(shape) if i != axis % len(shape)) for shape in shapes}
        known = {r for r in rest if None not in r}
        if len(known) > 1:
            raise ValueError(
                f"A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                f"Received: input_shape={shapes}"
            )
        sizes = [shape[axis] for shape in shapes]
        first[axis] = None if None in sizes else sum(sizes)
        return tuple(first)

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}
