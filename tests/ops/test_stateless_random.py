"""Stateless random ops, against numbers recorded from TensorFlow 2.21."""

import numpy as np
import pytest
from scipy import special

from tapeflow import random
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.variable import Variable
from tapeflow.ops.pathwise import gamma_derivative

SEED = (1, 2)


def near(*values):
    return pytest.approx(values, rel=2e-6)


def flat(tensor):
    return np.asarray(tensor).reshape(-1).tolist()


@pytest.mark.parametrize(
    "seed", [SEED, [1, 2], np.array([1, 2]), constant([1, 2]), constant([1, 2], "int64"), Variable([1, 2])]
)
def test_uniform(seed):
    assert flat(random.stateless_uniform([2], seed)) == near(0.8440604209899902, 0.19204533100128174)


def test_uniform_bounds():
    assert flat(random.stateless_uniform([2], SEED, 0, [3.0, 4.0])) == near(2.5321812629699707, 0.768181324005127)
    assert flat(random.stateless_uniform([2], [2**40, 2])) == near(0.7485885620117188, 0.7148796319961548)
    assert flat(random.stateless_uniform([3], [3, 4], -5, 100, "int64")) == [15, 46, 46]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int32", [1105988140, 1738052849]),
        ("uint32", [1105988140, 1738052849]),
        ("int64", [7464880146280614444, 1591045637757961278]),
        ("uint64", [7464880146280614444, 1591045637757961278]),
    ],
)
def test_all_integers(dtype, values):
    drawn = random.stateless_uniform([2], SEED, None, None, dtype)
    assert drawn.dtype == dtype
    assert flat(drawn) == values


@pytest.mark.parametrize(
    "alg", ["philox", "auto_select", 1, 3, constant(1), Variable(3), random.Algorithm.PHILOX, None]
)
def test_algorithms(alg):
    assert flat(random.stateless_uniform([1], SEED, alg=alg)) == near(0.8440604209899902)


def test_normal():
    assert flat(random.stateless_normal([2], SEED, 1, 2)) == near(2.0882201194763184, 1.4147605895996094)
    assert flat(random.stateless_truncated_normal([3], [3, 4], 1.0, 2.0)) == near(
        0.6521323323249817, 4.344709396362305, 1.6963403224945068
    )


def test_gamma():
    assert flat(random.stateless_gamma([2], SEED, [1.0, 2.0])) == near(3.4994423389434814, 1.9241365194320679)
    assert flat(random.stateless_gamma([2], SEED, 1.0, beta=2)) == near(1.7497211694717407, 0.8596546649932861)
    drawn = random.stateless_gamma([2, 3], [3, 4], [0.5, 1.0, 30.0], [1.0, 2.0, 4.0])
    assert flat(drawn) == near(0.0436045341, 0.0396792181, 12.0991611481, 0.2556686103, 0.3967215121, 8.3050870895)


def test_counts():
    assert flat(random.stateless_poisson([3, 2], [3, 4], [2.0, 20.0])) == [3, 21, 2, 14, 0, 28]
    assert flat(random.stateless_binomial([2, 2], [3, 4], [10.0, 100.0], [0.3, 0.6])) == [5, 52, 5, 59]
    assert flat(random.stateless_binomial([2], SEED, 10, 0.5)) == [6, 6]
    assert flat(random.stateless_binomial([2], SEED, [10.0, -10.0], 1.5)) == [10, 0]
    assert random.stateless_binomial([2], SEED, 10.0, 0.5, output_dtype="float32").dtype == "float32"


def test_scalars():
    assert float(random.stateless_gamma([], SEED, 2.0)) == pytest.approx(2.8172736)
    assert int(random.stateless_poisson([], SEED, 3.0)) == 5
    assert int(random.stateless_poisson([], SEED, 30.0)) == 37
    assert int(random.stateless_binomial([], SEED, 10.0, 0.4)) == 6


def test_categorical_and_shuffle():
    assert flat(random.stateless_categorical([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]], 6, [3, 4])) == [
        *[2, 1, 0, 1, 2, 1],
        *[2, 0, 2, 2, 2, 2],
    ]
    assert flat(random.experimental.stateless_shuffle(np.arange(7), [3, 4])) == [5, 2, 4, 6, 1, 3, 0]
    assert flat(random.experimental.stateless_shuffle(3, SEED)) == [3]


def test_new_seeds():
    assert random.split([1, 2]).numpy().tolist() == [[1105988140, 1738052849], [-335576002, 370444179]]
    wide = random.split(constant([1, 2], "int64"), num=constant(1))
    assert wide.numpy().tolist() == [[7464880146280614444, 1591045637757961278]]
    assert random.split([1, 2], num=0).shape == (0, 2)
    assert flat(random.fold_in([1, 2], 3)) == [1105988140, 3]
    assert flat(random.fold_in(constant([1, 2], "int64"), 3)) == [1105988140, 3]
    assert flat(random.fold_in([1, 2], 2**40)) == [7464880146280614444, 2**40]
    assert flat(random.fold_in([1, 2], constant(3, "uint32"))) == [1105988140, 3]


def test_gradients():
    low, high = constant(1.0), constant([2.0, 3.0, 4.0])
    with GradientTape(persistent=True) as tape:
        tape.watch([low, high])
        flatly = random.stateless_uniform([3], SEED, low, high)
        bell = random.stateless_truncated_normal([3], SEED, low, high)
    assert float(tape.gradient(flatly, low)) == pytest.approx(0.9676709175109863)
    assert flat(tape.gradient(flatly, high)) == near(0.8440604209899902, 0.19204533100128174, 0.9962232112884521)
    assert float(tape.gradient(bell, low)) == 3
    assert flat(tape.gradient(bell, high)) == near(0.544110119342804, 0.20738030970096588, 0.0735643208026886)


