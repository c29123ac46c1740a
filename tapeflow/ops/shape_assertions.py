"""Assertions about what tensors are: ranks, shapes, dtypes, and Python's own kinds of value.

What is known before there are values is held against the expectation at once, and raises ValueError or TypeError. Only
what a trace leaves open waits for the values; then it raises InvalidArgumentError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype, float32
from ..core.indexed_slices import IndexedSlices
from ..core.tensor import Tensor
from .assertions import introduced, require

# -- ranks -------------------------------------------------------------------------------------------------------------


def assert_rank(x: Any, rank: Any, message: Any = None, name: str | None = None) -> None:
    """Raises unless `x` has the given rank.

    Arguments:
        x: a tensor.
        rank: an int, or a scalar int32 tensor.
        message: what the error begins with.

    Raises ValueError for another rank (InvalidArgumentError where a trace did not know it), TypeError and ValueError
    for a `rank` that is no int.
    """
    _require_rank(x, (rank,), _IS, message)


def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: str | None = None) -> None:
    """Raises unless `x` has the given rank or a higher one. Arguments and errors as in `assert_rank`."""
    _require_rank(x, (rank,), _AT_LEAST, message)


def assert_rank_in(x: Any, ranks: Iterable, message: Any = None, name: str | None = None) -> None:
    """Raises unless `x` has one of the given ranks. Arguments and errors as in `assert_rank`."""
    _require_rank(x, tuple(ranks), _IN, message)


# the words of the error, and the condition
_IS = ("rank {0}", lambda have, ranks: have == ranks[0])
_AT_LEAST = ("rank at least {0}", lambda have, ranks: have >= ranks[0])
_IN = ("rank in {all}", lambda have, ranks: have in ranks)


def _require_rank(x: Any, ranks: tuple, kind: tuple[str, Callable], message: Any) -> None:
    x = convert_to_tensor(x)
    ranks = tuple([_rank_tensor(rank) for rank in ranks])
    rank = x.shape.rank
    if rank is not None and all(type(r) is Tensor for r in ranks):
        problem = _rank_problem(x.shape.as_list(), tuple([int(r) for r in ranks]), kind)
        if problem:
            raise ValueError(introduced(message, problem))
    else:
        require([x, *ranks], _has_rank, kind, message)


def _rank_tensor(rank: Any) -> Tensor:
    rank = convert_to_tensor(rank)
    assert_type(rank, "int32")
    if rank.shape.rank:
        raise ValueError(f"Rank must be a scalar. Received: {rank}")
    return rank


def _has_rank(values: Sequence, kind: tuple[str, Callable], message: Any) -> None:
    problem = _rank_problem(values[0].shape, tuple(int(rank) for rank in values[1:]), kind)
    if problem:
        raise errors.invalid("Assert", introduced(message, problem))


def _rank_problem(shape: Sequence, ranks: tuple, kind: tuple[str, Callable]) -> str | None:
    words, holds = kind
    if holds(len(shape), ranks):
        return None
    expected = words.format(*ranks, all=ranks)
    return f"Tensor must have {expected}. Received rank {len(shape)}, shape {tuple(shape)}"


def assert_scalar(tensor: Any, message: Any = None, name: str | None = None) -> None:
    """Raises ValueError unless the tensor has rank 0."""
    shape = convert_to_tensor(tensor).shape
    if shape.rank != 0:
        raise ValueError(introduced(message, f"Expected scalar shape, saw shape: {shape}."))


# -- shapes ------------------------------------------------------------------------------------------------------------


def assert_shapes(
    shapes: Any,
    data: Sequence | None = None,
    summarize: int | None = None,
    message: Any = None,
    name: str | None = None,
) -> None:
    """Raises unless tensors have the shapes given, symbols meaning one size wherever they stand.

    `tf.debugging.assert_shapes([(x, ("N", "features")), (labels, ("N",)), (image, (..., 28, 28, 3))])`

    Arguments:
        shapes: pairs of a tensor and a shape, or a dictionary of them. A shape is a sequence (a string is one of
            letters) of sizes, symbols, and None or "." for any size; `...` or "*" as its first entry stands for any
            number of dimensions. A scalar counts as of shape [1] where a shape has one entry or none. A tensor whose
            shape is given as None is passed over.
        data, summarize: accepted, for what the error shows; it names the shape that was met.
        message: what the error begins with.

    Raises ValueError where a size is another (InvalidArgumentError where a trace did not know it), or a shape is none.
    """
    pairs = [(x, spec) for x, spec in (shapes.items() if isinstance(shapes, Mapping) else shapes)]
    tensors = [convert_to_tensor(x) for x, spec in pairs if spec is not None]
    specs = tuple([_entries(spec, x) for x, (_, spec) in zip(tensors, [p for p in pairs if p[1] is not None])])
    found = [None if x.shape.rank is None else tuple(x.shape.as_list()) for x in tensors]
    problem = _shape_problem(found, specs)
    if problem:
        raise ValueError(introduced(message, problem))
    if any(shape is None or None in shape for shape in found):
        require(tensors, _have_shapes, specs, message)


_ANY_NUMBER = "*"


def _entries(spec: Any, x: Tensor) -> tuple:
    """The entries of a shape: ints, symbols, None for any size, and at most at the beginning `_ANY_NUMBER`."""
    if not hasattr(spec, "__iter__") and not hasattr(spec, "__getitem__"):
        raise ValueError(f"A specified shape must be an iterable. Received: {spec!r} for a tensor of shape {x.shape}.")
    entries = tuple([_entry(entry) for entry in spec])
    if _ANY_NUMBER in entries[1:]:
        raise ValueError(
            f"`...` or `*`, for any number of dimensions, is only allowed as the first entry. "
            f"Received: {entries} for a tensor of shape {x.shape}."
        )
    return entries


def _entry(entry: Any) -> Any:
    if entry is Ellipsis:
        return _ANY_NUMBER
    if entry is None or (isinstance(entry, str) and entry == "."):
        return None
    try:
        return int(entry)
    except (TypeError, ValueError):
        return entry


def _have_shapes(values: Sequence, specs: tuple, message: Any) -> None:
    problem = _shape_problem([value.shape for value in values], specs)
    if problem:
        raise errors.invalid("Assert", introduced(message, problem))


def _shape_problem(shapes: list, specs: tuple) -> str | None:
    """What is wrong with the shapes, as far as they are known (None: not)."""
    sizes: dict[Any, tuple[int, str]] = {}
    for number, (shape, spec) in enumerate(zip(shapes, specs)):
        if shape is None:
            continue
        open_ended = spec[:1] == (_ANY_NUMBER,)
        wanted = spec[1:] if open_ended else spec
        short = len(wanted) <= 1  # then a scalar is as good as a vector of one
        ranks = (0, 1) if short else (len(wanted),)
        if len(shape) < min(ranks) if open_ended else len(shape) not in ranks:
            least = "at least " if open_ended else ""
            expected = " or ".join(str(rank) for rank in ranks)
            return f"Tensor {number} must have rank {least}{expected}. Received rank {len(shape)}, shape {shape}"
        if short and not open_ended:
            wanted = wanted or (1,)
        dims = shape or ((1,) if wanted else ())
        for axis, want in enumerate(wanted, len(dims) - len(wanted)):
            have = dims[axis]
            if want is None or have is None:
                continue
            here = f"dimension {axis} of tensor {number}"
            size, source = (want, "given explicitly") if isinstance(want, int) else sizes.setdefault(want, (have, here))
            if size != have:
                origin = source if isinstance(want, int) else f"{want!r} is the size of {source}"
                return f"Size {have} at {here}, where {size} was specified ({origin}). Received shape {shape}"
    return None


# -- types -------------------------------------------------------------------------------------------------------------


def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: str | None = None) -> None:
    """Raises TypeError unless the tensor has the dtype given."""
    tf_type = as_dtype(tf_type)
    dtype = (tensor if isinstance(getattr(tensor, "dtype", None), DType) else convert_to_tensor(tensor)).dtype
    if dtype != tf_type:
        raise TypeError(introduced(message, f"tensor must be of type {tf_type!r}; got {dtype!r}"))


def assert_integer(x: Any, message: Any = None, name: str | None = None) -> None:
    """Raises TypeError unless the tensor is of an integer dtype (bool is none)."""
    dtype = convert_to_tensor(x).dtype
    if not dtype.is_integer:
        raise TypeError(introduced(message, f'Expected "x" to be integer type. Found: tensor of dtype {dtype!r}'))


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """The one floating dtype of the tensors (None among them is passed over) and of `dtype`, where that is given.

    Without any, it is float32. Raises ValueError where they differ or are not floating.
    """
    expected = None if dtype is None else as_dtype(dtype)
    origin = "`dtype`"
    if tensors is not None:
        for x in [tensors] if isinstance(tensors, Tensor) else tensors:
            if x is None:
                continue
            found = convert_to_tensor(x).dtype
            if expected is None:
                expected, origin = found, f"{x}"
            elif found != expected:
                raise ValueError(f"{x}, type={found!r}, must be of the same type ({expected!r}) as {origin}.")
    expected = float32 if expected is None else expected
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected!r}.")
    return expected


_SINGLE = (Tensor, IndexedSlices, np.ndarray, str, bytes)


def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError for what cannot be iterated over, and for what has elements but is one value.

    Tensors, strings and NumPy arrays are single values; lists, dictionaries and generators are not.
    """
    if isinstance(values, _SINGLE):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable. Found: {type(values)}')
    if not hasattr(values, "__iter__") and not hasattr(values, "__getitem__"):
        raise TypeError(f'Expected argument "values" to be iterable. Found: {type(values)}')


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether this is a tensor, no variable or Python number, of an integer, floating or complex dtype."""
    return isinstance(tensor, Tensor) and (tensor.dtype.is_numeric and not tensor.dtype.is_bool)
