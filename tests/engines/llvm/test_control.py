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


def looked_up(x, at):
    table = tf.constant(drawn(9, 7))

    def body(i, a):
        inner = tf.while_loop(lambda j, b: j < 2, lambda j, b: (j + 1, b + tf.gather(a, (at + j) % 7)), [0, a])[1]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(at + i % 2, inner)
        return i + 1, inner * 0.5 + tf.reduce_sum(losses) * table[:7]

    a = tf.while_loop(lambda i, a: i < 5, body, [0, x])[1]
    return [tf.cond(tf.reduce_sum(x) > 0, lambda: tf.gather(a, at), lambda: a)]


def test_checks_and_constants_inside():
    at = np.array([0, 5, 1, 2, 3, 4, 1])
    held_against_numpy(looked_up, drawn(7, 7), at)
    held_against_numpy(looked_up, -np.abs(drawn(7, 7)), at)


@pytest.mark.parametrize("wrong", [6, 9, -1])
def test_a_check_that_fails_inside_is_numpys_error(wrong):
    v = tf.Variable(1.0)

    @tf.function(autograph=False)
    def f(x, at):
        v.assign_add(1.0)
        return looked_up(x, at)

    arrays = tf.constant(drawn(7, 7)), tf.constant([0, wrong, 1, 2, 3, 4, 1])
    compiled = compile_graph(f.get_concrete_function(*arrays).graph, host())
    assert not compiled.reasons
    with pytest.raises(tf.errors.InvalidArgumentError, match="not in|valid range"):
        compiled.run(*[x.numpy() for x in arrays])


@pytest.mark.parametrize("fails_at", [0, 1, 3, None])
def test_a_check_of_the_condition(fails_at):
    def f(x, at):
        return [tf.while_loop(lambda i, a: tf.gather(a, at[i]) < 3.0, lambda i, a: (i + 1, a + 1.0), [0, x])[1]]

    at = np.array([1, 0, 2, 1, 1, 1])
    x = np.zeros(3, np.float32)
    if fails_at is None:
        held_against_numpy(f, x, at)
        return
    at[fails_at] = 7
    graph = tf.function(f, autograph=False).get_concrete_function(x, at).graph
    with pytest.raises(tf.errors.InvalidArgumentError, match="7 is not in"):
        compile_graph(graph, host()).run(x, at)
