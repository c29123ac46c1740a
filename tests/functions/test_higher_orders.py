"""Persistent tapes, forward mode and higher orders over a call from outside: what eager mode gives."""

import numpy as np
import pytest

import tapeflow as tf

X = tf.constant(np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
V = tf.Variable(np.random.default_rng(1).normal(size=3).astype(np.float32))


def plain(x):
    return tf.reduce_sum(tf.tanh(x * V) ** 3)


def greatest(x):
    return tf.reduce_sum(tf.math.top_k(x * V, 2)[0] ** 3)


def halves(x):
    return tf.reduce_sum(tf.split(x * V, 2)[0] ** 3)


def squeezed(x):
    return tf.reduce_sum(tf.squeeze(x[tf.newaxis] * V) ** 3)


def of_a_branch(x):
    if tf.reduce_sum(x) > 0.0:
        y = x * V * x
    else:
        y = x * x * x * V
    return tf.reduce_sum(y**2)


def of_a_loop(x):
    y = x
    for _ in tf.range(tf.shape(x)[0] - 2):
        y = tf.tanh(y * V)
    return tf.reduce_sum(y**2)


def of_gradients(x):
    if tf.executing_eagerly():
        return tf.reduce_sum((3.0 * (x * V) ** 2 * V) ** 2)
    return tf.reduce_sum(tf.gradients(tf.reduce_sum((x * V) ** 3), x)[0] ** 2)


def persistent(f):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(X)
        y = f(X)
    return tape.gradient(y, X), tape.gradient(y, V), tape.jacobian(y, V)


def second(f):
    with tf.GradientTape() as outer:
        outer.watch(X)
        with tf.GradientTape() as inner:
            inner.watch(X)
            y = f(X)
        g = inner.gradient(y, X)
    return outer.gradient(g, [X, V])


def third(f):
    with tf.GradientTape() as outer:
        outer.watch(X)
        g = second(f)[0]
    return outer.gradient(g, V)


def forward(f):
    with tf.autodiff.ForwardAccumulator(X, X + 1.0) as accumulator:
        y = f(X)
    return accumulator.jvp(y)


def forward_over_backward(f):
    with tf.autodiff.ForwardAccumulator(X, X + 1.0) as accumulator:
        with tf.GradientTape() as tape:
            tape.watch(X)
            y = f(X)
        gradients = tape.gradient(y, [X, V])
    return [accumulator.jvp(g) for g in gradients]


def hessian(f):
    with tf.GradientTape() as outer:
        outer.watch(X)
        with tf.GradientTape() as inner:
            inner.watch(X)
            y = f(X)
        g = inner.gradient(y, X)
    return outer.jacobian(g, X)


@pytest.mark.parametrize("signature", [None, [tf.TensorSpec([None, None])]], ids=["known", "unknown"])
@pytest.mark.parametrize("how", [persistent, second, third, forward, forward_over_backward, hessian])
@pytest.mark.parametrize("f", [plain, greatest, halves, squeezed, of_a_branch, of_a_loop, of_gradients])
def test_as_eagerly(f, how, signature):
    got, want = (tf.nest.flatten(how(each)) for each in (tf.function(f, input_signature=signature), f))
    for a, b in zip(got, want, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(tf.convert_to_tensor(a), tf.convert_to_tensor(b), rtol=2e-4, atol=1e-5)
