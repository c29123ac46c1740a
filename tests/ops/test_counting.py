"""bincount, histograms, confusion matrices."""

import pytest

import tapeflow as tf
from tapeflow.ops.counting import bincount, confusion_matrix, histogram_fixed_width, histogram_fixed_width_bins

INVALID = tf.errors.InvalidArgumentError


@pytest.mark.parametrize(
    ("arr", "options", "want", "dtype"),
    [
        ([1, 1, 3], {}, [0, 2, 0, 1], tf.int32),
        ([[1, 1], [3, 0]], {}, [1, 2, 0, 1], tf.int32),
        ([1, 1, 3], {"minlength": 6}, [0, 2, 0, 1, 0, 0], tf.int32),
        ([1, 1, 3], {"maxlength": 2, "minlength": 5}, [0, 2], tf.int32),
        ([1, 1, 3], {"dtype": tf.float32}, [0.0, 2.0, 0.0, 1.0], tf.float32),
        ([1, 1, 3], {"weights": [1.0, 2.0, 4.0], "dtype": tf.int64}, [0.0, 3.0, 0.0, 4.0], tf.float32),
        ([1, 1, 3], {"binary_output": True}, [0, 1, 0, 1], tf.int32),
        ([[1, 1], [3, 0]], {"axis": -1}, [[0, 2, 0, 0], [1, 0, 0, 1]], tf.int32),
        ([[1, 1], [3, 0]], {"axis": -1, "maxlength": 2}, [[0, 2], [1, 0]], tf.int32),
        ([[1, 1], [3, 0]], {"axis": -1, "weights": [[1, 2], [3, 4]]}, [[0, 3, 0, 0], [4, 0, 0, 3]], tf.int32),
        ([[1, 1], [3, 0]], {"axis": -1, "binary_output": True}, [[0, 1, 0, 0], [1, 0, 0, 1]], tf.int32),
        ([], {}, [], tf.int32),
        (3, {}, [0, 0, 0, 1], tf.int32),
        (tf.constant([1], tf.int64), {}, [0, 1], tf.int32),
    ],
)
def test_bincount(arr, options, want, dtype):
    got = bincount(arr, **options)
    assert got.numpy().tolist() == want and got.dtype == dtype


@pytest.mark.parametrize(
    ("arr", "options", "error", "text"),
    [
        ([-1, 1], {}, INVALID, "non-negative"),
        ([1, 1], {"weights": [1.0]}, INVALID, "same shape"),
        ([1], {"axis": 1}, ValueError, "axis=1"),
        ([[[1]]], {"axis": -1}, INVALID, "rank 3"),
        (tf.constant([1], tf.uint8), {}, INVALID, "attr 'Tidx' of uint8"),
    ],
)
def test_bincount_refuses(arr, options, error, text):
    with pytest.raises(error, match=text):
        bincount(arr, **options)


def test_histograms():
    x = [-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]
    assert histogram_fixed_width_bins(x, [0.0, 5.0], 5).numpy().tolist() == [0, 0, 1, 2, 4, 4]
    assert histogram_fixed_width(x, [0.0, 5.0], 5).numpy().tolist() == [2, 1, 1, 0, 2]
    assert histogram_fixed_width(x, [0.0, 5.0], 5, tf.int64).dtype == tf.int64
    for arguments, text in (
        ((x, [5.0, 0.0]), "value_range"),
        ((x, [0.0]), "2 elements"),
        ((x, [0.0, 1.0], 0), "positive"),
    ):
        with pytest.raises(INVALID, match=text):
            histogram_fixed_width_bins(*arguments)


def test_confusion_matrix():
    got = confusion_matrix([1, 2, 2], [2, 2, 2])
    assert got.numpy().tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 2]] and got.dtype == tf.int32
    got = confusion_matrix([[1], [0]], [1, 1], 3, weights=[0.5, 2.0], dtype=tf.float32)
    assert got.numpy().tolist() == [[0.0, 2.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    for arguments, text in (
        (([1, 2], [2, 2], 2), "`labels` out of bound"),
        (([1, 1], [1, 2], 2), "`predictions` out of bound"),
        (([1, -2], [2, 2]), "negative"),
        (([1, 2, 3], [2, 2]), "same shape"),
    ):
        with pytest.raises(INVALID, match=text):
            confusion_matrix(*arguments)
