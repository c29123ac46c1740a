"""concat, stack, unstack, split, and lists with tensors in them."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.joining import concat, parallel_stack, split, stack, unstack
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A, B = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12.0).reshape(2, 3)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_concat_is_numpys(axis):
    np.testing.assert_array_equal(concat([A, B, A], axis).numpy(), np.concatenate([A, B, A], axis))
    check_gradients(lambda x, y: concat([x, y, x], axis), A, B)


def test_concat_of_what_is_no_list_of_tensors():
    assert concat([tf.Variable([1.0]), [2]], 0).numpy().tolist() == [1.0, 2.0]
    assert concat([["a"], ["b"]], 0).numpy().tolist() == [b"a", b"b"]
    assert concat(tf.constant([[1, 2], [3, 4]]), 0).numpy().tolist() == [[1, 2], [3, 4]]
    assert concat([A, tf.zeros([0, 3], tf.float64)], 0).shape == (2, 3)
    assert concat([[1.0]], tf.constant([0])).numpy().tolist() == [1.0]


@pytest.mark.parametrize(
    ("values", "axis", "error", "text"),
    [
        ([[[1, 2]], [3]], 0, INVALID, "Ranks of all input tensors should match"),
        ([np.ones((2, 3)), np.ones((3, 3))], 1, INVALID, "Dimension 0 in both shapes must be equal"),
        ([np.ones((2, 3)), np.ones((2, 3))], 2, INVALID, r"in the range \[-2, 2\), but got 2"),
        ([1.0, 2.0], 0, INVALID, "Can't concatenate scalars"),
        ([tf.constant([1]), tf.constant([2.0])], 0, INVALID, "input #1.* int32 tensor but is a float tensor"),
        ([[1.0], tf.constant([2])], 0, TypeError, "int32"),
        ([], 0, INVALID, "empty"),
        ([[1], [2]], 1.0, INVALID, "attr 'Tidx' of float"),
    ],
)
def test_concat_refuses(values, axis, error, text):
    with pytest.raises(error, match=text):
        concat(values, axis)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_stack_is_numpys(axis):
    np.testing.assert_array_equal(stack([A, B], axis).numpy(), np.stack([A, B], axis))
    np.testing.assert_array_equal(stack(tf.constant(np.stack([A, B])), axis).numpy(), np.stack([A, B], axis))
    check_gradients(lambda x, y: stack([x, y], axis), A, B)


def test_stack_of_scalars_and_of_mixed_values():
    assert stack([tf.constant(1.0), 2]).numpy().tolist() == [1.0, 2.0]
    assert stack([1, 2.0]).dtype == tf.float32
    assert stack(["a", "b"]).numpy().tolist() == [b"a", b"b"]
    assert stack([]).shape == (0,)
    assert stack([[tf.constant(1.0), 2.0], [3.0, 4.0]]).numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert stack(5).numpy() == 5


@pytest.mark.parametrize(
    ("values", "axis", "error", "text"),
    [
        ([A, B], 3, ValueError, r"`axis` = 3 not in range \[-3, 3\)"),
        ([[1, 2], [3]], 0, INVALID, r"values\[0\].shape = \[2\] != values\[1\].shape = \[1\]"),
        ([1.0, [2.0]], 0, INVALID, "Shapes of all inputs must match"),
        ([tf.constant(1), tf.constant(2.0)], 0, INVALID, "input #1"),
        ([tf.constant(1), 2.5], 0, TypeError, "2.5"),
    ],
)
def test_stack_refuses(values, axis, error, text):
    with pytest.raises(error, match=text):
        stack(values, axis)


def test_parallel_stack_says_what_to_use():
    with pytest.raises(RuntimeError, match="tf.stack"):
        parallel_stack([[1], [2]])


def test_unstack():
    parts = unstack(A, axis=-1)
    assert isinstance(parts, list) and len(parts) == 3
    np.testing.assert_array_equal(parts[1].numpy(), A[:, 1])
    assert unstack(tf.zeros([0, 2])) == []
    assert [p.numpy() for p in unstack(["a", "b"])] == [b"a", b"b"]
    check_gradients(lambda x: unstack(x, axis=1), A)
    check_gradients(lambda x: unstack(x, axis=0)[1], A)  # nothing comes to the other part
    with pytest.raises(ValueError, match="not in range"):
        unstack(A, axis=2)
    with pytest.raises(ValueError, match="not in range"):
        unstack(1.0)
    with pytest.raises(INVALID, match="must equal 3"):
        unstack(A, num=3)


def test_split():
    assert [p.numpy().tolist() for p in split([1, 2, 3, 4], 2)] == [[1, 2], [3, 4]]
    assert [p.numpy().tolist() for p in split([1, 2, 3, 4], tf.constant([1, 3]))] == [[1], [2, 3, 4]]
    assert [p.shape.as_list() for p in split(A, [1, -1], axis=1)] == [[2, 1], [2, 2]]
    assert [p.shape.as_list() for p in split(A, 3, axis=-1)] == [[2, 1]] * 3
    check_gradients(lambda x: split(x, [1, 2], axis=1), A)
    check_gradients(lambda x: split(x, [1, 2], axis=1)[1], A)


@pytest.mark.parametrize(
    ("sizes", "options", "error", "text"),
    [
        (3, {}, INVALID, r"split_dim 0 \(size = 4\) and num_split 3"),
        (0, {}, INVALID, "at least minimum 1"),
        (2, {"axis": 1}, INVALID, "but got 1"),
        ([1, 2], {}, INVALID, "add up to 3"),
        ([5, -1], {}, INVALID, "add up to 5"),
        ([1, -1, -1], {}, INVALID, "only be one -1"),
        ([-2, 6], {}, INVALID, "index 0 must be >= 0"),
        ([1, 3], {"num": 3}, INVALID, "2 elements"),
        ([], {}, INVALID, "num_split"),
        (2.0, {}, ValueError, "Rank-0"),
        (tf.constant(2), {}, ValueError, "Rank-0"),
    ],
)
def test_split_refuses(sizes, options, error, text):
    with pytest.raises(error, match=text):
        split([1, 2, 3, 4], sizes, **options)


def test_a_list_with_tensors_in_it_is_stacked_and_gradients_flow():
    check_gradients(lambda x, y: tf.convert_to_tensor([[x, 2.0], [3.0, y]], tf.float64), np.float64(1), np.float64(2))
    assert tf.convert_to_tensor([tf.constant(1.0), np.float64(3), True]).numpy().tolist() == [1.0, 3.0, 1.0]
    assert tf.convert_to_tensor([tf.constant(1.0), 2], tf.float64).dtype == tf.float64
    assert tf.convert_to_tensor([tf.Variable(1.0), 2.0]).numpy().tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="int32"):
        tf.convert_to_tensor([tf.constant(1), 2.5])
    with pytest.raises(INVALID, match="Shapes of all inputs must match"):
        tf.convert_to_tensor([tf.constant([1.0, 2.0]), tf.constant(3.0)])
    with pytest.raises(INVALID, match="input #1"):
        tf.convert_to_tensor([tf.constant(1), tf.constant(2.0)])
