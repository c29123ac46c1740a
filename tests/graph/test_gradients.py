"""`tf.gradients`: values are TensorFlow's, errors its types."""

import numpy as np
import pytest

import tapeflow as tf

TWO = tf.constant(2.0)


def traced(f, *args, **kwargs):
    return tf.function(f, **kwargs)(*args)


def test_sums_over_targets_with_gradients_from_above():
    got = traced(lambda x: tf.gradients([x * x, x * 3.0], x, grad_ys=[tf.constant(2.0), None]), TWO)
    assert [float(g) for g in got] == [11.0]


def test_tensors_made_in_the_function_and_what_is_computed_of_them():
    def partial():
        a = tf.constant(0.0)
        b = 2 * a
        return tf.gradients(a + b, [a, b]), tf.gradients(a + b, [a, b], stop_gradients=[a, b])

    total, parts = traced(partial)
    assert [float(g) for g in total] == [3.0, 1.0] and [float(g) for g in parts] == [1.0, 1.0]


@pytest.mark.parametrize("make", [tf.ones, tf.zeros, lambda s: tf.fill(s, 2.0), lambda s: tf.range(3.0)])
def test_each_way_to_make_a_tensor(make):
    def f():
        a = make([3])
        return tf.gradients(a * 3.0, a)[0]

    np.testing.assert_array_equal(traced(f), [3.0, 3.0, 3.0])


def test_stopped_between_source_and_target():
    def f(x):
        y = x * x
        z = tf.sin(x)
        return tf.gradients(y * z, x, stop_gradients=y)[0]

    np.testing.assert_allclose(traced(f, TWO), 4.0 * np.cos(2.0), rtol=1e-6)


def test_an_intermediate_result_is_a_source():
    def f(x):
        y = x * x
        return tf.gradients(tf.exp(y) + x, [y, x])

    y, x = traced(f, TWO)
    np.testing.assert_allclose([y, x], [np.exp(4.0), 4 * np.exp(4.0) + 1], rtol=1e-6)


def test_every_read_of_a_variable_counts():
    v = tf.Variable(2.0)

    def f():
        a = v * v
        v.assign(5.0)
        return tf.gradients(a + v * 3.0, v)

    assert [float(g) for g in traced(f)] == [7.0]


def test_rows_that_were_gathered():
    v = tf.Variable(tf.ones([4, 2]))
    (slices,) = traced(lambda: tf.gradients(tf.gather(v, [1, 1]) * 3.0, v))
    assert isinstance(slices, tf.IndexedSlices)
    np.testing.assert_array_equal(tf.convert_to_tensor(slices), [[0, 0], [6, 6], [0, 0], [0, 0]])


def test_what_is_not_connected():
    def f(x, n):
        none = tf.gradients([tf.constant(1.0), tf.cast(x, tf.int32), tf.argmax([x])], [x, n, 3.0])
        zero = tf.gradients(tf.constant(1.0), x, unconnected_gradients="zero")
        assert none == [None, None, None]
        return zero

    assert [float(g) for g in traced(f, TWO, tf.constant(3))] == [0.0]


def test_of_gradients():
    def f(x):
        first = tf.gradients(x**4, x)
        second = tf.gradients(first, x)
        return second, tf.gradients(second, x)

    assert [float(g) for g in tf.nest.flatten(traced(f, TWO))] == [48.0, 48.0]


def test_under_a_tape_inside_and_outside():
    def inside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            first = tf.gradients(x**3, x)[0]
        return tape.gradient(first, x)

    assert float(traced(inside, TWO)) == 12.0
    outside = tf.function(lambda x: tf.gradients(x**3, x)[0])
    with tf.GradientTape() as tape:
        tape.watch(TWO)
        first = outside(TWO)
    assert float(tape.gradient(first, TWO)) == 12.0


def test_of_what_a_tape_computed():
    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tf.gradients(tape.gradient(y, x), x)

    assert float(traced(f, TWO)[0]) == 12.0


def test_inside_a_branch_of_what_was_computed_before_it():
    def f(x):
        y = x * x
        return tf.cond(x > 0.0, lambda: tf.gradients(y * 2.0, x)[0], lambda: x)

    assert float(traced(f, TWO)) == 8.0 and float(traced(f, -TWO)) == -2.0


