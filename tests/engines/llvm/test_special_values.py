"""Compiled ops of values at the ends: NaN, infinities, zeros of both signs, whole numbers that just fit."""

import warnings

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.dtypes import numpy_dtype
from tests.closeness import EXACT, FUNCTION, HALF_STEPS, assert_within, bound_of
from tests.engines.llvm.op_cases import HALVES, LOWERED, OPS
from tests.engines.llvm.running import on_both
from tests.ops.examples import EXAMPLES, run

# 17 of them: a whole vector, and one more
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.0, 3e38, -3e38, 1e-30, 100.0, -90.0]
FLOATS = [n for n in LOWERED if OPS[n].elementwise and "float32" in EXAMPLES[n].dtypes and n != "cast"]
# of 16 bits: others are these conversions around what float32 gives
IN_HALVES = (
    "add",
    "squared_difference",
    "real_divide",
    "sqrt",
    "exp",
    "maximum",
    "less",
    "sign",
    "floordiv",
    "tanh",
)
REFUSING = ("cast", "pow", "floormod")  # of whole numbers, some of these
WHOLE = [n for n in LOWERED if OPS[n].elementwise and "int32" in EXAMPLES[n].dtypes and n not in REFUSING]
DIVIDING = ("floordiv", "truncatediv", "truncatemod")  # which refuse a whole divisor of 0
FUSED = {"sigmoid_cross_entropy"}  # a product and a sum in one, where there is no infinity in between
# signs of zeros are those of NumPy's results, but for these
EITHER_ZERO = {"erfinv", "relu", "relu6", "maximum", "minimum", "floormod", "pow", "sigmoid_cross_entropy"}


def flushed(x):
    """Denormal numbers as zeros, which is what compiled code makes of them."""
    return np.where(np.abs(x) < np.finfo(x.dtype).tiny, np.copysign(0, x), x) if x.dtype.kind == "f" else x


def pairs(x, count):
    """Every element with every other, where an op takes two."""
    return [x] if count == 1 else [m.reshape(-1) for m in np.meshgrid(x, x)]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*[(n, d) for n in FLOATS for d in ("float32", "float64")], *[(n, d) for n in IN_HALVES for d in HALVES]],
)
def test_floats(name, dtype):
    op, attributes = OPS[name], EXAMPLES[name].make(np.random.default_rng(0), dtype)[1]
    with np.errstate(over="ignore"):
        ends = np.array([x for x in ODD if name not in FUSED or abs(x) < 1e30], numpy_dtype(dtype))
    arrays = pairs(ends, op.inputs)
    if name in DIVIDING:  # a quotient that is denormal counts as zero before it is rounded
        with np.errstate(all="ignore"):
            quotient = arrays[0] / arrays[1]
        tiny = np.finfo(np.float32 if dtype == "bfloat16" else dtype).tiny
        arrays = [x[~((quotient != 0) & (np.abs(quotient) < tiny))] for x in arrays]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        (got,), (want,) = on_both(lambda *xs: run(op, xs, attributes), arrays)
    if got.dtype.name == "bfloat16":  # whose NaNs NumPy's assertions do not know
        got, want = got.astype(np.float32), want.astype(np.float32)
    if bound_of(name) == EXACT and (name != "squared_difference" or dtype not in HALVES):
        np.testing.assert_array_equal(flushed(got), flushed(want))
    elif dtype in HALVES:
        assert_within(got.astype(dtype), flushed(want), HALF_STEPS._replace(own=8))
    else:
        assert_within(got, flushed(want), FUNCTION._replace(scale=1e-3))
    if name not in EITHER_ZERO and (name, dtype) != ("sign", "bfloat16") and got.dtype.kind == "f":
        zeros = got == 0
        np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(want[zeros]))


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_that_just_fit(name):
    op, attributes = OPS[name], EXAMPLES[name].make(np.random.default_rng(0), "int32")[1]
    for dtype in ("int8", "int32", "int64", "uint8", "uint32"):
        if dtype in EXAMPLES[name].dtypes:
            ends = np.iinfo(dtype)
            arrays = pairs(np.array([ends.min, ends.min + 1, 0, 1, 2, ends.max - 1, ends.max] * 3, dtype), op.inputs)
            if name in DIVIDING:
                arrays = [x[arrays[1] != 0] for x in arrays]
            with np.errstate(all="ignore"):
                (got,), (want,) = on_both(lambda *xs: run(op, xs, attributes), arrays)
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "to", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "float32", "float64"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "uint8", "bool"])
def test_casts(dtype, to):
    if dtype[0] == "f":
        x = np.array(
            [np.nan, np.inf, -np.inf, 0.5, -0.5, -0.0, 1.9, -1.9, 127.0, -100.0, 300.5, -7e4, 3e9, -3e9, 1e20] * 2,
            dtype,
        )
    else:
        x = np.array([0, 1, 1] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max, 5], dtype)
    with np.errstate(all="ignore"):
        (got,), (want,) = on_both(lambda x: tf.cast(x, to), [x])
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("f", [tf.reduce_max, tf.reduce_min, tf.reduce_sum, tf.argmax, tf.argmin, tf.nn.softmax])
def test_reductions_of_what_is_no_number(f):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 19)).astype(np.float32)
    x[rng.random(x.shape) < 0.02] = np.nan
    x[rng.random(x.shape) < 0.02] = np.inf
    x[rng.random(x.shape) < 0.02] = -np.inf
    x[3], x[4], x[5] = -np.inf, np.nan, np.inf
    x[:, 7] = -np.inf
    with np.errstate(all="ignore"):
        for got, want in zip(*on_both(lambda x: [f(x, 0), f(x, 1), f(x[:, :5], 1), f(x[3:4], 0)], [x]), strict=True):
            assert_within(got, want, FUNCTION._replace(scale=4))


def test_norms_and_logarithms_of_sums_at_the_ends():
    x = np.array([[np.inf, 1.0], [-np.inf, -np.inf], [np.nan, 0.0], [800.0, 800.0], [-800.0, -900.0]], np.float32)
    for f in (tf.reduce_logsumexp, tf.norm):
        with np.errstate(all="ignore"):
            (got,), (want,) = on_both(lambda x: f(x, axis=1), [x])  # noqa: B023
        assert_within(got, want, FUNCTION)


@pytest.mark.parametrize("shapes", [[(0,)], [(0, 3)], [(3, 0)], [(2, 0, 4)]])
def test_arrays_of_nothing(shapes):
    (x,) = [np.zeros(s, np.float32) for s in shapes]
    y = np.ones((), np.float32)

    def f(x, y):
        moved = tf.transpose(x), tf.reshape(x, [-1]), tf.concat([x, x], 0), tf.pad(x, [[1, 1]] * x.shape.rank)
        sums = tf.reduce_sum(x), tf.reduce_sum(x, 0), tf.reduce_prod(x, -1), tf.reduce_all(x > 0.0)
        return *moved, *sums, x + y, tf.exp(x) * 2.0, tf.where(x > 0.0, x, y), y * 3.0

    for got, want in zip(*on_both(f, [x, y]), strict=True):
        assert_within(got, want, EXACT)


def test_products_of_nothing():
    x, y = np.zeros((3, 0), np.float32), np.zeros((0, 4), np.float32)
    for got, want in zip(*on_both(lambda x, y: [x @ y, y @ tf.ones([4, 2])], [x, y]), strict=True):
        assert_within(got, want, EXACT)
