"""space_to_depth, depth_to_space, space_to_batch, batch_to_space."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.spaces import (
    batch_to_space,
    depth_to_space,
    required_space_to_batch_paddings,
    space_to_batch,
    space_to_batch_nd,
    space_to_depth,
)
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError


def test_depth_and_back():
    x = np.arange(2 * 4 * 2 * 3.0).reshape(2, 4, 2, 3)
    deep = space_to_depth(x, 2)
    assert deep.shape == (2, 2, 1, 12)
    np.testing.assert_array_equal(deep.numpy()[0, 0, 0], x[0, :2, :2].reshape(-1))
    np.testing.assert_array_equal(depth_to_space(deep, 2).numpy(), x)
    first = np.moveaxis(x, -1, 1)
    np.testing.assert_array_equal(space_to_depth(first, 2, "NCHW").numpy(), np.moveaxis(deep.numpy(), -1, 1))
    check_gradients(lambda x: space_to_depth(x, 2), x[:1, :2])
    check_gradients(lambda x: depth_to_space(x, 2), np.arange(8.0).reshape(1, 1, 1, 8))


def test_depth_refuses():
    for function, arguments, text in (
        (space_to_depth, (np.ones((1, 3, 4, 1)), 2), "width 4 and height 3"),
        (space_to_depth, (np.ones((2, 4, 1)), 2), "rank should be 4 instead of 3"),
        (space_to_depth, (np.ones((1, 4, 4, 1)), 1), "at least minimum 2"),
        (space_to_depth, (np.ones((1, 4, 4, 1)), 2, "XX"), "data_format"),
        (depth_to_space, (np.ones((1, 2, 2, 3)), 2), "3 should be divisible by: 4"),
    ):
        with pytest.raises(INVALID, match=text):
            function(*arguments)


def test_batch_and_back():
    assert space_to_batch_nd([[1, 2, 3, 4]], [2], [[0, 0]]).numpy().tolist() == [[1, 3], [2, 4]]
    assert batch_to_space([[1, 2], [3, 4]], [2], [[0, 1]]).numpy().tolist() == [[1, 3, 2]]
    x = np.arange(2 * 3 * 5 * 2.0).reshape(2, 3, 5, 2)
    paddings = [[1, 0], [0, 1]]
    batched = space_to_batch(x, [2, 3], paddings)
    assert batched.shape == (12, 2, 2, 2)
    np.testing.assert_array_equal(batched.numpy()[0, :, :, 0], [[0.0, 0.0], [x[0, 1, 0, 0], x[0, 1, 3, 0]]])
    np.testing.assert_array_equal(batch_to_space(batched, [2, 3], paddings).numpy(), x)
    assert batch_to_space(np.arange(4).reshape(4, 1, 1, 1), 2, [[0, 0], [0, 0]]).shape == (1, 2, 2, 1)
    check_gradients(lambda x: space_to_batch(x, [2, 1], [[1, 0], [0, 0]]), x[:1, :, :1])
    check_gradients(lambda x: batch_to_space(x, [2], [[1, 0]]), x[:, :, 0, 0])


def test_batch_refuses():
    x = [[1, 2, 3, 4]]
    for function, arguments, text in (
        (space_to_batch_nd, (x, [3], [[0, 0]]), r"padded_shape\[0\]=4 is not divisible by block_shape\[0\]=3"),
        (space_to_batch_nd, (x, [2, 2], [[0, 0], [0, 0]]), "rank should be >= 3 instead of 2"),
        (space_to_batch_nd, (x, [0], [[0, 0]]), "must be positive, got value, 0 at index 0"),
        (space_to_batch_nd, (x, [2], [[0, -2]]), "non-negative"),
        (space_to_batch_nd, (x, 2, [[0, 0]]), "rank should be 1 instead of 0"),
        (space_to_batch_nd, (x, [2], [0, 0]), r"should have shape \[1, 2\]"),
        (batch_to_space, ([[1], [2]], [3], [[0, 0]]), r"\(2\) is not divisible"),
        (batch_to_space, ([[1], [2]], [2], [[0, 5]]), r"cropped_shape\[0\]=-3"),
    ):
        with pytest.raises(INVALID, match=text):
            function(*arguments)


def test_paddings_that_make_blocks_divide():
    paddings, crops = required_space_to_batch_paddings([5, 4], [2, 3], [[1, 0], [0, 0]])
    assert paddings.numpy().tolist() == [[1, 0], [0, 2]] and crops.numpy().tolist() == [[0, 0], [0, 2]]
