"""sin, cos, tan of angles of any size.

x = n pi/2 + r with n whole and |r| <= pi/4. Up to 1e5 r comes from pi/2 in parts (Cody and Waite); beyond, lane by lane
in a block that seldom runs, from as many bits of 2/pi as matter to the angle (Payne and Hanek): always right.
"""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, I1, I64, V
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
)
from tapeflow.engines.llvm.vector_math.two_over_pi import angle_function

# (sin(r) - r) / r**3 and (cos(r) - 1 + r**2 / 2) / r**4 in r**2 for |r| <= pi/4, minimax for the relative errors of sin
# and cos: 2**-28 and 2**-33, 2**-58 and 2**-64
_SIN = {
    F32: (-0.16666655, 0.008332187, -0.00019517897),
    F64: (
        -0.1666666666666663, 0.00833333333332184, -0.0001984126982935855, 2.7557313538529485e-06,
        -2.505073439272395e-08, 1.589543354463854e-10,
    ),
}  # fmt: skip
_COS = {
    F32: (0.041666646, -0.001388731, 2.4432327e-05),
    F64: (
        0.041666666666666595, -0.0013888888888873307, 2.480158728896522e-05, -2.7557314203074877e-07,
        2.0875703138888e-09, -1.1358616973561217e-11,
    ),
}  # fmt: skip

# pi/2 in parts. With an fma each may fill a float; without, the products of the first two with n must be exact.
_FUSED_F32 = (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15)
_PARTS = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
_LIMIT = 1e5


def _reduced(b: Builder, x: V) -> tuple[V, V, V | None]:
    """n in the low bits of an int, r, and what rounding r has lost where that is known."""
    form = FORMATS[x.kind]
    magic = b.like(x, form.magic)
    shifted = b.fma(x, b.like(x, 2 / math.pi), magic)
    n = minus(b, shifted, magic)
    low = None
    if x.kind is F64:
        first, second, third = (b.like(x, part) for part in _PARTS)
        r, lost = two_sum(b, minus(b, x, times(b, n, first)), b.neg(times(b, n, second)))
        r, low = fast_two_sum(b, r, minus(b, lost, times(b, n, third)))
    elif b.module.fused:
        r = x
        for part in _FUSED_F32:
            r = b.fma(n, b.like(n, -part), r)
    else:
        wide = b.cast(n, F64)
        r = minus(b, b.cast(x, F64), times(b, wide, b.like(wide, _PARTS[0])))
        r = b.cast(minus(b, r, times(b, wide, b.like(wide, _PARTS[1] + _PARTS[2]))), F32)
    quadrant = bits(b, shifted)
    large = b.invert(b.compare("le", absolute(b, x), b.like(x, _LIMIT)))
    known = [quadrant, r] if low is None else [quadrant, r, low]
    with b.when(b.reduce("or", large), otherwise=known) as branch:
        branch.give(*_reduced_lanes(b, x, large, known))
    quadrant, r, *lost_parts = branch.results
    return quadrant, r, lost_parts[0] if lost_parts else None


def _reduced_lanes(b: Builder, x: V, large: V, known: list[V]) -> list[V]:
    """The same again, lane by lane for large angles."""
    angle_function(b.module)
    inputs, flags = b.allocate(x.kind, x.lanes), b.allocate(I1, x.lanes)
    outputs = [b.allocate(v.kind, x.lanes) for v in known]
    for v, pointer in [(x, inputs), (large, flags), *zip(known, outputs, strict=True)]:
        b.store(v, pointer)
    found = b.allocate(F64, 3)
    with b.loop(0, x.lanes) as loop, b.when(b.load(b.address(flags, loop.i, I1), I1)):
        lane = b.cast(b.load(b.address(inputs, loop.i, x.kind), x.kind), F64)
        b.call("reduced_angle", lane, found)
        for place, (v, pointer) in enumerate(zip(known, outputs, strict=True)):
            value = b.load(b.address(found, place, F64), F64 if v.kind.floating else I64)
            b.store(b.cast(value, v.kind), b.address(pointer, loop.i, v.kind))
    return [b.load(pointer, v.kind, v.lanes) for v, pointer in zip(known, outputs, strict=True)]


