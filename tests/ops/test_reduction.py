"""Reductions: values, dtypes and errors as TensorFlow 2.21 gives them, gradients at ties and zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapeflow as tf

X = np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 4 - 1
INVALID = tf.errors.InvalidArgumentError


def gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy().tolist()


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 2, -1, (0, 2), [1, -1], [], np.array([1]), np.int64(1), tf.constant([0, 1])])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min"])
def test_values_are_numpys(name, axis, keepdims):
    over = tuple(axis.numpy()) if isinstance(axis, tf.Tensor) else tuple(axis) if isinstance(axis, list) else axis
    over = tuple(int(a) for a in np.ravel(over)) if over is not None else None
    want = getattr(np, name)(X.astype(np.float64), axis=over, keepdims=keepdims)
    got = getattr(tf, f"reduce_{name}")(X, axis, keepdims)
    assert got.dtype == tf.float32
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)


def test_small_types_keep_theirs_and_wrap():
    assert tf.reduce_sum(tf.constant([200, 100], tf.uint8)).numpy() == 44
    assert tf.reduce_sum(tf.constant([200, 100], tf.uint8)).dtype == tf.uint8
    assert tf.reduce_prod(tf.constant([16, 16, 16], tf.int8)).numpy() == 0
    assert tf.reduce_mean(tf.constant([200, 100, 255], tf.uint8)).numpy() == 185


def test_integer_means_drop_their_fraction():
    assert tf.reduce_mean([1, 2]).numpy() == 1
    assert tf.reduce_mean([-1, -2]).numpy() == -1
    assert tf.reduce_mean(tf.zeros([0], tf.int32)).numpy() == 0
    assert tf.reduce_mean(tf.constant([2**30] * 4)).numpy() == 2**30


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_summed_in_float32(dtype):
    x = tf.cast(tf.constant(np.full(3000, 0.1, np.float32)), dtype)
    assert tf.reduce_sum(x).dtype == dtype
    assert float(tf.cast(tf.reduce_sum(x), tf.float32)) == pytest.approx(300, rel=2e-3)
    assert float(tf.cast(tf.reduce_mean(x), tf.float32)) == pytest.approx(0.1, rel=2e-3)


def test_nothing():
    assert np.isnan(tf.reduce_mean(tf.zeros([0])).numpy())
    assert tf.reduce_sum(tf.zeros([0, 3]), 0).numpy().tolist() == [0, 0, 0]
    assert tf.reduce_prod(tf.zeros([0])).numpy() == 1
    assert tf.reduce_max(tf.zeros([0, 2], tf.int32), 0).numpy().tolist() == [-(2**31)] * 2
    assert tf.reduce_max(tf.zeros([0], tf.float16)).numpy() == -np.inf
    assert tf.reduce_min(tf.zeros([0], tf.uint8)).numpy() == 255
    assert tf.reduce_min(tf.zeros([0])).numpy() == np.inf
    assert bool(tf.reduce_all(tf.zeros([0], tf.bool)))
    assert not bool(tf.reduce_any(tf.zeros([0], tf.bool)))


def test_nan_is_the_extremum():
    assert np.isnan(tf.reduce_max([1.0, np.nan, 2.0]).numpy())
    assert gradient(tf.reduce_max, [np.nan, 1.0]) == pytest.approx([np.nan, np.nan], nan_ok=True)


def test_logical():
    a = tf.constant([[True, False], [True, True]])
    assert tf.reduce_all(a, 1).numpy().tolist() == [False, True]
    assert tf.reduce_any(a, 0, keepdims=True).numpy().tolist() == [[True, True]]
    assert bool(tf.reduce_any(np.array([1, 0])))
    with pytest.raises(TypeError, match="bool"):
        tf.reduce_all([1, 2])
    with pytest.raises(INVALID, match="int32"):
        tf.reduce_all(tf.constant([1, 2]))


def test_ties_share_the_gradient():
    assert gradient(tf.reduce_max, [2.0, 1.0, 2.0]) == [0.5, 0, 0.5]
    assert gradient(lambda x: tf.reduce_min(x, 1), [[1.0, 1.0], [3.0, 2.0]]) == [[0.5, 0.5], [0, 1]]
    assert gradient(lambda x: tf.reduce_max(x, []), [2.0, 2.0]) == [1, 1]


def test_gradient_of_a_product_with_zeros():
    assert gradient(tf.reduce_prod, [0.0, 2.0, 3.0]) == [6, 0, 0]
    assert gradient(tf.reduce_prod, [0.0, 2.0, 0.0]) == [0, 0, 0]
    assert gradient(lambda x: tf.reduce_prod(x, [0, 2]), [[[2.0, 0.0]], [[3.0, 4.0]]]) == [[[0, 24]], [[0, 0]]]


def test_gradient_of_a_complex_product():
    x = tf.constant([3 + 4j, 5, 1j])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.math.real(tf.reduce_prod(x))
    np.testing.assert_allclose(tape.gradient(y, x), [-5j, -4 - 3j, 15 - 20j])


def test_logsumexp():
    assert tf.reduce_logsumexp([1000.0, 1000.0]).numpy() == pytest.approx(1000 + np.log(2))
    assert tf.reduce_logsumexp([-np.inf, -np.inf]).numpy() == -np.inf
    assert tf.reduce_logsumexp([np.inf, 1.0]).numpy() == np.inf
    assert tf.reduce_logsumexp(tf.zeros([0, 2]), 0).numpy().tolist() == [-np.inf, -np.inf]
    assert gradient(tf.reduce_logsumexp, [-np.inf, 1.0]) == [0, 1]
    with pytest.raises(INVALID, match="int32"):
        tf.reduce_logsumexp([1, 2])


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-50, 50)))
def test_logsumexp_is_the_logarithm_of_the_sum(x):
    np.testing.assert_allclose(tf.reduce_logsumexp(x), np.log(np.sum(np.exp(x))), rtol=1e-9, atol=1e-9)


def test_variance_and_deviation():
    x = np.array([[1.0, 2.0, 6.0], [3.0, 3.0, 3.0]])
    np.testing.assert_allclose(tf.math.reduce_variance(x, 1), x.var(1))
    np.testing.assert_allclose(tf.math.reduce_std(x, 1, keepdims=True), x.std(1, keepdims=True))
    z = tf.constant([1 + 1j, 2 - 1j])
    assert tf.math.reduce_variance(z).dtype == tf.float64
    assert tf.math.reduce_variance(z).numpy() == 1.25
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = tf.math.reduce_variance(z)
    np.testing.assert_allclose(tape.gradient(y, z), [-0.5 + 1j, 0.5 - 1j])
    assert np.isnan(gradient(tf.math.reduce_std, [1.0, 1.0])).all()
    with pytest.raises(TypeError, match="int32"):
        tf.math.reduce_variance([1, 2])


def test_euclidean_norm():
    assert tf.math.reduce_euclidean_norm([3, 5]).numpy() == 5
    assert tf.math.reduce_euclidean_norm(tf.constant([3 + 4j, 5])).numpy() == pytest.approx(np.sqrt(50))
    assert gradient(tf.math.reduce_euclidean_norm, [3.0, 4.0]) == pytest.approx([0.6, 0.8])
    assert np.isnan(gradient(tf.math.reduce_euclidean_norm, [0.0, 0.0])).all()


def test_counts():
    a = [[0, 1, 2], [0, 0, 3]]
    assert tf.math.count_nonzero(a).numpy() == 3
    assert tf.math.count_nonzero(a).dtype == tf.int64
    assert tf.math.count_nonzero(a, 1, True, tf.float32).numpy().tolist() == [[2.0], [1.0]]
    assert tf.math.count_nonzero(["", "a"]).numpy() == 1
    assert tf.math.count_nonzero([1.0, np.nan]).numpy() == 2
    assert tf.math.zero_fraction([0.0, 1.0, 0.0, 2.0]).numpy() == 0.5
    assert tf.math.zero_fraction(["", "a"]).dtype == tf.float32
    assert np.isnan(tf.math.zero_fraction([]).numpy())


@pytest.mark.parametrize(
    ("axis", "error", "words"),
    [
        (5, INVALID, "Invalid reduction dimension .5 for input with 2"),
        (-3, INVALID, "-3"),
        ([0, 0], INVALID, "duplicate dimension: 0"),
        ([0, -2], INVALID, "duplicate dimension: 0"),
        (1.5, TypeError, "1.5"),
        ("a", INVALID, "string"),
        (tf.constant(1.0), INVALID, "float"),
        (tf.constant(1, tf.uint8), INVALID, "uint8"),
    ],
)
def test_bad_axes(axis, error, words):
    with pytest.raises(error, match=words):
        tf.reduce_sum(tf.ones([2, 3]), axis)


def test_odd_axes_that_are_taken():
    x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert tf.reduce_sum(x, True).numpy().tolist() == [6, 15]
    assert tf.reduce_sum(x, [[0, 1]]).numpy() == 21
    assert tf.reduce_sum(x, keepdims=None).numpy() == 21
    assert tf.reduce_sum(x, tf.constant(1, tf.int64)).numpy().tolist() == [6, 15]
    with pytest.raises(INVALID, match="0 dimension"):
        tf.reduce_sum(3.0, 0)


@pytest.mark.parametrize("x", ["a", [True], [["a"]]])
def test_refused_dtypes(x):
    for reduce in (tf.reduce_sum, tf.reduce_mean, tf.reduce_max):
        with pytest.raises(INVALID, match="not in the list of allowed values"):
            reduce(x)
    with pytest.raises(INVALID, match="complex"):
        tf.reduce_max(tf.constant([1j]))