def test_through_calls_and_functions_with_their_own_gradient():
    @tf.custom_gradient
    def doubled(x):
        return x * 2.0, lambda g: g * 10.0

    inner = tf.function(lambda x: doubled(x) * x)
    # 10 x for the first factor, 2 x for the second
    assert float(traced(lambda x: tf.gradients(inner(x), x), TWO)[0]) == 24.0


def test_through_a_loop_that_no_tape_followed():
    def f(x, n):
        y = x
        for _ in tf.range(n):
            y = y * x + tf.random.uniform([])
        z = tf.gradients(y, x)[0]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tf.range(n):
                y = y * x
        return z, tape.gradient(y, x), tf.gradients(tf.identity(x) * y, [x])[0]

    z, of_tape, _ = traced(f, TWO, tf.constant(3))
    # the random numbers make z larger
    assert float(of_tape) == 32.0 and 32.0 < float(z) < 32.0 + 4.0 + 1.0


def test_through_a_branch_with_an_effect_that_no_tape_followed():
    kept = tf.Variable(0.0)

    def f(x):
        def noisy():
            r = tf.random.uniform([])
            kept.assign(r)
            return x * r

        y = tf.cond(x > 0.0, noisy, lambda: x * 7.0)
        return tf.gradients(y, x)[0]

    g = tf.function(f)
    assert float(g(TWO)) == float(kept) > 0
    assert float(g(-TWO)) == 7.0


@pytest.mark.parametrize("shape", [(2, 3), (4, 3)])
def test_shapes_that_are_not_known(shape):
    def f(x):
        y = tf.reshape(x, [-1, tf.shape(x)[1]]) * tf.reduce_sum(x, 0)
        return tf.gradients(tf.reshape(y, [tf.size(y)]) ** 2, x)[0]

    x = tf.constant(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    got = traced(f, x, input_signature=[tf.TensorSpec([None, None])])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = (x * tf.reduce_sum(x, 0)) ** 2
    np.testing.assert_allclose(got, tape.gradient(y, x), rtol=1e-5)


def test_complex_numbers_need_a_gradient_from_above():
    x = tf.constant(2 + 1j)
    got = traced(lambda x: tf.gradients(x * x, x, grad_ys=tf.ones_like(x)), x)
    np.testing.assert_allclose(got[0], np.conj(2 * (2 + 1j)))
    with pytest.raises(TypeError, match="grad_ys"):
        traced(lambda x: tf.gradients(x * x, x), x)


REFUSED = {
    "number": (ValueError, lambda x: tf.gradients([x, x], x, grad_ys=[x])),
    "shape": (ValueError, lambda x: tf.gradients(x, x, grad_ys=[tf.ones([2])])),
    "dtype": (TypeError, lambda x: tf.gradients(x, x, grad_ys=[tf.ones([], tf.float64)])),
    "unconnected": (ValueError, lambda x: tf.gradients(x, x, unconnected_gradients="all")),
    "aggregation": (ValueError, lambda x: tf.gradients(x, x, aggregation_method=77)),
    "dict": (TypeError, lambda x: tf.gradients({"a": x}, x)),
    "dict of sources": (TypeError, lambda x: tf.gradients(x, {"a": x})),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_use(case):
    error, f = REFUSED[case]
    with pytest.raises(error):
        traced(f, TWO)


def test_outside_of_a_function_and_of_another_functions_tensors():
    with pytest.raises(RuntimeError, match=r"tf\.GradientTape"):
        tf.gradients(TWO * TWO, TWO)
    leaked = []
    traced(lambda x: leaked.append(x * x) or x, TWO)
    with pytest.raises(TypeError, match="out of scope"):
        traced(lambda x: tf.gradients(leaked[0], x), TWO)


def test_loops_over_constants_of_the_function_keep_nothing():
    def f(n):
        s = tf.constant(0.0)
        for i in tf.range(n):
            s += tf.cast(i, tf.float32)
        return s

    text = str(tf.function(f).get_concrete_function(tf.constant(3)).graph)
    assert "while_loop(" in text and "while_loop_saving" not in text
