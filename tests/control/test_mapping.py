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


@pytest.mark.parametrize("call", [map_fn, lambda f, x: scan(lambda a, v: a + f(v), x)])
def test_maps_of_an_unknown_length_say_so(call):
    f = tf.function(lambda x: call(lambda v: v * 2.0, x), input_signature=[tf.TensorSpec([None])])
    with pytest.raises(tf.errors.UnimplementedError, match="not known while tracing"):
        f(tf.zeros([3]))
