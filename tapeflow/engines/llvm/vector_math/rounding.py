"""Whole numbers: rounding to them, and quotients and remainders as NumPy defines them."""

from __future__ import annotations

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import F64, I32, I64, U64, Kind, Type, V, constant
from tapeflow.engines.llvm.vector_math.exact import (
    FORMATS,
    absolute,
    minus,
    plus,
    two_product,
    with_sign,
)


def round_even(b: Builder, x: V) -> V:
    """The nearest whole number, of two equally near the even one."""
    if b.module.rounding:
        return b.intrinsic("rint", x)
    # no digits behind the point are left of a sum with a number so large
    large = b.like(x, FORMATS[x.kind].whole)
    size = absolute(b, x)
    rounded = with_sign(b, minus(b, plus(b, size, large), large), x)
    return b.select(b.compare("lt", size, large), rounded, x)


def floor(b: Builder, x: V) -> V:
    """The largest whole number that is not above x."""
    if b.module.rounding:
        return b.intrinsic("floor", x)
    near = round_even(b, x)
    return b.select(b.compare("gt", near, x), minus(b, near, b.like(x, 1.0)), near)


def ceil(b: Builder, x: V) -> V:
    """The smallest whole number that is not below x."""
    if b.module.rounding:
        return b.intrinsic("ceil", x)
    near = round_even(b, x)
    return b.select(b.compare("lt", near, x), with_sign(b, plus(b, near, b.like(x, 1.0)), x), near)


def trunc(b: Builder, x: V) -> V:
    """x without its digits behind the point."""
    if b.module.rounding:
        return b.intrinsic("trunc", x)
    return with_sign(b, floor(b, absolute(b, x)), x)


def to_integer(b: Builder, x: V, kind: Kind) -> V:
    """A float, toward zero, as an int of a kind that can hold it."""
    if kind.bytes < 4:  # by way of one that processors convert to: below zero unsigned kinds wrap, as NumPy's do
        return b.cast(b.cast(x, I64 if x.kind is F64 else I32), kind)
    return b.cast(x, kind)


def floor_mod(b: Builder, x: V, y: V) -> V:
    """x modulo y with the sign of y, as np.mod: NaN of floats where y is 0, and 0 of ints."""
    if not x.kind.floating:
        return _divided(b, x, y)[1]
    rest = fmod(b, x, y)
    zero = b.like(x, 0.0)
    apart = b.op("xor", b.compare("lt", rest, zero), b.compare("lt", y, zero))
    present = b.compare("ne", rest, zero)
    turned = b.select(b.op("and", apart, present), b.add(rest, y), rest)
    return b.select(present, turned, with_sign(b, zero, y))


def floor_divide(b: Builder, x: V, y: V) -> V:
    """x / y, rounded down, as np.floor_divide: infinite or NaN of floats where y is 0, and 0 of ints."""
    if not x.kind.floating:
        return _divided(b, x, y)[0]
    zero, one = b.like(x, 0.0), b.like(x, 1.0)
    rest = fmod(b, x, y)
    whole = b.div(minus(b, x, rest), y)
    apart = b.op("xor", b.compare("lt", rest, zero), b.compare("lt", y, zero))
    down = b.op("and", apart, b.compare("ne", rest, zero))
    whole = b.select(down, minus(b, whole, one), whole)
    # the quotient of a multiple is whole but for the division's rounding
    below = floor(b, whole)
    below = b.select(b.compare("gt", minus(b, whole, below), b.like(x, 0.5)), plus(b, below, one), below)
    quotient = b.div(x, y)
    below = b.select(b.compare("eq", whole, zero), with_sign(b, zero, quotient), below)
    return b.select(b.compare("eq", y, zero), quotient, below)


def _divided(b: Builder, x: V, y: V) -> tuple[V, V]:
    """Quotient, rounded down, and remainder of ints. Processors stop at 0 and may at -1: neither is divided by."""
    zero, one = b.like(x, 0), b.like(x, 1)
    none = b.compare("eq", y, zero)
    if not x.kind.signed:
        safe = b.select(none, one, y)
        return b.select(none, zero, b.op("div", x, safe)), b.select(none, zero, b.op("rem", x, safe))
    turned = b.compare("eq", y, b.like(x, -1))
    safe = b.select(b.op("or", none, turned), one, y)
    quotient, rest = b.op("div", x, safe), b.op("rem", x, safe)
    apart = b.compare("lt", b.op("xor", rest, y), zero)
    down = b.op("and", apart, b.compare("ne", rest, zero))
    quotient = b.select(down, b.sub(quotient, one), quotient)
    rest = b.select(down, b.add(rest, y), rest)
    return b.select(none, zero, b.select(turned, b.neg(x), quotient)), b.select(none, zero, rest)


