"""What the formulas are made of: polynomials, sums and products with their rounding errors, and the bits of floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, I32, I64, Kind, V


class Format(NamedTuple):
    """How a kind of float is laid out in bits."""

    integer: Kind  # of the same size
    mantissa: int  # stored bits
    bias: int  # what is added to exponents
    smallest: float  # normal number
    splitter: float  # its product with x cuts x in halves

    @property
    def whole(self) -> float:
        """From here on every number is whole."""
        return 2.0**self.mantissa

    @property
    def magic(self) -> float:
        """A number so large that its sum with another is rounded to a whole number, which then lies in its low bits."""
        return 1.5 * 2.0**self.mantissa


FORMATS = {
    F32: Format(I32, 23, 127, 2.0**-126, 2.0**12 + 1),
    F64: Format(I64, 52, 1023, 2.0**-1022, 2.0**27 + 1),
}


def polynomial(b: Builder, x: V, coefficients: Sequence[float]) -> V:
    """c0 + c1 x + c2 x**2 + ..."""
    y = b.like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y = b.fma(y, x, b.like(x, c))
    return y


def bits(b: Builder, x: V) -> V:
    """A float's bits as an int."""
    return b.bitcast(x, FORMATS[x.kind].integer)


def floating(b: Builder, x: V) -> V:
    """The float that has these bits."""
    return b.bitcast(x, F32 if x.kind is I32 else F64)


def absolute(b: Builder, x: V) -> V:
    """|x| of floats."""
    return b.intrinsic("fabs", x)


def with_sign(b: Builder, x: V, sign: V) -> V:
    """|x| with the sign of another number."""
    return b.intrinsic("copysign", x, sign)


def negative(b: Builder, x: V) -> V:
    """Whether the sign is minus, which -0.0 has too."""
    whole = bits(b, x)
    return b.compare("lt", whole, b.like(whole, 0))


def at_most(b: Builder, x: V, bound: float) -> V:
    """x, or the bound where x is above; NaN stays."""
    limit = b.like(x, bound)
    return b.select(b.compare("lt", limit, x), limit, x)


def at_least(b: Builder, x: V, bound: float) -> V:
    """x, or the bound where x is below; NaN stays."""
    limit = b.like(x, bound)
    return b.select(b.compare("gt", limit, x), limit, x)


def within(b: Builder, x: V, low: float, high: float) -> V:
    """x brought between bounds; NaN stays."""
    return at_least(b, at_most(b, x, high), low)


# These must be computed as they are written: no flag, so that LLVM makes no fma of two of them.


def plus(b: Builder, x: V, y: V) -> V:
    return b.add(x, y, flags="")


def minus(b: Builder, x: V, y: V) -> V:
    return b.sub(x, y, flags="")


def times(b: Builder, x: V, y: V) -> V:
    return b.mul(x, y, flags="")


def two_sum(b: Builder, x: V, y: V) -> tuple[V, V]:
    """x + y, rounded, and what the rounding lost. Knuth."""
    total = plus(b, x, y)
    second = minus(b, total, x)
    lost = plus(b, minus(b, x, minus(b, total, second)), minus(b, y, second))
    return total, lost


def fast_two_sum(b: Builder, x: V, y: V) -> tuple[V, V]:
    """The same where |x| >= |y|. Dekker."""
    total = plus(b, x, y)
    return total, minus(b, y, minus(b, total, x))


def two_product(b: Builder, x: V, y: V) -> tuple[V, V]:
    """x * y, rounded, and what the rounding lost: by fma, or by Veltkamp's halves, which must not overflow."""
    product = times(b, x, y)
    if b.module.fused:
        return product, b.fma(x, y, b.neg(product))
    (high, low), (top, rest) = _halves(b, x), _halves(b, y)
    lost = minus(b, times(b, high, top), product)
    lost = plus(b, plus(b, lost, times(b, high, rest)), times(b, low, top))
    return product, plus(b, lost, times(b, low, rest))


def _halves(b: Builder, x: V) -> tuple[V, V]:
    spread = times(b, x, b.like(x, FORMATS[x.kind].splitter))
    high = minus(b, spread, minus(b, spread, x))
    return high, minus(b, x, high)


def power_of_two(b: Builder, exponent: V) -> V:
    """2.0**exponent for exponents of normal numbers, from ints."""
    form = FORMATS[F32 if exponent.kind is I32 else F64]
    biased = b.add(exponent, b.like(exponent, form.bias))
    return floating(b, b.op("shl", biased, b.like(exponent, form.mantissa)))


def widened(function: Callable[..., V]) -> Callable[..., V]:
    """Makes a function of doubles serve floats too: what it costs there is paid by being within half a unit or so."""

    def for_both(b: Builder, *operands: V) -> V:
        if operands[0].kind is F64:
            return function(b, *operands)
        return b.cast(function(b, *(b.cast(x, F64) for x in operands)), F32)

    for_both.__name__, for_both.__doc__ = function.__name__, function.__doc__
    return for_both
