"""Losses: values and gradients recorded from TensorFlow 2.21, reductions, weights, masks, logits, errors."""

import numpy as np
import pytest

import tapeflow as tf

losses = tf.keras.losses
T = [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]
P = [[0.2, 0.7, 0.1], [0.3, 0.5, 0.2]]

# name: (losses of the two examples, gradient of their sum with respect to P)
RECORDED = {
    "mean_squared_error": (
        [0.046667, 0.035],
        [[0.133333, -0.2, 0.066667], [-0.133333, 0.166667, -0.033333]],
    ),
    "mean_absolute_error": (
        [0.2, 0.166667],
        [[0.333333, -0.333333, 0.333333], [-0.333333, 0.333333, -0.333333]],
    ),
    "mean_absolute_percentage_error": (
        [100000000.0, 53.3333],
        [[333333000.0, -33.3333, 333333000.0], [-66.6667, 133.333, -133.333]],
    ),
    "mean_squared_logarithmic_error": (
        [0.022913, 0.018462],
        [[0.10129, -0.063733, 0.057764], [-0.073385, 0.081032, -0.022679]],
    ),
    "huber": (
        [0.023333, 0.0175],
        [[0.066667, -0.1, 0.033333], [-0.066667, 0.083333, -0.016667]],
    ),
    "log_cosh": (
        [0.023067, 0.017349],
        [[0.065792, -0.097104, 0.033223], [-0.065792, 0.08164, -0.016653]],
    ),
    "cosine_similarity": (
        [-0.952579, -0.860946],
        [[0.352807, -0.126003, 0.176404], [-0.644838, 0.470558, -0.209137]],
    ),
    "poisson": (
        [0.452225, 0.725877],
        [[0.333333, -0.142857, 0.333333], [-0.222222, 0.166667, -0.083333]],
    ),
    "kl_divergence": (
        [0.356672, 0.137912],
        [[-0.0, -1.42857, -1e-06], [-1.66667, -0.5, -1.25]],
    ),
    "hinge": (
        [0.766667, 0.891667],
        [[-0.0, -0.333333, -0.0], [-0.166667, -0.083333, -0.083333]],
    ),
    "squared_hinge": (
        [0.696667, 0.796875],
        [[-0.0, -0.2, -0.0], [-0.283333, -0.145833, -0.158333]],
    ),
    "categorical_hinge": (
        [0.5, 1.05],
        [[1.0, -1.0, 0.0], [-0.5, 0.5, -0.25]],
    ),
    "binary_crossentropy": (
        [0.228393, 0.681063],
        [[0.416667, -0.47619, 0.37037], [-0.31746, 0.333333, -0.104167]],
    ),
    "categorical_crossentropy": (
        [0.356675, 1.17763],
        [[1.0, -0.428571, 1.0], [-0.666667, 0.5, -0.25]],
    ),
    "binary_focal_crossentropy": (
        [0.014027, 0.146053],
        [[0.046419, -0.114192, 0.010728], [-0.079365, 0.198858, 0.053707]],
    ),
    "categorical_focal_crossentropy": (
        [0.008025, 0.148951],
        [[0.059951, -0.025693, 0.059951], [-0.180929, 0.159361, -0.127011]],
    ),
    "dice": (
        0.4875,
        [[0.128125, -0.371875, 0.128125], [-0.121875, 0.003125, 0.003125]],
    ),
    "tversky": (
        0.4875,
        [[0.128125, -0.371875, 0.128125], [-0.121875, 0.003125, 0.003125]],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_functions(name):
    values, gradient = RECORDED[name]
    p = tf.constant(P)
    with tf.GradientTape() as tape:
        tape.watch(p)
        loss = getattr(losses, name)(T, p)
    np.testing.assert_allclose(loss, values, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(tape.gradient(loss, p), gradient, rtol=2e-5, atol=2e-6)


def test_sparse_categorical_crossentropy():
    p = tf.constant(P)
    with tf.GradientTape() as tape:
        tape.watch(p)
        loss = losses.sparse_categorical_crossentropy(np.array([1, 0], np.uint8), p)
    np.testing.assert_allclose(loss, -np.log([0.7, 0.3]), rtol=1e-6)
    expected = [[1, 1 - 1 / 0.7, 1], [1 - 1 / 0.3, 1, 1]]
    np.testing.assert_allclose(tape.gradient(loss, p), expected, rtol=1e-5)
    logits = losses.sparse_categorical_crossentropy([[1], [0]], p, from_logits=True)
    np.testing.assert_allclose(logits, [0.7679496, 1.1398311], rtol=1e-6)


def test_probabilities_are_clipped():
    p = tf.constant([[1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(p)
        loss = losses.sparse_categorical_crossentropy([1], p)
    np.testing.assert_allclose(loss, [16.118095], rtol=1e-6)
    assert not np.any(tape.gradient(loss, p))


@pytest.mark.parametrize("label, value", [(0, 0.0), (1, 50.0), (2, 100.0)])
def test_softmax_outputs_remember_their_logits(label, value):
    x = tf.constant([[50.0, 0.0, -50.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = losses.SparseCategoricalCrossentropy()([label], tf.keras.activations.softmax(x))
    assert float(loss) == value
    np.testing.assert_allclose(tape.gradient(loss, x), [np.eye(3)[0] - np.eye(3)[label]], atol=1e-20)
    assert float(losses.SparseCategoricalCrossentropy()([label], tf.nn.softmax(x))) <= 16.2


def test_sigmoid_outputs_remember_their_logits():
    y = tf.keras.activations.sigmoid(tf.constant([[50.0]]))
    assert float(losses.BinaryCrossentropy()([[0.0]], y)) == 50.0


@pytest.mark.parametrize(
    "reduction, weights, expected",
    [
        ("sum_over_batch_size", None, 0.5),
        ("mean", None, 0.5),
        ("auto", None, 0.5),
        ("sum", None, 1.0),
        ("none", None, [1.0, 0.0]),
        (None, [2.0, 1.0], [2.0, 0.0]),
        ("sum_over_batch_size", [3.0, 1.0], 1.5),
        ("sum_over_batch_size", [[3.0], [1.0]], 1.5),
        ("mean_with_sample_weight", [3.0, 1.0], 0.75),
        ("sum", [3.0, 1.0], 3.0),
    ],
)
def test_reductions_and_weights(reduction, weights, expected):
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(loss([[1.0, 2.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]], weights), expected)


def test_ignored_classes_do_not_count():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    np.testing.assert_allclose(loss([1, 0], P), 0.35667497, rtol=1e-6)
    np.testing.assert_allclose(loss([1, 0], P, [2.0, 1.0]), 0.71334994, rtol=1e-6)


def test_dtypes():
    assert losses.mean_squared_error(tf.constant([1.0]), np.array([2.0])).dtype == tf.float64
    assert losses.MeanSquaredError()(np.array([1.0]), np.array([2.0])).dtype == tf.float32
    assert losses.MeanSquaredError(dtype="float64")([1], [2.5]).numpy() == 2.25
    assert losses.mean_squared_error([1, 2], [3, 3]).numpy() == 2.5


def test_ranks_meet():
    np.testing.assert_allclose(losses.mse([[1.0], [2.0]], [3.0, 5.0]), [4.0, 9.0])
    np.testing.assert_allclose(losses.mse(np.zeros((2, 3)), np.ones((2, 3, 1))), [1.0, 1.0])


def test_label_smoothing():
    y, p = [[0.0, 1.0, 0.0]], [[0.2, 0.7, 0.1]]
    expected = -np.log(p) @ (0.9 * np.array(y[0]) + 0.1 / 3)
    np.testing.assert_allclose(losses.CategoricalCrossentropy(label_smoothing=0.1)(y, p), expected[0], rtol=1e-6)


def test_own_losses():
    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return tf.abs(y_true - y_pred) ** 3

    loss = Cubed(reduction="sum")
    assert loss.name == "cubed" and float(loss(np.array([1, 2]), [3.0, 3.0])) == 9.0


def test_get_and_configurations():
    assert losses.get("mse") is losses.mean_squared_error is losses.MSE
    assert losses.get(None) is None
    huber = losses.get({"class_name": "Huber", "config": {"delta": 0.5}})
    assert huber.get_config() == {"name": "huber_loss", "reduction": "sum_over_batch_size", "delta": 0.5}
    assert type(losses.deserialize(losses.serialize(huber))) is losses.Huber
    with pytest.raises(ValueError, match="identifier: nonsense"):
        losses.get("nonsense")


def test_errors():
    with pytest.raises(ValueError, match="reduction=most"):
        losses.MeanSquaredError(reduction="most")
    with pytest.raises(ValueError, match="same shape"):
        losses.SparseCategoricalCrossentropy()([0, 1], [[0.5, 0.5]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="5"):
        losses.SparseCategoricalCrossentropy()([5], [[0.5, 0.5]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
        losses.mse([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="same shape"):
        losses.binary_crossentropy([0.0, 1.0], [0.5, 0.5, 0.6])
    with pytest.raises(ValueError, match="axis=0"):
        losses.sparse_categorical_crossentropy([0], [[0.5, 0.5]], axis=0)
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy([[1.0]], [[1.0]])


def test_the_reductions_of_keras_2():
    per_example = tf.keras.losses.MeanSquaredError(reduction=tf.keras.losses.Reduction.NONE)
    assert per_example([[0.0], [3.0]], [[1.0], [1.0]]).numpy().tolist() == [1.0, 4.0]
    total = tf.keras.losses.MeanSquaredError(reduction=tf.keras.losses.Reduction.SUM)
    assert total([[0.0], [3.0]], [[1.0], [1.0]]).numpy() == 5.0
    assert tf.keras.losses.MeanSquaredError(reduction="auto")([[0.0], [3.0]], [[1.0], [1.0]]).numpy() == 2.5
    assert tf.keras.losses.Reduction.all() == ("auto", "none", "sum", "sum_over_batch_size")
