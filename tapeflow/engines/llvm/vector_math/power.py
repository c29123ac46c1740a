"""x to the power of y, as NumPy's power of floats: exp(y log|x|) with a logarithm of twice as many digits."""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, V
from tapeflow.engines.llvm.vector_math.exact import (
    FORMATS,
    absolute,
    fast_two_sum,
    minus,
    negative,
    plus,
    polynomial,
    times,
    two_product,
    two_sum,
    within,
)
from tapeflow.engines.llvm.vector_math.exponentials import exp, exp_of_sum
from tapeflow.engines.llvm.vector_math.logarithms import log, split
from tapeflow.engines.llvm.vector_math.rounding import trunc

# (2 atanh(s) - 2 s - 2/3 s**3) / s**5 in s**2 for 1 + f between sqrt(1/2) and sqrt(2), s = f / (2 + f); minimax for the
# relative error of atanh: 2**-66
_ATANH = (
    0.40000000000002256, 0.2857142857009935, 0.22222222520002655, 0.1818178435699181, 0.15386757932459316,
    0.13256800816508446, 0.13196511410905948,
)  # fmt: skip
_TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
_LN2 = (0.6931471803691238, 1.9082149292705877e-10)


def power(b: Builder, x: V, y: V) -> V:
    """x**y of floats; NaN of a negative x unless y is whole; 1 where x is 1 or y is 0, whatever the other is."""
    if x.kind is F32:
        wide = b.cast(absolute(b, x), F64)
        exponent = within(b, b.cast(y, F64), -(2.0**128), 2.0**128)  # as infinity times log(1) is NaN
        size = b.cast(exp(b, b.mul(exponent, log(b, wide))), F32)
    else:
        size = _positive_power(b, absolute(b, x), y)
    return _special(b, x, y, size)


def _positive_power(b: Builder, x: V, y: V) -> V:
    """For x of doubles above zero. Every result is 0, 1 or infinite from |y| = 2**66 on."""
    y = within(b, y, -(2.0**66), 2.0**66)
    high, low = _log_pair(b, x)
    product, lost = two_product(b, y, high)
    rest = b.fma(y, low, lost)
    out = b.compare("gt", absolute(b, product), b.like(x, 800.0))
    return exp_of_sum(b, product, b.select(out, b.like(x, 0.0), rest))


def _log_pair(b: Builder, x: V) -> tuple[V, V]:
    """log(x) to about 2**-66."""
    form = FORMATS[F64]
    denormal = b.compare("lt", x, b.like(x, form.smallest))
    k, f, _ = split(b, b.select(denormal, b.mul(x, b.like(x, 2.0**54)), x))
    k = b.select(denormal, b.sub(k, b.like(k, 54)), k)
    # s = f / (2 + f) and what rounding it has lost
    below, below_low = fast_two_sum(b, b.like(f, 2.0), f)
    inverse = b.div(b.like(f, 1.0), below)
    s = times(b, f, inverse)
    product, lost = two_product(b, s, below)
    s_low = b.mul(minus(b, minus(b, minus(b, f, product), lost), times(b, s, below_low)), inverse)
    s, s_low = fast_two_sum(b, s, s_low)
    # 2/3 s**3 likewise
    z, z_low = two_product(b, s, s)
    z_low = b.fma(b.add(s, s), s_low, z_low)
    cube, cube_low = two_product(b, z, s)
    cube_low = b.add(cube_low, b.fma(z, s_low, b.mul(z_low, s)))
    third, third_low = (b.like(f, part) for part in _TWO_THIRDS)
    term, term_low = two_product(b, cube, third)
    term_low = b.add(term_low, b.fma(cube_low, third, b.mul(cube, third_low)))
    term_low = b.fma(b.mul(cube, z), polynomial(b, z, _ATANH), term_low)
    # k ln(2) + 2 s + 2/3 s**3 + ...
    whole = times(b, k, b.like(k, _LN2[0]))
    total, first = two_sum(b, whole, b.add(s, s))
    total, second = two_sum(b, total, term)
    low = b.add(b.add(s_low, s_low), b.fma(k, b.like(k, _LN2[1]), term_low))
    return fast_two_sum(b, total, plus(b, plus(b, first, second), low))


def _special(b: Builder, x: V, y: V, size: V) -> V:
    """The sign of |x|**y, and what the formula does not cover."""
    zero, one, infinity = (b.like(x, number) for number in (0.0, 1.0, math.inf))
    across = absolute(b, x)
    # |x| of 0 or infinity
    falls = b.compare("lt", y, zero)
    ends = b.select(b.op("xor", b.compare("eq", across, zero), falls), zero, infinity)
    at_end = b.op("or", b.compare("eq", across, zero), b.compare("eq", across, infinity))
    size = b.select(at_end, ends, size)
    whole = b.compare("eq", trunc(b, y), y)
    half = b.mul(y, b.like(y, 0.5))
    odd = b.op("and", whole, b.compare("ne", trunc(b, half), half))
    minus_sign = b.op("and", odd, negative(b, x))
    result = b.select(minus_sign, b.neg(size), size)
    broken = b.op("and", b.compare("lt", x, zero), b.invert(whole))
    broken = b.op("and", broken, b.compare("lt", across, infinity))
    result = b.select(broken, b.like(x, math.nan), result)
    result = b.select(b.compare("uno", x, y), b.add(x, y), result)
    # (-1)**inf is 1, too: that size is 1, and an infinite y is whole and even
    return b.select(b.op("or", b.compare("eq", x, one), b.compare("eq", y, zero)), one, result)
