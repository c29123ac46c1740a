"""Pooling against its definition and numbers recorded from TensorFlow 2.21; ties, padding, places, errors."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tests.closeness import assert_same

INVALID = tf.errors.InvalidArgumentError
RNG = np.random.default_rng(4)
P = (np.arange(25.0) * 7 % 11).reshape(1, 5, 5, 1)
TIES = np.array([[1.0, 1, 2, 2], [1, 0, 2, 2], [0, 3, 0, 0], [3, 3, 0, 0]]).reshape(1, 4, 4, 1)
MAX = {1: tf.nn.max_pool1d, 2: tf.nn.max_pool2d, 3: tf.nn.max_pool3d}
AVG = {1: tf.nn.avg_pool1d, 2: tf.nn.avg_pool2d, 3: tf.nn.avg_pool3d}
NAMES = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def by_loops(x, sides, strides, padding, reduce):
    """The definition, one window after the other; channels last, padding left out."""
    outs, before = [], []
    for n, w, s in zip(x.shape[1:-1], sides, strides, strict=True):
        out = -(-n // s) if padding == "SAME" else (n - w) // s + 1
        before.append(max((out - 1) * s + w - n, 0) // 2 if padding == "SAME" else 0)
        outs.append(out)
    y = np.zeros((len(x), *outs, x.shape[-1]))
    for place in product(*map(range, outs)):
        starts = [o * s - b for o, s, b in zip(place, strides, before, strict=True)]
        part = tuple(slice(max(a, 0), a + w) for a, w in zip(starts, sides, strict=True))
        y[(slice(None), *place)] = reduce(x[(slice(None), *part)], axis=tuple(range(1, x.ndim - 1)))
    return y


@st.composite
def windows(draw):
    space = draw(st.integers(1, 3))
    sides = [draw(st.integers(1, 3)) for _ in range(space)]
    strides = [draw(st.integers(1, 3)) for _ in range(space)]
    shape = (draw(st.integers(1, 2)), *[w + draw(st.integers(0, 3)) for w in sides], 2)
    return shape, sides, strides, draw(st.sampled_from(["SAME", "VALID"]))


@given(windows())
def test_pooling_is_that_of_the_definition(geometry):
    shape, sides, strides, padding = geometry
    x, space = RNG.standard_normal(shape), len(sides)
    for functions, general, reduce in ((MAX, tf.nn.max_pool, np.max), (AVG, tf.nn.avg_pool, np.mean)):
        want = by_loops(x, sides, strides, padding, reduce)
        np.testing.assert_allclose(functions[space](x, sides, strides, padding), want, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(general(x, sides, strides, padding), want, rtol=1e-12, atol=1e-12)
        first = functions[space](np.moveaxis(x, -1, 1), sides, strides, padding, NAMES[space])
        np.testing.assert_allclose(np.moveaxis(first.numpy(), 1, -1), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("run", "window", "padding", "want"),
    [
        (tf.nn.max_pool2d, 3, "SAME", [9, 10, 10, 9, 9, 10, 8, 9, 7]),
        (tf.nn.max_pool2d, 2, "SAME", [9, 10, 8, 6, 9, 10, 8, 7, 3]),
        (tf.nn.max_pool2d, 3, [[0, 0], [2, 0], [0, 1], [0, 0]], [7, 10, 9, 10, 9, 10]),
        (tf.nn.avg_pool2d, 3, "SAME", np.array([162, 210, 225, 138, 164, 168, 180, 162, 144]) / 36),
    ],
)
def test_pooling_as_recorded(run, window, padding, want):
    np.testing.assert_allclose(np.ravel(run(P, window, 2, padding)), want, rtol=1e-12)


def gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return np.ravel(tape.gradient(y, x))


def test_the_gradient_goes_to_the_first_of_equal_elements():
    apart = gradient(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"), TIES)
    np.testing.assert_array_equal(apart, [1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
    over = gradient(lambda x: tf.nn.max_pool2d(x, 2, 1, "SAME"), TIES)
    np.testing.assert_array_equal(over, [1, 0, 2, 1, 0, 0, 1, 1, 0, 4, 1, 1, 1, 1, 1, 1])
    overlapping = gradient(lambda x: tf.nn.max_pool2d(x, 3, 1, "SAME"), P)
    want = [0, 0, 0, 6, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 5, 0, 0, 2, 0, 0, 1, 0]
    np.testing.assert_array_equal(overlapping, want)


def test_infinities_are_elements_and_padding_is_not():
    y = tf.nn.max_pool2d(np.full((1, 3, 3, 1), -np.inf), 2, 2, "SAME")
    np.testing.assert_array_equal(np.ravel(y), [-np.inf] * 4)
    least = np.iinfo(np.int32).min
    y = tf.nn.max_pool1d(tf.fill((1, 3, 1), least), 2, 2, "SAME")
    assert y.dtype == "int32" and np.ravel(y).tolist() == [least, least]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_summed_in_float32(dtype):
    x = tf.ones((1, 90, 90, 1), dtype)
    assert float(tf.nn.avg_pool2d(x, 90, 1, "VALID")[0, 0, 0, 0]) == 1
    assert tf.nn.max_pool2d(x, 3, 3, "SAME").dtype == dtype
    assert np.count_nonzero(gradient(lambda x: tf.nn.max_pool2d(x, 3, 3, "SAME"), x)) == 900


def test_channels_are_pooled_by_a_window_of_four_numbers():
    x = RNG.standard_normal((1, 2, 2, 4))
    y = tf.nn.max_pool2d(x, [1, 1, 1, 2], [1, 1, 1, 2], "VALID")
    np.testing.assert_array_equal(y, x.reshape(1, 2, 2, 2, 2).max(-1))


def test_empty_batches():
    assert tf.nn.max_pool2d(np.zeros((0, 4, 4, 1)), 2, 2, "VALID").shape == (0, 2, 2, 1)
    assert tf.nn.max_pool_with_argmax(np.zeros((0, 4, 4, 1)), 2, 2, "VALID")[1].shape == (0, 2, 2, 1)
    assert gradient(lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME"), np.zeros((0, 4, 4, 1))).size == 0


def test_places_of_maxima_as_recorded():
    x = np.concatenate([P, 10 - P])
    y, places = tf.nn.max_pool_with_argmax(x, 3, 2, "SAME")
    assert places.dtype == "int64"
    np.testing.assert_array_equal(np.ravel(places), [6, 3, 3, 6, 6, 14, 20, 17, 23, 0, 8, 8, 11, 11, 8, 16, 22, 19])
    whole = tf.nn.max_pool_with_argmax(x, 3, 2, "SAME", output_dtype=tf.int32, include_batch_in_index=True)[1]
    assert whole.dtype == "int32"
    np.testing.assert_array_equal(x.ravel()[whole.numpy()], y)
    first = gradient(lambda x: tf.nn.max_pool_with_argmax(x, 2, 1, "SAME")[0], TIES)
    np.testing.assert_array_equal(first, gradient(lambda x: tf.nn.max_pool2d(x, 2, 1, "SAME"), TIES))


def test_pool_with_dilations_as_recorded():
    y = tf.nn.pool(P, [2, 2], "MAX", dilations=[2, 1])
    np.testing.assert_array_equal(np.ravel(y), [7, 7, 10, 10, 9, 9, 9, 8, 8, 7, 7, 10])
    y = tf.nn.pool(P, [2, 1], "AVG", dilations=[2, 1])
    np.testing.assert_array_equal(np.ravel(y) * 2, [4, 7, 10, 13, 16, 8, 11, 14, 6, 9, 12, 4, 7, 10, 13])
    np.testing.assert_array_equal(tf.nn.pool(P[0], [2], "MAX", [2], "SAME"), tf.nn.max_pool1d(P[0], 2, 2, "SAME"))


def test_sizes_that_a_trace_does_not_know():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1], tf.float64)])
    def f(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nn.avg_pool2d(tf.nn.max_pool2d(x, 3, 2, "SAME"), 2, 1, "SAME")
        return y, tape.gradient(y, x)

    for shape in ((2, 5, 6, 1), (1, 8, 3, 1)):
        x = tf.constant(RNG.standard_normal(shape))
        for traced, eager in zip(f(x), f.python_function(x), strict=True):
            assert_same(traced, eager)


X = np.ones((1, 3, 3, 2), np.float32)


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (INVALID, "negative", lambda: tf.nn.max_pool2d(X, 9, 1, "VALID")),
        (INVALID, "ksize must be positive", lambda: tf.nn.max_pool2d(X, 0, 1, "VALID")),
        (INVALID, "Stride must be > 0", lambda: tf.nn.avg_pool2d(X, 1, 0, "VALID")),
        (INVALID, "must have 4 dimensions", lambda: tf.nn.max_pool2d(X[0], 2, 1, "VALID")),
        (INVALID, "smaller than the window", lambda: tf.nn.max_pool2d(X, 2, 1, [[0, 0], [2, 1], [0, 0], [0, 0]])),
        (INVALID, "padding", lambda: tf.nn.max_pool2d(X, 2, 1, "FOO")),
        (INVALID, "data_format", lambda: tf.nn.max_pool2d(X, 2, 1, "SAME", "HWC")),
        (INVALID, "int32", lambda: tf.nn.avg_pool2d(tf.ones((1, 3, 3, 1), "int32"), 2, 1, "SAME")),
        (INVALID, "bool", lambda: tf.nn.max_pool2d(tf.fill((1, 3, 3, 1), True), 2, 1, "SAME")),
        (INVALID, "Targmax", lambda: tf.nn.max_pool_with_argmax(X, 2, 2, "SAME", output_dtype=tf.float32)),
        (ValueError, "data_format", lambda: tf.nn.max_pool_with_argmax(X, 2, 2, "SAME", "NCHW")),
        (ValueError, "length 1 or 2 or 4", lambda: tf.nn.max_pool2d(X, [1, 2, 3], 1, "VALID")),
        (ValueError, "rank", lambda: tf.nn.max_pool(X[0, 0], 2, 1, "VALID")),
        (ValueError, "2-D FOO pooling", lambda: tf.nn.pool(X, [2, 2], "FOO")),
        (ValueError, "must have rank 3", lambda: tf.nn.pool(X, [2], "MAX")),
        (ValueError, "SAME", lambda: tf.nn.pool(X, [2, 2], "MAX", padding="SAME", dilations=[2, 2])),
        (ValueError, "strides", lambda: tf.nn.pool(X, [2, 2], "MAX", [2, 2], dilations=[2, 2])),
        (TypeError, "ksize must be integers", lambda: tf.nn.max_pool2d(X, 2.5, 1, "SAME")),
    ],
)
def test_what_pooling_refuses(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_windows_that_do_not_begin_with_the_input():
    """Padding before, none behind: as many windows as would tile the input, but they leave its end out."""
    x = np.arange(4.0).reshape(1, 4, 1)
    to_x = gradient(lambda x: tf.nn.max_pool1d(x, 2, 2, [[0, 0], [1, 0], [0, 0]]), x)
    np.testing.assert_array_equal(to_x, [1, 0, 1, 0])


def test_max_pool_with_argmax_names_its_results():
    found = tf.nn.max_pool_with_argmax(tf.reshape(tf.range(4.0), [1, 2, 2, 1]), 2, 2, "VALID")
    assert (found.output.numpy().item(), found.argmax.numpy().item()) == (3.0, 3)
