"""AutoGraph rewrites what the program gives Keras to call: layers, models, losses, functions of Lambda layers."""

import numpy as np
import pytest

import tapeflow as tf

X = tf.constant([[-1.0], [-2.0]])


def doubled_if_positive(x):
    if tf.reduce_sum(x) > 0:
        return x * 2.0
    return x * 3.0


class Chooses(tf.keras.layers.Layer):
    def call(self, x, training=False):
        if tf.reduce_sum(x) > 0 and not training:
            x = x * 2.0
        else:
            x = self.otherwise(x)
        return x

    def otherwise(self, x):
        while tf.reduce_max(tf.abs(x)) < 10.0:
            x = x * 2.0
        return x


class Loops(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = Chooses()
        self.dense = tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")

    def call(self, x, training=False):
        y = self.inner(x, training=training)
        for _ in tf.range(tf.cast(tf.shape(x)[0], tf.int32)):
            y = self.dense(y) + 1.0
        return y


class Inherits(Loops):
    def call(self, x, training=False):
        return super().call(x, training) * 2.0


@pytest.mark.parametrize("make", [Chooses, Loops, Inherits])
def test_statements_in_call(make):
    layer = make()
    traced = tf.function(lambda x, training: layer(x, training=training))
    for x in (X, -X):
        for training in (False, True):
            np.testing.assert_array_equal(traced(x, training), layer(x, training=training))


def test_gradients_through_statements_in_call():
    model = Loops()
    model(X)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x))
        return tape.gradient(loss, model.trainable_variables)[0]

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X))
    np.testing.assert_allclose(step(X), tape.gradient(loss, model.trainable_variables)[0], rtol=1e-5, atol=1e-6)


def test_losses_and_lambda_layers():
    class Mine(tf.keras.losses.Loss):
        def call(self, y_true, y_pred):
            return doubled_if_positive(y_pred - y_true)

    layer = tf.keras.layers.Lambda(doubled_if_positive)
    for f in (lambda x: Mine()(x, x * 2.0), layer):
        traced = tf.function(lambda x: f(x))  # noqa: B023
        for x in (X, -X):
            np.testing.assert_array_equal(traced(x), f(x))


def test_without_autograph_the_error_names_the_line():
    layer = Chooses()
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match=r"test_autograph\.py:\d+.*AutoGraph"):
        tf.function(lambda x: layer(x), autograph=False)(X)


def test_a_layer_that_shall_not_be_rewritten():
    class Plain(tf.keras.layers.Layer):
        @tf.autograph.experimental.do_not_convert
        def call(self, x):
            if tf.reduce_sum(x) > 0:
                return x
            return -x

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="do_not_convert"):
        tf.function(lambda x: Plain()(x))(X)
