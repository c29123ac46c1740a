"""Tensors made from their shape: values, dtypes and errors as TensorFlow's."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.ops.creation import eye, fill, linspace, meshgrid, one_hot, ones, range_, sequence_mask, zeros
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError


def same(x, value, dtype):
    assert x.numpy().tolist() == value
    assert x.dtype == dtype


SHAPES = [[2, 3], (2, 3), tf.constant([2, 3]), tf.constant([2, 3], tf.int64), np.array([2, 3]), tf.TensorShape([2, 3])]


@pytest.mark.parametrize("shape", [*SHAPES, (2, tf.constant(3))])
def test_shapes_may_be_given_in_many_ways(shape):
    assert zeros(shape).shape == ones(shape).shape == fill(shape, 7).shape == (2, 3)


def test_filled():
    same(zeros([2]), [0.0, 0.0], tf.float32)
    same(zeros([], tf.int8), 0, tf.int8)
    same(zeros(2, tf.string), [b"", b""], tf.string)
    same(ones([2], tf.bool), [True, True], tf.bool)
    same(ones((), tf.float16), 1.0, tf.float16)
    same(fill([2], "a"), [b"a", b"a"], tf.string)
    same(fill(2, 3), [3, 3], tf.int32)
    check_gradients(lambda v: fill([2, 2], v), np.float64(1.5))


@pytest.mark.parametrize(
    ("shape", "error", "text"),
    [
        ([2, -1], INVALID, "Dimension -1 must be >= 0"),
        ([2.5], TypeError, "Cannot convert"),
        ("a", TypeError, "Cannot convert"),
        ([None, 2], ValueError, "None"),
        (tf.TensorShape([2, None]), ValueError, "partially known"),
        ([[2, 3]], INVALID, "must represent a vector"),
        (tf.constant([2.0]), INVALID, "index_type"),
    ],
)
def test_what_is_no_shape_is_refused(shape, error, text):
    with pytest.raises(error, match=text):
        zeros(shape)
    with pytest.raises(error, match=text):
        ones(shape)


def test_fill_takes_one_value():
    with pytest.raises(INVALID, match="value must represent a scalar"):
        fill([2], [1, 2])
    with pytest.raises(TypeError, match="string"):
        ones([2], tf.string)


@pytest.mark.parametrize(
    ("arguments", "value", "dtype"),
    [
        ((5,), [0, 1, 2, 3, 4], tf.int32),
        ((2, 5), [2, 3, 4], tf.int32),
        ((0, 10, 3), [0, 3, 6, 9], tf.int32),
        ((5, 0, -2), [5, 3, 1], tf.int32),
        ((3.0,), [0.0, 1.0, 2.0], tf.float32),
        ((1, 2.5), [1.0, 2.0], tf.float32),
        ((0, 3, 0.5), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5], tf.float32),
        ((tf.constant(3, tf.int64),), [0, 1, 2], tf.int64),
        ((tf.constant(3), 5.5), [3.0, 4.0, 5.0], tf.float32),
        ((np.float64(2),), [0.0, 1.0], tf.float64),
        ((0,), [], tf.int32),
        ((3, None, 1, tf.float16), [0.0, 1.0, 2.0], tf.float16),
    ],
)
def test_range(arguments, value, dtype):
    same(range_(*arguments), value, dtype)


def test_range_in_float32_is_a_product_not_a_running_sum():
    got = range_(0.0, 1.0, 0.1).numpy()
    np.testing.assert_array_equal(got, np.arange(10).astype(np.float32) * np.float32(0.1))
    assert got[7] == np.float32(0.699999988079071)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((0, 5, 0), INVALID, "delta != 0"),
        ((5, 0, 1), INVALID, "start <= limit when delta > 0: 5/0"),
        ((0, 5, -1), INVALID, "start >= limit when delta < 0"),
        (([1, 2],), INVALID, "limit must be a scalar"),
        ((3, None, 1, tf.uint8), INVALID, "attr 'Tidx' of uint8"),
        ((3.5, None, 1, tf.int32), TypeError, "3.5"),
        ((None,), ValueError, "None"),
        ((True,), AssertionError, "bool"),
    ],
)
def test_range_refuses(arguments, error, text):
    with pytest.raises(error, match=text):
        range_(*arguments)


def test_linspace():
    same(linspace(0.0, 1.0, 5), [0.0, 0.25, 0.5, 0.75, 1.0], tf.float32)
    same(linspace(0, 10, 1), [0.0], tf.float64)
    same(linspace(0.0, 1.0, 0), [], tf.float32)
    same(linspace([0.0, 1.0], [10.0, 11.0], 3), [[0.0, 1.0], [5.0, 6.0], [10.0, 11.0]], tf.float32)
    same(linspace([0.0, 1.0], [10.0, 11.0], 3, axis=-1), [[0.0, 5.0, 10.0], [1.0, 6.0, 11.0]], tf.float32)
    # float32's rounding of start + step * i
    assert linspace(-1.0, 1.0, 6).numpy()[3] == np.float32(0.20000004768371582)
    check_gradients(lambda a, b: linspace(a, b, 4), np.float64(1), np.array([2.0, 5.0]))
    with pytest.raises(INVALID, match="num must be >= 0"):
        linspace(0.0, 1.0, -1)
    with pytest.raises(TypeError, match="num"):
        linspace(0.0, 1.0, 3.5)
    with pytest.raises(TypeError):
        linspace(1, 5.0, 3)


def test_eye():
    same(eye(2, 3), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], tf.float32)
    same(eye(tf.constant(1), dtype=tf.bool, batch_shape=[2]), [[[True]], [[True]]], tf.bool)
    with pytest.raises(TypeError, match="positive integer"):
        eye(2.5)
    with pytest.raises(INVALID, match="Dimension -1"):
        eye(-1)


def test_one_hot():
    same(one_hot([1, -1, 5], 3), [[0.0, 1.0, 0.0], [0.0] * 3, [0.0] * 3], tf.float32)
    same(one_hot(1, 3, on_value=5, off_value=2), [2, 5, 2], tf.int32)
    same(one_hot([0, 2], 3, axis=0, dtype=tf.int32), [[1, 0], [0, 0], [0, 1]], tf.int32)
    same(one_hot([1], 2, on_value="a", off_value="b"), [[b"b", b"a"]], tf.string)
    same(one_hot([1], 2, on_value=True, off_value=False), [[False, True]], tf.bool)
    same(one_hot([1], 2, on_value=1, dtype=tf.float32), [[0.0, 1.0]], tf.float32)
    # 300 does not fit uint8: positions are compared as numbers
    assert one_hot(tf.constant([44], tf.uint8), 310).numpy().argmax() == 44
    assert one_hot([[1]], 3, axis=1).shape == (1, 3, 1)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (([0.0], 2), {}, INVALID, "attr 'TI' of float"),
        (([0], -1), {}, INVALID, "depth must be non-negative, got: -1"),
        (([0], [3]), {}, INVALID, "depth must be a scalar"),
        (([0], 2.5), {}, TypeError, "2.5"),
        (([[1]], 3), {"axis": 3}, INVALID, "Expected axis to be -1 or between"),
        (([1], 3), {"on_value": 1, "off_value": 0.5}, TypeError, "does not match dtype"),
        (([1], 3), {"on_value": 1.0, "dtype": tf.int32}, TypeError, "does not match dtype parameter"),
        (([1], 3), {"on_value": True}, TypeError, "bool"),
        (([1], 3), {"on_value": [1.0]}, INVALID, "on_value must be a scalar"),
    ],
)
def test_one_hot_refuses(arguments, options, error, text):
    with pytest.raises(error, match=text):
        one_hot(*arguments, **options)


def test_meshgrid():
    x, y = meshgrid([1, 2, 3], [4, 5])
    same(x, [[1, 2, 3], [1, 2, 3]], tf.int32)
    same(y, [[4, 4, 4], [5, 5, 5]], tf.int32)
    for got, want in zip(
        meshgrid([1, 2], [3], [4, 5], indexing="ij"), np.meshgrid([1, 2], [3], [4, 5], indexing="ij"), strict=True
    ):
        np.testing.assert_array_equal(got.numpy(), want)
    assert meshgrid() == []
    check_gradients(lambda x, y: meshgrid(x, y), np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]))
    with pytest.raises(ValueError, match="'zz'"):
        meshgrid([1], [2], indexing="zz")
    with pytest.raises(TypeError, match="'sparse'"):
        meshgrid([1], [2], sparse=True)
    with pytest.raises(INVALID, match="one dtype"):
        meshgrid([1], [2.0])


def test_sequence_mask():
    same(sequence_mask([1, 3, 0]), [[True, False, False], [True, True, True], [False] * 3], tf.bool)
    same(sequence_mask([1, 3], 2, tf.float32), [[1.0, 0.0], [1.0, 1.0]], tf.float32)
    same(sequence_mask(2, tf.constant(3)), [True, True, False], tf.bool)
    assert sequence_mask(tf.constant([], tf.int32)).shape == (0, 0)
    with pytest.raises(ValueError, match="must be scalar"):
        sequence_mask([1], maxlen=[2])
