"""Convolution against loops in float64 and numbers recorded from TensorFlow 2.21; formats, groups, dtypes, errors."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.ops import convolution_kernels
from tapeflow.ops.convolution import convolution_with_bias

INVALID = tf.errors.InvalidArgumentError
RNG = np.random.default_rng(3)

X = np.arange(24.0).reshape(1, 4, 6, 1) % 7
K = np.arange(12.0).reshape(3, 2, 1, 2) % 5 - 2


def normal(*shape):
    return RNG.standard_normal(shape)


def by_loops(x, k, strides, padding, dilations):
    """The definition, one output after the other; channels last."""
    *window, depth, m = k.shape
    groups = x.shape[-1] // depth
    before, outs = [], []
    for n, w, s, d in zip(x.shape[1:-1], window, strides, dilations, strict=True):
        reach = (w - 1) * d + 1
        out = -(-n // s) if padding == "SAME" else (n - reach) // s + 1
        before.append(max((out - 1) * s + reach - n, 0) // 2 if padding == "SAME" else 0)
        outs.append(out)
    y = np.zeros((len(x), *outs, m))
    for place in product(*map(range, outs)):
        for tap in product(*map(range, window)):
            at = [o * s + t * d - b for o, s, t, d, b in zip(place, strides, tap, dilations, before, strict=True)]
            if all(0 <= i < n for i, n in zip(at, x.shape[1:-1], strict=True)):
                for c in range(m):
                    group = c // (m // groups)
                    part = x[(slice(None), *at)][:, group * depth : (group + 1) * depth]
                    y[(slice(None), *place, c)] += part @ k[tap][:, c]
    return y


@st.composite
def geometries(draw):
    space = draw(st.integers(1, 3))
    small = st.integers(1, 3 if space < 3 else 2)
    window = [draw(small) for _ in range(space)]
    strides = [draw(st.integers(1, 3)) for _ in range(space)]
    dilations = [draw(st.integers(1, 2)) for _ in range(space)]
    sizes = [(w - 1) * d + 1 + draw(st.integers(0, 3)) for w, d in zip(window, dilations, strict=True)]
    depth, groups, each = draw(st.sampled_from([(1, 1, 2), (3, 1, 2), (1, 3, 1), (1, 2, 2), (2, 2, 1), (9, 1, 3)]))
    shape = (draw(st.integers(1, 2)), *sizes, depth * groups)
    return shape, (*window, depth, each * groups), strides, draw(st.sampled_from(["SAME", "VALID"])), dilations


@given(geometries())
def test_convolutions_are_those_of_the_definition(geometry):
    shape, filters, strides, padding, dilations = geometry
    x, k = normal(*shape), normal(*filters)
    run = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[len(strides)]
    y = run(x, k, strides, padding, dilations=dilations)
    np.testing.assert_allclose(y, by_loops(x, k, strides, padding, dilations), rtol=1e-9, atol=1e-9)


@given(geometries())
def test_channels_first_is_channels_last_transposed(geometry):
    shape, filters, strides, padding, dilations = geometry
    x, k = normal(*shape), normal(*filters)
    run, name = {1: (tf.nn.conv1d, "NCW"), 2: (tf.nn.conv2d, "NCHW"), 3: (tf.nn.conv3d, "NCDHW")}[len(strides)]
    y = run(np.moveaxis(x, -1, 1), k, strides, padding, name, dilations)
    want = run(x, k, strides, padding, dilations=dilations)
    np.testing.assert_allclose(np.moveaxis(y.numpy(), 1, -1), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("strides", "padding", "dilations", "want"),
    [
        (2, "SAME", 1, [5, -7, -6, -2, -10, -4, -7, -7, 12, -11, -4, -1]),
        (
            [2, 1],
            "SAME",
            1,
            [5, -7, 3, 13, -6, -2, -8, -3, -10, -4, 1, -7, -7, -7, -8, -16, 12, -11, -3, 1, -4, -1, -2, -7],
        ),
        (3, "SAME", None, [5, 12, -2, -5, -7, -7, -3, 1]),
        (
            [1, 2, 2, 1],
            [[0, 0], [1, 0], [0, 2], [0, 0]],
            1,
            [5, 12, -2, -4, -2, -6, 0, 0, -14, -13, 3, 13, -8, -3, 0, 0],
        ),
    ],
)
def test_padding_and_strides_as_recorded(strides, padding, dilations, want):
    y = tf.nn.conv2d(X, K, strides, padding, dilations=dilations)
    np.testing.assert_array_equal(np.ravel(y), want)


def test_dilations_as_recorded():
    y = tf.nn.conv2d(X, K, 1, "SAME", dilations=[2, 3])
    want = [-2, 0, 0, -7, 7, 10, -13, 14, 0, 0, 4, 7, 0, 9, 8, -7, -4, -4, -6, -4, 9, 8, -4, -4]
    np.testing.assert_array_equal(np.ravel(y[..., 0]), want)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_summed_in_float32(dtype):
    x, k = tf.ones((1, 70, 70, 1), dtype), tf.ones((70, 70, 1, 1), dtype)
    y = tf.nn.conv2d(x, k, 1, "VALID")
    assert y.dtype == dtype
    assert float(y[0, 0, 0, 0]) == float(tf.cast(4900.0, dtype))


def test_integers():
    y = tf.nn.conv2d(tf.ones((1, 3, 3, 1), "int32"), tf.fill((2, 2, 1, 1), 3), 1, "VALID")
    assert y.dtype == "int32"
    np.testing.assert_array_equal(y[0, ..., 0], [[12, 12], [12, 12]])


def test_more_dimensions_of_batches():
    x, k = normal(2, 3, 5, 5, 2), normal(3, 3, 2, 4)
    y = tf.nn.conv2d(x, k, 1, "SAME")
    assert y.shape == (2, 3, 5, 5, 4)
    np.testing.assert_allclose(y[1], tf.nn.conv2d(x[1], k, 1, "SAME"))
    assert tf.nn.conv1d(x[0], k[0], 1, "SAME").shape == (3, 5, 5, 4)


@pytest.mark.parametrize(
    ("shape", "filters", "want"),
    [
        ((0, 5, 5, 2), (3, 3, 2, 4), (0, 5, 5, 4)),
        ((1, 0, 5, 2), (3, 3, 2, 4), (1, 0, 5, 4)),
        ((1, 5, 5, 2), (3, 3, 2, 0), (1, 5, 5, 0)),
    ],
)
def test_nothing_to_convolve(shape, filters, want):
    x, k = tf.zeros(shape), tf.zeros(filters)
    with tf.GradientTape() as tape:
        tape.watch([x, k])
        y = tf.nn.conv2d(x, k, 1, "SAME")
    assert y.shape == want
    dx, dk = tape.gradient(y, [x, k])
    assert dx.shape == shape and dk.shape == filters and not np.any(dk)


def test_large_inputs_are_convolved_in_parts(monkeypatch):
    x, k = normal(5, 6, 6, 9), normal(3, 3, 9, 2)
    with tf.GradientTape() as tape:
        kernel = tf.constant(k)
        tape.watch(kernel)
        whole = tf.nn.conv2d(x, kernel, 1, "SAME")
    dk = tape.gradient(whole, kernel)
    monkeypatch.setattr(convolution_kernels, "_LIMIT", 6 * 6 * 9 * 9 * 2)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        parts = tf.nn.conv2d(x, kernel, 1, "SAME")
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tape.gradient(parts, kernel), dk, rtol=1e-12, atol=1e-12)


def test_the_bias_goes_with_the_channels():
    x, k, b = normal(2, 4, 4, 2), normal(3, 3, 2, 3), normal(3)
    tensors = [tf.constant(v) for v in (x, k, b)]
    y = convolution_with_bias(*tensors, (1, 1), "VALID", (1, 1), False)
    np.testing.assert_allclose(y, tf.nn.conv2d(x, k, 1, "VALID") + b)
    tensors[0] = tf.constant(np.moveaxis(x, -1, 1))
    first = convolution_with_bias(*tensors, (1, 1), "VALID", (1, 1), True)
    np.testing.assert_allclose(np.moveaxis(first.numpy(), 1, -1), y)


def test_convolution_goes_by_the_filter():
    x, k = normal(2, 5, 4, 3), normal(3, 2, 3, 2)
    np.testing.assert_array_equal(tf.nn.convolution(x, k), tf.nn.conv2d(x, k, 1, "VALID"))
    np.testing.assert_array_equal(tf.nn.convolution(x[0], k[0], [2], "SAME"), tf.nn.conv1d(x[0], k[0], 2, "SAME"))
    np.testing.assert_array_equal(
        tf.nn.convolution(x[None], k[None], dilations=[1, 2, 1]),
        tf.nn.conv3d(x[None], k[None], 1, "VALID", dilations=[1, 2, 1]),
    )


def test_sizes_that_a_trace_does_not_know():
    k = tf.constant(normal(3, 3, 2, 4))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 2], tf.float64)])
    def f(x):
        with tf.GradientTape() as tape:
            tape.watch([x, k])
            y = tf.nn.conv2d(x, k, 2, "SAME")
            loss = tf.reduce_sum(y * y)
        return y, *tape.gradient(loss, [x, k])

    for shape in ((2, 7, 6, 2), (1, 4, 4, 2)):
        x = tf.constant(normal(*shape))
        for traced, eager in zip(f(x), f.python_function(x), strict=True):
            np.testing.assert_allclose(traced, eager, rtol=1e-12, atol=1e-12)


def test_a_jacobian_is_one_pass():
    x, k = tf.constant(normal(1, 3, 3, 2)), tf.constant(normal(2, 2, 2, 2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, k])
        y = tf.nn.conv2d(x, k, 1, "VALID")
    for source in (x, k):
        rows = tape.jacobian(y, source, experimental_use_pfor=False)
        np.testing.assert_allclose(tape.jacobian(y, source), rows, rtol=1e-12, atol=1e-12)


# -- transposed --------------------------------------------------------------------------------------------------------

SMALL = np.arange(1.0, 5).reshape(1, 2, 2, 1)
NINE = np.arange(9.0).reshape(3, 3, 1, 1) % 5 - 2


@pytest.mark.parametrize(
    ("size", "padding", "want"),
    [
        (4, "SAME", [-2, -1, -4, -2, 1, 2, 0, 4, -7, -3, -9, -4, 3, 6, -2, 8]),
        (3, "SAME", [2, 0, 4, -3, -9, -4, 6, -2, 8]),
        (5, "VALID", [-2, -1, -4, -2, 0, 1, 2, 0, 4, -4, -7, -3, -9, -4, 2, 3, 6, -2, 8, -8, -3, 0, -1, 0, 4]),
    ],
)
def test_transposed_convolution_as_recorded(size, padding, want):
    y = tf.nn.conv2d_transpose(SMALL, NINE, [1, size, size, 1], 2, padding)
    np.testing.assert_array_equal(np.ravel(y), want)
    np.testing.assert_array_equal(tf.nn.conv2d_transpose(SMALL, NINE, [size, size], 2, padding), y)
    np.testing.assert_array_equal(tf.nn.conv_transpose(SMALL, NINE, tf.constant([1, size, size, 1]), 2, padding), y)


@given(geometries())
def test_the_transpose_is_the_adjoint(geometry):
    """<conv(x), g> = <x, conv_transpose(g)>."""
    shape, filters, strides, padding, dilations = geometry
    if filters[-2] != shape[-1]:
        return
    x, k = normal(*shape), normal(*filters)
    run = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[len(strides)]
    y = run(x, k, strides, padding, dilations=dilations)
    g = normal(*y.shape)
    back = tf.nn.conv_transpose(g, k, shape, strides, padding, dilations=dilations)
    np.testing.assert_allclose(np.vdot(y, g), np.vdot(x, back), rtol=1e-9, atol=1e-9)


def test_transposed_in_one_and_three_dimensions():
    y = tf.nn.conv2d_transpose(SMALL, NINE, [1, 5, 5, 1], 2, "VALID")
    deep = tf.nn.conv3d_transpose(SMALL[:, None], NINE[None], [1, 1, 5, 5, 1], [1, 2, 2], "VALID")
    np.testing.assert_array_equal(deep[:, 0], y)
    flat = tf.nn.conv1d_transpose(SMALL[0], NINE[0], [2, 5, 1], 2, "VALID")
    np.testing.assert_array_equal(
        flat, tf.nn.conv2d_transpose(SMALL[0][None], NINE[:1], [1, 2, 5, 1], [1, 2], "VALID")[0]
    )


def test_atrous_convolution_and_its_transpose():
    x, k = normal(1, 6, 7, 2), normal(3, 3, 2, 4)
    y = tf.nn.atrous_conv2d(x, k, 2, "SAME")
    np.testing.assert_allclose(y, by_loops(x, k, [1, 1], "SAME", [2, 2]), rtol=1e-9, atol=1e-9)
    g = normal(*y.shape)
    back = tf.nn.atrous_conv2d_transpose(g, k, x.shape, 2, "SAME")
    np.testing.assert_allclose(np.vdot(y, g), np.vdot(x, back))


def test_an_output_shape_that_a_trace_does_not_know():
    k = tf.constant(NINE)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1], tf.float64)])
    def f(x):
        n = tf.shape(x)
        return tf.nn.conv2d_transpose(x, k, [n[0], 2 * n[1], 2 * n[2], 1], 2)

    np.testing.assert_array_equal(f(tf.constant(SMALL)), tf.nn.conv2d_transpose(SMALL, NINE, [4, 4], 2))


# -- depthwise ---------------------------------------------------------------------------------------------------------


def test_depthwise_convolution_as_recorded():
    x, k = np.arange(16.0).reshape(1, 4, 2, 2) % 5, np.arange(8.0).reshape(2, 1, 2, 2) - 3
    want = [
        4,
        8,
        -1,
        0,
        -5,
        -2,
        3,
        8,
        -9,
        -2,
        12,
        16,
        -3,
        -2,
        1,
        4,
        -7,
        -2,
        5,
        12,
        4,
        8,
        -1,
        0,
        -6,
        -4,
        -3,
        0,
        -12,
        -8,
        0,
        0,
    ]
    y = tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "SAME")
    np.testing.assert_array_equal(np.ravel(y), want)
    first = tf.nn.depthwise_conv2d(x.transpose(0, 3, 1, 2), k, [1, 1, 1, 1], "SAME", "NCHW")
    np.testing.assert_array_equal(np.moveaxis(first.numpy(), 1, -1), y)


def test_the_gradients_of_depthwise_convolution_by_name():
    x, k = tf.constant(normal(1, 4, 4, 2)), tf.constant(normal(3, 3, 2, 2))
    how = ([1, 2, 2, 1], "SAME")
    with tf.GradientTape() as tape:
        tape.watch([x, k])
        y = tf.nn.depthwise_conv2d(x, k, *how)
    g = normal(*y.shape)
    dx, dk = tape.gradient(y, [x, k], output_gradients=tf.constant(g))
    np.testing.assert_allclose(tf.nn.depthwise_conv2d_backprop_input(x.shape, k, g, *how), dx)
    np.testing.assert_allclose(tf.nn.depthwise_conv2d_backprop_filter(x, k.shape, g, *how), dk)


def test_separable_convolution_is_two():
    x, k, p = normal(1, 5, 5, 2), normal(3, 3, 2, 2), normal(1, 1, 4, 3)
    y = tf.nn.separable_conv2d(x, k, p, [1, 1, 1, 1], "SAME", dilations=[2, 2])
    want = tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], "SAME", dilations=[2, 2]).numpy() @ p[0, 0]
    np.testing.assert_allclose(y, want, rtol=1e-9)


# -- errors ------------------------------------------------------------------------------------------------------------

ONE = np.ones((1, 5, 5, 2), np.float32)
INTS = tf.ones((1, 1, 1, 1, 1), "int32")
UNITS = [1, 1, 1, 1]
NINE_BY_TWO = np.ones((3, 3, 2, 4), np.float32)


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (INVALID, "padding", (ONE, NINE_BY_TWO, 1, "FOO")),
        (INVALID, "'SAME'\\?", (ONE, NINE_BY_TWO, 1, "same")),
        (INVALID, "data_format", (ONE, NINE_BY_TWO, 1, "SAME", "HWNC")),
        (INVALID, "input must be 4-dimensional", (ONE[0], NINE_BY_TWO, 1, "SAME")),
        (INVALID, "filter must be 4-dimensional", (ONE, NINE_BY_TWO[0], 1, "SAME")),
        (INVALID, "2 vs 3", (ONE, np.ones((3, 3, 3, 4), np.float32), 1, "SAME")),
        (INVALID, "number of groups: 3 vs 2", (ONE, np.ones((3, 3, 1, 3), np.float32), 1, "SAME")),
        (INVALID, "strictly positive", (ONE[..., :0], NINE_BY_TWO[:, :, :0], 1, "SAME")),
        (INVALID, "negative: -1", (ONE, np.ones((7, 7, 2, 4), np.float32), 1, "VALID")),
        (INVALID, "strides should be larger", (ONE, NINE_BY_TWO, 0, "SAME")),
        (INVALID, "rates should be larger", (ONE, NINE_BY_TWO, 1, "SAME", "NHWC", 0)),
        (INVALID, "int64", (tf.constant(ONE.astype(int)), tf.constant(NINE_BY_TWO.astype(int)), 1, "SAME")),
        (INVALID, "double", (tf.constant(ONE), tf.constant(NINE_BY_TWO.astype(float)), 1, "SAME")),
        (INVALID, "nonnegative", (ONE, NINE_BY_TWO, 1, [[0, 0], [-1, 1], [1, 1], [0, 0]])),
        (INVALID, "batch or depth", (ONE, NINE_BY_TWO, 1, [[1, 0], [1, 1], [1, 1], [0, 0]])),
        (ValueError, "size 4", (ONE, NINE_BY_TWO, 1, [[1, 1], [1, 1]])),
        (ValueError, "size 2", (ONE, NINE_BY_TWO, 1, [1, 1])),
        (ValueError, "length 1 or 2 or 4", (ONE, NINE_BY_TWO, [1, 2, 1], "SAME")),
        (TypeError, "strides must be integers", (ONE, NINE_BY_TWO, 1.5, "SAME")),
        (TypeError, "padding", (ONE, NINE_BY_TWO, 1, None)),
        (tf.errors.UnimplementedError, "batch and depth", (ONE, NINE_BY_TWO, [2, 1, 1, 1], "SAME")),
        (tf.errors.UnimplementedError, "batch and depth", (ONE, NINE_BY_TWO, 1, "SAME", "NHWC", [1, 1, 1, 2])),
    ],
)
def test_what_conv2d_refuses(error, match, arguments):
    with pytest.raises(error, match=match):
        tf.nn.conv2d(*arguments)


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ValueError, "dilation_rate", lambda: tf.nn.convolution(ONE, NINE_BY_TWO, 2, dilations=2)),
        (ValueError, "rank 3, 4 or 5", lambda: tf.nn.convolution(ONE, NINE_BY_TWO[0, 0])),
        (ValueError, "rate", lambda: tf.nn.atrous_conv2d(ONE, NINE_BY_TWO, 0, "SAME")),
        (INVALID, "not in the list of allowed values", lambda: tf.nn.conv3d(INTS, INTS, 1, "SAME")),
        (INVALID, "doesn't match computed", lambda: tf.nn.conv2d_transpose(SMALL, NINE, [1, 8, 9, 1], 2)),
        (INVALID, "doesn't match computed", lambda: tf.nn.conv2d_transpose(SMALL, NINE, [2, 4, 4, 1], 2)),
        (INVALID, "evenly divisible", lambda: tf.nn.conv2d_transpose(SMALL, np.ones((3, 3, 2, 1)), [1, 4, 4, 3], 2)),
        (INVALID, ">= 0", lambda: tf.nn.conv2d_transpose(SMALL, NINE, [-1, 4, 4, 1], 2)),
        (INVALID, "input must be 4", lambda: tf.nn.conv2d_transpose(SMALL[0], NINE, [1, 4, 4, 1], 2)),
        (ValueError, "length 2 or 4", lambda: tf.nn.conv2d_transpose(SMALL, NINE, [4, 4, 1], 2)),
        (ValueError, "length 3, 4 or 5", lambda: tf.nn.conv_transpose(SMALL, NINE, [4, 4], 2)),
        (ValueError, "padding", lambda: tf.nn.atrous_conv2d_transpose(SMALL, NINE, [1, 2, 2, 1], 2, "x")),
        (ValueError, "rate", lambda: tf.nn.atrous_conv2d_transpose(SMALL, NINE, [1, 2, 2, 1], 0, "SAME")),
        (ValueError, "channels", lambda: tf.nn.atrous_conv2d_transpose(SMALL, NINE, [1, 2, 2, 3], 2, "SAME")),
        (INVALID, "same depth: 2 vs 3", lambda: tf.nn.depthwise_conv2d(ONE, np.ones((3, 3, 3, 1)), UNITS, "SAME")),
        (INVALID, "input must be 4", lambda: tf.nn.depthwise_conv2d(ONE[0], NINE_BY_TWO, UNITS, "SAME")),
        (INVALID, "filter must be 4", lambda: tf.nn.depthwise_conv2d(ONE, NINE_BY_TWO[0], UNITS, "SAME")),
        (ValueError, "pointwise", lambda: tf.nn.separable_conv2d(ONE, NINE_BY_TWO, NINE_BY_TWO, UNITS, "SAME")),
    ],
)  # fmt: skip
def test_what_the_others_refuse(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_a_refusal_in_a_trace():
    @tf.function
    def f(x):
        return tf.nn.conv2d(x, tf.ones((3, 3, 3, 4)), 1, "SAME")

    with pytest.raises(ValueError, match="2 vs 3"):
        f(tf.ones((1, 5, 5, 2)))
