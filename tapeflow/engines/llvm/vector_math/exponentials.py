"""exp and what follows from it: expm1, sigmoid, tanh, softplus, elu, sinh, cosh.

exp(x) = 2**n exp(r) with n whole and |r| <= ln(2)/2. n comes from adding a magic number, so that nothing here needs an
instruction that rounds or one that converts to ints.
"""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, V
from tapeflow.engines.llvm.vector_math.exact import (
    FORMATS,
    absolute,
    at_most,
    bits,
    floating,
    minus,
    polynomial,
    power_of_two,
    widened,
    with_sign,
    within,
)
from tapeflow.engines.llvm.vector_math.logarithms import log1p

# (exp(r) - 1 - r) / r**2 over |r| <= ln(2)/2, minimax for the relative error of exp(r) - 1: 2**-26, 2**-61
_EXP = {
    F32: (0.49999997, 0.16666539, 0.04166775, 0.00836709, 0.0013837797),
    F64: (
        0.5, 0.16666666666666677, 0.041666666666666685, 0.008333333333321822, 0.0013888888888901004,
        0.0001984126988530629, 2.4801587251662604e-05, 2.7557245130385044e-06, 2.755736206137752e-07,
        2.510871759687891e-08, 2.088145350103401e-09,
    ),
}  # fmt: skip
# ln(2) in a first part whose products with every n are exact, and the rest
_LN2 = {F32: (0.693359375, -2.12194440054690582e-4), F64: (0.6931471803691238, 1.9082149292705877e-10)}
# Beyond these exp is 0 or infinite
_RANGE = {F32: (-104.0, 89.0), F64: (-746.0, 710.0)}

# (tanh(x) - x) / x**3 in x**2 for |x| <= 0.625, minimax for the relative error of tanh: 2**-27, 2**-61
_TANH = {
    F32: (-0.3333328, 0.13331406, -0.053736515, 0.020628504, -0.005693335),
    F64: (
        -0.33333333333333315, 0.1333333333332996, -0.05396825396614946, 0.02186948847069967, -0.008863234338761648,
        0.0035921142225104575, -0.0014557272102951836, 0.0005894566211780642, -0.00023702399680526889,
        9.157832912150922e-05, -3.020589794830187e-05, 6.050165153577255e-06,
    ),
}  # fmt: skip
# (sinh(x) - x) / x**3 in x**2 for |x| <= 1, minimax for the relative error of sinh: 2**-62
_SINH = (
    0.16666666666666669, 0.008333333333332912, 0.0001984126984159341, 2.755731910675639e-06, 2.5052130998811464e-08,
    1.6056659158997602e-10, 7.776600400656311e-13,
)  # fmt: skip

_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # of selu


def _reduced(b: Builder, x: V) -> tuple[V, V]:
    """r, and n in the low bits of an int."""
    form = FORMATS[x.kind]
    magic = b.like(x, form.magic)
    shifted = b.fma(x, b.like(x, 1 / math.log(2)), magic)
    n = minus(b, shifted, magic)
    high, low = _LN2[x.kind]
    return b.fma(n, b.like(x, -low), b.fma(n, b.like(x, -high), x)), bits(b, shifted)


def _tail(b: Builder, r: V) -> V:
    """exp(r) - 1 - r."""
    return b.mul(b.mul(r, r), polynomial(b, r, _EXP[r.kind]))


def _mantissa(b: Builder, r: V, low: V | None = None) -> V:
    """exp(r + low)."""
    tail = _tail(b, r)
    if low is not None:
        tail = b.add(tail, b.fma(low, b.add(r, tail), low))
    return b.add(b.add(r, tail), b.like(r, 1.0))


def _times_power(b: Builder, y: V, n: V) -> V:
    """y * 2**n in two steps, so that the result may overflow, and be a denormal number that was rounded once."""
    n = b.sub(n, bits(b, b.like(y, FORMATS[y.kind].magic)))
    half = b.op("ashr", n, b.like(n, 1))
    return b.mul(b.mul(y, power_of_two(b, half)), power_of_two(b, b.sub(n, half)))


def exp(b: Builder, x: V) -> V:
    """e**x."""
    r, n = _reduced(b, within(b, x, *_RANGE[x.kind]))
    return _times_power(b, _mantissa(b, r), n)


