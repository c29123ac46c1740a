"""Convolutions and pooling of volumes, and of channels that stand first: all compiled, and what NumPy gives."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import COMPOSED, assert_within
from tests.engines.llvm.running import on_both

RNG = np.random.default_rng(0)


def drawn(*shape):
    return RNG.normal(size=shape, scale=0.4).astype(np.float32)


def check(f, *arrays):
    """What f gives of the arrays, and the gradients of its sine by each."""

    def both(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = f(*xs)
            total = tf.reduce_sum(tf.sin(y))
        return [y, *tape.gradient(total, xs)]

    for i, (got, want) in enumerate(zip(*on_both(both, arrays, whole=True), strict=True)):
        assert_within(got, want, COMPOSED, what=f"result {i}")


PADDED = [[0, 0], [1, 2], [0, 1], [2, 0], [0, 0]]


@pytest.mark.parametrize(
    ("depth", "steps", "padding"),
    [(1, (1, 1, 1), "SAME"), (2, (1, 1, 1), "VALID"), (3, (1, 1, 1), PADDED), (1, (2, 2, 2), "VALID"),
     (2, (2, 2, 2), PADDED), (3, (2, 2, 2), "SAME"), (1, (3, 1, 2), PADDED), (2, (3, 1, 2), "SAME"),
     (3, (3, 1, 2), "VALID"), (2, (1, 2, 1), "SAME"), (3, (1, 2, 1), PADDED)],
)  # fmt: skip
def test_convolutions(depth, steps, padding):
    steps = (1, *steps, 1)
    check(lambda x, k: tf.nn.conv3d(x, k, steps, padding), drawn(2, 5, 6, 5, 6), drawn(depth, 3, 2, 6, 7))


@pytest.mark.parametrize("rates", [(2, 1, 1), (2, 2, 2), (1, 2, 1)])
def test_dilated(rates):
    f = lambda x, k: tf.nn.conv3d(x, k, [1] * 5, "VALID", dilations=[1, *rates, 1])  # noqa: E731
    check(f, drawn(2, 6, 5, 6, 3), drawn(2, 2, 3, 3, 4))


@pytest.mark.parametrize(("each", "filters"), [(3, 8), (1, 6), (1, 12), (2, 9)])
def test_groups(each, filters):
    check(lambda x, k: tf.nn.conv3d(x, k, [1] * 5, "SAME"), drawn(2, 4, 5, 3, 6), drawn(3, 2, 3, each, filters))


def test_channels_first():
    def f(x, k):
        return tf.nn.conv3d(x, k, (1, 1, 2, 1, 2), "SAME", data_format="NCDHW")

    check(f, drawn(2, 6, 4, 6, 5), drawn(3, 3, 2, 6, 8))
    check(lambda x, k: tf.nn.conv2d(x, k, 2, "SAME", data_format="NCHW"), drawn(2, 6, 7, 5), drawn(3, 3, 6, 8))
    check(lambda x, k: tf.nn.conv1d(x, k, 1, "VALID", data_format="NCW"), drawn(2, 6, 7), drawn(3, 6, 8))


def test_transposed():
    x, k = drawn(2, 3, 4, 3, 6), drawn(2, 3, 2, 8, 6)
    check(lambda x, k: tf.nn.conv3d_transpose(x, k, [2, 6, 8, 6, 8], 2, "SAME"), x, k)


@pytest.mark.parametrize("pool", [tf.nn.max_pool3d, tf.nn.avg_pool3d])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(
    ("windows", "strides"), [(2, 2), (3, 1), (1, 2), ((1, 2, 3, 2, 1), (1, 1, 2, 2, 1)), ((1, 1, 2, 2, 1), 1)]
)
def test_pooling(pool, windows, strides, padding):
    x = np.round(drawn(2, 5, 6, 5, 7) * 2) / 2  # with many that are equal
    check(lambda x: pool(x, windows, strides, padding), x)
    order = lambda n: n if type(n) is int else (n[0], n[4], *n[1:4])  # noqa: E731
    first = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    check(lambda x: pool(x, order(windows), order(strides), padding, "NCDHW"), first)


@pytest.mark.parametrize("pool", [tf.nn.max_pool2d, tf.nn.avg_pool2d])
def test_pooling_of_images_whose_channels_stand_first(pool):
    x = np.round(drawn(2, 7, 6, 5) * 2) / 2
    for windows, strides, padding in [(2, 2, "VALID"), (3, 2, "SAME"), ((1, 1, 2, 1), 1, "SAME"), (1, 2, "VALID")]:
        check(lambda x, a=windows, b=strides, c=padding: pool(x, a, b, c, "NCHW"), x)


def test_pooling_with_padding_of_its_own():
    check(lambda x: tf.nn.max_pool2d(x, 2, 2, [[0, 0], [0, 0], [1, 0], [0, 1]], "NCHW"), drawn(2, 7, 6, 5))
    check(lambda x: tf.nn.max_pool3d(x, 2, 2, [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), drawn(2, 4, 6, 5, 7))
