"""Assertions in compiled functions: a check, after whose failure NumPy has done what came before, once."""

import numpy as np
import pytest

import tapeflow as tf
from tests.engines.llvm.running import graph_of, native, on_both

X = np.arange(4, 24, dtype=np.float32) / 16


def test_assertions_that_hold_are_compiled():
    def f(x):
        tf.debugging.assert_positive(x)
        tf.debugging.assert_near(x, x + 1e-7)
        tf.debugging.Assert(tf.reduce_all(x < 3.0), [x])
        tf.debugging.assert_equal(tf.cast(x, tf.int32) * 0, 0)
        return tf.exp(x)

    (got,), (want,) = on_both(f, [X], whole=True)
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_came_before_one_that_fails_is_done_once():
    v, n, w = tf.Variable(X), tf.Variable(1.0), tf.Variable(X)

    def f(x):
        v.assign_add(x)
        n.assign_add(1.0)
        tf.debugging.assert_less(tf.reduce_sum(v), 100.0, message="too large")
        w.assign(x * 2.0)
        return v * n

    graph = graph_of(f, [X])
    executable = native(graph)
    assert not executable.reasons
    executable.run(X)
    np.testing.assert_array_equal(v, X * 2)
    np.testing.assert_array_equal(w, X * 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        executable.run(X * 10)
    np.testing.assert_array_equal(v, X * 12)
    np.testing.assert_array_equal(w, X * 2)
    assert n.numpy() == 3.0


def test_between_printing(capfd):
    def f(x):
        tf.print("before")
        tf.debugging.assert_positive(x, message="not above zero")
        tf.print("behind")
        return x * 2.0

    executable = native(graph_of(f, [X]))
    executable.run(X)
    assert capfd.readouterr().err.split() == ["before", "behind"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not above zero"):
        executable.run(-X)
    assert capfd.readouterr().err.split() == ["before"]
