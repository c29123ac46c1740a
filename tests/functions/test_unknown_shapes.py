"""Functions traced with dimensions that are not known: one graph for all of them."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import assert_same

ANY = tf.TensorSpec([None, 3], tf.float32)


def batches():
    rng = np.random.default_rng(0)
    return [tf.constant(rng.normal(size=(n, 3)).astype(np.float32)) for n in (2, 5, 1)]


def gradient(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(f(x))
    return tape.gradient(y, x)


PROGRAMS = {
    "mean": lambda x: tf.reduce_mean((x * 2.0 + tf.constant([1.0, 2.0, 3.0])) ** 2),
    "mean of rows": lambda x: tf.reduce_mean(x * x, 0),
    "variance": lambda x: tf.math.reduce_variance(x, 0),
    "softmax": lambda x: tf.nn.softmax(x)[:, 0],
    "matmul": lambda x: tf.matmul(x, x, transpose_a=True),
    "broadcast": lambda x: x - tf.reduce_max(x, 1, keepdims=True),
    "flat": lambda x: tf.reshape(x, [-1]) ** 2,
    "shape": lambda x: tf.reshape(x, [tf.shape(x)[0] * 3]) ** 2,
    "zeros": lambda x: tf.zeros([tf.shape(x)[0], 3]) + x,
    "last row": lambda x: x[tf.shape(x)[0] - 1] ** 2,
    "slice": lambda x: x[: tf.shape(x)[0] // 2 + 1] ** 2,
    "gather": lambda x: tf.gather(x, [0, 0]) ** 2,
    "concat": lambda x: tf.concat([x, x], 0) ** 2,
    "where": lambda x: tf.where(x > 0.0, x, tf.zeros_like(x)) ** 2,
    "mask": lambda x: x[x > 0.0] ** 2,
    "rows by a mask": lambda x: tf.boolean_mask(x, x[:, 0] > 0.0) ** 2,
    "range": lambda x: x * tf.cast(tf.range(tf.shape(x)[0]), tf.float32)[:, tf.newaxis],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_those_of_eager_mode(name):
    f = PROGRAMS[name]
    traced = tf.function(f, input_signature=[ANY])
    inside = tf.function(lambda x: tf.convert_to_tensor(gradient(f, x)), input_signature=[ANY])
    for x in batches():
        assert_same(traced(x), f(x))
        want = tf.convert_to_tensor(gradient(f, x))
        assert_same(tf.convert_to_tensor(gradient(traced, x)), want)
        assert_same(inside(x), want)
    assert traced.experimental_get_tracing_count() == 1


def test_what_is_known_of_the_shape():
    shapes = []

    @tf.function(input_signature=[ANY])
    def f(x):
        shapes.append((x.shape.as_list(), tf.matmul(x, tf.ones([3, 4])).shape.as_list()))
        y = tf.reshape(x, [-1, 3])
        y.set_shape([2, 3])
        return y

    assert f.get_concrete_function().structured_outputs.shape.as_list() == [2, 3]
    assert shapes == [([None, 3], [None, 4])]


def test_a_depth_that_a_tensor_gives():
    f = tf.function(lambda x: tf.one_hot([0, 1], tf.shape(x)[0]), input_signature=[ANY])
    for n in (2, 4):
        np.testing.assert_array_equal(f(tf.ones([n, 3])), np.eye(2, n))


def test_a_size_that_is_not_known_is_no_int():
    f = tf.function(lambda x: x * int(tf.shape(x)[0]), input_signature=[ANY], autograph=False)
    with pytest.raises(TypeError, match="test_unknown_shapes.py"):
        f(tf.ones([2, 3]))


def test_a_keras_model_of_unknown_batches():
    model = tf.keras.Sequential([tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(1)])
    model.build((None, 3))
    loss = tf.keras.losses.MeanSquaredError()

    @tf.function(input_signature=[ANY, tf.TensorSpec([None, 1], tf.float32)])
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x))
        return value, tape.gradient(value, model.trainable_variables)

    for x in batches():
        y = tf.ones([x.shape[0], 1])
        with tf.GradientTape() as tape:
            want = loss(y, model(x))
        value, gradients = step(x, y)
        assert_same(value, want)
        for a, b in zip(gradients, tape.gradient(want, model.trainable_variables), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


W = tf.constant(np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32))
OF_ROWS = {
    "square": lambda x: x * x,
    "product": lambda x: tf.tanh(tf.matmul(x, W)),
    "softmax": tf.nn.softmax,
    "gather": lambda x: tf.gather(x, [0, 1], axis=1) ** 2,
    "greatest": lambda x: tf.math.top_k(x, 2)[0] ** 2,
    "slice": lambda x: x[:, 1:] ** 2,
    "reshape": lambda x: tf.reshape(x, [tf.shape(x)[0], -1]) ** 2,
}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", OF_ROWS)
def test_jacobians(name, at_once):
    def f(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = OF_ROWS[name](x)
        whole = tape.jacobian(y, x, experimental_use_pfor=at_once)
        return whole, tape.batch_jacobian(y, x, experimental_use_pfor=at_once)

    for signature in (ANY, tf.TensorSpec([None, None])):
        traced = tf.function(f, input_signature=[signature])
        for x in batches():
            for got, want in zip(traced(x), f(x), strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", OF_ROWS)
def test_forward_mode(name):
    def f(x):
        with tf.autodiff.ForwardAccumulator(x, x + 1.0) as accumulator:
            y = OF_ROWS[name](x)
        return accumulator.jvp(y)

    traced = tf.function(f, input_signature=[tf.TensorSpec([None, None])])
    for x in batches():
        np.testing.assert_allclose(traced(x), f(x), rtol=1e-5, atol=1e-6)


def test_forward_over_backward():
    def f(x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            g = gradient(OF_ROWS["product"], x)
        return accumulator.jvp(g)

    traced = tf.function(f, input_signature=[ANY])
    for x in batches():
        np.testing.assert_allclose(traced(x), f(x), rtol=1e-5, atol=1e-6)


PARTS = {
    "row": lambda v, i: v[i],
    "rows": lambda v, i: v[i:],
    "column": lambda v, i: v[:, i],
    "element": lambda v, i: v[i, 1],
    "range": lambda v, i: v[..., i : i + 1],
}


@pytest.mark.parametrize("how", ["assign", "assign_add", "assign_sub"])
@pytest.mark.parametrize("part", PARTS)
def test_assigning_to_a_part_whose_place_a_tensor_gives(part, how):
    v = tf.Variable(tf.ones([4, 3]))

    def f(i, x):
        getattr(PARTS[part](v, i), how)(x)
        return v.read_value()

    want = f(tf.constant(1), tf.constant(5.0))
    v.assign(tf.ones([4, 3]))
    np.testing.assert_array_equal(tf.function(f)(tf.constant(1), tf.constant(5.0)), want)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.function(f)(tf.constant(1), tf.ones([7, 7]))
    np.testing.assert_array_equal(v, want)


def test_sizes_that_do_not_fit_are_found_when_the_graph_runs():
    f = tf.function(lambda x: tf.split(x, 2)[0], input_signature=[ANY])
    with pytest.raises(tf.errors.InvalidArgumentError, match="evenly divide"):
        f(tf.ones([5, 3]))
    g = tf.function(lambda x: tf.math.top_k(x, 4)[0], input_signature=[tf.TensorSpec([None])])
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least k columns"):
        g(tf.ones([3]))


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_positions_that_a_tensor_gives(engine, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", engine)
    f = tf.function(lambda x, i: (x[0, i] * 2.0, x[i, 1:], x[:, i : i + 1]))
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    for dtype in ("int32", "int64"):
        element, row, column = f(x, tf.constant(1, dtype))
        assert (float(element), row.numpy().tolist(), column.numpy().tolist()) == (4.0, [4.0], [[2.0], [4.0]])


def test_gather_nd_and_scatters_of_unknown_sizes():
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.gather_nd(x, [[0, 1], [1, 0]]) ** 2
            z = tf.tensor_scatter_nd_update(x, [[0]], [[7.0, 8.0]]) ** 2
        return y, z, tape.gradient([y, z], x)

    y, z, g = f(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    assert (y.numpy().tolist(), z.numpy().tolist()) == ([4.0, 9.0], [[49.0, 64.0], [9.0, 16.0]])
    assert g.numpy().tolist() == [[0.0, 4.0], [12.0, 8.0]]
