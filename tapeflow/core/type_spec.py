"""Type specs: what is known of a value before it is there; `tf.TensorSpec` is that of a tensor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from .dtypes import DType, as_dtype, float32
from .shapes import TensorShape, as_shape


class TypeSpec(ABC):
    """What is known of a value before there is one; `tf.TensorSpec` is the spec of a tensor.

    A subclass gives `value_type`, the class of the values it describes, and `_serialize()`, the arguments of its
    constructor: TensorShapes, TypeSpecs and things that are equal or not. Comparing specs follows from those. Composite
    tensors hold their spec as `_type_spec`.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def value_type(self) -> type:
        """The class of the values that have this spec."""

    @abstractmethod
    def _serialize(self) -> tuple:
        """The arguments of the constructor."""

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or some value of another spec, may have this spec."""
        spec = _spec_of(spec_or_value)
        return type(spec) is type(self) and all(
            a.is_compatible_with(b) if isinstance(a, (TensorShape, TypeSpec)) else a == b
            for a, b in zip(self._serialize(), spec._serialize(), strict=True)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every value that has this spec has the other, too."""
        return type(other) is type(self) and all(
            a.is_subtype_of(b) if isinstance(a, (TensorShape, TypeSpec)) else a == b
            for a, b in zip(self._serialize(), other._serialize(), strict=True)
        )

    def most_specific_common_supertype(self, others: Sequence[Any]) -> TypeSpec | None:
        """The most specific spec of which this one and all the others are subtypes, None where there is none."""
        if any(type(other) is not type(self) for other in others):
            return None
        fields = []
        for field, *rest in zip(self._serialize(), *[other._serialize() for other in others], strict=True):
            if isinstance(field, (TensorShape, TypeSpec)):
                joined = field.most_specific_common_supertype(rest)
                if joined is None:
                    return None
                fields.append(joined)
            elif all(field == other for other in rest):
                fields.append(field)
            else:
                return None
        return type(self)(*fields)

    def most_specific_compatible_type(self, other: Any) -> TypeSpec:
        """The most specific spec that holds for the values of both. Raises ValueError where there is none."""
        joined = self.most_specific_common_supertype([other])
        if joined is None:
            raise ValueError(f"There is no {type(self).__name__} for both {self!r} and {other!r}.")
        return joined

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._serialize() == other._serialize()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self._serialize()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._serialize()}"

    def __reduce__(self) -> tuple:
        return type(self), self._serialize()


class TensorSpec(TypeSpec):
    """The shape, dtype and name of a tensor: an argument of a `tf.function`, an element of a dataset.

    Args:
        shape: whatever `tf.TensorShape` takes.
        dtype: whatever `tf.as_dtype` takes.
        name: a name for the argument, or None.
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self._shape = as_shape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """The spec with the shape and dtype of another, and its name where none is given."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor. Raises ValueError for what is none."""
        spec = _spec_of(tensor)
        if not isinstance(spec, TensorSpec) or spec is tensor:
            raise ValueError(f"from_tensor needs a tf.Tensor, not {tensor!r} of type {type(tensor).__name__}.")
        return cls(spec.shape, spec.dtype, name)

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name, or None."""
        return self._name

    @property
    def value_type(self) -> type:
        """`tf.Tensor`."""
        from .tensor import Tensor

        return Tensor

    def _serialize(self) -> tuple:
        return self._shape, self._dtype, self._name

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a tensor, or some tensor of another spec, may have this shape and dtype; names do not matter."""
        spec = _spec_of(spec_or_value)
        return type(spec) is type(self) and self._dtype == spec.dtype and self._shape.is_compatible_with(spec.shape)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every tensor of this spec has the other, too; where this spec has a name, the other must have it."""
        return (
            type(other) is type(self)
            and self._dtype == other.dtype
            and self._name in (None, other.name)
            and self._shape.is_subtype_of(other.shape)
        )

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


def type_spec_from_value(value: Any) -> Any:
    """The spec of a tensor, a variable, or of what can become a tensor. Raises TypeError for anything else."""
    from .convert import convert_to_tensor  # which imports this file

    spec = _spec_of(value)
    if spec is not None:
        return spec
    try:
        return TensorSpec.from_tensor(convert_to_tensor(value))
    except (TypeError, ValueError):
        raise TypeError(f"Could not build a TypeSpec for {value!r} of type {type(value).__name__}") from None


def _spec_of(value: Any) -> Any:
    """The spec of a tensor or composite tensor, a spec itself, None for what has none."""
    if isinstance(value, TypeSpec):
        return value
    from .tensor import Tensor  # which imports this file

    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    return getattr(value, "_type_spec", None)
