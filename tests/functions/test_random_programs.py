"""Random programs with branches and loops: eager and traced give the same values, and the same gradients."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf
from tests.closeness import PROGRAM, assert_same

UNARY = {
    "sin": tf.sin,
    "tanh": tf.tanh,
    "square": lambda x: tf.square(x) * 0.1,
    "negative": lambda x: -x,
    "mean": lambda x: x - tf.reduce_mean(x, axis=-1, keepdims=True),
    "turn": lambda x: tf.transpose(tf.transpose(x) * 0.5),
}
BINARY = {"add": tf.add, "multiply": tf.multiply, "maximum": tf.maximum, "pick": lambda x, y: tf.where(x > 0.1, x, y)}


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
    count, start, body = rest
    return tf.while_loop(
        lambda i, value: i < count,
        lambda i, value: (i + 1, run(body, value)),
        (tf.constant(0), run(start, x)),
    )[1]


def value_and_gradient(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return y.numpy(), tape.gradient(y, x, unconnected_gradients="zero").numpy()


@settings(max_examples=60, deadline=None)
@given(programs(3), st.integers(0, 2**31))
def test_eager_and_traced_agree(program, seed):
    x = tf.constant(np.random.default_rng(seed).standard_normal((2, 3)))
    value, gradient = value_and_gradient(lambda x: run(program, x), x)
    traced = tf.function(lambda x: run(program, x), autograph=False)
    again, outside = value_and_gradient(traced, x)
    assert_same(again, value, PROGRAM)
    np.testing.assert_allclose(outside, gradient, rtol=1e-12, atol=1e-12)

    @tf.function(autograph=False)
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = run(program, x)
        return y, tape.gradient(y, x, unconnected_gradients="zero")

    again, inside = both(x)
    assert_same(again.numpy(), value, PROGRAM)
    np.testing.assert_allclose(inside.numpy(), gradient, rtol=1e-12, atol=1e-12)
