"""Norms of vectors and matrices, what is normalised by them, traces and cross products."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import FLOATS_COMPLEX, NUMBERS, REALS, as_dtype
from ..core.elementwise import mixed_dtypes, real_part, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import shape_text
from ..core.size import has_sizes
from ..core.tensor import Tensor
from .creation import eye
from .reduction import reduce_euclidean_norm, reduce_max, reduce_sum, reduced_axes

# -- norms -------------------------------------------------------------------------------------------------------------


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Tensor:
    """The norm of vectors, or of matrices.

    Arguments:
        tensor: a tensor of floats or complex numbers.
        ord: "euclidean", a positive number or infinity, for vectors; "euclidean", "fro", 1, 2 or infinity for matrices
            (the largest column sum, singular value, row sum).
        axis: None for the norm of all elements as one vector, an int for the norms of vectors along a dimension, a
            pair of ints for those of matrices.
        keepdims: whether the reduced dimensions stay, of size 1.

    Raises ValueError for another `ord` or `axis`, InvalidArgumentError for integers or an axis out of range. The
    gradient at zero is NaN, as TensorFlow's is.
    """
    x = convert_to_tensor(tensor)
    of_matrices = isinstance(axis, (list, tuple))
    if of_matrices:
        pair = [_index(a) for a in axis]
        if len(pair) != 2 or None in pair or pair[0] == pair[1]:
            raise _bad_axis(axis)
    elif axis is not None and _index(axis) is None:
        raise _bad_axis(axis)
    number = isinstance(ord, (int, float, np.number)) and not isinstance(ord, bool)
    if of_matrices:
        if ord not in ("euclidean", "fro", 1, 2, inf):
            raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got {ord}")
    elif ord != "euclidean" and not (number and ord > 0):
        raise ValueError(f"'ord' must be a supported vector norm (\"euclidean\" or a positive number), got {ord}")
    if x._value.dtype not in FLOATS_COMPLEX:
        raise refused_dtype(_spectral_norm.op, x._value.dtype, FLOATS_COMPLEX)
    keep = bool(keepdims)
    if ord in ("euclidean", "fro") or ord == 2 and not of_matrices:
        return reduce_euclidean_norm(x, axis, keep)
    axes = reduced_axes(axis, len(x._value.shape), "Norm")
    if of_matrices:
        if ord == 2:
            return _spectral_norm(x, axes, keep)
        summed, largest = axes if ord == 1 else axes[::-1]
        out = reduce_max(reduce_sum(T.abs(x), summed, True), largest, True)
        shape = tuple([n for i, n in enumerate(out._value.shape) if i not in axes])
        return out if keep else T.reshape(out, shape)
    sizes = T.abs(x)
    if ord == inf:
        return reduce_max(sizes, axes, keep)
    if ord == 1:
        return reduce_sum(sizes, axes, keep)
    ord = float(ord)
    return reduce_sum(sizes**ord, axes, keep) ** (1.0 / ord)


def _index(axis: Any) -> int | None:
    if isinstance(axis, (int, np.integer)) and not isinstance(axis, bool):
        return int(axis)
    value = getattr(axis, "_value", None)
    return int(value) if isinstance(value, np.integer) else None


def _bad_axis(axis: Any) -> ValueError:
    return ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")


def _spectral_shape(x: Any, axes: tuple, keepdims: bool) -> Abstract:
    kept = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
    return Abstract(tuple(kept), real_part(x).dtype)


def _spectral_gradient(F: Any, g: Any, x: Any, shape: tuple, dtype: np.dtype, axes: tuple, keepdims: bool) -> Any:
    kept = tuple([1 if i in axes else n for i, n in enumerate(shape)])
    return F.cast(F.reshape(g, kept), dtype) * F.leading_singular_product(x, axes)


def _leading_kernel(xp: Any) -> Callable:
    def leading(x: Any, axes: tuple) -> Any:
        u, _, vh = xp.linalg.svd(xp.moveaxis(x, axes, (-2, -1)), full_matrices=False)
        return xp.moveaxis(u[..., :, :1] * vh[..., :1, :], (-2, -1), axes).astype(x.dtype)

    return leading


def _no_second_derivative(F: Any, g: Any, axes: tuple) -> Any:
    raise errors.UnimplementedError(
        None, None, "The spectral norm (tf.norm with ord=2 of matrices) has no second derivative here [Op:Svd]"
    )


define(
    "leading_singular_product",
    _leading_kernel,
    lambda x, axes: Abstract(x.shape, x.dtype),
    [_no_second_derivative],
    """The outer product of the singular vectors of the largest singular value: the gradient of the spectral norm.""",
    title="Svd",
)
_spectral_norm = define(
    "spectral_norm",
    lambda xp: lambda x, axes, keepdims: xp.linalg.norm(x, 2, axes, keepdims),
    _spectral_shape,
    [_spectral_gradient],
    saves=lambda x, out, axes, keepdims: (x, x._value.shape, x._value.dtype),
    title="Norm",
)

# -- normalised by a norm ----------------------------------------------------------------------------------------------


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The tensor divided by its norm along `axis`, and that norm, its dimensions kept.

    Arguments and errors are those of `norm`. A norm of zero gives NaN.
    """
    x = convert_to_tensor(tensor)
    length = norm(x, ord, axis, True)
    divisor = length if length._value.dtype == x._value.dtype else T.cast(length, x._value.dtype)
    return T.real_divide(x, divisor), length


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """x / sqrt(max(sum(x ** 2), epsilon)), the sum over `axis`: zero stays zero.

    Arguments:
        x: a tensor of floats or complex numbers.
        axis: the dimensions to sum over: None for all, an int, or a sequence of ints.
        epsilon: the smallest square of a length to divide by.
        dim: an old name of `axis`.

    Raises TypeError for integers, ValueError for both `axis` and `dim`, InvalidArgumentError for an axis out of range.
    """
    if dim is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'axis' and 'dim'")
        axis = dim
    x = convert_to_tensor(x)
    dtype = x._value.dtype
    if dtype not in FLOATS_COMPLEX:
        raise TypeError(
            f"tf.math.l2_normalize takes floats, not {as_dtype(dtype).name}, which has no {epsilon}: tf.cast x first"
        )
    if dtype.kind == "c":
        squares = T.square(T.real(x)) + T.square(T.imag(x))
        scale = T.cast(_inverse_length(squares, axis, epsilon), dtype)
    else:
        scale = _inverse_length(T.square(x), axis, epsilon)
    return T.multiply(x, scale)


