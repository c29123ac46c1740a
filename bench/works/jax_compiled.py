"""Jitted steps in JAX's words, by hand: parameters are a list in Keras's order, and are given up to the next ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

from bench.works import CHAIN, COMPILED, GRAPH_SIZES, Works, data, graph_of

works = Works()


class Training(NamedTuple):
    """What one step trains, and how: `model(jax, parameters, inputs)`, `loss(jax, outputs, targets)`, an optimizer."""

    model: Callable[[Any, list, Any], Any]
    loss: Callable[[Any, Any, Any], Any]
    optimizer: Callable[[Any], tuple[Callable, Callable]]
    weights: Callable[[], list]
    batches: Callable[[], list]


def _dense_model(jax: Any, parameters: list, x: Any) -> Any:
    x = x.reshape(len(x), -1)
    *hidden, (kernel, bias) = zip(parameters[::2], parameters[1::2])
    for hidden_kernel, hidden_bias in hidden:
        x = jax.nn.relu(x @ hidden_kernel + hidden_bias)
    return x @ kernel + bias


def _cnn(jax: Any, parameters: list, x: Any) -> Any:
    lax = jax.lax
    *convolutions, kernel, bias = parameters
    for filters, offset in zip(convolutions[::2], convolutions[1::2]):
        x = lax.conv_general_dilated(x, filters, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = lax.reduce_window(
            jax.nn.relu(x + offset), -jax.numpy.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), padding="VALID"
        )
    return x.reshape(len(x), -1) @ kernel + bias


def _normalised(jax: Any, x: Any, scale: Any, offset: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5) * scale + offset


def _transformer(jax: Any, parameters: list, x: Any) -> Any:
    jnp = jax.numpy
    split = [jnp.einsum("btd,dhk->bhtk", x, parameters[i]) + parameters[i + 1][:, None] for i in (0, 2, 4)]
    output, output_bias, scale_1, offset_1, wide, wide_bias, narrow, narrow_bias, scale_2, offset_2 = parameters[6:]
    query, key, value = split
    scores = jnp.einsum("bhtk,bhsk->bhts", query / jnp.sqrt(jnp.float32(key.shape[-1])), key)
    heads = jnp.einsum("bhts,bhsk->bhtk", jax.nn.softmax(scores), value)
    attended = jnp.einsum("bhtk,hkd->btd", heads, output) + output_bias
    middle = _normalised(jax, x + attended, scale_1, offset_1)
    mapped = jax.nn.relu(middle @ wide + wide_bias) @ narrow + narrow_bias
    return _normalised(jax, middle + mapped, scale_2, offset_2)


def _lstm(jax: Any, parameters: list, x: Any) -> Any:
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid
    kernel, recurrent, bias, dense, dense_bias = parameters

    def cell(state, projected):
        hidden, memory = state
        take, keep, new, give = jnp.split(projected + hidden @ recurrent, 4, axis=-1)
        memory = sigmoid(keep) * memory + sigmoid(take) * jnp.tanh(new)
        return (sigmoid(give) * jnp.tanh(memory), memory), None

    zeros = jnp.zeros((len(x), recurrent.shape[0]))
    (hidden, _), _ = jax.lax.scan(cell, (zeros, zeros), jnp.swapaxes(x, 0, 1) @ kernel + bias)
    return hidden @ dense + dense_bias


def _squared(jax: Any, outputs: Any, targets: Any) -> Any:
    return jax.numpy.square(outputs - targets).mean()


def _entropy(jax: Any, outputs: Any, targets: Any) -> Any:
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], axis=1).mean()


def _sgd(jax: Any, rate: float = 3e-3) -> tuple[Callable, Callable]:
    def update(state, gradients):
        return [parameter - rate * gradient for parameter, gradient in zip(state[0], gradients)], ()

    return lambda parameters: (parameters, ()), update


def _adam(
    jax: Any, rate: float = 1e-3, decay_1: float = 0.9, decay_2: float = 0.999, epsilon: float = 1e-7
) -> tuple[Callable, Callable]:
    """Adam's `start(parameters)` and `update(state, gradients)`; the state's first item are the parameters."""
    jnp = jax.numpy

    def start(parameters):
        zeros = partial(jax.tree.map, jnp.zeros_like)
        return parameters, (zeros(parameters), zeros(parameters), jnp.int32(0))

    def update(state, gradients):
        parameters, (first, second, count) = state
        count = count + 1
        first = jax.tree.map(lambda m, g: decay_1 * m + (1 - decay_1) * g, first, gradients)
        second = jax.tree.map(lambda v, g: decay_2 * v + (1 - decay_2) * jnp.square(g), second, gradients)
        scaled = rate * jnp.sqrt(1 - decay_2**count) / (1 - decay_1**count)
        parameters = jax.tree.map(lambda p, m, v: p - scaled * m / (jnp.sqrt(v) + epsilon), parameters, first, second)
        return parameters, (first, second, count)

    return start, update


TRAININGS = {
    "MNIST step": Training(_dense_model, _entropy, _adam, data.mnist_weights, data.mnist_batches),
    "housing step": Training(_dense_model, _squared, _sgd, data.housing_weights, data.housing_columns),
    "CNN step": Training(_cnn, _entropy, _adam, data.cnn_weights, data.cnn_batches),
    "wide MLP step": Training(_dense_model, _entropy, _adam, data.wide_weights, data.wide_batches),
    "transformer step": Training(_transformer, _squared, _adam, data.transformer_weights, data.transformer_batches),
    "LSTM step": Training(_lstm, _entropy, _adam, data.lstm_weights, data.lstm_batches),
}


def _trained(jax: Any, training: Training) -> Any:
    start, optimized = training.optimizer(jax)
    state = start([jax.numpy.array(array) for array in training.weights()])
    batches = cycle([tuple(map(jax.numpy.asarray, batch)) for batch in training.batches()])

    @partial(jax.jit, donate_argnums=0)
    def update(state, inputs, targets):
        def loss_of(parameters):
            return training.loss(jax, training.model(jax, parameters, inputs), targets)

        loss, gradients = jax.value_and_grad(loss_of)(state[0])
        return loss, optimized(state, gradients)

    def step():
        nonlocal state
        loss, state = update(state, *next(batches))
        return loss.block_until_ready()

    return step


for _name, _training in TRAININGS.items():
    works.add(COMPILED + _name, "jit")(partial(_trained, training=_training))
for _name in ("MNIST step", "CNN step"):  # beside what the others do eagerly
    works.add(_name, "jit")(partial(_trained, training=TRAININGS[_name]))


@works.add(CHAIN, "jit")
def million(jax: Any) -> Any:
    jnp, x = jax.numpy, jax.numpy.asarray(data.million())

    @jax.jit
    def chain(x):
        y = jnp.maximum(x * 1.5 + 0.5, 0.1)
        y = jnp.sqrt(jnp.square(y) * 0.25 + 1.0)
        return -jnp.abs(y - 0.75)

    return lambda: chain(x).block_until_ready()


def _graph(jax: Any, size: int) -> Any:
    jnp = jax.numpy
    x, kernel, bias = map(jnp.asarray, data.graph_inputs())
    ops = (
        lambda x: x @ kernel,
        lambda x: x + bias,
        jnp.tanh,
        lambda x: x * bias,
        jax.nn.relu,
        lambda x: x - bias,
        jax.nn.sigmoid,
        jnp.transpose,
        jnp.square,
        lambda x: jnp.maximum(x, bias),
    )

    @jax.jit
    def graph(x):
        for number in range(size):
            x = ops[number % len(ops)](x)
        return x

    return lambda: graph(x).block_until_ready()


for _size in GRAPH_SIZES:
    works.add(graph_of(_size), "jit", lone=True)(partial(_graph, size=_size))
