"""Elementwise mathematics as compiled code, against float64 and long double references."""

import math
import re

import numpy as np
import pytest
import scipy.special

from tapeflow.engines.llvm import vector_math as vm
from tapeflow.engines.llvm.values import I1, I8, I32, I64
from tests.engines.llvm.accuracy import assert_near, name, sample
from tests.engines.llvm.elementwise_code import MACHINES, apply, compiled

L = np.longdouble
INF, NAN = math.inf, math.nan


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(x, 0)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.where(x > 0, 0, x)))


def selu(x):
    return x.dtype.type("1.0507009873554804934193349852946") * np.where(
        x > 0, x, x.dtype.type("1.6732632423543772848170429916717") * np.expm1(np.where(x > 0, 0, x))
    )


REFERENCES = {
    vm.exp: np.exp, vm.expm1: np.expm1, vm.log: np.log, vm.log1p: np.log1p, vm.sigmoid: sigmoid,
    vm.softplus: softplus, vm.elu: elu, vm.selu: selu, vm.tanh: np.tanh, vm.sinh: np.sinh, vm.cosh: np.cosh,
    vm.asinh: np.arcsinh, vm.acosh: np.arccosh, vm.atanh: np.arctanh, vm.sin: np.sin, vm.cos: np.cos, vm.tan: np.tan,
    vm.asin: np.arcsin, vm.acos: np.arccos, vm.atan: np.arctan, vm.erf: scipy.special.erf, vm.erfc: scipy.special.erfc,
    vm.square: np.square, vm.square_root: np.sqrt, vm.reciprocal: lambda x: 1 / x,
    vm.reciprocal_root: lambda x: 1 / np.sqrt(x),
}  # fmt: skip
EXACT = {
    vm.absolute: np.abs, vm.sign: np.sign, vm.round_even: np.rint, vm.floor: np.floor, vm.ceil: np.ceil,
    vm.trunc: np.trunc, vm.is_nan: np.isnan, vm.is_infinite: np.isinf, vm.is_finite: np.isfinite,
    vm.logical_not: np.logical_not,
}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_estimates_refined_are_within_a_unit(machine, dtype):
    x = sample(dtype)
    y = np.random.default_rng(3).permutation(x)
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max / 8
    normal = (np.abs(x) >= tiny) | (x == 0) | ~np.isfinite(x)
    x, y = x[normal & (x != -INF)], y[normal & (x != -INF)]
    keep = ((np.abs(y) >= tiny) & (np.abs(y) <= huge)) | (y == 0) | ~np.isfinite(y)
    with np.errstate(all="ignore"):
        far = np.abs(x.astype(L) / y)
        keep &= (far >= tiny) & (far <= huge) | (far == 0) | ~np.isfinite(far)
        quotient, root = x[keep].astype(L) / y[keep], np.sqrt(x.astype(L))
    assert keep.sum() > 2000
    unsigned = np.where(quotient == 0, 0, quotient)
    found = apply(vm.quick_quotient, x[keep], y[keep], machine=machine)
    assert_near(np.where(found == 0, dtype(0), found), unsigned, 1, x[keep], y[keep])
    assert_near(apply(vm.quick_root, x, machine=machine), root, 1, x)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("function", REFERENCES, ids=name)
def test_floats_are_within_two_units(function, machine):
    x = sample(np.float32)
    with np.errstate(all="ignore"):
        reference = REFERENCES[function](x.astype(np.float64))
    units = 4 if function is vm.selu else 2  # its factor is rounded before the product
    assert_near(apply(function, x, machine=machine), reference, units, x)


@pytest.mark.skipif(np.finfo(L).nmant < 60, reason="needs a long double of more digits")
@pytest.mark.parametrize("machine", [m for m in MACHINES if m != "avx2"])
@pytest.mark.parametrize("function", [f for f in REFERENCES if f not in (vm.erf, vm.erfc)], ids=name)
def test_doubles_are_within_two_units(function, machine):
    x = sample(np.float64)
    with np.errstate(all="ignore"):
        reference = REFERENCES[function](x.astype(L))
    units = 4 if function is vm.selu else 2  # its factor is rounded before the product
    assert_near(apply(function, x, machine=machine), reference, units, x)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("function", [vm.erf, vm.erfc], ids=name)