def fmod(b: Builder, x: V, y: V) -> V:
    """The remainder of x / y rounded toward zero: exact, with the sign of x. NaN where y is 0 or x infinite."""
    form = FORMATS[x.kind]
    size, step = absolute(b, x), absolute(b, y)
    ratio = b.div(size, step)
    # true for NaN as well, and where halves of a product could overflow
    hard = b.invert(b.compare("lt", ratio, b.like(x, form.whole / 4)))
    hard = b.op("or", hard, b.compare("gt", size, b.like(x, 2.0 ** (form.bias - 60))))
    product, lost = two_product(b, trunc(b, ratio), step)
    rest = minus(b, minus(b, size, product), lost)
    # a quotient that was rounded up to a whole number is one too many
    rest = b.select(b.compare("lt", rest, b.like(x, 0.0)), plus(b, rest, step), rest)
    rest = b.select(b.compare("lt", size, step), size, rest)
    with b.when(b.reduce("or", hard), otherwise=[rest]) as branch:
        branch.give(_fmod_lanes(b, size, step))
    return with_sign(b, branch.results[0], x)


def _fmod_lanes(b: Builder, x: V, y: V) -> V:
    """The same of positive numbers, lane by lane."""
    _fmod_function(b.module)
    pointers = [b.allocate(x.kind, x.lanes) for _ in range(3)]
    for v, pointer in zip((x, y), pointers, strict=False):
        b.store(v, pointer)
    with b.loop(0, x.lanes) as loop:
        lanes = [b.cast(b.load(b.address(p, loop.i, x.kind), x.kind), F64) for p in pointers[:2]]
        rest = b.call("remainder_of_doubles", *lanes, returns=Type(F64))
        assert rest is not None
        b.store(b.cast(rest, x.kind), b.address(pointers[2], loop.i, x.kind))
    return b.load(pointers[2], x.kind, x.lanes)


def _fmod_function(module: Module) -> None:
    """Gives the module a function of two doubles that divides as by hand: eleven bits of the quotient at a time."""
    if any("@remainder_of_doubles(" in f.split("\n", 1)[0] for f in module.functions):
        return
    b = Builder(module, "remainder_of_doubles", [(F64, "x"), (F64, "y")], returns="double")
    x, y = b.parameters
    zero = constant(0, I64)
    mantissas, exponents = [], []
    for v in (x, y):
        whole = b.bitcast(v, I64)
        field = b.op("lshr", whole, constant(52, I64))
        denormal = b.compare("eq", field, zero)
        fraction = b.op("and", whole, constant((1 << 52) - 1, I64))
        mantissas.append(b.select(denormal, fraction, b.op("or", fraction, constant(1 << 52, I64))))
        exponents.append(b.select(denormal, constant(1, I64), field))
    divisor = b.select(b.compare("eq", mantissas[1], zero), constant(1, I64), mantissas[1])
    apart = b.sub(exponents[0], exponents[1])
    apart = b.select(b.compare("lt", apart, zero), zero, apart)
    apart = V(apart.name, Type(U64))
    eleven = constant(11, U64)
    turns, odd = b.op("div", apart, eleven), b.op("rem", apart, eleven)

    def step(rest: V, shift: V) -> V:
        return b.op("rem", b.op("shl", V(rest.name, Type(U64)), shift), V(divisor.name, Type(U64)))

    rest = step(mantissas[0], odd)
    with b.loop(0, V(turns.name, Type(I64)), carried=[rest]) as loop:
        loop.carry(step(loop.values[0], eleven))
    # a whole number times the power of two of y's last bit, made of two factors as it may be denormal
    scale = b.sub(exponents[1], constant(1075, I64))
    half = b.op("ashr", scale, constant(1, I64))
    result = b.cast(V(loop.results[0].name, Type(I64)), F64)
    for part in (half, b.sub(scale, half)):
        power = b.op("shl", b.add(part, constant(1023, I64)), constant(52, I64))
        result = b.mul(result, b.bitcast(power, F64))
    infinity = constant(float("inf"), F64)
    result = b.select(b.compare("lt", x, y), x, result)
    fine = b.op("and", b.compare("gt", y, constant(0.0, F64)), b.compare("lt", x, infinity))
    b.finish(b.select(fine, result, b.select(b.compare("uno", x, y), b.add(x, y), constant(float("nan"), F64))))
