"""scatter_nd, the tensor_scatter_nd ops, dynamic_stitch and dynamic_partition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.ops import scattering
from tapeflow.ops.scattering import dynamic_partition, dynamic_stitch, scatter_nd
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
X = np.array([1.0, 3.0, 3.0])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=8))
def test_scatter_nd_adds_up(pairs):
    want = np.zeros(4, np.int32)
    for place, value in pairs:
        want[place] += value
    at = np.array([[place] for place, _ in pairs], np.int32).reshape(-1, 1)
    values = np.array([value for _, value in pairs], np.int32)
    np.testing.assert_array_equal(scatter_nd(at, values, [4]).numpy(), want)


def test_scatter_nd_of_rows_and_of_other_dtypes():
    assert scatter_nd([[1], [1]], [[1.0, 2.0], [3.0, 4.0]], [2, 2]).numpy().tolist() == [[0.0, 0.0], [4.0, 6.0]]
    assert scatter_nd([[0, 1]], ["a"], [1, 2]).numpy().tolist() == [[b"", b"a"]]
    assert scatter_nd([[1]], [True], [2]).numpy().tolist() == [False, True]
    assert scatter_nd([[5], [1]], [5, 6], [3], bad_indices_policy="IGNORE").numpy().tolist() == [0, 6, 0]
    assert scatter_nd(tf.zeros([0, 1], tf.int32), tf.zeros([0]), [3]).numpy().tolist() == [0.0] * 3
    check_gradients(lambda u: scatter_nd([[1], [3], [1]], u, [5]), X)


@pytest.mark.parametrize(
    ("indices", "updates", "shape", "text"),
    [
        ([[3]], [5], [3], r"indices\[0\] = \[3\] does not index into shape \[3\]"),
        ([[-1]], [5], [3], r"\[-1\] does not index"),
        ([[1]], [[5]], [3], r"take updates of shape \[1\]"),
        ([[1]], [5, 6], [3], r"take updates of shape \[1\]"),
        ([[1, 1]], [5], [3], "too long"),
        ([1], 5, [3], "Updates shape must have rank at least one"),
        (1, 5, [3], "Indices shape must have rank at least one"),
        ([[0]], [5], [-1], "Dimension -1"),
        ([[0]], [5], [0], "does not index"),
        ([[1.0]], [5], [3], "Tindices"),
    ],
)
def test_scatter_nd_refuses(indices, updates, shape, text):
    with pytest.raises(INVALID, match=text):
        scatter_nd(indices, updates, shape)


@pytest.mark.parametrize(
    ("how", "want"),
    [("update", [1, 8, 3]), ("add", [1, 17, 3]), ("sub", [1, -13, 3]), ("max", [1, 8, 3]), ("min", [1, 2, 3])],
)
def test_tensor_scatter(how, want):
    x = tf.constant([1, 2, 3])
    got = getattr(scattering, f"tensor_scatter_nd_{how}")(x, [[1], [1]], [7, 8])
    assert got.numpy().tolist() == want
    assert x.numpy().tolist() == [1, 2, 3]
    assert getattr(scattering, f"tensor_scatter_nd_{how}").__name__ == f"tensor_scatter_nd_{how}"


@pytest.mark.parametrize("how", ["update", "add", "sub", "max", "min"])
def test_gradients_of_tensor_scatter(how):
    op = getattr(scattering, f"tensor_scatter_nd_{how}")
    check_gradients(lambda x, u: op(x, [[0], [2]], u), X, np.array([2.0, -1.0]))
    check_gradients(lambda x, u: op(x, [[1]], u), np.ones((2, 2)), np.array([[0.5, 2.0]]))


def test_a_maximum_shares_its_gradient_among_all_that_attain_it():
    x, u = tf.constant(X), tf.constant([3.0, 3.0, 1.0], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, u])
        y = scattering.tensor_scatter_nd_max(x, [[1], [1], [0]], u)
    of_x, of_u = tape.gradient(y, [x, u], tf.constant([1.0, 2.0, 4.0], tf.float64))
    np.testing.assert_allclose(of_x, [0.5, 2 / 3, 4.0])
    np.testing.assert_allclose(of_u, [2 / 3, 2 / 3, 0.5])


def test_tensor_scatter_refuses():
    update = scattering.tensor_scatter_nd_update
    for arguments, error, text in (
        (([1, 2], [[2]], [7]), INVALID, "does not index into shape"),
        (([1, 2], [[0]], [7.5]), TypeError, "7.5"),
        (([1, 2], [[0]], [[7]]), INVALID, "take updates"),
        (([1, 2], [[0]], tf.constant([7.0])), INVALID, "input #2"),
        (([1, 2], [], 7), INVALID, "rank at least one"),
        (([1, 2], [[0.5]], [7]), INVALID, "Tindices"),
    ):
        with pytest.raises(error, match=text):
            update(*arguments)
    with pytest.raises(tf.errors.NotFoundError, match="bool"):
        scattering.tensor_scatter_nd_max([True], [[0]], [False])
    got = scattering.tensor_scatter_nd_add([1, 2], [[5], [0]], [7, 8], bad_indices_policy="IGNORE")
    assert got.numpy().tolist() == [9, 2]


def test_dynamic_stitch():
    assert dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy().tolist() == [10, 20, 30]
    assert dynamic_stitch([[0, 2], [4]], [[10, 30], [20]]).numpy().tolist() == [10, 0, 30, 0, 20]
    assert dynamic_stitch([[0, 0], [0]], [[10, 30], [20]]).numpy().tolist() == [20]
    assert dynamic_stitch([0, [1, 2]], [[1, 2], [[3, 4], [5, 6]]]).numpy().tolist() == [[1, 2], [3, 4], [5, 6]]
    check_gradients(lambda x, y: dynamic_stitch([[0, 2], [1]], [x, y]), np.ones((2, 2)), np.ones((1, 2)))
    for arguments, text in (
        (([[-1]], [[10]]), "out of range"),
        (([[0, 1]], [[10]]), "does not start with"),
        (([], []), "lists of one length"),
        (([[0], [1]], [[1], [[2]]]), "must end in"),
    ):
        with pytest.raises(INVALID, match=text):
            dynamic_stitch(*arguments)


def test_dynamic_partition():
    parts = dynamic_partition([[1, 2], [3, 4], [5, 6]], [1, 0, 1], 3)
    assert [p.numpy().tolist() for p in parts] == [[[3, 4]], [[1, 2], [5, 6]], []]
    assert [p.numpy().tolist() for p in dynamic_partition([[1, 2], [3, 4]], [[1, 0], [0, 0]], 2)] == [[2, 3, 4], [1]]
    assert [p.shape.as_list() for p in dynamic_partition(5.0, 1, 2)] == [[0], [1]]
    check_gradients(lambda x: dynamic_partition(x, [1, 0, 1], 2), X)
    for arguments, text in (
        (([1, 2], [0, 2], 2), r"partitions\[1\] = 2 is not in \[0, 2\)"),
        (([1, 2], [0], 2), "must start with"),
        (([1], [0], 0), "at least minimum 1"),
    ):
        with pytest.raises(INVALID, match=text):
            dynamic_partition(*arguments)
