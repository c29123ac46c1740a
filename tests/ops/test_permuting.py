"""reverse, roll, reverse_sequence, invert_permutation."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.permuting import invert_permutation, reverse, reverse_sequence, roll
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("axes", [[0], [1], [-1], [0, 1], []])
def test_reverse_is_flip(axes):
    np.testing.assert_array_equal(reverse(A, axes).numpy(), np.flip(A, axes))
    check_gradients(lambda x: reverse(x, axes), A)


def test_reverse_refuses():
    for axis, text in (
        ([0, 0], "more than once"),
        ([2], r"\[0\] = 2 is out of valid range"),
        (0, "vector"),
        ([0.0], "Tidx"),
    ):
        with pytest.raises(INVALID, match=text):
            reverse(A, axis)
    assert reverse(["a", "b"], [0]).numpy().tolist() == [b"b", b"a"]


@pytest.mark.parametrize(("shift", "axis"), [(1, 0), (-4, 1), (7, -1), ([1, -2], [0, 1]), ([1, 1], [0, 0])])
def test_roll_is_numpys(shift, axis):
    np.testing.assert_array_equal(roll(A, shift, axis).numpy(), np.roll(A, shift, axis))
    check_gradients(lambda x: roll(x, shift, axis), A)


def test_roll_refuses():
    for arguments, text in (
        ((A, 1, 2), "axis 2 is out of range"),
        ((A, [1, 2], 0), "same size"),
        ((A, 1.5, 0), "Tshift"),
        ((3, 1, 0), "1-D or higher"),
    ):
        with pytest.raises(INVALID, match=text):
            roll(*arguments)
    with pytest.raises(ValueError, match="None"):
        roll(A, 1, None)


def test_reverse_sequence():
    x = [[1, 2, 3], [4, 5, 6]]
    assert reverse_sequence(x, [2, 3], seq_axis=1).numpy().tolist() == [[2, 1, 3], [6, 5, 4]]
    assert reverse_sequence(x, [1, 2, 1], seq_axis=0, batch_axis=1).numpy().tolist() == [[1, 5, 3], [4, 2, 6]]
    check_gradients(lambda x: reverse_sequence(x, [0, 2], seq_axis=1), A)


@pytest.mark.parametrize(
    ("lengths", "options", "error", "text"),
    [
        ([2, 4], {"seq_axis": 1}, INVALID, r"seq_lens\(1\) = 4"),
        ([2, -1], {"seq_axis": 1}, INVALID, r"seq_lens\(1\) = -1"),
        ([2], {"seq_axis": 1}, INVALID, "one for each example"),
        ([2, 3], {"seq_axis": 0}, INVALID, "batch_dim == seq_dim == 0"),
        ([2, 3], {"seq_axis": 2}, INVALID, "seq_dim must be < input rank"),
        ([2, 3], {"seq_axis": -1}, INVALID, "Invalid seq_dim -1"),
        ([2.0, 1.0], {"seq_axis": 1}, INVALID, "Tlen"),
        ([2, 3], {}, TypeError, "seq_axis"),
    ],
)
def test_reverse_sequence_refuses(lengths, options, error, text):
    with pytest.raises(error, match=text):
        reverse_sequence(A, lengths, **options)


def test_invert_permutation():
    assert invert_permutation([2, 0, 1]).numpy().tolist() == [1, 2, 0]
    for x, text in (
        ([2, 0, 0], "0 is duplicated"),
        ([3, 0, 1], "3 is not between"),
        ([[0]], "1D"),
        ([1.0, 0.0], "attr 'T'"),
    ):
        with pytest.raises(INVALID, match=text):
            invert_permutation(x)
