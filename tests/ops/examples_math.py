"""Examples of reductions, scans, products, norms, activations and losses, for the tables of `tests.ops.examples`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tapeflow.core.dtypes import numpy_dtype

from .examples import BOOL, COMPLEX, EXAMPLES, FLOAT, NUMBER, REAL, STRING, WIDE, Example, pick, unary, values

SHAPES = [(), (3,), (2, 3), (2, 1, 4), (0, 3)]
FULL = [(3,), (2, 3), (2, 1, 4)]  # ops that need something to choose from, or a dimension


def _axes(rng: np.random.Generator, rank: int) -> tuple[int, ...] | None:
    if rng.random() < 0.2:
        return None
    return tuple(int(i) for i in rng.permutation(rank)[: rng.integers(rank + 1)])


def _reduced(shapes: list, low: float = -2.0, high: float = 2.0) -> Callable:
    def make(rng: np.random.Generator, dtype: str) -> tuple:
        shape = pick(rng, shapes)
        return (values(rng, shape, dtype, low, high),), (_axes(rng, len(shape)), bool(rng.integers(2)))

    return make


def _distinct(rng: np.random.Generator, dtype: str) -> tuple:
    """Elements far enough apart for central differences of their extrema."""
    shape = pick(rng, FULL)
    x = rng.permutation(int(np.prod(shape))).reshape(shape) / 4 - 1
    return (x.astype(numpy_dtype(dtype)),), (_axes(rng, len(shape)), bool(rng.integers(2)))


def _counted(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, SHAPES)
    to = numpy_dtype(pick(rng, ["int32", "int64", "float32"]))
    return (values(rng, shape, dtype),), (_axes(rng, len(shape)), bool(rng.integers(2)), to)


def _searched(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, FULL)
    return (values(rng, shape, dtype),), (int(rng.integers(len(shape))), numpy_dtype(pick(rng, ["int32", "int64"])))


def _scanned(low: float, high: float, exclusive: bool = True) -> Callable:
    def make(rng: np.random.Generator, dtype: str) -> tuple:
        shape = pick(rng, [*FULL, (0, 3)])
        axis, kinds = int(rng.integers(len(shape))), rng.integers(2, size=2)
        return (values(rng, shape, dtype, low, high),), (axis, exclusive and bool(kinds[0]), bool(kinds[1]))

    return make


def _matrices(rng: np.random.Generator, dtype: str) -> tuple:
    batch_a, batch_b = pick(rng, [((), ()), ((2,), ()), ((), (2,)), ((2, 1), (3,)), ((1,), (2,)), ((0,), (1,))])
    m, k, n = (int(rng.integers(1, 4)) for _ in range(3))
    ta, tb = bool(rng.integers(2)), bool(rng.integers(2))
    a = values(rng, (*batch_a, *((k, m) if ta else (m, k))), dtype)
    b = values(rng, (*batch_b, *((n, k) if tb else (k, n))), dtype)
    return (a, b), (ta, tb)


def _dense(rng: np.random.Generator, dtype: str) -> tuple:
    n, k, m = (int(rng.integers(1, 4)) for _ in range(3))
    return (values(rng, (n, k), dtype), values(rng, (k, m), dtype), values(rng, (m,), dtype)), ()


_EQUATIONS = {
    "ij->ji": ["23"],
    "ii->i": ["33"],
    "ii->": ["22"],
    "i->ii": ["3"],
    "iji->j": ["232"],
    "ijk->k": ["232"],
    "->": [""],
    "ij,jk->ik": ["23", "34"],
    "bij,bjk->bik": ["212", "223"],
    "ij,ij->": ["23", "23"],
    "i,j->ij": ["2", "3"],
    "ii,ijk->k": ["22", "223"],
    "aecd,abcd->acbe": ["1322", "1222"],
    "01i,1i->01": ["213", "43"],
    "0ij,0jk->i0k": ["123", "231"],
    "ij,kl->il": ["23", "12"],
    ",i->i": ["", "2"],
}


def _einsum(rng: np.random.Generator, dtype: str) -> tuple:
    equation = pick(rng, list(_EQUATIONS))
    shapes = [tuple(int(n) for n in sizes) for sizes in _EQUATIONS[equation]]
    return tuple(values(rng, shape, dtype) for shape in shapes), (equation,)


def _singular(rng: np.random.Generator, dtype: str) -> tuple:
    shape, axes = pick(rng, [((2, 3), (0, 1)), ((2, 3), (1, 0)), ((2, 3, 2), (0, 2))])
    return (values(rng, shape, dtype),), (axes, bool(rng.integers(2)))


def _leading(rng: np.random.Generator, dtype: str) -> tuple:
    inputs, (axes, _) = _singular(rng, dtype)
    return inputs, (axes,)


def _vectors(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(3,), (2, 3), (0, 3)])
    return (values(rng, shape, dtype), values(rng, shape, dtype)), ()


def _gradient_of(low: float, high: float, *attributes: float) -> Callable:
    """The gradient op of an activation: of a gradient, and of inputs away from where it jumps."""

    def make(rng: np.random.Generator, dtype: str) -> tuple:
        shape = pick(rng, SHAPES)
        return (values(rng, shape, dtype), values(rng, shape, dtype, low, high)), attributes

    return make


def _softmaxed(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [*FULL, (0, 3)])
    axis = int(rng.integers(len(shape)))
    return (values(rng, shape, dtype),), (pick(rng, [axis, tuple(range(len(shape)))]),)


def _labelled(rng: np.random.Generator, dtype: str) -> tuple:
    """Labels that sum to 1: of others TensorFlow's gradient is not the derivative."""
    shape = pick(rng, [*FULL, (0, 3)])
    labels = values(rng, (1, *shape[1:]) if rng.random() < 0.3 and len(shape) > 1 else shape, "float64", 0.1, 1)
    return ((labels / labels.sum(-1, keepdims=True)).astype(dtype), values(rng, shape, dtype)), ()


