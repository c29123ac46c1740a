"""log, log1p and the inverse hyperbolic functions, which are logarithms of sums.

log(x) = k ln(2) + log(1 + f) with k whole and 1 + f between sqrt(1/2) and sqrt(2), both read from the bits of x.
"""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, V
from tapeflow.engines.llvm.vector_math.exact import (
    FORMATS,
    absolute,
    bits,
    fast_two_sum,
    floating,
    minus,
    plus,
    polynomial,
    times,
    two_product,
    two_sum,
    widened,
    with_sign,
)

# (log(1 + f) - f + f**2 / 2) / f**3 over sqrt(1/2) - 1 <= f <= sqrt(2) - 1, minimax for the relative error: 2**-27
_LOG_F32 = (0.3333333, -0.25000823, 0.20001261, -0.1662328, 0.14200844, -0.13160308, 0.12768835, -0.07643304)
# (2 atanh(s) - 2 s) / s**3 in s**2, where s = f / (2 + f), so that log(1 + f) = 2 atanh(s); minimax, relative: 2**-59
_LOG_F64 = (
    0.6666666666666734, 0.39999999999416536, 0.28571428742080734, 0.22222198596482198, 0.18183563463429073,
    0.1531406497469919, 0.14795873251332145,
)  # fmt: skip
# ln(2) in a first part whose products with every k are exact, and the rest
_LN2 = {F32: (0.693145751953125, 1.428606765330187e-06), F64: (0.6931471803691238, 1.9082149292705877e-10)}

# (asinh(x) - x) / x**3 in x**2 for |x| <= 0.5, minimax for the relative error of asinh: 2**-64
_ASINH = (
    -0.16666666666666663, 0.07499999999998827, -0.04464285714155636, 0.030381944371673384, -0.0223721566840751,
    0.01735271310324591, -0.013964101085574105, 0.011544281825725831, -0.009707507276865849, 0.008112633784094435,
    -0.006303000186273572, 0.0038932267204225862, -0.0013443310703037303,
)  # fmt: skip


def split(b: Builder, x: V) -> tuple[V, V, V]:
    """k as a float, f, and the biased k as an int, of normal numbers."""
    form = FORMATS[x.kind]
    whole = bits(b, x)
    start = bits(b, b.like(x, math.sqrt(0.5)))
    above = b.sub(whole, start)
    moved = b.add(above, b.like(whole, form.bias << form.mantissa))
    biased = b.op("lshr", moved, b.like(whole, form.mantissa))
    # a biased k in the low bits of a large float is that float plus k: cheaper than a conversion, and none for 64 bits
    k = minus(
        b,
        floating(b, b.op("or", biased, bits(b, b.like(x, form.whole)))),
        b.like(x, form.whole + form.bias),
    )
    rest = b.op("and", above, b.like(whole, (1 << form.mantissa) - 1))
    return k, minus(b, floating(b, b.add(rest, start)), b.like(x, 1.0)), biased


def _assembled(b: Builder, k: V, f: V) -> V:
    """k ln(2) + log(1 + f)."""
    high, low = (b.like(f, part) for part in _LN2[f.kind])
    half = b.like(f, 0.5)
    square = b.mul(f, f)
    if f.kind is F32:
        y = b.mul(b.mul(f, square), polynomial(b, f, _LOG_F32))
        y = b.fma(k, low, y)
        y = b.fma(b.neg(half), square, y)
        return b.fma(k, high, b.add(f, y))
    s = b.div(f, b.add(b.like(f, 2.0), f))
    z = b.mul(s, s)
    halved = b.mul(half, square)
    y = b.fma(s, b.add(halved, b.mul(z, polynomial(b, z, _LOG_F64))), b.mul(k, low))
    return b.fma(k, high, b.sub(f, b.sub(halved, y)))


def _at_the_ends(b: Builder, x: V, y: V) -> V:
    """y, but the logarithm of x where x is zero, negative, infinite or NaN."""
    zero, infinity = b.like(x, 0.0), b.like(x, math.inf)
    special = b.select(b.compare("lt", x, zero), b.like(x, math.nan), x)
    special = b.select(b.compare("eq", x, zero), b.like(x, -math.inf), special)
    inside = b.op("and", b.compare("gt", x, zero), b.compare("lt", x, infinity))
    return b.select(inside, y, special)


def log(b: Builder, x: V) -> V:
    """The natural logarithm; -inf of 0, NaN of negative numbers."""
    form = FORMATS[x.kind]
    denormal = b.compare("lt", x, b.like(x, form.smallest))
    scale = form.mantissa + 2
    k, f, _ = split(b, b.select(denormal, b.mul(x, b.like(x, 2.0**scale)), x))
    k = b.select(denormal, b.sub(k, b.like(k, scale)), k)
    return _at_the_ends(b, x, _assembled(b, k, f))


