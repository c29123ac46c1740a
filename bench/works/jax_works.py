"""The works in JAX's words: eager where a user might write it so, and jitted ("jit"), which is how JAX is meant.

Recording alone is no act of its own in JAX, so the "taped" works are missing. Every step waits for its result.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from itertools import cycle
from typing import Any

import numpy as np

from bench.works import ADDS, Works, data, jax_compiled

works = Works()

EAGER_CHAIN_LENGTHS = (10, 100, 1000)
"""Op by op, `jax.vjp` takes a good part of a millisecond an op: longer chains would only measure patience."""


def describe(jax: Any) -> dict[str, Any]:
    """Facts to note with the figures."""
    return {"jaxlib": version("jaxlib")}


def value(result: Any) -> float:
    """What a step returned, summed."""
    return float(np.sum(result))


def _add(jax: Any, shape: tuple[int, ...], jit: bool) -> Any:
    x, y = jax.numpy.full(shape, 2, "float32"), jax.numpy.full(shape, 3, "float32")

    def plain(x, y):
        return x + y

    add = jax.jit(plain) if jit else plain

    def step():
        for _ in range(ADDS):
            z = add(x, y)
        return z.block_until_ready()

    return step


works.add("add 0-d", ops=ADDS)(partial(_add, shape=(), jit=False))
works.add("add 0-d", "jit", ops=ADDS)(partial(_add, shape=(), jit=True))
works.add("add [32]", ops=ADDS)(partial(_add, shape=(32,), jit=False))
works.add("add [32]", "jit", ops=ADDS)(partial(_add, shape=(32,), jit=True))


def _square(jax: Any, jit: bool) -> Any:
    x = jax.numpy.float32(3.0)
    gradient = jax.grad(lambda x: x * x)
    if jit:
        gradient = jax.jit(gradient)
    return lambda: gradient(x).block_until_ready()


works.add("x*x and its gradient")(partial(_square, jit=False))
works.add("x*x and its gradient", "jit")(partial(_square, jit=True))


def _sgd(jax: Any, parameters: Any, gradients: Any, rate: float) -> Any:
    return jax.tree.map(lambda parameter, gradient: parameter - rate * gradient, parameters, gradients)


def _linear_regression(jax: Any, jit: bool) -> Any:
    x, y = map(jax.numpy.asarray, data.line())
    parameters = {"a": jax.numpy.float32(0.0), "b": jax.numpy.float32(0.0)}

    def loss_function(parameters):
        return 0.5 * jax.numpy.sum(jax.numpy.square(parameters["a"] * x + parameters["b"] - y))

    def update(parameters):
        loss, gradients = jax.value_and_grad(loss_function)(parameters)
        return loss, _sgd(jax, parameters, gradients, 1e-3)

    if jit:
        update = jax.jit(update)

    def step():
        nonlocal parameters
        loss, parameters = update(parameters)
        return loss.block_until_ready()

    return step


works.add("linear regression step")(partial(_linear_regression, jit=False))
works.add("linear regression step", "jit")(partial(_linear_regression, jit=True))


def _logits(jax: Any, parameters: list[Any], x: Any) -> Any:
    kernel_1, bias_1, kernel_2, bias_2 = parameters
    return jax.nn.relu(x @ kernel_1 + bias_1) @ kernel_2 + bias_2


@works.add("housing step", "jit")
def housing(jax: Any) -> Any:
    jnp = jax.numpy
    parameters = [jnp.array(array) for array in data.housing_weights()]
    metric = {"total": jnp.float32(0.0), "count": jnp.float32(0.0)}
    batches = cycle(data.housing_batches())

    def loss_function(parameters, features, targets):
        error = jnp.square(_logits(jax, parameters, features).squeeze(1) - targets)
        return error.mean(), error

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(parameters, metric, features, targets):
        gradient_function = jax.value_and_grad(loss_function, has_aux=True)
        (loss, error), gradients = gradient_function(parameters, features, targets)
        metric = {"total": metric["total"] + error.sum(), "count": metric["count"] + error.size}
        return loss, metric["total"] / metric["count"], _sgd(jax, parameters, gradients, 3e-3), metric

    def step():
        nonlocal parameters, metric
        loss, _, parameters, metric = update(parameters, metric, *next(batches))
        return loss.block_until_ready()

    return step


def _backward(jax: Any, length: int) -> Any:
    x, factor = jax.numpy.float32(2.0), jax.numpy.float32(1.0)

    def chain(y):
        for _ in range(length):
            y = y * factor
        return y

    def prepare():
        return jax.vjp(chain, x)[1]

    def step(pullback):
        return pullback(factor)[0].block_until_ready()

    return prepare, step


for _length in EAGER_CHAIN_LENGTHS:
    works.add(f"backward, chain of {_length}", ops=_length, prepared=True)(partial(_backward, length=_length))

works |= jax_compiled.works