def test_error_functions_of_doubles(function, machine):
    x = sample(np.float64)
    reference = np.array([getattr(math, function.__name__)(v) for v in x])
    assert_near(apply(function, x, machine=machine), reference, 3, x)  # the C library is within one


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
@pytest.mark.parametrize("function", EXACT, ids=name)
def test_what_is_exact(function, dtype, machine):
    x = sample(dtype)
    result, expected = apply(function, x, machine=machine), EXACT[function](x)
    np.testing.assert_array_equal(result, expected)
    kept = ~np.isnan(x)
    np.testing.assert_array_equal(np.signbit(result[kept] * 1.0), np.signbit(expected[kept] * 1.0))


@pytest.mark.parametrize("lanes", [1, 3, 8])
@pytest.mark.parametrize("function", [vm.exp, vm.sin, vm.erf, vm.asinh, vm.tan], ids=name)
def test_any_number_of_lanes(function, lanes):
    x = np.array([0.3, -2.0, 5.5, -1e6, 3e30, INF, NAN, 0.0], np.float32)
    np.testing.assert_array_equal(apply(function, x, lanes=lanes), apply(function, x))


@pytest.mark.parametrize("machine", [m for m in MACHINES if m != "avx2"])
def test_nothing_calls_the_c_library(machine):
    own = {"reduced_angle", "remainder_of_doubles"}
    library = re.compile(r"\b(?:fma|rint|floor|ceil|trunc|fmod|round(?:even)?|sqrt|exp|log|pow|sin|cos|ldexp)f?\b")
    two = (vm.power, vm.atan2, vm.floor_mod, vm.floor_divide, vm.maximum, vm.minimum)
    for dtype in ("float32", "float64"):
        for function, count in [
            *((f, 1) for f in [*REFERENCES, *EXACT, vm.lgamma, vm.digamma]),
            *((f, 2) for f in two),
        ]:
            assembly = compiled(function, (dtype,) * count, machine)[1]
            lines = [line for line in assembly.splitlines() if re.search(r"\b(?:call|jmp|movabs|bl)q?\b", line)]
            named = {word for line in lines for word in re.findall(r"[A-Za-z_]\w{3,}", line)} & own
            assert not library.search("\n".join(lines)), (function.__name__, dtype)
            assert named <= own


def test_angles_beyond_every_table():
    # sin and cos of numbers close to multiples of pi/2, and of the largest ones: computed with 1500 bits
    x = np.array(
        [
            5.319372648326541e255, 1e22, 1e300, 1.7976931348623157e308, -1.9165059741478575e32, 100000.00000000001,
            99999.99999999999, -2232.101580375548, 11.0, 355.0, 1.2676506002282294e30,
        ]
    )  # fmt: skip
    sines = np.array(
        [
            1.0, -0.8522008497671888, -0.8178819121159085, 0.004961954789184062, -0.8681755184049199,
            0.0357487979574739, 0.035748797986559125, -1.0, -0.9999902065507035, -3.014435335948845e-05,
            -0.8721836054182673,
        ]
    )  # fmt: skip
    cosines = np.array(
        [
            -4.687165924254628e-19, 0.523214785395139, -0.5753861119575491, -0.9999876894265599, -0.49625726114823604,
            -0.9993608074387327, -0.9993608074376923, -1.4241184766394834e-14, 0.004425697988050785,
            -0.999999999545659, 0.48917865697472146,
        ]
    )  # fmt: skip
    for machine in MACHINES:
        assert_near(apply(vm.sin, x, machine=machine), sines, 2, x)
        assert_near(apply(vm.cos, x, machine=machine), cosines, 2, x)