def _classified(low: float, high: float) -> Callable:
    def make(rng: np.random.Generator, dtype: str) -> tuple:
        shape = pick(rng, [*FULL, (0, 3)])
        labels = rng.integers(0, shape[-1], shape[:-1]).astype(pick(rng, ["int32", "int64"]))
        return (values(rng, shape, dtype, low, high), labels), ()

    return make


def _biased(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(2, 3), (2, 3, 4), (0, 2)])
    axis = pick(rng, [-1, 1])
    return (values(rng, shape, dtype), values(rng, (shape[axis],), dtype)), (axis,)


_POSITIVE = {"options": {"rtol": 1e-5}}

EXAMPLES.update(
    {
        # reductions
        "reduce_sum": Example(_reduced(SHAPES), NUMBER, complex=True),
        "reduce_mean": Example(_reduced(FULL), NUMBER, complex=True),
        "reduce_prod": Example(_reduced(SHAPES), NUMBER, complex=True),
        "reduce_max": Example(_distinct, REAL),
        "reduce_min": Example(_distinct, REAL),
        "reduce_all": Example(_reduced(SHAPES), BOOL, order=0),
        "reduce_any": Example(_reduced(SHAPES), BOOL, order=0),
        "reduce_logsumexp": Example(_reduced([(), *FULL]), FLOAT),
        "reduce_euclidean_norm": Example(_reduced([(), *FULL], 0.5, 2), NUMBER, order=2, **_POSITIVE),
        "reduce_variance": Example(_reduced([(), *FULL]), FLOAT + COMPLEX, complex=True),
        "count_nonzero": Example(_counted, (*NUMBER, "bool", "string"), order=0),
        "zero_fraction": Example(
            lambda rng, dtype: _softmaxed(rng, dtype)[:1] + ((),), NUMBER + BOOL + STRING, order=0
        ),
        "argmax": Example(_searched, (*REAL, "bool"), order=0),
        "argmin": Example(_searched, (*REAL, "bool"), order=0),
        # scans
        "cumsum": Example(_scanned(-2, 2), NUMBER, complex=True),
        "cumprod": Example(_scanned(0.5, 2), NUMBER, complex=True),
        "cumulative_logsumexp": Example(_scanned(-2, 2, False), FLOAT),  # an exclusive one begins with -inf
        # products
        "matmul": Example(_matrices, NUMBER, complex=True),
        "dense": Example(_dense, FLOAT),
        "einsum": Example(_einsum, NUMBER, complex=True),
        "trace": Example(lambda rng, dtype: ((values(rng, pick(rng, [(2, 3), (2, 3, 3)]), dtype),), ()), NUMBER),
        "cross": Example(_vectors, REAL),
        "spectral_norm": Example(_singular, WIDE, order=1, complex=True),
        "leading_singular_product": Example(_leading, WIDE, order=0),
        # activations
        "relu": unary(0.1, 2, dtypes=REAL),
        "relu6": unary(0.1, 5, dtypes=REAL),
        "leaky_relu": Example(lambda rng, dtype: ((values(rng, pick(rng, SHAPES), dtype, 0.1, 2),), (0.2,)), FLOAT),
        "relu_grad": Example(_gradient_of(0.1, 2), FLOAT),
        "relu6_grad": Example(_gradient_of(0.1, 2), FLOAT),
        "leaky_relu_grad": Example(_gradient_of(-2, -0.1, 0.2), FLOAT),
        "elu": unary(-2, -0.1),
        "selu": unary(-2, -0.1),
        "gelu": unary(),
        "gelu_tanh": unary(),
        "silu": unary(dtypes=FLOAT + COMPLEX, complex=True),
        "softsign": unary(0.1, 2),
        "softmax": Example(_softmaxed, FLOAT),
        "log_softmax": Example(_softmaxed, FLOAT),
        # losses
        "softmax_cross_entropy": Example(_labelled, WIDE),
        "sparse_softmax_cross_entropy": Example(_classified(-2, 2), WIDE),
        "sparse_cross_entropy_of_probabilities": Example(_classified(0.1, 0.9), WIDE),
        "sigmoid_cross_entropy": EXAMPLES["squared_difference"]._replace(dtypes=FLOAT),
        # normalisation
        "bias_add": Example(_biased, NUMBER, complex=True),
        "l2_loss": unary(),
    }
)
