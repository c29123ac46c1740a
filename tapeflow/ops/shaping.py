"""Shapes: reshaping, transposing, broadcasting; the same elements in another form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import numpy_dtype
from ..core.op import ARRAYS, TENSORS, define
from ..core.shapes import as_shape, broadcast_shapes, shape_text
from ..core.size import has_sizes
from ..core.tensor import Tensor, flat, wrap
from .deferring import deferred
from .statics import from_end, refused_integer, static_int, static_shape

# -- reshape -----------------------------------------------------------------------------------------------------------


def _reshaped(x: Any, shape: tuple) -> Abstract:
    """The shape with -1 worked out. Raises InvalidArgumentError where the sizes disagree."""
    if any(n < -1 for n in shape):
        i = next(i for i, n in enumerate(shape) if n < -1)
        raise errors.invalid("Reshape", f"Size {i} must be non-negative, not {shape[i]}")
    if shape.count(-1) > 1:
        raise errors.invalid(
            "Reshape",
            f"Only one input size may be -1, not both {shape.index(-1)} and {len(shape) - 1 - shape[::-1].index(-1)}",
        )
    if x.shape is None or None in x.shape or has_sizes(shape):
        return Abstract(tuple(None if n == -1 else n for n in shape), x.dtype)
    size = int(np.prod(x.shape, dtype=np.int64))
    known = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
    if -1 in shape:
        # TensorFlow works -1 out from the dimensions that are not zero
        over = int(np.prod([n for n in shape if n > 0], dtype=np.int64)) if known == 0 else known
        if known == 0 and size:
            raise errors.invalid(
                "Reshape", f"reshape cannot infer the missing input size for an empty tensor from {size} values"
            )
        of = int(np.prod([n for n in x.shape if n > 0], dtype=np.int64)) if known == 0 else size
        if of % over:
            raise errors.invalid(
                "Reshape",
                f"Input to reshape is a tensor with {size} values, but the requested shape {list(shape)} requires a "
                f"multiple of {over}",
            )
        return Abstract(tuple(of // over if n == -1 else n for n in shape), x.dtype)
    if size != known:
        raise errors.invalid(
            "Reshape",
            f"Input to reshape is a tensor with {size} values (shape {list(x.shape)}), but the requested shape "
            f"{list(shape)} has {known}",
        )
    return Abstract(tuple(shape), x.dtype)


def _reshape_kernel(xp: Any) -> Any:
    def reshape(x: Any, shape: tuple) -> Any:
        if -1 in shape and 0 in shape:
            shape = _reshaped(x, shape).shape
        return x.reshape(shape)

    return reshape


_reshape = define(
    "reshape",
    _reshape_kernel,
    _reshaped,
    [lambda F, g, of, to: F.reshape(g, of)],
    saves=lambda x, out, shape: (x._value.shape,),
)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same values, in row-major order, in another shape, of which one dimension may be -1.

    Raises InvalidArgumentError where the number of values differs.
    """
    if type(tensor) is not Tensor:
        tensor = convert_to_tensor(tensor)
    dims = static_shape(shape, "Reshape")
    if dims and min(dims) < -1:  # NumPy takes it for -1
        _reshaped(tensor._value, dims)
    return _reshape(tensor, dims)


# -- transpose ---------------------------------------------------------------------------------------------------------


def _transposed(x: Any, perm: tuple) -> Abstract:
    rank = len(x.shape)
    if len(perm) != rank:
        raise errors.invalid(
            "Transpose", f"transpose expects a vector of size {rank}. But input(1) is a vector of size {len(perm)}"
        )
    for axis in perm:
        if not -rank <= axis < rank:
            raise errors.invalid("Transpose", f"{axis} is out of range [0 .. {rank})")
    if len({a % rank for a in perm}) != rank:
        raise errors.invalid(
            "Transpose", f"the permutation {list(perm)} names an axis twice; each of {rank} belongs in it once"
        )
    return Abstract(tuple(x.shape[a] for a in perm), x.dtype)


