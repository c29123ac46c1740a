"""Graphs cut into regions: what variables hold when, who gets which value, and what runs in between."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf
from tests.engines.llvm import programs
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


def test_a_variable_takes_what_another_held_before_that_is_written(v):
    w = tf.Variable(X * 2)

    def f(x):
        v.assign(w)
        w.assign(x)

    same(on_both(f, [X * 3], [v, w]))
    w.assign(X * 5)
    same(on_both(lambda x: [v.assign(w[::-1]), w.assign(x * 2.0)][:0], [X], [v, w]))


def test_variables_are_swapped(v, n):
    w, m = tf.Variable(X * 2), tf.Variable(5.0)

    def f():
        old = v.read_value(), n.read_value()
        v.assign(w)
        w.assign(old[0])
        n.assign(m)
        m.assign(old[1])

    same(on_both(f, [], [v, w, n, m]))
    same(on_both(lambda: [f(), f()][:0], [], [v, w, n, m]))


def test_a_variable_written_over(v):
    def f(x):
        v.assign(tf.concat([x[:1], x[1:] * 2.0], 0))
        v.assign(x[::-1])

    same(on_both(f, [X], [v]))


STEPS = st.lists(
    st.tuples(st.sampled_from(programs.names()), *[st.integers(0, 99)] * 4), min_size=1, max_size=25
)  # fmt: skip


@settings(max_examples=100)
@given(
    STEPS,
    st.lists(st.integers(0, 99), max_size=6),
    st.sampled_from(["float32", "float64", "int32", "int64"]),
    st.integers(0, 9),
)
def test_random_programs(steps, outputs, dtype, seed):
    variables = programs.new_variables(dtype)
    same(on_both(programs.program(steps, outputs, variables), programs.inputs(3, dtype, seed), variables, calls=2))
