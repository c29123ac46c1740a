"""Scans: values, exclusive and reversed, and TensorFlow's gradients."""

import numpy as np
import pytest

import tapeflow as tf

INVALID = tf.errors.InvalidArgumentError


def gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy().tolist()


@pytest.mark.parametrize(
    ("exclusive", "reverse", "sums", "products"),
    [
        (False, False, [1, 3, 6], [1, 2, 6]),
        (True, False, [0, 1, 3], [1, 1, 2]),
        (False, True, [6, 5, 3], [6, 6, 3]),
        (True, True, [5, 3, 0], [6, 3, 1]),
    ],
)
def test_sums_and_products(exclusive, reverse, sums, products):
    x = tf.constant([1, 2, 3])
    assert tf.cumsum(x, exclusive=exclusive, reverse=reverse).numpy().tolist() == sums
    assert tf.math.cumprod(x, exclusive=exclusive, reverse=reverse).numpy().tolist() == products
    assert tf.cumsum(x).dtype == tf.int32


def test_axes_and_wrapping():
    x = [[1.0, 2.0], [3.0, 4.0]]
    assert tf.cumsum(x, axis=-1).numpy().tolist() == [[1, 3], [3, 7]]
    assert tf.cumsum(x, axis=tf.constant(0)).numpy().tolist() == [[1, 2], [4, 6]]
    assert tf.cumsum(tf.constant([200, 100], tf.uint8)).numpy().tolist() == [200, 44]


def test_logsumexp():
    x = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(tf.math.cumulative_logsumexp(x), [1, 2.3132617, 3.4076061], rtol=1e-6)
    np.testing.assert_allclose(
        tf.math.cumulative_logsumexp(x, exclusive=True, reverse=True), [3.3132617, 3, -np.inf], rtol=1e-6
    )
    assert tf.math.cumulative_logsumexp([1000.0, 1000.0]).numpy()[1] == pytest.approx(1000.6931)


def test_gradients():
    assert gradient(tf.cumsum, [1.0, 2.0, 3.0]) == [3, 2, 1]
    assert gradient(lambda x: tf.math.cumprod(x, reverse=True), [1.0, 2.0, 3.0]) == [6, 6, 5]
    # a factor that is zero gets none, as in TensorFlow
    assert gradient(lambda x: tf.math.cumprod(x, exclusive=True), [1.0, 0.0, 3.0]) == [1, 0, 0]
    lse = tf.math.cumulative_logsumexp
    assert gradient(lambda x: lse(x, exclusive=True), [1.0, 2.0, 3.0]) == pytest.approx([1.2689414, 0.73105854, 0])
    signed = gradient(lambda x: lse(x) * [1.0, -1.0, 0.5], [1.0, 2.0, 3.0])
    assert signed == pytest.approx([0.7760738, -0.6086943, 0.3326204], rel=1e-5)


@pytest.mark.parametrize("scan", [tf.cumsum, tf.math.cumprod, tf.math.cumulative_logsumexp])
def test_errors(scan):
    with pytest.raises(INVALID, match=r"range \[0, 0\), but got 0"):
        scan(1.0)
    with pytest.raises(INVALID, match="but got 1"):
        scan([1.0, 2.0], axis=1)
    with pytest.raises(INVALID, match="scalar"):
        scan([1.0], axis=[0])
    with pytest.raises(TypeError, match="1.5"):
        scan([1.0], axis=1.5)
    with pytest.raises(INVALID, match="bool"):
        scan([True])
