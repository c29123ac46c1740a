"""Graphs cut into regions: what variables hold when, who gets which value, and what runs in between."""

import numpy as np
import pytest

import tapeflow as tf
from tests.engines.llvm.running import on_both

X = np.array([1.0, 2.0, 4.0], np.float32)


def same(found):
    """Numbers so small and whole that no engine rounds."""
    got, want = found
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def v():
    return tf.Variable(X)


@pytest.fixture
def n():
    return tf.Variable(3.0)


def test_a_variable_read_before_and_after_it_is_written(v):
    def f(x):
        before = v * x
        v.assign_add(x)
        return before, v * x

    same(on_both(f, [X], [v], calls=2))


def test_a_number_written_and_read_again(n):
    def f(x):
        n.assign(0.0)
        n.assign_add(tf.reduce_sum(x))
        return n * 2.0

    same(on_both(f, [X], [n], calls=2))


def test_a_slice_of_nothing():
    same(on_both(lambda x: (x[2:1], x[None, 3:], x * 2.0), [X]))
