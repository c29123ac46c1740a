"""Eager work that is compiled once it pays: heavy ops and optimizers' updates give what NumPy gives."""

import numpy as np
import pytest

import tapeflow as tf
import tapeflow.keras.layers
import tapeflow.nn  # noqa: F401 - which installs what tests install themselves
from tapeflow.core import heavy
from tapeflow.core.blas import dot
from tapeflow.engines import eager
from tapeflow.keras.optimizers import update


@pytest.fixture
def at_once(monkeypatch):
    """Everything is worth compiling, from the first time on."""
    monkeypatch.setenv("TAPEFLOW_ENGINE", "llvm")
    monkeypatch.setattr(eager, "_PAYS", 0)
    monkeypatch.setattr(eager, "_runs", {})
    monkeypatch.setattr(update, "_PAYS", 0)
    monkeypatch.setattr(update, "_LARGE", 1)
    monkeypatch.setattr(eager, "_PRODUCTS", 0)
    monkeypatch.setattr(heavy, "compiled", None)
    monkeypatch.setattr(heavy, "product", None)


def drawn(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def network(x, k):
    y = tf.nn.conv2d(x, k, 1, "SAME")
    return tf.nn.avg_pool2d(tf.nn.max_pool2d(y, 2, 2, "VALID"), 3, 2, "SAME")


def values_and_gradients():
    x, k = tf.constant(drawn(8, 24, 24, 16)), tf.constant(drawn(3, 3, 16, 32) * 0.1)
    with tf.GradientTape() as tape:
        tape.watch([x, k])
        y = network(x, k)
        loss = tf.reduce_sum(y * y)
    return [y.numpy(), *[g.numpy() for g in tape.gradient(loss, [x, k])]]


def test_convolutions_and_pooling(at_once):
    expected = values_and_gradients()
    assert not eager._runs
    eager.install()
    found = values_and_gradients()
    compiled = {key[0] for key, run in eager._runs.items() if run is not None and type(run) is not int}
    assert compiled >= {"convolution", "convolution_input_gradient", "convolution_filter_gradient"}
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_and_their_gradients(at_once, ta, tb, dtype):
    a, b = (tf.constant(drawn(*s), dtype) for s in ((96, 80) if ta else (80, 96), (112, 96) if tb else (96, 112)))

    def all_of_them():
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            y = tf.matmul(a, b, ta, tb)
        return [y.numpy(), *[g.numpy() for g in tape.gradient(y, [a, b], output_gradients=y)]]

    expected = all_of_them()
    eager.install()
    found = all_of_them()
    compiled = {key for key, run in eager._runs.items() if run is not None and type(run) is not int}
    assert len(compiled) == 3
    for x, y in zip(found, expected, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-3)


def test_products_of_other_numbers_and_other_strides_are_numpys(at_once):
    eager.install()
    a, b = drawn(100, 160), drawn(80, 100)
    np.testing.assert_array_equal(dot(a[:, ::2].T, b.T), np.dot(a[:, ::2].T, b.T))
    np.testing.assert_array_equal(dot(a.T.astype(int), b.T.astype(int)), np.dot(a.T.astype(int), b.T.astype(int)))


def test_small_arrays_stay_with_numpy(at_once):
    eager.install()
    tf.nn.max_pool2d(tf.constant(drawn(1, 4, 4, 1)), 2, 2, "VALID")
    assert not eager._runs


def test_the_numpy_engine_compiles_nothing(at_once, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", "numpy")
    eager.install()
    assert heavy.compiled is None


OPTIMIZERS = {
    "SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "AdamW": {}, "RMSprop": {}, "Adagrad": {}, "Adadelta": {},
    "Adamax": {}, "Nadam": {}, "Ftrl": {}, "Lion": {},
}  # fmt: skip


def trained(name, **options):
    tf.keras.utils.set_random_seed(3)
    w, b = tf.Variable(drawn(40, 30)), tf.Variable(0.5)
    optimizer = getattr(tf.keras.optimizers, name)(0.01, **options)
    for step in range(4):
        optimizer.apply_gradients([(tf.constant(drawn(40, 30) * (step + 1)), w), (tf.constant(0.1), b)])
    return [v.numpy() for v in (w, b, *optimizer.variables)], optimizer


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if hasattr(tf.keras.optimizers, n)])
def test_optimizers(name, at_once, monkeypatch):
    found, optimizer = trained(name, **OPTIMIZERS[name])
    assert optimizer._compiled
    monkeypatch.setenv("TAPEFLOW_ENGINE", "numpy")
    expected, optimizer = trained(name, **OPTIMIZERS[name])
    assert not optimizer._compiled
    for a, b in zip(found, expected, strict=True):
        # Ftrl takes the difference of powers that are nearly equal, divided by the rate
        size = max(1.0, np.abs(b).max()) if name == "Ftrl" else 1.0
        np.testing.assert_allclose(a, b, rtol=2e-5 if name == "Ftrl" else 2e-6, atol=2e-7 * size)


def test_a_large_update_is_native_code(at_once, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", "")
    w = tf.Variable(drawn(200, 100))
    optimizer = tf.keras.optimizers.Adam()
    optimizer.apply_gradients([(tf.ones([200, 100]), w)])
    (compiled,) = optimizer._compiled.values()
    assert compiled.made().functions


def test_a_variable_that_somebody_else_sees_is_replaced(at_once):
    w = tf.Variable(drawn(40, 30))
    before, kept = w.read_value(), w.numpy().copy()
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.apply_gradients([(tf.ones([40, 30]), w)])
    np.testing.assert_array_equal(before.numpy(), kept)
    np.testing.assert_allclose(w.numpy(), kept - 0.1, rtol=1e-6)
