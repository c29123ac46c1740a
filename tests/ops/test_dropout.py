"""Dropout, against values recorded from TensorFlow 2.21."""

import numpy as np
import pytest

from tapeflow import random
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.variable import Variable
from tapeflow.ops.dropout import dropout, general_dropout, stateless_dropout
from tests.gradients import check_gradients

ONES = constant(np.ones(4, np.float32))


@pytest.fixture(autouse=True)
def _seeded():
    random.set_seed(1)
    yield
    random.set_seed(None)


def flat(tensor):
    return np.asarray(tensor, np.float64).reshape(-1).tolist()


@pytest.mark.parametrize("rate", [0.5, np.float32(0.5), np.float64(0.5), constant(0.5), Variable(0.5)])
def test_rates(rate):
    assert flat(dropout(ONES, rate)) == [0, 2, 2, 0]


def test_seeds_and_dtypes():
    assert flat(dropout(ONES, 0.5, seed=3)) == [2, 2, 2, 0]
    random.set_seed(1)
    assert flat(dropout([1.0, 2.0, 3.0], 0.5)) == [0, 4, 6]
    for dtype, values in [("float64", [0, 0, 0, 2]), ("float16", [2, 2, 2, 2]), ("bfloat16", [0, 0, 2, 0])]:
        random.set_seed(1)
        kept = dropout(constant(np.ones(4), dtype), 0.5)
        assert kept.dtype == dtype
        assert flat(kept) == values
    random.set_seed(1)
    assert float(dropout(3.0, 0.5)) == 0.0


def test_it_draws_what_uniform_draws():
    noise = random.uniform([1000], seed=6).numpy()
    random.set_seed(1)
    kept = dropout(constant(np.full(1000, np.inf, np.float32)), 0.3, seed=6).numpy()
    assert ((kept == np.inf) == (noise >= 0.3)).all()
    assert (kept[noise < 0.3] == 0).all()


@pytest.mark.parametrize(
    ("noise_shape", "shape", "first"),
    [
        ([4, 1], (4, 2), [0, 0, 2, 2]),
        ([None, 1], (4, 2), [0, 0, 2, 2]),
        (constant([4, 1]), (4, 2), [0, 0, 2, 2]),
        ([2], (4, 2), [0, 2, 0, 2]),
        ([1, 4, 2], (1, 4, 2), [0, 2, 2, 0]),
        ([3, 4, 2], (3, 4, 2), [0, 2, 2, 0]),
    ],
)
def test_noise_shapes(noise_shape, shape, first):
    kept = dropout(constant(np.ones((4, 2), np.float32)), 0.5, noise_shape=noise_shape)
    assert kept.shape == shape
    assert flat(kept)[:4] == first


def test_a_rate_of_zero_takes_a_seed_and_returns_x():
    for rate in (0, 0.0):
        random.set_seed(5)
        assert dropout(ONES, rate) is ONES
        assert flat(random.normal([2])) == pytest.approx([0.22652864, 0.8106553])
    random.set_seed(5)
    dropout(ONES, 0, seed=2)
    assert flat(random.normal([2])) == pytest.approx([-0.18030666, -0.95028627])


def test_stateless():
    assert flat(stateless_dropout(ONES, 0.5, [1, 2])) == [2, 0, 2, 0]
    assert flat(stateless_dropout(ONES, 0.5, [1, 2], rng_alg="philox")) == [2, 0, 2, 0]
    assert flat(stateless_dropout(constant(np.ones(4)), 0.5, [1, 2])) == [2, 2, 0, 2]
    assert stateless_dropout(ONES, 0.0, [1, 2]) is ONES


def test_general():
    asked = {}

    def sampler(shape, dtype):
        asked.update(shape=tuple(shape), dtype=dtype)
        return constant([0.1, 0.6, 0.5, 0.2], dtype)

    assert flat(general_dropout(ONES, 0.5, sampler)) == [0, 2, 2, 0]
    assert asked == {"shape": (4,), "dtype": "float32"}
    assert general_dropout(ONES, 0.0, lambda shape, dtype: 1 / 0) is ONES


def test_gradients():
    random.set_seed(3)
    x, rate = constant([1.0, 2.0, 3.0]), constant(0.5)
    with GradientTape() as tape:
        tape.watch([x, rate])
        y = dropout(x, rate, seed=1)
    dx, drate = tape.gradient(y, [x, rate])
    assert flat(y) == [2, 4, 6]
    assert flat(dx) == [2, 2, 2]
    assert float(drate) == 24
    with GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.3, noise_shape=[2, 3], seed=1)
    assert flat(y) == pytest.approx([0, 0, 4.285714149475098, 1.4285714626312256, 0, 4.285714149475098])
    assert flat(tape.gradient(y, x)) == pytest.approx([1.4285714626312256, 0, 2.857142925262451])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_gradients_against_differences(shape):
    x = np.linspace(-1, 2, int(np.prod(shape))).reshape(shape)
    check_gradients(lambda x: stateless_dropout(x * x * x, 0.4, [5, 6]), x)
    check_gradients(lambda x, rate: stateless_dropout(x * x, rate, [5, 6]), x, np.float64(0.4))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: dropout(ONES, 1), ValueError, "range"),
        (lambda: dropout(ONES, -0.1), ValueError, "range"),
        (lambda: dropout(ONES, np.float32(1.5)), ValueError, "1.5"),
        (lambda: dropout(ONES, "a"), ValueError, "scalar"),
        (lambda: dropout(ONES, None), ValueError, "scalar"),
        (lambda: dropout(ONES, [0.5]), ValueError, "scalar"),
        (lambda: dropout(ONES, constant([0.5])), ValueError, "rank 0"),
        (lambda: dropout(ONES, constant(0.5, "float64")), ValueError, "float64"),
        (lambda: dropout([1, 2, 3], 0.5), ValueError, "floating"),
        (lambda: dropout(constant([1j]), 0.5), ValueError, "floating"),
        (lambda: dropout(ONES, 0.5, noise_shape=[3]), errors.InvalidArgumentError, "broadcast"),
        (lambda: dropout(ONES, 0.5, noise_shape=4), errors.InvalidArgumentError, "vector"),
        (lambda: dropout(ONES, 0.5, noise_shape=[-1]), errors.InvalidArgumentError, "-1"),
        (lambda: dropout(ONES, 0.5, noise_shape=[2.5]), errors.InvalidArgumentError, "int32"),
        (lambda: stateless_dropout(ONES, 0.5, [1, 2, 3]), errors.InvalidArgumentError, "seed"),
        (lambda: stateless_dropout(ONES, 0.5, [1, 2], rng_alg="threefry"), errors.InvalidArgumentError, "ThreeFry"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
