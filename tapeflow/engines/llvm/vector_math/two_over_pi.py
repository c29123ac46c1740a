"""Angles of any size less their multiples of pi/2: Payne's and Hanek's method, for one double.

Of x * 2/pi only the remainder by 4 and 120 bits behind the point matter. x being a whole number times a power of two,
they come from a window of 192 bits of 2/pi, whose place follows the exponent: what lies before yields multiples of 4.
"""

from __future__ import annotations

import numpy as np

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import F64, I1, I64, PTR, Type, V, constant
from tapeflow.engines.llvm.vector_math.exact import fast_two_sum, power_of_two, two_product

HALF_PI = (1.5707963267948966, 6.123233995736766e-17)  # rounded, and the rest
_PADDING = 64  # zeros before the point, for angles that begin there
_WORDS = 22
_WIDE = "i128"


def angle_function(module: Module) -> None:
    """Gives the module `reduced_angle(x, out)`, once: out = n modulo 4, r, what rounding r lost; NaN of infinity."""
    if any("@reduced_angle(" in f.split("\n", 1)[0] for f in module.functions):
        return
    b = Builder(module, "reduced_angle", [(F64, "x"), (PTR, "out")])
    x, out = b.parameters
    whole = b.bitcast(x, I64)
    exponent = b.op("and", b.op("lshr", whole, _int(52)), _int(0x7FF))
    mantissa = b.op("or", b.op("and", whole, _int((1 << 52) - 1)), _int(1 << 52))
    # x = mantissa * 2**(exponent - 1075), and bit i of 2/pi weighs 2**-i: the window begins at i = exponent - 1076
    position = b.add(exponent, _int(_PADDING - 1077))
    pointer = V(module.array(_two_over_pi()), Type(PTR))
    first, shift = b.op("lshr", position, _int(6)), b.op("and", position, _int(63))
    words = [b.load(b.address(pointer, b.add(first, _int(i)), I64), I64) for i in range(4)]
    high, middle, low = (b.intrinsic("fshl", words[i], words[i + 1], shift) for i in range(3))

    def wide(v: V) -> str:
        return _line(b, f"zext i64 {v.name} to {_WIDE}")

    def op(name: str, left: str, right: str | int) -> str:
        return _line(b, f"{name} {_WIDE} {left}, {right}")

    m = wide(mantissa)
    total = op("lshr", op("mul", m, wide(low)), 64)
    total = op("add", total, op("mul", m, wide(middle)))
    total = op("add", total, op("shl", wide(b.mul(mantissa, high)), 64))
    # two bits before the point; rounded, the fraction lies in [-1/2, 1/2)
    n = op("lshr", op("add", total, 1 << 125), 126)
    fraction = op("shl", total, 2)
    below = _line(b, f"icmp slt {_WIDE} {fraction}, 0")
    size = _line(b, f"select i1 {below}, {_WIDE} {op('sub', '0', fraction)}, {_WIDE} {fraction}")
    b.module.declare("llvm.ctlz.i128", "declare i128 @llvm.ctlz.i128(i128, i1)")
    zeros = _line(b, f"call i128 @llvm.ctlz.i128(i128 {size}, i1 false)")
    size = op("shl", size, zeros)
    parts = []
    for drop, scale in ((75, -53), (22, -106)):
        part = _line(b, f"trunc {_WIDE} {op('and', op('lshr', size, drop), (1 << 53) - 1)} to i64")
        parts.append(b.mul(b.cast(V(part, Type(I64)), F64), constant(2.0**scale, F64)))
    power = power_of_two(b, b.sub(_int(0), V(_line(b, f"trunc {_WIDE} {zeros} to i64"), Type(I64))))
    near, rest = (constant(part, F64) for part in HALF_PI)
    product, lost = two_product(b, parts[0], near)
    lost = b.add(lost, b.add(b.mul(parts[0], rest), b.mul(parts[1], near)))
    r, lost = fast_two_sum(b, product, lost)
    # minus where the fraction was or x is, not where both; x - x is NaN of infinity and NaN
    negative = b.compare("lt", whole, _int(0))
    minus = b.op("xor", V(below, Type(I1)), negative)
    power = b.select(minus, b.neg(power), power)
    nothing = b.sub(x, x)
    n_whole = V(_line(b, f"trunc {_WIDE} {n} to i64"), Type(I64))
    n_whole = b.select(negative, b.neg(n_whole), n_whole)
    results = [b.bitcast(n_whole, F64), b.add(b.mul(r, power), nothing), b.mul(lost, power)]
    for i, v in enumerate(results):
        b.store(v, b.address(out, i, F64))
    b.finish()


def _line(b: Builder, expression: str) -> str:
    name = b.fresh()
    b.emit(f"{name} = {expression}")
    return name


def _int(number: int) -> V:
    return constant(number, I64)


def _two_over_pi() -> np.ndarray:
    """Bits of 2/pi behind zeros, in words, the first bits first; pi by Machin's formula."""
    precision = 64 * _WORDS + 64
    pi = 4 * (4 * _inverse_tangent(5, precision) - _inverse_tangent(239, precision))
    quotient = (2 << (2 * precision)) // pi  # 2/pi, scaled by 2**precision
    stream = quotient >> (precision - (64 * _WORDS - _PADDING))
    words = [(stream >> (64 * (_WORDS - 1 - i))) & (2**64 - 1) for i in range(_WORDS)]
    return np.array(words, np.uint64).view(np.int64)


def _inverse_tangent(divisor: int, precision: int) -> int:
    """atan(1 / divisor), scaled by 2**precision."""
    term = (1 << precision) // divisor
    total, k = 0, 0
    while term:
        total += (-1) ** k * term // (2 * k + 1)
        term //= divisor * divisor
        k += 1
    return total
