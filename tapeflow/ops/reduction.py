"""Reductions: sums, means, products, extrema, norms and counts over axes.

Each op takes `(x, axes, keepdims)`: `axes` a tuple of dimensions counted from the front, or None for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import BOOLS, FLOATS, FLOATS_COMPLEX, NUMBERS, REALS, as_dtype, numpy_dtype, short_name
from ..core.elementwise import real_part, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.tensor import Tensor, ndarray
from ..core.variable import Variable
from . import softmax  # noqa: F401 - the gradient of the log-sum-exp
from .arithmetic import zero

_FLOAT32, _FLOAT64, _INT64 = np.dtype("float32"), np.dtype("float64"), np.dtype("int64")
_BOOL = np.dtype("bool")

# -- axes --------------------------------------------------------------------------------------------------------------


def reduced_axes(axis: Any, rank: int, title: str) -> tuple[int, ...] | None:
    """An `axis` argument (None, int, sequence, array or tensor of ints) as dimensions counted from the front.

    Raises InvalidArgumentError for one out of range, named twice, or given as a tensor of another dtype than int32
    and int64; TypeError for floats.
    """
    if axis is None:
        return None
    if type(axis) is int:
        axes = (axis,)
    elif type(axis) in (tuple, list) and all(type(a) is int for a in axis):
        axes = tuple(axis)
    else:
        axes = _static_axes(axis, title)
    for a in axes:
        if not -rank <= a < rank:
            raise errors.invalid(
                title,
                f"Invalid reduction dimension ({a} for input with {rank} dimension(s): it must be in [{-rank}, {rank})",
            )
    axes = tuple([a + rank if a < 0 else a for a in axes])
    if len(axes) > 1 and len(set(axes)) != len(axes):
        twice = next(a for a in axes if axes.count(a) > 1)
        raise errors.invalid(title, f"Invalid reduction arguments: Axes contains duplicate dimension: {twice}")
    return axes


def _static_axes(axis: Any, title: str) -> tuple[int, ...]:
    given = convert_to_tensor(axis, dtype_hint=as_dtype("int32"))
    value = np.asarray(given._value)
    if not value.size:
        return ()
    if value.dtype.kind == "f" and not isinstance(axis, (Tensor, Variable)):
        raise TypeError(f"Cannot convert {axis!r} to EagerTensor of dtype int32: the axes of {title} are ints")
    if value.dtype.name not in ("int32", "int64", "bool") or value.dtype == _BOOL and isinstance(axis, Tensor):
        raise errors.invalid(
            title,
            f"Value for attr 'Tidx' of {short_name(value.dtype)} is not in the list of allowed values: int32, int64",
        )
    return tuple([int(a) for a in value.reshape(-1)])


def _kept(shape: tuple, axes: tuple | None) -> tuple:
    """The shape with the reduced dimensions kept as 1."""
    if axes is None:
        return (1,) * len(shape)
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def _count(shape: tuple, axes: tuple | None) -> int:
    """How many elements go into one."""
    return prod(shape if axes is None else [shape[a] for a in axes])


def _lift(F: Any, g: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    """What belongs to the result, in a shape that broadcasts to the input's."""
    return g if keepdims or axes is None else F.reshape(g, _kept(shape, axes))


