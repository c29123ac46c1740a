"""Ops with numbers that are known only when a graph runs: single positions are compiled, others left to NumPy."""

import numpy as np
import pytest

import tapeflow as tf
from tests.engines.llvm.running import graph_of, native, on_both

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)

SPECS = [
    lambda x, i, j: x[i],
    lambda x, i, j: x[:, i] * 2.0,
    lambda x, i, j: x[i, ..., j],
    lambda x, i, j: x[1:, None, i, ::-2],
    lambda x, i, j: x[i, j, 3],
    lambda x, i, j: tf.exp(x)[j, i - 1],
    lambda x, i, j: tf.transpose(x)[i, :, j],
]


@pytest.mark.parametrize("f", SPECS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_elements_and_their_gradients(f, dtype):
    def both(x, i, j):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x, i, j)
            total = tf.reduce_sum(y * y)
        return y, tape.gradient(total, x)

    x = X.astype(dtype)
    for i, j in [(0, 0), (3, -1), (-4, 2), (-1, 3)]:
        for got, want in zip(*on_both(both, [x, np.int64(i), np.int32(j)], whole=True), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6 if dtype == np.float32 else 1e-3)


@pytest.mark.parametrize("i", [4, -5, 1 << 40])
def test_positions_out_of_range_are_refused(i):
    run = native(graph_of(lambda x, i: x[i] * 2.0, [X, np.int64(0)])).run
    with pytest.raises(tf.errors.InvalidArgumentError, match="out of bounds"):
        run(X, np.int64(i))


def test_ranges_whose_ends_are_computed_are_left_to_numpy():
    def f(x, i):
        return (
            tf.reduce_sum(tf.exp(x[i:]) @ tf.ones([6, 6])),
            tf.reshape(x, [i, -1]) * 2.0,
            tf.zeros([i, 3]) + x[0, 0, 0],
        )

    graph = graph_of(f, [X, np.int64(1)])
    assert {node.op.name for node in native(graph).reasons} >= {"strided_slice", "reshape"}
    for got, want in zip(*on_both(f, [X, np.int64(2)], graph=graph), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)


def test_an_element_for_every_turn_of_a_loop():
    def f(x):
        return [tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, tf.tanh(a + x[i])), [0, x[0] * 0.0])[1]]

    (got,), (want,) = on_both(f, [X], whole=True)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
