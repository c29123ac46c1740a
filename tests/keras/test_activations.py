"""Activations: values recorded from TensorFlow 2.21, arguments, names."""

import numpy as np
import pytest

import tapeflow as tf

activations = tf.keras.activations
X = [-3.0, -1.0, -0.25, 0.0, 0.5, 2.0, 7.0]
RECORDED = {
    "relu": [0.0, 0.0, 0.0, 0.0, 0.5, 2.0, 7.0],
    "leaky_relu": [-0.6, -0.2, -0.05, 0.0, 0.5, 2.0, 7.0],
    "relu6": [0.0, 0.0, 0.0, 0.0, 0.5, 2.0, 6.0],
    "elu": [-0.950213, -0.632121, -0.221199, 0.0, 0.5, 2.0, 7.0],
    "celu": [-0.950213, -0.632121, -0.221199, 0.0, 0.5, 2.0, 7.0],
    "selu": [-1.67057, -1.11133, -0.38889, 0.0, 0.52535, 2.1014, 7.35491],
    "gelu": [-0.00405, -0.158655, -0.100323, 0.0, 0.345731, 1.9545, 7.0],
    "silu": [-0.142278, -0.268941, -0.109456, 0.0, 0.31123, 1.76159, 6.99362],
    "mish": [-0.145647, -0.303402, -0.129927, 0.0, 0.375245, 1.94396, 6.99999],
    "softplus": [0.048587, 0.313262, 0.575939, 0.693147, 0.974077, 2.12693, 7.00091],
    "softsign": [-0.75, -0.5, -0.2, 0.0, 0.333333, 0.666667, 0.875],
    "tanh": [-0.995055, -0.761594, -0.244919, 0.0, 0.462117, 0.964028, 0.999998],
    "tanh_shrink": [-2.00495, -0.238406, -0.005081, 0.0, 0.037883, 1.03597, 6.0],
    "hard_tanh": [-1.0, -1.0, -0.25, 0.0, 0.5, 1.0, 1.0],
    "hard_shrink": [-3.0, -1.0, 0.0, 0.0, 0.0, 2.0, 7.0],
    "soft_shrink": [-2.5, -0.5, 0.0, 0.0, 0.0, 1.5, 6.5],
    "sigmoid": [0.047426, 0.268941, 0.437824, 0.5, 0.622459, 0.880797, 0.999089],
    "hard_sigmoid": [0.0, 0.333333, 0.458333, 0.5, 0.583333, 0.833333, 1.0],
    "hard_silu": [-0.0, -0.333333, -0.114583, 0.0, 0.291667, 1.66667, 7.0],
    "log_sigmoid": [-3.04859, -1.31326, -0.825939, -0.693147, -0.474077, -0.126928, -0.000911],
    "sparse_plus": [0.0, 0.0, 0.140625, 0.25, 0.5625, 2.0, 7.0],
    "sparse_sigmoid": [0.0, 0.0, 0.375, 0.5, 0.75, 1.0, 1.0],
    "squareplus": [0.302776, 0.618034, 0.882782, 1.0, 1.28078, 2.41421, 7.14005],
    "exponential": [0.049787, 0.367879, 0.778801, 1.0, 1.64872, 7.38906, 1096.63],
}


@pytest.mark.parametrize("name", RECORDED)
def test_values(name):
    np.testing.assert_allclose(activations.get(name)(tf.constant(X)), RECORDED[name], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"max_value": 3.0}, [0, 0, 0, 0, 0.5, 2, 3]),
        ({"threshold": 1.0}, [0, 0, 0, 0, 0, 2, 7]),
        ({"negative_slope": 0.5}, [-1.5, -0.5, -0.125, 0, 0.5, 2, 7]),
        ({"negative_slope": 0.5, "threshold": 1.0, "max_value": 3.0}, [-2, -1, -0.625, -0.5, -0.25, 2, 3]),
    ],
)
def test_relu_options(options, expected):
    np.testing.assert_allclose(activations.relu(X, **options), expected)


def test_softmax_over_axes():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    e = np.exp(x)
    np.testing.assert_allclose(activations.softmax(x), e / e.sum(-1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(activations.softmax(x, axis=0), e / e.sum(0), rtol=1e-6)
    np.testing.assert_allclose(activations.softmax(x, axis=[0, 1]), e / e.sum(), rtol=1e-6)
    np.testing.assert_allclose(activations.log_softmax(x), np.log(e / e.sum(-1, keepdims=True)), rtol=1e-5)


def test_other_arguments():
    np.testing.assert_allclose(activations.glu([1.0, 2.0, 3.0, 4.0]), [0.95257413, 1.9640275], rtol=1e-6)
    np.testing.assert_allclose(activations.threshold(X, 0.3, 9.0), [9, 9, 9, 9, 0.5, 2, 7])
    np.testing.assert_allclose(activations.celu(X, 2.0)[:3], [-1.5537397, -0.78693867, -0.2350062], rtol=1e-5)
    np.testing.assert_allclose(activations.elu(X, 0.5)[0], 0.5 * np.expm1(-3), rtol=1e-6)


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    assert activations.serialize(activations.relu) == "relu"
    with pytest.raises(ValueError, match="identifier: nonsense"):
        activations.get("nonsense")


def test_activations_of_an_argument_by_its_name():
    x = tf.constant([-1.0, 2.0])
    np.testing.assert_allclose(tf.keras.activations.softplus(x=x), np.log1p(np.exp([-1.0, 2.0])), rtol=1e-6)
    np.testing.assert_allclose(tf.keras.activations.log_sigmoid(x=x), -np.log1p(np.exp([1.0, -2.0])), rtol=1e-6)
