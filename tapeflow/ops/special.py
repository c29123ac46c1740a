"""Special functions, elementwise: error functions, the gamma family, Bessel functions, integrals without a closed form.

Their kernels are SciPy's, imported when the first of them runs. Source of the derivatives: NIST Digital Library of
Mathematical Functions (chapters 5 to 8, 10 and 25).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, group
from ..core.elementwise import binary, meet, mixed_dtypes, refused_dtype, unary
from ..core.op import OPS, TENSORS, define
from ..core.shapes import broadcast_shapes
from ..core.tensor import Tensor
from .arithmetic import like, one, subtract, two, typed_constant, zero
from .incomplete_gamma import derivative_of_lower

_FLOAT32 = np.dtype("float32")
_WIDE = group("float32", "float64")
_half = typed_constant(0.5)
_two_over_root_pi = typed_constant(2 / math.sqrt(math.pi))
_root_pi_over_two = typed_constant(math.sqrt(math.pi) / 2)
_root_two_pi = typed_constant(math.sqrt(2 * math.pi))
_half_pi = typed_constant(math.pi / 2)


def _scipy(name: str, take: Callable | None = None) -> Callable:
    """The kernel that is this function of SciPy (`take` picks from its results); small floats go through float32."""

    def make(xp: Any) -> Callable:
        found: list = []

        def kernel(*args: Any) -> Any:
            if not found:
                library = importlib.import_module("scipy.special" if xp is np else "jax.scipy.special")
                function = getattr(library, name)
                found.append(function if take is None else lambda *args: take(function(*args)))
            dtype = args[0].dtype
            if dtype.itemsize < 4:
                return found[0](*[x.astype(_FLOAT32) for x in args]).astype(dtype)
            return found[0](*args)

        return kernel

    return make


# -- the error function and its inverses -------------------------------------------------------------------------------

erf = unary(
    "erf",
    _scipy("erf"),
    lambda F, g, x: g * _two_over_root_pi(x.dtype) * F.exp(-x * x),
    dtypes=FLOATS,
    doc="The error function, elementwise.",
)
erfc = unary(
    "erfc",
    _scipy("erfc"),
    lambda F, g, x: -g * _two_over_root_pi(x.dtype) * F.exp(-x * x),
    dtypes=FLOATS,
    doc="1 - erf(x), exact where erf is near 1; elementwise.",
)
erfinv = unary(
    "erfinv",
    _scipy("erfinv"),
    lambda F, g, y: g * _root_pi_over_two(y.dtype) * F.exp(y * y),
    saves="y",
    dtypes=FLOATS,
    doc="The inverse of erf, elementwise; NaN outside [-1, 1].",
)
_erfcinv = unary(
    "erfcinv",
    _scipy("erfcinv"),
    lambda F, g, y: -g * _root_pi_over_two(y.dtype) * F.exp(y * y),
    saves="y",
    dtypes=FLOATS,
)
ndtri = unary(
    "ndtri",
    _scipy("ndtri"),
    lambda F, g, y: g * _root_two_pi(y.dtype) * F.exp(_half(y.dtype) * y * y),
    saves="y",
    dtypes=FLOATS,
    doc="The quantile function of the standard normal distribution, elementwise; NaN outside [0, 1].",
)


def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """The inverse of erfc, elementwise; NaN outside [0, 2]. Raises TypeError for integers, bools and strings."""
    x = convert_to_tensor(x)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise TypeError(f"tf.math.erfcinv takes floats, not {x.dtype}: tf.cast it first.")
    return _erfcinv(x)


# -- the gamma family --------------------------------------------------------------------------------------------------


def _lgamma(xp: Any) -> Callable:
    """SciPy has minus infinity at minus infinity, where the C library and TensorFlow have infinity."""
    lgamma, where = _scipy("gammaln")(xp), xp.where
    return lambda x: where(x == x.dtype.type(-np.inf), x.dtype.type(np.inf), lgamma(x))[()]


lgamma = unary(
    "lgamma",
    _lgamma,
    lambda F, g, x: g * F.digamma(x),
    dtypes=FLOATS,
    doc="log |Gamma(x)|, elementwise.",
)


def _digamma(xp: Any) -> Callable:
    """SciPy has minus infinity at 0, where TensorFlow has NaN, as at the other poles."""
    digamma, where = _scipy("digamma")(xp), xp.where
    return lambda x: where(x == zero(x.dtype), x.dtype.type(np.nan), digamma(x))[()]


digamma = unary(
    "digamma",
    _digamma,
    lambda F, g, x: g * F.polygamma(like(F, one, x), x),
    dtypes=FLOATS,
    doc="The derivative of lgamma, elementwise.",
)


def _polygamma(xp: Any) -> Callable:
    zeta, gamma, digamma = _scipy("zeta")(xp), _scipy("gamma")(xp), _digamma(xp)

    def polygamma(n: Any, x: Any) -> Any:
        unit = one(n.dtype)
        order = n + unit
        sign = unit - two(n.dtype) * (order % two(n.dtype))
        values = sign * gamma(order) * zeta(order, x)
        natural = (n >= zero(n.dtype)) & (n == xp.floor(n))
        return xp.where(n == zero(n.dtype), digamma(x), xp.where(natural, values, n.dtype.type(np.nan)))[()]

    return polygamma


def _pair(a: Any, x: Any) -> Abstract:
    if a.dtype != x.dtype:
        raise mixed_dtypes(OPS["zeta"], a.dtype, x.dtype)
    if a.dtype not in _WIDE:
        raise refused_dtype(OPS["zeta"], a.dtype, _WIDE)
    return Abstract(broadcast_shapes(a.shape, x.shape), a.dtype)


def _of_second(name: str, kernel: Callable, rule: Callable) -> Callable:
    """An elementwise op of two tensors with a derivative with respect to the second alone."""
    op = define(
        name,
        kernel,
        _pair,
        [None, lambda F, g, a, x, shape: F.sum_to(g * rule(F, a, x), shape)],
        saves=lambda a, x, out: (a, x, x._value.shape),
        inputs=2,
    )

    def call(a: Any, x: Any) -> Tensor:
        if type(a) is not Tensor or type(x) is not Tensor:
            a, x = meet(a, x)
        _pair(a._value, x._value)
        return op(a, x)

    return call


_polygamma_op = _of_second("polygamma", _polygamma, lambda F, n, x: F.polygamma(n + one(n.dtype), x))
_zeta = _of_second("zeta", _scipy("zeta"), lambda F, s, q: -s * F.zeta(s + one(s.dtype), q))
_igamma_grad_a = binary(
    "igamma_grad_a",
    lambda xp: derivative_of_lower,
    dtypes=_WIDE,
    title="IgammaGradA",
)


def _gamma_density(F: Any, a: Any, x: Any) -> Any:
    return F.exp(F.xlogy(a - one(a.dtype), x) - x - F.lgamma(a))


_igamma = binary(
    "igamma",
    _scipy("gammainc"),
    lambda F, g, a, x: g * F.igamma_grad_a(a, x),
    lambda F, g, a, x: g * _gamma_density(F, a, x),
    dtypes=_WIDE,
)
_igammac = binary(
    "igammac",
    _scipy("gammaincc"),
    lambda F, g, a, x: -g * F.igamma_grad_a(a, x),
    lambda F, g, a, x: -g * _gamma_density(F, a, x),
    dtypes=_WIDE,
)


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The a-th derivative of digamma at x, elementwise with broadcasting; NaN where `a` is no natural number.

    Takes float32 and float64; raises InvalidArgumentError for others. Differentiable with respect to x.
    """
    return _polygamma_op(a, x)


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz's zeta function, the sum of (q + n)^-x over n = 0, 1, ...; elementwise with broadcasting.

    Takes float32 and float64; raises InvalidArgumentError for others. Differentiable with respect to q.
    """
    return _zeta(x, q)


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower regularized incomplete gamma function P(a, x), elementwise with broadcasting.

    Takes float32 and float64; raises InvalidArgumentError for others. Differentiable, once with respect to a.
    """
    return _igamma(a, x)


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The upper regularized incomplete gamma function Q(a, x) = 1 - P(a, x), elementwise with broadcasting.

    Takes float32 and float64; raises InvalidArgumentError for others. Differentiable, once with respect to a.
    """
    return _igammac(a, x)


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """log |Beta(x)| over the last dimension: the sum of lgamma(x) less lgamma of the sum.

    Raises InvalidArgumentError for a 0-d tensor, or one that is not of floats.
    """
    x = convert_to_tensor(x)
    if not len(x._value.shape):
        raise errors.invalid("Sum", "tf.math.lbeta sums over the last dimension, and a 0-d tensor has none")
    last = (len(x._value.shape) - 1,)
    total = TENSORS.reduce_sum  # type: ignore[attr-defined]
    return subtract(total(lgamma(x), last, False), lgamma(total(x, last, False)))


# -- the incomplete beta function --------------------------------------------------------------------------------------


def _beta_shape(a: Any, b: Any, x: Any) -> Abstract:
    shape: Any = ()
    for name, value in (("a", a), ("b", b), ("x", x)):
        if value.dtype not in _WIDE:
            raise refused_dtype(OPS["betainc"], value.dtype, _WIDE)
        if value.dtype != a.dtype:
            raise mixed_dtypes(OPS["betainc"], a.dtype, value.dtype)
        if value.shape != ():
            if shape == ():
                shape = value.shape
            elif None not in (shape, value.shape) and not _may_be_equal(shape, value.shape):
                raise errors.invalid(
                    "Betainc", f"Shapes are inconsistent: {name} is {list(value.shape)}, not {list(shape)} or 0-d"
                )
    return Abstract(shape, a.dtype)


def _may_be_equal(first: tuple, second: tuple) -> bool:
    return len(first) == len(second) and all(m == n or None in (m, n) for m, n in zip(first, second))


def _beta_density(F: Any, g: Any, a: Any, b: Any, x: Any, shape: tuple) -> Any:
    unit = one(a.dtype)
    log_beta = F.lgamma(a) + F.lgamma(b) - F.lgamma(a + b)
    return F.sum_to(g * F.exp(F.xlogy(a - unit, x) + F.xlog1py(b - unit, -x) - log_beta), shape)


_betainc = define(
    "betainc",
    _scipy("betainc"),
    _beta_shape,
    [None, None, _beta_density],
    saves=lambda a, b, x, out: (a, b, x, x._value.shape),
    inputs=3,
)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The regularized incomplete beta function I_x(a, b), elementwise; each operand 0-d or of one shape.

    Takes float32 and float64; raises InvalidArgumentError for others, and for shapes that differ. Differentiable with
    respect to x.
    """
    a, x = meet(a, x)
    b, x = meet(b, x)
    _beta_shape(a._value, b._value, x._value)
    return _betainc(a, b, x)


