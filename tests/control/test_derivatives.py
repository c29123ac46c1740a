"""Derivatives of branches and loops of a graph: of every order, with effects inside, keeping what they need alone."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.tensor_list import Kept

W = tf.constant([[0.3, -0.2], [0.5, 0.1]], tf.float64)
X = tf.constant([0.7, -0.4], tf.float64)
V = tf.constant([1.0, -1.0], tf.float64)


def energy(x, n):
    def body(i, y):
        z = tf.linalg.matvec(W * x[0], y)
        return i + 1, tf.cond(tf.reduce_sum(z) > 0.0, lambda: tf.sin(z) * y, lambda: tf.exp(z) * x)

    return tf.reduce_sum(tf.while_loop(lambda i, y: i < n, body, (tf.constant(0), x))[1] ** 2)


def of_nested_loops(x, n):
    def body(i, y):
        inner = tf.while_loop(lambda j, z: j < i + 1, lambda j, z: (j + 1, tf.sin(z * y) + x), (tf.constant(0), y))
        return i + 1, tf.cond(y[0] > 0.5, lambda: inner[1] * x, lambda: inner[1] + y)

    return tf.reduce_sum(tf.while_loop(lambda i, y: i < n, body, (tf.constant(0), x))[1] ** 2)


def three_times(f):
    def run(x, n):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as middle:
                middle.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    y = f(x, n)
                g = inner.gradient(y, x)
                s = tf.reduce_sum(g * g)
            h = middle.gradient(s, x)
            s = tf.reduce_sum(h * V)
        return y, g, h, outer.gradient(s, x)

    return run


def forward_over_reverse(f):
    def run(x, n):
        with tf.autodiff.ForwardAccumulator(x, V) as acc:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = f(x, n)
            g = tape.gradient(y, x)
        return acc.jvp(y), acc.jvp(g)

    return run


def forward_twice(f):
    def run(x, n):
        with tf.autodiff.ForwardAccumulator(x, V) as outer:
            with tf.autodiff.ForwardAccumulator(x, V) as inner:
                y = f(x, n)
            d = inner.jvp(y)
        return d, outer.jvp(d)

    return run


def one_tape_twice(f):
    def run(x, n):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = f(x, n)
            s = tf.reduce_sum(tape.gradient(y, x) ** 2)
        return tape.gradient(s, x), tape.gradient(y, x)

    return run


@pytest.mark.parametrize("f", [energy, of_nested_loops])
@pytest.mark.parametrize("kind", [three_times, forward_over_reverse, forward_twice, one_tape_twice])
def test_derivatives_inside_of_the_function(f, kind):
    traced = tf.function(kind(f), autograph=False)
    for n in (0, 2):
        n = tf.constant(n)
        for a, b in zip(kind(f)(X, n), traced(X, n), strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-11, atol=1e-12)


def test_a_jacobian_inside_of_the_function():
    def run(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.sin(y * x) + y[::-1]), (0, x))[1]
        return tape.jacobian(y, x)

    n = tf.constant(3)
    np.testing.assert_allclose(tf.function(run)(X, n).numpy(), run(X, n).numpy(), rtol=1e-14)


# -- with effects ------------------------------------------------------------------------------------------------------


def gradients(f, x, v, of=2):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(*(x, v)[:of])
    return y, *tape.gradient(y, [x, v], unconnected_gradients="zero")


def three(x):
    return tf.cast(x * 0.0 + 3.0, tf.int32)


def counting(x, v):
    """A loop in a branch in a loop, all of which count."""

    def body(i, y):
        def inner(j, z):
            v.assign_add(1.0)
            return j + 1, z * tf.sin(y) + x

        def once():
            v.assign_add(1.0)
            return y * y * x

        return i + 1, tf.cond(y > 0.0, lambda: tf.while_loop(lambda j, z: j < i + 1, inner, (0, y))[1], once)

    return tf.while_loop(lambda i, y: i < three(x), body, (tf.constant(0), x))[1]


def reading_what_it_writes(x, v):
    def body(i, y):
        v.assign_add(1.0)
        return i + 1, y * v + v

    return tf.while_loop(lambda i, y: i < three(x), body, (tf.constant(0), x))[1]


def a_branch_that_writes(x, v):
    def yes():
        before = x * v
        v.assign_add(1.0)
        return before * v

    return tf.cond(x > 0.0, yes, lambda: v * v) * v


def looking_up(x, v):
    def body(i, y):
        return i + 1, y * tf.reduce_sum(tf.gather(tf.stack([v, v * x, y]), [i, i]))

    return tf.while_loop(lambda i, y: i < three(x), body, (tf.constant(0), x))[1]


def drawing(x, v):
    tf.random.set_seed(1)

    def body(i, y):
        return i + 1, y * tf.cond(y > -100.0, lambda: tf.random.normal([], seed=3) + x, lambda: v * x)

    return tf.while_loop(lambda i, y: i < three(x), body, (tf.constant(0), x))[1]


@pytest.mark.parametrize("f", [counting, reading_what_it_writes, a_branch_that_writes, looking_up, drawing])
def test_with_effects_and_variables(f):
    x, v = tf.constant(0.7), tf.Variable(2.0)
    expected = [y.numpy() for y in (*gradients(f, x, v), v)]
    for traced in (
        lambda x, v: gradients(tf.function(lambda x: f(x, v), autograph=False), x, v, of=1),
        lambda x, v: tf.function(lambda x: gradients(f, x, v), autograph=False)(x),
    ):
        v = tf.Variable(2.0)
        np.testing.assert_allclose([y.numpy() for y in (*traced(x, v), v)], expected, rtol=1e-6)


def test_what_a_branch_assigns_is_read_after_it():
    v = tf.Variable(2.0)

    @tf.function
    def f(x):
        if x > 0.0:
            v.assign_add(1.0)
        return x * v

    x = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert (y.numpy(), tape.gradient(y, x).numpy(), v.numpy()) == (1.5, 3.0, 3.0)


# -- how sums add up ---------------------------------------------------------------------------------------------------


def test_captured_tensors_have_the_bits_of_eager_gradients(to_the_bit):
    rng = np.random.default_rng(0)
    w = tf.constant(rng.standard_normal((4, 4)).astype(np.float32) * 0.4)
    b = tf.Variable(rng.standard_normal(4).astype(np.float32))
    x = tf.constant(rng.standard_normal((3, 4)).astype(np.float32))

    def f(x, n):
        before = tf.reduce_sum(tf.sin(w)) * tf.reduce_sum(b)

        def body(i, y):
            return i + 1, tf.tanh(y @ w + b) + tf.cond(tf.reduce_sum(y) > 0.0, lambda: y @ w * b, lambda: y - b)

        y = tf.while_loop(lambda i, y: i < n, body, (0, x + 0.0))[1]
        return tf.reduce_sum(y * y @ w + b) + before

    def both(x, n):
        with tf.GradientTape() as tape:
            tape.watch(w)
            y = f(x, n)
        return y, *tape.gradient(y, [w, b])

    n = tf.constant(7)
    for a, b_ in zip(both(x, n), tf.function(both, autograph=False)(x, n), strict=True):
        np.testing.assert_array_equal(b_.numpy(), a.numpy())


# -- what is kept ------------------------------------------------------------------------------------------------------


def kept_by(f, x, *rest):
    """The arrays that the loop of a call under a tape keeps, a tuple for each iteration."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        f(x, *rest)
    (record,) = [r for r in tape._records.values() if r is not None and hasattr(r[0], "kept")]
    stacks = [t._value for t in record[0].kept if isinstance(t._value, Kept)]
    return [items for stack in stacks for items in stack], sum(stack.nbytes for stack in stacks)


