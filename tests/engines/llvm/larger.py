"""Larger inputs for ops, of sizes that compiled code treats apart: whole vectors, what is left of one, several rows.

The tables of `examples` hold the smallest shapes that tell right from wrong; `make` gives larger ones: where an op's
example takes its shapes from `SHAPES` and `PAIRS`, by putting others there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tapeflow.core.dtypes import numpy_dtype
from tests.ops.examples import EXAMPLES, PAIRS, SHAPES, Example, pick, values

_WIDTHS = (7, 16, 17, 33, 130)
_SHAPES = [(n,) for n in _WIDTHS] + [(3, 17), (5, 33), (2, 3, 7), (2, 1, 9, 16), (130, 1), (1, 1, 18)]
_PAIRS = [
    ((33,), ()), ((), (3, 17)), ((5, 33), (33,)), ((5, 1), (5, 33)), ((4, 1, 17), (3, 1)), ((2, 3, 7), (2, 3, 7)),
    ((130,), (130,)), ((6, 1), (1, 18)), ((2, 1, 1, 9), (3, 2, 1)),
]  # fmt: skip


@contextmanager
def larger_shapes() -> Iterator[None]:
    """While it lasts, the makers of examples draw from larger shapes."""
    kept = SHAPES[:], PAIRS[:]
    SHAPES[:], PAIRS[:] = _SHAPES, _PAIRS
    try:
        yield
    finally:
        SHAPES[:], PAIRS[:] = kept


def make(name: str, rng: np.random.Generator, dtype: str) -> tuple[tuple, tuple]:
    """(inputs, attributes) of larger shapes for an op."""
    if name in _MAKERS:
        return _MAKERS[name](rng, dtype)
    example: Example = EXAMPLES[name]
    with larger_shapes():
        return example.make(rng, dtype)


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    return pick(rng, _SHAPES)


def _axes(rng: np.random.Generator, rank: int) -> tuple[int, ...] | None:
    return pick(rng, [None, tuple(i for i in range(rank) if rng.random() < 0.6)])


def _reduce(low: float, high: float) -> Any:
    def made(rng: np.random.Generator, dtype: str) -> tuple:
        shape = pick(rng, [*_SHAPES, (260, 3), (2, 300), (4, 3, 5, 2)])
        return (values(rng, shape, dtype, low, high),), (_axes(rng, len(shape)), bool(rng.integers(2)))

    return made


def _arg(rng: np.random.Generator, dtype: str) -> tuple:
    shape = _shape(rng)
    return (values(rng, shape, dtype),), (int(rng.integers(len(shape))), np.dtype(pick(rng, ["int32", "int64"])))


def _softmax(rng: np.random.Generator, dtype: str) -> tuple:
    shape = _shape(rng)
    return (values(rng, shape, dtype, -9, 9),), (int(rng.integers(-len(shape), len(shape))),)


def _matmul(rng: np.random.Generator, dtype: str) -> tuple:
    n, k, m = (int(pick(rng, [1, 2, 5, 8, 17, 33, 70])) for _ in range(3))
    batch = pick(rng, [(), (), (3,), (2, 2)])
    tx, ty = (bool(rng.integers(2)) for _ in range(2))
    x, y = (*batch, *((k, n) if tx else (n, k))), (*batch, *((m, k) if ty else (k, m)))
    if rng.random() < 0.2:
        y = y[-2:]
    return (values(rng, x, dtype), values(rng, y, dtype)), (tx, ty)


def _dense(rng: np.random.Generator, dtype: str) -> tuple:
    n, k, m = (int(pick(rng, [1, 2, 7, 16, 33, 70])) for _ in range(3))
    return (values(rng, (n, k), dtype), values(rng, (k, m), dtype), values(rng, (m,), dtype)), ()


def _bias_add(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(3, 17), (5, 33), (2, 3, 16), (2, 3, 2, 7)])
    return (values(rng, shape, dtype), values(rng, shape[-1:], dtype)), (-1,)


def _two(attributes: tuple) -> Any:
    def made(rng: np.random.Generator, dtype: str) -> tuple:
        shape = _shape(rng)
        return (values(rng, shape, dtype), values(rng, shape, dtype)), attributes

    return made


def _leaky(rng: np.random.Generator, dtype: str) -> tuple:
    return (values(rng, _shape(rng), dtype),), (pick(rng, [0.2, 1.5]),)


def _broadcast_to(rng: np.random.Generator, dtype: str) -> tuple:
    shape, to = pick(rng, [((), (33,)), ((17,), (4, 17)), ((5, 1), (5, 33)), ((3, 1, 2), (2, 3, 9, 2)), ((1,), (130,))])
    return (values(rng, shape, dtype),), (to,)


def _sum_to_shape(rng: np.random.Generator, dtype: str) -> tuple:
    large, small = pick(
        rng, [((33,), ()), ((4, 17), (17,)), ((5, 33), (5, 1)), ((2, 3, 9, 2), (3, 1, 2)), ((130,), (1,))]
    )
    return (values(rng, large, dtype),), (small,)


def _reshape(rng: np.random.Generator, dtype: str) -> tuple:
    shape, to = pick(rng, [((6, 17), (17, 6)), ((130,), (2, -1)), ((2, 3, 7), (-1,)), ((4, 33), (2, 2, 33, 1))])
    return (values(rng, shape, dtype),), (to,)


def _squeeze(rng: np.random.Generator, dtype: str) -> tuple:
    shape, axes = pick(rng, [((1, 33), (0,)), ((17, 1, 3), (1,)), ((1, 1, 130), (0, 1)), ((5, 33, 1), ())])
    return (values(rng, shape, dtype),), (axes,)


def _concat(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(9,), (3, 17), (2, 3, 5)])
    axis = int(rng.integers(-len(shape), len(shape)))
    shapes = [[*shape] for _ in range(rng.integers(1, 5))]
    for s in shapes:
        s[axis] = int(pick(rng, [0, 1, 4, 17, 33]))
    if not any(s[axis] for s in shapes):
        shapes[0][axis] = 2
    return tuple(values(rng, tuple(s), dtype) for s in shapes), (axis,)


def _unstack(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(5,), (3, 17), (4, 3, 7)])
    axis = int(rng.integers(-len(shape), len(shape)))
    return (values(rng, shape, dtype),), (axis, shape[axis])


def _split(rng: np.random.Generator, dtype: str) -> tuple:
    shape = [4, 17, 3]
    axis = int(rng.integers(-3, 3))
    sizes = tuple(int(pick(rng, [0, 1, 5, 16, 18])) for _ in range(3))
    shape[axis] = sum(sizes)
    return (values(rng, tuple(shape), dtype),), (sizes, axis)


def _pad(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(33,), (3, 17), (2, 3, 7)])
    pairs = tuple(tuple(rng.integers(0, 9, 2).tolist()) for _ in shape)
    return (values(rng, shape, dtype),), (pairs, "CONSTANT", int(rng.integers(2)))


def _spec(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple:
    parts: list[Any] = []
    for n in shape[: rng.integers(len(shape) + 1)]:
        start, stop = (pick(rng, [None, int(rng.integers(-n, n + 1))]) for _ in range(2))
        parts.append(pick(rng, [int(rng.integers(-n, n)), *[(start, stop, s) for s in (None, 1, 2, 3, -1, -2)]]))
    if rng.random() < 0.3:
        parts.insert(int(rng.integers(len(parts) + 1)), None)
    return tuple(parts)


def _strided_slice(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(130,), (9, 33), (4, 7, 17)])
    return (values(rng, shape, dtype),), (_spec(rng, shape),)


def _strided_slice_grad(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), (spec,) = _strided_slice(rng, dtype)
    part = x[tuple(slice(*p) if type(p) is tuple else p for p in spec)]
    return (values(rng, part.shape, dtype),), (x.shape, spec)


def _gather(rng: np.random.Generator, dtype: str) -> tuple:
    shape = pick(rng, [(40,), (9, 33), (4, 7, 17)])
    axis = int(rng.integers(len(shape)))
    at = rng.integers(0, shape[axis], pick(rng, [(), (5,), (3, 7), (33,)])).astype(pick(rng, ["int32", "int64"]))
    return (values(rng, shape, dtype), at), (axis, 0)


def _one_hot(rng: np.random.Generator, dtype: str) -> tuple:
    shape, depth = pick(rng, [(), (9,), (4, 17)]), int(pick(rng, [1, 10, 33]))
    at = rng.integers(-1, depth + 1, shape).astype(pick(rng, ["int32", "int64", "uint8"]))
    on, off = (1, 0) if dtype == "bool" else (3, 1)
    to = numpy_dtype(dtype)
    return (at,), (depth, int(rng.integers(len(shape) + 1)), to.type(on), to.type(off))


def _labels(rng: np.random.Generator, dtype: str) -> tuple:
    n, k = int(pick(rng, [1, 8, 17, 33])), int(pick(rng, [2, 10, 17, 130]))
    return n, k, values(rng, (n, k), dtype, -6, 6)


def _cross_entropy(rng: np.random.Generator, dtype: str) -> tuple:
    n, k, logits = _labels(rng, dtype)
    y = rng.random((n, k))
    return ((y / y.sum(-1, keepdims=True)).astype(dtype), logits), ()


def _sparse_cross_entropy(rng: np.random.Generator, dtype: str) -> tuple:
    n, k, logits = _labels(rng, dtype)
    return (logits, rng.integers(0, k, n).astype(pick(rng, ["int32", "int64"]))), ()


_MAKERS = {
    **dict.fromkeys(("reduce_sum", "reduce_mean", "reduce_max", "reduce_min"), _reduce(-2, 2)),
    **dict.fromkeys(("reduce_variance", "reduce_euclidean_norm", "reduce_logsumexp"), _reduce(-2, 2)),
    "reduce_prod": _reduce(0.9, 1.1),
    **dict.fromkeys(("reduce_all", "reduce_any"), _reduce(0, 1)),
    **dict.fromkeys(("argmax", "argmin"), _arg),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    "matmul": _matmul, "dense": _dense, "bias_add": _bias_add,
    "relu_grad": _two(()), "relu6_grad": _two(()), "leaky_relu_grad": _two((0.2,)), "leaky_relu": _leaky,
    "broadcast_to": _broadcast_to, "sum_to_shape": _sum_to_shape, "reshape": _reshape, "squeeze": _squeeze,
    "concat": _concat, "unstack": _unstack, "split": _split, "pad": _pad,
    "strided_slice": _strided_slice, "strided_slice_grad": _strided_slice_grad, "gather": _gather, "one_hot": _one_hot,
    "softmax_cross_entropy": _cross_entropy, "sparse_softmax_cross_entropy": _sparse_cross_entropy,
}  # fmt: skip