# -- Bessel functions --------------------------------------------------------------------------------------------------


def _over_x(F: Any, y: Any, x: Any, limit: Callable) -> Any:
    """y / x, and its limit at 0."""
    at_zero = F.equal(x, zero(x.dtype))
    return F.where(at_zero, like(F, limit, x), y / F.where(at_zero, like(F, one, x), x))


def _bessel(name: str, title: str, grad: Callable, words: str) -> Callable:
    return unary(f"bessel_{name}", _scipy(name), grad, dtypes=FLOATS, title=title, doc=f"{words}, elementwise.")


bessel_i0 = _bessel(
    "i0", "BesselI0", lambda F, g, x: g * F.bessel_i1(x), "The modified Bessel function of the first kind of order 0"
)
bessel_i0e = _bessel(
    "i0e", "BesselI0e", lambda F, g, x: g * (F.bessel_i1e(x) - F.sign(x) * F.bessel_i0e(x)), "exp(-|x|) bessel_i0(x)"
)
bessel_i1 = _bessel(
    "i1",
    "BesselI1",
    lambda F, g, x: g * (F.bessel_i0(x) - _over_x(F, F.bessel_i1(x), x, _half)),
    "The modified Bessel function of the first kind of order 1",
)
bessel_i1e = _bessel(
    "i1e",
    "BesselI1e",
    lambda F, g, x: g * (F.bessel_i0e(x) - _over_x(F, F.bessel_i1e(x), x, _half) - F.sign(x) * F.bessel_i1e(x)),
    "exp(-|x|) bessel_i1(x)",
)
bessel_j0 = _bessel(
    "j0", "BesselJ0", lambda F, g, x: -g * F.bessel_j1(x), "The Bessel function of the first kind of order 0"
)
bessel_j1 = _bessel(
    "j1",
    "BesselJ1",
    lambda F, g, x: g * (F.bessel_j0(x) - _over_x(F, F.bessel_j1(x), x, _half)),
    "The Bessel function of the first kind of order 1",
)
bessel_y0 = _bessel(
    "y0", "BesselY0", lambda F, g, x: -g * F.bessel_y1(x), "The Bessel function of the second kind of order 0"
)
bessel_y1 = _bessel(
    "y1",
    "BesselY1",
    lambda F, g, x: g * (F.bessel_y0(x) - F.bessel_y1(x) / x),
    "The Bessel function of the second kind of order 1",
)
bessel_k0 = _bessel(
    "k0", "BesselK0", lambda F, g, x: -g * F.bessel_k1(x), "The modified Bessel function of the second kind of order 0"
)
bessel_k0e = _bessel("k0e", "BesselK0e", lambda F, g, x: g * (F.bessel_k0e(x) - F.bessel_k1e(x)), "exp(x) bessel_k0(x)")
bessel_k1 = _bessel(
    "k1",
    "BesselK1",
    lambda F, g, x: -g * (F.bessel_k0(x) + F.bessel_k1(x) / x),
    "The modified Bessel function of the second kind of order 1",
)
bessel_k1e = _bessel(
    "k1e",
    "BesselK1e",
    lambda F, g, x: g * (F.bessel_k1e(x) - F.bessel_k1e(x) / x - F.bessel_k0e(x)),
    "exp(x) bessel_k1(x)",
)

