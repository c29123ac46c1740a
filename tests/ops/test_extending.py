"""tile, repeat and pad."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.extending import pad, repeat, tile
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("multiples", [[1, 1], [2, 1], [2, 3], [0, 1], tf.constant([1, 2], tf.int64)])
def test_tile_is_numpys(multiples):
    np.testing.assert_array_equal(tile(A, multiples).numpy(), np.tile(A, np.asarray(multiples)))


def test_tile_refuses():
    for multiples, text in (
        ([1, 2], "length 1 but got length 2"),
        ([-1], ">= 0, but got -1"),
        (2, "1-D"),
        ([1.5], "Tmultiples"),
    ):
        with pytest.raises(INVALID, match=text):
            tile([1, 2], multiples)
    assert tile(3, []).numpy() == 3


@pytest.mark.parametrize(
    ("repeats", "axis"), [(2, None), (2, 0), (3, 1), ([1, 2], 0), ([0, 2, 1], -1), ([2], 1), (0, 0)]
)
def test_repeat_is_numpys(repeats, axis):
    np.testing.assert_array_equal(repeat(A, repeats, axis).numpy(), np.repeat(A, repeats, axis))
    check_gradients(lambda x: repeat(x, repeats, axis), A)


def test_the_gradient_of_repeat_is_dense():
    x = tf.constant(A)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = repeat(x, [1, 3], axis=0)
    assert tape.gradient(y, x).numpy().tolist() == [[1.0] * 3, [3.0] * 3]


@pytest.mark.parametrize(
    ("repeats", "axis", "error", "text"),
    [
        (-1, None, INVALID, ">= 0"),
        ([[1, 2]], None, ValueError, "rank at most 1"),
        (1.5, None, TypeError, "integer"),
        (2, 2, ValueError, "axis=2 out of bounds"),
        ([1, 2, 3], 0, ValueError, "Dimensions 2 and 3"),
    ],
)
def test_repeat_refuses(repeats, axis, error, text):
    with pytest.raises(error, match=text):
        repeat(A, repeats, axis)


@pytest.mark.parametrize("mode", ["CONSTANT", "reflect", "Symmetric"])
@pytest.mark.parametrize("paddings", [[[0, 0], [0, 0]], [[1, 0], [0, 2]], [[1, 1], [2, 1]]])
def test_pad_is_numpys(mode, paddings):
    np.testing.assert_array_equal(pad(A, paddings, mode).numpy(), np.pad(A, paddings, mode.lower()))
    check_gradients(lambda x: pad(x, paddings, mode), A)


def test_pad_with_a_constant():
    assert pad([1.0], [[1, 1]], constant_values=7).numpy().tolist() == [7.0, 1.0, 7.0]
    assert pad([1], tf.constant([[0, 1]]), constant_values=tf.constant(7)).numpy().tolist() == [1, 7]
    assert pad(["a"], [[1, 0]]).numpy().tolist() == [b"", b"a"]
    assert pad(["a"], [[1, 0]], constant_values="z").numpy().tolist() == [b"z", b"a"]
    assert pad([True], [[1, 0]]).numpy().tolist() == [False, True]


@pytest.mark.parametrize(
    ("paddings", "options", "error", "text"),
    [
        ([[1, -1]], {}, INVALID, "non-negative: 1 -1"),
        ([[1, 2]], {"mode": "REFLECT"}, INVALID, "less than the dimension size: 1, 2 not less than 2"),
        ([[3, 0]], {"mode": "SYMMETRIC"}, INVALID, "no greater than the dimension size: 3, 0"),
        ([1, 1], {}, INVALID, r"2 columns: \[2\]"),
        ([[1, 1], [1, 1]], {}, INVALID, "rank of inputs"),
        ([[1.0, 1.0]], {}, INVALID, "Tpaddings"),
        ([[1, 1]], {"mode": "EDGE"}, ValueError, "Received `mode` = EDGE"),
        ([[1, 1]], {"constant_values": 7.5}, TypeError, "7.5"),
        ([[1, 1]], {"constant_values": [1, 2]}, INVALID, "must be a scalar"),
        ([[1, 1]], {"constant_values": None}, ValueError, "None"),
    ],
)
def test_pad_refuses(paddings, options, error, text):
    with pytest.raises(error, match=text):
        pad([1, 2], paddings, **options)
