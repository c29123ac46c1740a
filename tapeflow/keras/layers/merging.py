"""Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.

Each is a function too, by its name in lower case: `add([x, y])` is `Add()([x, y])`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...core import errors
from ...core.shapes import broadcast_shapes
from ...ops.arithmetic import add, maximum, minimum, multiply, subtract
from ...ops.comparison import logical_or
from ...ops.einsum import einsum
from ...ops.joining import concat
from ...ops.norms import l2_normalize
from ...ops.reduction import reduce_all
from ...ops.shaping import expand_dims, ones_like, zeros_like
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
        ranks = [len(x._value.shape) for x in _several(self, inputs)]
        if len(set(ranks)) > 1:  # missing axes are put behind the batch's
            inputs = [_of_rank(x, max(ranks)) for x in inputs]
        return functools.reduce(self.combine, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where one of the inputs counts, if all of them have masks."""
        if mask is None or any(m is None for m in mask):
            return None
        return functools.reduce(logical_or, mask)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shapes = [tuple(shape) for shape in _several(self, input_shape)]
        rank = max(len(shape) for shape in shapes)
        try:
            return broadcast_shapes(*[s[:1] + (1,) * (rank - len(s)) + s[1:] for s in shapes])  # type: ignore[return-value]
        except errors.InvalidArgumentError:
            raise ValueError(f"Inputs have incompatible shapes. Received shapes {list(input_shape)}") from None


def _of_rank(x: Any, rank: int) -> Any:
    for _ in range(rank - len(x._value.shape)):
        x = expand_dims(x, 1)
    return x


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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks one behind the other; an input without one counts everywhere."""
        if mask is None or all(m is None for m in mask):
            return None
        whole = [_over(x, m) for x, m in zip(inputs, mask, strict=True)]
        return reduce_all(concat(whole, axis=self.axis), -1)

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


def _over(x: Any, mask: Any) -> Any:
    """A mask for each element."""
    if mask is None:
        return ones_like(x, dtype="bool")
    if len(mask._value.shape) < len(x._value.shape):
        return logical_or(expand_dims(mask, -1), zeros_like(x, dtype="bool"))
    return mask


class Dot(_Merge):
    """Sums of products of two inputs along an axis of each: [batch, the rest of the one, the rest of the other].

    Arguments:
        axes: the axis, or the axis of each.
        normalize: whether both are divided by their lengths along it: the cosine of their angle.
        kwargs: those of `Layer`.

    Raises ValueError for another number of inputs, and sizes that differ.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        wrong = not isinstance(axes, (list, tuple)) or len(axes) != 2
        if not isinstance(axes, int) and (wrong or not all(isinstance(a, int) for a in axes)):
            raise TypeError(
                f"Invalid type for argument `axes`: an int, or a list or tuple of two. Received: axes={axes}"
            )
        self.axes = axes
        self.normalize = normalize

    def _places(self, shapes: Any) -> list[int]:
        if len(shapes) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of exactly 2 inputs. Received: {shapes}")
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        places = [a % len(s) for a, s in zip(axes, shapes, strict=True)]
        sizes = [s[a] for s, a in zip(shapes, places, strict=True)]
        if 0 in places or sizes[0] != sizes[1] and None not in sizes:
            raise ValueError(
                f"Incompatible input shapes: axis values {sizes[0]} (at axis {axes[0]}) != {sizes[1]} (at axis "
                f"{axes[1]}), of inputs of shapes {[tuple(s) for s in shapes]}"
            )
        return places

    def call(self, inputs: Any) -> Any:
        x, y = _several(self, inputs)
        a, b = self._places([v._value.shape for v in (x, y)])
        if self.normalize:
            x, y = l2_normalize(x, a), l2_normalize(y, b)
        letters = iter("cdefghijklmnopqrstuvwxyz")
        kinds = ["b" + "".join(["a" if i == at else next(letters) for i in range(1, len(v._value.shape))])
                 for v, at in ((x, a), (y, b))]  # fmt: skip
        rest = "b" + "".join(kinds).replace("a", "").replace("b", "")
        z = einsum(f"{','.join(kinds)}->{rest}", x, y)
        return expand_dims(z, 1) if len(rest) == 1 else z

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None."""
        return None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        (s, t), (a, b) = input_shape, self._places(input_shape)
        rest = [n for i, n in enumerate(s) if i not in (0, a)] + [n for i, n in enumerate(t) if i not in (0, b)]
        return (s[0], *(rest or [1]))

    def get_config(self) -> dict:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _function(layer: type) -> Callable:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    merge.__name__ = merge.__qualname__ = layer.__name__.lower()
    merge.__doc__ = f"`{layer.__name__}(**kwargs)(inputs)`: see there."
    return merge


add_layer, subtract_layer, multiply_layer = _function(Add), _function(Subtract), _function(Multiply)
average_layer, maximum_layer, minimum_layer = _function(Average), _function(Maximum), _function(Minimum)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`: see there."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`: see there."""
    return Dot(axes, **kwargs)(inputs)
