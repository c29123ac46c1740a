"""map_fn, foldl, foldr, scan and vectorized_map, eager as TensorFlow 2.21 has them, and traced."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.control.branching import cond
from tapeflow.control.mapping import foldl, foldr, map_fn, scan
from tapeflow.control.vectorized import vectorized_map
from tapeflow.functions.function import function

from .test_branching import both

X = np.array([[-1.5, 0.25], [-0.5, 0.75], [2.0, -0.5]], np.float32)


def test_map_fn():
    value, (dx,) = both(lambda x: map_fn(lambda v: v * v + tf.reduce_sum(v), x), X)
    np.testing.assert_allclose(value, X * X + X.sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(dx, 2 * X + 2, rtol=1e-6)


def test_map_fn_signatures():
    pair = (tf.constant([1.0, 2.0]), tf.constant([3.0, 5.0]))
    a, b = map_fn(lambda v: (v[0] * v[1], v[0]), pair)
    assert a.numpy().tolist() == [3.0, 10.0] and b.numpy().tolist() == [1.0, 2.0]
    assert map_fn(lambda v: v[0] + v[1], pair, fn_output_signature=tf.float32).numpy().tolist() == [4.0, 7.0]
    assert map_fn(lambda v: v > 1, tf.constant([1, 2]), dtype=tf.bool).numpy().tolist() == [False, True]
    assert map_fn(lambda v: v, tf.zeros([0, 3]), fn_output_signature=tf.TensorSpec([3])).shape == [0, 3]
    found = map_fn(lambda v: {"a": v}, tf.constant([1, 2]), fn_output_signature={"a": tf.int32})
    assert found["a"].numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    "call, kind",
    [
        (lambda: map_fn(lambda v: v, [1.0, 2.0]), ValueError),
        (lambda: map_fn(lambda v: v, [], fn_output_signature=tf.float32), ValueError),
        (lambda: map_fn(lambda v: v[0], (tf.zeros([2]), tf.zeros([3])), tf.float32), ValueError),
        (lambda: map_fn(lambda v: tf.cast(v, tf.int32), tf.zeros([2])), tf.errors.InvalidArgumentError),
        (lambda: map_fn(lambda v: tf.range(v), tf.constant([1, 2])), ValueError),
        (lambda: map_fn(lambda v: (v, v), tf.constant([1, 2])), ValueError),
        (lambda: map_fn(lambda v: None, tf.constant([1, 2])), ValueError),
        (lambda: map_fn(lambda v: [v, v], tf.constant([1]), (tf.int32, tf.int32)), TypeError),
        (lambda: map_fn(3, tf.constant([1])), TypeError),
        (lambda: foldl(lambda a, v: a + v, tf.constant(1)), IndexError),
        (lambda: foldl(lambda a, v: a + v, tf.constant([])), tf.errors.OutOfRangeError),
        (lambda: foldl(lambda a, v: (a, v), tf.constant([1, 2])), ValueError),
        (lambda: foldr(3, tf.constant([1])), TypeError),
        (lambda: scan(lambda a, v: a + v, tf.zeros([0])), tf.errors.OutOfRangeError),
        (lambda: scan(lambda a, v: tf.stack([a, v]), tf.constant([1, 2])), ValueError),
        (lambda: scan(lambda a, v: tf.cast(a + v, tf.float32), tf.constant([1, 2])), tf.errors.InvalidArgumentError),
        (lambda: scan(lambda a, v: (a, v), tf.constant([1, 2])), ValueError),
        (lambda: vectorized_map(lambda v: v, tf.constant(1.0)), IndexError),
        (lambda: vectorized_map(lambda v: v[0], (tf.zeros([2]), tf.zeros([3]))), tf.errors.InvalidArgumentError),
        (lambda: vectorized_map(3, tf.zeros([2])), TypeError),
    ],
)
def test_refuses(call, kind):
    with pytest.raises(kind):
        call()


def test_folds():
    x = tf.constant([1, 2, 3])
    assert int(foldl(lambda a, v: a - v, x)) == -4
    assert int(foldl(lambda a, v: a - v, x, initializer=10)) == 4
    assert int(foldr(lambda a, v: a - v, x)) == 0
    assert int(foldr(lambda a, v: a * 10 + v, x, initializer=0)) == 321
    a, b = foldl(lambda a, v: (a[0] + v, a[1] * 2.0), x, initializer=(0, 1.0))
    assert int(a) == 6 and float(b) == 8.0
    value, (dx,) = both(lambda x: foldl(lambda a, v: a * v, x), X)
    np.testing.assert_allclose(value, X.prod(0), rtol=1e-6)
    np.testing.assert_allclose(dx, X.prod(0) / X, rtol=1e-5)


def test_scan():
    x = tf.constant([1, 2, 3])
    assert scan(lambda a, v: a + v, x).numpy().tolist() == [1, 3, 6]
    assert scan(lambda a, v: a + v, x, reverse=True).numpy().tolist() == [6, 5, 3]
    assert scan(lambda a, v: a + v, x, initializer=10).numpy().tolist() == [11, 13, 16]
    assert scan(lambda a, v: {"s": a["s"] + v["q"]}, {"q": x}, {"s": 0})["s"].numpy().tolist() == [1, 3, 6]
    assert scan(lambda a, v: a + v, tf.zeros([0, 2]), tf.zeros([2])).shape == [0, 2]
    value, (dx,) = both(lambda x: scan(lambda a, v: a * 0.5 + v, x), X)
    np.testing.assert_allclose(value[2], X[2] + X[1] / 2 + X[0] / 4, rtol=1e-6)
    np.testing.assert_allclose(dx, np.array([[1.75] * 2, [1.5] * 2, [1.0] * 2]), rtol=1e-6)


def test_vectorized_map():
    value, (dx,) = both(lambda x: vectorized_map(lambda v: tf.reduce_sum(v) * v, x), X)
    np.testing.assert_allclose(value, X.sum(1, keepdims=True) * X, rtol=1e-6)
    np.testing.assert_allclose(dx, 2 * X.sum(1, keepdims=True) * np.ones_like(X), rtol=1e-6)
    pair = vectorized_map(lambda v: {"p": v[0] * v[1]}, (tf.constant([1.0, 2.0]), tf.constant([3.0])))
    assert pair["p"].numpy().tolist() == [3.0, 6.0]
    assert vectorized_map(lambda v: 3.0, tf.zeros([2])).numpy().tolist() == [3.0, 3.0]
    assert vectorized_map(lambda v: None, tf.zeros([2])) is None
    assert vectorized_map(lambda v: tf.reduce_sum(v), tf.zeros([0, 2])).shape == [0]


def test_vectorized_map_of_branches_and_of_what_needs_values():
    x = tf.constant([1.0, -2.0])
    assert vectorized_map(lambda v: cond(v > 0, lambda: v, lambda: v * 10.0), x).numpy().tolist() == [1.0, -20.0]
    assert vectorized_map(lambda v: v if float(v) > 0 else -v, x, warn=False).numpy().tolist() == [1.0, 2.0]
    with pytest.raises(Exception):  # noqa: B017 - whatever the function cannot do with a batch
        vectorized_map(lambda v: float(v), x, fallback_to_while_loop=False)


def test_maps_in_a_trace_of_a_fixed_length():
    f = function(lambda x: map_fn(lambda v: v * 2.0, x), autograph=False)
    np.testing.assert_array_equal(f(tf.constant(X)).numpy(), 2 * X)


def of_unknown_length(f, *specs):
    return function(f, input_signature=specs or [tf.TensorSpec([None, 2], tf.float64)], autograph=False)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: map_fn(lambda v: tf.reduce_sum(v) * v, x, parallel_iterations=3),
        lambda x: map_fn(lambda v: {"a": v[0], "b": [v]}, x, fn_output_signature={"a": tf.float64, "b": [tf.float64]}),
        lambda x: map_fn(lambda v: tf.argmax(v), x, fn_output_signature=tf.TensorSpec([], tf.int64)),
        lambda x: map_fn(lambda t: t[0] * t[1]["k"], (x, {"k": x[:, 0]}), fn_output_signature=tf.float64),
        lambda x: foldl(lambda a, v: a * v + v, x),
        lambda x: foldr(lambda a, v: tf.sin(a) * v, x, initializer=tf.ones([2], tf.float64)),
        lambda x: scan(lambda a, v: a * v, x),
        lambda x: scan(lambda a, v: (a[0] * v, a[1] + 1), x, (x[0], 0), reverse=True),
    ],
)
@pytest.mark.parametrize("rows", [1, 5])
def test_rows_of_an_unknown_number(f, rows, to_the_bit):
    x = tf.constant(np.random.default_rng(rows).standard_normal((rows, 2)))
    traced = of_unknown_length(f)
    for a, b in zip(tf.nest.flatten(f(x)), tf.nest.flatten(traced(x)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())

    def gradient(f):
        with tf.GradientTape() as tape:
            tape.watch(x)
            ys = [y for y in tf.nest.flatten(f(x)) if y.dtype.is_floating]
        return [] if not ys else [tape.gradient(ys, x).numpy()]

    np.testing.assert_array_equal(gradient(traced), gradient(f))


def test_no_row_at_all():
    x = tf.zeros([0, 2], tf.float64)
    mapped = of_unknown_length(lambda x: map_fn(lambda v: (v[0], v), x, fn_output_signature=(tf.float64, tf.float64)))
    assert [y.shape.as_list() for y in mapped(x)] == [[0], [0, 2]]
    for fold in (foldl, foldr, scan):
        with pytest.raises(tf.errors.InvalidArgumentError, match="index"):
            of_unknown_length(lambda x, fold=fold: fold(lambda a, v: a + v, x))(x)
    start = tf.ones([2], tf.float64)
    assert of_unknown_length(lambda x: foldl(lambda a, v: a + v, x, start))(x).numpy().tolist() == [1.0, 1.0]
    assert of_unknown_length(lambda x: scan(lambda a, v: a + v, x, start))(x).shape == [0, 2]


def test_static_shapes_of_unknown_numbers_of_rows():
    seen = []

    def f(x):
        seen.append((map_fn(lambda v: v[:1], x).shape.as_list(), scan(lambda a, v: a + v, x).shape.as_list()))
        return x

    of_unknown_length(f)(tf.zeros([3, 2], tf.float64))
    assert seen == [([None, 1], [None, 2])]


def test_many_rows_are_one_loop():
    x = tf.constant(np.linspace(0.0, 1.0, 300))
    f = function(lambda x: map_fn(lambda v: v * v, x), autograph=False)
    np.testing.assert_array_equal(f(x).numpy(), x.numpy() ** 2)
    assert len(f.get_concrete_function(x).graph.nodes) < 20
