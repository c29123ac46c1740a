"""Elementary functions, elementwise: exponentials, logarithms, roots, trigonometric, hyperbolic, logistic; rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import FLOATS, REALS, group, numpy_dtype
from ..core.elementwise import binary, unary
from ..core.tensor import Tensor
from .arithmetic import negative, one, selection, typed_constant, zero

_half = typed_constant(0.5)
_minus_half = typed_constant(-0.5)

# -- exponentials, logarithms, roots -----------------------------------------------------------------------------------

exp = unary("exp", lambda xp: xp.exp, lambda F, g, y: g * y, saves="y", doc="e to the power of x, elementwise.")
expm1 = unary("expm1", lambda xp: xp.expm1, lambda F, g, x: g * F.exp(x), doc="exp(x) - 1, exact near 0; elementwise.")
log = unary("log", lambda xp: xp.log, lambda F, g, x: g / x, doc="The natural logarithm, elementwise.")
log1p = unary(
    "log1p",
    lambda xp: xp.log1p,
    lambda F, g, x: g / (one(x.dtype) + x),
    title="Log1p",
    doc="log(1 + x), exact near 0; elementwise.",
)
sqrt = unary(
    "sqrt",
    lambda xp: xp.sqrt,
    # no gradient from above is none here either, even at 0 and below, where the derivative is infinite or NaN
    lambda F, g, y: F.multiply_no_nan(_half(y.dtype) / y, g),
    saves="y",
    doc="The square root, elementwise; NaN of negative floats.",
)
rsqrt = unary(
    "rsqrt",
    lambda xp: lambda x: one(x.dtype) / xp.sqrt(x),
    lambda F, g, y: g * _minus_half(y.dtype) * (y * y * y),
    saves="y",
    doc="1 / sqrt(x), elementwise.",
)

# -- trigonometric and hyperbolic --------------------------------------------------------------------------------------

sin = unary("sin", lambda xp: xp.sin, lambda F, g, x: g * F.cos(x), doc="The sine, elementwise.")
cos = unary("cos", lambda xp: xp.cos, lambda F, g, x: -g * F.sin(x), doc="The cosine, elementwise.")
tan = unary(
    "tan",
    lambda xp: xp.tan,
    lambda F, g, y: g * (one(y.dtype) + y * y),
    saves="y",
    doc="The tangent, elementwise.",
)
asin = unary(
    "asin",
    lambda xp: xp.arcsin,
    lambda F, g, x: g / F.sqrt(one(x.dtype) - x * x),
    doc="The inverse of the sine, in [-pi/2, pi/2]; elementwise.",
)
acos = unary(
    "acos",
    lambda xp: xp.arccos,
    lambda F, g, x: -g / F.sqrt(one(x.dtype) - x * x),
    doc="The inverse of the cosine, in [0, pi]; elementwise.",
)
atan = unary(
    "atan",
    lambda xp: xp.arctan,
    lambda F, g, x: g / (one(x.dtype) + x * x),
    doc="The inverse of the tangent, in (-pi/2, pi/2); elementwise.",
)
sinh = unary("sinh", lambda xp: xp.sinh, lambda F, g, x: g * F.cosh(x), doc="The hyperbolic sine, elementwise.")
cosh = unary("cosh", lambda xp: xp.cosh, lambda F, g, x: g * F.sinh(x), doc="The hyperbolic cosine, elementwise.")
tanh = unary(
    "tanh",
    lambda xp: xp.tanh,
    lambda F, g, y: g * (one(y.dtype) - y * y),
    saves="y",
    doc="The hyperbolic tangent, elementwise.",
)
asinh = unary(
    "asinh",
    lambda xp: xp.arcsinh,
    lambda F, g, y: g / F.cosh(y),
    saves="y",
    doc="The inverse of the hyperbolic sine, elementwise.",
)
acosh = unary(
    "acosh",
    lambda xp: xp.arccosh,
    lambda F, g, y: g / F.sinh(y),
    saves="y",
    doc="The inverse of the hyperbolic cosine, elementwise; NaN of floats below 1.",
)
atanh = unary(
    "atanh",
    lambda xp: xp.arctanh,
    lambda F, g, x: g / (one(x.dtype) - x * x),
    doc="The inverse of the hyperbolic tangent, elementwise; NaN of floats outside [-1, 1].",
)

_atan2 = binary(
    "atan2",
    lambda xp: xp.arctan2,
    lambda F, g, y, x: g * x / (x * x + y * y),
    lambda F, g, y, x: -g * y / (x * x + y * y),
    dtypes=FLOATS,
)


def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (x, y) from the positive x axis, in [-pi, pi]; elementwise with broadcasting.

    Takes floats. Raises InvalidArgumentError for others.
    """
    return _atan2(y, x)


