"""Running totals and elements in order, compiled: larger arrays, ties and NaN, to the bit."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import COMPOSED, assert_within
from tests.engines.llvm.running import on_both, same

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_running_totals(axis, exclusive, reverse):
    x = RNG.standard_normal((5, 9, 37)).astype(np.float32)
    same(lambda x: tf.cumsum(x, axis, exclusive, reverse), x)
    same(lambda x: tf.math.cumprod(x, axis, exclusive, reverse), x)
    same(lambda x: tf.cumsum(x, axis, exclusive, reverse), (x * 100).astype(np.int8))
    x[1, 2:4, 3:9] = -np.inf
    x[2, 1, 1] = np.nan
    x[3, 4, 5] = np.inf
    got, want = on_both(lambda x: tf.math.cumulative_logsumexp(x, axis, exclusive, reverse), [x], whole=True)
    assert_within(got[0], want[0], COMPOSED)


def rows(dtype):
    x = RNG.integers(0, 20, (40, 50)).astype(dtype)
    if x.dtype.kind == "f":
        x[RNG.random(x.shape) < 0.1] = np.nan
        x[RNG.random(x.shape) < 0.1] = -np.inf
        x[0], x[1] = np.nan, -np.inf
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
def test_the_greatest(dtype):
    for k in (1, 2, 5, 16):
        same(lambda x, k=k: list(tf.math.top_k(x, k, index_type=tf.int64)), rows(dtype))
    same(lambda x: list(tf.math.top_k(x, 3)), rows(dtype)[:, :3])


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
@pytest.mark.parametrize("axis", [0, 1])
def test_sorted(direction, axis):
    for dtype in ("float32", "int16"):
        same(lambda x: tf.sort(x, axis, direction), rows(dtype)[:16, :16])
        same(lambda x: tf.argsort(x, axis, direction), rows(dtype)[3:19, :16])
