"""Diagonals and bands of matrices."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.diagonals import band_part, diag, diag_part, set_diag, tensor_diag, tensor_diag_part
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.array([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("options", "want"),
    [
        ({}, [1, 5]),
        ({"k": 1}, [2, 6]),
        ({"k": -1}, [4]),
        ({"k": (-1, 1)}, [[2, 6], [1, 5], [4, 0]]),
        ({"k": (-1, 1), "align": "LEFT_LEFT", "padding_value": 7}, [[2, 6], [1, 5], [4, 7]]),
        ({"k": (-1, 2)}, [[0, 3], [2, 6], [1, 5], [4, 0]]),
        ({"k": (-1, 2), "align": "LEFT_RIGHT"}, [[3, 0], [2, 6], [1, 5], [0, 4]]),
    ],
)
def test_diag_part_and_set_diag(options, want):
    assert diag_part(A, **options).numpy().tolist() == want
    options = {key: value for key, value in options.items() if key != "padding_value"}
    np.testing.assert_array_equal(set_diag(A, want, **options).numpy(), A)
    check_gradients(lambda x: diag_part(x, **options), A.astype(float))
    check_gradients(lambda x, d: set_diag(x, d, **options), A.astype(float), np.array(want, float))


def test_diag():
    assert diag([1, 2]).numpy().tolist() == [[1, 0], [0, 2]]
    np.testing.assert_array_equal(diag([[1, 2], [3, 4]], k=1).numpy(), [np.diag([1, 2], 1), np.diag([3, 4], 1)])
    assert diag([[0, 2], [3, 4]], k=(0, 1)).numpy().tolist() == [[3, 2], [0, 4]]
    assert diag([1, 2], k=-1, num_rows=3, num_cols=2, padding_value=9).numpy().tolist() == [[9, 9], [1, 9], [9, 2]]
    check_gradients(lambda x: diag(x, k=(-1, 0)), np.array([[1.0, 2.0], [3.0, 0.0]]))


def test_tensor_diag():
    assert tensor_diag([1, 2]).numpy().tolist() == [[1, 0], [0, 2]]
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(tensor_diag_part(tensor_diag(x)).numpy(), x)
    assert tensor_diag(x).shape == (2, 3, 2, 3)
    check_gradients(tensor_diag, x)


def test_band_part():
    x = np.arange(1.0, 10.0).reshape(3, 3)
    np.testing.assert_array_equal(band_part(x, 1, 0).numpy(), np.tril(x) - np.tril(x, -2))
    np.testing.assert_array_equal(band_part(x, -1, 0).numpy(), np.tril(x))
    np.testing.assert_array_equal(band_part(x[:2], 0, -1).numpy(), np.triu(x[:2]))
    check_gradients(lambda x: band_part(x, 1, 1), x)


@pytest.mark.parametrize(
    ("function", "arguments", "options", "text"),
    [
        (diag_part, (A,), {"k": 5}, "out of bound: 5. It must be between -2 and 3"),
        (diag_part, (A,), {"k": (1, 0)}, "must not be larger"),
        (diag_part, ([1, 2],), {}, "at least 2-dim"),
        (diag_part, (A,), {"align": "LEFT"}, "align"),
        (diag, ([1, 2],), {"k": -1, "num_rows": 4, "num_cols": 3}, "not consistent"),
        (diag, ([[1, 2]],), {"k": (0, 1)}, "number of diagonals"),
        (set_diag, (A, [8]), {}, r"have shape \[2\], not \[1\]"),
        (band_part, (A, 5, 0), {}, r"number of rows \(2\) got: 5"),
        (tensor_diag, (1,), {}, "rank 1"),
        (tensor_diag_part, (A,), {}, "dimensions 0 and 1 do not match"),
        (tensor_diag_part, ([1],), {}, "even"),
    ],
)
def test_what_does_not_fit_is_refused(function, arguments, options, text):
    with pytest.raises(INVALID, match=text):
        function(*arguments, **options)


def test_diagonals_of_booleans():
    x = tf.constant([True, True])
    assert tf.linalg.diag(x).numpy().tolist() == [[True, False], [False, True]]
    assert tf.linalg.diag_part([[True, False], [True, False]]).numpy().tolist() == [True, False]
    assert tf.linalg.diag([True], k=1).numpy().tolist() == [[False, True], [False, False]]