def exp_of_sum(b: Builder, x: V, low: V) -> V:
    """exp(x + low), where low is what rounding x has lost, and zero where x is beyond exp's range."""
    r, n = _reduced(b, within(b, x, *_RANGE[x.kind]))
    return _times_power(b, _mantissa(b, r, low), n)


def exp_within(b: Builder, x: V) -> V:
    """exp(x) where that is known to be a normal number: cheaper."""
    r, n = _reduced(b, x)
    shift = b.like(n, FORMATS[x.kind].mantissa)
    return b.mul(_mantissa(b, r), floating(b, b.add(b.op("shl", n, shift), bits(b, b.like(x, 1.0)))))


def expm1(b: Builder, x: V) -> V:
    """exp(x) - 1 without cancellation."""
    form, (_, high) = FORMATS[x.kind], _RANGE[x.kind]
    r, n = _reduced(b, within(b, x, -(form.mantissa + 3) * math.log(2), high))
    # half of the result, as its scale must be finite where the result still is
    n = b.sub(n, bits(b, b.like(x, form.magic)))
    scale = power_of_two(b, b.sub(n, b.like(n, 1)))
    y = b.fma(scale, r, minus(b, scale, b.like(x, 0.5)))
    y = b.fma(scale, _tail(b, r), y)
    tiny = b.compare("lt", absolute(b, x), b.like(x, 2.0 ** -(form.mantissa + 2)))
    return b.select(tiny, x, b.add(y, y))


def sigmoid(b: Builder, x: V) -> V:
    """1 / (1 + exp(-x))."""
    z, one = exp(b, b.neg(absolute(b, x))), b.like(x, 1.0)
    return b.div(b.select(b.compare("lt", x, b.like(x, 0.0)), z, one), b.add(z, one))


def softplus(b: Builder, x: V) -> V:
    """log(1 + exp(x))."""
    zero = b.like(x, 0.0)
    return b.add(b.select(b.compare("gt", x, zero), x, zero), log1p(b, exp(b, b.neg(absolute(b, x)))))


def elu(b: Builder, x: V) -> V:
    """x above zero, exp(x) - 1 below."""
    return b.select(b.compare("gt", x, b.like(x, 0.0)), x, expm1(b, x))


def selu(b: Builder, x: V) -> V:
    """elu with the slopes that keep mean and variance."""
    below = b.mul(expm1(b, x), b.like(x, _SCALE * _ALPHA))
    return b.select(b.compare("gt", x, b.like(x, 0.0)), b.mul(x, b.like(x, _SCALE)), below)


def tanh(b: Builder, x: V) -> V:
    """(exp(2x) - 1) / (exp(2x) + 1)."""
    one = b.like(x, 1.0)
    size = absolute(b, x)
    bounded = at_most(b, size, 10.0 if x.kind is F32 else 20.0)
    e = exp_within(b, b.add(bounded, bounded))
    large = b.sub(one, b.div(b.like(x, 2.0), b.add(e, one)))
    square = b.mul(x, x)
    small = b.fma(b.mul(x, square), polynomial(b, square, _TANH[x.kind]), x)
    return with_sign(b, b.select(b.compare("lt", size, b.like(x, 0.625)), small, large), x)


def _exponential_halves(b: Builder, x: V) -> tuple[V, V]:
    """exp(x) / 2 and exp(-x) / 2 of x >= 0; the first overflows only where it is too large itself."""
    r, n = _reduced(b, at_most(b, x, _RANGE[x.kind][1] + 1))
    half = b.like(x, 0.5)
    up = _times_power(b, _mantissa(b, r), b.sub(n, b.like(n, 1)))
    return up, b.mul(b.div(half, up), half)


@widened
def sinh(b: Builder, x: V) -> V:
    """(exp(x) - exp(-x)) / 2."""
    size = absolute(b, x)
    up, down = _exponential_halves(b, size)
    square = b.mul(x, x)
    small = b.fma(b.mul(x, square), polynomial(b, square, _SINH), x)
    return b.select(b.compare("lt", size, b.like(x, 1.0)), small, with_sign(b, b.sub(up, down), x))


@widened
def cosh(b: Builder, x: V) -> V:
    """(exp(x) + exp(-x)) / 2."""
    return b.add(*_exponential_halves(b, absolute(b, x)))
