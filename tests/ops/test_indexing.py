"""gather, gather_nd, boolean_mask, unravel_index, embedding_lookup."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.indexing import boolean_mask, embedding_lookup, gather, gather_nd, unravel_index
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("indices", [1, [0, 1, 1], [[0], [1]], []])
def test_gather_is_take(axis, indices):
    at = np.array(indices, np.int32)
    np.testing.assert_array_equal(gather(A, at, axis=axis).numpy(), np.take(A, at, axis))
    check_gradients(lambda x: gather(x, at, axis=axis), A)


@pytest.mark.parametrize("dtype", [tf.int16, tf.int32, tf.int64])
def test_gather_of_other_things(dtype):
    assert gather(["a", "b"], tf.constant([1], dtype)).numpy().tolist() == [b"b"]
    assert gather(["a", "b"], tf.constant(1, dtype)).numpy() == b"b"
    assert gather(tf.Variable([1.0, 2.0]), tf.constant([1, 1], dtype)).numpy().tolist() == [2.0, 2.0]


def test_gather_example_by_example():
    x, at = np.arange(6.0).reshape(2, 3), np.array([[2, 0], [1, 1]])
    want = np.take_along_axis(x, at, 1)
    np.testing.assert_array_equal(gather(x, at, batch_dims=1).numpy(), want)
    np.testing.assert_array_equal(gather(x, at, axis=1, batch_dims=-1).numpy(), want)
    np.testing.assert_array_equal(gather(A, [3, 0], axis=-1, batch_dims=1).numpy(), np.stack([A[0, :, 3], A[1, :, 0]]))
    check_gradients(lambda x: gather(x, at, axis=2, batch_dims=1), A)
    # as in TensorFlow, axis 0 is gathered from whatever batch_dims is
    assert gather([[1, 2], [3, 4]], [[1], [0]], axis=0, batch_dims=1).numpy().tolist() == [[[3, 4]], [[1, 2]]]


@pytest.mark.parametrize(
    ("indices", "options", "text"),
    [
        ([2], {}, r"indices\[0\] = 2 is not in \[0, 2\)"),
        ([-1], {}, r"indices\[0\] = -1 is not in \[0, 2\)"),
        ([[0, 9]], {"axis": 1}, r"indices\[0,1\] = 9 is not in \[0, 3\)"),
        (-1, {}, "indices = -1"),
        ([[0], [7]], {"batch_dims": 1}, r"indices\[1,0\] = 7"),
        ([0], {"axis": 3}, "at least rank 4"),
        ([0], {"axis": -4}, "at least rank 4"),
        ([0], {"axis": [1]}, "axis must be a scalar"),
        ([0, 1, 0], {"batch_dims": 1}, r"params.shape\[0\]: 2 should be equal to indices.shape\[0\]: 3"),
        ([0, 1], {"batch_dims": 2, "axis": 2}, "batch_dims"),
        ([1.5], {}, "attr 'Tindices' of float"),
        ([True], {}, "attr 'Tindices' of bool"),
    ],
)
def test_gather_refuses(indices, options, text):
    with pytest.raises(INVALID, match=text):
        gather(A, indices, **options)
    with pytest.raises(INVALID, match="at least 1 dimensional"):
        gather(3, 0)


def gradient_of(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def test_the_gradient_of_rows_is_indexed_slices():
    g = gradient_of(lambda x: gather(x, [[2, 0], [2, 2]]), np.ones((3, 2), np.float32))
    assert isinstance(g, tf.IndexedSlices)
    assert g.indices.numpy().tolist() == [2, 0, 2, 2] and g.values.shape == (4, 2)
    assert g.dense_shape.numpy().tolist() == [3, 2] and g.dense_shape.dtype == tf.int32
    assert tf.convert_to_tensor(g).numpy().tolist() == [[1.0, 1.0], [0.0, 0.0], [3.0, 3.0]]
    g = gradient_of(lambda x: gather_nd(x, [[1], [1]]), np.ones((2, 2)))
    assert isinstance(g, tf.IndexedSlices) and g.indices.numpy().tolist() == [1, 1]
    assert not isinstance(gradient_of(lambda x: gather(x, [1], axis=1), np.ones((2, 2))), tf.IndexedSlices)
    assert not isinstance(gradient_of(lambda x: boolean_mask(x, [True, False]), np.ones((2, 2))), tf.IndexedSlices)


def test_slices_add_up_and_meet_what_is_dense():
    x = tf.Variable([[1.0], [2.0], [3.0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(gather(x, [1, 1])) + tf.reduce_sum(gather(x, [0]))
    g = tape.gradient(y, x)
    assert isinstance(g, tf.IndexedSlices) and sorted(g.indices.numpy().tolist()) == [0, 1, 1]
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(gather(x, [1, 1])) + tf.reduce_sum(x**2)
    assert tf.convert_to_tensor(tape.gradient(y, x)).numpy().tolist() == [[2.0], [6.0], [6.0]]


@pytest.mark.parametrize("at", [[[0, 1], [1, 2]], [[1], [0]], [1], [[0, 1, 2]], [[[0, 1]], [[1, 0]]]])
def test_gather_nd_is_numpys_indexing(at):
    at = np.array(at)
    np.testing.assert_array_equal(gather_nd(A, at).numpy(), A[tuple(np.moveaxis(at, -1, 0))])
    check_gradients(lambda x: gather_nd(x, at), A)


def test_gather_nd_example_by_example():
    x = np.arange(4).reshape(2, 2)
    assert gather_nd(x, [[1], [0]], batch_dims=1).numpy().tolist() == [1, 2]
    assert gather_nd(x, [[[1]], [[0]]], batch_dims=1).numpy().tolist() == [[1], [2]]
    assert gather_nd(x, tf.zeros([3, 0], tf.int32)).shape == (3, 2, 2)
    assert gather_nd(["a", "b"], [1]).numpy() == b"b"


def test_gather_nd_may_ignore_positions_out_of_range():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = gather_nd(x, [[1, 1], [0, 5], [-1, 0]], bad_indices_policy="IGNORE")
    assert got.numpy().tolist() == [4.0, 0.0, 0.0]
    assert gather_nd(x, [[1], [2]], bad_indices_policy="IGNORE").numpy().tolist() == [[3.0, 4.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("at", "options", "error", "text"),
    [
        ([[0, 5, 0]], {}, INVALID, r"indices\[0\] = \[0, 5, 0\] does not index into shape \[2,3,4\]"),
        ([[0], [-1]], {}, INVALID, r"indices\[1\] = \[-1\]"),
        ([[0] * 4], {}, INVALID, "saw: 4 vs. 3"),
        (1, {}, INVALID, "at least a vector"),
        ([[1], [0]], {"batch_dims": 2}, ValueError, "must be less than"),
        ([[1], [0], [1]], {"batch_dims": 1}, INVALID, "differ"),
        ([[0.0]], {}, INVALID, "Tindices"),
        ([[0]], {"bad_indices_policy": "x"}, INVALID, "bad_indices_policy"),
    ],
)
def test_gather_nd_refuses(at, options, error, text):
    with pytest.raises(error, match=text):
        gather_nd(A, at, **options)


def test_boolean_mask():
    assert boolean_mask([1, 2, 3], [True, False, True]).numpy().tolist() == [1, 3]
    assert boolean_mask([1, 2, 3], [1, 0, 1]).numpy().tolist() == [1, 3]
    mask = A[0] > 5
    np.testing.assert_array_equal(boolean_mask(A[0], mask).numpy(), A[0][mask])
    np.testing.assert_array_equal(boolean_mask(A, [True, False, True], axis=1).numpy(), A[:, [0, 2]])
    np.testing.assert_array_equal(boolean_mask(A, mask, axis=1).numpy(), A[:, mask])
    check_gradients(lambda x: boolean_mask(x, mask, axis=1), A)
    for arguments, text in ((([1, 2, 3], [True, False]), "incompatible"), (([1, 2], True), "cannot be scalar")):
        with pytest.raises(ValueError, match=text):
            boolean_mask(*arguments)


def test_unravel_index():
    at = np.array([7, 2, 11])
    np.testing.assert_array_equal(unravel_index(at, [3, 4]).numpy(), np.unravel_index(at, (3, 4)))
    assert unravel_index(7, [3, 4]).numpy().tolist() == [1, 3]
    assert unravel_index(tf.constant([7], tf.int64), [3, 4]).dtype == tf.int64
    for arguments, text in (
        (([12], [3, 4]), "out of bound"),
        (([0], [0]), "dim of zero"),
        (([[7]], [3, 4]), "scalar or vector"),
        (([2], 3), "1-D"),
    ):
        with pytest.raises(INVALID, match=text):
            unravel_index(*arguments)


def test_embedding_lookup():
    table = np.array([[3.0, 4.0], [0.3, 0.4]])
    np.testing.assert_array_equal(embedding_lookup(table, [[1], [0]]).numpy(), table[[[1], [0]]])
    np.testing.assert_allclose(embedding_lookup(table, [0, 1], max_norm=1.0).numpy(), [[0.6, 0.8], [0.3, 0.4]])
    parts = [tf.constant([[1.0], [2.0]]), tf.constant([[3.0]])]
    assert embedding_lookup(parts, [0, 2]).numpy().tolist() == [[1.0], [3.0]]
    check_gradients(lambda x: embedding_lookup(x, [0, 1], max_norm=1.0), table)
    for params, text in ((None, "must be specified"), ([], "Need at least one param")):
        with pytest.raises(ValueError, match=text):
            embedding_lookup(params, [0])
    with pytest.raises(INVALID, match="= 2 is not in"):
        embedding_lookup(table, [2])
