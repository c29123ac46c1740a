"""Products of matrices: `matmul`, `matvec`, `tensordot`, and `dense`, a product and a bias in one op."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.blas import dot as dot_of_two
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import NUMBERS, as_dtype, group, numpy_dtype
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor

_FLOAT32 = np.dtype("float32")
_DTYPES = group(
    "bfloat16", "float16", "float32", "float64", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "complex64",
    "complex128",
)  # fmt: skip

# -- matmul ------------------------------------------------------------------------------------------------------------


def _matmul_kernel(xp: Any) -> Callable:
    dot, batched = dot_of_two if xp is np else xp.dot, xp.matmul

    def matmul(a: Any, b: Any, ta: bool, tb: bool) -> Any:
        if a.dtype is _FLOAT32 and a.ndim == 2 == b.ndim:
            return dot(a.T if ta else a, b.T if tb else b)
        if a.dtype.itemsize == 2 and a.dtype.kind in "fV":
            # halves have no BLAS, and would lose digits in their sums
            return matmul(a.astype(_FLOAT32), b.astype(_FLOAT32), ta, tb).astype(a.dtype)
        if b.ndim == 2:
            if a.ndim == 2:
                return dot(a.T if ta else a, b.T if tb else b)
            if a.ndim > 2 and not ta:
                # one product of many rows, not many of few
                rows = dot(a.reshape(prod(a.shape[:-1]), a.shape[-1]), b.T if tb else b)
                return rows.reshape(*a.shape[:-1], rows.shape[-1])
        if a.ndim < 2 or b.ndim < 2:
            raise ValueError("operands of two or more dimensions are needed")
        return batched(a.swapaxes(-1, -2) if ta else a, b.swapaxes(-1, -2) if tb else b)

    return matmul


def _matmul_shape(a: Any, b: Any, ta: bool, tb: bool) -> Abstract:
    """Raises InvalidArgumentError for fewer than two dimensions, and for sizes that do not meet."""
    if a.shape is None or b.shape is None:
        return Abstract(None, a.dtype)
    for i, x in enumerate((a, b)):
        if len(x.shape) < 2:
            raise errors.invalid(
                "MatMul",
                f"In[{i}] ndims must be >= 2, but it has shape {list(x.shape)}; for the product with a vector see "
                "tf.linalg.matvec and tf.tensordot",
            )
    rows, inner = reversed(a.shape[-2:]) if ta else a.shape[-2:]
    inner_b, columns = reversed(b.shape[-2:]) if tb else b.shape[-2:]
    if inner != inner_b and inner is not None and inner_b is not None:
        how = f", transpose_a={ta}, transpose_b={tb}" if ta or tb else ""
        raise errors.invalid(
            "MatMul",
            f"Matrix size-incompatible: In[0]: {list(a.shape)}, In[1]: {list(b.shape)}{how}: {inner} != {inner_b}",
        )
    try:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except errors.InvalidArgumentError:
        raise errors.invalid(
            "BatchMatMulV2",
            f"In[0] and In[1] must have compatible batch dimensions: {list(a.shape)} vs. {list(b.shape)}",
        ) from None
    return Abstract((*batch, rows, columns), a.dtype)


def _to_a(F: Any, g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    like_a, like_b = (a, b) if F.raw else (a._value, b._value)
    if like_b.dtype.kind == "c":
        b = F.conj(b)
    d = F.matmul(b, g, tb, True) if ta else F.matmul(g, b, False, not tb)
    return d if len(like_a.shape) == 2 == len(like_b.shape) else F.sum_to(d, like_a.shape)


def _to_b(F: Any, g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    like_a, like_b = (a, b) if F.raw else (a._value, b._value)
    if like_a.dtype.kind == "c":
        a = F.conj(a)
    if len(like_b.shape) == 2 and not ta:
        if len(like_a.shape) > 2:
            a = F.reshape(a, (-1, like_a.shape[-1]))
            g = F.reshape(g, (-1, like_b.shape[0 if tb else 1]))
        return F.matmul(g, a, True, False) if tb else F.matmul(a, g, True, False)
    d = F.matmul(g, a, True, ta) if tb else F.matmul(a, g, not ta, False)
    return F.sum_to(d, like_b.shape)


_matmul = define(
    "matmul",
    _matmul_kernel,
    _matmul_shape,
    [_to_a, _to_b],
    saves=lambda a, b, out, ta, tb: (a, b),
    title="MatMul",
    inputs=2,
)


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of matrices: [..., m, k] and [..., k, n] give [..., m, n]; the leading dimensions broadcast.

    Arguments:
        a, b: tensors of two or more dimensions and of one dtype.
        transpose_a, transpose_b: whether to transpose the last two dimensions first.
        adjoint_a, adjoint_b: whether to conjugate and transpose them first.
        a_is_sparse, b_is_sparse: hints, with the effect that bfloat16 and float32 may be multiplied.
        output_type: the dtype to multiply and sum in, and of the result, such as int32 for int8.
        grad_a, grad_b: accepted, without effect.

    Raises InvalidArgumentError for sizes that do not meet, fewer than two dimensions or two dtypes, ValueError for an
    operand that is to be both transposed and made adjoint.
    """
    if type(a) is not Tensor or type(b) is not Tensor:
        a = convert_to_tensor(a)
        b = convert_like(b, a._value.dtype)
    if adjoint_a or adjoint_b:
        for letter, transpose, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
            if transpose and adjoint:
                raise ValueError(
                    f"Only one of `transpose_{letter}` and `adjoint_{letter}` can be True. Received "
                    f"`transpose_{letter}`={transpose}, `adjoint_{letter}`={adjoint}."
                )
        a, transpose_a = (_conj(a), True) if adjoint_a else (a, transpose_a)
        b, transpose_b = (_conj(b), True) if adjoint_b else (b, transpose_b)
    if output_type is not None:
        output_type = numpy_dtype(output_type)
        a, b = T.cast(a, output_type), T.cast(b, output_type)
    elif a_is_sparse or b_is_sparse:
        a, b = (T.cast(x, _FLOAT32) if as_dtype(x._value.dtype).name == "bfloat16" else x for x in (a, b))
    dtype = a._value.dtype
    if dtype is not b._value.dtype and dtype != b._value.dtype:
        raise mixed_dtypes(_matmul.op, dtype, b._value.dtype)
    if dtype not in _DTYPES and (dtype not in NUMBERS or len(a._value.shape) < 3 and output_type is None):
        raise refused_dtype(_matmul.op, dtype, _DTYPES)
    return _matmul(a, b, bool(transpose_a), bool(transpose_b))


