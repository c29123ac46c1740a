"""Activations: values and derivatives recorded from TensorFlow 2.21, at kinks, infinities and NaN too."""

import numpy as np
import pytest

import tapeflow as tf

INVALID = tf.errors.InvalidArgumentError
NAN, INF = np.nan, np.inf


def gradient(f, x, dtype=tf.float32):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy().tolist()


def close(got, want):
    assert list(got) == pytest.approx(want, rel=1e-5, abs=1e-7, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "x", "y", "slope"),
    [
        ("relu", [-1, 0, 2, NAN, INF], [0, 0, 2, NAN, INF], [0, 0, 1, 0, 1]),
        ("relu6", [-1, 0, 3, 6, 7, NAN], [0, 0, 3, 6, 6, NAN], [0, 0, 1, 0, 0, 0]),
        ("leaky_relu", [-1, 0, 2, NAN], [-0.2, 0, 2, NAN], [0.2, 0.2, 1, 0.2]),
        ("elu", [-1, 0, 1, NAN, -INF, 200], [-0.63212055, 0, 1, NAN, -1, 200], [0.36787945, 1, 1, 1, 0, 1]),
        ("selu", [-1, 0, 2], [-1.1113307, 0, 2.101402], [0.64676857, 1.050701, 1.050701]),
        ("gelu", [-1, 0, 2], [-0.15865526, 0, 1.9544997], [-0.08331549, 0.5, 1.0852318]),
        ("silu", [-1, 0, 2, -100, 100], [-0.26894143, 0, 1.7615942, 0, 100], [0.07232948, 0.5, 1.0907842, 0, 1]),
        ("softsign", [-1, 0, 2], [-0.5, 0, 0.6666667], [0.25, 1, 0.11111111]),
    ],
)
def test_values_and_slopes(name, x, y, slope):
    f = getattr(tf.nn, name)
    close(f(tf.constant(x, tf.float32)).numpy(), y)
    close(gradient(f, x), slope)
    assert f(tf.constant(1.0, tf.float64)).dtype == tf.float64
    assert f(tf.constant(1.0, tf.float16)).dtype == tf.float16
    assert f(tf.constant([1.0], tf.bfloat16)).dtype == tf.bfloat16


def test_infinities_as_tensorflow_has_them():
    close(tf.nn.gelu([-INF, INF, NAN]).numpy(), [NAN, INF, NAN])
    close(tf.nn.silu([-INF, INF]).numpy(), [NAN, INF])


def test_integers():
    assert tf.nn.relu([-1, 2]).numpy().tolist() == [0, 2]
    assert tf.nn.relu6([-1, 2, 7]).numpy().tolist() == [0, 2, 6]
    assert tf.nn.leaky_relu([-1, 2]).dtype == tf.float32
    assert tf.nn.crelu([-1, 2]).numpy().tolist() == [0, 2, 1, 0]


@pytest.mark.parametrize("alpha", [2.0, -0.3, 0.3, np.array(0.3), 1])
def test_slopes_of_the_leaky_relu(alpha):
    slope = float(np.float32(alpha))
    close(tf.nn.leaky_relu([-1.0, 2.0], alpha).numpy(), [-slope, 2])
    close(gradient(lambda x: tf.nn.leaky_relu(x, alpha), [-1.0, 2.0]), [slope, 1])


def test_alpha_is_rounded_to_float32():
    assert tf.nn.leaky_relu(tf.constant(-1.0, tf.float64)).numpy() == -float(np.float32(0.2))


def test_crelu():
    x = [[-1.0, 2.0], [3.0, -4.0]]
    assert tf.nn.crelu(x).numpy().tolist() == [[0, 2, 1, 0], [3, 0, 0, 4]]
    assert tf.nn.crelu(x, axis=0).numpy().tolist() == [[0, 2], [3, 0], [1, 0], [0, 4]]


def test_approximate_gelu():
    close(tf.nn.gelu([-1.0, 0.0, 2.0], approximate=True).numpy(), [-0.158808, 0, 1.9545977])
    close(gradient(lambda x: tf.nn.gelu(x, True), [0.0, -1.0, 1.0]), [0.5, -0.08296409, 1.0829641])


def test_beta_of_the_swish():
    close(tf.nn.silu([-1.0, 2.0], beta=2).numpy(), [-0.11920292, 1.9640275])
    close(tf.nn.swish([-1.0, 2.0], beta=tf.constant([2.0, 3.0])).numpy(), [-0.11920292, 1.9950547])
    x, beta = tf.constant([-1.0, 2.0]), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch([x, beta])
        y = tf.nn.silu(x, beta)
    of_x, of_beta = tape.gradient(y, [x, beta])
    close(of_x.numpy(), [-0.09078425, 1.0526646])
    assert of_beta.numpy() == pytest.approx(0.17564452)
    assert tf.nn.silu(tf.constant([1 + 1j])).numpy()[0] == pytest.approx(0.58009334 + 0.9839898j)


@pytest.mark.parametrize("axis", [None, -1, 0, 1, tf.constant(0)])
def test_softmax(axis):
    x = np.array([[1.0, 2.0, -1.0], [3.0, 0.0, 5.0]])
    over = 1 if axis is None else int(axis)
    e = np.exp(x)
    np.testing.assert_allclose(tf.nn.softmax(x, axis), e / e.sum(over, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(tf.nn.log_softmax(x, axis), x - np.log(e.sum(over, keepdims=True)), rtol=1e-12)


def test_softmax_of_large_and_no_values():
    close(tf.nn.softmax([1000.0, 0.0, -INF]).numpy(), [1, 0, 0])
    close(tf.nn.log_softmax([1000.0, 0.0]).numpy(), [0, -1000])
    close(tf.nn.softmax([-INF, -INF]).numpy(), [NAN, NAN])
    assert tf.nn.softmax([]).shape == [0]
    assert tf.nn.softmax(tf.ones([3, 0])).shape == [3, 0]
    assert tf.nn.log_softmax(tf.ones([0, 3])).shape == [0, 3]
    assert tf.nn.softmax(tf.constant([1, 2, 3], tf.float16)).numpy() == pytest.approx([0.09, 0.2448, 0.665], abs=5e-4)


def test_arguments_have_tensorflows_names():
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softsign", "crelu"):
        assert getattr(tf.nn, name)(features=[1.0]).dtype == tf.float32
    assert tf.nn.softmax(logits=[1.0], axis=0).numpy().tolist() == [1]


@pytest.mark.parametrize("name", ["elu", "selu", "silu", "softsign", "softmax", "log_softmax"])
def test_integers_are_refused(name):
    with pytest.raises(INVALID, match="int32"):
        getattr(tf.nn, name)([1, 2])


def test_errors():
    with pytest.raises(INVALID, match="complex128"):
        tf.nn.relu(tf.constant([1j]))
    with pytest.raises(INVALID, match="bool"):
        tf.nn.leaky_relu([True])
    with pytest.raises(ValueError, match="floating point"):
        tf.nn.gelu([1])
    for alpha in (tf.constant(0.3), "a"):
        with pytest.raises(TypeError, match="alpha"):
            tf.nn.leaky_relu([1.0], alpha)
    for axis in (2, -3):
        with pytest.raises(INVALID, match=r"range \[-2, 2\)"):
            tf.nn.softmax(tf.ones([2, 3]), axis)
    with pytest.raises(INVALID, match="scalar"):
        tf.nn.log_softmax(3.0)
    with pytest.raises(TypeError, match="one int"):
        tf.nn.softmax([1.0], axis=[0])
    with pytest.raises(INVALID, match="concatenating"):
        tf.nn.crelu(1.0)
