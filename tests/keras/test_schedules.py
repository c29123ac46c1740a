"""Learning rate schedules, against their formulas."""

import math

import numpy as np
import pytest

import tapeflow as tf

schedules = tf.keras.optimizers.schedules
STEPS = (0, 1, 5, 10, 15, 20, 30)


def cosine(rate, part, alpha=0.0):
    return rate * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * part)) + alpha)


CASES = [
    (schedules.ExponentialDecay(0.1, 10, 0.9), lambda n: 0.1 * 0.9 ** (n / 10)),
    (schedules.ExponentialDecay(0.1, 10, 0.9, staircase=True), lambda n: 0.1 * 0.9 ** (n // 10)),
    (schedules.InverseTimeDecay(0.1, 10, 0.5), lambda n: 0.1 / (1 + 0.5 * n / 10)),
    (schedules.InverseTimeDecay(0.1, 10, 0.5, staircase=True), lambda n: 0.1 / (1 + 0.5 * (n // 10))),
    (schedules.PolynomialDecay(0.1, 20, 0.01, 2.0), lambda n: 0.09 * (1 - min(n, 20) / 20) ** 2 + 0.01),
    (
        schedules.PolynomialDecay(0.1, 8, 0.01, cycle=True),
        lambda n: 0.09 * (1 - n / (8 * max(math.ceil(n / 8), 1))) + 0.01,
    ),
    (schedules.CosineDecay(0.1, 20, alpha=0.2), lambda n: cosine(0.1, min(n, 20) / 20, 0.2)),
    (
        schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=10),
        lambda n: 0.1 * n / 10 if n < 10 else cosine(0.1, min(n - 10, 20) / 20),
    ),
    (
        schedules.CosineDecayRestarts(0.1, 8, t_mul=1.0, m_mul=0.5),
        lambda n: cosine(0.1 * 0.5 ** (n // 8), n % 8 / 8),
    ),
    (
        schedules.CosineDecayRestarts(0.1, 8),
        lambda n: cosine(0.1, n / 8 if n < 8 else (n - 8) / 16 if n < 24 else (n - 24) / 32),
    ),
    (schedules.PiecewiseConstantDecay([5, 15], [1.0, 0.5, 0.1]), lambda n: 1.0 if n <= 5 else 0.5 if n <= 15 else 0.1),
]


@pytest.mark.parametrize("schedule, formula", CASES)
def test_values(schedule, formula):
    np.testing.assert_allclose([schedule(n) for n in STEPS], [formula(n) for n in STEPS], rtol=2e-5, atol=1e-8)
    assert schedule(tf.Variable(3)).dtype == tf.float32


@pytest.mark.parametrize("schedule, formula", CASES)
def test_configurations(schedule, formula):
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert float(again(7)) == float(schedule(7))


def test_errors():
    with pytest.raises(ValueError, match="decay_steps"):
        schedules.ExponentialDecay(0.1, 0, 0.9)
    with pytest.raises(ValueError, match="1 less"):
        schedules.PiecewiseConstantDecay([1, 2], [1.0, 2.0])