def _spread(F: Any, g: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    """The gradient of a sum: g at every element that was summed."""
    return F.broadcast_to(_lift(F, g, shape, axes, keepdims), shape) if shape else g


def _reduced(x: Any, axes: tuple | None, keepdims: bool) -> Abstract:
    if x.shape is None:
        return Abstract(() if axes is None and not keepdims else None, x.dtype)
    if keepdims:
        return Abstract(_kept(x.shape, axes), x.dtype)
    return Abstract(() if axes is None else tuple([n for i, n in enumerate(x.shape) if i not in axes]), x.dtype)


# -- kernels -----------------------------------------------------------------------------------------------------------

# NumPy would sum small integers in int64; halves lose their digits where they are not summed in float32
_DIRECT = {np.dtype(name) for name in ("float32", "float64", "complex64", "complex128")}


def _accumulated(ufunc: str) -> Callable:
    def make(xp: Any) -> Callable:
        reduce = getattr(xp, ufunc).reduce

        def accumulate(x: Any, axes: tuple | None, keepdims: bool) -> Any:
            dtype = x.dtype
            if dtype in _DIRECT:
                return reduce(x, axes, None, None, keepdims)
            if dtype.kind in "iu":
                return reduce(x, axes, dtype, None, keepdims)
            return reduce(x, axes, _FLOAT32, None, keepdims).astype(dtype)

        return accumulate

    return make


def _mean(xp: Any) -> Callable:
    reduce = xp.add.reduce

    def mean(x: Any, axes: tuple | None, keepdims: bool) -> Any:
        dtype = x.dtype
        if dtype in _DIRECT:
            total = reduce(x, axes, None, None, keepdims)
            return total / dtype.type(x.size // total.size if total.size else 1)
        if dtype.kind in "iu":
            total = reduce(x, axes, _INT64, None, keepdims)
            count = _INT64.type(max(1, x.size // max(1, total.size)))
            # integer means drop their fraction: towards zero, where // goes down
            return (xp.sign(total) * (abs(total) // count)).astype(dtype)
        return mean(x.astype(_FLOAT32), axes, keepdims).astype(dtype)

    return mean


def _extremum(ufunc: str, end: str) -> Callable:
    def make(xp: Any) -> Callable:
        reduce = getattr(xp, ufunc).reduce

        def extremum(x: Any, axes: tuple | None, keepdims: bool) -> Any:
            if x.size:
                return reduce(x, axes, None, None, keepdims)
            return reduce(x, axes, None, None, keepdims, farthest(x.dtype, end))

        return extremum

    return make


def farthest(dtype: np.dtype, end: str) -> Any:
    """What no element is beyond: the maximum (end "min") or minimum ("max") of nothing."""
    if dtype.kind in "iu":
        return dtype.type(getattr(np.iinfo(dtype), end))
    return dtype.type(-np.inf if end == "min" else np.inf)


def _logical(ufunc: str) -> Callable:
    def make(xp: Any) -> Callable:
        reduce = getattr(xp, ufunc).reduce
        return lambda x, axes, keepdims: reduce(x, axes, None, None, keepdims)

    return make


def _log_sum_exp(xp: Any) -> Callable:
    largest, total, exp, log, isfinite, where = xp.maximum.reduce, xp.add.reduce, xp.exp, xp.log, xp.isfinite, xp.where

    def log_sum_exp(x: Any, axes: tuple | None, keepdims: bool) -> Any:
        dtype = x.dtype
        if dtype.itemsize < 4:
            x = x.astype(_FLOAT32)
        top = largest(x, axes, None, None, True, -np.inf)
        # infinities would give inf - inf
        top = where(isfinite(top), top, zero(x.dtype))
        out = log(total(exp(x - top), axes, None, None, keepdims))
        return (out + top.reshape(out.shape)).astype(dtype)

    return log_sum_exp


def _variance(xp: Any) -> Callable:
    mean = _mean(xp)

    def variance(x: Any, axes: tuple | None, keepdims: bool) -> Any:
        off = x - mean(x, axes, True)
        squares = off.real * off.real + off.imag * off.imag if x.dtype.kind == "c" else off * off
        return mean(squares, axes, keepdims)

    return variance


def _euclidean(xp: Any) -> Callable:
    total, sqrt = xp.add.reduce, xp.sqrt

    def euclidean(x: Any, axes: tuple | None, keepdims: bool) -> Any:
        dtype = x.dtype
        if dtype.kind == "c":
            squares = x.real * x.real + x.imag * x.imag
        else:
            x = x if dtype in _DIRECT else x.astype(_FLOAT64 if dtype.kind in "iu" else _FLOAT32)
            squares = x * x
        return sqrt(total(squares, axes, None, None, keepdims)).astype(dtype)

    return euclidean


# -- gradients ---------------------------------------------------------------------------------------------------------


def _from_mean(F: Any, g: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    return _spread(F, g / max(1, _count(shape, axes)), shape, axes, keepdims)


def _to_extremum(F: Any, g: Any, x: Any, y: Any, shape: tuple, dtype: np.dtype, axes: tuple, keepdims: bool) -> Any:
    """To all elements that attain the extremum, in equal parts."""
    g, y = _lift(F, g, shape, axes, keepdims), _lift(F, y, shape, axes, keepdims)
    attained = F.cast(F.equal(x, y), dtype)
    return attained / F.reduce_sum(attained, axes, True) * g


def _to_factors(F: Any, g: Any, x: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    """g times the product of all other factors: of those before and of those behind, so that zeros do no harm."""
    if not shape:
        return g
    axes = tuple(range(len(shape))) if axes is None else axes
    if not axes:
        return g
    g, x = _lift(F, g, shape, axes, keepdims), F.conj(x)
    if len(axes) == 1:
        return F.cumprod(x, axes[0], True, False) * F.cumprod(x, axes[0], True, True) * g
    # several axes become one, the last
    perm = (*[i for i in range(len(shape)) if i not in axes], *axes)
    last = len(shape) - len(axes)
    moved = tuple([shape[i] for i in perm])
    rows = F.reshape(F.transpose(x, perm), (*moved[:last], _count(shape, axes)))
    others = F.reshape(F.cumprod(rows, last, True, False) * F.cumprod(rows, last, True, True), moved)
    return F.transpose(others, tuple([perm.index(i) for i in range(len(shape))])) * g


def _to_exponents(F: Any, g: Any, x: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    if axes is None:
        axes = tuple(range(len(shape)))
    return F.softmax(x, axes) * _lift(F, g, shape, axes, keepdims)


def _from_variance(F: Any, g: Any, x: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    off = x - F.reduce_mean(x, axes, True)
    g = _lift(F, g, shape, axes, keepdims) * (2 / max(1, _count(shape, axes)))
    return F.cast(g, off.dtype if F.raw else off._value.dtype) * off


def _from_norm(F: Any, g: Any, x: Any, y: Any, shape: tuple, axes: tuple | None, keepdims: bool) -> Any:
    return x * _lift(F, g / y, shape, axes, keepdims)


def _shape(x: Any, out: Any, *attributes: Any) -> tuple:
    return (x._value.shape,)


def _input_and_shape(x: Any, out: Any, *attributes: Any) -> tuple:
    return x, x._value.shape


# -- the ops, and the functions that users call ------------------------------------------------------------------------

_ARGUMENTS = """

    Arguments:
        input_tensor: a tensor of any shape, of {dtypes}.
        axis: the dimensions to reduce: None for all, an int, or a sequence or tensor of ints; negative ones count from
            the end. An empty sequence reduces nothing.
        keepdims: whether the reduced dimensions stay, of size 1.

    Raises InvalidArgumentError for another dtype, for an axis out of range or named twice.
"""


def _reduction(
    name: str,
    kernel: Callable,
    grad: Callable | None = None,
    *,
    saves: Callable | None = None,
    dtypes: set = NUMBERS,
    title: str,
    infer: Callable = _reduced,
    doc: str,
) -> Callable:
    """Declares the op, and gives the function of `input_tensor, axis, keepdims` that users call."""
    run = define(name, kernel, infer, [grad] if grad else (), saves=saves, title=title)
    op = run.op
    convert = _to_bools if dtypes is BOOLS else convert_to_tensor

    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        if type(input_tensor) is not Tensor:
            input_tensor = convert(input_tensor)
        value = input_tensor._value
        kind = type(value)
        if (value.dtype if kind is ndarray else kind) not in dtypes and value.dtype not in dtypes:
            raise refused_dtype(op, value.dtype, dtypes)
        if axis is not None:
            axis = reduced_axes(axis, len(value.shape), title)
        return run(input_tensor, axis, bool(keepdims))

    reduce.__name__ = reduce.__qualname__ = name
    names = ", ".join(sorted({as_dtype(d).name for d in dtypes if isinstance(d, np.dtype)}))
    reduce.__doc__ = doc + _ARGUMENTS.format(dtypes=names)
    return reduce


def _to_bools(x: Any) -> Tensor:
    if isinstance(x, (Tensor, Variable)):
        return convert_to_tensor(x)
    return convert_to_tensor(x, as_dtype("bool"))


reduce_sum = _reduction(
    "reduce_sum", _accumulated("add"), _spread, saves=_shape, title="Sum", doc="The sum of the elements over the axes."
)
reduce_mean = _reduction(
    "reduce_mean",
    _mean,
    _from_mean,
    saves=_shape,
    title="Mean",
    doc="The mean of the elements over the axes; of integers its integer part, of nothing NaN.",
)
reduce_prod = _reduction(
    "reduce_prod",
    _accumulated("multiply"),
    _to_factors,
    saves=_input_and_shape,
    title="Prod",
    doc="The product of the elements over the axes.",
)
reduce_max = _reduction(
    "reduce_max",
    _extremum("maximum", "min"),
    _to_extremum,
    saves=lambda x, out, axes, keepdims: (x, out, x._value.shape, x._value.dtype),
    dtypes=REALS,
    title="Max",
    doc="The largest element over the axes. Elements that tie share the gradient in equal parts.",
)
reduce_min = _reduction(
    "reduce_min",
    _extremum("minimum", "max"),
    _to_extremum,
    saves=lambda x, out, axes, keepdims: (x, out, x._value.shape, x._value.dtype),
    dtypes=REALS,
    title="Min",
    doc="The smallest element over the axes. Elements that tie share the gradient in equal parts.",
)
reduce_all = _reduction(
    "reduce_all", _logical("logical_and"), dtypes=BOOLS, title="All", doc="Whether all elements over the axes are True."
)
reduce_any = _reduction(
    "reduce_any", _logical("logical_or"), dtypes=BOOLS, title="Any", doc="Whether any element over the axes is True."
)
reduce_logsumexp = _reduction(
    "reduce_logsumexp",
    _log_sum_exp,
    _to_exponents,
    saves=_input_and_shape,
    dtypes=FLOATS,
    title="LogSumExp",
    doc="log(sum(exp(elements))) over the axes, without overflow. Its gradient is the softmax.",
)
reduce_euclidean_norm = _reduction(
    "reduce_euclidean_norm",
    _euclidean,
    _from_norm,
    saves=lambda x, out, axes, keepdims: (x, out, x._value.shape),
    title="EuclideanNorm",
    doc="The square root of the sum of squares over the axes. Its gradient at zero is NaN.",
)
_reduce_variance = _reduction(
    "reduce_variance",
    _variance,
    _from_variance,
    saves=_input_and_shape,
    dtypes=FLOATS_COMPLEX,
    infer=lambda x, axes, keepdims: _reduced(real_part(x), axes, keepdims),
    title="Mean",
    doc="The mean squared distance from the mean over the axes (the population's variance, divided by n).",
)


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The mean squared distance from the mean over the axes (the population's variance, divided by n).

    Arguments:
        input_tensor: a tensor of any shape, of floats or complex numbers (whose variance is real).
        axis, keepdims: as for `reduce_sum`.

    Raises TypeError for integers, InvalidArgumentError for an axis out of range or named twice.
    """
    x = convert_to_tensor(input_tensor)
    if x._value.dtype not in FLOATS_COMPLEX:
        raise TypeError(
            f"tf.math.reduce_variance takes floating point or complex tensors, not {as_dtype(x._value.dtype).name}: "
            "tf.cast it to tf.float32 first"
        )
    return _reduce_variance(x, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The standard deviation over the axes: the square root of `reduce_variance`, which see. Its gradient where the
    variance is zero is NaN.
    """
    return T.sqrt(reduce_variance(input_tensor, axis, keepdims))


# -- counts ------------------------------------------------------------------------------------------------------------


def _nonzero_kernel(xp: Any) -> Callable:
    reduce = xp.add.reduce

    def count_nonzero(x: Any, axes: tuple | None, keepdims: bool, dtype: np.dtype) -> Any:
        present = np.asarray(x != b"", bool) if x.dtype.kind == "O" else x.astype(_BOOL)
        return reduce(present, axes, _INT64, None, keepdims).astype(dtype)

    return count_nonzero


_count_nonzero = define(
    "count_nonzero",
    _nonzero_kernel,
    lambda x, axes, keepdims, dtype: Abstract(_reduced(x, axes, keepdims).shape, dtype),
    title="Sum",
)


def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool | None = None, dtype: Any = "int64", name: str | None = None
) -> Tensor:
    """How many elements over the axes are not zero (not empty, of strings; True, of bools; NaN is not zero).

    Arguments:
        input: a tensor of any shape and dtype.
        axis, keepdims: as for `reduce_sum`.
        dtype: the dtype of the result.

    Raises InvalidArgumentError for an axis out of range or named twice.
    """
    x = convert_to_tensor(input)
    return _count_nonzero(x, reduced_axes(axis, len(x._value.shape), "Sum"), bool(keepdims), numpy_dtype(dtype))


def _zero_fraction_kernel(xp: Any) -> Callable:
    count = _nonzero_kernel(xp)
    return lambda x: (x.size - count(x, None, False, _INT64)).astype(_FLOAT32) / _FLOAT32.type(x.size)


_zero_fraction = define("zero_fraction", _zero_fraction_kernel, lambda x: Abstract((), _FLOAT32))


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Which part of the elements is zero, a float32 between 0 and 1; of nothing NaN."""
    return _zero_fraction(convert_to_tensor(value))
