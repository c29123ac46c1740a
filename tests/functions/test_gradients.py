"""Gradients of traced functions, held against those of the same Python run eagerly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf
from tests.closeness import assert_same

W = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], np.float32)
X = np.array([[1.0, 2.0, -0.5], [0.25, -1.5, 3.0]], np.float32)


@pytest.fixture
def v():
    return tf.Variable(W)


def first_order(f, x, *variables):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return y, tape.gradient(y, [x, *variables])


def all_same(a, b):
    for left, right in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
        if left is None or right is None:
            assert left is right
        else:
            assert_same(left.numpy(), right.numpy())


def network(v):
    return lambda x: tf.reduce_sum(tf.tanh(tf.matmul(x, v)) ** 2, axis=1) / tf.reduce_mean(v)


def test_a_tape_outside(v):
    x = tf.constant(X)
    all_same(first_order(tf.function(network(v)), x, v), first_order(network(v), x, v))


def test_a_tape_inside(v):
    def f(x):
        return first_order(network(v), x, v)

    all_same(tf.function(f)(tf.constant(X)), f(tf.constant(X)))


def test_tapes_inside_and_outside_give_second_derivatives(v):
    def inner(x):
        return first_order(network(v), x, v)[1][0]

    x = tf.constant(X)
    all_same(first_order(tf.function(inner), x, v), first_order(inner, x, v))
    all_same(first_order(inner_of_function(v), x, v), first_order(inner, x, v))


def inner_of_function(v):
    f = tf.function(network(v))
    return lambda x: first_order(f, x, v)[1][0]


def test_a_call_is_one_record(v):
    f = tf.function(network(v))
    with tf.GradientTape() as tape:
        f(tf.constant(X))
    names = {rec[0].name for rec in tape._records.values() if rec is not None}
    assert len(names - {"part"}) == 1
    assert tape.watched_variables() == (v,)


def test_only_what_is_needed_is_kept():
    f = tf.function(lambda x: tf.reduce_sum(x + 1.0) + tf.reduce_sum(tf.sin(x)))
    x = tf.constant(X)
    first_order(f, x)
    (derivative,) = f.get_concrete_function(x).derivatives.values()
    assert len(derivative.forward.outputs) == 2  # the result and x
    assert "sin" not in [node.op.name for node in derivative.backward.nodes]


def test_persistent_tapes_jacobians_and_forward_mode(v):
    def f(x):
        return tf.matmul(x, v) ** 2

    g, x = tf.function(f), tf.constant(X)
    results = []
    for each in (f, g):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = each(x)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
            z = each(x)
        results.append([tape.gradient(y, x), tape.gradient(y, v), tape.jacobian(y, x), forward.jvp(z)])
    all_same(*results)


def test_several_outputs_and_unused_ones():
    f = tf.function(lambda x: (x * 2.0, tf.sin(x), tf.cast(x, tf.int32), tf.constant(3.0)))
    x = tf.constant(X)
    for i, slope in ((0, 2.0 * np.ones_like(X)), (1, np.cos(X))):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)[i]
        np.testing.assert_allclose(tape.gradient(y, x), slope, rtol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)[3]
    assert tape.gradient(y, x) is None


def test_tensors_from_outside_are_followed():
    outside = tf.constant([3.0, 4.0])
    f = tf.function(lambda x: tf.reduce_sum(x * outside))
    x = tf.constant([1.0, 2.0])
    f(x)
    with tf.GradientTape() as tape:
        tape.watch(outside)
        y = f(x)
    assert tape.gradient(y, outside).numpy().tolist() == [1.0, 2.0]


def test_rows_that_were_gathered_come_as_slices(v):
    f = tf.function(lambda i: tf.reduce_sum(tf.gather(v, i) ** 2))
    with tf.GradientTape() as tape:
        y = f(tf.constant([2, 0, 2]))
    g = tape.gradient(y, v)
    assert isinstance(g, tf.IndexedSlices) and g.indices.numpy().tolist() == [2, 0, 2]
    np.testing.assert_array_equal(tf.convert_to_tensor(g), [2 * W[0], 0 * W[1], 4 * W[2]])


def test_a_variable_that_the_call_changes(v):
    def f(x):
        before = tf.reduce_sum(v * v)
        v.assign_add(tf.ones_like(v))
        return before * x + tf.reduce_sum(v)

    results = []
    for each in (f, tf.function(f)):
        v.assign(W)
        results.append(first_order(each, tf.constant(2.0), v))
    all_same(*results)


@tf.custom_gradient
def clipped(x):
    e = tf.exp(x)
    return tf.sin(x), lambda upstream: upstream * e * 3.0


def test_custom_gradients_go_with_the_graph():
    w = tf.Variable(2.0)

    @tf.recompute_grad
    def again(x):
        return tf.sin(x) * w

    def f(x):
        return clipped(x) * x * again(x)

    def second(each):
        return lambda x: first_order(each, x, w)[1][0]

    x = tf.constant([1.0, 2.0])
    for order in (lambda each: each, second):
        want = first_order(order(f), x, w)
        for got in (first_order(order(tf.function(f)), x, w), first_order(tf.function(order(f)), x, w)):
            for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(want), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5)


STEPS = {
    "sin": tf.sin,
    "square": tf.square,
    "scaled": lambda x: x * 0.5 + 1.0,
    "softmax": tf.nn.softmax,
    "centred": lambda x: x - tf.reduce_mean(x, 1, keepdims=True),
    "row": lambda x: x + x[0],
    "turned": lambda x: tf.transpose(tf.reshape(x, [3, 2])),
    "joined": lambda x: tf.concat([x, x], 0)[1:3],
    "picked": lambda x: tf.where(x > 0.1, x, -0.1 * x),
}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6))
def test_random_programs_agree(names):
    def f(x):
        for name in names:
            x = STEPS[name](x)
        return x

    x = tf.constant(X)
    want = first_order(f, x)
    all_same(first_order(tf.function(f), x), want)
    all_same(tf.function(lambda x: first_order(f, x))(x), want)


def test_an_op_without_a_derivative_is_an_error_when_the_gradient_is_asked_for():
    f = tf.function(lambda x: tf.random.gamma([3], x))
    with tf.GradientTape() as outer:
        x = tf.constant(2.0)
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        g = tape.gradient(y, x)
    with pytest.raises(LookupError):
        outer.gradient(g, x)
