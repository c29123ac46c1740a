"""The numbers every library is given: the same inputs, targets and initial weights, all float32 and seeded."""

from __future__ import annotations

import numpy as np

BATCHES = 16
BATCH_SIZE = 32
"""Steps go round 16 batches of 32 examples: one batch alone would be learnt by heart while it is being timed."""


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


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


def housing_weights() -> list[np.ndarray]:
    """Kernel and bias of the layers 8 to 30 and 30 to 1."""
    return _dense(4, 8, 30, 1)


def mnist_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of images `[32, 28, 28]` and labels `[32]` (int64, 0 to 9). Noise has the cost of digits."""
    images = _normal(5, BATCHES, BATCH_SIZE, 28, 28)
    labels = np.random.default_rng(6).integers(0, 10, (BATCHES, BATCH_SIZE))
    return list(zip(images, labels))


def mnist_weights() -> list[np.ndarray]:
    """Kernel and bias of the layers 784 to 128 and 128 to 10."""
    return _dense(7, 784, 128, 10)
