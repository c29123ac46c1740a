"""Dilation and erosion as recorded from TensorFlow 2.21, with their gradients."""

import numpy as np
import pytest

import tapeflow as tf

P = tf.constant((np.arange(25.0) * 7 % 11).reshape(1, 5, 5, 1))
F = tf.constant(np.array([1.0, -1, 0, 2]).reshape(2, 2, 1))
UNITS = [1, 1, 1, 1]
INVALID = tf.errors.InvalidArgumentError


def dilated(x, k):
    return tf.nn.dilation2d(x, k, [1, 2, 1, 1], "SAME", "NHWC", [1, 1, 2, 1])


def eroded(x, k):
    return tf.nn.erosion2d(x, k, UNITS, "VALID", "NHWC", UNITS)


@pytest.mark.parametrize(
    ("f", "want", "to_image", "to_filter"),
    [
        (
            dilated,
            [11, 7, 9, 10, 11, 4, 11, 7, 9, 5, 3, 9, 6, 2, 8],
            [0, 0, 0, 2, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 2, 0, 1, 1, 0, 2, 1],
            [3, 5, 1, 6],
        ),
        (
            eroded,
            [-2, 3, 0, 2, -1, 1, 1, -1, 0, -2, 3, 0, 2, -1, 1, 1],
            [1, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 2, 0, 0],
            [-4, -3, -6, -3],
        ),
    ],
)
def test_as_recorded(f, want, to_image, to_filter):
    with tf.GradientTape() as tape:
        tape.watch([P, F])
        y = f(P, F)
    np.testing.assert_array_equal(np.ravel(y), want)
    for d, one in zip(tape.gradient(y, [P, F]), (to_image, to_filter), strict=True):
        np.testing.assert_array_equal(np.ravel(d), one)


def test_padding_never_is_the_maximum():
    x = tf.constant([[-5], [-7]], shape=(1, 2, 1, 1))
    y = tf.nn.dilation2d(x, tf.fill((3, 1, 1), -100), UNITS, "SAME", "NHWC", UNITS)
    assert y.dtype == "int32" and np.ravel(y).tolist() == [-105, -105]


def test_sizes_that_a_trace_does_not_know():
    specs = [tf.TensorSpec([None] * 4, tf.float64), tf.TensorSpec([2, 2, 1], tf.float64)]
    f = tf.function(dilated, input_signature=specs)
    np.testing.assert_array_equal(f(P, F), dilated(P, F))


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ValueError, "data_format", lambda: tf.nn.dilation2d(P, F, UNITS, "SAME", "NCHW", UNITS)),
        (INVALID, "1 vs 2", lambda: tf.nn.dilation2d(P, tf.ones((1, 1, 2), P.dtype), UNITS, "SAME", "NHWC", UNITS)),
        (INVALID, "filter must be 3", lambda: tf.nn.dilation2d(P, P, UNITS, "SAME", "NHWC", UNITS)),
    ],
)  # fmt: skip
def test_what_is_refused(error, match, call):
    with pytest.raises(error, match=match):
        call()
