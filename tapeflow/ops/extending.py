"""Tensors made larger, with their own elements (tile, repeat) or around them (pad)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors, nest
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor, is_tensor
from ..core.dtypes import short_name
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from ..core.variable import Variable
from .deferring import deferred, shape_of, unknown
from .statics import from_end, static_array, static_ints

# -- tile and repeat ---------------------------------------------------------------------------------------------------


def _tiled(x: Any, multiples: tuple) -> Abstract:
    if x.shape is None:
        return Abstract((None,) * len(multiples), x.dtype)
    if len(multiples) != len(x.shape):
        raise errors.invalid(
            "Tile",
            f"Expected multiples argument to be a vector of length {len(x.shape)} but got length {len(multiples)}",
        )
    for i, m in enumerate(multiples):
        if m < 0:
            raise errors.invalid("Tile", f"Expected multiples[{i}] >= 0, but got {m}")
    return Abstract(tuple([None if n is None else n * m for n, m in zip(x.shape, multiples, strict=True)]), x.dtype)


def _interleaved(shape: tuple, multiples: tuple) -> tuple:
    return tuple([n for pair in zip(multiples, shape, strict=True) for n in pair])


def _tile_kernel(xp: Any) -> Any:
    if xp is not np:
        return xp.tile

    def tile(x: Any, multiples: tuple) -> Any:
        # np.tile copies once for each dimension
        shape = x.shape
        out = np.empty(_interleaved(shape, multiples), x.dtype)
        out[...] = x.reshape(_interleaved(shape, (1,) * len(shape)))
        return out.reshape([n * m for n, m in zip(shape, multiples, strict=True)])

    return tile


_tile = define(
    "tile",
    _tile_kernel,
    _tiled,
    [
        lambda F, g, shape, multiples: F.reduce_sum(
            F.reshape(g, _interleaved(shape, multiples)), tuple(range(0, 2 * len(shape), 2)), False
        )
    ],
    saves=lambda x, out, multiples: (x._value.shape,),
)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The tensor repeated as a whole, `multiples[i]` times along dimension i.

    Raises InvalidArgumentError where `multiples` is no vector of integers >= 0, one for each dimension.
    """
    x = convert_to_tensor(input)
    return _tile(x, static_ints(multiples, "Tile", "Tmultiples", "Expected multiples to be 1-D, it"))


@deferred(
    lambda input, repeats, axis=None, name=None: unknown(
        1 if axis is None else max(1, len(shape_of(input))), convert_to_tensor(input)._value.dtype
    ),
    values=("repeats",),
)
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """The tensor with each part along a dimension repeated.

    Arguments:
        input: a tensor.
        repeats: how often: one integer, or a vector of one for each part.
        axis: the dimension, which may count from the end; None takes the elements of the tensor as one vector.

    Raises ValueError for an axis out of range or a number of repeats that is not that of the parts, TypeError for
    repeats that are no integers, InvalidArgumentError for negative ones.
    """
    x = convert_to_tensor(input)
    counts = np.asarray(convert_to_tensor(repeats)._value)
    if counts.dtype.kind not in "iu":
        raise TypeError(
            f"Argument `repeats` must be of type integer. Received {repeats!r} of dtype {counts.dtype.name}"
        )
    if axis is None or not x._value.shape:
        x, axis = TENSORS.reshape(x, (-1,)), axis or 0
    shape = x._value.shape
    rank = len(shape)
    if not -rank <= axis < rank:
        raise ValueError(f"axis={axis} out of bounds: expected -{rank}<=axis<{rank}")
    axis = from_end(axis, rank)
    if counts.ndim > 1:
        raise ValueError(f"Shape {counts.shape} must have rank at most 1")
    if (counts < 0).any():
        raise errors.invalid("Repeat", f"repeats must be >= 0, but got {counts.tolist()}")
    if counts.size == 1:
        n = int(counts.reshape(-1)[0])
        x = TENSORS.reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
        x = _tile(x, (1,) * (axis + 1) + (n,) + (1,) * (rank - axis - 1))
        return TENSORS.reshape(x, (*shape[:axis], shape[axis] * n, *shape[axis + 1 :]))
    if counts.size != shape[axis]:
        raise ValueError(f"Dimensions {shape[axis]} and {counts.size} are not compatible: one repeat for each part")
    which = convert_to_tensor(np.arange(shape[axis], dtype=np.int32).repeat(counts))
    # a leading dimension of 1 makes the gradient of the gather a dense one
    x = TENSORS.gather(TENSORS.reshape(x, (1, *shape)), which, axis + 1, 0)
    return TENSORS.reshape(x, x._value.shape[1:])


# -- pad ---------------------------------------------------------------------------------------------------------------


def _padded(x: Any, paddings: tuple, mode: str, value: Any) -> Abstract:
    title = "Pad" if mode == "CONSTANT" else "MirrorPad"
    if x.shape is None:
        return Abstract((None,) * len(paddings), x.dtype)
    if len(paddings) != len(x.shape):
        raise errors.invalid(
            title,
            "The first dimension of paddings must be the rank of inputs: "
            f"{len(x.shape)} for shape {shape_text(x.shape)}, not {len(paddings)}",
        )
    # a reflection leaves out the element at the edge, a symmetric one repeats it
    edge = int(mode == "REFLECT")
    for (before, after), size in zip(paddings, x.shape, strict=True):
        if before < 0 or after < 0:
            raise errors.invalid(title, f"Paddings must be non-negative: {before} {after}")
        if mode != "CONSTANT" and size is not None and max(before, after) > size - edge:
            words = ("less than", "not less than") if edge else ("no greater than", "greater than")
            raise errors.invalid(
                title, f"paddings must be {words[0]} the dimension size: {before}, {after} {words[1]} {size}"
            )
    out = [None if n is None else n + a + b for n, (a, b) in zip(x.shape, paddings, strict=True)]
    return Abstract(tuple(out), x.dtype)


