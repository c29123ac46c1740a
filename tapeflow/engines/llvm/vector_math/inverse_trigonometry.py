"""asin, acos, atan, atan2: angles from polynomials on a short range, and what the symmetries leave to add."""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, V
from tapeflow.engines.llvm.vector_math.exact import absolute, minus, negative, plus, polynomial, with_sign
from tapeflow.engines.llvm.vector_math.two_over_pi import HALF_PI

# (atan(t) - t) / t**3 in t**2 for |t| <= tan(1/2), minimax for the relative error of atan: 2**-30, 2**-63
_ATAN = {
    F32: (-0.33333316, 0.19998877, -0.1426059, 0.10847979, -0.0764488, 0.03414777),
    F64: (
        -0.3333333333333332, 0.1999999999999606, -0.14285714285293735, 0.11111111088377522, -0.09090908360349059,
        0.07692292443071387, -0.06666448476888778, 0.05880139800096667, -0.052469220090857326, 0.04674909364727613,
        -0.040069100294212394, 0.030285686770261413, -0.017106763785450417, 0.005127543791567636,
    ),
}  # fmt: skip
# (asin(x) - x) / x**3 in x**2 for |x| <= 1/2, minimax for the relative error of asin: 2**-28, 2**-60
_ASIN = {
    F32: (0.16666752, 0.074953064, 0.04546977, 0.02418081, 0.042166322),
    F64: (
        0.1666666666666676, 0.0749999999997081, 0.0446428571746463, 0.030381942704666175, 0.022372215106509524,
        0.017351609433023964, 0.013980855943398894, 0.011398591113682577, 0.010782208958843874, 0.003698486403537884,
        0.021727913028824535, -0.021029588670587913, 0.032648630859929355,
    ),
}  # fmt: skip
# pi/2 rounded, and the rest
_HALF_PI = {F32: (1.5707963705062866, -4.371139000186241e-08), F64: HALF_PI}


def _odd(b: Builder, x: V, table: dict) -> V:
    """x + x**3 P(x**2)."""
    square = b.mul(x, x)
    return b.fma(b.mul(x, square), polynomial(b, square, table[x.kind]), x)


def _less(b: Builder, x: V, quarters: int) -> V:
    """quarters pi/2 - x."""
    high, low = (b.like(x, quarters * part) for part in _HALF_PI[x.kind])
    return minus(b, high, minus(b, x, low))


def _angle(b: Builder, opposite: V, adjacent: V) -> V:
    """The angle whose tangent is opposite / adjacent, for 0 <= opposite <= adjacent: up to pi/4."""
    # from an angle of 1/2 on it is pi/4 - atan((1 - t) / (1 + t)): units in the last place double there, and the errors
    # of the quotient count half
    turn = b.compare("gt", opposite, b.mul(adjacent, b.like(adjacent, math.tan(0.5))))
    above = b.select(turn, minus(b, adjacent, opposite), opposite)
    below = b.select(turn, b.add(adjacent, opposite), adjacent)
    t = _odd(b, b.div(above, below), _ATAN)
    high, low = (b.like(t, part / 2) for part in _HALF_PI[t.kind])
    return b.select(turn, minus(b, high, minus(b, t, low)), t)


def atan(b: Builder, x: V) -> V:
    """The angle between -pi/2 and pi/2 whose tangent is x."""
    one, size = b.like(x, 1.0), absolute(b, x)
    large = b.compare("gt", size, one)
    # 1 / |x| of the infinite is zero; _angle would divide by it where it adds
    t = _angle(b, b.select(large, b.div(one, size), size), one)
    return with_sign(b, b.select(large, _less(b, t, 1), t), x)


def atan2(b: Builder, y: V, x: V) -> V:
    """The angle between -pi and pi of the point (x, y), with the signs of zeros."""
    one = b.like(x, 1.0)
    across, up = absolute(b, x), absolute(b, y)
    steep = b.compare("gt", up, across)
    opposite, adjacent = b.select(steep, across, up), b.select(steep, up, across)
    # their sum must not overflow, and parts of them be no denormal numbers
    huge = b.compare("gt", adjacent, b.like(x, 2.0**100))
    scale = b.select(huge, b.like(x, 2.0**-4), b.like(x, 2.0**25 if x.kind is F32 else 2.0**54))
    opposite, adjacent = b.mul(opposite, scale), b.mul(adjacent, scale)
    infinity, zero = b.like(x, math.inf), b.like(x, 0.0)
    both = b.compare("eq", opposite, infinity)
    opposite, adjacent = b.select(both, one, opposite), b.select(both, one, adjacent)
    adjacent = b.select(b.compare("eq", adjacent, zero), one, adjacent)
    t = _angle(b, opposite, adjacent)
    t = b.select(steep, _less(b, t, 1), t)
    t = with_sign(b, b.select(negative(b, x), _less(b, t, 2), t), y)
    return b.select(b.compare("uno", x, y), b.add(x, y), t)


def asin(b: Builder, x: V) -> V:
    """The angle between -pi/2 and pi/2 whose sine is x; NaN beyond 1."""
    half, size = b.like(x, 0.5), absolute(b, x)
    outer = b.compare("gt", size, half)
    # asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2))
    root = b.intrinsic("sqrt", b.mul(minus(b, b.like(x, 1.0), size), half))
    t = _odd(b, b.select(outer, root, size), _ASIN)
    # above 1/2 the first difference is exact, or nearly so
    high, low = (b.like(x, part) for part in _HALF_PI[x.kind])
    return with_sign(b, b.select(outer, plus(b, minus(b, high, b.add(t, t)), low), t), x)


def acos(b: Builder, x: V) -> V:
    """The angle between 0 and pi whose cosine is x; NaN beyond 1."""
    half, size = b.like(x, 0.5), absolute(b, x)
    outer = b.compare("gt", size, half)
    root = b.intrinsic("sqrt", b.mul(minus(b, b.like(x, 1.0), size), half))
    t = _odd(b, b.select(outer, root, x), _ASIN)
    doubled = b.add(t, t)
    far = b.select(negative(b, x), _less(b, doubled, 2), doubled)
    return b.select(outer, far, _less(b, t, 1))
