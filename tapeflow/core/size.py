"""Numbers that are known only when a graph runs, in the places where ops have numbers: sizes, positions, counts.

A `Size` stands in shapes of symbolic tensors for a dimension that is not known, and in attributes of ops for an int
that a tensor will give. Arithmetic on it gives another; a trace makes those in an op's attributes inputs of the op.
Comparisons answer whether the relation may hold. It equals itself and None, by which shape rules know what is unknown:
`None in shape` finds it, and it is no other number for certain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .abstract import Abstract
from .convert import convert_to_tensor
from .dtypes import DType, numpy_dtype
from .op import TENSORS
from .tapes import TapeStack, active_tapes, pop_stack, push_stack
from .tensor import Tensor, wrap


class Size:
    """An int that a 0-d tensor of a trace will give; `make()` gives the tensor, when it is needed."""

    __slots__ = ("_make", "_tensor", "_trace")

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self._make = make
        self._tensor: Tensor | None = None
        self._trace = active_tapes().trace

    def tensor(self) -> Tensor:
        """The 0-d tensor of int64."""
        if self._tensor is None and self._trace is None:
            self._tensor = self._make()
        elif self._tensor is None:
            token = push_stack(TapeStack([self._trace], self._trace))
            try:
                self._tensor = self._make()
            finally:
                pop_stack(token)
        return self._tensor

    def __tf_tensor__(self, dtype: DType | None = None, name: str | None = None) -> Tensor:
        return TENSORS.cast(self.tensor(), _dtype_of(dtype))  # type: ignore[attr-defined]

    def __index__(self) -> int:
        raise TypeError(
            "a size that is not known while a tf.function is traced cannot be a Python int: compute with tf.shape(x)"
        )

    def __eq__(self, other: object) -> bool:
        return other is None or other is self

    def __hash__(self) -> int:
        return hash(None)

    def __lt__(self, other: Any) -> bool:
        return type(other) is not int or other > 0

    def __le__(self, other: Any) -> bool:
        return type(other) is not int or other >= 0

    def __gt__(self, other: Any) -> bool:
        return True

    def __ge__(self, other: Any) -> bool:
        return True

    def __neg__(self) -> Any:
        return self * -1

    def __repr__(self) -> str:
        return "?"


def _dtype_of(dtype: DType | str | None) -> Any:
    return numpy_dtype("int64" if dtype is None else dtype)


def _arithmetic(op: str, reflected: bool = False) -> Callable:
    def compute(self: Size, other: Any) -> Any:
        if type(other) is not int and type(other) is not Size:
            return NotImplemented

        def make() -> Tensor:
            a, b = self.tensor(), other.tensor() if type(other) is Size else other
            return getattr(TENSORS, op)(b, a) if reflected else getattr(TENSORS, op)(a, b)

        return Size(make)

    return compute


for _name, _op in (
    ("add", "add"),
    ("sub", "subtract"),
    ("mul", "multiply"),
    ("floordiv", "floordiv"),
    ("mod", "floormod"),
):
    setattr(Size, f"__{_name}__", _arithmetic(_op))
    setattr(Size, f"__r{_name}__", _arithmetic(_op, reflected=True))


def _quotient(self: Size, other: Any, reflected: bool = False) -> Any:
    if type(other) not in (int, float, Size):
        return NotImplemented

    def make() -> Tensor:
        parts = [_float64(n) for n in ((other, self) if reflected else (self, other))]
        return TENSORS.real_divide(*parts)  # type: ignore[attr-defined]

    return Size(make)


def _float64(n: Any) -> Tensor:
    double = _dtype_of("float64")
    return TENSORS.cast(n.tensor(), double) if type(n) is Size else wrap(double.type(n))  # type: ignore[attr-defined]


Size.__truediv__ = _quotient  # type: ignore[attr-defined]
Size.__rtruediv__ = lambda self, other: _quotient(self, other, reflected=True)  # type: ignore[attr-defined]


def size_of(x: Tensor) -> Any:
    """The int that a 0-d integer tensor holds, or will hold."""
    value = x._value
    if isinstance(value, Abstract):
        return Size(lambda: TENSORS.cast(x, _dtype_of(None)))  # type: ignore[attr-defined]
    return int(value)


def shape_vector(shape: tuple) -> Tensor:
    """A shape as a vector of int32."""
    if not has_sizes(shape):
        return wrap(np.array(shape, np.int32))
    return TENSORS.stack([convert_to_tensor(n, "int32") for n in shape], 0)  # type: ignore[attr-defined]


def has_sizes(attribute: Any) -> bool:
    """Whether there is a Size in an attribute."""
    return type(attribute) is Size or type(attribute) is tuple and any(has_sizes(part) for part in attribute)


def known(shape: tuple | None) -> tuple | None:
    """A shape with None for what is not known, as shape rules take it."""
    return shape if shape is None else tuple([None if type(n) is Size else n for n in shape])


def sizes_given(value: Any) -> tuple | None:
    """A vector of ints that has symbolic tensors in it, or is one, as ints and Sizes; None for any other value."""
    if isinstance(value, Tensor):
        if not isinstance(value._value, Abstract):
            return None
        shape = value._value.shape
        if shape == ():
            return (size_of(value),)
        if shape is None or len(shape) != 1 or type(shape[0]) is not int:
            raise TypeError(f"a shape given as a tensor must have a known number of entries in a trace: {value!r}")
        return tuple([size_of(TENSORS.strided_slice(value, (i,))) for i in range(shape[0])])  # type: ignore[attr-defined]
    if not isinstance(value, (list, tuple)):
        return None
    symbolic = [isinstance(n, Tensor) and isinstance(n._value, Abstract) for n in value]
    if not any(symbolic) and not any(type(n) is Size for n in value):
        return None
    return tuple([n if type(n) is Size else size_of(n) if isinstance(n, Tensor) else int(n) for n in value])