def _conj(x: Tensor) -> Tensor:
    return T.conj(x) if x._value.dtype.kind == "c" else x


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of matrices and vectors: [..., m, k] and [..., k] give [..., m]; the leading dimensions broadcast.

    Arguments are those of `matmul`. Raises InvalidArgumentError for sizes that do not meet or two dtypes.
    """
    a = convert_to_tensor(a)
    b = convert_like(b, a._value.dtype)
    shape = b._value.shape
    if not shape:
        raise errors.invalid("MatMul", "In[1] of tf.linalg.matvec must be a vector, but it has shape []")
    column = T.reshape(b, _static((*shape, 1)))
    out = matmul(a, column, transpose_a, False, adjoint_a, False, a_is_sparse, b_is_sparse)
    return T.reshape(out, _static(out._value.shape[:-1]))


def _static(shape: tuple) -> tuple:
    return tuple([-1 if n is None else n for n in shape])


# -- tensordot ---------------------------------------------------------------------------------------------------------


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over pairs of dimensions, one of `a` and one of `b`; the other dimensions follow each other.

    Arguments:
        a, b: tensors of one dtype.
        axes: a number n, for the last n dimensions of `a` and the first n of `b`; or two lists of dimensions, paired in
            order; or two ints. 0 gives the outer product.

    Raises ValueError for a negative number of axes, more than there are, or lists of different lengths; IndexError for
    a dimension that is not there; InvalidArgumentError for sizes that do not meet or two dtypes.
    """
    a = convert_to_tensor(a)
    b = convert_like(b, a._value.dtype)
    shape_a, shape_b = a._value.shape, b._value.shape
    axes_a, axes_b = _paired_axes(axes, shape_a, shape_b)
    free_a = [i for i in range(len(shape_a)) if i not in axes_a]
    free_b = [i for i in range(len(shape_b)) if i not in axes_b]
    rows = _as_matrix(a, (*free_a, *axes_a), shape_a, len(free_a))
    columns = _as_matrix(b, (*axes_b, *free_b), shape_b, len(axes_b))
    shape = (*[shape_a[i] for i in free_a], *[shape_b[i] for i in free_b])
    return T.reshape(matmul(rows, columns), _static(shape))


