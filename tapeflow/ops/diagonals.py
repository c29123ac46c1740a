"""Diagonals and bands of matrices: diag, diag_part, set_diag, tensor_diag, tensor_diag_part, band_part.

What the diagonals of a batch of matrices have in common is a table of positions: entry [d, i] of the stacked diagonals
belongs to the matrix's element (row, column), or is padding. All three ops on diagonals are lookups in that table.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.size import known
from ..core.tensor import Tensor
from .deferring import deferred, shape_of, unknown
from .statics import static_array, static_int

_ALIGNS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")

# -- where diagonals lie -----------------------------------------------------------------------------------------------


@lru_cache(128)
def diagonal_positions(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, ...]:
    """Of the diagonals `high` down to `low`: (diagonal, place within it, row, column) of each of their elements."""
    longest = _longest(rows, columns, low, high)
    upper, lower = align.split("_")
    parts = []
    for d, k in enumerate(range(high, low - 1, -1)):
        first_row, first_column = max(0, -k), max(0, k)
        length = min(rows - first_row, columns - first_column)
        steps = np.arange(max(length, 0))
        right = (upper if k > 0 else lower if k < 0 else "LEFT") == "RIGHT"
        parts.append(
            (
                np.full(steps.shape, d),
                steps + (longest - length if right else 0),
                first_row + steps,
                first_column + steps,
            )
        )
    return tuple([np.concatenate(column) for column in zip(*parts, strict=True)])


def _longest(rows: int, columns: int, low: int, high: int) -> int:
    return min(rows + min(high, 0), columns - max(low, 0))


def _bounds(k: Any, title: str) -> tuple[int, int]:
    given = static_array(k, title, "k").reshape(-1).tolist()
    if len(given) not in (1, 2):
        raise errors.invalid(title, f"diag_index must be a scalar or a vector of 1 or 2 elements, not of {len(given)}")
    low, high = given[0], given[-1]
    if low > high:
        raise errors.invalid(title, f"lower_diag_index must not be larger than upper_diag_index: {low} > {high}")
    return low, high


def _check_align(align: str, title: str) -> None:
    if align not in _ALIGNS:
        raise errors.invalid(
            title, f"Value for attr 'align' of \"{align}\" is not in the list of allowed values: {', '.join(_ALIGNS)}"
        )


def _check_bounds(rows: int, columns: int, low: int, high: int, title: str) -> None:
    for what, k in (("lower_diag_index", low), ("upper_diag_index", high)):
        if not -rows < k < columns and not (k == 0 and not rows * columns):
            raise errors.invalid(title, f"{what} is out of bound: {k}. It must be between {-rows} and {columns}")


def _stacked_shape(rows: int, columns: int, low: int, high: int) -> tuple[int, ...]:
    longest = _longest(rows, columns, low, high)
    return (longest,) if low == high else (high - low + 1, longest)


# -- the ops -----------------------------------------------------------------------------------------------------------


def _diag_part_kernel(xp: Any) -> Any:
    def diag_part(x: Any, low: int, high: int, align: str, padding: Any) -> Any:
        *batch, rows, columns = x.shape
        d, i, row, column = diagonal_positions(rows, columns, low, high, align)
        found = x[..., row, column]
        shape = (*batch, high - low + 1, _longest(rows, columns, low, high))
        if xp is np:
            out = np.full(shape, padding, x.dtype)
            out[..., d, i] = found
        else:
            out = xp.full(shape, padding, x.dtype).at[..., d, i].set(found)
        return out.reshape(*batch, *_stacked_shape(rows, columns, low, high))

    return diag_part


def _diag_part_shape(x: Any, low: int, high: int, align: str, padding: Any) -> Abstract:
    if x.shape is None or None in x.shape[-2:]:
        return Abstract(None, x.dtype)
    *batch, rows, columns = x.shape
    return Abstract((*batch, *_stacked_shape(rows, columns, low, high)), x.dtype)


_diag_part = define(
    "matrix_diag_part",
    _diag_part_kernel,
    _diag_part_shape,
    [lambda F, g, shape, low, high, align, padding: F.matrix_diag(g, low, high, *shape[-2:], align, 0)],
    saves=lambda x, out, *attributes: (x._value.shape,),
    title="MatrixDiagPartV3",
)


def _diag_kernel(xp: Any) -> Any:
    def diag(x: Any, low: int, high: int, rows: int, columns: int, align: str, padding: Any) -> Any:
        batch = x.shape[: x.ndim - (1 if low == high else 2)]
        d, i, row, column = diagonal_positions(rows, columns, low, high, align)
        values = x.reshape(*batch, high - low + 1, _longest(rows, columns, low, high))[..., d, i]
        if xp is not np:
            return xp.full((*batch, rows, columns), padding, x.dtype).at[..., row, column].set(values)
        out = np.full((*batch, rows, columns), padding, x.dtype)
        out[..., row, column] = values
        return out

    return diag


def _diag_shape(x: Any, low: int, high: int, rows: int, columns: int, align: str, padding: Any) -> Abstract:
    if x.shape is None:
        return Abstract(None, x.dtype)
    return Abstract((*x.shape[: len(x.shape) - (1 if low == high else 2)], rows, columns), x.dtype)


_diag = define(
    "matrix_diag",
    _diag_kernel,
    _diag_shape,
    [
        lambda F, g, low, high, rows, columns, align, padding: F.matrix_diag_part(g, low, high, align, 0),
    ],
    title="MatrixDiagV3",
)


def _set_diag_kernel(xp: Any) -> Any:
    def set_diag(x: Any, diagonal: Any, low: int, high: int, align: str) -> Any:
        *batch, rows, columns = x.shape
        d, i, row, column = diagonal_positions(rows, columns, low, high, align)
        values = diagonal.reshape(*batch, high - low + 1, _longest(rows, columns, low, high))[..., d, i]
        if xp is not np:
            return x.at[..., row, column].set(values)
        out = x.copy()
        out[..., row, column] = values
        return out

    return set_diag


_set_diag = define(
    "matrix_set_diag",
    _set_diag_kernel,
    lambda x, diagonal, low, high, align: Abstract(x.shape, x.dtype),
    [
        lambda F, g, diagonal, low, high, align: F.matrix_set_diag(g, F.zeros_like(diagonal), low, high, align),
        lambda F, g, diagonal, low, high, align: F.matrix_diag_part(g, low, high, align, 0),
    ],
    saves=lambda x, diagonal, out, *attributes: (diagonal,),
    title="MatrixSetDiagV3",
    inputs=2,
)

# -- as functions ------------------------------------------------------------------------------------------------------


def _diag_part_kind(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Abstract:
    x = convert_to_tensor(input)._value
    low, high = _bounds(k, "MatrixDiagPartV3")
    shape = known(x.shape)
    return Abstract((*shape[:-2], *(() if low == high else (high - low + 1,)), None), x.dtype)


@deferred(_diag_part_kind, values=("k", "padding_value"))
def diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """The diagonals of a batch of matrices.

    Arguments:
        input: [..., rows, columns].
        k: which: 0 the main one, positive ones above it, negative ones below; a pair (low, high) for several.
        padding_value: what fills up shorter diagonals.
        align: at which side shorter diagonals stand, those above the main one and those below it.

    Returns [..., longest], or for a pair [..., high - low + 1, longest], the uppermost diagonal first.

    Raises InvalidArgumentError for a k out of range, another align, an input that is no matrix.
    """
    title = "MatrixDiagPartV3"
    x = convert_to_tensor(input)
    low, high = _bounds(k, title)
    _check_align(align, title)
    if len(x._value.shape) < 2:
        raise errors.invalid(title, f"input must be at least 2-dim, received shape: {shape_text(x._value.shape)}")
    rows, columns = x._value.shape[-2:]
    _check_bounds(rows, columns, low, high, title)
    return _diag_part(x, low, high, align, _padding(padding_value, x))


def _padding(value: Any, x: Tensor) -> Any:
    if x._value.dtype.kind == "b" and type(value) is int:
        value = bool(value)
    return convert_to_tensor(value, x.dtype)._value


def _diag_kind(
    diagonal: Any, name: str = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Abstract:  # fmt: skip
    x = convert_to_tensor(diagonal)._value
    low, high = _bounds(k, "MatrixDiagV3")
    sizes = [n if type(n) is int and n >= 0 else None for n in (num_rows, num_cols)]
    return Abstract((*known(x.shape)[: len(x.shape) - (1 if low == high else 2)], *sizes), x.dtype)


@deferred(_diag_kind, values=("k", "num_rows", "num_cols", "padding_value"))
def diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Matrices with the given diagonals.

    Arguments:
        diagonal: [..., n], or for several diagonals [..., number of them, n], the uppermost first.
        k: which they are: 0 the main one, positive ones above it, negative ones below; or a pair (low, high).
        num_rows, num_cols: the shape of the matrices; the smallest that will do where -1.
        padding_value: what stands elsewhere.
        align: at which side shorter diagonals stand, those above the main one and those below it.

    Raises InvalidArgumentError where the shape does not fit the diagonals.
    """
    title = "MatrixDiagV3"
    x = convert_to_tensor(diagonal)
    low, high = _bounds(k, title)
    _check_align(align, title)
    shape = x._value.shape
    if len(shape) < (1 if low == high else 2):
        raise errors.invalid(
            title, f"diagonal must be at least {1 if low == high else 2}-dim, received {shape_text(shape)}"
        )
    if low != high and shape[-2] != high - low + 1:
        raise errors.invalid(
            title, f"The number of diagonals provided ({shape[-2]}) is not consistent with k: {high - low + 1} of them"
        )
    longest = shape[-1]
    rows, columns = static_int(num_rows, title), static_int(num_cols, title)
    # the smallest that hold the longest of the diagonals
    least = longest - min(high, 0), longest + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(least)
    rows = least[0] if rows == -1 else rows
    columns = least[1] if columns == -1 else columns
    if rows < least[0] or columns < least[1] or _longest(rows, columns, low, high) != longest:
        raise errors.invalid(
            title,
            "The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal: "
            f"{rows} x {columns} for diagonals {low} to {high} of length {longest}",
        )
    return _diag(x, low, high, rows, columns, align, _padding(padding_value, x))


