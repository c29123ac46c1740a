"""Elements moved about by compiled code, divided ints, and what is counted: larger arrays, to the bit."""

import numpy as np
import pytest

import tapeflow as tf
from tests.engines.llvm.running import graph_of, native, same
from tests.ops.examples import load_ops

OPS = load_ops()
RNG = np.random.default_rng(0)


def numbers(*shape, dtype="float32"):
    return (RNG.standard_normal(shape) * 9).astype(dtype)


@pytest.mark.parametrize("mode", ["REFLECT", "SYMMETRIC"])
def test_mirrors(mode):
    paddings = ((3, 5), (0, 2), (16, 16))
    same(lambda x: tf.pad(x, paddings, mode), numbers(7, 4, 33))
    whole = RNG.integers(-9, 9, (15, 6, 65)).astype("float32")
    same(lambda g: OPS["mirror_pad_grad"].call(g, paddings, mode), whole)


def test_rolls():
    same(lambda x: tf.roll(x, [3, -50, 1], [0, 1, 0]), numbers(9, 33))
    same(lambda x: tf.roll(x, 0, 0), numbers(9))


@pytest.mark.parametrize("spec", [((1, None, 3), (None, None, -2)), ((-2, 0, -4), 5), (Ellipsis, (0, 31, 7))])
def test_slices_with_steps_put_back(spec):
    x = numbers(9, 33)
    part = x[tuple(slice(*p) if type(p) is tuple else p for p in spec)]
    same(lambda g: OPS["strided_slice_grad"].call(g, (9, 33), spec), np.ascontiguousarray(part))


@pytest.mark.parametrize("k", [0, 3, -2, (-2, 1), (1, 4), (-3, -1)])
@pytest.mark.parametrize("align", ["RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"])
def test_diagonals(k, align):
    x = numbers(3, 5, 17)
    diagonals = np.asarray(tf.linalg.diag_part(x, k=k, align=align))
    same(lambda x: tf.linalg.diag_part(x, k=k, align=align, padding_value=7), x)
    same(lambda d: tf.linalg.diag(d, k=k, align=align, num_rows=5, num_cols=17, padding_value=-1), diagonals)
    same(lambda x, d: tf.linalg.set_diag(x, d, k=k, align=align), x, diagonals)


def test_bands():
    for lower, upper in ((0, 0), (-1, 0), (2, -1), (1, 3)):
        same(lambda x, n=lower, m=upper: tf.linalg.band_part(x, n, m), numbers(2, 9, 18))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint64"])
@pytest.mark.parametrize("name", ["floordiv", "floormod", "truncatediv", "truncatemod"])
def test_divided_ints(name, dtype):
    limits = np.iinfo(dtype)
    x = RNG.integers(limits.min, limits.max, 133, dtype)
    y = RNG.integers(limits.min, limits.max, 133, dtype)
    y[::2] = RNG.integers(-9 * (limits.min < 0), 9, 67)
    y[y == 0] = 1
    x[:2] = limits.min
    if limits.min < 0:
        y[0] = -1
    with np.errstate(all="ignore"):
        same(lambda x, y: OPS[name].call(x, y), x, y)
        same(lambda x: OPS[name].call(x, tf.constant(7, dtype)), x)


def test_ints_divided_by_zero_are_an_error():
    arrays = np.arange(5, dtype="int32"), np.array([1, 2, 0, 3, 4], "int32")
    executable = native(graph_of(lambda x, y: x // y, arrays))
    assert not executable.reasons
    with pytest.raises(tf.errors.InvalidArgumentError, match="zero"):
        executable.run(*arrays)


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint16"])
def test_shifts(dtype):
    x = RNG.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 133, dtype)
    by = RNG.integers(-3 * (np.dtype(dtype).kind == "i"), 40, 133).astype(dtype)
    same(lambda x, y: tf.bitwise.left_shift(x, y), x, by)
    same(lambda x, y: tf.bitwise.right_shift(x, y), x, by)


def test_numbers_that_are_none_are_an_error():
    def f(x):
        return tf.debugging.check_numerics(x, "here") * 2

    same(f, numbers(40))
    bad = np.array([1, np.inf, 2], np.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="here"):
        native(graph_of(f, [bad])).run(bad)


def test_counts():
    x = numbers(7, 33) * (RNG.random((7, 33)) < 0.5)
    same(lambda x: tf.math.count_nonzero(x, 1), x)
    same(lambda x: tf.nn.zero_fraction(x), x)
    labels = np.array([0, 5, -1, 32, 33, 7, 2], np.int32)
    x[2, 3] = np.inf
    same(lambda y, x: tf.nn.in_top_k(y, x, 4), labels, x)


def test_a_constant_divisor_needs_no_check():
    def f(i):
        return tf.while_loop(lambda i: tf.reduce_sum(i) > 9, lambda i: (i // 2 + i % 1,), (i,))[0]

    same(f, np.arange(40, dtype="int32"))
