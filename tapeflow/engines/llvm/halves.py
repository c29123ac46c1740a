"""Floats of 16 bits: kept as bits, computed with as float32, rounded to the nearest, ties to even, where they are kept.

No function of a runtime library is called, which machine code of our own has none of: where the processor converts
float16 itself, LLVM writes that instruction; elsewhere, and for bfloat16, conversions are arithmetic on the bits.

float32 holds more than twice the digits and two more, so a sum, product, quotient or root that is rounded to float32
first is the same 16 bits as one that was rounded once.
"""

from __future__ import annotations

from .builder import Builder
from .values import BF16, F16, F32, F64, HALVES, I32, U16, U32, U64, Kind, V

_QUIET = 0x7FC0  # bfloat16's NaN
_HALF = 0x3F000000  # 0.5 in float32: what is added to it is rounded to a multiple of 2^-24, float16's smallest number


def converted(b: Builder, x: V, kind: Kind) -> V:
    """The number as another kind, one of which has 16 bits; any other cast is the builder's."""
    if x.kind in HALVES:
        wide = _from_float16(b, x) if x.kind is F16 else _from_bfloat16(b, x)
        return converted(b, wide, kind) if kind in HALVES else b.cast(wide, kind)
    if kind is F16:
        return _to_float16(b, _odd(b, x) if x.kind is F64 else b.cast(x, F32))
    if kind is BF16:
        return _to_bfloat16(b, b.cast(x, F32))
    return b.cast(x, kind)


def _bits(b: Builder, x: V) -> V:
    return b.bitcast(x, U32)


def _shifted(b: Builder, how: str, x: V, by: int) -> V:
    return b.op(how, x, b.like(x, by))


# -- bfloat16: the upper half of a float32 -----------------------------------------------------------------------------


def _from_bfloat16(b: Builder, x: V) -> V:
    return b.bitcast(_shifted(b, "shl", b.cast(b.bitcast(x, U16), U32), 16), F32)


def _to_bfloat16(b: Builder, x: V) -> V:
    bits = _bits(b, x)
    last = b.op("and", _shifted(b, "lshr", bits, 16), b.like(bits, 1))
    near = _shifted(b, "lshr", b.add(bits, b.add(last, b.like(bits, 0x7FFF))), 16)
    sign = b.op("and", _shifted(b, "lshr", bits, 16), b.like(bits, 0x8000))
    quiet = b.op("or", sign, b.like(bits, _QUIET))
    return _narrow(b, b.select(b.compare("uno", x, x), quiet, near), BF16)


def _narrow(b: Builder, bits: V, kind: Kind) -> V:
    return b.bitcast(b.cast(bits, U16), kind)


# -- float16 -----------------------------------------------------------------------------------------------------------


def _from_float16(b: Builder, x: V) -> V:
    if b.module.halves:
        half = b.value(f"bitcast {x.text} to {_llvm_half(x.lanes)}", x.type)
        return b.value(f"fpext {_llvm_half(x.lanes)} {half.name} to {x.type.of(F32).text}", x.type.of(F32))
    bits = b.cast(b.bitcast(x, U16), U32)
    size = b.op("and", bits, b.like(bits, 0x7FFF))
    sign = _shifted(b, "shl", b.op("and", bits, b.like(bits, 0x8000)), 16)
    moved = _shifted(b, "shl", size, 13)
    # exponents begin 112 lower; that of infinity and NaN is the largest in both
    normal = b.add(moved, b.like(bits, 112 << 23))
    normal = b.select(b.compare("ge", size, b.like(size, 0x7C00)), b.add(moved, b.like(bits, 224 << 23)), normal)
    whole = b.cast(b.bitcast(size, I32), F32)
    small = b.mul(whole, b.like(whole, 2.0**-24))
    below = b.compare("lt", size, b.like(size, 0x0400))
    return b.bitcast(b.op("or", sign, b.select(below, _bits(b, small), normal)), F32)


def _to_float16(b: Builder, x: V) -> V:
    if b.module.halves:
        half = b.value(f"fptrunc {x.text} to {_llvm_half(x.lanes)}", x.type.of(F16))
        return b.value(f"bitcast {_llvm_half(x.lanes)} {half.name} to {x.type.of(F16).text}", x.type.of(F16))
    bits = _bits(b, x)
    size = b.op("and", bits, b.like(bits, 0x7FFFFFFF))
    sign = _shifted(b, "lshr", b.op("and", bits, b.like(bits, 1 << 31)), 16)
    last = b.op("and", _shifted(b, "lshr", size, 13), b.like(size, 1))
    near = b.sub(b.add(size, b.add(last, b.like(size, 0xFFF))), b.like(size, 112 << 23))
    normal = _shifted(b, "lshr", near, 13)
    # what is too large is infinite, what is none of these no number
    normal = b.select(b.compare("ge", size, b.like(size, 0x47800000)), b.like(size, 0x7C00), normal)
    normal = b.select(b.compare("gt", size, b.like(size, 0x7F800000)), b.like(size, 0x7E00), normal)
    tiny = b.compare("lt", size, b.like(size, 0x38800000))  # 2^-14, below which numbers lie as far apart as there
    held = b.bitcast(b.select(tiny, size, b.like(size, 0)), F32)
    fixed = b.sub(_bits(b, b.add(held, b.like(held, 0.5), "")), b.like(size, _HALF))
    return _narrow(b, b.op("or", sign, b.select(tiny, fixed, normal)), F16)


def _llvm_half(lanes: int) -> str:
    return "half" if lanes == 1 else f"<{lanes} x half>"


def _odd(b: Builder, x: V) -> V:
    """A double as a float32 whose last bit is 1 where any was cut off: rounded again, it is as if rounded once."""
    bits = b.bitcast(x, U64)
    cut = b.op("and", bits, b.like(bits, (1 << 29) - 1))
    inexact = b.op("and", b.compare("ne", cut, b.like(cut, 0)), b.compare("ord", x, x))
    whole = b.select(inexact, b.op("xor", bits, cut), bits)
    near = b.cast(b.bitcast(whole, F64), F32)  # exact, but for what float16 has as 0 or infinity
    odd = b.op("and", inexact, b.compare("lt", b.intrinsic("fabs", near), b.like(near, float("inf"))))
    return b.bitcast(b.op("or", _bits(b, near), b.cast(odd, U32)), F32)