def _same_kind(input: Any, *args: Any, **kwargs: Any) -> Abstract:
    x = convert_to_tensor(input)._value
    return Abstract(known(x.shape), x.dtype)


@deferred(_same_kind, values=("k",))
def set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    """Matrices with some of their diagonals replaced.

    Arguments:
        input: [..., rows, columns].
        diagonal: what `diag_part(input, k=k)` would give, in its shape.
        k, align: as for `diag_part`.

    Raises InvalidArgumentError for a k out of range and a diagonal of another shape.
    """
    title = "MatrixSetDiagV3"
    x = convert_to_tensor(input)
    d = diagonal if isinstance(diagonal, Tensor) else convert_to_tensor(diagonal, x.dtype)
    low, high = _bounds(k, title)
    _check_align(align, title)
    shape = x._value.shape
    if len(shape) < 2:
        raise errors.invalid(title, f"input must be at least 2-dim, received shape: {shape_text(shape)}")
    *batch, rows, columns = shape
    _check_bounds(rows, columns, low, high, title)
    wanted = (*batch, *_stacked_shape(rows, columns, low, high))
    if d._value.shape != wanted:
        raise errors.invalid(
            title,
            f"the diagonals {low} to {high} of shape {shape_text(shape)} have shape {shape_text(wanted)}, not "
            f"{shape_text(d._value.shape)}",
        )
    return _set_diag(x, d, low, high, align)


