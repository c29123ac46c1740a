"""Forward mode: closed forms, and forward against reverse mode."""

import numpy as np
import pytest

import tapeflow as tf


def test_jvp_of_a_product():
    x = tf.constant([[2.0, 3.0], [1.0, 4.0]])
    v = tf.constant([[1.0, 0.0], [0.0, 2.0]])
    with tf.autodiff.ForwardAccumulator(x, v) as acc:
        y = tf.matmul(x, x)
        total = tf.reduce_sum(y * y, axis=1)
    dy = x.numpy() @ v.numpy() + v.numpy() @ x.numpy()
    np.testing.assert_array_equal(acc.jvp(y).numpy(), dy)
    np.testing.assert_array_equal(acc.jvp(total).numpy(), (2 * y.numpy() * dy).sum(1))


def test_variables_nests_and_unconnected():
    a, b = tf.Variable(2.0), tf.Variable([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator([a, b], [tf.constant(10.0), tf.constant([1.0, 0.0])]) as acc:
        y = {"product": a * b, "constant": tf.constant(1.0)}
    found = acc.jvp(y)
    assert found["product"].numpy().tolist() == [12.0, 20.0]
    assert found["constant"] is None
    assert acc.jvp(y, unconnected_gradients="zero")["constant"].numpy() == 0.0


def test_hessian_vector_product_by_a_tape_inside():
    x = tf.constant([1.0, 2.0], tf.float64)
    v = tf.constant([0.5, -1.0], tf.float64)
    with tf.autodiff.ForwardAccumulator(x, v) as acc:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x[0] ** 3 * x[1] + tf.exp(x[1])
        g = tape.gradient(y, x)
    hessian = np.array([[12.0, 3.0], [3.0, np.exp(2.0)]])
    np.testing.assert_allclose(acc.jvp(g).numpy(), hessian @ v.numpy())


def test_accumulators_nest():
    x = tf.constant(1.1, tf.float64)
    one = tf.constant(1.0, tf.float64)
    with tf.autodiff.ForwardAccumulator(x, one) as outer:
        with tf.autodiff.ForwardAccumulator(x, one) as inner:
            y = x**4 * tf.sin(x)
        first = inner.jvp(y)
    second = outer.jvp(first)
    s, c = np.sin(1.1), np.cos(1.1)
    np.testing.assert_allclose(first.numpy(), 4 * 1.1**3 * s + 1.1**4 * c)
    np.testing.assert_allclose(second.numpy(), 12 * 1.1**2 * s + 8 * 1.1**3 * c - 1.1**4 * s)


def test_a_tape_outside_differentiates_the_jvp():
    x = tf.constant([0.3, 0.7], tf.float64)
    v = tf.constant([1.0, 2.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with tf.autodiff.ForwardAccumulator(x, v) as acc:
            y = tf.reduce_sum(tf.exp(x) * x)
        d = acc.jvp(y)
    np.testing.assert_allclose(tape.gradient(d, x).numpy(), v.numpy() * (x.numpy() + 2) * np.exp(x.numpy()))


def test_ops_with_several_outputs_and_gathers():
    x = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    v = tf.constant([[1.0, 10.0, 100.0, 1000.0]])
    with tf.autodiff.ForwardAccumulator(x, v) as acc:
        left, right = tf.split(x, 2, axis=1)
        y = tf.gather(left * right, [1, 0], axis=1)
    assert acc.jvp(right).numpy().tolist() == [[100.0, 1000.0]]
    assert acc.jvp(y).numpy().tolist() == [[10 * 4 + 2 * 1000.0, 3 + 100.0]]


def test_bad_input():
    x = tf.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        tf.autodiff.ForwardAccumulator(x, tf.constant([1.0]))
    with pytest.raises(ValueError, match="twice"):
        tf.autodiff.ForwardAccumulator([x, x], [x, x])
    with pytest.raises(ValueError, match="dtype"):
        tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 2.0], tf.float64))
