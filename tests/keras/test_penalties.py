"""Regularizers and constraints, against their formulas."""

import numpy as np
import pytest

import tapeflow as tf

regularizers, constraints = tf.keras.regularizers, tf.keras.constraints
W = np.array([[3.0, -0.3], [-4.0, 0.4]])


@pytest.mark.parametrize(
    "regularizer, value, gradient",
    [
        (regularizers.L1(0.1), 0.77, 0.1 * np.sign(W)),
        (regularizers.L2(0.1), 2.525, 0.2 * W),
        (regularizers.L1L2(0.1, 0.2), 0.77 + 5.05, 0.1 * np.sign(W) + 0.4 * W),
        (regularizers.get("l2"), 0.2525, 0.02 * W),
    ],
)
def test_regularizers(regularizer, value, gradient):
    w = tf.Variable(W)
    with tf.GradientTape() as tape:
        penalty = regularizer(w)
    np.testing.assert_allclose(penalty, value, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(penalty, w), gradient, rtol=1e-6)


def test_orthogonal_regularizer():
    penalty = regularizers.OrthogonalRegularizer(0.5)
    w = np.array([[1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(penalty(w), 0.5 * np.sqrt(0.5), rtol=1e-6)
    columns = regularizers.OrthogonalRegularizer(0.5, mode="columns")
    np.testing.assert_allclose(columns(w.T), 0.5 * np.sqrt(0.5), rtol=1e-6)
    for make in (
        lambda: regularizers.OrthogonalRegularizer(mode="both"),
        lambda: penalty(np.ones(3)),
        lambda: regularizers.L2(-1),
        lambda: regularizers.L1(float("nan")),
    ):
        with pytest.raises(ValueError):
            make()


@pytest.mark.parametrize(
    "constraint, expected",
    [
        (constraints.NonNeg(), [[3, 0], [0, 0.4]]),
        (constraints.MaxNorm(2.5), [[1.5, -0.3], [-2.0, 0.4]]),
        (constraints.UnitNorm(), [[0.6, -0.6], [-0.8, 0.8]]),
        (constraints.MinMaxNorm(1.0, 2.5), [[1.5, -0.6], [-2.0, 0.8]]),
        (constraints.MinMaxNorm(1.0, 2.5, rate=0.5), [[2.25, -0.45], [-3.0, 0.6]]),
        (constraints.UnitNorm(axis=1), W / np.linalg.norm(W, axis=1, keepdims=True)),
    ],
)
def test_constraints(constraint, expected):
    np.testing.assert_allclose(constraint(W), expected, rtol=1e-6)


def test_get_and_configurations():
    again = constraints.deserialize(constraints.serialize(constraints.MinMaxNorm(0.5, axis=1)))
    assert again.get_config() == {"min_value": 0.5, "max_value": 1.0, "rate": 1.0, "axis": 1}
    assert regularizers.deserialize(regularizers.serialize(regularizers.L1L2(0.5))).get_config() == {"l1": 0.5, "l2": 0}
    assert constraints.get(None) is None and regularizers.get(None) is None
    with pytest.raises(ValueError, match="identifier"):
        constraints.get("nonsense")
    with pytest.raises(ValueError, match="identifier"):
        regularizers.get("nonsense")
