"""Examples of the random ops, for the tables of `tests.ops.examples`.

A gamma sample's derivative keeps its quantile, not the random words it was made of, so central differences do not show
it: `test_stateless_random.py` holds it against the quantile function.
"""

from __future__ import annotations

import numpy as np

from tapeflow.core.dtypes import numpy_dtype
from tapeflow.ops.seeds import NodeStream

from .examples import EXAMPLES, FLOAT, NUMBER, PAIRS, SHAPES, WIDE, Example, binary, pick, values

_PLAIN = ("float16", "float32", "float64")


def _stream(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-(2**63), 2**63 - 1, 3)


def _drawn(rng: np.random.Generator, dtype: str) -> tuple:
    return (_stream(rng),), (pick(rng, SHAPES), numpy_dtype(dtype))


def _integers(rng: np.random.Generator, dtype: str) -> tuple:
    of = numpy_dtype(dtype).type
    return (_stream(rng), of(-3), of(9)), (pick(rng, SHAPES),)


def _gamma(rng: np.random.Generator, dtype: str) -> tuple:
    alpha = values(rng, pick(rng, SHAPES), dtype, 0.5, 3)
    return (_stream(rng), alpha), (pick(rng, SHAPES) + alpha.shape,)


def _poisson(rng: np.random.Generator, dtype: str) -> tuple:
    rate = values(rng, pick(rng, SHAPES), dtype, 0.5, 30)
    return (_stream(rng), rate), (pick(rng, SHAPES) + rate.shape, numpy_dtype(pick(rng, ["int32", "float32"])))


def _binomial(rng: np.random.Generator, dtype: str) -> tuple:
    first, second = pick(rng, PAIRS)
    shape = pick(rng, SHAPES) + np.broadcast_shapes(first, second)
    counts, probs = values(rng, first, dtype, 1, 40), values(rng, second, dtype, 0.1, 0.9)
    return (_stream(rng), counts, probs), (shape, numpy_dtype(pick(rng, ["int64", "float32"])))


def _categorical(rng: np.random.Generator, dtype: str) -> tuple:
    logits = values(rng, pick(rng, [(2, 3), (1, 4), (0, 2)]), dtype)
    return (_stream(rng), logits), (int(rng.integers(5)), numpy_dtype(pick(rng, ["int32", "int64"])))


def _shuffled(rng: np.random.Generator, dtype: str) -> tuple:
    return (_stream(rng), values(rng, pick(rng, SHAPES), dtype)), (bool(rng.integers(2)),)


def _dropped(rng: np.random.Generator, dtype: str) -> tuple:
    first, second = pick(rng, PAIRS)
    return (values(rng, first, dtype), values(rng, second, "bool")), ()


EXAMPLES.update(
    {
        "random_stream": Example(lambda rng, dtype: ((), (("example",), 3, 256)), ("int64",), order=0),
        "node_stream": Example(lambda rng, dtype: ((), (NodeStream(3, 4), 256)), ("int64",), order=0),
        "stateless_stream": Example(lambda rng, dtype: ((values(rng, (2,), dtype),), ()), ("int32", "int64"), order=0),
        "advance_stream": Example(lambda rng, dtype: ((_stream(rng),), (int(rng.integers(99)),)), ("int64",), order=0),
        **{name: Example(_drawn, FLOAT, order=0) for name in ("random_uniform", "random_normal")},
        "random_truncated_normal": Example(_drawn, FLOAT, order=0),
        "random_uniform_full_int": Example(_drawn, ("int32", "int64", "uint32", "uint64"), order=0),
        "random_uniform_int": Example(_integers, ("int32", "int64"), order=0),
        "random_gamma": Example(_gamma, _PLAIN, order=0),
        "random_gamma_grad": binary((0.5, 3), (0.5, 3), dtypes=WIDE, order=0),
        "random_poisson": Example(_poisson, (*_PLAIN, "int32", "int64"), order=0),
        "random_binomial": Example(_binomial, _PLAIN, order=0),
        "random_categorical": Example(_categorical, FLOAT, order=0),
        "random_shuffle": Example(_shuffled, (*NUMBER, "bool", "string")),
        "fold_in": Example(
            lambda rng, dtype: ((_stream(rng), values(rng, (), dtype)), ()), ("int32", "int64"), order=0
        ),
        "dropout": Example(_dropped, FLOAT),
    }
)