def _as_matrix(x: Tensor, perm: tuple, shape: tuple, split: int) -> Tensor:
    """The tensor with its dimensions in the order `perm`, those before `split` and those behind it each made one."""
    if perm != tuple(range(len(shape))):
        x = T.transpose(x, perm)
    return T.reshape(x, (_size(shape, perm[:split]), _size(shape, perm[split:])))


def _size(shape: tuple, axes: tuple) -> int:
    sizes = [shape[i] for i in axes]
    return -1 if any(n is None for n in sizes) else prod(sizes)


def _paired_axes(axes: Any, shape_a: tuple, shape_b: tuple) -> tuple[list[int], list[int]]:
    if not isinstance(axes, (int, list, tuple)):
        value = convert_to_tensor(axes, dtype_hint=as_dtype("int32"))._value
        if value.dtype.kind not in "iu":
            raise TypeError(f"Cannot convert {axes!r} to EagerTensor of dtype int32: the axes of tf.tensordot are ints")
        axes = value.tolist()
    if isinstance(axes, int):
        if axes < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        for shape in (shape_a, shape_b):
            if axes > len(shape):
                raise ValueError(
                    f"`axes` must not be larger than the number of dimensions of a tensor of shape {list(shape)}. "
                    f"Received {axes}, vs tensor dimensions {len(shape)}."
                )
        return list(range(len(shape_a) - axes, len(shape_a))), list(range(axes))
    if len(axes) != 2:
        raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
    pair = [[part] if isinstance(part, int) else list(part) for part in axes]
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"Different number of contraction axes `a` and `b`, {len(pair[0])} != {len(pair[1])}.")
    for part, shape in zip(pair, (shape_a, shape_b), strict=True):
        for axis in part:
            if not -len(shape) <= axis < len(shape):
                raise IndexError(f"tf.tensordot has no axis {axis} in a tensor of shape {list(shape)}")
    return [a % len(shape_a) for a in pair[0]], [b % len(shape_b) for b in pair[1]]


# -- dense -------------------------------------------------------------------------------------------------------------


def _dense_kernel(xp: Any) -> Callable:
    product = _matmul_kernel(xp)

    def dense(x: Any, w: Any, b: Any) -> Any:
        z = product(x, w, False, False)
        z += b
        return z

    return dense


def _dense_shape(x: Any, w: Any, b: Any) -> Abstract:
    out = _matmul_shape(x, w, False, False)
    if b.shape is not None and w.shape is not None and (len(b.shape) != 1 or b.shape[0] != w.shape[1]):
        raise errors.invalid(
            "BiasAdd", f"Must provide as many biases as the product has columns: {list(b.shape)} vs. {list(w.shape)}"
        )
    return out


def _pull_dense(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    _, (key_x, key_w, key_b), (x, w), _, _, _ = rec
    if key_x in wanted:
        d = F.matmul(g, w._value if F.raw else w, False, True)
        grads[key_x] = grads[key_x] + d if key_x in grads else d
    if key_w in wanted:
        d = F.matmul(x._value if F.raw else x, g, True, False)
        grads[key_w] = grads[key_w] + d if key_w in grads else d
    if key_b in wanted:
        d = F.reduce_sum(g, (0,), False)
        grads[key_b] = grads[key_b] + d if key_b in grads else d


dense = define(
    "dense",
    _dense_kernel,
    _dense_shape,
    [
        lambda F, g, x, w: F.matmul(g, w, False, True),
        lambda F, g, x, w: F.matmul(x, g, True, False),
        lambda F, g, x, w: F.reduce_sum(g, (0,), False),
    ],
    """x @ w + b in one op: [n, k], [k, m] and [m] give [n, m]. Real tensors of one dtype, which it does not check.""",
    saves=lambda x, w, b, out: (x, w),
    title="MatMul",
    inputs=3,
    pull=_pull_dense,
)
