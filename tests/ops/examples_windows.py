"""Examples for convolution and pooling: see `examples.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapeflow.core.op import OPS
from tests.ops.examples import EXAMPLES, FLOAT, INTEGER, Example, pick, values

REAL = FLOAT + INTEGER


def _geometry(rng: np.random.Generator) -> tuple:
    """Shapes of inputs and filter, and how they meet: one to three dimensions of space, groups, both formats."""
    space = pick(rng, [1, 2, 2, 3])
    window = [int(rng.integers(1, 4 if space < 3 else 3)) for _ in range(space)]
    strides = tuple(int(rng.integers(1, 3)) for _ in range(space))
    dilations = tuple(int(rng.integers(1, 3)) for _ in range(space))
    explicit = tuple((int(rng.integers(0, 2)), int(rng.integers(0, 2))) for _ in range(space))
    padding = pick(rng, ["SAME", "VALID", explicit])
    sizes = [(w - 1) * d + 1 + int(rng.integers(0, 2)) for w, d in zip(window, dilations, strict=True)]
    depth, groups, each = pick(rng, [(1, 1, 1), (2, 1, 3), (1, 2, 1), (1, 2, 2), (2, 2, 1)])
    batch, first = int(rng.integers(1, 3)), bool(rng.integers(2))
    channels = depth * groups
    shape = (batch, channels, *sizes) if first else (batch, *sizes, channels)
    return shape, (*window, depth, each * groups), (strides, padding, dilations, first)


def _outputs(shape: tuple, filters: tuple, how: tuple) -> tuple:
    rule = OPS["convolution"].infer
    return rule(np.empty(shape), np.empty(filters), *how).shape


def _convolution(rng: np.random.Generator, dtype: str) -> tuple:
    shape, filters, how = _geometry(rng)
    return (values(rng, shape, dtype), values(rng, filters, dtype)), how


def _with_bias(rng: np.random.Generator, dtype: str) -> tuple:
    (x, k), how = _convolution(rng, dtype)
    return (x, k, values(rng, k.shape[-1:], dtype)), how


def _input_gradient(rng: np.random.Generator, dtype: str) -> tuple:
    shape, filters, how = _geometry(rng)
    g = values(rng, _outputs(shape, filters, how), dtype)
    return (g, values(rng, filters, dtype)), (shape, *how)


def _filter_gradient(rng: np.random.Generator, dtype: str) -> tuple:
    shape, filters, how = _geometry(rng)
    g = values(rng, _outputs(shape, filters, how), dtype)
    return (values(rng, shape, dtype), g), (filters, *how)


def _pooled(rng: np.random.Generator) -> tuple:
    """The shape of an input, and windows over it."""
    space = pick(rng, [1, 2, 2, 3])
    sides = [int(rng.integers(1, 4 if space < 3 else 3)) for _ in range(space)]
    strides = [int(rng.integers(1, 4)) for _ in range(space)]
    explicit = tuple((int(rng.integers(0, w)), int(rng.integers(0, w))) for w in (1, *sides, 1))
    padding = pick(rng, ["SAME", "VALID", explicit])
    shape = (int(rng.integers(1, 3)), *[w + int(rng.integers(0, 3)) for w in sides], 2)
    return shape, ((1, *sides, 1), (1, *strides, 1), (1,) * len(shape), padding)


def _apart(rng: np.random.Generator, shape: tuple, dtype: str) -> np.ndarray:
    """Numbers no two of which are near each other, so that central differences do not move a maximum."""
    return rng.permutation(int(np.prod(shape))).reshape(shape).astype(values(rng, (), dtype).dtype)


def _max_pool(rng: np.random.Generator, dtype: str) -> tuple:
    shape, how = _pooled(rng)
    return (_apart(rng, shape, dtype),), how


def _dilated(rng: np.random.Generator, dtype: str) -> tuple:
    shape = (1, 5, 6, 1)
    return (_apart(rng, shape, dtype),), ((1, 2, 3, 1), (1, 1, 1, 1), (1, 2, 1, 1), pick(rng, ["SAME", "VALID"]))


def _either(rng: np.random.Generator, dtype: str) -> tuple:
    return pick(rng, [_max_pool, _max_pool, _dilated])(rng, dtype)


def _max_pool_grad(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), how = _either(rng, dtype)
    y = OPS["max_pool"].kernel(x, *how)
    return (values(rng, y.shape, dtype), x, y), how


def _max_pool_pick(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), how = _either(rng, dtype)
    return (values(rng, x.shape, dtype), x, OPS["max_pool"].kernel(x, *how)), how


def _avg_pool_grad(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), how = _either(rng, dtype)
    shape = OPS["avg_pool"].infer(x, *how).shape
    return (values(rng, shape, dtype),), (x.shape, *how)


def _with_argmax(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), (windows, strides, _, padding) = _max_pool(rng, dtype)
    places: Any = np.dtype(pick(rng, ["int32", "int64"]))
    return (x,), (windows, strides, padding, places, bool(rng.integers(2)))


def _dilation_places(rng: np.random.Generator, dtype: str) -> tuple:
    (x,), (windows, strides, dilations, _) = _max_pool(rng, dtype)
    x, sides = x.reshape(len(x), -1, 1, 2), (windows[1], 1)
    how = ((strides[1], 1), pick(rng, ["SAME", "VALID"]), (dilations[1], 1))
    return (x, values(rng, (*sides, 2), dtype)), how


EXAMPLES.update(
    {
        "convolution": Example(_convolution, (*FLOAT, "int32")),
        "convolution_with_bias": Example(_with_bias, FLOAT),
        "convolution_input_gradient": Example(_input_gradient, FLOAT),
        "convolution_filter_gradient": Example(_filter_gradient, FLOAT),
        "max_pool": Example(_either, REAL),
        "max_pool_grad": Example(_max_pool_grad, FLOAT),
        "max_pool_pick": Example(_max_pool_pick, FLOAT),
        "avg_pool": Example(_either, FLOAT),
        "avg_pool_grad": Example(_avg_pool_grad, FLOAT),
        "dilation2d_places": Example(_dilation_places, REAL, order=0),
        "max_pool_with_argmax": Example(_with_argmax, REAL),
    }
)
