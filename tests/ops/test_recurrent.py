"""The recurrent networks: values against the equations in float64, derivatives against central differences."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.recurrent import gru, lstm, tanh_rnn
from tests.gradients import check_gradients

from .examples_recurrent import inputs_of

KINDS = {"lstm": (lstm, 4, 2, 0), "gru": (gru, 3, 1, 1), "tanh_rnn": (tanh_rnn, 1, 1, 0)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_equations(name, arrays, masked, backward):
    """The states after each step, step by step."""
    mask = arrays.pop() if masked else None
    x, *states = arrays[: 1 + KINDS[name][2]]
    kernel, *bias = arrays[1 + KINDS[name][2] :]
    after = []
    for t in reversed(range(x.shape[1])) if backward else range(x.shape[1]):
        h = states[0]
        if name == "lstm":
            i, f, new, o = np.split(x[:, t] + h @ kernel, 4, 1)
            c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(new)
            made = [sigmoid(o) * np.tanh(c), c]
        elif name == "gru":
            (z, r, n), (hz, hr, hn) = np.split(x[:, t], 3, 1), np.split(h @ kernel + bias[0], 3, 1)
            z = sigmoid(z + hz)
            made = [z * h + (1 - z) * np.tanh(n + sigmoid(r + hr) * hn)]
        else:
            made = [np.tanh(x[:, t] + h @ kernel)]
        if masked:
            made = [np.where(mask[:, t, None], new, old) for new, old in zip(made, states, strict=True)]
        states = made
        after.append(states)
    return [np.stack(parts, 1) for parts in zip(*after, strict=True)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_values_and_derivatives(name, masked, backward):
    op, *kind = KINDS[name]
    for seed in range(3):
        arrays = inputs_of(*kind, np.random.default_rng(seed), "float64", masked)
        expected = by_equations(name, list(arrays), masked, backward)

        def states(*tensors):
            return op(list(tensors), masked, backward)[: kind[1]]

        for got, want in zip(states(*[tf.constant(a) for a in arrays]), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12)
        check_gradients(states, *arrays)


@pytest.mark.parametrize("name", ["lstm", "gru", "tanh_rnn"])
def test_half_precision_computes_in_single(name):
    op, *kind = KINDS[name]
    arrays = inputs_of(*kind, np.random.default_rng(0), "float16", False)
    expected = by_equations(name, [a.astype(np.float64) for a in arrays], False, False)
    states = op([tf.constant(a) for a in arrays], False, False)
    assert states[0].dtype == tf.float16
    np.testing.assert_allclose(states[0], expected[0], rtol=2e-3, atol=1e-3)


def test_part_of_the_states_in_a_function():
    arrays = [tf.constant(a) for a in inputs_of(4, 2, 0, np.random.default_rng(1), "float64", False)]

    def cells(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            loss = tf.reduce_sum(lstm(list(tensors), False, False)[1] ** 2)
        return tape.gradient(loss, tensors)

    for eager, traced in zip(cells(*arrays), tf.function(cells)(*arrays), strict=True):
        np.testing.assert_allclose(eager, traced, rtol=1e-12)


def test_jacobians_of_gradients():
    arrays = [tf.constant(a) for a in inputs_of(4, 2, 0, np.random.default_rng(1), "float64", False)]
    arrays[2] = arrays[1]  # one tensor as both states

    def slope():
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            loss = tf.reduce_sum(lstm(arrays, False, False)[0] ** 2)
        return tape.gradient(loss, arrays[1])

    with tf.GradientTape(persistent=True) as outer:
        outer.watch(arrays)
        g = slope()
        parts = tf.unstack(tf.reshape(g, [-1]))
    hessian = outer.jacobian(g, arrays[1]).numpy().reshape(len(parts), -1)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12)
    for row, part in zip(hessian, parts, strict=True):
        np.testing.assert_allclose(row, np.ravel(outer.gradient(part, arrays[1])), atol=1e-12)
    step = 1e-6
    for i in range(len(parts)):
        moved = arrays[1].numpy()
        moved.flat[i] += step
        before, arrays[1] = arrays[1], tf.constant(moved)
        arrays[2] = arrays[1]
        np.testing.assert_allclose((slope() - g).numpy().ravel() / step, hessian[i], atol=1e-4)
        arrays[1] = arrays[2] = before


def test_refuses_what_does_not_fit():
    x, h = tf.ones((2, 3, 8)), tf.ones((2, 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="do not fit"):
        lstm([x, h, h, tf.ones((2, 4))], False, False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch, steps"):
        lstm([x[0], h, h, tf.ones((2, 8))], False, False)
