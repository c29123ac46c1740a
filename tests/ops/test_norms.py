"""Norms, normalising by them, traces and cross products."""

import numpy as np
import pytest

import tapeflow as tf

INVALID = tf.errors.InvalidArgumentError
M = np.array([[1.0, 2.0, -3.0], [3.0, -4.0, 0.5]])


def gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", ["euclidean", 1, 2, 3, 0.5, np.inf])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_norms_of_vectors(order, axis, keepdims):
    number = 2 if order == "euclidean" else order
    flat = M.reshape(-1) if axis is None else M
    want = np.linalg.norm(flat, number, axis=0 if axis is None else axis, keepdims=keepdims)
    want = want.reshape([1, 1]) if axis is None and keepdims else want
    np.testing.assert_allclose(tf.norm(M, order, axis, keepdims), want, rtol=1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", ["euclidean", "fro", 1, 2, np.inf])
@pytest.mark.parametrize("axis", [[0, 1], (-1, 0), (0, 2)])
def test_norms_of_matrices(order, axis, keepdims):
    x = np.stack([M, 2 * M + 1], 1) if axis == (0, 2) else M
    want = np.linalg.norm(x, "fro" if order == "euclidean" else order, axis=tuple(axis), keepdims=keepdims)
    np.testing.assert_allclose(tf.norm(x, order, axis, keepdims), want, rtol=1e-12)


def test_complex_and_halves():
    assert tf.norm(tf.constant([3 + 4j, 1])).numpy() == pytest.approx(np.sqrt(26))
    assert tf.norm(tf.constant([3 + 4j, 1]), ord=1).dtype == tf.float64
    assert tf.norm(tf.constant([3.0, 4.0], tf.float16)).numpy() == 5


def test_gradients():
    np.testing.assert_allclose(gradient(tf.norm, [3.0, 4.0]), [0.6, 0.8])
    assert np.isnan(gradient(tf.norm, [0.0, 0.0])).all()
    assert gradient(lambda x: tf.norm(x, 1), [0.0, -2.0]).tolist() == [0, -1]
    u, _, vh = np.linalg.svd(M)
    np.testing.assert_allclose(gradient(lambda x: tf.norm(x, 2, (0, 1)), M), np.outer(u[:, 0], vh[0]), rtol=1e-9)
    x = tf.constant(M)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.norm(x, 2, (0, 1))
        g = inner.gradient(y, x)
    with pytest.raises(tf.errors.UnimplementedError, match="second derivative"):
        outer.gradient(g, x)


@pytest.mark.parametrize(
    ("order", "axis", "error", "words"),
    [
        ("fro", None, ValueError, "vector norm"),
        (0, None, ValueError, "vector norm"),
        (-np.inf, 1, ValueError, "vector norm"),
        ("nuc", (0, 1), ValueError, "matrix norm"),
        (3, (0, 1), ValueError, "matrix norm"),
        (1, [0, 0], ValueError, "2 unique integers"),
        (1, [0, 1, 2], ValueError, "2 unique integers"),
        (1, [1], ValueError, "2 unique integers"),
        (1, 1.5, ValueError, "2 unique integers"),
        (1, 3, INVALID, "reduction dimension"),
        ("euclidean", 3, INVALID, "reduction dimension"),
    ],
)
def test_errors(order, axis, error, words):
    with pytest.raises(error, match=words):
        tf.norm(M, order, axis)


def test_integers_have_no_norm():
    with pytest.raises(INVALID, match="int32"):
        tf.norm([3, 4])


def test_normalize():
    unit, length = tf.linalg.normalize([[3.0, 4.0], [1.0, 2.0]], ord=1, axis=1)
    np.testing.assert_allclose(unit, [[3 / 7, 4 / 7], [1 / 3, 2 / 3]], rtol=1e-6)
    assert length.numpy().tolist() == [[7], [3]]


def test_l2_normalize():
    np.testing.assert_allclose(tf.math.l2_normalize([3.0, 4.0]), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(tf.math.l2_normalize([[3.0, 0.0], [4.0, 2.0]], axis=0), [[0.6, 0], [0.8, 1]], rtol=1e-6)
    assert tf.math.l2_normalize([0.0, 0.0]).numpy().tolist() == [0, 0]
    np.testing.assert_allclose(tf.math.l2_normalize(tf.constant([3 + 4j])), [0.6 + 0.8j])
    np.testing.assert_allclose(gradient(tf.math.l2_normalize, np.float32([1e-8, 0])), [1e6, 1e6], rtol=1e-6)
    with pytest.raises(TypeError, match="int32"):
        tf.math.l2_normalize([3, 4])
    with pytest.raises(ValueError, match="both 'axis' and 'dim'"):
        tf.math.l2_normalize([1.0], axis=0, dim=0)


def test_trace():
    assert tf.linalg.trace(tf.reshape(tf.range(12.0), [2, 2, 3])).numpy().tolist() == [4, 16]
    assert tf.linalg.trace(tf.constant([[100, 0], [0, 100]], tf.int8)).numpy() == -56
    assert gradient(tf.linalg.trace, np.ones([2, 3])).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(INVALID, match="at least 2-dim"):
        tf.linalg.trace([1.0])


def test_cross():
    assert tf.linalg.cross([1, 2, 3], [3, 4, 5]).numpy().tolist() == [-2, 4, -2]
    assert gradient(lambda x: tf.linalg.cross(x, [3.0, 4.0, 5.0]), np.float32([1, 2, 3])).tolist() == [-1, 2, -1]
    with pytest.raises(tf.errors.FailedPreconditionError, match="3-element"):
        tf.linalg.cross([1.0, 2.0], [3.0, 4.0])
    with pytest.raises(INVALID, match="same shape"):
        tf.linalg.cross([[1.0, 2.0, 3.0]], [3.0, 4.0, 5.0])
    with pytest.raises(INVALID, match="at least 1D"):
        tf.linalg.cross(1.0, 2.0)
