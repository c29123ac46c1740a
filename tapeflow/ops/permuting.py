"""The same elements in another order: reverse, roll, reverse_sequence, invert_permutation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.elementwise import same
from ..core.op import define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .deferring import deferred, shape_of
from .slicing import string_element
from .statics import from_end, refused_integer, static_array, static_ints

# -- reverse -----------------------------------------------------------------------------------------------------------


def _reverse_kernel(xp: Any) -> Any:
    def reverse(x: Any, axes: tuple) -> Any:
        return string_element(x[tuple([slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim)])])

    return reverse


_reverse = define("reverse", _reverse_kernel, same, [lambda F, g, axes: F.reverse(g, axes)], title="ReverseV2")


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The tensor with the dimensions that `axis`, a vector, names turned round.

    Raises InvalidArgumentError for an axis out of range or named twice, and for one that is no vector of integers.
    """
    x = convert_to_tensor(tensor)
    rank = len(x._value.shape)
    given = static_ints(axis, "ReverseV2", what="'axis'")
    axes = []
    for i, a in enumerate(given):
        if not -rank <= a < rank:
            raise errors.invalid("ReverseV2", f"'axis'[{i}] = {a} is out of valid range [{-rank}, {rank - 1}]")
        if from_end(a, rank) in axes:
            raise errors.invalid("ReverseV2", f"axis {from_end(a, rank)} specified more than once.")
        axes.append(from_end(a, rank))
    return _reverse(x, tuple(axes))


# -- roll --------------------------------------------------------------------------------------------------------------

_roll = define(
    "roll",
    lambda xp: lambda x, shifts, axes: xp.roll(x, shifts, axes),
    same,
    [lambda F, g, shifts, axes: F.roll(g, tuple([-n for n in shifts]), axes)],
)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """The tensor with its elements moved along dimensions; what leaves at one end comes in at the other.

    Arguments:
        input: a tensor of rank 1 or more.
        shift: by how many places, towards the end: an integer, or a vector with one for each of `axis`.
        axis: the dimension or dimensions, which may count from the end; shifts of one named twice add up.

    Raises InvalidArgumentError for a scalar, an axis out of range and another number of shifts than of axes.
    """
    x = convert_to_tensor(input)
    shifts, axes = static_array(shift, "Roll", "Tshift"), static_array(axis, "Roll", "Taxis")
    rank = len(x._value.shape)
    if not rank:
        raise errors.invalid("Roll", "input must be 1-D or higher")
    if shifts.shape != axes.shape or shifts.ndim > 1:
        raise errors.invalid(
            "Roll",
            "shift and axis must have the same size, both scalars or vectors: their shapes are "
            f"{shape_text(shifts.shape)} and {shape_text(axes.shape)}",
        )
    for a in axes.reshape(-1).tolist():
        if not -rank <= a < rank:
            raise errors.invalid("Roll", f"axis {a} is out of range for an input of rank {rank}")
    return _roll(x, tuple(shifts.reshape(-1).tolist()), tuple(axes.reshape(-1).tolist()))


# -- reverse_sequence --------------------------------------------------------------------------------------------------


def _reverse_sequence_kernel(xp: Any) -> Any:
    def reverse_sequence(x: Any, lengths: Any, seq_axis: int, batch_axis: int) -> Any:
        step = xp.arange(x.shape[seq_axis])
        until = xp.asarray(lengths)[:, None]
        order = xp.where(step < until, until - 1 - step, step)
        rest = tuple([i for i in range(x.ndim) if i not in (batch_axis, seq_axis)])
        perm = (batch_axis, seq_axis, *rest)
        moved = x.transpose(perm)[xp.arange(x.shape[batch_axis])[:, None], order]
        return moved.transpose(np.argsort(perm).tolist())

    return reverse_sequence


_reverse_sequence = define(
    "reverse_sequence",
    _reverse_sequence_kernel,
    lambda x, lengths, seq_axis, batch_axis: Abstract(x.shape, x.dtype),
    [
        lambda F, g, lengths, seq_axis, batch_axis: F.reverse_sequence(g, lengths, seq_axis, batch_axis),
        None,
    ],
    saves=lambda x, lengths, out, seq_axis, batch_axis: (lengths,),
    inputs=2,
)


@deferred(
    lambda input, *args, **kwargs: Abstract(shape_of(input), convert_to_tensor(input)._value.dtype),
    values=("seq_lengths",),
)
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, name: str | None = None
) -> Tensor:
    """The tensor with the first `seq_lengths[i]` steps of each example i turned round; the others stay.

    Arguments:
        input: a tensor of rank 2 or more.
        seq_lengths: int32 or int64, one for each example.
        seq_axis: the dimension of steps.
        batch_axis: the dimension of examples; 0 by default.

    Raises InvalidArgumentError for lengths that do not fit and dimensions out of range, TypeError without `seq_axis`.
    """
    title = "ReverseSequence"
    if seq_axis is None:
        raise TypeError("Expected int for argument 'seq_axis' of reverse_sequence, not None.")
    batch_axis = batch_axis or 0
    x, lengths = convert_to_tensor(input), convert_to_tensor(seq_lengths)
    if lengths._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(lengths._value.dtype, title, "Tlen")
    shape = x._value.shape
    for what, axis in (("seq_dim", seq_axis), ("batch_dim", batch_axis)):
        if axis < 0:
            raise errors.invalid(title, f"Invalid {what} {axis}")
        if axis >= len(shape):
            raise errors.invalid(title, f"{what} must be < input rank ( {axis} vs. {len(shape)})")
    if seq_axis == batch_axis:
        raise errors.invalid(title, f"batch_dim == seq_dim == {seq_axis}")
    values = np.asarray(lengths._value)
    if values.shape != (shape[batch_axis],):
        raise errors.invalid(
            title, f"seq_lengths must be [{shape[batch_axis]}], one for each example, not {shape_text(values.shape)}"
        )
    for i, n in enumerate(values.tolist()):
        if not 0 <= n <= shape[seq_axis]:
            raise errors.invalid(title, f"seq_lens({i}) = {n} is not in [0, {shape[seq_axis]}]")
    return _reverse_sequence(x, lengths, seq_axis, batch_axis)


# -- invert_permutation ------------------------------------------------------------------------------------------------


def _invert_kernel(xp: Any) -> Any:
    return lambda x: xp.argsort(x).astype(x.dtype)


_invert_permutation = define("invert_permutation", _invert_kernel, same)


@deferred(lambda x, name=None: Abstract(shape_of(x), convert_to_tensor(x)._value.dtype), values=("x",))
def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutation y with `y[x[i]] = i`, for a vector x that has each of 0, ..., n - 1 once.

    Raises InvalidArgumentError where it has not.
    """
    title = "InvertPermutation"
    given = convert_to_tensor(x)
    if given._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(given._value.dtype, title, "T")
    values = np.asarray(given._value)
    if values.ndim != 1:
        raise errors.invalid(title, "invert_permutation expects a 1D vector.")
    seen: set[int] = set()
    for n in values.tolist():
        if not 0 <= n < values.size:
            raise errors.invalid(title, f"{n} is not between 0 and {values.size}")
        if n in seen:
            raise errors.invalid(title, f"{n} is duplicated in the input.")
        seen.add(n)
    return _invert_permutation(given)
