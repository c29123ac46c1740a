"""Shapes and dtypes: casting, reshaping, transposing, broadcasting; the same elements in another form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype, is_differentiable, numpy_dtype, short_name
from ..core.op import TENSORS, define
from ..core.shapes import TensorShape, broadcast_shapes
from ..core.tensor import Tensor

# -- attributes that users give as tensors, lists or shapes ------------------------------------------------------------


def static_shape(shape: Any, op_name: str) -> tuple[int, ...]:
    """A shape argument (list, tuple, TensorShape, tensor, NumPy array, number) as a tuple of ints.

    Raises TypeError for what is not made of integers, InvalidArgumentError for a tensor of floats.
    """
    if type(shape) is tuple or type(shape) is list:
        if all(type(n) is int for n in shape):
            return tuple(shape)
    elif isinstance(shape, TensorShape):
        return tuple(shape.as_list())
    given = convert_to_tensor(shape, dtype_hint=as_dtype("int32")) if not _is_empty(shape) else None
    if given is None:
        return ()
    value = np.asarray(given._value)
    if value.dtype.kind not in "iu":
        if isinstance(shape, Tensor):
            raise errors.invalid(
                op_name,
                f"Value for attr 'Tshape' of {short_name(value.dtype)} is not in the list of allowed values: int32, int64",
            )
        raise TypeError(f"Cannot convert {shape!r} to EagerTensor of dtype int32: the shape of {op_name} is made of ints")
    return tuple(value.reshape(-1).tolist())


def _is_empty(shape: Any) -> bool:
    return isinstance(shape, (list, tuple)) and not shape


# -- cast --------------------------------------------------------------------------------------------------------------


def _cast(xp: Any) -> Any:
    def cast(x: Any, dtype: np.dtype) -> Any:
        kind = x.dtype.kind
        if kind == "c" and dtype.kind not in "cb":
            x = x.real
        if dtype.kind in "iu" and kind in "fV":
            return _float_to_int(x, dtype)
        return x.astype(dtype)

    return cast


_WRAPPED = {1: np.dtype("int32"), 2: np.dtype("int32"), 4: np.dtype("int64"), 8: np.dtype("int64")}


def _float_to_int(x: Any, dtype: np.dtype) -> Any:
    """Truncates; small and unsigned types wrap as TensorFlow's do on x86, NaN and what is too large give the minimum."""
    if dtype.itemsize >= 4 and dtype.kind == "i":
        return x.astype(dtype)
    return x.astype(_WRAPPED[dtype.itemsize]).astype(dtype)


def _cast_shape(x: Any, dtype: np.dtype) -> Abstract:
    if (x.dtype.kind == "O") != (dtype.kind == "O"):
        raise errors.UnimplementedError(
            None, None, f"Cast {short_name(x.dtype)} to {short_name(dtype)} is not supported [Op:Cast]"
        )
    return Abstract(x.shape, dtype)


_to_dtype = define(
    "cast",
    _cast,
    _cast_shape,
    [lambda F, g, of, to: F.cast(g, of) if is_differentiable(of) else None],
    saves=lambda x, out, dtype: (x._value.dtype,),
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The values in another dtype.

    Arguments:
        x: a tensor, variable, IndexedSlices, or what can be one; of any shape.
        dtype: the dtype wanted. Floats become ints by truncation, complex numbers lose their imaginary part.

    Raises UnimplementedError between strings and numbers, TypeError for what is no dtype. Differentiable between
    floating and complex types.
    """
    to = numpy_dtype(dtype)
    if type(x) is not Tensor:
        x = convert_to_tensor(x)
    have = x._value.dtype
    if have is to or have == to:
        return x
    if have.kind == "O" or to.kind == "O":
        _cast_shape(x._value, to)
    return _to_dtype(x, to)


# -- reshape -----------------------------------------------------------------------------------------------------------


def _reshaped(x: Any, shape: tuple) -> Abstract:
    """The shape with -1 worked out. Raises InvalidArgumentError where the sizes disagree."""
    if any(n < -1 for n in shape):
        i = next(i for i, n in enumerate(shape) if n < -1)
        raise errors.invalid("Reshape", f"Size {i} must be non-negative, not {shape[i]}")
    if shape.count(-1) > 1:
        raise errors.invalid("Reshape", f"Only one input size may be -1, not both {shape.index(-1)} and {len(shape) - 1 - shape[::-1].index(-1)}")
    if x.shape is None or None in x.shape:
        return Abstract(tuple(None if n == -1 else n for n in shape), x.dtype)
    size = int(np.prod(x.shape, dtype=np.int64))
    known = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
    if -1 in shape:
        # TensorFlow works -1 out from the dimensions that are not zero
        over = int(np.prod([n for n in shape if n > 0], dtype=np.int64)) if known == 0 else known
        if known == 0 and size:
            raise errors.invalid("Reshape", f"reshape cannot infer the missing input size for an empty tensor from {size} values")
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
    return _reshape(tensor, static_shape(shape, "Reshape"))


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
        raise errors.invalid("Transpose", f"the permutation {list(perm)} names an axis twice; each of {rank} belongs in it once")
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
    return TENSORS.conj(out) if conjugate and a._value.dtype.kind == "c" else out  # type: ignore[attr-defined]


# -- broadcasting ------------------------------------------------------------------------------------------------------


def _spread(x: Any, shape: tuple) -> Any:
    # np.broadcast_to is slow on small arrays, and nothing may write to its views
    out = np.empty(shape, x.dtype)
    out[...] = x
    return out


def _broadcasted(x: Any, shape: tuple) -> Abstract:
    if broadcast_shapes(x.shape, shape) != tuple(shape):
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
    lead = len(have) - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and have[i + lead] != 1)
    if axes:
        g = _reshape(TENSORS.reduce_sum(g, axes, False), shape)  # type: ignore[attr-defined]
    return g if g._value.shape == shape else _broadcast_to(g, shape)


TENSORS.sum_to = _sum_to  # type: ignore[attr-defined]


# -- constants like another tensor -------------------------------------------------------------------------------------

define("zeros_like", lambda xp: lambda x: xp.zeros(x.shape, x.dtype), lambda x: Abstract(x.shape, x.dtype))
define("ones_like", lambda xp: lambda x: xp.ones(x.shape, x.dtype), lambda x: Abstract(x.shape, x.dtype))
define("identity", lambda xp: lambda x: x, lambda x: Abstract(x.shape, x.dtype), [lambda F, g: g])


def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor of the same value, another object; gradients pass through."""
    return TENSORS.identity(convert_to_tensor(input))  # type: ignore[attr-defined]
