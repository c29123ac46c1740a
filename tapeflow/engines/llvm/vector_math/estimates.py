"""Quotients and square roots from the processor's estimates, refined once: for optimizers, whose updates they halve.

With AVX-512 an estimate is right to 14 bits, and a step of Newton's doubles that, so that results are within 1 unit in
the last place, in a quarter of the 22 cycles that exact ones take for a vector. Other machines get exact ones. Special
cases are NumPy's. Between 2^126 and infinity, and its reciprocals, a divisor's estimate is denormal: it counts as zero.
"""

from __future__ import annotations

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, V


def quick_quotient(b: Builder, x: V, y: V) -> V:
    """x / y; zero may lose its sign."""
    estimate = _estimate(b, "rcp14", y)
    if estimate is None:
        return b.div(x, y)
    error = b.fma(b.neg(estimate), y, b.like(y, 1.0))
    reciprocal = b.fma(estimate, error, estimate)
    quotient = b.mul(x, reciprocal)
    quotient = b.fma(b.fma(b.neg(quotient), y, x), reciprocal, quotient)
    # by zero, by infinity and of infinity the estimate is exact and the steps are not
    return b.select(b.compare("uno", quotient, quotient), b.mul(x, estimate), quotient)


def quick_root(b: Builder, x: V) -> V:
    """The square root of x, which is not -inf."""
    estimate = _estimate(b, "rsqrt14", x)
    if estimate is None:
        return b.intrinsic("sqrt", x)
    root = b.mul(x, estimate)
    error = b.fma(b.neg(root), b.mul(estimate, b.like(x, 0.5)), b.like(x, 0.5))
    root = b.fma(root, error, root)
    return b.select(b.compare("eq", b.add(x, x), x), x, root)  # zero and infinity are their own


def _estimate(b: Builder, name: str, x: V) -> V | None:
    """What the processor has for a vector of AVX-512."""
    if b.module.vector_bits != 512 or x.kind is not F32 or x.lanes != 16:
        return None
    full, type = f"llvm.x86.avx512.{name}.ps.512", x.type.text
    b.module.declare(full, f"declare {type} @{full}({type}, {type}, i16)")
    return b.value(f"call {type} @{full}({x.text}, {type} zeroinitializer, i16 -1)", x.type)
