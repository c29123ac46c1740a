"""Casting: every pair of numeric dtypes, TensorFlow's answers where a value does not fit, bits, gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.indexed_slices import IndexedSlices
from tapeflow.core.variable import Variable
from tapeflow.ops import casting as ops
from tapeflow.ops import complex_numbers, operators, selection  # noqa: F401 - rules find their ops by name

NAN = float("nan")
NUMBERS = [
    *("bfloat16", "float16", "float32", "float64", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
]


@pytest.mark.parametrize("to", NUMBERS)
@pytest.mark.parametrize("of", NUMBERS)
def test_small_numbers_survive_every_cast(of, to):
    x = ops.cast(constant([0, 1, 5]), of)
    got = ops.cast(x, to)
    assert got.dtype == to
    wanted = [0, 1, 1] if "bool" in (of, to) else [0, 1, 5]
    assert got.numpy().astype("complex128").tolist() == wanted
    assert ops.cast(ops.cast(constant(1), of), to).shape == []


def test_what_does_not_fit():
    # recorded from TensorFlow on x86
    low = {"int32": -(2**31), "int64": -(2**63)}
    for x, of, to, wanted in [
        ([1.7, -1.7, NAN, float("inf"), 3e9], "float32", "int32", [1, -1, *[low["int32"]] * 3]),
        ([1.5, -1.5, 1e20, -1e20], "float32", "int64", [1, -1, low["int64"], low["int64"]]),
        ([1.5, -1.5, 1e10, NAN], "float32", "int8", [1, -1, 0, 0]),
        ([-1.5, 300.0], "float32", "uint8", [255, 44]),
        ([3e9], "float32", "uint32", [3_000_000_000]),
        ([1e19, 2e19, -1.0], "float64", "uint64", [10**19, 2**63, 2**64 - 1]),
        ([300, -1], "int32", "uint8", [44, 255]),
        ([0.0, 0.5, NAN], "float32", "bool", [False, True, True]),
        ([1j, 0j, 1], "complex128", "bool", [False, False, True]),
        ([1.5 + 2j], "complex128", "float32", [1.5]),
    ]:
        assert ops.cast(constant(x, of), to).numpy().tolist() == wanted


def test_cast_takes_what_can_be_a_tensor():
    assert ops.cast(1.7, "int32").numpy() == 1
    assert ops.cast(Variable(1.5), "int32").numpy() == 1
    assert ops.cast([1, 2], float).dtype == "float32"
    x = constant([1.0])
    assert ops.cast(x, "float32") is x
    assert ops.cast(["a"], "string").numpy().tolist() == [b"a"]
    slices = ops.cast(IndexedSlices(constant([[1.5]]), constant([0])), "int32")
    assert slices.values.numpy().tolist() == [[1]]


def test_cast_refuses():
    for x, to in [("1", "float32"), ([1.0], "string")]:
        with pytest.raises(errors.UnimplementedError, match=r"is not supported; tf\.strings"):
            ops.cast(x, to)
    with pytest.raises(TypeError):
        ops.cast(1.0, "nonsense")
    with pytest.raises(ValueError):
        ops.cast(None, "float32")


def test_gradients_pass_between_floats_and_stop_at_integers():
    x = constant([1.5, 2.5])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        half = ops.cast(x, "float16")
        whole = ops.cast(ops.cast(x, "int32"), "float32")
        kept = ops.cast(ops.cast(x, "complex64"), "float64")
    gradient = tape.gradient(half, x)
    assert (gradient.dtype, gradient.numpy().tolist()) == ("float32", [1.0, 1.0])
    assert tape.gradient(whole, x) is None
    assert tape.gradient(kept, x).numpy().tolist() == [1.0, 1.0]


# -- without overflow --------------------------------------------------------------------------------------------------


def test_saturate_cast():
    for x, of, to, wanted in [
        ([-1.0, 300.0, NAN, float("inf")], "float32", "uint8", [0, 255, 0, 255]),
        ([-1, 300], "int32", "int8", [-1, 127]),
        ([1e10, -1e10], "float32", "int32", [2**31 - 128, -(2**31)]),
        ([1e20, -1e20], "float32", "int64", [2**63 - 2**39, -(2**63)]),
        ([1e20, -1e20], "float32", "float16", [65504.0, -65504.0]),
        ([-1], "int64", "uint64", [0]),
        ([2**63], "uint64", "int64", [2**63 - 1]),
        ([1e20 + 3j], "complex128", "float16", [65504.0]),
        ([1e300 - 1e300j], "complex128", "complex64", [complex(3.4028234663852886e38, -3.4028234663852886e38)]),
        ([1.5], "float32", "complex64", [1.5]),
    ]:
        got = ops.saturate_cast(constant(x, of), to)
        assert got.dtype == to
        assert got.numpy().tolist() == wanted
    for x, to in [(constant([True]), "uint8"), (constant([1.5]), "bool"), ("a", "int32")]:
        with pytest.raises(TypeError):
            ops.saturate_cast(x, to)


@given(st.floats(width=32, allow_nan=False), st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32"]))
def test_saturate_cast_is_the_nearest_that_fits(x, dtype):
    limits = np.iinfo(dtype)
    got = int(ops.saturate_cast(np.float32(x), dtype).numpy())
    wanted = int(np.clip(np.trunc(np.float64(x)), limits.min, limits.max))
    assert got == wanted or (abs(x) >= limits.max and 0 <= wanted - got < 2**9)  # the last float32 below the limit


def test_gradient_of_saturate_cast():
    x = constant([1.0, 1e9])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.saturate_cast(x, "float16")
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 0.0]


# -- bits --------------------------------------------------------------------------------------------------------------


def test_bitcast():
    assert ops.bitcast(constant(1.0), "int32").numpy() == 0x3F800000
    assert ops.bitcast(constant([1.0, 2.0]), "uint8").numpy().tolist() == [[0, 0, 128, 63], [0, 0, 0, 64]]
    assert ops.bitcast(constant([1, 2], "uint16"), "int32").numpy() == 0x20001
    assert ops.bitcast(constant([1.0, 2.0]), "complex64").numpy() == 1 + 2j
    assert ops.bitcast(constant([1.0], "bfloat16"), "int16").numpy().tolist() == [0x3F80]


@pytest.mark.parametrize(
    ("x", "dtype", "to"),
    [([1, 2, 3], "uint16", "int32"), (1, "uint16", "int32"), ([True], "bool", "uint8"), ([1], "uint8", "bool")],
)
def test_bitcast_refuses(x, dtype, to):
    with pytest.raises(errors.InvalidArgumentError, match=r"\[Op:Bitcast\]"):
        ops.bitcast(constant(x, dtype), to)