# -- integrals ---------------------------------------------------------------------------------------------------------


def _spence_grad(F: Any, g: Any, x: Any) -> Any:
    unit = one(x.dtype)
    at_one = F.equal(x, unit)
    slope = F.log(x) / F.where(at_one, like(F, one, x), unit - x)
    return g * F.where(at_one, -like(F, one, x), slope)


dawsn = unary(
    "dawsn",
    _scipy("dawsn"),
    lambda F, g, x: g * (one(x.dtype) - two(x.dtype) * x * F.dawsn(x)),
    dtypes=FLOATS,
    doc="Dawson's integral exp(-x^2) int_0^x exp(t^2) dt, elementwise.",
)
expint = unary(
    "expint",
    _scipy("expi"),
    lambda F, g, x: g * F.exp(x) / x,
    dtypes=FLOATS,
    doc="The exponential integral Ei(x), elementwise.",
)
fresnel_cos = unary(
    "fresnel_cos",
    _scipy("fresnel", lambda both: both[1]),
    lambda F, g, x: g * F.cos(_half_pi(x.dtype) * x * x),
    dtypes=FLOATS,
    doc="Fresnel's integral int_0^x cos(pi t^2 / 2) dt, elementwise.",
)
fresnel_sin = unary(
    "fresnel_sin",
    _scipy("fresnel", lambda both: both[0]),
    lambda F, g, x: g * F.sin(_half_pi(x.dtype) * x * x),
    dtypes=FLOATS,
    doc="Fresnel's integral int_0^x sin(pi t^2 / 2) dt, elementwise.",
)
spence = unary(
    "spence",
    _scipy("spence"),
    _spence_grad,
    dtypes=FLOATS,
    doc="Spence's integral, int_1^x log(t) / (1 - t) dt, elementwise.",
)
