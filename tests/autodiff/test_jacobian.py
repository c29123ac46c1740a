"""Jacobians against closed forms, batched and row by row."""

import numpy as np
import pytest

import tapeflow as tf


@pytest.mark.parametrize("pfor", [True, False])
def test_jacobian_of_a_product(pfor):
    a = np.arange(6.0).reshape(2, 3)
    w = tf.constant(a)
    x = tf.constant([[1.0], [2.0], [3.0]], tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([w, x])
        y = tf.matmul(w, x)
    by_x = tape.jacobian(y, x, experimental_use_pfor=pfor)
    by_w, again = tape.jacobian(y, [w, x], experimental_use_pfor=pfor)
    assert by_x.shape == (2, 1, 3, 1)
    np.testing.assert_array_equal(by_x.numpy()[:, 0, :, 0], a)
    np.testing.assert_array_equal(again.numpy(), by_x.numpy())
    expected = np.einsum("ik,l->ikl", np.eye(2), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(by_w.numpy()[:, 0], expected)


@pytest.mark.parametrize("pfor", [True, False])
def test_jacobian_through_reductions_shapes_and_softmax(pfor):
    x = tf.constant(np.linspace(-1.0, 1.0, 6).reshape(2, 3))

    def f(x):
        h = tf.nn.softmax(tf.tanh(x) * 2.0)
        h = tf.transpose(tf.reshape(h, [3, 2])) + tf.reduce_max(x, axis=0)
        return tf.concat([h, tf.nn.relu(x)], axis=1)[:, 1:5] - tf.reduce_mean(x)

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    found = tape.jacobian(y, x, experimental_use_pfor=pfor).numpy()
    step = 1e-6
    for i in np.ndindex(2, 3):
        moved = np.zeros((2, 3))
        moved[i] = step
        expected = (f(x + moved).numpy() - f(x - moved).numpy()) / (2 * step)
        np.testing.assert_allclose(found[(..., *i)], expected, atol=1e-7)


def test_scalars_and_unconnected_sources():
    x, other = tf.Variable(3.0), tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    assert tape.jacobian(y, x).numpy() == 6.0
    assert tape.jacobian(y, other) is None
    assert tape.jacobian(y, other, unconnected_gradients="zero").numpy().tolist() == [0.0, 0.0]


def test_jacobian_of_a_gathered_table():
    table = tf.Variable(np.arange(6.0).reshape(3, 2))
    with tf.GradientTape() as tape:
        y = tf.gather(table, [2, 0]) * 2.0
    found = tape.jacobian(y, table).numpy()
    expected = np.zeros((2, 2, 3, 2))
    for row, of in enumerate([2, 0]):
        for column in range(2):
            expected[row, column, of, column] = 2.0
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("pfor", [True, False])
def test_batch_jacobian(pfor):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    found = tape.batch_jacobian(y, x, experimental_use_pfor=pfor)
    np.testing.assert_array_equal(found.numpy(), [np.diag([2.0, 4.0]), np.diag([6.0, 8.0]), np.diag([10.0, 12.0])])


def test_hessian_by_a_jacobian_of_a_gradient():
    x = tf.constant([1.0, 2.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x[0] ** 3 * x[1] + tf.exp(x[1])
        g = inner.gradient(y, x)
    expected = [[12.0, 3.0], [3.0, np.exp(2.0)]]
    np.testing.assert_allclose(outer.jacobian(g, x).numpy(), expected)


def test_bad_input():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        total, part = tf.reduce_sum(x), x[:2]
    with pytest.raises(IndexError):
        tape.batch_jacobian(total, x)
    with pytest.raises(ValueError, match="first dimension"):
        tape.batch_jacobian(part, x)
