"""TensorArrays in loops and branches of a graph, of sizes and at indices that only the running graph knows."""

import numpy as np
import pytest

import tapeflow as tf

ROWS = [tf.TensorSpec([None, 2], tf.float64)]


def accumulated(x):
    n = tf.shape(x)[0]
    ta = tf.TensorArray(x.dtype, n)
    a = tf.zeros_like(x[0])
    for i in tf.range(n):
        a = tf.sin(a) + x[i] * x[i]
        ta = ta.write(i, a)
    return tf.reduce_sum(ta.stack() ** 2)


def growing(x):
    n = tf.shape(x)[0]
    ta = tf.TensorArray(x.dtype, 0, dynamic_size=True, element_shape=x.shape[1:])
    i = 0
    while i < n:
        if tf.reduce_sum(x[i]) > 0.0:
            ta = ta.write(ta.size(), x[i] * 2.0)
        else:
            ta = ta.write(ta.size(), tf.exp(x[i]))
        i += 1
    return tf.reduce_sum(ta.concat() ** 3)


def looking_back(x):
    n = tf.shape(x)[0]
    ta = tf.TensorArray(x.dtype, n + 2, clear_after_read=False).write(0, x[0]).write(1, x[1])
    for i in tf.range(2, n + 2):
        ta = ta.write(i, ta.read(i - 1) * ta.read(i - 2) + x[i - 2])
    return tf.reduce_sum(ta.gather([n + 1, 0, n]))


def whole(x):
    n = tf.shape(x)[0]
    ta = tf.TensorArray(x.dtype, n, clear_after_read=False).unstack(x)
    ta = ta.scatter([0, n - 1, 0], tf.stack([x[1] ** 2, x[0] ** 3, x[1] ** 4]))
    parts = tf.TensorArray(x.dtype, 3, infer_shape=False, clear_after_read=False).split(x, tf.stack([1, n - 2, 1]))
    return tf.reduce_sum(ta.stack() * parts.concat()) + tf.reduce_sum(parts.read(0) ** 2)


def of_a_branch(x):
    ta = tf.TensorArray(x.dtype, 2, element_shape=x.shape[1:])
    ta = tf.cond(tf.reduce_sum(x) > 0.0, lambda: ta.write(0, x[0] ** 2), lambda: ta.write(1, x[1] ** 3))
    if x[0, 0] > 0.0:
        ta = ta.write(1, ta.stack()[0] * x[1])
    return tf.reduce_sum(ta.stack())


def of_nested_loops(x):
    n = tf.shape(x)[0]
    table = tf.TensorArray(x.dtype, n)
    for i in tf.range(n):
        row = tf.TensorArray(x.dtype, n)
        for j in tf.range(n):
            row = row.write(j, tf.reduce_sum(x[i] * x[j]))
        table = table.write(i, tf.tanh(row.stack()))
    return tf.reduce_sum(table.stack() ** 2)


def with_while_loop(x):
    n = tf.shape(x)[0]

    def body(i, state):
        return i + 1, {"ta": state["ta"].write(i, state["a"]), "a": tf.sin(state["a"] + x[i])}

    state = {"ta": tf.TensorArray(x.dtype, n), "a": x[0]}
    _, after = tf.while_loop(lambda i, state: i < n, body, (0, state), maximum_iterations=4)
    return tf.reduce_sum(after["ta"].stack() * after["a"])


PROGRAMS = [accumulated, growing, looking_back, whole, of_a_branch, of_nested_loops, with_while_loop]


def first(f):
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return y, tape.gradient(y, x)

    return run


def second(f):
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, g = first(f)(x)
            s = tf.reduce_sum(g * g)
        return y, g, tape.gradient(s, x)

    return run


