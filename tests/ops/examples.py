"""Inputs for every op of the table, by its name: what the tests of shape rules and of gradients run ops on.

An example's `make(rng, dtype)` gives (inputs, attributes) for the op's canonical form, of random shapes: 0-d, empty,
broadcasting. To add an op, add a row to EXAMPLES, or call
`EXAMPLES.update(...)` in a file of this folder whose name begins with `examples_`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tapeflow.ops
from tapeflow.core.dtypes import numpy_dtype
from tapeflow.core.op import OPS

FLOAT = ("float16", "float32", "float64", "bfloat16")
WIDE = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGER = SIGNED + UNSIGNED
REAL = FLOAT + INTEGER
NUMBER = REAL + COMPLEX
BOOL = ("bool",)
STRING = ("string",)

SHAPES = [(), (1,), (3,), (0,), (2, 3), (1, 3), (2, 0), (2, 1, 2)]
PAIRS = [
    ((), ()),
    ((3,), ()),
    ((), (2, 3)),
    ((2, 1), (3,)),
    ((2, 3), (2, 3)),
    ((0,), (1,)),
    ((1, 3), (2, 1)),
    ((2, 0), (1, 1)),
    ((2, 1, 2), (3, 1)),
]


class Example(NamedTuple):
    """What an op is tried on.

    make: from a random generator and a dtype's name, (inputs, attributes); arrays of that dtype where it applies.
    dtypes: those on which the shape rule is held against the kernel.
    order: how many derivatives are held against central differences in float64; 0 for none.
    options: arguments for `check_gradients`, such as tolerances.
    complex: whether derivatives are checked in complex128 too.
    """

    make: Callable
    dtypes: tuple[str, ...] = WIDE
    order: int = 2
    options: dict[str, Any] = {}
    complex: bool = False


def values(rng: np.random.Generator, shape: tuple, dtype: str, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Random values of a dtype in [low, high): integers rounded, of complex numbers both parts, for bools coins."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype == "string":
        out = np.empty(shape, object)
        out.reshape(-1)[:] = [b"abc"[: 1 + i % 3] for i in range(out.size)]
        return out
    x = np.asarray(low + (high - low) * rng.random(shape))
    to = numpy_dtype(dtype)
    if to.kind in "iu":
        return np.maximum(np.rint(x), 0 if to.kind == "u" else -100).astype(to)
    if to.kind == "c":
        x = x + 1j * (low + (high - low) * rng.random(shape))
    return np.asarray(x).astype(to)


def pick(rng: np.random.Generator, choices: list) -> Any:
    """One of the choices."""
    return choices[rng.integers(len(choices))]


def unary(
    low: float = -2.0, high: float = 2.0, dtypes: tuple[str, ...] = FLOAT, order: int = 2, **more: Any
) -> Example:
    """An elementwise op of one tensor with values in [low, high)."""
    return Example(lambda rng, dtype: ((values(rng, pick(rng, SHAPES), dtype, low, high),), ()), dtypes, order, **more)


def binary(
    x: tuple[float, float] = (-2.0, 2.0),
    y: tuple[float, float] = (-2.0, 2.0),
    dtypes: tuple[str, ...] = NUMBER,
    order: int = 2,
    **more: Any,
) -> Example:
    """An elementwise op of two tensors that broadcast, with values in these ranges."""

    def make(rng: np.random.Generator, dtype: str) -> tuple:
        first, second = pick(rng, PAIRS)
        return (values(rng, first, dtype, *x), values(rng, second, dtype, *y)), ()

    return Example(make, dtypes, order, **more)


def load_ops() -> dict[str, Any]:
    """The table of all ops, every module of `tapeflow.ops` imported, and every file of examples beside this one."""
    for module in pkgutil.iter_modules(tapeflow.ops.__path__):
        importlib.import_module(f"tapeflow.ops.{module.name}")
    for file in sorted(Path(__file__).parent.glob("examples_*.py")):
        importlib.import_module(f"{__name__}_{file.stem.removeprefix('examples_')}")
    return OPS


def run(op: Any, inputs: Any, attributes: tuple) -> Any:
    """The op on tensors, in its canonical form."""
    return op.call(list(inputs), *attributes) if op.inputs is None else op.call(*inputs, *attributes)


# -- makers of more than one kind of input -----------------------------------------------------------------------------


def _list_of_one_shape(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, SHAPES)
    return tuple(values(rng, shape, dtype) for _ in range(1 + rng.integers(3))), ()


def _list_of_any_shapes(rng: np.random.Generator, dtype: str) -> tuple:
    return tuple(values(rng, pick(rng, SHAPES), dtype, 0.5, 2) for _ in range(1 + rng.integers(3))), ()


def _select(rng: np.random.Generator, dtype: str) -> tuple:
    first, second = pick(rng, PAIRS)
    return (values(rng, pick(rng, [first, second]), "bool"), values(rng, first, dtype), values(rng, second, dtype)), ()


def _cast(rng: np.random.Generator, dtype: str) -> tuple:
    to = "float64" if dtype == "float64" else pick(rng, [*NUMBER, "bool"])
    return (values(rng, pick(rng, SHAPES), dtype),), (numpy_dtype(to),)


def _bitcast(rng: np.random.Generator, dtype: str) -> tuple:
    to = pick(rng, ["uint8", "int16", "float32", "int64", "complex128"])
    ratio = numpy_dtype(to).itemsize // numpy_dtype(dtype).itemsize
    shape = pick(rng, SHAPES) + ((ratio,) if ratio > 1 else ())
    return (values(rng, shape, dtype),), (numpy_dtype(to),)


def _betainc(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, SHAPES)
    a, b, x = (pick(rng, [shape, ()]) for _ in range(3))
    return (values(rng, a, dtype, 1, 3), values(rng, b, dtype, 1, 3), values(rng, x, dtype, 0.1, 0.9)), ()


def _polygamma(rng: np.random.Generator, dtype: str) -> tuple:
    n, x = pick(rng, PAIRS)
    return (np.rint(values(rng, n, dtype, 0, 3)), values(rng, x, dtype, 0.5, 3)), ()


def _zeta(rng: np.random.Generator, dtype: str) -> tuple:
    s, q = pick(rng, PAIRS)
    return (values(rng, s, dtype, 2, 4), values(rng, q, dtype, 0.5, 3)), ()


# -- the table ---------------------------------------------------------------------------------------------------------

_COMPARABLE = binary(dtypes=REAL, order=0)
_COINS = binary(dtypes=BOOL, order=0)
_BITS = binary((0, 7), (0, 5), dtypes=INTEGER, order=0)
_SMOOTH = {"complex": True, "dtypes": FLOAT + COMPLEX}

EXAMPLES: dict[str, Example] = {
    # arithmetic
    "add": binary(complex=True),
    "subtract": binary(complex=True),
    "multiply": binary(complex=True),
    "real_divide": binary(y=(0.5, 2), **_SMOOTH),
    "negative": unary(dtypes=FLOAT + SIGNED + COMPLEX, complex=True),
    "square": unary(dtypes=NUMBER, complex=True),
    "reciprocal": unary(0.5, 2, **_SMOOTH),
    "conj": unary(dtypes=NUMBER, complex=True),
    "squared_difference": binary(dtypes=FLOAT + ("int32", "int64") + COMPLEX),
    "divide_no_nan": binary(y=(0.5, 2), **_SMOOTH),
    "multiply_no_nan": binary(y=(0.5, 2), **_SMOOTH),
    "floordiv": binary(y=(1, 3), dtypes=REAL, order=0),
    "floormod": binary((0.1, 0.9), (1, 3), dtypes=REAL),
    "truncatediv": binary(y=(1, 3), dtypes=REAL, order=0),
    "truncatemod": binary((0.1, 0.9), (1, 3), dtypes=REAL),
    "pow": binary((0.5, 2), (0, 3), dtypes=FLOAT + SIGNED + COMPLEX, complex=True),
    "abs": unary(0.2, 2, dtypes=FLOAT + SIGNED + COMPLEX, complex=True),
    "sign": unary(0.2, 2, dtypes=FLOAT + SIGNED + COMPLEX, complex=True),
    "maximum": binary(dtypes=REAL),
    "minimum": binary(dtypes=REAL),
    "add_n": Example(_list_of_one_shape, NUMBER, complex=True),
    # casting
    "cast": Example(_cast, (*NUMBER, "bool")),
    "bitcast": Example(_bitcast, NUMBER, order=0),
    # elementary functions
    **{name: unary(**_SMOOTH) for name in ("exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "sigmoid")},
    **{name: unary(0.5, 2, **_SMOOTH) for name in ("log", "log1p", "sqrt", "rsqrt", "asinh")},
    **{name: unary(-0.8, 0.8, **_SMOOTH) for name in ("tan", "asin", "acos", "atan", "atanh")},
    "acosh": unary(1.5, 3, **_SMOOTH),
    "softplus": unary(),
    "atan2": binary((0.5, 2), (0.5, 2), dtypes=FLOAT),
    "xdivy": binary(y=(0.5, 2), **_SMOOTH),
    "xlogy": binary(y=(0.5, 2), **_SMOOTH),
    "xlog1py": binary(y=(0.5, 2), **_SMOOTH),
    **{name: unary(order=0) for name in ("floor", "ceil", "rint")},
    "round": unary(dtypes=REAL, order=0),
    "nextafter": binary(dtypes=WIDE, order=0),
    # complex numbers
    **{name: unary(0.5, 2, dtypes=COMPLEX, order=0, complex=True) for name in ("real", "imag", "angle")},
    "complex": binary(dtypes=WIDE),
    # special functions
    **{name: unary(dtypes=FLOAT) for name in ("erf", "erfc")},
    "erfinv": unary(-0.8, 0.8),
    "erfcinv": unary(0.2, 1.8),
    "ndtri": unary(0.2, 0.8),
    **{name: unary(0.5, 3) for name in ("lgamma", "digamma")},
    "polygamma": Example(_polygamma, options={"rtol": 1e-5}),
    "zeta": Example(_zeta, options={"rtol": 1e-5}),
    "igamma": binary((0.5, 3), (0.5, 3), dtypes=WIDE, order=1),
    "igammac": binary((0.5, 3), (0.5, 3), dtypes=WIDE, order=1),
    "igamma_grad_a": binary((0.5, 3), (0.5, 3), dtypes=WIDE, order=0),
    "betainc": Example(_betainc, order=1),
    **{f"bessel_{kind}": unary(0.5, 3) for kind in ("i0", "i1", "i0e", "i1e", "j0", "j1", "y0", "y1")},
    **{f"bessel_{kind}": unary(0.5, 3) for kind in ("k0", "k1", "k0e", "k1e")},
    "dawsn": unary(),
    "expint": unary(0.5, 3),
    "fresnel_cos": unary(),
    "fresnel_sin": unary(),
    "spence": unary(0.2, 0.9),
    # comparison
    **{name: binary((-1, 1), (-1, 1), dtypes=(*NUMBER, "bool", "string"), order=0) for name in ("equal", "not_equal")},
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), _COMPARABLE),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), _COINS),
    "logical_not": unary(dtypes=BOOL, order=0),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"), _BITS),
    "invert": unary(0, 7, dtypes=INTEGER, order=0),
    **{name: unary(order=0) for name in ("is_nan", "is_inf", "is_finite")},
    # selection
    "where": Example(_select, (*NUMBER, "bool", "string")),
    "where_indices": unary(-1, 1, dtypes=(*NUMBER, "bool"), order=0),
    "global_norm": Example(_list_of_any_shapes, FLOAT),
    # shaping
    **{name: unary(dtypes=(*NUMBER, "bool"), order=0) for name in ("zeros_like", "ones_like")},
    "identity": unary(dtypes=(*NUMBER, "bool", "string")),
    "stop_gradient": unary(dtypes=(*NUMBER, "bool", "string"), order=0),
}
