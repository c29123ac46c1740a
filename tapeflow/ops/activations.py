"""Activation functions, elementwise: rectifiers, exponential units, smooth units."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, FLOATS_COMPLEX, REALS, as_dtype
from ..core.elementwise import refused_dtype, same, unary
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.tensor import Tensor, ndarray
from .arithmetic import one, selection, typed_constant, zero
from .elementary import sigmoid
from .softmax import log_softmax, softmax  # noqa: F401 - activations too, in a file of their own
from .special import erf

_FLOAT32 = np.dtype("float32")
six, half = typed_constant(6.0), typed_constant(0.5)

# -- rectifiers --------------------------------------------------------------------------------------------------------


def _relu_kernel(xp: Any) -> Callable:
    maximum = xp.maximum
    return lambda x: maximum(x, zero(x.dtype))


# g * (y > 0), which costs a third of a select
define(
    "relu_grad",
    lambda xp: lambda g, y: g * (y > zero(y.dtype)),
    same,
    [lambda F, g, y: F.relu_grad(g, y), None],
    """The gradient of `relu`: that of its output where the output is positive.""",
    saves=lambda g, y, out: (y,),
    title="ReluGrad",
    inputs=2,
)
_relu = unary("relu", _relu_kernel, lambda F, g, y: F.relu_grad(g, y), saves="y", dtypes=REALS)
define(
    "relu6_grad",
    lambda xp: lambda g, y: g * ((y > zero(y.dtype)) & (y < six(y.dtype))),
    same,
    [lambda F, g, y: F.relu6_grad(g, y), None],
    """The gradient of `relu6`: that of its output where the output is between 0 and 6.""",
    saves=lambda g, y, out: (y,),
    title="Relu6Grad",
    inputs=2,
)
_relu6 = unary(
    "relu6",
    lambda xp: lambda x: xp.minimum(xp.maximum(x, zero(x.dtype)), six(x.dtype)),
    lambda F, g, y: F.relu6_grad(g, y),
    saves="y",
    dtypes=REALS,
)


def relu(features: Any, name: str | None = None) -> Tensor:
    """max(features, 0), elementwise, of real numbers; its derivative at 0 is 0."""
    return _relu(features)


def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(features, 0), 6), elementwise, of real numbers; its derivative at 0 and 6 is 0."""
    return _relu6(features)


def _leaky_kernel(xp: Any) -> Callable:
    def leaky_relu(x: Any, alpha: float) -> Any:
        slope = x.dtype.type(alpha)
        return xp.maximum(x, x * slope) if alpha <= 1.0 else xp.minimum(x, x * slope)

    return leaky_relu


define(
    "leaky_relu_grad",
    lambda xp: lambda g, x, alpha: g * xp.where(x > zero(x.dtype), one(x.dtype), x.dtype.type(alpha)),
    lambda g, x, alpha: Abstract(x.shape, x.dtype),
    [lambda F, g, x, alpha: F.leaky_relu_grad(g, x, alpha), None],
    """The gradient of `leaky_relu`: that of its output, times alpha where the input is not positive.""",
    saves=lambda g, x, out, alpha: (x,),
    title="LeakyReluGrad",
    inputs=2,
)
_leaky_relu = define(
    "leaky_relu",
    _leaky_kernel,
    same,
    [lambda F, g, x, alpha: F.leaky_relu_grad(g, x, alpha)],
    saves=lambda x, out, alpha: (x,),
    title="LeakyRelu",
)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """features where they are positive, alpha * features elsewhere, elementwise; its derivative at 0 is alpha.

    Integers become float32. Raises TypeError for an `alpha` that is no number, InvalidArgumentError for bools, strings
    and complex numbers.
    """
    x = convert_to_tensor(features)
    if x._value.dtype.kind in "iu":
        x = T.cast(x, _FLOAT32)
    if isinstance(alpha, (ndarray, np.generic)):
        alpha = alpha.item()
    if not isinstance(alpha, (int, float)):
        raise TypeError(f"Expected float for argument 'alpha' not {alpha!r}.")
    if x._value.dtype not in FLOATS:
        raise refused_dtype(_leaky_relu.op, x._value.dtype, FLOATS)
    return _leaky_relu(x, float(np.float32(alpha)))  # TensorFlow keeps attributes in float32


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu(features) and relu(-features), one behind the other along `axis`, which becomes twice as long.

    Source: Shang et al., Understanding and Improving Convolutional Neural Networks via Concatenated ReLUs (2016).
    """
    x = convert_to_tensor(features)
    rank = len(x._value.shape)
    if not -rank <= axis < rank:
        raise errors.invalid(
            "ConcatV2", f"ConcatOp : Expected concatenating dimensions in the range [{-rank}, {rank}), but got {axis}"
        )
    return T.concat([_relu(x), _relu(-x)], axis % rank)


# -- exponential units -------------------------------------------------------------------------------------------------

_SCALE = 1.0507009873554805
_ALPHA = 1.6732632423543772
scale, scale_alpha = typed_constant(_SCALE), typed_constant(_SCALE * _ALPHA)


def _elu_kernel(xp: Any) -> Callable:
    where, expm1, minimum = selection(xp), xp.expm1, xp.minimum

    def elu(x: Any) -> Any:
        none = zero(x.dtype)
        # expm1 of what is positive might overflow
        return where(x < none, expm1(minimum(x, none)), x)

    return elu


def _selu_kernel(xp: Any) -> Callable:
    where, expm1, minimum = selection(xp), xp.expm1, xp.minimum

    def selu(x: Any) -> Any:
        none = zero(x.dtype)
        return where(x < none, scale_alpha(x.dtype) * expm1(minimum(x, none)), scale(x.dtype) * x)

    return selu


def _elu_gradient(F: Any, g: Any, y: Any) -> Any:
    negative = F.less(y, F.zeros_like(y))
    return F.where(negative, (y + 1) * g, g)


def _selu_gradient(F: Any, g: Any, y: Any) -> Any:
    negative = F.less(y, F.zeros_like(y))
    return F.where(negative, (y + _SCALE * _ALPHA) * g, g * _SCALE)


_elu = unary("elu", _elu_kernel, _elu_gradient, saves="y", dtypes=FLOATS)
_selu = unary("selu", _selu_kernel, _selu_gradient, saves="y", dtypes=FLOATS)


def elu(features: Any, name: str | None = None) -> Tensor:
    """features where they are not negative, exp(features) - 1 elsewhere, elementwise, of floats.

    Source: Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units (2015).
    """
    return _elu(features)


def selu(features: Any, name: str | None = None) -> Tensor:
    """1.0507 * features where they are not negative, 1.0507 * 1.6733 * (exp(features) - 1) elsewhere, of floats.

    Source: Klambauer et al., Self-Normalizing Neural Networks (2017).
    """
    return _selu(features)


# -- smooth units ------------------------------------------------------------------------------------------------------

root_half, root_two_over_pi, cubic = typed_constant(sqrt(0.5)), typed_constant(sqrt(2 / pi)), typed_constant(0.044715)


def _gelu_kernel(xp: Any) -> Callable:
    erf_of = erf.op.make_kernel(xp)
    return lambda x: half(x.dtype) * x * (one(x.dtype) + erf_of(x * root_half(x.dtype)))


def _gelu_gradient(F: Any, g: Any, x: Any) -> Any:
    """The normal distribution's function, and x times its density."""
    below = (F.erf(x * sqrt(0.5)) + 1) * 0.5
    return g * (below + x * F.exp(x * x * -0.5) * (1 / sqrt(2 * pi)))