def _inverse_length(squares: Tensor, axis: Any, epsilon: float) -> Tensor:
    return T.rsqrt(T.maximum(reduce_sum(squares, axis, True), epsilon))


# -- traces and cross products -----------------------------------------------------------------------------------------


def _trace_shape(x: Any) -> Abstract:
    if x.shape is not None and len(x.shape) < 2:
        raise errors.invalid("MatrixDiagPartV3", f"input must be at least 2-dim, received shape: {shape_text(x.shape)}")
    return Abstract(None if x.shape is None else x.shape[:-2], x.dtype)


def _identity(shape: tuple, dtype: np.dtype) -> Any:
    return eye(*shape, dtype=dtype) if has_sizes(shape) else np.eye(*shape, dtype=dtype)


_trace = define(
    "trace",
    lambda xp: lambda x: xp.trace(x, 0, -2, -1, x.dtype),
    _trace_shape,
    [lambda F, g, shape, dtype: F.reshape(g, (*shape[:-2], 1, 1)) * _identity(shape[-2:], dtype)],
    saves=lambda x, out: (x._value.shape, x._value.dtype),
)


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sums of the main diagonals of matrices: [..., m, n] gives [...].

    Raises InvalidArgumentError for fewer than two dimensions or what are no numbers.
    """
    x = convert_to_tensor(x)
    if x._value.dtype not in NUMBERS:
        raise refused_dtype(_trace.op, x._value.dtype, NUMBERS)
    return _trace(x)


def _cross_kernel(xp: Any) -> Callable:
    def cross(a: Any, b: Any) -> Any:
        if a.shape != b.shape or a.shape[-1] != 3:
            raise ValueError("two tensors of one shape [..., 3] are needed")
        (x, y, z), (u, v, w) = xp.moveaxis(a, -1, 0), xp.moveaxis(b, -1, 0)
        return xp.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)

    return cross


def _cross_shape(a: Any, b: Any) -> Abstract:
    if a.shape != b.shape:
        raise errors.invalid(
            "Cross", f"Both inputs must be of same shape: {shape_text(a.shape)} vs. {shape_text(b.shape)}"
        )
    if not a.shape:
        raise errors.invalid("Cross", "Input must be at least 1D, not a scalar")
    if a.shape[-1] not in (3, None):
        raise errors.failed(
            errors.FailedPreconditionError,
            "Cross",
            f"Cross-products are only defined for 3-element vectors, not for shape {shape_text(a.shape)}.",
        )
    return Abstract(a.shape, a.dtype)


_cross = define(
    "cross",
    _cross_kernel,
    _cross_shape,
    [lambda F, g, a, b: F.cross(b, g), lambda F, g, a, b: F.cross(g, a)],
    saves=lambda a, b, out: (a, b),
    inputs=2,
)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross products of vectors: two tensors of shape [..., 3] give one.

    Raises InvalidArgumentError for shapes or dtypes that differ and for complex numbers, FailedPreconditionError for
    vectors of another length.
    """
    a = convert_to_tensor(a)
    b = convert_like(b, a._value.dtype)
    op = _cross.op
    if a._value.dtype != b._value.dtype:
        raise mixed_dtypes(op, a._value.dtype, b._value.dtype)
    if a._value.dtype not in REALS:
        raise refused_dtype(op, a._value.dtype, REALS)
    return _cross(a, b)
