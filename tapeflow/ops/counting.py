"""Counts: bincount, histograms of fixed width, confusion matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import int32, numpy_dtype
from ..core.op import TENSORS, define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .deferring import deferred, shape_of
from .scattering import add_rows
from .statics import refused_integer, static_int

# -- bincount ----------------------------------------------------------------------------------------------------------


def _counted(values: list, size: int, rows: bool, binary: bool, dtype: np.dtype) -> Abstract:
    arr = values[0]
    if not rows:
        return Abstract((size,), dtype)
    return Abstract((*arr.shape[:-1], size), dtype)


def _bincount_kernel(xp: Any) -> Any:
    def bincount(values: list, size: int, rows: bool, binary: bool, dtype: np.dtype) -> Any:
        arr = values[0]
        table = arr.reshape(arr.shape[0] if rows and arr.ndim == 2 else 1, -1)
        keep = table < size
        places = (table + xp.arange(table.shape[0])[:, None] * size)[keep]
        weights = values[1].reshape(table.shape)[keep] if len(values) > 1 else xp.ones(places.shape, dtype)
        out = xp.zeros((table.shape[0] * size, 1), dtype)
        if binary:
            out[places] = 1
        else:
            out = add_rows(xp, out, places, weights[:, None])
        return out.reshape((*arr.shape[:-1], size) if rows else (size,))

    return bincount


_bincount = define("bincount", _bincount_kernel, _counted, title="DenseBincount", inputs=None)


def _bincount_kind(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32,
    name: str | None = None, axis: int | None = None, binary_output: bool = False,
) -> Abstract:  # fmt: skip
    rows = shape_of(arr)[:-1] if axis == -1 else ()
    weighted = weights is not None and not binary_output
    return Abstract((*rows, None), convert_to_tensor(weights)._value.dtype if weighted else numpy_dtype(dtype))


@deferred(_bincount_kind, values=("arr", "minlength", "maxlength"), gradient=False)
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """How often each number occurs.

    Arguments:
        arr: integers >= 0 of any shape.
        weights: what each occurrence counts, of the shape of `arr`; 1 by default.
        minlength, maxlength: how long the result is at least and at most; greater numbers are not counted.
        dtype: that of the result where there are no weights.
        axis: None or 0 to count everything together, -1 to count each row of a matrix for itself.
        binary_output: whether to give 1 for what occurs, in place of how often.

    Returns a vector, or with axis -1 one for each row, of length max(arr) + 1 within the limits.

    Raises InvalidArgumentError for negative numbers and weights of another shape, ValueError for another axis.
    """
    title = "DenseBincount"
    if axis not in (None, 0, -1):
        raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
    x = convert_to_tensor(arr)
    if x._value.dtype.kind == "f" or not x._value.size:
        x = TENSORS.cast(x, numpy_dtype(int32)) if x._value.dtype.name != "int64" else x
    if x._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(x._value.dtype, title, "Tidx")
    value = np.asarray(x._value)
    if value.size and value.min() < 0:
        raise errors.invalid(title, f"Input arr must be non-negative! It has {value.min()}.")
    if axis == -1 and value.ndim > 2:
        raise errors.invalid(title, f"Shape must be at most rank 2 but is rank {value.ndim}")
    size = int(value.max()) + 1 if value.size else 0
    if minlength is not None:
        size = max(size, static_int(minlength, title))
    if maxlength is not None:
        size = min(size, static_int(maxlength, title))
    if weights is None or binary_output:
        given, to = [x], numpy_dtype(dtype)
    else:
        w = convert_to_tensor(weights)
        if w._value.shape != value.shape:
            raise errors.invalid(
                title,
                f"`weights` must be the same shape as `arr`, {shape_text(value.shape)}. Received "
                f"{shape_text(w._value.shape)}",
            )
        given, to = [x, w], w._value.dtype
    return _bincount(given, size, axis == -1 and value.ndim > 0, bool(binary_output), to)


# -- histograms --------------------------------------------------------------------------------------------------------


@deferred(
    lambda values, value_range, nbins=100, dtype=int32, name=None: Abstract(shape_of(values), numpy_dtype(dtype)),
    values=("values", "value_range", "nbins"),
    gradient=False,
)
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """For each value the number of the bin that it falls into; values beyond the range fall into the outermost bins.

    Arguments:
        values: real numbers of any shape.
        value_range: [2], of the same dtype: where the bins, all of one width, begin and end.
        nbins: how many there are.
        dtype: tf.int32 or tf.int64.

    Raises InvalidArgumentError for a range that is empty or no pair, and for fewer bins than 1.
    """
    title = "HistogramFixedWidth"
    x = convert_to_tensor(values)
    ends = convert_to_tensor(value_range, x.dtype)
    count = static_int(nbins, title)
    if ends._value.shape != (2,):
        raise errors.invalid(title, f"value_range should be a vector of 2 elements, not of shape {ends.shape}")
    low, high = ends._value
    if not low < high:
        raise errors.invalid(
            title, f"value_range should satisfy value_range[0] < value_range[1], but got '[{low}, {high}]'"
        )
    if count < 1:
        raise errors.invalid(title, f"nbins should be a positive number, but got '{count}'")
    to = numpy_dtype(dtype)
    at = np.floor((np.asarray(x._value, np.float64) - low) / (high - low) * count)
    return convert_to_tensor(np.clip(at, 0, count - 1).astype(to))


@deferred(
    lambda values, value_range, nbins=100, dtype=int32, name=None: Abstract(
        (nbins if type(nbins) is int else None,), numpy_dtype(dtype)
    ),
    values=("values", "value_range", "nbins"),
    gradient=False,
)
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many values fall into each bin. Arguments and errors as for `histogram_fixed_width_bins`."""
    count = static_int(nbins, "HistogramFixedWidth")
    bins = histogram_fixed_width_bins(values, value_range, count)
    return bincount(bins, minlength=count, maxlength=count, dtype=dtype)