def test_a_loop_keeps_one_array_an_iteration_where_one_is_needed():
    @tf.function
    def f(x, n):
        i = 0
        while i < n:
            x = tf.tanh(x + 1.0) * 2.0  # the derivative of tanh needs its result, those of + and * a constant nothing
            i += 1
        return x

    kept, size = kept_by(f, tf.zeros([1000]), tf.constant(5))
    assert [[x.shape for x in items] for items in kept] == [[(1000,)]] * 5
    assert size == 5 * 4000


def test_a_linear_loop_keeps_nothing():
    @tf.function
    def f(x, n):
        total = tf.zeros([1000])
        for _i in tf.range(n):
            total = total * 0.5 + x
        return total

    kept, size = kept_by(f, tf.zeros([1000]), tf.constant(5))
    assert kept == [()] * 5 and size == 0


def test_what_no_tape_follows_is_not_kept():
    @tf.function
    def f(x, other, n):
        for _i in tf.range(n):
            other = tf.tanh(other)
            x = x + other
        return x, other

    kept, _ = kept_by(f, tf.zeros([10]), tf.zeros([10]), tf.constant(3))
    assert kept == [()] * 3


def test_what_a_loop_captures_is_not_kept_each_time():
    @tf.function
    def f(x, w, n):
        for _i in tf.range(n):
            x = tf.linalg.matvec(w, x)
        return x

    kept, _ = kept_by(f, tf.zeros([10]), tf.zeros([10, 10]), tf.constant(3))
    assert kept == [()] * 3


def test_a_constant_that_a_tape_follows_into_a_loop():
    w = tf.constant(2.0)

    @tf.function
    def f(n):
        y = 1.0
        for _i in tf.range(n):
            y = y * w
        return y

    with tf.GradientTape() as tape:
        tape.watch(w)
        y = f(tf.constant(3))
    assert tape.gradient(y, w).numpy() == 12.0


def test_set_shape_in_a_branch_that_a_tape_follows_is_kept():
    def state_of(action):
        return np.full([2], action, np.float32)

    @tf.function
    def f(x, go):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for i in tf.range(3):
                x = tf.expand_dims(x * 2.0, 0)[0]
                y = y + x
                x = tf.numpy_function(state_of, [i], tf.float32)
                x.set_shape([2])
                if go:
                    break
        return y, x.shape.as_list()

    value, shape = f(tf.constant([1.0, 2.0]), tf.constant(False))
    assert value.numpy().tolist() == [5.0, 8.0] and list(shape) == [2]
