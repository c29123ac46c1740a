"""Training steps in PyTorch's words: eager, with `fused=True` for the optimizer, and "compile", which is both fused and
in `torch.compile`. Where that takes minutes and gains nothing there is no such variant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from bench.works import CHAIN, COMPILED, Works, data

works = Works()


class Training(NamedTuple):
    """What one step trains, and how: functions of `torch`, and of nothing."""

    model: Callable[[Any], Any]
    loss: Callable[[Any], Any]
    optimizer: Callable[..., Any]
    weights: Callable[[], list]
    batches: Callable[[], list]
    compiles: bool = True


def transposed(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Kernels `[inputs, units]` and filters `[height, width, inputs, outputs]` as torch keeps them."""
    axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
    return [array.transpose(axes[array.ndim]) for array in weights]


def _dense_model(torch: Any, *widths: int) -> Any:
    nn = torch.nn
    layers = [layer for sizes in zip(widths, widths[1:]) for layer in (nn.Linear(*sizes), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def _cnn(torch: Any) -> Any:
    nn = torch.nn
    convolutions = nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(1600, 10))


def _cnn_weights() -> list[np.ndarray]:
    """Rows of the dense kernel come as (height, width, channel); torch's are (channel, height, width)."""
    *others, kernel, bias = data.cnn_weights()
    return transposed([*others, kernel.reshape(5, 5, 64, 10).transpose(2, 0, 1, 3).reshape(1600, 10), bias])


def _cnn_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(images.reshape(64, 1, 28, 28), labels) for images, labels in data.cnn_batches()]


def _transformer(torch: Any) -> Any:
    nn, width = torch.nn, data.WIDTH

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(width, data.HEADS, batch_first=True)
            self.norm_1 = nn.LayerNorm(width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.norm_2 = nn.LayerNorm(width)

        def forward(self, x):
            middle = self.norm_1(x + self.attention(x, x, x, need_weights=False)[0])
            return self.norm_2(middle + self.narrow(nn.functional.relu(self.wide(middle))))

    return Block()


def _transformer_weights() -> list[np.ndarray]:
    """Query, key and value are one matrix in torch: `[3 * 128, 128]`."""
    weights, width = data.transformer_weights(), data.WIDTH
    kernel = np.concatenate([array.reshape(width, width) for array in weights[0:6:2]], axis=1)
    bias = np.concatenate([array.reshape(width) for array in weights[1:6:2]])
    return transposed([kernel, bias, weights[6].reshape(width, width), *weights[7:]])


def _lstm(torch: Any) -> Any:
    nn = torch.nn

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.dense = nn.LSTM(32, 64, batch_first=True), nn.Linear(64, 10)
            # The second bias only adds to the first: trained as well, it would double the step of their sum.
            self.lstm.bias_hh_l0.requires_grad_(False)

        def forward(self, x):
            return self.dense(self.lstm(x)[0][:, -1])

    return Last()


def _lstm_weights() -> list[np.ndarray]:
    kernel, recurrent, bias, *dense = data.lstm_weights()
    return transposed([kernel, recurrent, bias, np.zeros_like(bias), *dense])


def _squared(torch: Any) -> Any:
    return torch.nn.MSELoss()


def _entropy(torch: Any) -> Any:
    return torch.nn.CrossEntropyLoss()


def _sgd(torch: Any, parameters: Any, fused: bool) -> Any:
    return torch.optim.SGD(parameters, lr=3e-3, fused=fused)


def _adam(torch: Any, parameters: Any, fused: bool) -> Any:
    return torch.optim.Adam(parameters, lr=1e-3, eps=1e-7, fused=fused)


TRAININGS = {
    "MNIST step": Training(
        lambda torch: _dense_model(torch, 784, 128, 10),
        _entropy,
        _adam,
        lambda: transposed(data.mnist_weights()),
        data.mnist_batches,
    ),
    "housing step": Training(
        lambda torch: _dense_model(torch, 8, 30, 1),
        _squared,
        _sgd,
        lambda: transposed(data.housing_weights()),
        data.housing_columns,
    ),
    "CNN step": Training(_cnn, _entropy, _adam, _cnn_weights, _cnn_batches),
    "wide MLP step": Training(
        lambda torch: _dense_model(torch, 784, 1024, 1024, 10),
        _entropy,
        _adam,
        lambda: transposed(data.wide_weights()),
        data.wide_batches,
    ),
    "transformer step": Training(_transformer, _squared, _adam, _transformer_weights, data.transformer_batches),
    # torch.compile leaves nn.LSTM to eager PyTorch.
    "LSTM step": Training(_lstm, _entropy, _adam, _lstm_weights, data.lstm_batches, compiles=False),
}


def _trained(torch: Any, training: Training, fused: bool, compiled: bool) -> Any:
    model, loss_function = training.model(torch), training.loss(torch)
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), training.weights(), strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = training.optimizer(torch, trained, fused)
    batches = cycle([tuple(map(torch.from_numpy, batch)) for batch in training.batches()])

    def loss_of(inputs, targets):
        return loss_function(model(inputs), targets)

    forward = torch.compile(loss_of) if compiled else loss_of

    def step():
        optimizer.zero_grad()
        loss = forward(*next(batches))
        loss.backward()
        optimizer.step()
        return loss

    return step


works.add("CNN step")(partial(_trained, training=TRAININGS["CNN step"], fused=False, compiled=False))
works.add("CNN step", "fused")(partial(_trained, training=TRAININGS["CNN step"], fused=True, compiled=False))
for _name, _training in TRAININGS.items():
    _step = partial(_trained, training=_training)
    works.add(COMPILED + _name)(partial(_step, fused=False, compiled=False))
    works.add(COMPILED + _name, "fused")(partial(_step, fused=True, compiled=False))
    if _training.compiles:
        works.add(COMPILED + _name, "compile", long=True)(partial(_step, fused=True, compiled=True))


def _chain(torch: Any, compiled: bool) -> Any:
    x = torch.from_numpy(data.million())

    def chain(x):
        y = torch.clamp_min(x * 1.5 + 0.5, 0.1)
        y = torch.sqrt(torch.square(y) * 0.25 + 1.0)
        return -torch.abs(y - 0.75)

    run = torch.compile(chain) if compiled else chain
    return lambda: run(x)


works.add(CHAIN)(partial(_chain, compiled=False))
works.add(CHAIN, "compile", long=True)(partial(_chain, compiled=True))
