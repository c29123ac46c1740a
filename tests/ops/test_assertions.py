"""`tf.debugging`: what holds passes, what does not raises TensorFlow's class of error and names the values."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tapeflow import debugging
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core.convert import constant
from tapeflow.core.errors import InvalidArgumentError
from tapeflow.core.indexed_slices import IndexedSlices
from tapeflow.core.shapes import TensorShape
from tapeflow.core.variable import Variable
from tapeflow.ops.arithmetic import multiply
from tapeflow.ops.elementary import sqrt

nan, inf = np.nan, np.inf


def ones(*shape):
    return constant(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("assert_equal", ([1, 2], [1, 2])),
        ("assert_equal", ([], [1.0])),
        ("assert_equal", (["a", "b"], "b")[:1] * 2),
        ("assert_equal", (Variable(1.0), 1.0)),
        ("assert_none_equal", ([1, 2], [2, 1])),
        ("assert_less", (1, [2, 3])),
        ("assert_less_equal", ([2, 1], 2)),
        ("assert_greater", ([3, 2], 1)),
        ("assert_greater_equal", ([3, 1], 1)),
        ("assert_near", ([1.0, 2.0], [1.0, 2.0000001])),
        ("assert_near", (1.0, 1.0 + 2.3e-6)),
        ("assert_near", (0.0, 1.19e-6)),
        ("assert_near", (1.0, 1.1, 0.2)),
        ("assert_near", (1.0, 2, 0, 2)),
        ("assert_near", ([1 + 1j], [1 + 1j])),
        ("assert_near", (np.float16(1), np.float16(1.01))),
        ("assert_near", ([], [])),
        ("assert_positive", ([1.0, 2.0],)),
        ("assert_positive", ([],)),
        ("assert_negative", ([-1],)),
        ("assert_non_negative", ([1, 0],)),
        ("assert_non_positive", ([-1, 0],)),
        ("assert_rank", ([1, 2], 1)),
        ("assert_rank", (Variable([1.0]), constant(1))),
        ("assert_rank_at_least", ([[1]], 0)),
        ("assert_rank_in", ([1, 2], (1, 2))),
        ("assert_scalar", (1,)),
        ("assert_type", (1.0, "float32")),
        ("assert_type", (Variable(1), "int32")),
        ("assert_integer", (np.uint8(1),)),
        ("assert_proper_iterable", ([1],)),
        ("assert_proper_iterable", ({"a": 1},)),
        ("assert_proper_iterable", ((i for i in [1]),)),
        ("Assert", (True, [])),
        ("Assert", (1.0, ["x"])),
        ("Assert", ([True, False], [1])),
        ("Assert", (constant(True), [1])),
    ],
)
def test_what_holds(call, arguments):
    assert getattr(debugging, call)(*arguments) is None


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        ("assert_equal", (1, 2), ["x == y", "[1]", "[2]", "1 of 1"]),
        ("assert_equal", ([1, 2, 3], [1, 2, 4]), ["x == y", "[[2]]", "[3]", "[4]", "1 of 3", "[1 2 3]", "[1 2 4]"]),
        ("assert_equal", ([1.0, 2.0], [nan, 2.0]), ["[nan  2.]"]),
        ("assert_equal", ([1, 2], [[1, 2], [1, 3]]), ["1 of 4", "x (shape=(2,))", "y (shape=(2, 2))"]),
        ("assert_equal", (["a"], ["b"]), ["b'a'", "b'b'"]),
        ("assert_equal", (1, 2, "hey"), ["hey\nCondition"]),
        ("assert_equal", ([1, 2], [1, 2, 3]), ["Incompatible shapes: [2] vs. [3]", "Equal"]),
        ("assert_equal", ([1, 2], 1.5), ["int32", "float", "Equal"]),
        ("assert_none_equal", ([1, 2], [2, 2], 3, "m"), ["m\n", "x != y", "[[1]]"]),
        ("assert_less", ([1, 2], [2, 2]), ["x < y", "[[1]]"]),
        ("assert_less", ("a", "b"), ["string"]),
        ("assert_less_equal", ([3, 2], [2, 2]), ["x <= y", "[[0]]"]),
        ("assert_greater", ([3, 2], [2, 2]), ["x > y", "[[1]]"]),
        ("assert_greater_equal", ([1, 2], [2, 2]), ["x >= y", "[[0]]"]),
        ("assert_near", (1.0, 1.1), ["1.192", "[1.]", "[1.1]"]),
        ("assert_near", (1.0, 1.0 + 2.5e-6), ["x - y"]),
        ("assert_near", (0.0, 1.2e-6), ["x - y"]),
        ("assert_near", (0.0, 0.0, 0.0, 0.0), ["rtol = 0.0"]),
        ("assert_near", ([1.0, nan], [1.0, nan]), ["nan"]),
        ("assert_near", ([1.0, inf], [1.0, inf]), ["inf"]),
        ("assert_near", (ones(2), ones(3)), ["Incompatible shapes"]),
        ("assert_positive", ([1, 0, -1],), ["x > 0", "[ 0 -1]", "2 of 3"]),
        ("assert_positive", ([nan],), ["nan"]),
        ("assert_negative", ([1, 0, -1], "q"), ["q\n", "x < 0"]),
        ("assert_non_negative", (np.int8(-1),), ["x >= 0", "[-1]"]),
        ("assert_non_positive", ([1, 0, -1],), ["x <= 0", "[[0]]"]),
        ("Assert", (False, [1, "a", [1, 2, 3, 4, 5]]), ["1\nb'a'\n1, 2, 3, ..."]),
        ("Assert", (False, [[1, 2, 3, 4]], -1), ["1, 2, 3, 4"]),
        ("Assert", (constant(0), ["x"]), ["Expected '0' to be true", "b'x'"]),
        ("Assert", ([], ["x"]), ["to be true"]),
        ("assert_all_finite", ([1.0, nan], "msg"), ["msg : Tensor had NaN values"]),
        ("check_numerics", ([1.0, -inf], "msg"), ["msg : Tensor had Inf values"]),
        ("check_numerics", ([-inf, nan], "msg"), ["Inf and NaN"]),
        ("check_numerics", (constant(nan, "bfloat16"), "x"), ["x : Tensor had NaN"]),
        ("check_numerics", (1, "msg"), ["int32"]),
        ("check_numerics", (1j, "msg"), ["complex128"]),
    ],
)
def test_what_does_not_hold_for_the_values(call, arguments, words):
    with pytest.raises(InvalidArgumentError) as caught:
        getattr(debugging, call)(*arguments)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("call", "arguments", "error", "words"),
    [
        ("assert_rank", ([1, 2], 2, "q"), ValueError, "q\nTensor must have rank 2. Received rank 1, shape (2,)"),
        ("assert_rank", ([1, 2], [2]), ValueError, "Rank must be a scalar"),
        ("assert_rank", ([1, 2], 1.5), TypeError, "tf.int32; got tf.float32"),
        ("assert_rank", ([1, 2], np.int64(1)), TypeError, "tf.int32; got tf.int64"),
        ("assert_rank", ([1, 2], None), ValueError, "None"),
        ("assert_rank_at_least", ([1, 2], 2), ValueError, "rank at least 2. Received rank 1"),
        ("assert_rank_in", ([1, 2], [0, 2]), ValueError, "rank in (0, 2). Received rank 1"),
        ("assert_rank_in", ([1], []), ValueError, "rank in ()"),
        ("assert_rank_in", ([1], 3), TypeError, "iterable"),
        ("assert_scalar", ([1], "s"), ValueError, "s\nExpected scalar shape, saw shape: (1,)"),
        ("assert_type", (constant(1.0), "int32", "m"), TypeError, "m\ntensor must be of type tf.int32; got tf.float32"),
        ("assert_type", (1, None), TypeError, "None"),
        ("assert_integer", (1.0,), TypeError, "float32"),
        ("assert_integer", (True,), TypeError, "bool"),
        ("assert_near", (1, 1), ValueError, "int32"),
        ("assert_near", (1.0, constant(1.0, "float64")), ValueError, "float64"),
        ("assert_near", (1.0, 1.0, "a"), TypeError, "'a'"),
        ("assert_positive", ("a",), TypeError, "string"),
        ("assert_positive", (True,), TypeError, "bool"),
        ("assert_equal", (None, 1), ValueError, "None"),
        ("assert_equal", (1, 1, None, "a"), TypeError, "str"),
        ("assert_proper_iterable", (ones(2),), TypeError, "Tensor"),
        ("assert_proper_iterable", ("abc",), TypeError, "str"),
        ("assert_proper_iterable", (np.ones(3),), TypeError, "ndarray"),
        ("assert_proper_iterable", (5,), TypeError, "int"),
        ("assert_proper_iterable", (IndexedSlices(ones(1), constant([0])),), TypeError, "IndexedSlices"),
        ("Assert", (False, None), TypeError, "sequence"),
        ("Assert", (False, constant([1])), TypeError, "sequence"),
        ("check_numerics", ([1.0], 5), TypeError, "5"),
    ],
)
def test_what_cannot_be(call, arguments, error, words):
    with pytest.raises(error, match=re.escape(words)):
        getattr(debugging, call)(*arguments)


def test_how_much_is_shown():
    x, y = np.zeros(1000), np.ones(1000)
    with pytest.raises(InvalidArgumentError) as caught:
        debugging.assert_equal(x, y, summarize=2)
    assert "[0. 0.]" in str(caught.value) and "[0. 0. 0.]" not in str(caught.value)
    with pytest.raises(InvalidArgumentError) as caught:
        debugging.assert_equal(x, y, summarize=0)
    assert str(caught.value) == "Condition x == y did not hold.\nViolated by 1000 of 1000 elements."
    with pytest.raises(InvalidArgumentError, match="999"):
        debugging.assert_equal(x, y, summarize=-1)


@given(hnp.arrays(np.int32, hnp.array_shapes(max_dims=3, max_side=3), elements=st.integers(-2, 2)), st.integers(-2, 2))
def test_comparisons_hold_where_numpy_says_so(x, y):
    for call, holds in (
        (debugging.assert_equal, x == y),
        (debugging.assert_none_equal, x != y),
        (debugging.assert_less, x < y),
        (debugging.assert_less_equal, x <= y),
        (debugging.assert_greater, x > y),
        (debugging.assert_greater_equal, x >= y),
    ):
        if holds.all():
            call(x, y)
        else:
            with pytest.raises(InvalidArgumentError) as caught:
                call(x, y, summarize=1)
            first = np.argwhere(~holds)[0]
            assert f"[{first}]" in str(caught.value) and f"[{x[tuple(first)]}]" in str(caught.value)


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        {},
        [(ones(2, 3), ("N", "D")), (ones(3), ("D",)), (ones(), ())],
        [(ones(2, 3), "ND"), (ones(3, 2), "DN")],
        [(ones(2, 3), (2, None))],
        [(ones(2, 3), "..")],
        [(ones(2, 3), "23")],
        [(ones(2, 3, 4), (..., "N")), (ones(4), "N")],
        [(ones(2, 3), ("*", 3)), (ones(5, 2, 3), ("*", 2, 3))],
        [(ones(1), ())],
        [(ones(), ("N",)), (ones(1), ("N",))],
        [(ones(), (1,))],
        [(ones(2), None)],
        [([1, 2], TensorShape([2])), (Variable([1.0]), np.array([1]))],
        {"text": ()},
    ],
)
def test_shapes_that_hold(shapes):
    assert debugging.assert_shapes(shapes) is None


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(ones(2, 3), ("N", "D")), (ones(3, 3), ("N", 3))], "Size 3 at dimension 0 of tensor 1, where 2"),
        ([(ones(2, 3), ("N", "N"))], "Size 3 at dimension 1 of tensor 0, where 2"),
        ([(ones(2, 3), (2, 4))], "Size 3 at dimension 1 of tensor 0, where 4 was specified (given explicitly)"),
        ([(ones(2, 3), (2, -1))], "where -1"),
        ([(ones(2, 3), (..., 4))], "where 4"),
        ([(ones(2, 3), "32")], "where 3"),
        ([(ones(2, 3), (2,))], "must have rank 0 or 1. Received rank 2"),
        ([(ones(1), ("a", "b"))], "must have rank 2. Received rank 1"),
        ([(ones(2), ())], "where 1"),
        ([(ones(), (2,))], "Size 1 at dimension 0 of tensor 0, where 2"),
        ([(ones(2), ("N",)), (ones(), ("N",))], "'N' is the size of dimension 0 of tensor 0"),
        ([(ones(2), ("*", 1, 2, 3))], "rank at least 3"),
        ([(ones(2, 3), ("x", ...))], "only allowed as the first entry"),
        ([(ones(2, 2), "a*")], "only allowed as the first entry"),
        ([(ones(4), 4)], "must be an iterable"),
        ([(ones(2), "x", 3)], "unpack"),
    ],
)
def test_shapes_that_do_not(shapes, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        debugging.assert_shapes(shapes, message=None)


def test_the_same_floating_dtype():
    same = debugging.assert_same_float_dtype
    assert same() == same([]) == "float32"
    assert same(dtype="float16") == "float16"
    assert same([None, constant(1.0, "float64")]) == same(constant([1.0], "float64")) == "float64"
    for arguments in (
        ([constant(1.0), constant(2.0, "float64")],),
        ([constant(1.0)], "float64"),
        ([constant(1)],),
        ([constant(1)], "float32"),
        ([constant(1j)],),
        (None, "int32"),
    ):
        with pytest.raises(ValueError):
            same(*arguments)


def test_tensors_of_numbers():
    assert debugging.is_numeric_tensor(constant(1)) and debugging.is_numeric_tensor(constant(1j))
    for other in (constant(True), constant("a"), 1, Variable(1.0), np.ones(1)):
        assert not debugging.is_numeric_tensor(other)


def test_checked_numbers_pass_their_gradient_on_checked():
    x = Variable([1.0, 4.0])
    with GradientTape(persistent=True) as tape:
        checked = debugging.assert_all_finite(debugging.check_numerics(multiply(x, x), "first"), "second")
        root = sqrt(debugging.check_numerics(multiply(x, 0.0), "at zero"))
    np.testing.assert_array_equal(checked.numpy(), [1.0, 16.0])
    np.testing.assert_array_equal(tape.gradient(checked, x).numpy(), [2.0, 8.0])
    with pytest.raises(InvalidArgumentError, match="gradient.*at zero : Tensor had Inf"):
        tape.gradient(root, x)


def test_the_checked_gradient_has_a_gradient():
    x = Variable(3.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = debugging.check_numerics(multiply(multiply(x, x), x), "m")
        first = inner.gradient(y, x)
    assert first.numpy() == 27.0 and outer.gradient(first, x).numpy() == 18.0


def test_names_that_are_not_there():
    with pytest.raises(AttributeError):
        debugging.assert_nonsense
