"""Branches and loops in native code: what the NumPy engine gives."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.llvm import compile_graph, host
from tapeflow.engines.numpy import compile_graph as by_numpy


def drawn(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def held_against_numpy(function, *arrays, native=True):
    graph = tf.function(function, autograph=False).get_concrete_function(*map(tf.constant, arrays)).graph
    compiled = compile_graph(graph, host())
    assert bool(compiled.functions) == native, compiled.reasons
    for found, expected in zip(compiled.run(*arrays), by_numpy(graph).run(*arrays), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def loop(x):
    return tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, tf.tanh(a @ x)), [tf.constant(0), x])


def loop_by_value(x):
    def body(i, a, total):
        return i + 1, tf.where(a > 0, a * 0.5, a + 1.0), total + tf.reduce_sum(a)

    return tf.while_loop(lambda i, a, total: (i < 100) & (total < 50.0), body, [0, x, 0.0])


def never(x):
    return tf.while_loop(lambda a: tf.reduce_sum(a) > 1e9, lambda a: (a * 2.0,), [x])


def branch(x):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: (x * 2, x), lambda: (tf.exp(x), x - 1.0))


def nested(x):
    def body(i, a):
        b = tf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, b * 1.1), [0, a])[1]
        return i + 1, tf.cond(tf.reduce_mean(b) > 1, lambda: b - 1, lambda: tf.cond(i > 2, lambda: b, lambda: b * 2))

    return tf.while_loop(lambda i, a: i < 6, body, [0, x])


@pytest.mark.parametrize("function", [loop, loop_by_value, never, branch, nested])
def test_as_numpy(function):
    held_against_numpy(function, drawn(7, 7))
    held_against_numpy(function, np.abs(drawn(7, 7)))


@pytest.mark.parametrize("number", [-1, 0, 1, 2, 7])
def test_switches(number):
    def switch(x, i):
        return tf.switch_case(i, [lambda: x, lambda: x * 2, lambda: tf.transpose(x)])

    held_against_numpy(switch, drawn(5, 5), np.int32(number))


def test_what_has_an_effect_runs_by_numpy():
    v = tf.Variable(drawn(4))

    def function(x):
        return tf.cond(tf.reduce_sum(x) > 1e9, lambda: v.assign(x) + 0.0, lambda: x * 2.0)

    held_against_numpy(function, drawn(4), native=True)  # the sum, not the branch
    graph = tf.function(function, autograph=False).get_concrete_function(tf.constant(drawn(4))).graph
    assert any(node.op.name == "cond" for node in compile_graph(graph, host()).reasons)


def test_gradients_through_a_loop():
    x = tf.constant(drawn(3, 3))

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(loop(x)[1])
        return tape.gradient(y, x)

    expected = gradient(x)
    found = tf.function(gradient, autograph=False)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
