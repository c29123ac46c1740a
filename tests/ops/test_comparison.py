"""Comparisons, logic and bits: values, what `==` gives for odd operands, dtypes refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.ops import comparison as ops

NAN = float("nan")


def test_order():
    x, y = [1.0, 2.0, 3.0, NAN], [[2.0]]
    assert ops.less(x, y).numpy().tolist() == [[True, False, False, False]]
    assert ops.less_equal(x, y).numpy().tolist() == [[True, True, False, False]]
    assert ops.greater(x, y).numpy().tolist() == [[False, False, True, False]]
    assert ops.greater_equal(x, y).numpy().tolist() == [[False, True, True, False]]
    assert ops.less(1, 2).dtype == "bool"


def test_equality_of_all_kinds():
    assert ops.equal([1.0, NAN], [1.0, NAN]).numpy().tolist() == [True, False]
    assert ops.not_equal([1.0, NAN], [1.0, NAN]).numpy().tolist() == [False, True]
    assert ops.equal([1 + 1j, 2], [1 + 1j, 2j]).numpy().tolist() == [True, False]
    assert ops.equal([True, False], True).numpy().tolist() == [True, False]
    assert ops.equal(["a", "b"], "a").numpy().tolist() == [True, False]
    assert bool(ops.equal("a", b"a"))
    assert ops.equal(constant([1.5], "bfloat16"), constant([1.5], "bfloat16")).numpy().tolist() == [True]


def test_the_operators_give_an_answer_where_the_functions_refuse():
    x, y = constant([1, 2]), constant([1, 2, 3])
    assert ops.tensor_equals(x, None) is False
    assert ops.tensor_not_equals(x, None) is True
    assert ops.tensor_equals(x, y).numpy() == np.bool_(False)
    assert ops.tensor_not_equals(x, y).numpy() == np.bool_(True)
    assert ops.tensor_equals(x, [1, 3]).numpy().tolist() == [True, False]
    for op in (ops.equal, ops.not_equal):
        with pytest.raises(errors.InvalidArgumentError, match=r"Incompatible shapes: \[2\] vs. \[3\]"):
            op(x, y)
        with pytest.raises(ValueError):
            op(x, None)
    with pytest.raises(errors.InvalidArgumentError, match="expected to be a int32 tensor but is a float tensor"):
        ops.tensor_equals(x, constant([1.0, 2.0]))


@pytest.mark.parametrize("x", [True, "a", 1j])
def test_what_has_no_order(x):
    for op in (ops.less, ops.less_equal, ops.greater, ops.greater_equal):
        with pytest.raises(errors.InvalidArgumentError, match="not in the list of allowed values"):
            op(x, x)


def test_logic():
    x, y = [True, True, False, False], [True, False, True, False]
    assert ops.logical_and(x, y).numpy().tolist() == [True, False, False, False]
    assert ops.logical_or(x, y).numpy().tolist() == [True, True, True, False]
    assert ops.logical_xor(x, y).numpy().tolist() == [False, True, True, False]
    assert ops.logical_not(x).numpy().tolist() == [False, False, True, True]
    with pytest.raises(errors.InvalidArgumentError):
        ops.logical_not(constant(1))


@given(st.integers(0, 255), st.integers(0, 255))
def test_bits_are_pythons(x, y):
    a, b = constant(x, "uint8"), constant(y, "uint8")
    assert ops.bitwise_and(a, b).numpy() == x & y
    assert ops.bitwise_or(a, b).numpy() == x | y
    assert ops.bitwise_xor(a, b).numpy() == x ^ y
    assert ops.invert(a).numpy() == 255 - x


def test_shifts_stop_at_the_last_bit():
    # recorded from TensorFlow
    assert ops.left_shift([1, 1, -1, 1], [31, 32, 1, -1]).numpy().tolist() == [-(2**31), -(2**31), -2, 1]
    assert ops.right_shift([-8, -8, 8, 8], [1, 40, 40, -1]).numpy().tolist() == [-4, -1, 0, 8]
    ones, by = constant([1, 1, 1], "uint8"), constant([7, 8, 200], "uint8")
    assert ops.left_shift(ones, by).numpy().tolist() == [128, 128, 128]
    with pytest.raises(errors.InvalidArgumentError):
        ops.left_shift(1.0, 1.0)


def test_what_a_float_is():
    x = [1.0, NAN, float("inf"), -float("inf")]
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        given = constant(x, dtype)
        assert ops.is_nan(given).numpy().tolist() == [False, True, False, False]
        assert ops.is_inf(given).numpy().tolist() == [False, False, True, True]
        assert ops.is_finite(given).numpy().tolist() == [True, False, False, False]
    with pytest.raises(errors.InvalidArgumentError):
        ops.is_nan(1)
