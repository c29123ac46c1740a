"""Random programs with branches, loops and TensorArrays: eager and traced give the same bits and derivatives.

Loops come as `tf.while_loop`, as AutoGraph's `for` and `while`, as `tf.map_fn` and `tf.scan`; how often they run, and
how many rows there are, is known to the graph or not.
"""

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf

UNARY = {
    "sin": tf.sin,
    "tanh": tf.tanh,
    "square": lambda x: tf.square(x) * 0.1,
    "negative": lambda x: -x,
    "mean": lambda x: x - tf.reduce_mean(x, axis=-1, keepdims=True),
    "turn": lambda x: tf.transpose(tf.transpose(x) * 0.5),
}
BINARY = {"add": tf.add, "multiply": tf.multiply, "maximum": tf.maximum, "pick": lambda x, y: tf.where(x > 0.0, x, y)}


def programs(depth):
    """Expressions over one tensor x, as nested tuples."""
    leaf = st.just(("x",))
    if depth == 0:
        return leaf
    inner = programs(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(st.just("unary"), st.sampled_from(sorted(UNARY)), inner),
        st.tuples(st.just("binary"), st.sampled_from(sorted(BINARY)), inner, inner),
        st.tuples(st.just("if"), inner, inner, inner),
        st.tuples(st.just("loop"), st.integers(0, 3), inner, inner),
        st.tuples(st.just("for"), st.integers(0, 3), inner, inner),
        st.tuples(st.just("while"), st.integers(1, 3), inner, inner, inner),
        st.tuples(st.just("array"), st.integers(1, 3), inner, inner),
        st.tuples(st.just("rows"), inner),
        st.tuples(st.just("scan"), inner),
    )


def run(program, x):
    kind, *rest = program
    if kind == "x":
        return x
    if kind == "unary":
        return UNARY[rest[0]](run(rest[1], x))
    if kind == "binary":
        return BINARY[rest[0]](run(rest[1], x), run(rest[2], x))
    if kind == "if":
        condition, yes, no = rest
        return tf.cond(tf.reduce_sum(run(condition, x)) > 0.1, lambda: run(yes, x), lambda: run(no, x))
    return LOOPS[kind](x, *rest)


def counted(x, count):
    """The number, in a trace as what only the running graph knows."""
    return count + tf.cast(tf.reduce_sum(x) * 0.0, tf.int32)


def while_loop(x, count, start, body):
    count = counted(x, count)
    return tf.while_loop(
        lambda i, value: i < count,
        lambda i, value: (i + 1, run(body, value)),
        (tf.constant(0), run(start, x)),
    )[1]


def for_statement(x, count, start, body):
    value = run(start, x)
    for i in tf.range(counted(x, count)):
        value = run(body, value) + tf.cast(i, value.dtype) * x
    return value


def while_statement(x, count, start, body, other):
    value = run(start, x)
    i = counted(x, 0)
    while i < count:
        if tf.reduce_sum(value) > 0.1:
            value = run(body, value)
        else:
            value = run(other, value) * x
        i += 1
    return value


def array(x, count, start, body):
    count = counted(x, count)
    value = run(start, x)
    collected = tf.TensorArray(x.dtype, count, clear_after_read=False, element_shape=value.shape)
    for i in tf.range(count):
        if i > 0:
            value = value + collected.read(i - 1)
        collected = collected.write(i, value)
        value = run(body, value)
    return tf.reduce_sum(collected.stack(), 0) * 0.3


LOOPS = {
    "loop": while_loop,
    "for": for_statement,
    "while": while_statement,
    "array": array,
    "rows": lambda x, body: tf.map_fn(lambda row: run(body, row[tf.newaxis])[0], x),
    "scan": lambda x, body: tf.scan(lambda a, row: tf.sin(a) * run(body, row[tf.newaxis])[0], x),
}


def function_of(program):
    def f(x):
        return run(program, x)

    return f


def gradient_of(f):
    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return y, tape.gradient(y, x, unconnected_gradients="zero")

    return value_and_gradient


def second_derivative_of(f):
    first = gradient_of(f)

    def second_derivative(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            _, g = first(x)
            s = tf.reduce_sum(g * g)
        return tape.gradient(s, x, unconnected_gradients="zero")

    return second_derivative


def close(a, b):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-9 * max(1.0, np.abs(b.numpy()).max()))


ROWS = [tf.TensorSpec([None, 3], tf.float64)]


@settings(max_examples=40, deadline=None)
@given(programs(2), st.integers(0, 2**31), st.sampled_from([None, ROWS]))
def test_eager_and_traced_agree(program, seed, signature):
    x = tf.constant(np.random.default_rng(seed).standard_normal((2, 3)))
    f = function_of(program)
    value, gradient = gradient_of(f)(x)
    for both in (gradient_of(tf.function(f, signature)), tf.function(gradient_of(f), signature)):
        again, found = both(x)
        if os.environ["TAPEFLOW_ENGINE"] == "numpy":
            np.testing.assert_array_equal(again.numpy(), value.numpy())
        close(again, value)
        close(found, gradient)


@settings(max_examples=15, deadline=None)
@given(programs(2), st.integers(0, 2**31))
def test_second_derivatives_agree(program, seed):
    x = tf.constant(np.random.default_rng(seed).standard_normal((2, 3)))
    f = function_of(program)
    expected = second_derivative_of(f)(x)
    close(second_derivative_of(tf.function(f, ROWS))(x), expected)
    close(tf.function(second_derivative_of(f))(x), expected)
