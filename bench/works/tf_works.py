"""The eager works in TensorFlow 2's words. `tf` is tapeflow or TensorFlow: the programs are the same."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from itertools import cycle
from typing import Any

import numpy as np

from bench.works import ADDS, CHAIN_LENGTHS, Works, data, tf_compiled

works = Works()


def describe(tf: Any) -> dict[str, Any]:
    """Facts to note with the figures; `tf.keras` is left alone, as it may load on first use."""
    return {"keras": version("keras")} if tf.__name__ == "tensorflow" else {}


def value(result: Any) -> float:
    """What a step returned, summed."""
    return float(np.sum(result.numpy()))


def _add(tf: Any, shape: tuple[int, ...]) -> Any:
    x, y = tf.constant(np.full(shape, 2, np.float32)), tf.constant(np.full(shape, 3, np.float32))

    def step():
        for _ in range(ADDS):
            z = x + y
        return z

    return step


def _add_taped(tf: Any, shape: tuple[int, ...]) -> Any:
    x, y = tf.constant(np.full(shape, 2, np.float32)), tf.constant(np.full(shape, 3, np.float32))

    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            for _ in range(ADDS):
                z = x + y
        return z

    return step


works.add("add 0-d", ops=ADDS)(partial(_add, shape=()))
works.add("add [32]", ops=ADDS)(partial(_add, shape=(32,)))
works.add("add 0-d, taped", ops=ADDS)(partial(_add_taped, shape=()))
works.add("add [32], taped", ops=ADDS)(partial(_add_taped, shape=(32,)))


@works.add("x*x and its gradient")
def square(tf: Any) -> Any:
    x = tf.Variable(3.0)

    def step():
        with tf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x)

    return step


@works.add("linear regression step")
def linear_regression(tf: Any) -> Any:
    x, y = (tf.constant(array) for array in data.line())
    a, b = tf.Variable(0.0), tf.Variable(0.0)
    variables = [a, b]
    optimizer = tf.keras.optimizers.SGD(learning_rate=1e-3)

    def step():
        with tf.GradientTape() as tape:
            prediction = a * x + b
            loss = 0.5 * tf.reduce_sum(tf.square(prediction - y))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables))
        return loss

    return step


@works.add("housing step")
def housing(tf: Any) -> Any:
    keras = tf.keras
    model = keras.Sequential([keras.layers.Dense(30, activation="relu", input_shape=[8]), keras.layers.Dense(1)])
    model.set_weights(data.housing_weights())
    optimizer = keras.optimizers.SGD(learning_rate=3e-3)
    metric = keras.metrics.MeanSquaredError()
    batches = cycle(data.housing_batches())

    def step():
        features, targets = next(batches)
        with tf.GradientTape() as tape:
            prediction = tf.squeeze(model(features), 1)
            loss = keras.losses.MSE(targets, prediction)
        metric(targets, prediction)
        gradients = tape.gradient(loss, model.variables)
        optimizer.apply_gradients(zip(gradients, model.variables))
        return loss

    return step


@works.add("MNIST step")
def mnist(tf: Any) -> Any:
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Flatten(input_shape=(28, 28)),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.set_weights(data.mnist_weights())
    loss_function = tf.keras.losses.SparseCategoricalCrossentropy()
    optimizer = tf.keras.optimizers.Adam()
    batches = cycle([(tf.constant(images), tf.constant(labels)) for images, labels in data.mnist_batches()])

    def step():
        images, labels = next(batches)
        with tf.GradientTape() as tape:
            loss = loss_function(labels, model(images))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def _backward(tf: Any, length: int) -> Any:
    x, factor = tf.constant(2.0), tf.constant(1.0)

    def prepare():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(length):
                y = y * factor
        return tape, y

    def step(prepared):
        tape, y = prepared
        return tape.gradient(y, x)

    return prepare, step


for _length in CHAIN_LENGTHS:
    works.add(f"backward, chain of {_length}", ops=_length, prepared=True, long=_length > 1000)(
        partial(_backward, length=_length)
    )

works |= tf_compiled.works