def forward(f):
    def run(x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
            y = f(x)
        return y, acc.jvp(y)

    return run


def values(results):
    return [x.numpy() for x in results]


@pytest.mark.parametrize("f", PROGRAMS)
@pytest.mark.parametrize("rows", [2, 5])
def test_traced_programs_are_the_eager_ones(f, rows, to_the_bit):
    x = tf.constant(np.random.default_rng(rows).standard_normal((rows, 2)))
    for signature in (ROWS, None):
        for a, b in zip(values(first(f)(x)), values(tf.function(first(f), signature)(x)), strict=True):
            np.testing.assert_array_equal(b, a)
        outside = values(first(tf.function(f, signature))(x))
        np.testing.assert_array_equal(outside[1], values(first(f)(x))[1])


@pytest.mark.parametrize("f", PROGRAMS)
def test_derivatives_of_every_kind(f):
    x = tf.constant(np.random.default_rng(7).standard_normal((3, 2)))
    for kind in (second, forward):
        for a, b in zip(values(kind(f)(x)), values(tf.function(kind(f), ROWS)(x)), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12)
    for a, b in zip(values(second(f)(x)), values(second(tf.function(f, ROWS))(x)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12)


def test_values_recorded_from_tensorflow():
    @tf.function
    def f(n):
        scale = tf.cast(n, tf.float32)
        ta = tf.TensorArray(tf.float32, n)
        scattered = ta.scatter([2, 0, 2], tf.constant([1.0, 2.0, 3.0]) * scale).stack()
        rows = ta.unstack(tf.range(3.0) * scale)
        uneven = tf.TensorArray(tf.float32, n, infer_shape=False).split(tf.range(6.0), [1, n - 1, n])
        grown = tf.TensorArray(tf.float32, 0, dynamic_size=True).write(n + 1, 1.0)
        partly = ta.write(n - 1, [1.0, 2.0]).stack()
        return (
            scattered,
            rows.gather([n - 1, 0]),
            rows.gather(tf.range(n * 0)),
            rows.read(n - 1) + rows.read(n - 1),
            uneven.read(n - 1),
            uneven.concat(),
            grown.stack(),
            grown.size(),
            partly,
            len(ta),
        )

    expected = [
        [6.0, 0.0, 9.0],
        [6.0, 0.0],
        [],
        12.0,
        [3.0, 4.0, 5.0],
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
        5,
        [[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]],
        3,
    ]
    assert [y.numpy().tolist() for y in f(tf.constant(3))] == expected


def test_what_is_known_of_the_shape():
    seen = []

    @tf.function
    def f(n):
        ta = tf.TensorArray(tf.float32, n)
        for i in tf.range(n):
            ta = ta.write(i, tf.ones([2]) * tf.cast(i, tf.float32))
        seen.append((ta.stack().shape.as_list(), ta.element_shape.as_list()))
        fixed = tf.TensorArray(tf.float32, 4)
        for i in tf.range(n):
            fixed = fixed.write(i, tf.ones([2]))
        seen.append(fixed.stack().shape.as_list())
        return fixed.stack()

    assert f(tf.constant(2)).numpy().tolist() == [[1.0, 1.0]] * 2 + [[0.0, 0.0]] * 2
    assert seen == [([None, 2], [2]), [4, 2]]


def test_strings():
    @tf.function
    def f(n):
        ta = tf.TensorArray(tf.string, n)
        for i in tf.range(1, n):
            ta = ta.write(i, "a")
        return ta.stack()

    assert f(tf.constant(3)).numpy().tolist() == [b"", b"a", b"a"]


def array(n, **options):
    return tf.TensorArray(tf.float32, n, **options)


@pytest.mark.parametrize(
    "f, message",
    [
        (lambda n: array(n, element_shape=()).read(n + 2), "index 5 but array size is: 3"),
        (lambda n: array(n, element_shape=()).read(n - 4), "negative"),
        (lambda n: array(n).write(n + 2, 1.0).stack(), "not resizeable"),
        (lambda n: array(n).write(n - 5, 1.0).stack(), "negative"),
        (lambda n: array(n).read(n - 1), "never written"),
        (lambda n: array(n).stack(), "never written"),
        (lambda n: array(n).split(tf.range(6.0), [n, n + 1]).stack(), "sum of lengths is 7"),
        (lambda n: array(n).write(n - 1, 1.0).concat(), "scalar shape at index 0"),
        (lambda n: array(n, infer_shape=False).write(0, [1.0]).write(n - 1, [1.0, 2.0]).stack(), "differ in shape"),
    ],
)
def test_errors_of_the_running_graph(f, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
        tf.function(f, autograph=False)(tf.constant(3))
    assert "test_graph_arrays.py" in "".join(getattr(caught.value, "__notes__", ["test_graph_arrays.py"]))


def other_type(n):
    x = tf.TensorArray(tf.float32, 3)
    for _ in tf.range(n):
        x = tf.ones([3])
    return x


def other_dtype(n):
    x = tf.TensorArray(tf.float32, 3)
    if n > 2:
        x = tf.TensorArray(tf.int32, 3)
    return x.stack()


@pytest.mark.parametrize("f", [other_type, other_dtype])
def test_arrays_stay_what_they_are(f):
    with pytest.raises(TypeError, match="'x' is a TensorArray.* \\(at test_graph_arrays.py:"):
        tf.function(f)(tf.constant(3))


def test_elements_must_fit():
    with pytest.raises(tf.errors.InvalidArgumentError, match="write dtype int32"):
        tf.function(lambda n: array(n).write(n - 1, tf.constant(1)).stack())(tf.constant(3))
    with pytest.raises(ValueError, match="Incompatible shape"):
        tf.function(lambda n: array(n, element_shape=[2]).write(n - 1, 1.0).stack())(tf.constant(3))
    with pytest.raises(ValueError, match="Cannot unstack a scalar"):
        tf.function(lambda x: array(3).unstack(x).stack())(tf.constant(3.0))


def test_a_list_that_a_loop_fills_is_refused_with_the_way_out():
    @tf.function
    def f(n):
        found = []
        for i in tf.range(n):
            found.append(i)
        return found

    with pytest.raises(TypeError, match="TensorArray, not in a Python list"):
        f(tf.constant(3))
