"""Products: values against einsum, and the number of BLAS threads, which a small product must not leave changed."""

import numpy as np
import pytest

from tapeflow.core import blas


@pytest.mark.parametrize(
    "m, k, n", [(2, 3, 4), (0, 3, 2), (1, 20000, 1), (300, 100, 1), (32, 784, 128), (700, 200, 150)]
)
def test_values(m, k, n):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    np.testing.assert_allclose(blas.dot(a, b), np.einsum("ik,kj->ij", a, b), atol=1e-9)
    np.testing.assert_allclose(blas.dot(b.T, a.T), np.einsum("ik,kj->ji", a, b), atol=1e-9)


def test_small_products_run_on_one_thread_and_others_as_they_like(monkeypatch):
    told = []
    monkeypatch.setattr(blas, "_threads", (lambda: 4, told.append))
    blas.dot(np.ones((8, 8)), np.ones((8, 8)))
    assert told == []
    blas.dot(np.ones((64, 100)), np.ones((100, 64)))
    assert told == [1, 4]
    blas.dot(np.ones((1000, 100)), np.ones((100, 1)))
    assert told == [1, 4, 1, 4]
    blas.dot(np.ones((300, 300)), np.ones((300, 300)))
    assert told == [1, 4, 1, 4]


def test_an_error_takes_the_setting_back(monkeypatch):
    told = []
    monkeypatch.setattr(blas, "_threads", (lambda: 2, told.append))
    with pytest.raises(ValueError):
        blas.dot(np.ones((64, 100)), np.ones((99, 64)))
    assert told == [1, 2]


def test_one_thread_to_begin_with_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas, "_threads", (lambda: 1, pytest.fail))
    assert blas.dot(np.ones((64, 100)), np.ones((100, 64)))[0, 0] == 100.0