def _gelu_tanh_kernel(xp: Any) -> Callable:
    def gelu(x: Any) -> Any:
        dtype = x.dtype
        inner = root_two_over_pi(dtype) * (x + cubic(dtype) * (x * x * x))
        return half(dtype) * x * (one(dtype) + xp.tanh(inner))

    return gelu


def _gelu_tanh_gradient(F: Any, g: Any, x: Any) -> Any:
    squares = x * x
    t = F.tanh((x + x * squares * 0.044715) * sqrt(2 / pi))
    slope = (squares * (3 * 0.044715) + 1) * sqrt(2 / pi)
    return g * ((t + 1) * 0.5 + x * (1 - t * t) * slope * 0.5)


_gelu = unary("gelu", _gelu_kernel, _gelu_gradient, dtypes=FLOATS)
_gelu_tanh = unary("gelu_tanh", _gelu_tanh_kernel, _gelu_tanh_gradient, dtypes=FLOATS, title="Gelu")


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """features * P(X <= features) for a normal X, elementwise; with `approximate`, by a tanh that comes near it.

    Raises ValueError for what are no floats. Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016).
    """
    x = convert_to_tensor(features)
    if x._value.dtype not in FLOATS:
        raise ValueError(
            f"`features.dtype` must be a floating point tensor. Received: features.dtype={as_dtype(x._value.dtype)!r}"
        )
    return _gelu_tanh(x) if approximate else _gelu(x)


def _silu_kernel(xp: Any) -> Callable:
    sigmoid_of = sigmoid.op.make_kernel(xp)
    return lambda x: x * sigmoid_of(x)


def _silu_gradient(F: Any, g: Any, x: Any) -> Any:
    s = F.sigmoid(x)
    return g * (s * (x * (1 - s) + 1))


_silu = unary("silu", _silu_kernel, _silu_gradient, dtypes=FLOATS_COMPLEX)


def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """features * sigmoid(beta * features), elementwise; `beta` may be a tensor, and has a gradient then.

    Raises InvalidArgumentError for integers. Source: Ramachandran et al., Searching for Activation Functions (2017).
    """
    if type(beta) is float and beta == 1.0:
        return _silu(features)
    x = convert_to_tensor(features)
    return x * T.sigmoid(x * beta)


swish = silu


def _softsign_gradient(F: Any, g: Any, x: Any) -> Any:
    wide = F.abs(x) + 1
    return g / (wide * wide)


_softsign = unary("softsign", lambda xp: lambda x: x / (one(x.dtype) + abs(x)), _softsign_gradient, dtypes=FLOATS)


def softsign(features: Any, name: str | None = None) -> Tensor:
    """features / (1 + |features|), elementwise, of floats."""
    return _softsign(features)