_transpose = define(
    "transpose",
    lambda xp: lambda x, perm: x.transpose(perm),
    _transposed,
    [lambda F, g, perm: F.transpose(g, tuple(np.argsort([a % len(perm) for a in perm]).tolist()))],
)


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Tensor:
    """The tensor with its dimensions in the order `perm` (reversed by default), conjugated on request.

    Raises InvalidArgumentError where `perm` is no permutation of the dimensions.
    """
    if type(a) is not Tensor:
        a = convert_to_tensor(a)
    rank = len(a._value.shape)
    out = _transpose(a, tuple(range(rank - 1, -1, -1)) if perm is None else static_shape(perm, "Transpose"))
    return TENSORS.conj(out) if conjugate and a._value.dtype.kind == "c" else out


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """The matrices in the last two dimensions transposed, and conjugated on request. Raises ValueError for a vector."""
    a = convert_to_tensor(a)
    rank = len(a._value.shape)
    if rank < 2:
        raise ValueError(f"Argument `a` should be a (batch) matrix with rank >= 2. Received a tensor of rank {rank}")
    return transpose(a, [*range(rank - 2), rank - 1, rank - 2], conjugate)


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The matrices in the last two dimensions transposed and conjugated. Raises ValueError for a vector."""
    return matrix_transpose(matrix, conjugate=True)


# -- broadcasting ------------------------------------------------------------------------------------------------------


def _spread(x: Any, shape: tuple) -> Any:
    if x.ndim > len(shape):
        raise ValueError  # which assigning would drop dimensions of 1 for
    # np.broadcast_to is slow on small arrays, and nothing may write to its views
    out = np.empty(shape, x.dtype)
    if type(x) is np.ndarray:
        out[...] = x
    else:
        out.fill(x)
    return out


def _broadcasted(x: Any, shape: tuple) -> Abstract:
    if not has_sizes(shape) and None not in shape and broadcast_shapes(x.shape, shape) != tuple(shape):
        raise errors.invalid("BroadcastTo", f"Incompatible shapes: {list(x.shape)} vs. {list(shape)}")
    return Abstract(tuple(shape), x.dtype)


_broadcast_to = define(
    "broadcast_to",
    lambda xp: _spread if xp is np else xp.broadcast_to,
    _broadcasted,
    [lambda F, g, of, to: F.sum_to(g, of)],
    saves=lambda x, out, shape: (x._value.shape,),
)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor repeated along its dimensions of size 1, and along new leading ones, to `shape`.

    Raises InvalidArgumentError where it does not broadcast to that.
    """
    return _broadcast_to(convert_to_tensor(input), static_shape(shape, "BroadcastTo"))


def _sum_to(g: Tensor, shape: tuple) -> Tensor:
    """The adjoint of broadcasting, on tensors; `core.elementwise.sum_to` is it on arrays."""
    have = g._value.shape
    if have == shape:
        return g
    if has_sizes(have) or has_sizes(shape):
        return _summed_to(g, shape)
    lead = len(have) - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and have[i + lead] != 1)
    if axes:
        g = _reshape(TENSORS.reduce_sum(g, axes, False), shape)
    return g if g._value.shape == shape else _broadcast_to(g, shape)


TENSORS.sum_to = _sum_to
_summed_to = define(
    "sum_to_shape",
    lambda xp: ARRAYS.sum_to,
    lambda g, shape: Abstract(shape, g.dtype),
    [lambda F, g, of, to: F.broadcast_to(g, of)],
    saves=lambda g, out, shape: (g._value.shape,),
    doc="The sum over what was broadcast, where shapes are known only when a graph runs.",
)


# -- dimensions of one -------------------------------------------------------------------------------------------------


