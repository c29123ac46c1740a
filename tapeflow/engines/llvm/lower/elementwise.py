"""Elementwise ops: for each the code of one vector of elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Any

import numpy as np

from ....ops.assertions import CONDITIONS
from .. import vector_math as M
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..values import F32, F64, HALVES, I1, I32, I64, U32, U64, V
from .rules import rule

# -- of floats and ints --


def _maximum(b: Builder, x: V, y: V) -> V:
    return _extreme(b, "gt", x, y)


def _minimum(b: Builder, x: V, y: V) -> V:
    return _extreme(b, "lt", x, y)


def _extreme(b: Builder, how: str, x: V, y: V) -> V:
    """The larger or smaller one; NaN where one of them is NaN."""
    if not x.kind.floating:
        return b.select(b.compare(how, x, y), x, y)
    # y where neither holds, which is when they are equal or y is NaN; x is NaN only where it is chosen
    other = "ge" if how == "gt" else "le"
    chosen = b.select(b.compare(other, x, y), x, y)
    return b.select(b.compare("uno", x, x), x, chosen)


def _abs(b: Builder, x: V) -> V:
    if x.kind.floating:
        return b.intrinsic("fabs", x)
    if not x.kind.signed:
        return x
    return b.select(b.compare("lt", x, b.like(x, 0)), b.neg(x), x)


def _relu(b: Builder, x: V) -> V:
    # NaN stays: it is not below zero
    return b.select(b.compare("lt", x, b.like(x, 0)), b.like(x, 0), x)


def _relu_grad(b: Builder, g: V, y: V) -> V:
    return b.select(b.compare("gt", y, b.like(y, 0)), g, b.like(g, 0))


def _relu6_grad(b: Builder, g: V, y: V) -> V:
    inside = b.op("and", b.compare("gt", y, b.like(y, 0)), b.compare("lt", y, b.like(y, 6)))
    return b.select(inside, g, b.like(g, 0))


def _squared_difference(b: Builder, x: V, y: V) -> V:
    d = b.sub(x, y)
    return b.mul(d, d)


def _divide_no_nan(b: Builder, x: V, y: V) -> V:
    return b.select(b.compare("eq", y, b.like(y, 0)), b.like(y, 0), b.div(x, y))


def _multiply_no_nan(b: Builder, x: V, y: V) -> V:
    return b.select(b.compare("eq", y, b.like(y, 0)), b.like(y, 0), b.mul(x, y))


def _zero_where_zero(function: Callable) -> Callable:
    """x * f(y), which is 0 wherever x is."""

    def made(b: Builder, x: V, y: V) -> V:
        return b.select(b.compare("eq", x, b.like(x, 0)), b.like(x, 0), function(b, x, y))

    return made


def _infinite(b: Builder, x: V) -> V:
    return b.compare("eq", b.intrinsic("fabs", x), b.like(x, float("inf")))


def _finite(b: Builder, x: V) -> V:
    return b.compare("lt", b.intrinsic("fabs", x), b.like(x, float("inf")))


def _gelu(b: Builder, x: V) -> V:
    return b.mul(b.mul(x, b.like(x, 0.5)), b.add(b.like(x, 1.0), M.erf(b, b.mul(x, b.like(x, sqrt(0.5))))))


def _gelu_tanh(b: Builder, x: V) -> V:
    cube = b.mul(b.mul(b.mul(x, x), x), b.like(x, 0.044715))
    inner = b.mul(b.add(x, cube), b.like(x, sqrt(2 / pi)))
    return b.mul(b.mul(x, b.like(x, 0.5)), b.add(b.like(x, 1.0), M.tanh(b, inner)))


# name -> (code, about how many simple operations it takes)
_ANY: dict[str, tuple[Callable, int]] = {
    "add": (lambda b, x, y: b.add(x, y), 1),
    "subtract": (lambda b, x, y: b.sub(x, y), 1),
    "multiply": (lambda b, x, y: b.mul(x, y), 1),
    "negative": (lambda b, x: b.neg(x), 1),
    "square": (lambda b, x: b.mul(x, x), 1),
    "abs": (_abs, 1),
    "sign": (M.sign, 3),
    "maximum": (_maximum, 2),
    "minimum": (_minimum, 2),
    "relu": (_relu, 2),
    "relu_grad": (_relu_grad, 2),
    "relu6": (lambda b, x: _minimum(b, _relu(b, x), b.like(x, 6)), 4),
    "relu6_grad": (_relu6_grad, 4),
    "squared_difference": (_squared_difference, 2),
    "conj": (lambda b, x: x, 0),
    "multiply_no_nan": (_multiply_no_nan, 2),
}

_FLOATS: dict[str, tuple[Callable, int]] = {
    "real_divide": (lambda b, x, y: b.div(x, y), 4),
    "reciprocal": (lambda b, x: b.div(b.like(x, 1.0), x), 4),
    "divide_no_nan": (_divide_no_nan, 5),
    "sqrt": (lambda b, x: b.intrinsic("sqrt", x), 6),
    "rsqrt": (lambda b, x: b.div(b.like(x, 1.0), b.intrinsic("sqrt", x)), 10),
    "xlogy": (_zero_where_zero(lambda b, x, y: b.mul(x, M.log(b, y))), 20),
    "xlog1py": (_zero_where_zero(lambda b, x, y: b.mul(x, M.log1p(b, y))), 24),
    "xdivy": (_zero_where_zero(lambda b, x, y: b.div(x, y)), 5),
    "sigmoid_cross_entropy": (
        # max(z, 0) - z * y + log(1 + exp(-|z|)), of logits z and labels y
        lambda b, z, y: b.add(
            b.sub(_relu(b, z), b.mul(z, y)), M.log1p(b, M.exp(b, b.neg(b.intrinsic("fabs", z))))
        ),
        40,
    ),
    "softsign": (lambda b, x: b.div(x, b.add(b.intrinsic("fabs", x), b.like(x, 1.0))), 6),
    "silu": (lambda b, x: b.mul(x, M.sigmoid(b, x)), 20),
    "gelu": (_gelu, 30),
    "gelu_tanh": (_gelu_tanh, 30),
}  # fmt: skip

# ops whose code stands in `mathematics` under the same name, or the one given
_MATHEMATICS = {
    "exp": 16, "expm1": 24, "log": 18, "log1p": 24, "tanh": 24, "sigmoid": 20, "softplus": 40, "elu": 26, "selu": 26,
    "erf": 24, "erfc": 40, "sin": 24, "cos": 24, "tan": 40, "asin": 24, "acos": 24, "atan": 24, "atan2": 32,
    "sinh": 24, "cosh": 24, "asinh": 30, "acosh": 30, "atanh": 30, "pow": 50, "floor": 2, "ceil": 2, "rint": 2,
    "round": 2, "lgamma": 60, "digamma": 60, "erfinv": 40, "ndtri": 60,
}  # fmt: skip
_OTHER_NAMES = {"rint": "round_even", "round": "round_even", "pow": "power"}

_COMPARISONS = {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
}  # fmt: skip

_TESTS: dict[str, Callable] = {
    "is_nan": lambda b, x: b.compare("uno", x, x),
    "is_inf": _infinite,
    "is_finite": _finite,
}

_BOOLS: dict[str, Callable] = {
    "logical_and": lambda b, x, y: b.op("and", x, y),
    "logical_or": lambda b, x, y: b.op("or", x, y),
    "logical_xor": lambda b, x, y: b.op("xor", x, y),
    "logical_not": lambda b, x: b.invert(x),
    "bitwise_and": lambda b, x, y: b.op("and", x, y),
    "bitwise_or": lambda b, x, y: b.op("or", x, y),
    "bitwise_xor": lambda b, x, y: b.op("xor", x, y),
    "invert": lambda b, x: b.invert(x),
}


# what optimizers' rules may ask for, too
CODES: dict[str, tuple[Callable, int]] = {**_ANY, **_FLOATS}


def _declare(name: str, code: Callable, weight: int, accepts: Callable, kind: Any = None) -> None:
    def lower(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
        first = inputs[0].kind
        if not accepts(first) or any(x.kind is not first for x in inputs):
            raise Unsupported(f"{name} of {first.name}")
        return program.map(code, *inputs, kind=kind, weight=weight)

    rule(name)(lower)


def _floats(kind: Any) -> bool:
    return kind in (F32, F64)


def _numbers(kind: Any) -> bool:
    return kind is not I1


for _name, (_code, _weight) in _ANY.items():
    _declare(_name, _code, _weight, _numbers)
for _name, (_code, _weight) in _FLOATS.items():
    _declare(_name, _code, _weight, _floats)
for _name, _weight in _MATHEMATICS.items():
    _found = getattr(M, _OTHER_NAMES.get(_name, _name), None)
    if _found is not None:
        CODES[_name] = (_found, _weight)
        _declare(_name, _found, _weight, _floats)
for _name, _how in _COMPARISONS.items():
    _declare(_name, lambda b, x, y, how=_how: b.compare(how, x, y), 1, lambda kind: True, I1)
for _name, _code in _TESTS.items():
    _declare(_name, _code, 1, _floats, I1)
for _name, _code in _BOOLS.items():
    _declare(_name, _code, 1, lambda kind: not kind.floating)


# -- division, shifts and bits -----------------------------------------------------------------------------------------


def _floor_divided(b: Builder, x: V, y: V) -> V:
    quotient = b.div(x, y)
    return b.sub(quotient, b.cast(_below(b, x, y), x.kind)) if x.kind.signed else quotient


def _floor_rest(b: Builder, x: V, y: V) -> V:
    rest = b.op("rem", x, y)
    return b.add(rest, b.select(_below(b, x, y), y, b.like(y, 0))) if x.kind.signed else rest


def _below(b: Builder, x: V, y: V) -> V:
    """Whether rounding toward zero leaves a rest of the other sign than the divisor's."""
    rest = b.op("rem", x, y)
    apart = b.compare("lt", b.op("xor", rest, y), b.like(y, 0))
    return b.op("and", apart, b.compare("ne", rest, b.like(rest, 0)))