# -- confusion matrices ------------------------------------------------------------------------------------------------


@deferred(
    lambda labels, predictions, num_classes=None, weights=None, dtype=int32, name=None: Abstract(
        (num_classes if type(num_classes) is int else None,) * 2, numpy_dtype(dtype)
    ),
    values=("labels", "predictions", "num_classes", "weights"),
    gradient=False,
)
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """How often a label (the row) came with a prediction (the column).

    Arguments:
        labels, predictions: classes in [0, num_classes), vectors of one length (a last dimension of 1 is dropped).
        num_classes: how many there are; one more than the greatest by default.
        weights: what each pair counts; 1 by default.
        dtype: that of the result.

    Raises InvalidArgumentError for classes out of range and vectors of different lengths.
    """
    title = "ConfusionMatrix"
    pairs = []
    for what, given in (("labels", labels), ("predictions", predictions)):
        value = np.asarray(convert_to_tensor(given)._value).astype(np.int64)
        value = value[..., 0] if value.ndim == 2 and value.shape[1] == 1 else value
        if value.size and value.min() < 0:
            raise errors.invalid(title, f"`{what}` contains negative values: {value.tolist()}")
        pairs.append(value)
    rows, columns = pairs
    if rows.shape != columns.shape:
        raise errors.invalid(
            title,
            "labels and predictions must have the same shape, not "
            f"{shape_text(rows.shape)} and {shape_text(columns.shape)}",
        )
    if num_classes is None:
        n = int(max(rows.max(initial=-1), columns.max(initial=-1))) + 1
    else:
        n = static_int(num_classes, title)
        for what, value in (("labels", rows), ("predictions", columns)):
            if value.size and value.max() >= n:
                raise errors.invalid(title, f"`{what}` out of bound: {int(value.max())} is not in [0, {n})")
    to = numpy_dtype(dtype)
    if weights is None:
        each = np.ones(rows.shape, to)
    else:
        each = np.asarray(convert_to_tensor(weights)._value).astype(to)
        if each.shape != rows.shape:
            raise errors.invalid(
                title, f"weights must have shape {shape_text(rows.shape)}, not {shape_text(each.shape)}"
            )
    out = np.zeros((n, n), to)
    np.add.at(out, (rows, columns), each)
    return convert_to_tensor(out)
