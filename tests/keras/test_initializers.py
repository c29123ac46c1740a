"""Initializers: numbers recorded from TensorFlow 2.21 for the same seeds, seed rules, errors."""

import numpy as np
import pytest

import tapeflow as tf

initializers = tf.keras.initializers


@pytest.mark.parametrize(
    "initializer, shape, expected",
    [
        (initializers.RandomUniform(-1, 1, seed=5), (2,), [-0.8762934, 0.6633382]),
        (
            initializers.GlorotUniform(seed=5),
            (2, 3),
            [[-0.9599314, 0.7266506, 1.0375555], [-0.34013402, 0.02279973, -0.3130291]],
        ),
        (
            initializers.HeNormal(seed=5),
            (2, 3),
            [[1.3166826, 0.21782973, -0.1475388], [1.0309467, 1.4511927, -1.1953933]],
        ),
        (
            initializers.Orthogonal(seed=5),
            (2, 3),
            [[-0.91159785, 0.08498193, 0.40220332], [-0.4083264, -0.07406681, -0.90982616]],
        ),
        (initializers.RandomNormal(1.0, 2.0, seed=5), (2,), [-3.1107569, 3.3163755]),
        (initializers.Constant([1, 2]), (2, 2), [[1, 2], [1, 2]]),
        (initializers.Identity(2.0), (2, 3), [[2, 0, 0], [0, 2, 0]]),
        (initializers.Ones(), (), 1.0),
        (initializers.Zeros(), (2,), [0, 0]),
    ],
)
def test_values(initializer, shape, expected):
    value = initializer(shape)
    assert value.dtype == tf.float32
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


def test_dtypes():
    value = initializers.RandomNormal(seed=5)((2,), dtype="float64")
    np.testing.assert_allclose(value, [-0.05757316, 0.01425029], rtol=1e-6)
    assert initializers.TruncatedNormal(seed=1)([3], tf.float16).dtype == tf.float16


def test_seeds():
    seeded = initializers.GlorotUniform(seed=1)
    np.testing.assert_array_equal(seeded((3,)), seeded((3,)))
    unseeded = initializers.GlorotUniform()
    np.testing.assert_array_equal(unseeded((3,)), unseeded((3,)))
    assert np.any(initializers.GlorotUniform()((3,)).numpy() != unseeded((3,)).numpy())
    going_on = initializers.GlorotUniform(seed=tf.keras.random.SeedGenerator(1))
    np.testing.assert_array_equal(going_on((3,)), seeded((3,)))
    assert np.any(going_on((3,)).numpy() != seeded((3,)).numpy())


def test_set_random_seed():
    tf.keras.utils.set_random_seed(3)
    tf.keras.layers.Dense(2).build((None, 2))
    model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(2)])
    expected = [[0.42500567, -0.5891726], [-0.23699987, 0.61618626]]
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-6)
    with pytest.raises(ValueError, match="integer"):
        tf.keras.utils.set_random_seed(1.5)


@pytest.mark.parametrize("mode, n", [("fan_in", 400), ("fan_out", 100), ("fan_avg", 250)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_variance_scaling(mode, n, distribution):
    value = initializers.VarianceScaling(2.0, mode, distribution, seed=1)((400, 100)).numpy()
    assert np.var(value) == pytest.approx(2.0 / n, rel=0.03)
    assert abs(np.mean(value)) < 0.002


def test_orthogonal_rows():
    value = initializers.Orthogonal(gain=2.0, seed=1)((3, 2, 4)).numpy().reshape(6, 4)
    np.testing.assert_allclose(value.T @ value, 4 * np.eye(4), atol=1e-5)


def test_get_and_configurations():
    assert type(initializers.get("he_normal")) is initializers.HeNormal
    again = initializers.deserialize(initializers.serialize(initializers.VarianceScaling(3.0, "fan_out", seed=2)))
    assert again.get_config()["scale"] == 3.0 and again.mode == "fan_out" and again.seed == 2
    assert initializers.get(None) is None
    with pytest.raises(ValueError, match="identifier: nonsense"):
        initializers.get("nonsense")


def test_errors():
    for make in (
        lambda: initializers.VarianceScaling(0.0),
        lambda: initializers.VarianceScaling(mode="fan_up"),
        lambda: initializers.VarianceScaling(distribution="flat"),
        lambda: initializers.RandomNormal(seed=0.5),
        lambda: initializers.Orthogonal()((3,)),
        lambda: initializers.Identity()((3,)),
    ):
        with pytest.raises(ValueError):
            make()