def _expanded(x: Any, axis: int) -> Abstract:
    if x.shape is None:
        return Abstract(None, x.dtype)
    return Abstract((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)


_expand_dims = define(
    "expand_dims",
    lambda xp: lambda x, axis: x.reshape(x.shape[:axis] + (1,) + x.shape[axis:]),
    _expanded,
    [lambda F, g, axis: F.squeeze(g, (axis,))],
)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """The tensor with a dimension of 1 put in before dimension `axis`; -1 puts it behind the last.

    Raises InvalidArgumentError for an axis out of [-(rank + 1), rank], ValueError for None.
    """
    if type(input) is not Tensor:
        input = convert_to_tensor(input)
    rank = len(input._value.shape)
    at = static_int(axis, "ExpandDims", "Tdim", "dim", single=True)
    if not -rank - 1 <= at <= rank:
        raise errors.invalid("ExpandDims", f"Tried to expand dim index {at} for tensor with {rank} dimensions.")
    return _expand_dims(input, from_end(at, rank + 1))


def _squeezed(x: Any, axes: tuple) -> Abstract:
    if x.shape is None:
        return Abstract(None, x.dtype)
    for axis in axes:
        if x.shape[axis] not in (1, None):
            raise errors.invalid(
                "Squeeze",
                f"Can not squeeze dim[{axis}], expected a dimension of 1, got {x.shape[axis]} in {list(x.shape)}",
            )
    return Abstract(tuple([n for i, n in enumerate(x.shape) if i not in axes]), x.dtype)


def _squeeze_kernel(xp: Any) -> Any:
    def squeeze(x: Any, axes: tuple) -> Any:
        return x.reshape([n for i, n in enumerate(x.shape) if i not in axes])

    return squeeze


def _squeeze_grad(F: Any, g: Any, axes: tuple) -> Any:
    for axis in sorted(axes):
        g = F.expand_dims(g, axis)
    return g


_squeeze = define("squeeze", _squeeze_kernel, _squeezed, [_squeeze_grad])


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """The tensor without its dimensions of 1: all of them, or those that `axis` (an int or a list of them) names.

    Raises InvalidArgumentError for an axis out of range or of another size than 1, TypeError for a tensor as axis.
    """
    if type(input) is not Tensor:
        input = convert_to_tensor(input)
    shape = input._value.shape
    rank = len(shape)
    if isinstance(axis, (Tensor, np.ndarray)):
        raise TypeError(f"Expected list for 'axis' argument to 'squeeze' Op, not {axis!r}.")
    named = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    if not named:
        return _squeeze_all(input)
    for a in named:
        if not -rank <= a < rank:
            raise errors.invalid("Squeeze", f"Tried to squeeze dim index {a} for tensor with {rank} dimensions.")
    axes = tuple([from_end(int(a), rank) for a in named])
    _squeezed(input._value, axes)
    return _squeeze(input, axes)


@deferred(lambda x: Abstract(None, x._value.dtype))
def _squeeze_all(x: Tensor) -> Tensor:
    return _squeeze(x, tuple([i for i, n in enumerate(x._value.shape) if n == 1]))


# -- the same, or like it ----------------------------------------------------------------------------------------------


def _zeros_like(xp: Any) -> Any:
    return lambda x: xp.zeros(x.shape, x.dtype) if x.dtype.kind != "O" else np.full(x.shape, b"", object)


define("zeros_like", _zeros_like, lambda x: Abstract(x.shape, x.dtype))
define("ones_like", lambda xp: lambda x: xp.ones(x.shape, x.dtype), lambda x: Abstract(x.shape, x.dtype))
define("identity", lambda xp: lambda x: x, lambda x: Abstract(x.shape, x.dtype), [lambda F, g: g])


def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of the same shape full of zeros (empty strings), of the same dtype or of the one given.

    Raises TypeError for what is no dtype.
    """
    x = convert_to_tensor(input)
    if dtype is None or numpy_dtype(dtype) == x._value.dtype:
        return TENSORS.zeros_like(x)
    return _like(x, numpy_dtype(dtype), b"" if numpy_dtype(dtype).kind == "O" else 0)


def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of the same shape full of ones, of the same dtype or of the one given.

    Raises InvalidArgumentError for strings, TypeError for what is no dtype and for tf.string as one.
    """
    x = convert_to_tensor(input)
    if x._value.dtype.kind == "O" and dtype is None:
        raise refused_integer(x._value.dtype, "OnesLike", "T", "numbers and bool")
    if dtype is None or numpy_dtype(dtype) == x._value.dtype:
        return TENSORS.ones_like(x)
    if numpy_dtype(dtype).kind == "O":
        raise TypeError("Cannot convert 1 to EagerTensor of dtype string")
    return _like(x, numpy_dtype(dtype), 1)


def _like(x: Tensor, dtype: np.dtype, value: Any) -> Tensor:
    if type(x) is Tensor:
        return wrap(flat(np.full(x._value.shape, value, dtype)))
    return TENSORS.cast(TENSORS.zeros_like(x) if not value else TENSORS.ones_like(x), dtype)


def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor of the same value, another object; gradients pass through."""
    return TENSORS.identity(convert_to_tensor(input))


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """A list of tensors of the same values, other objects; gradients pass through."""
    return [identity(x) for x in input]


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor, given that it has a shape that agrees with `shape`, in which None stands for any size.

    Raises InvalidArgumentError where it has not.
    """
    tensor = convert_to_tensor(x)
    wanted = as_shape(shape)
    if not wanted.is_compatible_with(tensor.shape):
        raise errors.invalid(
            "EnsureShape",
            f"Shape of tensor input {shape_text(tensor._value.shape)} is not compatible with expected shape "
            f"{shape_text(wanted._dims)}.",
        )
    return TENSORS.identity(tensor)