def _pad_kernel(xp: Any) -> Any:
    def pad(x: Any, paddings: tuple, mode: str, value: Any) -> Any:
        if mode != "CONSTANT":
            return xp.pad(x, paddings, mode.lower())
        if xp is not np:
            return xp.pad(x, paddings, constant_values=value)
        out = np.empty([n + a + b for n, (a, b) in zip(x.shape, paddings, strict=True)], x.dtype)
        out.fill(value)
        out[tuple([slice(a, a + n) for n, (a, _) in zip(x.shape, paddings, strict=True)])] = x
        return out

    return pad


def _pad_grad(F: Any, g: Any, shape: tuple, paddings: tuple, mode: str, value: Any) -> Any:
    if mode != "CONSTANT":
        return F.mirror_pad_grad(g, paddings, mode)
    return F.strided_slice(g, tuple([(a, a + n, None) for n, (a, _) in zip(shape, paddings, strict=True)]))


_pad = define("pad", _pad_kernel, _padded, [_pad_grad], saves=lambda x, out, paddings, mode, value: (x._value.shape,))


def _fold_kernel(xp: Any) -> Any:
    def fold(g: Any, paddings: tuple, mode: str) -> Any:
        """Adds what lies in the padding to the elements that it mirrors."""
        edge = int(mode == "REFLECT")
        for axis, (before, after) in enumerate(paddings):
            if not before and not after:
                continue
            g = xp.moveaxis(g, axis, 0)
            n = g.shape[0] - before - after
            places = (slice(edge, edge + before), slice(n - edge - after, n - edge))
            parts = (g[:before][::-1], g[before + n :][::-1])
            center = g[before : before + n]
            if xp is np:
                center = center.copy()
                for place, part in zip(places, parts, strict=True):
                    center[place] += part
            else:
                for place, part in zip(places, parts, strict=True):
                    center = center.at[place].add(part)
            g = xp.moveaxis(center, 0, axis)
        return g

    return fold


define(
    "mirror_pad_grad",
    _fold_kernel,
    lambda g, paddings, mode: Abstract(
        tuple([None if n is None else n - a - b for n, (a, b) in zip(g.shape, paddings, strict=True)]), g.dtype
    ),
    [lambda F, g, paddings, mode: F.pad(g, paddings, mode, 0)],
)


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """The tensor with elements put before and after it in each dimension.

    Arguments:
        tensor: a tensor of rank n.
        paddings: [n, 2] integers, how many before and how many after.
        mode: "CONSTANT" puts `constant_values` there, "REFLECT" mirrors at the elements on the edge, "SYMMETRIC"
            mirrors with them. In upper or lower case.
        constant_values: a scalar; no derivative goes to it.

    Raises InvalidArgumentError for paddings of another shape, negative or larger than what there is to mirror,
    ValueError for another mode, TypeError for a constant that does not fit the tensor's dtype.
    """
    late = mode.upper() != "CONSTANT" or any(isinstance(n, Tensor) for n in nest.flatten(paddings))
    return (_padded_later if late else _padded_by)(tensor, paddings, mode, constant_values)


def _padded_by(tensor: Any, paddings: Any, mode: str, constant_values: Any) -> Tensor:
    if isinstance(constant_values, (Tensor, Variable)) and not is_tensor(tensor):
        tensor = convert_like(tensor, convert_to_tensor(constant_values)._value.dtype)
    x = convert_to_tensor(tensor)
    how = mode.upper()
    if how not in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        raise ValueError(f'`mode` must be "CONSTANT", "REFLECT" or "SYMMETRIC". Received `mode` = {mode}')
    title = "Pad" if how == "CONSTANT" else "MirrorPad"
    amounts = static_array(paddings, title, "Tpaddings")
    if amounts.ndim != 2 or amounts.shape[1] != 2:
        raise errors.invalid(title, f"paddings must be a matrix with 2 columns: {shape_text(amounts.shape)}")
    pairs = tuple([tuple(pair) for pair in amounts.tolist()])
    if how != "CONSTANT":
        _padded(x._value, pairs, how, 0)
        return _pad(x, pairs, how, 0)
    if type(constant_values) is int and constant_values == 0:
        return _pad(_checked(x, pairs), pairs, how, b"" if x._value.dtype.kind == "O" else 0)
    return _pad_with(_checked(x, pairs), pairs, constant_values)


_padded_later = deferred(
    lambda tensor, *given: unknown(len(shape_of(tensor)), convert_to_tensor(tensor)._value.dtype),
    values=("paddings",),
)(_padded_by)


def _checked(x: Tensor, pairs: tuple) -> Tensor:
    _padded(x._value, pairs, "CONSTANT", 0)
    return x


def _pad_with(x: Tensor, pairs: tuple, constant_values: Any) -> Tensor:
    if isinstance(constant_values, (Tensor, Variable)):
        constant = convert_to_tensor(constant_values)
        if constant._value.dtype != x._value.dtype:
            raise errors.invalid(
                "PadV2",
                f"constant_values was expected to be a {short_name(x._value.dtype)} tensor but is a "
                f"{short_name(constant._value.dtype)} tensor",
            )
    else:
        constant = convert_to_tensor(constant_values, x._value.dtype)
    if constant._value.shape != ():
        raise errors.invalid("PadV2", f"constant_values must be a scalar. Found: {shape_text(constant._value.shape)}")
    return _pad(x, pairs, "CONSTANT", constant._value[()] if x._value.dtype.kind == "O" else constant._value)
