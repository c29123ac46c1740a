"""Elementwise arithmetic: sums, products, quotients, powers, extrema, and what programs write with operators."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.dtypes import COMPLEXES, FLOATS_COMPLEX, NUMBERS, REALS, SIGNED_NUMBERS, group
from ..core.elementwise import binary, unary


def typed_constant(value: Any) -> Callable:
    """A function of a dtype that gives `value` in it, made once: a literal inside a ufunc costs 0.4 us."""
    made: dict = {}

    def get(dtype: Any) -> Any:
        constant = made.get(dtype)
        if constant is None:
            constant = made[dtype] = np.asarray(value).astype(dtype)[()]
        return constant

    return get


zero, one, two = typed_constant(0), typed_constant(1), typed_constant(2)

# -- sums, products, quotients -----------------------------------------------------------------------------------------

add = binary(
    "add",
    lambda xp: operator.add,
    lambda F, g: g,
    lambda F, g: g,
    saves=False,
    dtypes=NUMBERS | group("string", "bfloat16"),
    title="AddV2",
)
subtract = binary("subtract", lambda xp: operator.sub, lambda F, g: g, lambda F, g: -g, saves=False, title="Sub")
multiply = binary("multiply", lambda xp: operator.mul, lambda F, g, x, y: g * y, lambda F, g, x, y: g * x, title="Mul")
# the quotient of floats; tf.divide casts integers to floats first
real_divide = binary(
    "real_divide",
    lambda xp: operator.truediv,
    lambda F, g, x, y: g / y,
    lambda F, g, x, y: -(g * x) / (y * y),
    dtypes=FLOATS_COMPLEX,
    title="RealDiv",
)
negative = unary("negative", lambda xp: operator.neg, lambda F, g, x: -g, dtypes=SIGNED_NUMBERS, title="Neg")
square = unary("square", lambda xp: lambda x: x * x, lambda F, g, x: g * (x + x), dtypes=NUMBERS)
conj = unary(
    "conj",
    lambda xp: lambda x: x.conjugate() if x.dtype.kind == "c" else x,
    lambda F, g, x: F.conj(g),
    dtypes=NUMBERS,
)
