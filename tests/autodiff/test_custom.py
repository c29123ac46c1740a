"""`tf.custom_gradient`, `recompute_grad`, `grad_pass_through`, `stop_gradient`."""

import numpy as np
import pytest

import tapeflow as tf


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)

    def grad(upstream):
        return upstream * (1 - 1 / (1 + e))

    return tf.math.log(1 + e), grad


def test_the_gradient_given_is_used():
    x = tf.constant(100.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = log1pexp(x)
    assert tape.gradient(y, x).numpy() == 1.0


def test_second_order_goes_through_the_gradient_function():
    x = tf.constant(0.5, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = log1pexp(x)
        g = inner.gradient(y, x)
    s = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(g.numpy(), s)
    np.testing.assert_allclose(outer.gradient(g, x).numpy(), s * (1 - s))


def test_several_inputs_outputs_and_keywords():
    @tf.custom_gradient
    def f(x, y, *, scale):
        def grad(da, db):
            return da * 10.0, db * 100.0, None

        return (x + y, x * y), grad

    x, y = tf.constant(2.0), tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        a, b = f(x, y, scale=tf.constant(1.0))
        c = a * 2.0 + b
    assert [g.numpy() for g in tape.gradient(c, [x, y])] == [20.0, 100.0]
    assert [g.numpy() for g in tape.gradient(a, [x, y])] == [10.0, 0.0]


def test_variables_inside():
    v = tf.Variable(2.0)

    @tf.custom_gradient
    def f(x):
        y = x * v

        def grad(upstream, variables=None):
            assert variables[0] is v
            return upstream * 7.0, [upstream * 11.0]

        return y, grad

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert [g.numpy() for g in tape.gradient(y, [x, v])] == [7.0, 11.0]

    @tf.custom_gradient
    def forgetful(x):
        return x * v, lambda upstream: upstream

    with pytest.raises(TypeError, match="variables"):
        forgetful(x)


def test_as_a_method_and_nested():
    class Clip:
        limit = 1.0

        @tf.custom_gradient
        def __call__(self, x):
            return tf.identity(x), lambda g: tf.clip_by_value(g, -self.limit, self.limit)

    @tf.custom_gradient
    def twice(x):
        return log1pexp(x) * 2.0, lambda g: g * 2.0

    clip, x = Clip(), tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = clip(x) * 5.0
        z = twice(x)
    assert tape.gradient(y, x).numpy() == 1.0
    assert tape.gradient(z, x).numpy() == 2.0


def test_a_wrong_number_of_gradients_is_named():
    @tf.custom_gradient
    def wrong(x, y):
        return x * y, lambda g: g

    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        z = wrong(x, x * 2.0)
    with pytest.raises(ValueError, match="wrong expected to return 2 gradients"):
        tape.gradient(z, x)


def test_recompute_grad_keeps_the_values():
    w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    calls = []

    @tf.recompute_grad
    def block(x):
        calls.append(1)
        return tf.tanh(tf.matmul(x, w))

    def plain(x):
        return tf.tanh(tf.matmul(x, w))

    x = tf.constant([[0.1, 0.2]])
    found = []
    for f in (plain, block):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(f(x) ** 2)
        found.append([g.numpy() for g in tape.gradient(y, [x, w])])
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
    assert len(calls) == 2
    with tf.GradientTape() as tape:
        tape.watch(x)
        block(x)
    assert tape.summary().splitlines()[-1].startswith("1 ops, 0 bytes")


def test_grad_pass_through_and_stop_gradient():
    x = tf.Variable(1.6)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.grad_pass_through(tf.round)(x) * 3.0
        z = x * tf.stop_gradient(x)
    assert y.numpy() == 6.0
    assert tape.gradient(y, x).numpy() == 3.0
    assert tape.gradient(z, x).numpy() == np.float32(1.6)
    assert tape.gradient(tf.stop_gradient(x), x) is None
