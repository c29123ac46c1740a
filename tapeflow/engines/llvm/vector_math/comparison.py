"""Which of two numbers, which sign, which class (NaN, infinite); and the plainest arithmetic."""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import I1, V
from tapeflow.engines.llvm.vector_math import exact


def maximum(b: Builder, x: V, y: V) -> V:
    """The larger; NaN where either is."""
    larger = b.select(b.compare("gt", x, y), x, y)  # y if one is NaN, as the processor's own instruction does
    return b.select(b.compare("uno", x, x), x, larger) if x.kind.floating else larger


def minimum(b: Builder, x: V, y: V) -> V:
    """The smaller; NaN where either is."""
    smaller = b.select(b.compare("lt", x, y), x, y)
    return b.select(b.compare("uno", x, x), x, smaller) if x.kind.floating else smaller


def absolute(b: Builder, x: V) -> V:
    """|x|; the smallest int stays as it is."""
    if x.kind.floating:
        return exact.absolute(b, x)
    return b.select(b.compare("lt", x, b.like(x, 0)), b.neg(x), x)


def sign(b: Builder, x: V) -> V:
    """-1, 0 or 1; NaN stays."""
    zero = b.like(x, 0)
    rest = b.select(b.compare("eq", x, zero), zero, x) if x.kind.floating else zero
    if x.kind.signed:
        rest = b.select(b.compare("lt", x, zero), b.like(x, -1), rest)
    return b.select(b.compare("gt", x, zero), b.like(x, 1), rest)


def is_nan(b: Builder, x: V) -> V:
    """A bool: whether it is no number."""
    return b.compare("uno", x, x)


def is_infinite(b: Builder, x: V) -> V:
    """A bool: whether it is infinite, of either sign."""
    return b.compare("eq", exact.absolute(b, x), b.like(x, math.inf))


def is_finite(b: Builder, x: V) -> V:
    """A bool: whether it is neither infinite nor NaN."""
    return b.compare("lt", exact.absolute(b, x), b.like(x, math.inf))


def square(b: Builder, x: V) -> V:
    """x * x."""
    return b.mul(x, x)


def square_root(b: Builder, x: V) -> V:
    """The square root; NaN of negative numbers."""
    return b.intrinsic("sqrt", x)


def reciprocal(b: Builder, x: V) -> V:
    """1 / x."""
    return b.div(b.like(x, 1.0), x)


def reciprocal_root(b: Builder, x: V) -> V:
    """1 / sqrt(x)."""
    return reciprocal(b, square_root(b, x))


def logical_and(b: Builder, x: V, y: V) -> V:
    """Of bools, or of numbers by their being other than zero."""
    return b.op("and", b.cast(x, I1), b.cast(y, I1))


def logical_or(b: Builder, x: V, y: V) -> V:
    """Of bools, or of numbers by their being other than zero."""
    return b.op("or", b.cast(x, I1), b.cast(y, I1))


def logical_not(b: Builder, x: V) -> V:
    """Of a bool, or of a number by its being other than zero."""
    return b.invert(b.cast(x, I1))
