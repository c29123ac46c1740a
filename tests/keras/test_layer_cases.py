"""Layers against what Keras gives: initial weights, outputs, gradients, what is assigned; eager and traced; configs."""

import json

import numpy as np
import pytest

import tapeflow as tf

from .layer_cases import CASES, RECORDED, measure

EXPECTED = json.loads(RECORDED.read_text())


def close(got, expected, what):
    assert len(got) == len(expected), what
    for g, e in zip(got, expected, strict=True):
        assert (g is None) == (e is None), what
        if e is not None:
            np.testing.assert_allclose(g, e, rtol=2e-4, atol=2e-6, err_msg=what)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_what_keras_gives(name, traced):
    expected = EXPECTED[name]
    got = measure(tf, name, tf.function if traced else lambda f: f)
    assert got["weights"] == expected["weights"]
    for what in ("initial", "outputs", "gradients", "after"):
        close(got[what], expected[what], what)


@pytest.mark.parametrize("name", CASES)
def test_configurations(name):
    make, inputs, options = CASES[name]
    layer = make(tf.keras.layers)
    config = tf.keras.layers.serialize(layer)
    again = tf.keras.layers.deserialize(json.loads(json.dumps(config)))
    assert type(again) is type(layer) and again.name == layer.name
    assert json.dumps(again.get_config()) == json.dumps(layer.get_config())
    calm = {**options, "training": False} if "training" in options else options
    y = layer(*inputs, **calm)
    again(*inputs, **calm)
    again.set_weights(layer.get_weights())
    for a, b in zip(tf.nest.flatten(y), tf.nest.flatten(again(*inputs, **calm)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_in_a_functional_model(name):
    make, inputs, options = CASES[name]
    layer = make(tf.keras.layers)
    calm = {**options, "training": False} if "training" in options else options
    symbols = tf.nest.map_structure(lambda x: tf.keras.Input(x.shape[1:], dtype=x.dtype.name), list(inputs))
    outputs = layer(*symbols, **{k: v for k, v in calm.items() if k not in ("mask", "initial_state")})
    model = tf.keras.Model(symbols, outputs)
    given = {k: v for k, v in calm.items() if k not in ("mask", "initial_state")}
    y = layer(*inputs, **given)
    for symbol, a, b in zip(
        tf.nest.flatten(outputs), tf.nest.flatten(model(list(inputs))), tf.nest.flatten(y), strict=True
    ):
        assert (
            symbol.shape.is_compatible_with(a.shape) and symbol.shape.rank == a.shape.rank and symbol.dtype == a.dtype
        )
        np.testing.assert_array_equal(a, b)
