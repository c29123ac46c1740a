"""Steps of training inside a `tf.function`: what they do is what they do eagerly, bit for bit."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import TRAINED, assert_same

RNG = np.random.default_rng(3)
IMAGES = RNG.normal(size=(6, 8, 4, 4, 1)).astype(np.float32)
LABELS = RNG.integers(0, 3, (6, 8))


def trained(optimizer, decorate):
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Flatten(input_shape=(4, 4, 1)),
            tf.keras.layers.Dense(5, activation="relu"),
            tf.keras.layers.Dense(3, activation="softmax"),
        ]
    )
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy()
    mean = tf.keras.metrics.Mean()
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    optimizer = optimizer()

    @decorate
    def step(x, y):
        with tf.GradientTape() as tape:
            p = model(x)
            loss = loss_fn(y, p)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        mean.update_state(loss)
        accuracy.update_state(y, p)
        return loss

    losses = [step(tf.constant(x), y).numpy() for x, y in zip(IMAGES, LABELS, strict=True)]
    state = [v.numpy() for v in (*model.weights, *optimizer.variables)]
    return losses, state, mean.result().numpy(), accuracy.result().numpy()


@pytest.mark.parametrize(
    "optimizer",
    [
        tf.keras.optimizers.SGD,
        lambda: tf.keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=0.5),
        tf.keras.optimizers.Adam,
        lambda: tf.keras.optimizers.AdamW(use_ema=True),
        lambda: tf.keras.optimizers.RMSprop(tf.keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
        lambda: tf.keras.optimizers.Adam(gradient_accumulation_steps=2),
        lambda: tf.keras.optimizers.Adam(global_clipnorm=0.3),
        lambda: tf.keras.optimizers.Adam(clipvalue=0.01, weight_decay=0.05),
        lambda: tf.keras.optimizers.Nadam(0.01),
    ],
)
def test_training_is_the_same(optimizer):
    eager, traced = trained(optimizer, lambda f: f), trained(optimizer, tf.function)
    for a, b in zip(tf.nest.flatten(eager), tf.nest.flatten(traced), strict=True):
        assert_same(a, b, TRAINED)


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"weight_decay": 0.1}])
def test_a_step_is_ops(options):
    v = tf.Variable([1.0, 2.0])
    optimizer = tf.keras.optimizers.Adam(**options)
    step = tf.function(lambda g: optimizer.apply_gradients([(g, v)]) is None)
    names = [node.op.name for node in step.get_concrete_function(tf.ones([2])).graph.nodes]
    assert "update" in names and "effect" not in names


def test_gradients_with_no_finite_norm_make_nan():
    v = tf.Variable([1.0, 2.0])
    tf.keras.optimizers.SGD(0.1, global_clipnorm=1.0).apply_gradients([(tf.constant([np.inf, 1.0]), v)])
    assert np.isnan(v.numpy()).all()


def test_a_model_is_built_inside():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2), tf.keras.layers.Dropout(0.5)])
    f = tf.function(lambda x: model(x, training=True))
    assert f(tf.ones([4, 3])).shape == [4, 2]
    assert len(model.trainable_variables) == 2
    drawn = {f(tf.ones([4, 3])).numpy().tobytes() for _ in range(8)}
    assert len(drawn) > 1


def test_variables_without_a_gradient_are_named():
    v = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.SGD()
    with pytest.raises(ValueError, match="No gradients provided"):
        tf.function(lambda: optimizer.apply_gradients([(None, v)]))()


def test_metrics_are_reset():
    mean = tf.keras.metrics.Mean()

    @tf.function
    def f(x):
        mean.reset_state()
        mean.update_state(x)
        return mean.result()

    assert f(tf.constant([1.0, 3.0])) == 2.0 and f(tf.constant([5.0, 7.0])) == 6.0