def log_of_sum(b: Builder, x: V, low: V, doublings: V | None = None) -> V:
    """log(x + low), where low is what rounding x has lost; plus as many ln(2). x is normal, or a special value."""
    form = FORMATS[x.kind]
    k, f, biased = split(b, x)
    # low on the scale of f; beyond 2**60 it is nothing, and the scale may not be a number
    scale = floating(b, b.op("shl", b.sub(b.like(biased, 2 * form.bias), biased), b.like(biased, form.mantissa)))
    scaled = b.select(b.compare("lt", x, b.like(x, 2.0**60)), times(b, low, scale), b.like(x, 0.0))
    k = k if doublings is None else b.add(k, doublings)
    return _at_the_ends(b, x, _assembled(b, k, plus(b, f, scaled)))


def log1p(b: Builder, x: V) -> V:
    """log(1 + x) without cancellation."""
    y = log_of_sum(b, *two_sum(b, b.like(x, 1.0), x))
    tiny = b.compare("lt", absolute(b, x), b.like(x, 2.0 ** -(FORMATS[x.kind].mantissa + 2)))
    return b.select(tiny, x, y)


def _root_of_pair(b: Builder, x: V, low: V) -> tuple[V, V]:
    """sqrt(x + low), and what rounding it has lost."""
    root = b.intrinsic("sqrt", x)
    product, lost = two_product(b, root, root)
    rest = plus(b, minus(b, minus(b, x, product), lost), low)
    zero = b.like(x, 0.0)
    return root, b.select(b.compare("gt", x, zero), b.div(b.mul(rest, b.like(x, 0.5)), root), zero)


@widened
def asinh(b: Builder, x: V) -> V:
    """log(x + sqrt(x**2 + 1)), odd."""
    one, zero = b.like(x, 1.0), b.like(x, 0.0)
    size = absolute(b, x)
    square = b.mul(x, x)
    small = b.fma(b.mul(x, square), polynomial(b, square, _ASINH), x)
    # far out it is log(2x), and the square would overflow
    far = b.compare("ge", size, b.like(x, 2.0**28))
    bounded = b.select(far, one, size)
    product, lost = two_product(b, bounded, bounded)
    total, more = two_sum(b, product, one)
    root, rest = _root_of_pair(b, total, plus(b, lost, more))
    total, more = two_sum(b, root, bounded)
    large = log_of_sum(
        b, b.select(far, size, total), b.select(far, zero, plus(b, more, rest)), b.select(far, one, zero)
    )
    return with_sign(b, b.select(b.compare("lt", size, b.like(x, 0.5)), small, large), x)


@widened
def acosh(b: Builder, x: V) -> V:
    """log(x + sqrt(x**2 - 1)); NaN below 1."""
    one, zero = b.like(x, 1.0), b.like(x, 0.0)
    far = b.compare("ge", x, b.like(x, 2.0**28))
    bounded = b.select(far, b.like(x, 2.0), x)
    # log(1 + w), w = t + sqrt(t (t + 2)), with t = x - 1
    t = minus(b, bounded, one)
    second, lost_sum = two_sum(b, t, b.like(x, 2.0))
    product, lost = two_product(b, t, second)
    root, rest = _root_of_pair(b, product, b.fma(t, lost_sum, lost))
    w, more = two_sum(b, t, root)
    total, lost = two_sum(b, one, w)
    low = plus(b, lost, plus(b, more, rest))
    total, low = fast_two_sum(b, total, low)
    y = log_of_sum(b, b.select(far, x, total), b.select(far, zero, low), b.select(far, one, zero))
    return b.select(b.compare("lt", x, one), b.like(x, math.nan), y)


@widened
def atanh(b: Builder, x: V) -> V:
    """log((1 + x) / (1 - x)) / 2; infinite at 1 and -1, NaN beyond."""
    one = b.like(x, 1.0)
    size = absolute(b, x)
    below, lost = fast_two_sum(b, one, b.neg(size))
    # log(1 + w), w = 2 |x| / (1 - |x|), and what rounding that quotient has lost
    doubled = b.add(size, size)
    w = b.div(doubled, below)
    product, rest = two_product(b, w, below)
    rest = minus(b, minus(b, minus(b, doubled, product), rest), times(b, w, lost))
    rest = b.div(rest, below)
    total, more = two_sum(b, one, w)
    total, more = fast_two_sum(b, total, plus(b, more, rest))
    y = b.mul(log_of_sum(b, total, more), b.like(x, 0.5))
    y = b.select(b.compare("eq", size, one), b.like(x, math.inf), y)
    y = b.select(b.compare("gt", size, one), b.like(x, math.nan), y)
    tiny = b.compare("lt", size, b.like(x, 2.0**-28))
    return b.select(tiny, x, with_sign(b, y, x))