def _sin_tail(b: Builder, r: V, square: V) -> V:
    """sin(r) - r."""
    return b.mul(b.mul(r, square), polynomial(b, square, _SIN[r.kind]))


def _cos_tail(b: Builder, square: V) -> V:
    """cos(r) - 1 + r**2 / 2."""
    return b.mul(b.mul(square, square), polynomial(b, square, _COS[square.kind]))


def sin_within(b: Builder, r: V) -> V:
    """sin(r) for |r| <= pi/4."""
    return b.add(r, _sin_tail(b, r, b.mul(r, r)))


def cos_within(b: Builder, r: V) -> V:
    """cos(r) for |r| <= pi/4."""
    square = b.mul(r, r)
    return b.add(b.fma(square, b.like(square, -0.5), _cos_tail(b, square)), b.like(square, 1.0))


def _turned(b: Builder, x: V, quarters: int) -> V:
    """sin(x + quarters pi/2)."""
    quadrant, r, low = _reduced(b, x)
    square = b.mul(r, r)
    tail = _sin_tail(b, r, square)
    sine, cosine = b.add(r, tail if low is None else b.add(tail, low)), cos_within(b, r)
    if quarters:
        quadrant = b.add(quadrant, b.like(quadrant, quarters))
    one = b.like(quadrant, 1)
    odd = b.compare("ne", b.op("and", quadrant, one), b.like(quadrant, 0))
    sign = b.op("shl", b.op("lshr", quadrant, one), b.like(quadrant, quadrant.type.bits - 1))
    return floating(b, b.op("xor", bits(b, b.select(odd, cosine, sine)), sign))


def _tiny(b: Builder, x: V) -> V:
    return b.compare("lt", absolute(b, x), b.like(x, 2.0 ** -(FORMATS[x.kind].mantissa // 2 + 2)))


def sin(b: Builder, x: V) -> V:
    """The sine of an angle in radians."""
    return b.select(_tiny(b, x), x, _turned(b, x, 0))


def cos(b: Builder, x: V) -> V:
    """The cosine of an angle in radians."""
    return _turned(b, x, 1)


@widened
def tan(b: Builder, x: V) -> V:
    """The tangent of an angle in radians: sin / cos, or -cos / sin, both with what rounding them has lost."""
    quadrant, r, low = _reduced(b, x)
    assert low is not None  # doubles have it
    one, half = b.like(x, 1.0), b.like(x, 0.5)
    square, lost_square = two_product(b, r, r)
    sine, sine_low = fast_two_sum(b, r, _sin_tail(b, r, square))
    sine_low = b.add(sine_low, low)
    halved = times(b, square, half)
    cosine, cosine_low = fast_two_sum(b, one, b.neg(halved))
    # the derivative of -r**2 / 2 is -r
    correction = b.sub(b.mul(lost_square, b.neg(half)), b.mul(r, low))
    cosine, cosine_low = fast_two_sum(b, cosine, b.add(cosine_low, b.add(_cos_tail(b, square), correction)))
    odd = b.compare("ne", b.op("and", quadrant, b.like(quadrant, 1)), b.like(quadrant, 0))
    above, above_low = b.select(odd, cosine, sine), b.select(odd, cosine_low, sine_low)
    below, below_low = b.select(odd, b.neg(sine), cosine), b.select(odd, b.neg(sine_low), cosine_low)
    inverse = b.div(one, below)
    q = times(b, above, inverse)
    product, lost = two_product(b, q, below)
    rest = minus(b, minus(b, above, product), lost)
    rest = b.add(rest, b.sub(above_low, b.mul(q, below_low)))
    return b.select(_tiny(b, x), x, plus(b, q, b.mul(rest, inverse)))
