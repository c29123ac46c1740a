"""Gamma, Poisson and binomial: numbers recorded from TensorFlow 2.21, limits and moments."""

import numpy as np
import pytest

from tapeflow.ops import rejection

KEY, COUNTER = 11, (3 << 64) + 2**64 - 1
# The stream of a stateless op with seed [1, 2].
STATELESS_KEY, STATELESS_COUNTER = 10413732777507651514, 17830669156045600267 << 64


def test_gamma_is_tensorflows():
    values = rejection.gamma((3,), np.array([0.3, 1.0, 5.0]), KEY, COUNTER)
    expected = [
        [0.020003426058094076, 0.17825251538901768, 7.14114904085729],
        [0.05347002812131781, 0.5139246596041331, 2.655649349613742],
        [0.6380230472629748, 0.48908753029596413, 4.821233898342068],
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_poisson_is_tensorflows():
    rate = np.array([0.5, 8.0, 30.0, 1e4], np.float32)
    values = rejection.poisson((4,), rate, 11, 3 << 64, np.int32)
    assert values.dtype == np.int32
    assert values.tolist() == [[1, 8, 35, 10109], [1, 7, 27, 9968], [1, 6, 26, 9979], [0, 6, 34, 10039]]


def test_binomial_is_tensorflows():
    counts = np.array([10.0, 100.0, 1000.0, 7.0], np.float32)
    probs = np.array([0.3, 0.3, 0.8, 1.5], np.float32)
    values = rejection.binomial((3, 4), counts, probs, STATELESS_KEY, STATELESS_COUNTER)
    assert values.tolist() == [[5, 42, 799, 7], [5, 26, 801, 7], [5, 34, 816, 7]]
    assert rejection.binomial((2,), 2.5, 0.5, STATELESS_KEY, STATELESS_COUNTER).tolist() == [2, 1]


def test_shapes_put_samples_first():
    assert rejection.gamma((2, 3), np.ones((4, 1), np.float32), 1, 2).shape == (2, 3, 4, 1)
    assert rejection.gamma((0,), np.ones(3, np.float16), 1, 2).shape == (0, 3)
    assert rejection.poisson((5,), np.float32(3), 1, 2).shape == (5,)
    assert rejection.binomial((5, 3, 2), np.ones((3, 1)), np.array([0.5, 0.2]), 1, 2).shape == (5, 3, 2)
    with pytest.raises(ValueError, match=r"of counts and probs, \[2\], got \[3\]"):
        rejection.binomial((3,), np.array([5.0, 6.0]), 0.5, 1, 2)


def test_limits():
    gammas = rejection.gamma((2,), np.array([0.0, -1.0, np.nan]), 1, 2)
    np.testing.assert_array_equal(gammas, [[0.0, np.nan, np.nan]] * 2)
    counts = rejection.poisson((1,), np.array([0.0, -1.0, np.nan, np.inf]), 1, 2)
    np.testing.assert_array_equal(counts, np.array([[0.0, 0.0, np.nan, np.nan]], np.float32))
    trials, chance = np.array([5.0, -1.0, 5.0, np.nan]), np.array([-0.5, 0.5, 1.5, 0.5])
    drawn = rejection.binomial((1, 4), trials, chance, 1, 2, np.float32)
    np.testing.assert_array_equal(drawn, np.array([[0.0, 0.0, 5.0, np.nan]], np.float32))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 7.0])
def test_gamma_moments(alpha):
    values = rejection.gamma((40000,), np.float64(alpha), 3, 4)
    assert abs(values.mean() - alpha) < 0.03 * np.sqrt(alpha)
    assert abs(values.var() - alpha) < 0.08 * alpha


@pytest.mark.parametrize("rate", [0.7, 9.5, 10.0, 400.0])
def test_poisson_moments(rate):
    values = rejection.poisson((40000,), np.float64(rate), 3, 4, np.float64)
    assert abs(values.mean() - rate) < 0.03 * np.sqrt(rate)
    assert abs(values.var() - rate) < 0.05 * rate


@pytest.mark.parametrize(("count", "prob"), [(12, 0.4), (12, 0.6), (200, 0.1), (200, 0.95), (5000, 0.5)])
def test_binomial_moments(count, prob):
    values = rejection.binomial((40000,), float(count), prob, 3, 4, np.float64)
    variance = count * prob * (1 - prob)
    assert values.min() >= 0
    assert values.max() <= count
    assert abs(values.mean() - count * prob) < 0.03 * np.sqrt(variance)
    assert abs(values.var() - variance) < 0.05 * variance