def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """The tensor of twice the rank with the given one on its diagonal: `out[i..., i...] = diagonal[i...]`.

    Raises InvalidArgumentError for a scalar.
    """
    x = convert_to_tensor(diagonal)
    shape = x._value.shape
    if not shape:
        raise errors.invalid("Diag", "Input must be at least rank 1, got 0")
    n = prod(shape)
    return TENSORS.reshape(_diag(TENSORS.reshape(x, (n,)), 0, 0, n, n, _ALIGNS[0], 0), shape + shape)


@deferred(lambda input, name=None: unknown(len(shape_of(input)) // 2, convert_to_tensor(input)._value.dtype))
def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonal of a tensor of even rank: `out[i...] = input[i..., i...]`.

    Raises InvalidArgumentError where the first half of the shape is not the second.
    """
    x = convert_to_tensor(input)
    shape = x._value.shape
    half = len(shape) // 2
    if len(shape) % 2 or not shape:
        raise errors.invalid(
            "DiagPart", f"The rank of the tensor should be even and positive, got shape {shape_text(shape)}"
        )
    for i in range(half):
        if shape[i] != shape[half + i]:
            raise errors.invalid(
                "DiagPart", f"Invalid shape {shape_text(shape)}: dimensions {i} and {half + i} do not match."
            )
    n = prod(shape[:half])
    return TENSORS.reshape(_diag_part(TENSORS.reshape(x, (n, n)), 0, 0, _ALIGNS[0], 0), shape[:half])


# -- bands -------------------------------------------------------------------------------------------------------------


def _band_kernel(xp: Any) -> Any:
    def band_part(x: Any, lower: int, upper: int) -> Any:
        rows, columns = x.shape[-2:]
        off = xp.arange(rows)[:, None] - xp.arange(columns)
        inside = (off <= (lower if lower >= 0 else rows)) & (-off <= (upper if upper >= 0 else columns))
        return xp.where(inside, x, xp.zeros((), x.dtype))

    return band_part


_band_part = define(
    "matrix_band_part",
    _band_kernel,
    lambda x, lower, upper: Abstract(x.shape, x.dtype),
    [lambda F, g, lower, upper: F.matrix_band_part(g, lower, upper)],
)


@deferred(_same_kind, values=("num_lower", "num_upper"))
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Matrices with zeros outside of a band around their main diagonals.

    Arguments:
        input: [..., rows, columns].
        num_lower, num_upper: how many diagonals below and above to keep; all of them where negative.

    Raises InvalidArgumentError for an input that is no matrix and more diagonals than it has.
    """
    title = "MatrixBandPart"
    x = convert_to_tensor(input)
    shape = x._value.shape
    if len(shape) < 2:
        raise errors.invalid(title, f"input must be at least 2-dim, received shape: {shape_text(shape)}")
    lower, upper = static_int(num_lower, title, "Tindex"), static_int(num_upper, title, "Tindex")
    for what, n, of, size in (("num_lower", lower, "rows", shape[-2]), ("num_upper", upper, "columns", shape[-1])):
        if size is not None and n > size:
            raise errors.invalid(title, f"{what} must be negative or less or equal to number of {of} ({size}) got: {n}")
    return _band_part(x, lower, upper)
