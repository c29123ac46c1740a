"""Elementwise work on arrays in different orders: squares, what is left beside them, lanes along another axis."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.llvm.target import host, names, of

from .running import on_both

TARGETS = [name for name in names() if host() is not None and host().x86 == of(name).x86]
ORDERS = [
    ((16, 16), (1, 0)), ((33, 47), (1, 0)), ((70, 5), (1, 0)), ((3, 40), (1, 0)), ((3, 17, 20), (0, 2, 1)),
    ((3, 17, 20), (2, 1, 0)), ((2, 19, 3, 18), (0, 2, 1, 3)), ((2, 19, 3, 18), (0, 3, 1, 2)),
    ((2, 5, 33, 16), (3, 1, 2, 0)), ((300, 260), (1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "order"), ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
def test_a_transposed_array(shape, order, dtype):
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    (got,), _ = on_both(lambda x: tf.transpose(x, order) + 1, [x])
    np.testing.assert_array_equal(got, x.transpose(order) + np.ones((), dtype))


@pytest.mark.parametrize("target", TARGETS)
def test_arrays_in_both_orders(target):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((37, 52)).astype("float32"), rng.standard_normal((52, 37)).astype("float32")
    row, column = rng.standard_normal(52).astype("float32"), rng.standard_normal((37, 1)).astype("float32")

    def f(x, y, row, column):
        turned = tf.transpose(y)
        return (x * turned + row) * column, turned * 2.0 - column, tf.transpose(x) * y

    got, _ = on_both(f, [x, y, row, column], target=of(target))
    np.testing.assert_allclose(got[0], (x * y.T + row) * column, atol=1e-6)
    np.testing.assert_array_equal(got[1], y.T * np.float32(2) - column)
    np.testing.assert_array_equal(got[2], x.T * y)


def test_a_variable_takes_its_own_transpose():
    x = np.arange(40 * 40, dtype="float32").reshape(40, 40)
    v = tf.Variable(x)

    def f():
        v.assign(tf.transpose(v) * 2.0)
        return tf.reduce_sum(v)

    (_, held), _ = on_both(f, [], [v])
    np.testing.assert_array_equal(held, x.T * 2)
