"""Shapes: reshape, transpose, broadcast_to, expand_dims, squeeze, ensure_shape, and tensors like others."""

import numpy as np
import pytest

import tapeflow as tf
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "shape", [[3, 2], [-1], [1, -1, 2], 6, tf.constant([3, 2]), tf.TensorShape([2, 3]), np.array([6])]
)
def test_reshape_keeps_the_order(shape):
    dims = np.asarray(shape).tolist() if not isinstance(shape, tf.TensorShape) else shape.as_list()
    np.testing.assert_array_equal(tf.reshape(A, shape).numpy(), A.reshape(dims))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([4], "6 values .* has 4"),
        ([-1, 4], "multiple of 4"),
        ([-1, -1], "Only one input size may be -1"),
        ([-2], "Size 0 must be non-negative"),
        ([2.0, 3.0], None),
    ],
)
def test_reshape_refuses_other_sizes(shape, text):
    with pytest.raises((INVALID, TypeError), match=text):
        tf.reshape(A, shape)


def test_minus_one_is_worked_out_from_the_sizes_that_are_not_zero():
    assert tf.reshape(tf.ones([0, 3]), [-1, 0]).shape == (3, 0)


def test_transpose():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(tf.transpose(x).numpy(), x.T)
    np.testing.assert_array_equal(tf.transpose(x, [1, 0, 2]).numpy(), x.transpose(1, 0, 2))
    assert tf.transpose([[1 + 2j]], conjugate=True).numpy().tolist() == [[1 - 2j]]
    for perm, text in (([0, 0, 1], "names an axis twice"), ([0], "vector of size 3"), ([0, 1, 3], "3 is out of range")):
        with pytest.raises(INVALID, match=text):
            tf.transpose(x, perm)


def test_broadcast_to():
    assert tf.broadcast_to([1, 2], [2, 2]).numpy().tolist() == [[1, 2], [1, 2]]
    with pytest.raises(INVALID, match="Incompatible shapes"):
        tf.broadcast_to([1, 2], [3])
    with pytest.raises(INVALID):
        tf.broadcast_to([[1, 2]], [2])


@pytest.mark.parametrize(
    ("axis", "shape"), [(0, (1, 2, 3)), (1, (2, 1, 3)), (2, (2, 3, 1)), (-1, (2, 3, 1)), (-3, (1, 2, 3))]
)
def test_expand_dims_puts_a_dimension_in(axis, shape):
    assert tf.expand_dims(A, axis).shape == shape
    assert tf.expand_dims(A, tf.constant(axis)).shape == shape
    check_gradients(lambda x: tf.expand_dims(x, axis), A)


def test_expand_dims_refuses_other_axes():
    for axis, text in (
        (3, "dim index 3 for tensor with 2"),
        (-4, "dim index -4"),
        ([0, 1], "scalar"),
        (1.0, "attr 'Tdim'"),
    ):
        with pytest.raises(INVALID, match=text):
            tf.expand_dims(A, axis)
    with pytest.raises(ValueError, match="None"):
        tf.expand_dims(A, axis=None)


@pytest.mark.parametrize(
    ("axis", "shape"), [(None, (2,)), (0, (2, 1)), ([0, 2], (2,)), (-1, (1, 2)), ((-3, 2), (2,)), ([], (2,))]
)
def test_squeeze_takes_dimensions_of_one_out(axis, shape):
    x = np.ones((1, 2, 1))
    assert tf.squeeze(x, axis).shape == shape
    check_gradients(lambda x: tf.squeeze(x, axis), x)


def test_squeeze_refuses_other_dimensions():
    for axis, text in ((1, r"dim\[1\], expected a dimension of 1, got 2"), (5, "dim index 5 for tensor with 3")):
        with pytest.raises(INVALID, match=text):
            tf.squeeze(np.ones((1, 2, 1)), axis)
    with pytest.raises(TypeError, match="Expected list"):
        tf.squeeze(np.ones((1, 2)), tf.constant([0]))


def test_tensors_like_others():
    assert tf.zeros_like([1.5, 2.0]).numpy().tolist() == [0.0, 0.0]
    assert tf.ones_like(tf.Variable([1, 2])).numpy().tolist() == [1, 1]
    assert tf.zeros_like(["a"]).numpy().tolist() == [b""]
    assert tf.zeros_like(3.0).shape == () and tf.zeros_like(3.0).dtype == tf.float32
    assert tf.ones_like([1.5], dtype=tf.bool).numpy().tolist() == [True]
    assert tf.zeros_like([1.5], "int32").dtype == tf.int32
    with pytest.raises(INVALID, match="OnesLike"):
        tf.ones_like(["a"])
    with pytest.raises(TypeError, match="string"):
        tf.ones_like([1.0], dtype=tf.string)


def test_ensure_shape_lets_pass_what_agrees():
    x = tf.constant(A)
    for shape in (None, [2, None], [None, 3], (2, 3)):
        np.testing.assert_array_equal(tf.ensure_shape(x, shape).numpy(), A)
    with pytest.raises(INVALID, match=r"\[2,3\] is not compatible with expected shape \[\?,4\]"):
        tf.ensure_shape(x, [None, 4])
    check_gradients(lambda x: tf.ensure_shape(x, [2, 3]), A)


def test_identity_n():
    x, y = tf.constant(1.0), tf.constant([2])
    a, b = tf.identity_n([x, y])
    assert (a.numpy(), b.numpy().tolist()) == (1.0, [2]) and a is not x and b is not y


def test_matrix_transpose_and_adjoint():
    x = tf.constant([[[1 + 2j, 3.0]], [[4.0, 5 - 1j]]], tf.complex64)
    assert tf.linalg.matrix_transpose(x).numpy().tolist() == [[[1 + 2j], [3]], [[4], [5 - 1j]]]
    assert tf.linalg.adjoint(x).numpy().tolist() == [[[1 - 2j], [3]], [[4], [5 + 1j]]]
    with pytest.raises(ValueError, match="rank >= 2"):
        tf.linalg.matrix_transpose([1.0])
