"""while_loop: eager as TensorFlow 2.21 has it, and traced to the same values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.control.branching import cond
from tapeflow.control.loops import while_loop
from tapeflow.functions.function import function

from .test_branching import both


def test_the_structure_stays():
    assert [int(x) for x in while_loop(lambda i: i < 3, lambda i: [i + 1], [tf.constant(0)])] == [3]
    i, d = while_loop(lambda i, d: i < 3, lambda i, d: (i + 1, {"a": d["a"] * 2.0}), (0, {"a": tf.constant(1.0)}))
    assert int(i) == 3 and d["a"].numpy() == 8.0
    (only,) = while_loop(lambda i: False, lambda i: i, [7])
    assert isinstance(only, tf.Tensor) and int(only) == 7


def test_maximum_iterations():
    assert int(while_loop(lambda i: i < 9, lambda i: [i + 1], [0], maximum_iterations=2)[0]) == 2
    f = function(lambda n: while_loop(lambda i: i < 9, lambda i: [i + 1], [tf.constant(0)], maximum_iterations=n))
    assert [int(f(tf.constant(n))[0]) for n in (3, 20)] == [3, 9]


@pytest.mark.parametrize(
    "args, kind",
    [
        ((3, lambda i: i, [0]), TypeError),
        ((lambda i: True, 3, [0]), TypeError),
        ((lambda i: True, lambda i: i, []), ValueError),
        ((lambda i: True, lambda i: i, None), ValueError),
        ((lambda i: i < 3, lambda i: (i + 1, i), [tf.constant(0)]), ValueError),
        ((lambda i, j: i < 3, lambda i, j: (i + 1, (j,)), [tf.constant(0), [tf.constant(1)]]), TypeError),
        ((lambda i, j: i < 3, lambda i, j: (i + 1, j), [tf.constant(0), None]), ValueError),
    ],
)
def test_refuses(args, kind):
    with pytest.raises(kind):
        while_loop(*args)


def test_parallel_iterations_and_limit_are_checked():
    with pytest.raises(TypeError, match="positive"):
        while_loop(lambda i: False, lambda i: i, [0], parallel_iterations=0)
    with pytest.raises(ValueError, match="scalar"):
        while_loop(lambda i: False, lambda i: i, [0], maximum_iterations=[2])


def test_a_loop_whose_length_a_tensor_decides():
    f = lambda n, x, y: while_loop(lambda i, a: i < n, lambda i, a: (i + 1.0, a * y + x), (0.0, x))[1]  # noqa: E731
    value, (dn, dx, dy) = both(f, 3.0, 2.0, 0.5)
    assert (value, dn) == (3.75, 0.0)
    assert dx == 1 + 0.5 + 0.25 + 0.125
    assert dy == 2 * (1 + 2 * 0.5 + 3 * 0.25)  # of x + xy + xy^2 + xy^3


def test_no_iteration_at_all():
    f = lambda n, x: while_loop(lambda i, a: i < n, lambda i, a: (i + 1.0, a * x), (0.0, x))[1]  # noqa: E731
    value, (_, dx) = both(f, 0.0, 2.0)
    assert (value, dx) == (2.0, 1.0)


def test_a_known_loop_is_unrolled_and_a_long_one_is_not():
    short = function(lambda x: while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a * x), (0, x))[1])
    long = function(lambda x: while_loop(lambda i, a: i < 500, lambda i, a: (i + 1, a + x), (0, x))[1])
    x = tf.constant(1.5)
    assert short(x).numpy() == np.float32(1.5) ** 5
    assert long(x).numpy() == 501 * 1.5
    assert "while_loop" not in str(short.get_concrete_function(x).graph)
    graph = str(long.get_concrete_function(x).graph)
    assert "while_loop" in graph and graph.count("\n") < 120


def test_variables_in_a_traced_loop_have_gradients():
    v = tf.Variable(2.0)

    @function(autograph=False)
    def f(n):
        return while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * v), (tf.constant(0), tf.constant(1.0)))[1]

    with tf.GradientTape() as tape:
        y = f(tf.constant(5))
    assert y.numpy() == 32.0 and tape.gradient(y, v).numpy() == 80.0


def test_a_tape_inside_of_the_function():
    v = tf.Variable(2.0)

    @function(autograph=False)
    def f(x):
        with tf.GradientTape() as tape:
            y = while_loop(lambda a: a < x, lambda a: [a * v], [tf.constant(1.0)])[0] * v
        return tape.gradient(y, v)

    assert f(tf.constant(20.0)).numpy() == 192.0  # 6 v^5


def test_a_loop_that_assigns_reads_what_it_assigned():
    w = tf.Variable(0.0)

    @function(autograph=False)
    def f(n):
        while_loop(lambda i: i < n, lambda i: [w.assign_add(w * 0.5 + 1.0) * 0.0 + i + 1.0], [tf.constant(0.0)])
        return w.read_value()

    assert f(tf.constant(3.0)).numpy() == 4.75 == w.numpy()


def test_random_numbers_of_a_loop_are_drawn_once():
    @function(autograph=False)
    def f(x, n):
        return while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * tf.random.uniform([])), (tf.constant(0), x))[1]

    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x, tf.constant(4))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), (y / x).numpy(), rtol=1e-6)


def test_shape_invariants():
    def grow(n, x, invariants=None):
        return while_loop(
            lambda i, a: i < n, lambda i, a: [i + 1, tf.concat([a, x], 0)], [tf.constant(0), x], invariants
        )[1]

    shapes = [tf.TensorShape([]), tf.TensorShape([None])]
    x = tf.constant([1.0, 2.0])
    np.testing.assert_array_equal(
        function(lambda n: grow(n, x, shapes), autograph=False)(tf.constant(2)).numpy(), [1, 2] * 3
    )
    with pytest.raises(ValueError, match="shape_invariants"):
        function(lambda n: grow(n, x), autograph=False)(tf.constant(2))
    with pytest.raises(ValueError, match="1 shapes for 2"):
        function(lambda n: grow(n, x, shapes[:1]), autograph=False)(tf.constant(2))


def test_a_traced_loop_keeps_its_dtypes():
    with pytest.raises(TypeError, match="int32 and is float32"):
        function(
            lambda n: while_loop(lambda i: i < n, lambda i: [tf.cast(i, tf.float32)], [tf.constant(0)]), autograph=False
        )(tf.constant(2))


def test_second_derivatives():
    f = function(lambda x: while_loop(lambda a: a < 20.0, lambda a: [a * x], [x])[0], autograph=False)
    x = tf.constant(2.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        d = inner.gradient(y, x)
    assert (y.numpy(), d.numpy(), outer.gradient(d, x).numpy()) == (32.0, 80.0, 160.0)

    @function(autograph=False)
    def within(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = while_loop(lambda a: a < 20.0, lambda a: [a * x], [x])[0]
            d = inner.gradient(y, x)
        return outer.gradient(d, x)

    assert within(x).numpy() == 160.0


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 4),
    st.floats(-2, 2, width=32),
    st.lists(st.sampled_from(["add", "mul", "branch", "sin"]), min_size=1, max_size=4),
)
def test_random_loops_are_the_same_eager_and_traced(n, start, steps):
    def body(a, x):
        for step in steps:
            if step == "add":
                a = a + x
            elif step == "mul":
                a = a * x
            elif step == "sin":
                a = tf.sin(a)
            else:
                a = cond(a > 1.1 * x, lambda a=a: a - 0.5 * x, lambda a=a: a * 0.5)
        return a

    both(
        lambda x: while_loop(lambda i, a: i < float(n) + 0.0 * x, lambda i, a: (i + 1.0, body(a, x)), (0.0, x * 2.0))[
            1
        ],
        start,
    )


def test_forward_mode_sees_through_a_traced_loop():
    f = function(lambda x: while_loop(lambda a: a < 10.0, lambda a: [a * x], [x])[0], autograph=False)
    x = tf.constant(2.0)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
        y = f(x)
    assert (y.numpy(), accumulator.jvp(y).numpy()) == (16.0, 32.0)
