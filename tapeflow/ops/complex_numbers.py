"""Complex numbers: made of parts, and taken apart. `tf.abs`, `tf.sign` and `tf.math.conj` are in arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.elementwise import real_part
from ..core.op import TENSORS, define
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor, wrap
from .arithmetic import typed_constant, zero

_pi = typed_constant(np.pi)
_i = typed_constant(1j)
_COMPLEX: dict[Any, np.dtype] = {
    np.dtype("float32"): np.dtype("complex64"),
    np.dtype("float64"): np.dtype("complex128"),
}

_real = define(
    "real",
    lambda xp: lambda z: z.real,
    real_part,
    [lambda F, g, of: F.cast(g, of)],
    saves=lambda z, out: (z._value.dtype,),
)
_imag = define(
    "imag",
    lambda xp: lambda z: z.imag,
    real_part,
    [lambda F, g, of: F.cast(g, of) * _i(of)],
    saves=lambda z, out: (z._value.dtype,),
)
# d angle = Im(dz / z), so the gradient along both axes is i / conj(z)
_angle = define(
    "angle",
    lambda xp: xp.angle,
    real_part,
    [lambda F, g, z, of: F.cast(g, of) * _i(of) / F.conj(z)],
    saves=lambda z, out: (z, z._value.dtype),
)


def real(input: Any, name: str | None = None) -> Tensor:
    """The real part, elementwise; real numbers as they are. Raises TypeError for bools and strings."""
    if type(input) is not Tensor:
        input = convert_to_tensor(input)
    if input.dtype.is_complex:
        return _real(input)
    _check_number("real", input)
    return input


def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part, elementwise; zeros for real numbers."""
    if type(input) is not Tensor:
        input = convert_to_tensor(input)
    return _imag(input) if input.dtype.is_complex else TENSORS.zeros_like(input)  # type: ignore[attr-defined]


def angle(input: Any, name: str | None = None) -> Tensor:
    """The argument in (-pi, pi], elementwise; of real numbers 0, or pi below 0, without a gradient.

    Raises TypeError for integers, bools and strings.
    """
    if type(input) is not Tensor:
        input = convert_to_tensor(input)
    if input.dtype.is_complex:
        return _angle(input)
    if not input.dtype.is_floating:
        raise TypeError(f"tf.math.angle takes floats and complex numbers, not {input.dtype}: tf.cast it first.")
    below = TENSORS.less(input, wrap(zero(input.dtype)))  # type: ignore[attr-defined]
    return TENSORS.where(below, wrap(_pi(input.dtype)), wrap(zero(input.dtype)))  # type: ignore[attr-defined]


def _check_number(name: str, x: Tensor) -> None:
    if x.dtype.is_bool or not x.dtype.is_numeric:
        raise TypeError(f"input of tf.math.{name} must be a numeric tensor, but got tensor with dtype {x.dtype}")


# -- from parts --------------------------------------------------------------------------------------------------------


def _complex(xp: Any) -> Any:
    if xp is not np:
        return lambda re, im: re + 1j * im

    def join(re: Any, im: Any) -> Any:
        # a product with 1j would turn an infinite imaginary part into NaN
        z = np.empty(np.broadcast(re, im).shape, _COMPLEX[re.dtype])
        z.real = re
        z.imag = im
        return z

    return join


def _joined(re: Any, im: Any) -> Abstract:
    if re.dtype != im.dtype or re.dtype not in _COMPLEX:
        raise TypeError(
            f"The `real` and `imag` components have incorrect types: {as_dtype(re.dtype).name} "
            f"{as_dtype(im.dtype).name}. They must be consistent, and one of [tf.float32, tf.float64]"
        )
    return Abstract(broadcast_shapes(re.shape, im.shape, op_name="Complex"), _COMPLEX[re.dtype])


_from_parts = define(
    "complex",
    _complex,
    _joined,
    [
        lambda F, g, re, im: F.sum_to(F.real(g), re),
        lambda F, g, re, im: F.sum_to(F.imag(g), im),
    ],
    saves=lambda re, im, out: (re._value.shape, im._value.shape),
    inputs=2,
)


def complex_(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """Complex numbers of real and imaginary parts, elementwise with broadcasting.

    complex64 of float32, complex128 of float64. Raises TypeError for others, or where the two differ.
    """
    real = convert_to_tensor(real)
    imag = convert_like(imag, real._value.dtype)
    _joined(real._value, imag._value)
    return _from_parts(real, imag)
