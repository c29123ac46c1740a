"""Distributions over Philox words: numbers recorded from TensorFlow 2.21, and properties."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapeflow.ops import sampling

KEY, COUNTER = 11, (3 << 64) + 2**64 - 1
STREAMS = {"key": st.integers(0, 2**64 - 1), "counter": st.integers(0, 2**128 - 1)}

# fmt: off
FLOATS = {
    ("uniform", np.float16): [0.48046875, 0.373046875, 0.361328125, 0.044921875, 0.6513671875],
    ("normal", np.float16): [-0.87158203125, -0.07818603515625, -1.0595703125, 0.306640625, 0.8544921875],
    ("truncated_normal", np.float16): [-0.87158203125, -0.07818603515625, -1.0595703125, 0.306640625, 0.5947265625],
    ("uniform", ml_dtypes.bfloat16): [0.84375, 0.984375, 0.890625, 0.359375, 0.2109375],
    ("normal", ml_dtypes.bfloat16): [-0.87109375, -0.078125, -1.0625, 0.306640625, 0.85546875],
    ("truncated_normal", ml_dtypes.bfloat16): [-0.87109375, -0.078125, -1.0625, 0.306640625, 0.59375],
    ("uniform", np.float32):
        [0.681821346282959, 0.7357633113861084, 0.5439894199371338, 0.7948052883148193, 0.6758607625961304],
    ("normal", np.float32):
        [-0.8717008829116821, -0.0781838446855545, -1.0600333213806152, 0.30656227469444275, 0.8543937802314758],
    ("truncated_normal", np.float32):
        [-0.8717008829116821, -0.0781838446855545, -1.0600333213806152, 0.30656227469444275, 0.594577431678772],
    ("uniform", np.float64):
        [0.45457087780491134, 0.3519156329237023, 0.40688635633868064, 0.20431308012838678, 0.08984807400847683],
    ("normal", np.float64):
        [1.00693201489729, -0.7502604740288491, 1.2861849202467128, 0.3796986456376598, -0.06152269749021991],
    ("truncated_normal", np.float64):
        [1.00693201489729, -0.7502604740288491, -1.344498738885498, 1.3429694932500686, 1.1331900231669143],
}
# fmt: on


@pytest.mark.parametrize(("name", "dtype"), FLOATS, ids=lambda value: getattr(value, "__name__", value))
def test_floats_are_tensorflows(name, dtype):
    values = getattr(sampling, name)((5,), KEY, COUNTER, dtype)
    assert values.dtype == np.dtype(dtype)
    expected = np.array(FLOATS[name, dtype])
    # The last bit of a float32 or float64 function is the C library's.
    tolerance = 0.0 if name == "uniform" or values.itemsize == 2 else 2 * float(ml_dtypes.finfo(dtype).eps)
    np.testing.assert_allclose(values.astype(np.float64), expected, rtol=tolerance, atol=0)


def test_integers_are_tensorflows():
    small = sampling.uniform_int((5,), KEY, COUNTER, -7, 100, np.int32)
    assert small.dtype == np.int32
    assert small.tolist() == [91, 19, 47, 28, 82]
    wide = sampling.uniform_int((5,), KEY, COUNTER, -(2**40), 2**50, np.int64)
    assert wide.dtype == np.int64
    assert wide.tolist() == [835072510346732, 957874759377266, 415192833229467, 586320957359325, 408562102792196]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.int32, [2018985452, 484322686, -1731878542]),
        (np.uint32, [2018985452, 484322686, 2563088754]),
        (np.int64, [2080150099099862508, 5288840245734121842, 4943435741756031643]),
        (np.uint64, [2080150099099862508, 5288840245734121842, 4943435741756031643]),
    ],
)
def test_full_range_integers_are_tensorflows(dtype, expected):
    values = sampling.uniform_full_int((3,), KEY, COUNTER, dtype)
    assert values.dtype == dtype
    assert values.tolist() == expected


def test_permutation_is_tensorflows():
    assert sampling.permutation(9, KEY, COUNTER).tolist() == [8, 7, 4, 3, 1, 6, 0, 5, 2]
    assert sampling.permutation(0, KEY, COUNTER).tolist() == []
    assert sampling.permutation(1, KEY, COUNTER).tolist() == [0]


def test_categorical_is_tensorflows():
    # The stream of tf.random.stateless_categorical with seed [1, 2]; NaN has no weight, and no weight at all gives 3.
    key, counter = 10413732777507651514, 17830669156045600267 << 64
    logits = np.array([[0.0, 1.0, 2.0], [np.nan, 0.0, 1.0], [-np.inf, -np.inf, -np.inf]], np.float32)
    samples = sampling.categorical(logits, 6, key, counter)
    assert samples.dtype == np.int64
    assert samples.tolist() == [[2, 2, 1, 2, 2, 2], [2, 1, 2, 2, 2, 2], [3, 3, 3, 3, 3, 3]]
    assert sampling.categorical(logits, 6, key, counter, np.int32).dtype == np.int32


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_results_begin_with_the_short_ones(name, dtype):
    draw = getattr(sampling, name)
    whole = draw((40000,), 5, 9, dtype)
    for count in (0, 1, 3, 257, 33000):
        np.testing.assert_array_equal(draw((count,), 5, 9, dtype), whole[:count])
    np.testing.assert_array_equal(draw((100, 20, 2), 5, 9, dtype).reshape(-1), whole[:4000])
    assert draw((), 5, 9, dtype) == whole[0]


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 70), dtype=st.sampled_from([np.float16, np.float32, np.float64]), **STREAMS)
def test_uniform_is_in_range(key, counter, count, dtype):
    values = sampling.uniform((count,), key, counter, dtype)
    assert values.shape == (count,)
    assert ((values >= 0) & (values < 1)).all()


@settings(max_examples=30, deadline=None)
@given(low=st.integers(-(2**63), 2**63 - 2), data=st.data(), **STREAMS)
def test_integers_are_in_range(key, counter, low, data):
    high = data.draw(st.integers(low + 1, 2**63 - 1))
    values = sampling.uniform_int((9,), key, counter, low, high, np.int64).tolist()
    assert all(low <= value < high for value in values)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(0, 300), **STREAMS)
def test_permutation_permutes(key, counter, size):
    assert sorted(sampling.permutation(size, key, counter).tolist()) == list(range(size))


def test_moments():
    values = sampling.normal((200000,), 1, 2)
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
    truncated = sampling.truncated_normal((200000,), 1, 2)
    assert np.abs(truncated).max() < 2
    assert abs(truncated.std() - 0.8796) < 0.01


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
def test_a_float_dtype_is_required(name):
    with pytest.raises(TypeError, match=f"{name}: dtype must be float16, bfloat16, float32 or float64, got int32"):
        getattr(sampling, name)((2,), 0, 0, np.int32)


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="uniform_int: dtype must be int32 or int64, got uint32"):
        sampling.uniform_int((2,), 0, 0, 0, 5, np.uint32)
    with pytest.raises(ValueError, match="minval=5 and maxval=5"):
        sampling.uniform_int((2,), 0, 0, 5, 5)
    assert sampling.uniform_int((0,), 0, 0, 5, 5).shape == (0,)
    with pytest.raises(TypeError, match="got float32"):
        sampling.uniform_full_int((2,), 0, 0, np.float32)
    with pytest.raises(ValueError, match=r"classes > 0\], got \[2, 0\]"):
        sampling.categorical(np.zeros((2, 0)), 1, 0, 0)
    with pytest.raises(ValueError, match="num_samples must not be negative, got -1"):
        sampling.categorical(np.zeros((2, 1)), -1, 0, 0)
    with pytest.raises(TypeError, match="got float64"):
        sampling.categorical(np.zeros((2, 1)), 1, 0, 0, np.float64)