def test_gamma_gradients():
    alpha, beta = constant([0.5, 1.0, 20.0]), constant(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch([alpha, beta])
        y = random.stateless_gamma([3], SEED, alpha, beta)
    assert flat(tape.gradient(y, alpha)) == near(0.19396202266216278, 0.762178361415863, 0.5568957924842834)
    assert float(tape.gradient(y, beta)) == pytest.approx(-6.567556858062744)
    alpha = constant([0.5, 3.0], "float64")
    with GradientTape() as tape:
        tape.watch(alpha)
        y = random.stateless_gamma([3, 2], SEED, alpha, dtype="float64")
    assert flat(tape.gradient(y, alpha)) == pytest.approx([2.6393623989798742, 3.1947332127987136], rel=1e-12)


def test_the_gamma_derivative_has_no_derivative():
    alpha = constant(2.0)
    with GradientTape() as outer:
        outer.watch(alpha)
        with GradientTape() as inner:
            inner.watch(alpha)
            y = random.stateless_gamma([3], SEED, alpha)
        slope = inner.gradient(y, alpha)
    with pytest.raises(LookupError, match="RandomGammaGrad"):
        outer.gradient(slope, alpha)


@pytest.mark.parametrize("alpha", [1e-2, 0.3, 1.0, 2.5, 40.0, 9e3, 2e7])
@pytest.mark.parametrize("quantile", [1e-3, 0.2, 0.5, 0.9, 0.9999])
def test_the_derivative_keeps_the_quantile(alpha, quantile):
    sample = special.gammaincinv(alpha, quantile)
    step = 1e-4 * alpha
    slope = (special.gammaincinv(alpha + step, quantile) - special.gammaincinv(alpha - step, quantile)) / (2 * step)
    got = gamma_derivative(np.float64(alpha), np.array([sample]))
    assert got.tolist() == pytest.approx([slope], rel=1e-5)


def test_the_derivative_at_the_edges():
    assert flat(gamma_derivative(np.float32(2.0), np.array([0.0], np.float32))) == [0.0]
    assert np.isnan(gamma_derivative(np.float32(-1.0), np.array([np.nan], np.float32))).all()
    assert gamma_derivative(np.zeros((0, 2)), np.zeros((3, 0, 2))).shape == (3, 0, 2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: random.stateless_uniform([2], [1, 2, 3]), errors.InvalidArgumentError, "shape \\[2\\]"),
        (lambda: random.stateless_uniform([2], 1), errors.InvalidArgumentError, "shape \\[2\\]"),
        (lambda: random.stateless_uniform([2], [1.0, 2.0]), errors.InvalidArgumentError, "Tseed"),
        (lambda: random.stateless_uniform([2], constant([1, 2], "uint32")), errors.InvalidArgumentError, "uint32"),
        (lambda: random.stateless_uniform([2], SEED, dtype="int32"), ValueError, "both None"),
        (lambda: random.stateless_uniform([2], SEED, None, 3, "int32"), ValueError, "both None"),
        (lambda: random.stateless_uniform([2], SEED, 0, 3, "uint32"), ValueError, "unsigned"),
        (lambda: random.stateless_uniform([2], SEED, None, None), ValueError, "None"),
        (lambda: random.stateless_uniform([2], SEED, 3, 3, "int32"), errors.InvalidArgumentError, "minval < maxval"),
        (lambda: random.stateless_uniform([2], SEED, alg="threefry"), errors.InvalidArgumentError, "ThreeFry"),
        (lambda: random.stateless_uniform([2], SEED, alg=2), errors.InvalidArgumentError, "ThreeFry"),
        (lambda: random.stateless_uniform([2], SEED, alg="foo"), ValueError, "foo"),
        (lambda: random.stateless_uniform([2], SEED, alg=7), ValueError, "7"),
        (lambda: random.stateless_uniform([-1], SEED), errors.InvalidArgumentError, "-1"),
        (lambda: random.stateless_normal([2], SEED, dtype="int32"), TypeError, "int32"),
        (lambda: random.stateless_gamma([2, 3], SEED, [1.0, 2.0]), errors.InvalidArgumentError, "must end with"),
        (lambda: random.stateless_gamma([], SEED, [1.0, 2.0]), errors.InvalidArgumentError, "must end with"),
        (lambda: random.stateless_poisson([2, 1], SEED, [[2.0]]), errors.InvalidArgumentError, "must end with"),
        (
            lambda: random.stateless_binomial([2], SEED, [1.0, 2.0, 3.0], [0.1, 0.2]),
            errors.InvalidArgumentError,
            "batch",
        ),
        (
            lambda: random.stateless_binomial([2], SEED, constant(1.0), constant(0.1, "float64")),
            errors.InvalidArgumentError,
            "double",
        ),
        (lambda: random.stateless_binomial([2], SEED, constant(1), constant(0.1)), errors.NotFoundError, "int32"),
        (lambda: random.split([1, 2], num=-1), errors.InvalidArgumentError, "-1"),
        (lambda: random.split([1.0, 2.0]), ValueError, "float32"),
        (lambda: random.fold_in([1, 2], [3, 4]), errors.InvalidArgumentError, "scalar"),
        (lambda: random.fold_in([1, 2], 3.0), ValueError, "float32"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
