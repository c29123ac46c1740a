"""Biases, moments, batch normalisation, local responses, and averages over a global batch."""

import numpy as np
import pytest

import tapeflow as tf

fused_batch_norm = tf.compat.v1.nn.fused_batch_norm

INVALID = tf.errors.InvalidArgumentError
X = np.array([[1.0, 2.0], [3.0, 5.0]])
IMAGES = np.arange(8, dtype=np.float32).reshape(2, 2, 1, 2)


def close(got, *want):
    for x, y in zip(got, want, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_bias_add():
    x = np.arange(24.0).reshape(2, 3, 4)
    b3, b4 = np.array([1.0, 2.0, 3.0]), np.arange(4.0)
    np.testing.assert_array_equal(tf.nn.bias_add(x, b4), x + b4)
    np.testing.assert_array_equal(tf.nn.bias_add(x, b4, "N...C"), x + b4)
    np.testing.assert_array_equal(tf.nn.bias_add(x, b3, "NCHW"), x + b3[:, None])
    np.testing.assert_array_equal(tf.nn.bias_add(x, b3, "NC.."), x + b3[:, None])
    assert tf.nn.bias_add(tf.ones([1, 2], tf.int32), [1, 2]).numpy().tolist() == [[2, 3]]
    v, b = tf.constant(x), tf.constant(b3)
    with tf.GradientTape() as tape:
        tape.watch([v, b])
        y = tf.nn.bias_add(v, b, "NC...")
    of_v, of_b = tape.gradient(y, [v, b])
    np.testing.assert_array_equal(of_v, np.ones_like(x))
    assert of_b.numpy().tolist() == [8, 8, 8]


@pytest.mark.parametrize(
    ("shape", "bias", "words"),
    [
        ([2, 3], [1.0, 2.0], "as many biases as the last dimension"),
        ([2, 3], [1.0], "as many biases"),
        ([3], [1.0, 2.0, 3.0], "at least 2D"),
        ([2, 3], [[1.0, 2.0, 3.0]], "must be 1D"),
        ([2, 3], tf.constant([1, 2, 3]), "int32"),
        ([2, 3], tf.constant([1.0, 2.0, 3.0], tf.float64), "double"),
    ],
)
def test_bias_errors(shape, bias, words):
    with pytest.raises(INVALID, match=words):
        tf.nn.bias_add(tf.ones(shape), bias)


def test_bias_formats():
    with pytest.raises(ValueError, match="N...C"):
        tf.nn.bias_add(tf.ones([2, 3]), [1.0, 2.0, 3.0], "CHW")


def test_l2_loss():
    assert tf.nn.l2_loss([1.0, 2.0]).numpy() == 2.5
    assert tf.nn.l2_loss(tf.fill([4096], tf.constant(1.0, tf.float16))).numpy() == 2048
    assert tf.nn.l2_loss(tf.constant(3.0, tf.float64)).numpy() == 4.5
    with pytest.raises(INVALID, match="int32"):
        tf.nn.l2_loss([1, 2])


def test_moments():
    close(tf.nn.moments(X, [0]), [2, 3.5], [1, 2.25])
    close(tf.nn.moments(X, 1, keepdims=True), [[1.5], [4]], [[0.25], [1]])
    close(tf.nn.moments(X, None), 2.75, 2.1875)
    close(tf.nn.moments([[1, 2], [3, 5]], [0]), [2, 3], [1, 2])
    close(tf.nn.moments(tf.constant([1 + 1j, 2]), [0]), 1.5 + 0.5j, 0.5)
    halves = tf.nn.moments(tf.constant(X, tf.float16), [0, 1], keepdims=True)
    assert [m.dtype for m in halves] == [tf.float16] * 2
    assert halves[1].numpy()[0, 0] == pytest.approx(2.1875, abs=2e-3)
    with pytest.raises(INVALID, match="reduction dimension"):
        tf.nn.moments(X, [3])


def test_weighted_moments():
    close(tf.nn.weighted_moments(X, [0], [[1.0], [2.0]]), [7 / 3, 4], [8 / 9, 2])
    close(tf.nn.weighted_moments(X, [0], tf.constant([[1], [2]]), keepdims=True), [[7 / 3, 4]], [[8 / 9, 2]])
    close(tf.nn.weighted_moments(X, None, 1.0), 2.75, 2.1875)
    assert tf.nn.weighted_moments(tf.constant(X, tf.float16), [0], 1.0)[0].dtype == tf.float16


def test_sufficient_statistics():
    counts, sums, squares, shift = tf.nn.sufficient_statistics(X, [0])
    assert shift is None
    close((counts, sums, squares), 2, [4, 7], [10, 29])
    close(tf.nn.normalize_moments(counts, sums, squares, shift), [2, 3.5], [1, 2.25])
    shifted = tf.nn.sufficient_statistics(X, [0, 1], shift=2.0, keepdims=True)
    close(shifted, 4, [[3]], [[11]], 2)
    close(tf.nn.normalize_moments(*shifted), [[2.75]], [[2.1875]])
    close(tf.nn.sufficient_statistics(X, [-1])[:2], 2, [3, 8])
    with pytest.raises(TypeError):
        tf.nn.sufficient_statistics(X, 0)


def test_batch_normalization():
    mean, variance = tf.constant([1.0, 2.0, 3.0]), tf.constant([1.0, 1.0, 4.0])
    got = tf.nn.batch_normalization(tf.ones([1, 3]), mean, variance, [1.0, 0.0, 0.0], [1.0, 1.0, 2.0], 1e-3)
    np.testing.assert_allclose(got, [[1, -0.9995004, -1.9997501]], rtol=1e-5)
    half = tf.nn.batch_normalization(tf.ones([1, 3], tf.float16), mean, variance, None, None, 1e-3)
    assert half.dtype == tf.float16
    np.testing.assert_allclose(half, [[0, -0.9995, -1]], rtol=1e-3)
    scaled = tf.nn.batch_norm_with_global_normalization(tf.ones([1, 3]), mean, variance, 0.5, 2.0, 0.0, True)
    np.testing.assert_allclose(scaled, [[0.5, -1.5, -1.5]])
    plain = tf.nn.batch_norm_with_global_normalization(tf.ones([1, 3]), mean, variance, 0.5, 2.0, 0.0, False)
    np.testing.assert_allclose(plain, [[0.5, -0.5, -0.5]])


def test_fused_batch_norm_in_training():
    y, mean, variance = fused_batch_norm(IMAGES, [1.0, 2.0], [0.0, 1.0])
    np.testing.assert_allclose(y.numpy()[0].reshape(-1), [-1.3415066, -1.6830132, -0.44716886, 0.10566229], rtol=1e-5)
    close((mean, variance), [3, 4], [20 / 3, 20 / 3])
    running = fused_batch_norm(IMAGES, [1.0, 2.0], [0.0, 1.0], [1.0, 1.0], [2.0, 2.0], exponential_avg_factor=0.5)
    close(running[1:], [2, 2.5], [13 / 3, 13 / 3])
    first = fused_batch_norm(IMAGES.reshape(2, 2, 1, 2, 1), [1.0, 2.0], [0.0, 1.0], data_format="NCDHW")[0]
    np.testing.assert_allclose(first.numpy().reshape(-1)[:4], [-1.2125356, -0.72752136, -1.4250712, -0.45504272], 1e-5)
    half, mean, _ = fused_batch_norm(IMAGES.astype(np.float16), [1.0, 2.0], [0.0, 1.0])
    assert (half.dtype, mean.dtype) == (tf.float16, tf.float32)


def test_fused_batch_norm_in_inference():
    y, *rest = fused_batch_norm(IMAGES, [1.0, 2.0], [0.0, 1.0], [1.0, 1.0], [2.0, 2.0], is_training=False)
    np.testing.assert_allclose(y.numpy()[0].reshape(-1), [-0.7069301, 1, 0.7069301, 3.8277204], rtol=1e-5)
    close(rest, [1, 1], [2, 2])


def test_running_statistics_have_no_gradient():
    x = tf.constant(IMAGES)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, mean, variance = fused_batch_norm(x, [1.0, 2.0], [0.0, 1.0])
        weighted = y * tf.constant(np.arange(8, dtype=np.float32).reshape(2, 2, 1, 2) ** 2)
    assert tape.gradient([mean, variance], x) is None
    gradient = tape.gradient(weighted, x).numpy()
    # no gradient along what normalising takes away: a constant, and x itself
    np.testing.assert_allclose(gradient.sum((0, 1, 2)), [0, 0], atol=1e-3)
    assert np.abs(gradient).max() > 1


@pytest.mark.parametrize(
    ("x", "options", "error", "words"),
    [
        (IMAGES, {"is_training": False}, ValueError, "`mean` and `variance`"),
        (IMAGES, {"exponential_avg_factor": 0.5}, ValueError, "`mean` and `variance`"),
        (IMAGES[0], {}, INVALID, "4-dimensional"),
        (IMAGES, {"data_format": "NC"}, INVALID, "data_format"),
        (IMAGES[..., :1], {}, INVALID, "scale must have the same number of elements"),
    ],
)
def test_fused_errors(x, options, error, words):
    with pytest.raises(error, match=words):
        fused_batch_norm(x, [1.0, 2.0], [0.0, 1.0], **options)


def test_local_response_normalization():
    x = tf.reshape(tf.range(8.0), [1, 1, 1, 8])
    got = tf.nn.local_response_normalization(x, depth_radius=1, bias=2, alpha=1, beta=0.5)
    want = [0, 0.37796447, 0.5, 0.5388159, 0.55470014, 0.5625439, 0.5669467, 0.75047874]
    np.testing.assert_allclose(got.numpy().reshape(-1), want, rtol=1e-5)
    np.testing.assert_allclose(tf.nn.lrn(tf.ones([1, 1, 1, 2])).numpy().reshape(-1), [3**-0.5] * 2, rtol=1e-6)
    with pytest.raises(INVALID, match="4-dimensional"):
        tf.nn.lrn(tf.ones([2, 2, 2]))
    with pytest.raises(INVALID, match="int32"):
        tf.nn.lrn(tf.ones([1, 2, 2, 2], tf.int32))


@pytest.mark.parametrize(
    ("loss", "options", "want"),
    [
        ([1.0, 2.0, 3.0], {}, 2),
        ([1.0, 2.0, 3.0], {"sample_weight": [1.0, 0.0, 1.0]}, 4 / 3),
        ([1.0, 2.0, 3.0], {"sample_weight": 2.0, "global_batch_size": 6}, 2),
        ([[1.0, 2.0], [3.0, 4.0]], {"sample_weight": [1.0, 2.0]}, 8.5),
        ([1.0, 2.0], {"sample_weight": [[1.0], [3.0]]}, 3.5),
        ([1, 2], {}, 1.5),
        ([1.0, 2.0], {"global_batch_size": 0}, 0),
        ([1.0, 2.0], {"global_batch_size": tf.constant(4)}, 0.75),
        (np.zeros(0), {}, 0),
    ],
)
def test_average_losses(loss, options, want):
    assert tf.nn.compute_average_loss(loss, **options).numpy() == pytest.approx(want)


@pytest.mark.parametrize(
    ("loss", "size", "error", "words"),
    [
        (3.0, None, ValueError, "at least rank 1"),
        ([1.0], 1.5, TypeError, "integer"),
        ([1.0], [2], ValueError, "scalar"),
        ([1.0], -1, ValueError, "non-negative"),
    ],
)
def test_average_loss_errors(loss, size, error, words):
    with pytest.raises(error, match=words):
        tf.nn.compute_average_loss(loss, global_batch_size=size)


def test_dtypes_of_average_losses():
    assert tf.nn.compute_average_loss([1, 2]).dtype == tf.float64
    assert tf.nn.compute_average_loss(tf.ones([2], tf.float16)).dtype == tf.float16


def test_regularization_losses():
    assert tf.nn.scale_regularization_loss(2.0).numpy() == 2
    assert tf.nn.scale_regularization_loss([1.0, 2.0]).numpy() == 3
