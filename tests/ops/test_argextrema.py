"""argmax and argmin: ties, NaN, dtypes, errors."""

import numpy as np
import pytest

import tapeflow as tf

INVALID = tf.errors.InvalidArgumentError


def test_the_first_of_those_that_tie():
    x = [[1.0, 3.0, 3.0], [2.0, 0.0, 0.0]]
    assert tf.argmax(x).numpy().tolist() == [1, 0, 0]
    assert tf.argmax(x, 1).numpy().tolist() == [1, 0]
    assert tf.argmin(x, axis=-1).numpy().tolist() == [0, 1]
    assert tf.argmax(x).dtype == tf.int64
    assert tf.argmax(x, output_type=tf.int16).dtype == tf.int16
    assert tf.argmin(x, tf.constant(1), tf.int32).dtype == tf.int32
    assert tf.argmax([True, False]).numpy() == 0


def test_nan_is_passed_over():
    assert tf.argmax([np.nan, 1.0, 3.0]).numpy() == 2
    assert tf.argmin([1.0, np.nan, -3.0]).numpy() == 2
    assert tf.argmax([[np.nan, np.nan], [1.0, np.inf]], 1).numpy().tolist() == [0, 1]
    assert tf.argmax(tf.constant([1, np.nan, 3], tf.float16)).numpy() == 2


def test_nothing_along_another_axis():
    assert tf.argmax(tf.ones([2, 0]), 0).shape == [0]
    assert tf.argmax(tf.ones([0, 3]), 1).shape == [0]


def test_they_have_no_gradient():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(tf.argmax(x), tf.float32)
    assert tape.gradient(y, x) is None


def test_errors():
    with pytest.raises(INVALID, match=r"range \[-2, 2\), but got 4"):
        tf.argmax(tf.ones([2, 3]), 4)
    with pytest.raises(INVALID, match=r"range \[0, 0\), but got 0"):
        tf.argmin(3.0)
    with pytest.raises(INVALID, match="Reduction axis 1 is empty"):
        tf.argmax(tf.ones([2, 0]), 1)
    with pytest.raises(INVALID, match="output_type"):
        tf.argmax([1.0], output_type=tf.float32)
    with pytest.raises(INVALID, match="int16"):
        tf.argmin([1.0], output_type=tf.int16)
    with pytest.raises(INVALID, match="complex128"):
        tf.argmax([1j])
    for axis in ([0], 1.0):
        with pytest.raises(TypeError, match="axis must be int"):
            tf.argmax([1.0], axis)
