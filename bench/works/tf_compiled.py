"""Steps in `tf.function`, in TensorFlow 2's words: "jit_compile" asks for one compiled whole. One is eager as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

from bench.works import CHAIN, COMPILED, GRAPH_SIZES, Works, data, graph_of

works = Works()

WAYS: dict[str, dict[str, Any]] = {"": {}, "jit_compile": {"jit_compile": True}}
"""What `tf.function` is told, by variant."""


class Training(NamedTuple):
    """What one step trains, and how: functions of `tf.keras`, and of nothing."""

    model: Callable[[Any], Any]
    loss: Callable[[Any], Any]
    optimizer: Callable[[Any], Any]
    weights: Callable[[], list]
    batches: Callable[[], list]


def _dense_model(keras: Any, inputs: int, units: Sequence[int]) -> Any:
    *hidden, last = units
    layers = [keras.layers.Dense(width, activation="relu") for width in hidden]
    return keras.Sequential([keras.Input((inputs,)), *layers, keras.layers.Dense(last)])


def _mnist(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    )


def _cnn(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def _transformer(keras: Any) -> Any:
    layers, width = keras.layers, data.WIDTH
    x = keras.Input((data.LENGTH, width))
    attended = layers.MultiHeadAttention(num_heads=data.HEADS, key_dim=width // data.HEADS)(x, x)
    middle = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, attended]))
    widened = layers.Dense(4 * width, activation="relu")(middle)
    narrowed = layers.Dense(width)(widened)
    return keras.Model(x, layers.LayerNormalization(epsilon=1e-5)(layers.Add()([middle, narrowed])))


def _lstm(keras: Any) -> Any:
    return keras.Sequential([keras.Input((32, 32)), keras.layers.LSTM(64), keras.layers.Dense(10)])


def _squared(keras: Any) -> Any:
    return keras.losses.MeanSquaredError()


def _entropy(keras: Any) -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _sgd(keras: Any) -> Any:
    return keras.optimizers.SGD(3e-3)


def _adam(keras: Any) -> Any:
    return keras.optimizers.Adam(1e-3)


TRAININGS = {
    "MNIST step": Training(_mnist, _entropy, _adam, data.mnist_weights, data.mnist_batches),
    "housing step": Training(
        partial(_dense_model, inputs=8, units=(30, 1)), _squared, _sgd, data.housing_weights, data.housing_columns
    ),
    "CNN step": Training(_cnn, _entropy, _adam, data.cnn_weights, data.cnn_batches),
    "wide MLP step": Training(
        partial(_dense_model, inputs=784, units=(1024, 1024, 10)), _entropy, _adam, data.wide_weights, data.wide_batches
    ),
    "transformer step": Training(_transformer, _squared, _adam, data.transformer_weights, data.transformer_batches),
    "LSTM step": Training(_lstm, _entropy, _adam, data.lstm_weights, data.lstm_batches),
}


def _trained(tf: Any, training: Training, way: dict[str, Any] | None) -> Any:
    """A step of the training, in a `tf.function` made in that way; eager if there is none."""
    model, loss_function = training.model(tf.keras), training.loss(tf.keras)
    optimizer = training.optimizer(tf.keras)
    model.set_weights(training.weights())
    variables = model.trainable_variables
    batches = cycle([(tf.constant(inputs), tf.constant(targets)) for inputs, targets in training.batches()])

    def train(inputs, targets):
        with tf.GradientTape() as tape:
            loss = loss_function(targets, model(inputs, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    function = train if way is None else tf.function(**way)(train)
    return lambda: function(*next(batches))


works.add("CNN step")(partial(_trained, training=TRAININGS["CNN step"], way=None))
for _name, _training in TRAININGS.items():
    for _variant, _way in WAYS.items():
        works.add(COMPILED + _name, _variant)(partial(_trained, training=_training, way=_way))


def _chain(tf: Any, way: dict[str, Any]) -> Any:
    x = tf.constant(data.million())

    @tf.function(**way)
    def chain(x):
        y = tf.maximum(x * 1.5 + 0.5, 0.1)
        y = tf.sqrt(tf.square(y) * 0.25 + 1.0)
        return -tf.abs(y - 0.75)

    return lambda: chain(x)


def _graph(tf: Any, size: int, way: dict[str, Any]) -> Any:
    x, kernel, bias = map(tf.constant, data.graph_inputs())
    ops = (
        lambda x: tf.matmul(x, kernel),
        lambda x: x + bias,
        tf.tanh,
        lambda x: x * bias,
        tf.nn.relu,
        lambda x: x - bias,
        tf.sigmoid,
        tf.transpose,
        tf.square,
        lambda x: tf.maximum(x, bias),
    )

    @tf.function(**way, autograph=False)
    def graph(x):
        for number in range(size):
            x = ops[number % len(ops)](x)
        return x

    return lambda: graph(x)


for _variant, _way in WAYS.items():
    works.add(CHAIN, _variant)(partial(_chain, way=_way))
    for _size in GRAPH_SIZES:
        works.add(graph_of(_size), _variant, lone=True)(partial(_graph, size=_size, way=_way))
