"""Static shapes: `tf.TensorShape`, and how shapes broadcast.

Ops' shape rules work on plain tuples of ints, with None for a dimension that is not known and None in place of the
tuple where not even the rank is; `TensorShape` is the face of such a tuple that users see. There is no Dimension
class: dimensions are ints and None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from math import prod
from operator import index
from typing import Any

from .errors import InvalidArgumentError, invalid

Dims = tuple[int | None, ...]


class TensorShape:
    """The static shape of a tensor: its dimensions, of which each, or even their number, may be unknown.

    Args:
        dims: an iterable of ints and Nones, an int (one dimension), a TensorShape, or None (unknown rank).

    Raises:
        TypeError: a dimension is no integer. ValueError: it is negative.
    """

    __slots__ = ("_dims",)
    _dims: Dims | None

    def __init__(self, dims: Any) -> None:
        if dims is None:
            self._dims = None
        elif isinstance(dims, TensorShape):
            self._dims = dims._dims
        else:
            try:
                entries = tuple(dims)
            except TypeError:
                entries = (dims,)
            self._dims = tuple([_dimension(entry, dims) for entry in entries])

    @staticmethod
    def _known(dims: tuple) -> TensorShape:
        """The shape with these dimensions, a tuple that is known to be right: `tensor.shape` calls this every time."""
        shape = _new(TensorShape)
        shape._dims = dims
        return shape

    @property
    def rank(self) -> int | None:
        """The number of dimensions, None where it is unknown."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    @property
    def dims(self) -> list[int | None] | None:
        """The dimensions as a list of ints and Nones, None where the rank is unknown."""
        return None if self._dims is None else list(self._dims)

    def as_list(self) -> list[int | None]:
        """The dimensions as a list of ints and Nones. Raises ValueError where the rank is unknown."""
        if self._dims is None:
            raise ValueError("as_list() is not defined for a TensorShape of unknown rank.")
        return list(self._dims)

    def num_elements(self) -> int | None:
        """The product of the dimensions, None where one of them is unknown."""
        return prod(self._dims) if self.is_fully_defined() else None  # type: ignore[arg-type]

    def is_fully_defined(self) -> bool:
        """Whether the rank and every dimension are known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError where the rank or a dimension is unknown."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether some fully defined shape agrees with both."""
        dims, others = self._dims, as_shape(other)._dims
        if dims is None or others is None:
            return True
        return len(dims) == len(others) and all(
            a == b or a is None or b is None for a, b in zip(dims, others, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError where no shape agrees with both."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def merge_with(self, other: Any) -> TensorShape:
        """What is known from either shape. Raises ValueError where they contradict each other."""
        other = as_shape(other)
        dims, others = self._dims, other._dims
        if dims is None or others is None:
            return other if dims is None else self
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        return TensorShape._known(tuple([b if a is None else a for a, b in zip(dims, others, strict=True)]))

    def concatenate(self, other: Any) -> TensorShape:
        """The dimensions of this shape followed by those of the other; unknown where either rank is."""
        dims, others = self._dims, as_shape(other)._dims
        return _UNKNOWN if dims is None or others is None else TensorShape._known(dims + others)

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError where the rank is known and another one."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError where both ranks are known and differ."""
        other = as_shape(other)
        if self.rank != other.rank and self.rank is not None and other.rank is not None:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def with_rank(self, rank: int | None) -> TensorShape:
        """This shape, given that it has this rank. Raises ValueError where it has another."""
        if rank is None:
            return self
        self.assert_has_rank(rank)
        return TensorShape._known((None,) * rank) if self._dims is None else self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape, given that its rank is `rank` or more. Raises ValueError where it is less."""
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape, given that its rank is `rank` or less. Raises ValueError where it is more."""
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The shape that says all that holds for both: dimensions that differ are unknown, so are ranks that do."""
        dims, others = self._dims, as_shape(other)._dims
        if dims is None or others is None or len(dims) != len(others):
            return _UNKNOWN
        return TensorShape._known(tuple([a if a == b else None for a, b in zip(dims, others, strict=True)]))

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every shape that agrees with this one agrees with the other, a TensorShape, too."""
        if not isinstance(other, TensorShape):
            return False
        dims, others = self._dims, other._dims
        if others is None:
            return True
        return (
            dims is not None
            and len(dims) == len(others)
            and all(b is None or a == b for a, b in zip(dims, others, strict=True))
        )

    def most_specific_common_supertype(self, others: Sequence[Any]) -> TensorShape | None:
        """The most specific shape of which this one and all the others are subtypes; None if one is no TensorShape."""
        out = self
        for other in others:
            if not isinstance(other, TensorShape):
                return None
            out = out.most_specific_compatible_shape(other)
        return out

    def __bool__(self) -> bool:
        return self._dims is not None

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of a shape of unknown rank.")
        return len(self._dims)

    def __iter__(self) -> Iterator[int | None]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape of unknown rank.")
        return iter(self._dims)

    def __getitem__(self, key: Any) -> Any:
        """A dimension (int or None), or for a slice a TensorShape. Of an unknown rank, what follows from the slice."""
        dims = self._dims
        if type(key) is slice:
            return _unknown_slice(key) if dims is None else TensorShape._known(dims[key])
        return None if dims is None else dims[key]

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return as_shape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        if type(other) is TensorShape:
            return self._dims == other._dims
        if isinstance(other, (tuple, list)):
            return self._dims == tuple(other)
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        return "<unknown>" if self._dims is None else str(self._dims)

    def __reduce__(self) -> tuple:
        return TensorShape, (self._dims,)


_new = object.__new__
_UNKNOWN = TensorShape(None)


def as_shape(shape: Any) -> TensorShape:
    """The TensorShape of whatever `TensorShape` takes; itself if it is one."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def _dimension(entry: Any, dims: Any) -> int | None:
    if entry is None:
        return None
    try:
        size = int(index(entry))
    except TypeError:
        raise TypeError(
            f"A dimension must be an int or None, not {entry!r} of type {type(entry).__name__}; the shape: {dims!r}."
        ) from None
    if size < 0:
        raise ValueError(f"Dimension {size} must be >= 0; the shape: {dims!r}.")
    return size


def _unknown_slice(key: slice) -> TensorShape:
    """What is known of a slice of a shape of unknown rank: its length, if both ends count from the front."""
    start, stop = 0 if key.start is None else index(key.start), key.stop
    if key.step is not None:
        raise ValueError("A shape of unknown rank cannot be sliced with a step.")
    if stop is None or start < 0 or index(stop) < 0:
        return _UNKNOWN
    return TensorShape._known((None,) * max(index(stop) - start, 0))


def shape_text(dims: Sequence[int | None] | None) -> str:
    """A shape as it stands in ops' error messages: `[2,3]`, `[?,3]`, `<unknown>`."""
    if dims is None:
        return "<unknown>"
    return "[" + ",".join("?" if size is None else str(size) for size in dims) + "]"


def broadcast_shapes(*shapes: Dims | None, op_name: str | None = None) -> Dims | None:
    """The shape that all these broadcast to, None where the rank of one is unknown.

    A dimension that is not known may turn out to be 1, so it gives way to one greater than 1 and stays against 1.

    Raises InvalidArgumentError, which names the op if it is given, where they do not broadcast.
    """
    if None in shapes:
        return None
    out: list[int | None] = []
    for sizes in zip_longest(*[reversed(shape) for shape in shapes if shape is not None], fillvalue=1):
        if any(type(n) is not int and n is not None for n in sizes):  # sizes that a trace does not know
            sizes = tuple([n if type(n) is int else None for n in sizes])
        wanted = {*sizes} - {1, None}
        if len(wanted) > 1:
            raise invalid(op_name, f"Incompatible shapes: {' vs. '.join([shape_text(shape) for shape in shapes])}")
        out.append(wanted.pop() if wanted else None if None in sizes else 1)
    return tuple(reversed(out))


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """`tf.broadcast_static_shape`: the TensorShape that two static shapes broadcast to.

    Raises ValueError where they do not.
    """
    try:
        return TensorShape(broadcast_shapes(as_shape(shape_x)._dims, as_shape(shape_y)._dims))
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None
