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
    assert "while_loop(" in text and "keeps" not in text


# -- loops and branches, through which nobody said that derivatives would be asked for ---------------------------------

X = tf.constant([0.7, -0.4], tf.float64)
W = tf.constant([[0.3, -0.2], [0.5, 0.1]], tf.float64)
V = tf.Variable([1.5, 0.5], dtype=tf.float64)


def loop_and_branch(x, n):
    def body(i, y):
        z = tf.linalg.matvec(W * x[0], y)
        return i + 1, tf.cond(tf.reduce_sum(z) > 0.0, lambda: tf.sin(z) * y * V, lambda: tf.exp(z) * x * V)

    return tf.reduce_sum(tf.while_loop(lambda i, y: i < n, body, (0, x))[1] ** 2)


def branch(x, n):
    y = x * tf.cos(x)
    return tf.reduce_sum(tf.cond(n > 1, lambda: tf.sin(y * x) * V, lambda: tf.exp(y) * V * V) ** 2)


def nested_loops(x, n):
    def body(i, y):
        inner = tf.while_loop(lambda j, z: j < i + 1, lambda j, z: (j + 1, tf.sin(z * y) + x * V), (0, y))[1]
        return i + 1, tf.cond(y[0] > 0.5, lambda: inner * x, lambda: inner + y)

    return tf.reduce_sum(tf.while_loop(lambda i, y: i < n, body, (0, x))[1] ** 2)


def array_in_a_loop(x, n):
    def body(i, ta):
        return i + 1, ta.write(i, tf.sin(ta.read(i - 1) * x) + V)

    ta = tf.TensorArray(tf.float64, n + 1, clear_after_read=False, element_shape=[2]).write(0, x)
    return tf.reduce_sum(tf.while_loop(lambda i, ta: i <= n, body, (1, ta))[1].stack() ** 3)


def variable_that_the_loop_writes(x, n):
    kept = V + 0.0

    def body(i, y):
        V.assign(V * 0.5)
        return i + 1, y * tf.sin(V * x)

    made = tf.reduce_sum(tf.while_loop(lambda i, y: i < n, body, (0, x))[1] ** 2)
    V.assign(kept)
    return made


def orders(f, x, n, derive):
    """Derivatives of the first three orders with respect to a tensor and a variable."""
    d1 = derive(lambda: f(x, n), x)
    d2 = derive(lambda: tf.reduce_sum(d1()[0] ** 2) + tf.reduce_sum(d1()[1]), x)
    d3 = derive(lambda: tf.reduce_sum(d2()[0] * W[0]), x)
    return [*d1(), *d2(), *d3()]


def by_tapes(y, x):
    def derived():
        with tf.GradientTape() as tape:
            tape.watch(x)
            of = y()
        return tape.gradient(of, [x, V], unconnected_gradients="zero")

    return derived


def by_gradients(y, x):
    return lambda: [tf.convert_to_tensor(g) for g in tf.gradients(y(), [x, V], unconnected_gradients="zero")]


LOOPS = {f.__name__: f for f in (branch, loop_and_branch, nested_loops, array_in_a_loop, variable_that_the_loop_writes)}


@pytest.mark.parametrize("name", LOOPS)
def test_every_order_through_loops_and_branches(name):
    f = LOOPS[name]
    g = tf.function(lambda x, n: orders(f, x, n, by_gradients), autograph=False)
    for n in (0, 1, 3):
        n = tf.constant(n)
        for k, (a, b) in enumerate(zip(orders(f, X, n, by_tapes), g(X, n), strict=True)):
            np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12, err_msg=f"derivative {k}")


@pytest.mark.parametrize("name", LOOPS)
def test_what_is_derived_once_is_derived_again(name):
    """Three calls of `tf.gradients`, each of what the last gave, of one loop."""
    f = LOOPS[name]

    def again(x, n):
        first = tf.gradients(f(x, n), x)[0]
        second = tf.gradients(tf.reduce_sum(first**2), x)[0]
        return first, second, tf.gradients(tf.reduce_sum(second * W[0]), x)[0]

    def eager(x, n):
        with tf.GradientTape() as outer, tf.GradientTape() as middle, tf.GradientTape() as inner:
            for tape in (outer, middle, inner):
                tape.watch(x)
            y = f(x, n)
            first = inner.gradient(y, x)
            s = tf.reduce_sum(first**2)
            second = middle.gradient(s, x)
            s = tf.reduce_sum(second * W[0])
        return first, second, outer.gradient(s, x)

    for n in (1, 2):
        n = tf.constant(n)
        for a, b in zip(eager(X, n), tf.function(again, autograph=False)(X, n), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("persistent", [False, True])
def test_of_loops_that_a_tape_follows(name, persistent):
    """For other tensors than the tape's, of what the tape gave, and the tape's own answers after that."""
    f = LOOPS[name]

    def run(x, n):
        u = x * 1.0
        with tf.GradientTape(persistent, watch_accessed_variables=False) as tape:
            tape.watch(u)
            y = f(u, n)
        ours = tf.gradients(y, [x, V], unconnected_gradients="zero")
        g = tape.gradient(y, u)
        return *ours, g, *tf.gradients(tf.reduce_sum(g**2), [x, V], unconnected_gradients="zero")

    n = tf.constant(2)
    got = tf.function(run, autograph=False)(X, n)
    first = by_tapes(lambda: f(X, n), X)
    want = [*first(), first()[0], *by_tapes(lambda: tf.reduce_sum(first()[0] ** 2), X)()]
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)


def test_inside_a_branch_of_a_loop_before_it_and_under_a_tape_of_the_call():
    def f(x, n):
        y = nested_loops(x, n)
        return tf.cond(n > 1, lambda: tf.gradients(y, x)[0] * x, lambda: x + y)

    g = tf.function(f, autograph=False)

    def want(x, n):
        y, d = nested_loops(x, n), by_tapes(lambda: nested_loops(x, n), x)
        return d()[0] * x if n > 1 else x + y

    for n in (1, 2):
        n = tf.constant(n)
        np.testing.assert_allclose(g(X, n), want(X, n), rtol=1e-10)
        a, b = (by_tapes(lambda h=h, n=n: h(X, n), X)() for h in (want, g))
        np.testing.assert_allclose(b[0], a[0], rtol=1e-10)


def test_a_loop_whose_body_takes_gradients():
    def f(x, n):
        return tf.while_loop(
            lambda i, y: i < n, lambda i, y: (i + 1, y - 0.1 * tf.gradients(loop_and_branch(y, i), y)[0]), (0, x)
        )[1]

    y, n = X, tf.constant(3)
    for i in range(3):
        y = y - 0.1 * by_tapes(lambda y=y, i=i: loop_and_branch(y, tf.constant(i)), y)()[0]
    np.testing.assert_allclose(tf.function(f, autograph=False)(X, n), y, rtol=1e-12)
