"""sort, argsort, top_k, in_top_k, searchsorted, unique."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapeflow as tf
from tapeflow.ops.sorting import argsort, in_top_k, searchsorted, sort, top_k, unique, unique_with_counts
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
small = hnp.arrays(np.int32, st.integers(1, 8), elements=st.integers(-3, 3))


@given(small)
def test_sort_and_argsort_agree_with_numpy_and_are_stable(x):
    np.testing.assert_array_equal(sort(x).numpy(), np.sort(x))
    np.testing.assert_array_equal(sort(x, direction="DESCENDING").numpy(), np.sort(x)[::-1])
    np.testing.assert_array_equal(argsort(x).numpy(), np.argsort(x, kind="stable"))
    np.testing.assert_array_equal(argsort(x, direction="DESCENDING").numpy(), np.argsort(-x, kind="stable"))


def test_sort_along_any_axis_of_any_real_dtype():
    x = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, -1.0]])
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(sort(x, axis).numpy(), np.sort(x, axis))
        check_gradients(lambda x, axis=axis: sort(x, axis, "DESCENDING"), x)
    assert sort(tf.constant([-128, 127, 0], tf.int8), direction="DESCENDING").numpy().tolist() == [127, 0, -128]
    assert sort(tf.constant([3, 255, 1], tf.uint8)).numpy().tolist() == [1, 3, 255]
    np.testing.assert_array_equal(sort([3.0, np.nan, 1.0]).numpy(), [1.0, 3.0, np.nan])
    assert argsort(x).dtype == tf.int32


def test_sort_refuses():
    for x, options, error, text in (
        ([3, 1], {"direction": "x"}, ValueError, "direction=x"),
        ([3, 1], {"axis": 1}, INVALID, "axis 1 is out of range"),
        ([3, 1], {"axis": None}, ValueError, "None"),
        (3, {}, INVALID, "out of range"),
        (["b", "a"], {}, INVALID, "string"),
        ([True], {}, INVALID, "bool"),
        ([1j], {}, INVALID, "complex128"),
    ):
        with pytest.raises(error, match=text):
            sort(x, **options)


@given(small, st.data())
def test_top_k_gives_the_greatest_and_of_equal_ones_the_first(x, data):
    k = data.draw(st.integers(0, len(x)))
    values, indices = top_k(x, k)
    want = np.argsort(-x, kind="stable")[:k]
    np.testing.assert_array_equal(indices.numpy(), want)
    np.testing.assert_array_equal(values.numpy(), x[want])


def test_top_k_of_rows():
    got = top_k([[1.0, 3.0], [4.0, 2.0]], tf.constant(1), index_type=tf.int64)
    assert got.values.numpy().tolist() == [[3.0], [4.0]] and got.indices.numpy().tolist() == [[1], [0]]
    assert got.indices.dtype == tf.int64 and type(got).__name__ == "TopKV2"
    check_gradients(lambda x: top_k(x, 2).values, np.array([[1.0, 3.0, 2.0], [4.0, 2.0, 0.0]]))


def test_top_k_refuses():
    for arguments, text in (
        (([1, 3], 3), "Had 2, needed 3"),
        (([1, 3], -1), "Need k >= 0"),
        ((3,), ">= 1-D"),
        (([1, 3], 1.5), "attr 'Tk' of float"),
        (([1, 3], [1]), "k must be scalar"),
        ((["a"],), "string"),
        (([1], 1, True, tf.float32), "index_type"),
    ):
        with pytest.raises(INVALID, match=text):
            top_k(*arguments)


def test_in_top_k():
    nan, inf = np.nan, np.inf
    scores = [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [nan, 1.0, 1.0], [1.0, inf, 2.0], [1.0, 1.0, 2.0]]
    assert in_top_k([0, 2, 0, 1, 1, 3], scores, 1).numpy().tolist() == [False, True, True, False, False, False]
    assert in_top_k([0, 2, 0, 1, 0, -1], scores, 3).numpy().tolist() == [True, True, True, False, False, False]
    assert in_top_k([0], [[1.0, 0.0]], 0).numpy().tolist() == [False]
    for arguments, text in (
        (([0], [[1.0], [2.0]], 1), "must match length of targets 1"),
        (([0, 1], [1.0, 2.0], 1), "2-dimensional"),
        (([0], [[1.0]], [1]), "k must be 0-D"),
    ):
        with pytest.raises(INVALID, match=text):
            in_top_k(*arguments)


@given(st.lists(st.integers(-4, 4), max_size=6).map(sorted), small, st.sampled_from(["left", "right"]))
def test_searchsorted_is_numpys(sequence, values, side):
    sequence = np.array(sequence, np.int32)
    np.testing.assert_array_equal(searchsorted(sequence, values, side).numpy(), np.searchsorted(sequence, values, side))


def test_searchsorted_of_rows():
    got = searchsorted([[1, 3], [2, 4]], [[2, 9], [4, 0]], out_type=tf.int64)
    assert got.numpy().tolist() == [[1, 2], [1, 0]] and got.dtype == tf.int64
    assert searchsorted([1.0, 2.0], [np.nan]).numpy().tolist() == [0]
    for arguments, error, text in (
        (([1, 2], [2], "x"), ValueError, "'x'"),
        (([1, 2], [2.0]), INVALID, "input #1"),
        (([[1, 2]], [[2], [3]]), INVALID, "Leading dim_size"),
        ((3, [2]), INVALID, "1-dimensional"),
        (([1], [2], "left", tf.float32), INVALID, "out_type"),
        ((["a"], ["b"]), tf.errors.NotFoundError, "string"),
    ):
        with pytest.raises(error, match=text):
            searchsorted(*arguments)


@given(small)
def test_unique_keeps_the_order_of_appearance(x):
    y, idx, count = unique_with_counts(x)
    assert y.numpy().tolist() == list(dict.fromkeys(x.tolist()))
    np.testing.assert_array_equal(y.numpy()[idx.numpy()], x)
    assert count.numpy().tolist() == [x.tolist().count(v) for v in y.numpy()]


def test_unique_of_other_things():
    assert unique(["b", "a", "b"]).y.numpy().tolist() == [b"b", b"a"]
    assert unique([True, False, True], tf.int64).idx.dtype == tf.int64
    y, idx = unique([1.0, np.nan, np.nan, 0.0, -0.0])
    assert idx.numpy().tolist() == [0, 1, 2, 3, 3] and len(y) == 4
    for x in (3, [[1]]):
        with pytest.raises(INVALID, match="1D vector"):
            unique(x)
    with pytest.raises(INVALID, match="out_idx"):
        unique([1], tf.float32)
