"""Positions that are computed: larger arrays, rows that threads divide, positions out of range."""

import numpy as np
import pytest

import tapeflow as tf
from tests.engines.llvm.running import graph_of, native, same
from tests.ops.examples import load_ops

OPS = load_ops()
RNG = np.random.default_rng(0)


def numbers(*shape, dtype="float32"):
    return (RNG.standard_normal(shape) * 9).astype(dtype)


@pytest.mark.parametrize("width", [1, 3, 16, 37, 100])
@pytest.mark.parametrize("how", ["update", "add", "sub", "max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_rows_into_rows(how, width, dtype):
    at = RNG.integers(0, 23, (700, 1)).astype("int32")
    given = numbers(700, width, dtype=dtype)
    same(lambda x, i, g: OPS[f"tensor_scatter_{how}"].call(x, i, g), numbers(23, width, dtype=dtype), at, given)


def test_nan_wins():
    x, at = np.zeros(3, np.float32), np.array([[0], [1], [0]])
    same(lambda x, i, g: tf.tensor_scatter_nd_max(x, i, g), x, at, np.array([np.nan, np.nan, 1], np.float32))


def test_rows_that_threads_divide():
    at = RNG.integers(0, 1000, (3000,))
    g = numbers(3000, 64)
    same(lambda g, i: OPS["gather_grad"].call(g, i, (1000, 64), 0, 0), g, at)
    same(lambda g, i: tf.scatter_nd(i[:, None], g, (1000, 64)), g, at)


@pytest.mark.parametrize(
    "shape, of, axis, batch_dims",
    [((4, 7, 9), (4, 5), 1, 1), ((4, 7, 9), (4, 5), 2, 1), ((2, 3, 7, 5), (2, 3, 4), 2, 2), ((6, 33), (17,), 1, 0)],
)
def test_gather_in_batches_and_back(shape, of, axis, batch_dims):
    at = RNG.integers(0, shape[axis], of)
    x = numbers(*shape)
    same(lambda x, i: OPS["gather"].call(x, i, axis, batch_dims), x, at)
    g = numbers(*shape[:axis], *of[batch_dims:], *shape[axis + 1 :])
    same(lambda g, i: OPS["gather_grad"].call(g, i, shape, axis, batch_dims), g, at)


@pytest.mark.parametrize("batch_dims, depth", [(0, 1), (0, 3), (1, 1), (1, 2), (2, 1)])
def test_vectors_of_positions(batch_dims, depth):
    shape = (3, 4, 5, 18)
    at = np.stack([RNG.integers(0, n, (3, 4, 7)) for n in shape[batch_dims : batch_dims + depth]], -1)
    same(lambda x, i: tf.gather_nd(x, i, batch_dims), numbers(*shape), at)


def test_counts():
    at = RNG.integers(0, 40, (3, 500)).astype("int32")
    same(lambda i: OPS["bincount"].call([i], 33, True, False, np.dtype("int64")), at)
    same(lambda i: OPS["bincount"].call([i], 33, False, True, np.dtype("int32")), at)
    same(lambda i, w: OPS["bincount"].call([i, w], 33, True, False, np.dtype("float32")), at, numbers(3, 500))


@pytest.mark.parametrize("wrong", [-1, 5])
@pytest.mark.parametrize(
    "f",
    [
        lambda x, i: tf.gather_nd(x, i),
        lambda x, i: tf.scatter_nd(i, x[:2], (5, 3)),
        lambda x, i: tf.tensor_scatter_nd_add(x, i, x[:2]),
        lambda x, i: OPS["gather"].call(x, i, 0, 0),
    ],
)
def test_out_of_range_is_an_error_before_anything_is_written(f, wrong):
    held = tf.Variable(np.zeros((5, 3), np.float32))

    def g(x, i):
        held.assign(x)
        return f(x, i)

    arrays = numbers(5, 3), np.array([[0], [wrong]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="indices"):
        native(graph_of(g, arrays)).run(*arrays)


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_a_sorted_sequence(side):
    sequence = np.sort(RNG.integers(0, 30, (3, 40)).astype("float32"), -1)
    wanted = RNG.integers(-2, 33, (3, 50)).astype("float32")
    wanted[1, 3], wanted[2, 4], wanted[0, 0] = np.nan, np.inf, -np.inf
    same(lambda s, v: tf.searchsorted(s, v, side), sequence, wanted)
    same(
        lambda s, v: tf.searchsorted(s, v, side, tf.int64),
        sequence.astype("int32"),
        RNG.integers(0, 30, (3, 7), "int32"),
    )
