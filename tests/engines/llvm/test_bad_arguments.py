"""What compiled code is given: arrays that lie in any way give right results, others errors, and never a crash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tests.engines.llvm.running import graph_of, native

X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture(scope="module")
def run():
    def f(x, n, k):
        return x * 2.0 + tf.cast(n, tf.float32), tf.reduce_sum(x, 0), k + 1

    return native(graph_of(f, [X, np.int32(3), np.zeros(5, np.int64)])).run


def misaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    raw[1:] = np.ascontiguousarray(x).view(np.uint8).reshape(-1)
    return raw[1:].view(x.dtype).reshape(x.shape)


def frozen(x):
    x = x.copy()
    x.flags.writeable = False
    return x


WAYS = {
    "plain": lambda x: x,
    "fortran": lambda x: np.array(x, order="F"),
    "every other": lambda x: np.repeat(x, 2, 0)[::2] if x.ndim else x,
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1] if x.ndim else x,
    "misaligned": misaligned,
    "frozen": frozen,
    "swapped bytes": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "part of more": lambda x: np.pad(x, 2)[tuple([slice(2, -2)] * x.ndim)],
    "a class of its own": lambda x: x.view(np.matrix) if x.ndim == 2 else x,
    "masked": np.ma.asarray,
}  # fmt: skip


@given(st.tuples(*[st.sampled_from(sorted(WAYS))] * 3), st.integers(0, 99))
def test_however_arrays_lie(run, ways, seed):
    rng = np.random.default_rng(seed)
    x, n, k = rng.normal(size=(3, 4)).astype(np.float32), np.asarray(rng.integers(9, dtype=np.int32)), np.arange(5)
    arrays = [WAYS[way](a) for way, a in zip(ways, (x, n, k), strict=True)]
    before = [np.array(a) for a in arrays]
    for got, want in zip(run(*arrays), (x * 2 + n.astype(np.float32), x.sum(0), k + 1), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
        assert np.asarray(got).dtype == want.dtype
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)


def test_one_number_for_every_element(run):
    x, k = np.broadcast_to(np.float32(2), (3, 4)), np.broadcast_to(np.int64(7), 5)
    doubled, sums, more = run(x, np.int32(1), k)
    assert (doubled == 5).all() and sums.tolist() == [6.0] * 4 and more.tolist() == [8] * 5


DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool", "complex64", "O", "S3"]


@given(st.integers(0, 2), st.sampled_from(DTYPES), st.lists(st.integers(0, 5), max_size=4))
def test_other_dtypes_and_shapes_are_errors(run, place, dtype, shape):
    arrays = [X, np.int32(3), np.zeros(5, np.int64)]
    wanted = arrays[place]
    bad = np.zeros(shape, dtype)
    if bad.dtype == wanted.dtype and bad.shape == wanted.shape:
        return
    arrays[place] = bad
    with pytest.raises(
        (tf.errors.InvalidArgumentError, TypeError, ValueError),
        match="argument . has (dtype|shape)",
    ):
        run(*arrays)


@pytest.mark.parametrize("bad", [None, "a", 3.0, [[1.0]], {}, object(), X.tolist(), np.float32(1), np.dtype("float32")])
def test_what_is_no_array_is_an_error(run, bad):
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError, AttributeError)):
        run(bad, np.int32(3), np.zeros(5, np.int64))


def test_too_few_and_too_many(run):
    for arrays in ([], [X], [X] * 4):
        with pytest.raises(TypeError):
            run(*arrays)


# -- arrays that are also a variable's ---------------------------------------------------------------------------------


def test_an_argument_that_is_the_array_of_a_variable_that_is_written():
    v = tf.Variable(X)
    array = v._tensor._value
    executable = native(graph_of(lambda x: [v.assign_add(x * 2.0), x + 1.0][1:], [X]))
    (got,) = executable.run(array)
    np.testing.assert_array_equal(got, X + 1)
    np.testing.assert_array_equal(v, X * 3)
    np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize("way", [np.asfortranarray, lambda x: x[::-1], frozen, lambda x: np.repeat(x, 2, 1)[:, ::2]])
def test_variables_however_their_arrays_lie(way):
    v = tf.Variable(X)
    executable = native(graph_of(lambda x: [v.assign_add(x)][:0], [X]))
    v._set(way(X.copy()))
    want = v.numpy() + 2 * X
    executable.run(X)
    executable.run(X)
    np.testing.assert_array_equal(v, want)


def test_the_same_array_several_times():
    executable = native(graph_of(lambda x, y, z: [x + y * z, x], [X] * 3))
    got, again = executable.run(X, X, X)
    np.testing.assert_array_equal(got, X + X * X)
    assert again is X or not np.shares_memory(again, got)


def test_results_are_not_written_again():
    executable = native(graph_of(lambda x: [tf.exp(x), tf.exp(x), x * 1.0], [X]))
    first = executable.run(X)
    kept = [np.array(y) for y in first]
    executable.run(X + 1)
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    first[0][...] = 0
    np.testing.assert_array_equal(first[1], kept[1])


# -- positions out of range --------------------------------------------------------------------------------------------


def test_positions_out_of_range_are_errors_and_nothing_is_written():
    table = tf.Variable(np.arange(12.0).reshape(4, 3))
    count = tf.Variable(0.0)

    def f(at, labels):
        rows = tf.gather(table, at)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(rows, tf.float32))
        table.assign_add(tf.ones([4, 3], tf.float64))
        count.assign_add(1.0)
        return losses

    run = native(graph_of(f, [np.zeros(2, np.int32)] * 2)).run
    good = np.array([1, 2], np.int32)
    for at in ([0, 4], [-1, 0], [2**31 - 1, 0]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="indices.* is not in"):
            run(np.array(at, np.int32), good)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label"):
        run(good, np.array([0, 3], np.int32))
    np.testing.assert_array_equal(table, np.arange(12.0).reshape(4, 3))
    assert count.numpy() == 0
    (losses,) = run(good, good)
    np.testing.assert_allclose(losses, [1.407606, 0.407606], rtol=1e-5)
    assert count.numpy() == 1 and table.numpy()[0, 0] == 1


def test_rows_of_a_large_table_out_of_range():
    table = np.arange(200000, dtype=np.float32).reshape(2000, 100)
    run = native(graph_of(lambda t, at: tf.gather(t, at) * 2.0, [table, np.zeros(500, np.int64)])).run
    at = np.arange(500)
    np.testing.assert_array_equal(run(table, at)[0], table[:500] * 2)
    at[499] = 2000
    with pytest.raises(tf.errors.InvalidArgumentError, match="2000 is not in"):
        run(table, at)