def pairs(dtype, count=20000, spread=6):
    """Numbers of a few magnitudes against each other, all special values, and multiples."""
    random = np.random.default_rng(3)
    special = np.array(
        [0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, -2.5, 1e-3, 1e3, INF, -INF, NAN, np.finfo(dtype).max,
         -np.finfo(dtype).max, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal, 7.0, 1e10, 16777216.0, 2.0**53]
    ).astype(dtype)  # fmt: skip
    x, y = (g.ravel() for g in np.meshgrid(special, special))
    free = [random.normal(size=count) * 10 ** random.uniform(-spread, spread, count) for _ in range(2)]
    steps = random.integers(1, 50, count // 4) * dtype(0.1)
    multiples = steps.astype(dtype) * random.integers(-100, 100, count // 4).astype(dtype)
    return np.concatenate([x, free[0], multiples]).astype(dtype), np.concatenate([y, free[1], steps]).astype(dtype)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
def test_powers(dtype, machine):
    x, y = pairs(dtype, spread=2)
    wide = np.float64 if dtype is np.float32 else L
    with np.errstate(all="ignore"):
        reference = np.power(x.astype(wide), y.astype(wide))
    assert_near(apply(vm.power, x, y, machine=machine), reference, 2 if dtype is np.float32 else 4, x, y)


def test_powers_over_the_whole_range_of_results():
    random = np.random.default_rng(5)
    x = np.concatenate([2.0 ** random.uniform(-1074, 1023, 5000), 1 + random.uniform(-1e-3, 1e-3, 5000)])
    y = random.uniform(-745, 709, 10000) / np.abs(np.log(x))
    reference = np.power(x.astype(L), y.astype(L))
    for machine in MACHINES:
        assert_near(apply(vm.power, x, y, machine=machine), reference, 4, x, y)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
def test_angles_of_points(dtype, machine):
    y, x = pairs(dtype)
    wide = np.float64 if dtype is np.float32 else L
    reference = np.arctan2(y.astype(wide), x.astype(wide))
    assert_near(apply(vm.atan2, y, x, machine=machine), reference, 2, y, x)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
def test_remainders_and_quotients_of_floats_are_numpys(dtype, machine):
    x, y = pairs(dtype, spread=12)
    with np.errstate(all="ignore"):
        for function, expected in ((vm.floor_mod, np.mod(x, y)), (vm.floor_divide, np.floor_divide(x, y))):
            result = apply(function, x, y, machine=machine)
            np.testing.assert_array_equal(result, expected)
            fine = ~np.isnan(expected)
            np.testing.assert_array_equal(np.signbit(result[fine]), np.signbit(expected[fine]))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint32, np.uint64], ids=name)
def test_remainders_and_quotients_of_ints_are_numpys(dtype):
    info = np.iinfo(dtype)
    random = np.random.default_rng(1)
    ends = np.array([info.min, info.max, 0, 1, info.max - 1, 7, 3], dtype)
    if info.min:
        ends = np.concatenate([ends, np.array([-1, -7, -3], dtype)])
    x, y = (g.ravel() for g in np.meshgrid(ends, ends))
    free = [random.integers(max(info.min, -1000), min(info.max, 1000), 500).astype(dtype) for _ in range(2)]
    x, y = np.concatenate([x, free[0]]), np.concatenate([y, free[1]])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(apply(vm.floor_mod, x, y), np.mod(x, y))
        np.testing.assert_array_equal(apply(vm.floor_divide, x, y), np.floor_divide(x, y))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8], ids=name)
def test_maximum_and_minimum(dtype, machine):
    if np.dtype(dtype).kind == "f":
        x, y = pairs(dtype)
    else:
        x, y = np.random.default_rng(2).integers(0, 200, (2, 500)).astype(dtype) - dtype(0)
    np.testing.assert_array_equal(apply(vm.maximum, x, y, machine=machine), np.maximum(x, y))
    np.testing.assert_array_equal(apply(vm.minimum, x, y, machine=machine), np.minimum(x, y))


def test_sign_and_size_of_ints():
    x = np.array([-128, -127, -1, 0, 1, 127], np.int8)
    np.testing.assert_array_equal(apply(vm.sign, x), np.sign(x))
    np.testing.assert_array_equal(apply(vm.absolute, x), np.abs(x))
    unsigned = np.array([0, 1, 255], np.uint8)
    np.testing.assert_array_equal(apply(vm.sign, unsigned), np.sign(unsigned))
    np.testing.assert_array_equal(apply(vm.absolute, unsigned), unsigned)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.bool_], ids=name)
def test_logic(dtype):
    x, y = (g.ravel().astype(dtype) for g in np.meshgrid([0, 1, 2], [0, 1, 2]))
    np.testing.assert_array_equal(apply(vm.logical_and, x, y), np.logical_and(x, y))
    np.testing.assert_array_equal(apply(vm.logical_or, x, y), np.logical_or(x, y))
    np.testing.assert_array_equal(apply(vm.logical_not, x), np.logical_not(x))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
def test_floats_become_ints_toward_zero(dtype, machine):
    x = np.array([0.0, -0.0, 0.9, -0.9, 1.5, -1.5, 100.7, -100.7, 127.0, -128.0], dtype)
    for kind, expected in ((I8, np.int8), (I32, np.int32), (I64, np.int64)):

        def convert(b, v, kind=kind):
            return vm.to_integer(b, v, kind)

        np.testing.assert_array_equal(apply(convert, x, machine=machine), x.astype(expected))
    np.testing.assert_array_equal(apply(lambda b, v: b.cast(v, I1), x, machine=machine), x.astype(bool))