# -- logistic ----------------------------------------------------------------------------------------------------------


def _sigmoid(xp: Any) -> Callable:
    exp = xp.exp

    def sigmoid(x: Any) -> Any:
        unit = one(x.dtype)
        return unit / (unit + exp(-x))

    return sigmoid


sigmoid = unary(
    "sigmoid",
    _sigmoid,
    lambda F, g, y: g * (y * (one(y.dtype) - y)),
    saves="y",
    doc="1 / (1 + exp(-x)), elementwise.",
)
_softplus = unary(
    "softplus", lambda xp: lambda x: xp.logaddexp(x, zero(x.dtype)), lambda F, g, x: g * F.sigmoid(x), dtypes=FLOATS
)


def softplus(features: Any, name: str | None = None) -> Tensor:
    """log(1 + exp(x)), elementwise, without overflow. Takes floats; raises InvalidArgumentError for others."""
    return _softplus(features)


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(sigmoid(x)), elementwise, without overflow. Takes floats; raises InvalidArgumentError for others."""
    return negative(_softplus(negative(x)))


# -- products with logarithms ------------------------------------------------------------------------------------------


def _where_x(function: Callable) -> Callable:
    """The kernel of a product x * f(y) that is 0 wherever x is, whatever f(y)."""

    def kernel(xp: Any) -> Callable:
        where, of_both = selection(xp), function(xp)

        def product(x: Any, y: Any) -> Any:
            none = zero(x.dtype)
            return where(x == none, none, of_both(x, y))

        return product

    return kernel


def _nonzero(F: Any, x: Any) -> Any:
    """1 where x is not 0, in its dtype."""
    return F.cast(F.not_equal(x, zero(x.dtype)), numpy_dtype(x.dtype))


xdivy = binary(
    "xdivy",
    _where_x(lambda xp: lambda x, y: x / y),
    lambda F, g, x, y: g * F.xdivy(_nonzero(F, x), y),
    lambda F, g, x, y: g * F.xdivy(-x, y * y),
    dtypes=FLOATS | group("bfloat16", "complex64", "complex128"),
    doc="x / y, and 0 where x is 0; elementwise with broadcasting.",
)
xlogy = binary(
    "xlogy",
    _where_x(lambda xp: lambda x, y: x * xp.log(y)),
    lambda F, g, x, y: g * F.xlogy(_nonzero(F, x), y),
    lambda F, g, x, y: g * F.xdivy(x, y),
    dtypes=FLOATS | group("bfloat16", "complex64", "complex128"),
    doc="x * log(y), and 0 where x is 0; elementwise with broadcasting.",
)
xlog1py = binary(
    "xlog1py",
    _where_x(lambda xp: lambda x, y: x * xp.log1p(y)),
    lambda F, g, x, y: g * F.xlog1py(_nonzero(F, x), y),
    lambda F, g, x, y: g * F.xdivy(x, one(y.dtype) + y),
    dtypes=FLOATS | group("bfloat16", "complex64", "complex128"),
    doc="x * log(1 + y), and 0 where x is 0; elementwise with broadcasting.",
)

# -- rounding, which has no gradient -----------------------------------------------------------------------------------

floor = unary("floor", lambda xp: xp.floor, dtypes=FLOATS, doc="The largest integer not above, elementwise.")
ceil = unary("ceil", lambda xp: xp.ceil, dtypes=FLOATS, doc="The smallest integer not below, elementwise.")
rint = unary("rint", lambda xp: xp.rint, dtypes=FLOATS, doc="The nearest integer, halves to even; elementwise.")
round_ = unary(
    "round",
    lambda xp: lambda x: x if x.dtype.kind in "iu" else xp.rint(x),
    dtypes=REALS,
    doc="The nearest integer, halves to even; elementwise. Integers as they are.",
)

_nextafter = binary(
    "nextafter",
    lambda xp: xp.nextafter,
    lambda F, g, x, y: g,
    lambda F, g, x, y: F.zeros_like(g),
    dtypes=group("float32", "float64"),
    title="NextAfter",
)


def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The next number after x1 towards x2, elementwise with broadcasting.

    Takes float32 and float64; raises InvalidArgumentError for others.
    """
    return _nextafter(x1, x2)
