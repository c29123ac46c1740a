"""The shape of a tensor as tensors."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.extents import broadcast_dynamic_shape, rank, shape, shape_n, size


def same(x, value, dtype):
    assert x.numpy().tolist() == value and x.dtype == dtype


def test_extents_and_their_dtypes():
    x = np.zeros((2, 3))
    same(shape(x), [2, 3], tf.int32)
    same(shape(x, tf.int64), [2, 3], tf.int64)
    same(shape(1.0), [], tf.int32)
    same(size(x), 6, tf.int32)
    same(size(x, tf.float32), 6.0, tf.float32)
    same(size(3), 1, tf.int32)
    same(rank(x), 2, tf.int32)
    same(rank(tf.Variable(1.0)), 0, tf.int32)
    assert [s.numpy().tolist() for s in shape_n([x, [1]])] == [[2, 3], [1]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="out_type"):
        shape(x, tf.float32)


def test_the_shape_two_shapes_broadcast_to():
    same(broadcast_dynamic_shape([2, 1], [3]), [2, 3], tf.int32)
    same(broadcast_dynamic_shape(tf.constant([2, 1], tf.int64), tf.constant([3], tf.int64)), [2, 3], tf.int64)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[2,2\] vs. \[3\]"):
        broadcast_dynamic_shape([2, 2], [3])
