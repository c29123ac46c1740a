"""Masks: where they come from, who hands them on, what they do; values recorded from TensorFlow 2.21."""

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras
layers = tf.keras.layers

IDS = np.array([[1, 2, 0, 0], [3, 0, 4, 1]])


def test_embedding_and_masking_make_them():
    embedding = layers.Embedding(5, 2, mask_zero=True)
    y = embedding(IDS)
    np.testing.assert_array_equal(y._keras_mask, IDS != 0)
    np.testing.assert_array_equal(embedding.compute_mask(IDS), IDS != 0)
    assert layers.Embedding(5, 2)(IDS)._keras_mask is None
    x = np.array([[[1.0, 2.0], [0.0, 0.0]]])
    masked = layers.Masking()(x)
    np.testing.assert_array_equal(masked._keras_mask, [[True, False]])
    np.testing.assert_array_equal(layers.Masking(2.0)(np.full((1, 1, 2), 2.0)), np.zeros((1, 1, 2)))


def test_layers_hand_them_on():
    x = layers.Embedding(5, 2, mask_zero=True)(IDS)
    for layer in (layers.Dense(3), layers.Activation("tanh"), layers.Dropout(0.5), layers.LayerNormalization()):
        np.testing.assert_array_equal(layer(x)._keras_mask, IDS != 0)
    assert layers.LSTM(2)(x)._keras_mask is None
    y, state = layers.GRU(2, return_sequences=True, return_state=True)(x)
    np.testing.assert_array_equal(y._keras_mask, IDS != 0)
    assert state._keras_mask is None
    other = tf.constant(np.ones((2, 4, 2), "f"))
    other._keras_mask = tf.constant(IDS > 1)
    np.testing.assert_array_equal(layers.Add()([x, other])._keras_mask, (IDS != 0) | (IDS > 1))
    joined = layers.Concatenate(axis=1)([x, tf.ones((2, 1, 2))])
    np.testing.assert_array_equal(joined._keras_mask, np.concatenate([IDS != 0, np.ones((2, 1))], 1))
    assert layers.Flatten()(x)._keras_mask is None


def test_own_layers():
    class Halves(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            self.seen = mask
            return inputs[:, ::2]

        def compute_mask(self, inputs, mask=None):
            return None if mask is None else mask[:, ::2]

    layer = Halves()
    y = layer(layers.Embedding(5, 2, mask_zero=True)(IDS))
    np.testing.assert_array_equal(layer.seen, IDS != 0)
    np.testing.assert_array_equal(y._keras_mask, IDS[:, ::2] != 0)
    explicit = tf.constant(IDS > 2)
    layer(tf.ones((2, 4, 2)), mask=explicit)
    assert layer.seen is explicit


def test_masks_die_with_their_tensors():
    from tapeflow.keras.layers import masks

    before = len(masks._masks)
    x = layers.Embedding(5, 2, mask_zero=True)(IDS)
    assert len(masks._masks) == before + 1
    del x
    assert len(masks._masks) == before


def test_sequential_and_functional_models():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2, return_sequences=True),
            layers.TimeDistributed(layers.Dense(2)), layers.Dropout(0.5), layers.GRU(2),
        ]
    )  # fmt: skip
    np.testing.assert_allclose(model(IDS), [[-0.0046, 0.0021], [-0.0011, 0.0051]], atol=1e-4)
    np.testing.assert_allclose(tf.function(model)(tf.constant(IDS)), model(IDS), rtol=1e-5)
    x = keras.Input((None,), dtype="int32")
    e = layers.Embedding(5, 3, mask_zero=True)(x)
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(e)
    h = layers.LayerNormalization()(h)
    h = layers.Add()([h, layers.MultiHeadAttention(2, 2)(h, h)])
    model = keras.Model(x, layers.GRU(3)(h))
    expected = [[0.2401, -0.0706, -0.1148], [0.1181, 0.1275, 0.1306]]
    np.testing.assert_allclose(model(IDS), expected, atol=1e-4)
    np.testing.assert_allclose(tf.function(model)(tf.constant(IDS)), expected, atol=1e-4)
    assert e._keras_mask.shape == (None, None) and h._keras_mask is not None


@pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_steps_left_out_change_nothing(layer):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 5, 3)).astype("f")
    rnn = layer(2)
    kept = [0, 2, 3]
    mask = np.isin(np.arange(5), kept)[None]
    np.testing.assert_allclose(rnn(x, mask=mask), rnn(x[:, kept]), rtol=1e-5)
    with tf.GradientTape() as tape:
        tape.watch(v := tf.constant(x))
        y = rnn(v, mask=mask)
    gradient = tape.gradient(y, v).numpy()
    assert np.all(gradient[:, [1, 4]] == 0) and np.all(np.any(gradient[:, kept] != 0, -1))
