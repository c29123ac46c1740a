"""The numbers every library is given: the same inputs, targets and initial weights, all float32 and seeded."""

from __future__ import annotations

import numpy as np

BATCHES = 16
BATCH_SIZE = 32
"""Steps go round 16 batches of 32 examples: one batch alone would be learnt by heart while it is being timed."""

LENGTH, WIDTH, HEADS = 64, 128, 4
"""Of the transformer's sequences."""


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _labels(seed: int, batch: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 10, (BATCHES, batch))


def _dense(seed: int, *widths: int) -> list[np.ndarray]:
    """Kernels `[inputs, units]` and zero biases of a stack of dense layers."""
    weights: list[np.ndarray] = []
    for inputs, units in zip(widths, widths[1:]):
        weights += [_normal(seed + inputs, inputs, units) / np.sqrt(np.float32(inputs)), np.zeros(units, np.float32)]
    return weights


def line() -> tuple[np.ndarray, np.ndarray]:
    """Five points, x and y each `[5]` in 0 to 1: house prices by year, normalised."""
    x = np.arange(5, dtype=np.float32) / 4
    y = np.array([12000, 14000, 15000, 16500, 17500], np.float32)
    return x, (y - y[0]) / (y[-1] - y[0])


def housing_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of standardised features `[32, 8]` and noisy targets `[32]`."""
    features = _normal(1, BATCHES, BATCH_SIZE, 8)
    targets = features @ _normal(2, 8) + _normal(3, BATCHES, BATCH_SIZE)
    return list(zip(features, targets))


def housing_columns() -> list[tuple[np.ndarray, np.ndarray]]:
    """The same with the targets as `[32, 1]`, as the model gives them."""
    return [(features, targets[:, None]) for features, targets in housing_batches()]


def housing_weights() -> list[np.ndarray]:
    """Kernel and bias of the layers 8 to 30 and 30 to 1."""
    return _dense(4, 8, 30, 1)


def mnist_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of images `[32, 28, 28]` and labels `[32]` (int64, 0 to 9). Noise has the cost of digits."""
    images = _normal(5, BATCHES, BATCH_SIZE, 28, 28)
    return list(zip(images, _labels(6, BATCH_SIZE)))


def mnist_weights() -> list[np.ndarray]:
    """Kernel and bias of the layers 784 to 128 and 128 to 10."""
    return _dense(7, 784, 128, 10)


def cnn_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of images `[64, 28, 28, 1]` and labels `[64]`."""
    return list(zip(_normal(8, BATCHES, 64, 28, 28, 1), _labels(9, 64)))


def cnn_weights() -> list[np.ndarray]:
    """Filters `[3, 3, inputs, outputs]` and biases of 1 to 32 to 64 channels; kernel and bias of 1600 to 10."""
    filters = [_normal(10, 3, 3, 1, 32) / np.float32(3), _normal(11, 3, 3, 32, 64) / np.float32(17)]
    zeros = [np.zeros(32, np.float32), np.zeros(64, np.float32)]
    return [filters[0], zeros[0], filters[1], zeros[1], *_dense(12, 5 * 5 * 64, 10)]


def wide_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows `[256, 784]` and labels `[256]`."""
    return list(zip(_normal(13, BATCHES, 256, 784), _labels(14, 256)))


def wide_weights() -> list[np.ndarray]:
    """Kernel and bias of the layers 784 to 1024, 1024 to 1024 and 1024 to 10."""
    return _dense(15, 784, 1024, 1024, 10)


def transformer_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of sequences and of what should become of them, both `[16, 64, 128]`."""
    return list(zip(_normal(16, BATCHES, 16, LENGTH, WIDTH), _normal(17, BATCHES, 16, LENGTH, WIDTH)))


def transformer_weights() -> list[np.ndarray]:
    """One block's, as Keras orders them.

    Query, key and value: kernel `[128, 4, 32]` and bias `[4, 32]` each; the heads' output `[4, 32, 128]`, `[128]`;
    scale and offset of a normalisation; kernels and biases of 128 to 512 and back; scale and offset again.
    """
    split, joined, root = (WIDTH, HEADS, WIDTH // HEADS), (HEADS, WIDTH // HEADS, WIDTH), np.sqrt(np.float32(WIDTH))
    attention: list[np.ndarray] = []
    for seed in (18, 19, 20):
        attention += [_normal(seed, *split) / root, np.zeros(split[1:], np.float32)]
    attention += [_normal(21, *joined) / root, np.zeros(WIDTH, np.float32)]
    normalisation = [np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)]
    return [*attention, *normalisation, *_dense(22, WIDTH, 4 * WIDTH, WIDTH), *normalisation]


def lstm_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of sequences `[32, 32, 32]` (examples, length, features) and labels `[32]`."""
    return list(zip(_normal(23, BATCHES, BATCH_SIZE, 32, 32), _labels(24, BATCH_SIZE)))


def lstm_weights() -> list[np.ndarray]:
    """Kernel `[32, 256]`, recurrent kernel `[64, 256]` and bias `[256]`, gates i, f, c, o; then 64 to 10."""
    kernels = [_normal(25, 32, 256) / np.sqrt(np.float32(32)), _normal(26, 64, 256) / np.float32(8)]
    return [*kernels, np.zeros(256, np.float32), *_dense(27, 64, 10)]


def million() -> np.ndarray:
    """1 048 576 numbers."""
    return _normal(28, 1 << 20)


def graph_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A matrix `[16, 16]`, a kernel `[16, 16]` and a bias `[16]` for the graphs of so many ops."""
    return _normal(29, 16, 16), _normal(30, 16, 16) / np.float32(4), _normal(31, 16)
