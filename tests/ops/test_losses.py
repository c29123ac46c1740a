"""Cross entropies: values, labels that are refused, gradients to logits and labels, second derivatives."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.losses import sparse_cross_entropy_of_probabilities
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
softmax_ce = tf.nn.softmax_cross_entropy_with_logits
sparse_ce = tf.nn.sparse_softmax_cross_entropy_with_logits
sigmoid_ce = tf.nn.sigmoid_cross_entropy_with_logits


def gradients(f, *arrays):
    tensors = [tf.constant(x) for x in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = f(*tensors)
    return [g.numpy() for g in tape.gradient(y, tensors)]


def test_softmax_cross_entropy():
    z = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
    y = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    logs = z - np.log(np.exp(z).sum(-1, keepdims=True))
    np.testing.assert_allclose(softmax_ce(y, z), -(y * logs).sum(-1))
    of_y, of_z = gradients(softmax_ce, y, z)
    np.testing.assert_allclose(of_y, -logs)
    np.testing.assert_allclose(of_z, np.exp(logs) - y)


def test_gradients_of_labels_that_do_not_sum_to_one():
    of_y, of_z = gradients(softmax_ce, np.float32([[0.3, 0.9]]), np.float32([[2, 3]]))
    np.testing.assert_allclose(of_y, [[1.3132616, 0.31326166]], rtol=1e-6)
    np.testing.assert_allclose(of_z, [[-0.03105858, -0.16894138]], rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (3,)])
def test_labels_broadcast(shape):
    np.testing.assert_allclose(softmax_ce(np.ones(shape, np.float32), tf.ones([2, 3])), [3.295837] * 2, rtol=1e-6)


def test_axes_ranks_and_dtypes():
    assert softmax_ce([0.0, 1.0], [2.0, 3.0]).numpy() == pytest.approx(0.31326166)
    np.testing.assert_allclose(softmax_ce(tf.ones([2, 3]), tf.ones([2, 3]), axis=0), [1.3862944] * 3, rtol=1e-6)
    assert softmax_ce(tf.ones([2, 4, 3]), tf.ones([2, 4, 3])).shape == [2, 4]
    assert softmax_ce(tf.ones([2, 4, 3]), tf.ones([2, 4, 3]), axis=1).shape == [2, 3]
    assert softmax_ce([[0, 1]], [[2.0, 3.0]]).dtype == tf.float32
    assert softmax_ce(tf.ones([2, 3], tf.float64), tf.ones([2, 3])).dtype == tf.float32
    assert softmax_ce(tf.ones([2, 3]), tf.ones([2, 3], tf.float16)).dtype == tf.float16
    assert softmax_ce(tf.ones([0, 3]), tf.ones([0, 3])).shape == [0]
    assert softmax_ce(tf.ones([2, 0]), tf.ones([2, 0])).numpy().tolist() == [0, 0]
    assert softmax_ce([[1.0, 0.0]], [[1000.0, 0.0]]).numpy().tolist() == [0]


def test_second_derivatives():
    z = np.random.default_rng(0).standard_normal((2, 3))
    y = np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])
    check_gradients(softmax_ce, y, z, order=3)
    check_gradients(lambda z: sparse_ce([2, 0], z), z, order=3)
    check_gradients(lambda p: sparse_cross_entropy_of_probabilities(p, tf.constant([2, 0])), y, order=3)
    check_gradients(sigmoid_ce, y, z)


def test_errors_of_softmax_cross_entropy():
    with pytest.raises(INVALID, match="broadcastable"):
        softmax_ce(tf.ones([2, 3]), tf.ones([2, 2]))
    with pytest.raises(INVALID, match="int32"):
        softmax_ce([[0.0, 1.0]], [[2, 3]])
    with pytest.raises(INVALID, match="axis"):
        softmax_ce(tf.ones([2, 3]), tf.ones([2, 3]), axis=5)
    with pytest.raises(INVALID, match="axis"):
        softmax_ce(1.0, 2.0)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_sparse_cross_entropy(dtype):
    z = np.float32([[1, 2, 3], [4, 5, 7]])
    labels = np.array([0, 2], dtype)
    np.testing.assert_allclose(sparse_ce(labels, z), [2.407606, 0.16984604], rtol=1e-6)
    (of_z,) = gradients(lambda z: sparse_ce(labels, z), z)
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    np.testing.assert_allclose(of_z, p - np.eye(3)[labels], rtol=1e-5)
    assert labels.tolist() == [0, 2]


def test_sparse_ranks_and_dtypes():
    assert sparse_ce(0, [1.0, 2.0, 3.0]).numpy() == pytest.approx(2.4076059)
    assert sparse_ce([[0, 1]], [[[1.0, 2.0], [3.0, 4.0]]]).shape == [1, 2]
    assert sparse_ce(tf.zeros([0], tf.int32), tf.ones([0, 3])).shape == [0]
    assert sparse_ce([0], tf.constant([[1, 2, 3]], tf.float16)).dtype == tf.float16
    assert np.isnan(sparse_ce([0], [[np.nan, 2.0]]).numpy()[0])


@pytest.mark.parametrize(
    ("labels", "shape", "error", "words"),
    [
        ([5], [1, 3], INVALID, r"label value of 5 .* \[0, 3\)"),
        ([0, -1], [2, 3], INVALID, "label value of -1"),
        (np.array([2**32]), [1, 3], INVALID, "4294967296"),
        ([0.0], [1, 3], INVALID, "Tlabels"),
        (np.array([0], np.uint8), [1, 3], INVALID, "uint8"),
        ([0, 1], [1, 3], ValueError, "must equal `logits.shape` except for the last"),
        ([[0], [1]], [2, 3], ValueError, "rank"),
        (0, [], ValueError, "scalar"),
        ([0, 0], [2, 0], INVALID, "at least one class"),
        (None, [2, 3], ValueError, "must be provided"),
    ],
)
def test_sparse_errors(labels, shape, error, words):
    with pytest.raises(error, match=words):
        sparse_ce(labels, tf.ones(shape))


def test_sparse_logits_must_be_floats():
    with pytest.raises(INVALID, match="int32"):
        sparse_ce([0], [[1, 2, 3]])


def test_cross_entropy_of_probabilities_is_kerass():
    p = np.float32([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.5, 0.6, 0.7]])
    labels = np.array([1, 0, 2])
    c = np.clip(p, np.float32(1e-7), np.float32(1 - 1e-7)).astype(np.float64)
    want = np.log(c.sum(-1)) - np.log(c[range(3), labels])
    np.testing.assert_allclose(sparse_cross_entropy_of_probabilities(p, labels), want, rtol=1e-6)
    (of_p,) = gradients(lambda p: sparse_cross_entropy_of_probabilities(p, labels), p)
    slope = 1 / c.sum(-1, keepdims=True) - np.eye(3)[labels] / c
    slope[1] = 0  # all of that row are clipped
    np.testing.assert_allclose(of_p, slope, rtol=1e-5)
    with pytest.raises(INVALID, match="label value of 3"):
        sparse_cross_entropy_of_probabilities(p, tf.constant([0, 3, 0]))


def test_sigmoid_cross_entropy():
    np.testing.assert_allclose(sigmoid_ce([0.0, 1.0], [2.0, -3.0]), [2.126928, 3.0485873], rtol=1e-6)
    np.testing.assert_allclose(sigmoid_ce([0.0, 1.0], [1000.0, 1000.0]), [1000, 0])
    of_y, of_z = gradients(sigmoid_ce, np.float32([0.5, 0.2, 0.9]), np.float32([0, 1, -1]))
    assert of_y.tolist() == [0, -1, 1]
    np.testing.assert_allclose(of_z, [0, 0.53105855, -0.6310586], rtol=1e-6)


def test_sigmoid_errors():
    with pytest.raises(ValueError, match="same shape"):
        sigmoid_ce(tf.ones([2, 3]), tf.ones([2, 2]))
    with pytest.raises(ValueError, match="must be provided"):
        sigmoid_ce([0.0], None)
    with pytest.raises(INVALID, match="int32"):
        sigmoid_ce([0, 1], [2.0, -3.0])
    with pytest.raises(INVALID, match="int32"):
        sigmoid_ce([0, 1], [2, -3])


def test_weighted_cross_entropy():
    f = tf.nn.weighted_cross_entropy_with_logits
    np.testing.assert_allclose(f([0.0, 1.0], [2.0, -3.0], 2.0), [2.126928, 6.0971746], rtol=1e-6)
    np.testing.assert_allclose(f([0.0, 1.0], [2.0, -3.0], tf.constant([2.0, 3.0])), [2.126928, 9.1457615], rtol=1e-6)
    of_y, of_z, of_w = gradients(f, np.float32([0.5, 0.2, 0.9]), np.float32([0, 1, -1]), np.float32(2))
    np.testing.assert_allclose(of_y, [0.6931472, -0.6867383, 2.3132617], rtol=1e-5)
    np.testing.assert_allclose(of_z, [0.5, 0.47727028, -1.2890112], rtol=1e-5)
    assert of_w == pytest.approx(1.5911615, rel=1e-5)
    with pytest.raises(ValueError, match="same shape"):
        f([0.0, 1.0], [2.0], 2.0)


def test_log_poisson_loss():
    f = tf.nn.log_poisson_loss
    np.testing.assert_allclose(f([1.0, 2.0], [0.5, 1.0]), [1.1487212, 0.71828175], rtol=1e-6)
    full = f([0.0, 1.0, 2.0, 5.0], [0.5, 1.0, 2.0, 3.0], compute_full_loss=True)
    np.testing.assert_allclose(full, [1.6487212, 1.7182817, 4.0408626, 9.856384], rtol=1e-6)
    of_z, of_c = gradients(lambda z, c: f(z, c, True), np.float32([1, 3]), np.float32([1, 2]))
    np.testing.assert_allclose(of_z, [-1, -0.734721], rtol=1e-5)
    np.testing.assert_allclose(of_c, [1.7182817, 4.389056], rtol=1e-6)
    with pytest.raises(ValueError, match="same shape"):
        f([0.0, 1.0], [0.5])
