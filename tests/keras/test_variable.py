"""keras.Variable, settings, names, and what loads when."""

import subprocess
import sys

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras


def test_variable():
    v = keras.Variable("ones", shape=(2,), name="v")
    assert isinstance(v, tf.Variable) and v.name == v.path == "v" and v.dtype == tf.float32
    v.assign(tf.constant([1.0, 2.0], tf.float64))
    v.assign_add(np.array([1.0, 1.0]))
    np.testing.assert_array_equal(v, [2, 3])
    assert keras.Variable([1, 2]).dtype == tf.float32
    assert keras.Variable(0, dtype="int").dtype == tf.int64
    v.trainable = False
    with tf.GradientTape() as tape:
        y = v * 2.0
    assert tape.gradient(y, v) is None
    with pytest.raises(ValueError, match="shape"):
        keras.Variable("ones")
    with pytest.raises(ValueError, match="Shape mismatch"):
        v.assign([1.0])
    with pytest.raises(ValueError, match="nonsense"):
        keras.Variable(1.0, aggregation="nonsense")


def test_settings():
    backend = keras.backend
    assert (backend.floatx(), backend.epsilon(), backend.image_data_format()) == ("float32", 1e-7, "channels_last")
    try:
        backend.set_floatx("float64")
        assert keras.layers.Dense(1)(np.ones((1, 1))).dtype == tf.float64
        assert backend.cast_to_floatx([1]).dtype == np.float64
    finally:
        backend.set_floatx("float32")
    for wrong in (lambda: backend.set_floatx("int32"), lambda: backend.set_image_data_format("rows")):
        with pytest.raises(ValueError):
            wrong()


def test_values_and_names():
    backend = keras.backend
    v = tf.Variable([1.0])
    backend.set_value(v, [2])
    np.testing.assert_array_equal(backend.get_value(v), [2])
    backend.clear_session()
    assert keras.layers.Dense(1).name == "dense"
    assert backend.is_keras_tensor(keras.Input((1,))) and not backend.is_keras_tensor(v)


def test_keras_loads_when_it_is_used():
    program = (
        "import sys, tapeflow as tf; before = 'tapeflow.keras.layers' in sys.modules; tf.keras.layers; print(before)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
    with pytest.raises(AttributeError, match="nonsense"):
        keras.nonsense  # noqa: B018
    assert {"layers", "Sequential", "losses"} <= set(dir(keras))