# name -> (code of floats, or None, that of ints, whether the latter is a quotient)
_DIVISIONS: dict[str, tuple[Callable | None, Callable, bool]] = {
    "floordiv": (lambda b, x, y: M.floor(b, b.div(x, y)), _floor_divided, True),
    "floormod": (M.floor_mod, _floor_rest, False),
    "truncatediv": (lambda b, x, y: M.trunc(b, b.div(x, y)), lambda b, x, y: b.div(x, y), True),
    "truncatemod": (None, lambda b, x, y: b.op("rem", x, y), False),
}


def _of_division(name: str, of_floats: Callable | None, of_ints: Callable, quotient: bool) -> None:
    def lower(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
        x, y = inputs
        if y.kind is not x.kind or x.kind is I1:
            raise Unsupported(f"{name} of {x.kind.name}")
        if x.kind.floating:
            if of_floats is None:
                raise Unsupported(f"{name} of floats")
            return program.map(of_floats, x, y, weight=8)
        # a zero is NumPy's to refuse; the machine stops at one, and at a quotient that is too large
        if y.how != "number":
            program.check(program.map(lambda b, v: b.compare("ne", v, b.like(v, 0)), y, kind=I1))
        elif not y.data:
            raise Unsupported("a division by zero")

        def code(b: Builder, v: V, w: V) -> V:
            wrong = b.compare("eq", w, b.like(w, 0))
            if not v.kind.signed:
                return of_ints(b, v, b.select(wrong, b.like(w, 1), w))
            turned = b.compare("eq", w, b.like(w, -1))
            safe = b.select(b.op("or", wrong, turned), b.like(w, 1), w)
            return b.select(turned, b.neg(v) if quotient else b.like(v, 0), of_ints(b, v, safe))

        return program.map(code, x, y, weight=24)

    rule(name)(lower)


for _name, _division in _DIVISIONS.items():
    _of_division(_name, *_division)


@rule("left_shift", "right_shift")
def _shift(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    kind = inputs[0].kind
    if kind.floating or inputs[1].kind is not kind:
        raise Unsupported(f"a shift of {kind.name}")
    how = "shl" if node.op.name == "left_shift" else "ashr" if kind.signed else "lshr"
    last = kind.bytes * 8 - 1

    def code(b: Builder, x: V, by: V) -> V:
        by = b.select(b.compare("lt", by, b.like(by, last)), by, b.like(by, last))
        return b.op(how, x, b.select(b.compare("gt", by, b.like(by, 0)), by, b.like(by, 0)))

    return program.map(code, *inputs, weight=5)


@rule("bitcast")
def _bitcast(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), kind = inputs, kind_of(node.outputs[0].dtype)
    if kind.bytes != x.kind.bytes or I1 in (kind, x.kind):
        raise Unsupported("bits as numbers of another size")
    return program.map(lambda b, v: b.bitcast(v, kind), x, kind=kind, weight=0)


@rule("check_numerics")
def _check_numerics(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,) = _of_floats(inputs)
    program.check(program.map(_finite, x, kind=I1))
    return x


@rule("assert")
def _assert(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    if node.attributes[0] not in CONDITIONS or inputs[0].kind is not I1:
        raise Unsupported("an assertion of other things than conditions")
    program.check(inputs[0])
    return []


# -- with attributes ---------------------------------------------------------------------------------------------------


@rule("leaky_relu")
def _leaky_relu(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    choose, alpha = _maximum if node.attributes[0] <= 1.0 else _minimum, _slope(node)
    return program.map(lambda b, x: choose(b, x, b.mul(x, b.like(x, alpha))), *_of_floats(inputs), weight=3)


@rule("leaky_relu_grad")
def _leaky_relu_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    alpha = _slope(node)

    def code(b: Builder, g: V, x: V) -> V:
        return b.select(b.compare("gt", x, b.like(x, 0.0)), g, b.mul(g, b.like(g, alpha)))

    return program.map(code, *_of_floats(inputs), weight=3)


def _slope(node: Any) -> float:
    """A leaky rectifier's number, rounded to the inputs' dtype."""
    return float(np.asarray(node.attributes[0]).astype(node.inputs[0].dtype))


def _of_floats(inputs: Sequence[Cell]) -> Sequence[Cell]:
    if not _floats(inputs[0].kind):
        raise Unsupported(f"an op of {inputs[0].kind.name}")
    return inputs


@rule("cast")
def _cast(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), kind = inputs, kind_of(node.outputs[0].dtype)
    x = program.wide(x)
    if kind in HALVES:
        return program.cast(x, kind)
    if x.kind.floating and not kind.floating and kind is not I1:
        if kind is U64:
            raise Unsupported(f"cast from {x.kind.name} to {kind.name}")
        # what is out of range wraps, by way of an int that processors convert to
        through = I64 if kind.bytes == 8 or kind is U32 else I32
        whole = program.map(lambda b, v: _truncated(b, v, through), x, kind=through, weight=3)
        return program.cast(whole, kind)
    return program.cast(x, kind)


def _truncated(b: Builder, x: V, kind: Any) -> V:
    """Floats as ints, toward zero; what does not fit becomes the smallest int, as the processor has it."""
    bound = 2.0 ** (kind.bytes * 8 - 1)
    fits = b.op("and", b.compare("ge", x, b.like(x, -bound)), b.compare("lt", x, b.like(x, bound)))
    number = b.cast(b.select(fits, x, b.like(x, 0.0)), kind)
    return b.select(fits, number, b.like(number, -int(bound)))


@rule("identity", "stop_gradient")
def _identity(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return inputs[0]


@rule("where")
def _where(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    condition, x, y = inputs
    if condition.kind is not I1 or x.kind is not y.kind:
        raise Unsupported("where of mixed kinds")
    return program.map(lambda b, c, v, w: b.select(c, v, w), condition, x, y, kind=x.kind)


@rule("dropout")
def _dropout(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    x, keep = inputs
    if keep.kind is not I1:
        raise Unsupported("dropout by numbers")
    return program.map(lambda b, v, c: b.select(c, v, b.like(v, 0)), x, keep)


@rule("zeros_like", "ones_like")
def _full_like(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.number(0 if node.op.name == "zeros_like" else 1, inputs[0].kind, inputs[0].shape)


@rule("add_n")
def _add_n(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    total = inputs[0]
    for x in inputs[1:]:
        total = program.binary("add", total, x)
    return total
