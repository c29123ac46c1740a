"""matmul, matvec, tensordot and dense: shapes, dtypes, adjoints, errors, gradients through every form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.ops.products import dense

INVALID = tf.errors.InvalidArgumentError
RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.standard_normal(shape)


@given(st.sampled_from([(), (2,), (2, 1), (1, 3)]), st.sampled_from([(), (2,), (3,)]), st.booleans(), st.booleans())
def test_the_product_of_stacks(batch_a, batch_b, ta, tb):
    try:
        np.broadcast_shapes(batch_a, batch_b)
    except ValueError:
        return
    a, b = normal(*batch_a, 2, 4), normal(*batch_b, 4, 3)
    want = a @ b
    got = tf.matmul(a.swapaxes(-1, -2) if ta else a, b.swapaxes(-1, -2) if tb else b, transpose_a=ta, transpose_b=tb)
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_integers_halves_and_nothing():
    assert tf.matmul([[1, 2]], [[3], [4]]).numpy().tolist() == [[11]]
    for dtype in ("float16", "bfloat16"):
        x = tf.cast(tf.fill([1, 2048], 1.0), dtype)
        assert tf.matmul(x, x, transpose_b=True).dtype == dtype
        assert float(tf.cast(tf.matmul(x, x, transpose_b=True), tf.float32)[0, 0]) == 2048
    assert tf.matmul(tf.ones([2, 0]), tf.ones([0, 3])).numpy().tolist() == [[0] * 3] * 2
    assert tf.matmul(tf.ones([2, 3]), np.ones([3, 1])).dtype == tf.float32


def test_output_type_and_hints():
    a = tf.constant([[100, 100]], tf.int8)
    assert tf.matmul(a, a, transpose_b=True, output_type=tf.int32).numpy().tolist() == [[20000]]
    mixed = tf.matmul(tf.cast([[1.0, 2.0]], tf.bfloat16), tf.constant([[3.0], [4.0]]), a_is_sparse=True)
    assert mixed.dtype == tf.float32
    assert mixed.numpy().tolist() == [[11]]


def test_adjoints():
    a, b = tf.constant([[1 + 1j, 2]]), tf.constant([[1j, 3]])
    assert tf.matmul(a, b, adjoint_b=True).numpy().tolist() == [[7 - 1j]]
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        y = tf.math.real(tf.matmul(a, b, adjoint_b=True))
    of_a, of_b = tape.gradient(y, [a, b])
    assert of_a.numpy().tolist() == [[1j, 3]]
    assert of_b.numpy().tolist() == [[1 + 1j, 2]]
    with pytest.raises(ValueError, match="Only one of `transpose_a` and `adjoint_a`"):
        tf.matmul(a, b, transpose_a=True, adjoint_a=True)


def test_the_gradient_of_many_rows_times_one_matrix():
    x, w = tf.constant(normal(2, 3, 4)), tf.constant(normal(4, 5))
    for transpose in (False, True):
        v = tf.transpose(w) if transpose else w
        with tf.GradientTape() as tape:
            tape.watch([x, v])
            y = tf.matmul(x, v, transpose_b=transpose)
        of_x, of_v = tape.gradient(y, [x, v])
        ones = np.ones([2, 3, 5])
        np.testing.assert_allclose(of_x, ones @ w.numpy().T)
        want = np.einsum("bij,bik->jk", x.numpy(), ones)
        np.testing.assert_allclose(of_v, want.T if transpose else want)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.ones([2, 3]), np.ones([2, 3]), r"Matrix size-incompatible: In\[0\]: \[2, 3\], In\[1\]: \[2, 3\]"),
        (np.ones([3]), np.ones([3, 2]), r"In\[0\] ndims must be >= 2"),
        (np.ones([2, 3]), np.ones([3]), r"In\[1\] ndims must be >= 2"),
        (1.0, 2.0, r"In\[0\] ndims must be >= 2"),
        (np.ones([2, 2, 3]), np.ones([3, 3, 4]), "compatible batch dimensions"),
        (np.ones([2, 2, 3]), np.ones([2, 4, 4]), "size-incompatible"),
        ([[1]], [[2.0]], "expected to be a int32 tensor but is a float tensor"),
        ([[True]], [[True]], "bool"),
        ([["a"]], [["b"]], "string"),
        (np.ones([2, 2], np.int8), np.ones([2, 2], np.int8), "int8"),
    ],
)
def test_matmul_errors(a, b, words):
    with pytest.raises(INVALID, match=words):
        tf.matmul(a, b)


def test_matvec():
    a, b = normal(4, 3, 2), normal(4, 3)
    np.testing.assert_allclose(tf.linalg.matvec(a, b, transpose_a=True), np.einsum("bij,bi->bj", a, b))
    np.testing.assert_allclose(tf.linalg.matvec(a, b[0, :2]), a @ b[0, :2])
    assert tf.linalg.matvec(tf.constant([[1j]]), tf.constant([2 + 0j]), adjoint_a=True).numpy().tolist() == [-2j]
    with pytest.raises(INVALID, match="size-incompatible"):
        tf.linalg.matvec(tf.ones([2, 3]), tf.ones([4]))
    with pytest.raises(INVALID, match="must be a vector"):
        tf.linalg.matvec(tf.ones([2, 3]), 1.0)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "axes"),
    [
        ((2, 3), (3, 4), 1),
        ((2, 3), (2, 3), 2),
        ((2,), (3,), 0),
        ((2, 3), (3, 4), [[1], [0]]),
        ((2, 3), (3, 4), (-1, 0)),
        ((2, 3, 4), (4, 2, 3), [[0, 2], [1, 0]]),
        ((), (), 0),
    ],
)
def test_tensordot(shape_a, shape_b, axes):
    a, b = normal(*shape_a), normal(*shape_b)
    np.testing.assert_allclose(tf.tensordot(a, b, axes), np.tensordot(a, b, axes))
    np.testing.assert_allclose(tf.tensordot(a, b, tf.constant(axes)), np.tensordot(a, b, axes))


@pytest.mark.parametrize(
    ("axes", "error", "words"),
    [
        (3, ValueError, "larger than the number of dimensions"),
        (-1, ValueError, "at least 0"),
        ([[0, 1], [0]], ValueError, "2 != 1"),
        ([1], ValueError, "length 2"),
        ([[5], [0]], IndexError, "no axis 5"),
        ("a", TypeError, "'a'"),
        ([[0], [0]], INVALID, "size-incompatible"),
    ],
)
def test_tensordot_errors(axes, error, words):
    with pytest.raises(error, match=words):
        tf.tensordot(tf.ones([2, 3]), tf.ones([3, 4]), axes)


def test_dense():
    x, w, b = (tf.constant(normal(*shape)) for shape in ((5, 3), (3, 2), (2,)))
    with tf.GradientTape() as tape:
        tape.watch([x, w, b])
        y = dense(x, w, b)
    np.testing.assert_allclose(y, x.numpy() @ w.numpy() + b.numpy())
    of_x, of_w, of_b = tape.gradient(y, [x, w, b])
    ones = np.ones([5, 2])
    np.testing.assert_allclose(of_x, ones @ w.numpy().T)
    np.testing.assert_allclose(of_w, x.numpy().T @ ones)
    np.testing.assert_allclose(of_b, [5, 5])
    with pytest.raises(INVALID, match="size-incompatible"):
        dense(x, tf.ones([4, 2], tf.float64), b)
    with pytest.raises(INVALID, match="as many biases"):
        dense(x, w, tf.ones([3], tf.float64))
