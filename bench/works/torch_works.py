"""The works in PyTorch's words: eager, as its users write them. "fused" is Adam with `fused=True`."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from bench.works import ADDS, CHAIN_LENGTHS, Works, data, torch_compiled

works = Works()


def describe(torch: Any) -> dict[str, Any]:
    """Facts to note with the figures."""
    return {"threads": torch.get_num_threads()}


def value(result: Any) -> float:
    """What a step returned, summed."""
    return float(result.detach().sum())


def _add(torch: Any, shape: tuple[int, ...], taped: bool) -> Any:
    x, y = torch.full(shape, 2.0, requires_grad=taped), torch.full(shape, 3.0)

    def step():
        for _ in range(ADDS):
            z = x + y
        return z

    return step


works.add("add 0-d", ops=ADDS)(partial(_add, shape=(), taped=False))
works.add("add [32]", ops=ADDS)(partial(_add, shape=(32,), taped=False))
works.add("add 0-d, taped", ops=ADDS)(partial(_add, shape=(), taped=True))
works.add("add [32], taped", ops=ADDS)(partial(_add, shape=(32,), taped=True))


@works.add("x*x and its gradient")
def square(torch: Any) -> Any:
    x = torch.tensor(3.0, requires_grad=True)

    def step():
        y = x * x
        return torch.autograd.grad(y, x)[0]

    return step


@works.add("linear regression step")
def linear_regression(torch: Any) -> Any:
    x, y = (torch.from_numpy(array) for array in data.line())
    a, b = (torch.nn.Parameter(torch.tensor(0.0)) for _ in range(2))
    optimizer = torch.optim.SGD([a, b], lr=1e-3)

    def step():
        optimizer.zero_grad()
        prediction = a * x + b
        loss = 0.5 * torch.sum(torch.square(prediction - y))
        loss.backward()
        optimizer.step()
        return loss

    return step


def _set_weights(torch: Any, model: Any, weights: list[np.ndarray]) -> None:
    """Kernels come as `[inputs, units]`; torch keeps them transposed."""
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array.T)))


@works.add("housing step")
def housing(torch: Any) -> Any:
    nn = torch.nn
    model = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 1))
    _set_weights(torch, model, data.housing_weights())
    optimizer = torch.optim.SGD(model.parameters(), lr=3e-3)
    loss_function = nn.MSELoss()
    batches = cycle(data.housing_batches())
    total, count = torch.tensor(0.0), 0

    def step():
        nonlocal total, count
        features, targets = map(torch.from_numpy, next(batches))
        optimizer.zero_grad()
        prediction = model(features).squeeze(1)
        loss = loss_function(prediction, targets)
        with torch.no_grad():
            total += torch.square(prediction - targets).sum()
            count += len(targets)
            total / count  # Keras's `metric(...)` answers the mean so far, so its cost belongs here too.
        loss.backward()
        optimizer.step()
        return loss

    return step


def _mnist(torch: Any, **adam: Any) -> Any:
    nn = torch.nn
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    _set_weights(torch, model, data.mnist_weights())
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **adam)
    batches = cycle([(torch.from_numpy(images), torch.from_numpy(labels)) for images, labels in data.mnist_batches()])

    def step():
        images, labels = next(batches)
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


works.add("MNIST step")(_mnist)
works.add("MNIST step", "fused")(partial(_mnist, fused=True))


def _backward(torch: Any, length: int) -> Any:
    x, factor = torch.tensor(2.0, requires_grad=True), torch.tensor(1.0)

    def prepare():
        y = x
        for _ in range(length):
            y = y * factor
        return y

    def step(y):
        return torch.autograd.grad(y, x)[0]

    return prepare, step


for _length in CHAIN_LENGTHS:
    works.add(f"backward, chain of {_length}", ops=_length, prepared=True, long=_length > 1000)(
        partial(_backward, length=_length)
    )

works |= torch_compiled.works
