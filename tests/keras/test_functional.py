"""Functional models: graphs of layers and ops, shared layers, nested models, configurations, what is refused."""

import copy
import json
import pickle

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras
layers = tf.keras.layers


def ones(*shape):
    return np.ones(shape, np.float32)


def two_ways():
    """Two inputs through one shared layer, joined in two ways."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared, last = layers.Dense(4, name="shared"), layers.Dense(2, name="e")
    ya, yb = shared(a), shared(b)
    joined = layers.Concatenate(name="cat")([ya, yb])
    return keras.Model({"a": a, "b": b}, {"sum": layers.Add(name="add")([ya, yb]), "e": last(joined)}, name="multi")


def test_values_are_those_of_the_layers():
    model = two_ways()
    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(5, 3)).astype("f"), "b": rng.normal(size=(5, 3)).astype("f")}
    y = model(x)
    shared, last = model.get_layer("shared"), model.get_layer("e")
    np.testing.assert_allclose(y["sum"], shared(x["a"]) + shared(x["b"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y["e"], last(tf.concat([shared(x["a"]), shared(x["b"])], 1)), rtol=1e-5, atol=1e-6)
    traced = tf.function(model)(tf.nest.map_structure(tf.constant, x))
    np.testing.assert_allclose(traced["e"], y["e"], rtol=1e-5, atol=1e-6)
    assert model.predict(x, batch_size=2)["e"].shape == (5, 2)


def test_what_a_model_knows_of_itself():
    model = two_ways()
    assert [layer.name for layer in model.layers] == ["a", "b", "shared", "cat", "e", "add"]
    assert [w.path for w in model.weights] == ["shared/kernel", "shared/bias", "e/kernel", "e/bias"]
    assert model.count_params() == 34 and model.built
    assert model.input_names == ["a", "b"] and model.output_names == ["e", "add"]
    assert {k: tuple(v.shape) for k, v in model.output.items()} == {"sum": (None, 4), "e": (None, 2)}
    assert model.input_shape == {"a": (None, 3), "b": (None, 3)}
    assert [tuple(x.shape) for x in model.inputs] == [(None, 3)] * 2
    assert repr(model) == "<Functional name=multi, built=True>"
    assert model.get_layer("shared").output.shape == (None, 4)
    lines = []
    model.summary(print_fn=lines.append)
    row = next(line for line in lines[0].splitlines() if line.startswith("│ cat"))
    assert "(None, 8)" in row and "shared[0][0], shared[1][0]" in row
    assert " Total params: 34 (136.00 B)" in lines[0]


def test_inputs_in_other_structures():
    model = two_ways()
    a, b = ones(2, 3), 2 * ones(2, 3)
    expected = model({"a": a, "b": b})["e"]
    for given in ([a, b], (a, b), {"b": b, "a": a, "more": a}):
        np.testing.assert_array_equal(model(given)["e"], expected)
    x = keras.Input((1,))
    flat = keras.Model(x, x * 2.0)
    assert flat(np.arange(3)).shape == (3, 1) and flat(np.arange(3)).dtype == tf.float32
    vector = keras.Input(())
    assert keras.Model(vector, vector + 1.0)(ones(4, 1)).shape == (4,)


def test_gradients_and_training():
    model = two_ways()
    x = {"a": ones(2, 3), "b": 3 * ones(2, 3)}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x, training=True)["sum"])
    kernel, bias, *rest = tape.gradient(loss, model.trainable_variables)
    np.testing.assert_allclose(kernel, np.full((3, 4), 8.0))
    np.testing.assert_allclose(bias, np.full(4, 4.0))
    assert rest == [None, None]


def test_training_reaches_layers_unless_a_call_says_otherwise():
    x = keras.Input((4,))
    drop = layers.Dropout(0.9, seed=1)
    free, fixed = keras.Model(x, drop(x)), keras.Model(x, drop(x, training=True))
    given = ones(8, 4)
    np.testing.assert_array_equal(free(given), given)
    assert np.any(free(given, training=True).numpy() != given)
    assert np.any(fixed(given, training=False).numpy() != given)


def test_first_arguments_by_name():
    x = keras.Input((4,))
    dense = layers.Dense(2)
    model = keras.Model(x, dense(inputs=x))
    np.testing.assert_array_equal(model(ones(1, 4)), layers.Dense.__call__(dense, inputs=ones(1, 4)))
    assert layers.Dense(3)(inputs=ones(1, 4)).shape == (1, 3)


def test_ops_become_layers():
    x = keras.Input((4,))
    y = tf.reshape(tf.nn.relu(x - 1.0), (tf.shape(x)[0], 2, -1))
    z = tf.reduce_sum(y[:, 0] * tf.constant([1.0, 2.0]), axis=1, keepdims=True) + tf.stack([x, -x])[0, :, :1]
    parts = tf.split(x, 2, axis=1)
    model = keras.Model(x, [z, parts[1], tf.cast(x > 0, tf.int32), tf.matmul(x, tf.ones((4, 2)))])
    assert model.output_shape == [(None, 1), (None, 2), (None, 4), (None, 2)]
    assert model.outputs[2].dtype == tf.int32
    given = np.array([[3, 5, -1, 2], [0, 4, 1, -2]], "f")
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    for one in (model, tf.function(model), again):
        z, part, positive, product = one(tf.constant(given))
        np.testing.assert_allclose(z, [[2 + 2 * 4 + 3], [2 * 3 + 0]])
        np.testing.assert_allclose(part, given[:, 2:])
        np.testing.assert_array_equal(positive, given > 0)
        np.testing.assert_allclose(product, given.sum(1, keepdims=True) * np.ones(2))


def test_ops_with_variables_are_refused():
    v = tf.Variable([1.0])
    with pytest.raises(ValueError, match="call of a layer that owns"):
        keras.Input((1,)) * v


def test_nested_and_shared_models():
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(3, name="i1"), layers.Dense(4, name="i2")], name="inner")
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(1, name="o")(inner(inner(x))), name="nest")
    assert [layer.name for layer in model.layers] == ["x", "inner", "o"] and model.count_params() == 36
    given = np.random.default_rng(0).normal(size=(2, 4)).astype("f")
    np.testing.assert_allclose(model(given), model.get_layer("o")(inner(inner(given))), rtol=1e-5, atol=1e-6)
    first = keras.Model(inner.input, inner.layers[0].output)
    np.testing.assert_array_equal(first(given), inner.layers[0](given))
    rest = keras.Model(inner.layers[0].output, inner.output)
    assert [type(layer).__name__ for layer in rest.layers] == ["InputLayer", "Dense"]
    np.testing.assert_allclose(rest(first(given)), inner(given), rtol=1e-5, atol=1e-6)
    for one in (model, rest):
        config = json.loads(json.dumps(one.get_config()))
        again = keras.Model.from_config(config)
        again.set_weights(one.get_weights())
        x = given if one is model else first(given)
        np.testing.assert_array_equal(again(x), one(x))


def test_configurations():
    model = two_ways()
    config = json.loads(json.dumps(model.get_config()))
    assert config["input_layers"] == {"a": ["a", 0, 0], "b": ["b", 0, 0]}
    assert config["output_layers"] == {"sum": ["add", 0, 0], "e": ["e", 0, 0]}
    again = keras.Model.from_config(config)
    again.set_weights(model.get_weights())
    x = {"a": ones(2, 3), "b": ones(2, 3)}
    np.testing.assert_array_equal(again(x)["e"], model(x)["e"])
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    same = copy.deepcopy(model)
    model.get_layer("e").bias.assign([5.0, 5.0])
    np.testing.assert_array_equal(same(x)["e"], again(x)["e"])


def test_pickling():
    model = two_ways()
    part = keras.Model(model.get_layer("cat").output, model.get_layer("e").output)
    x = {"a": ones(2, 3), "b": ones(2, 3)}
    for one, given in (
        (model, x),
        (part, ones(2, 8)),
        (keras.Sequential([layers.Input((4,)), layers.Dense(2)]), ones(1, 4)),
    ):
        again = pickle.loads(pickle.dumps(one))
        for a, b in zip(tf.nest.flatten(one(given)), tf.nest.flatten(again(given)), strict=True):
            np.testing.assert_array_equal(a, b)
        assert json.dumps(again.get_config()) == json.dumps(one.get_config())


def test_layers_of_several_outputs_and_keywords():
    encoder, decoder = keras.Input((None, 3)), keras.Input((None, 3))
    _, h, c = layers.LSTM(2, return_state=True)(encoder)
    y = layers.LSTM(2, return_sequences=True)(decoder, initial_state=[h, c])
    model = keras.Model([encoder, decoder], y)
    assert model.output_shape == (None, None, 2)
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    x = [ones(1, 3, 3), ones(1, 5, 3)]
    first, second = [layer for layer in model.layers if isinstance(layer, layers.LSTM)]
    _, h, c = first(x[0])
    expected = second(x[1], initial_state=[h, c])
    for one in (model, again, tf.function(model)):
        np.testing.assert_allclose(one([tf.constant(v) for v in x]), expected, rtol=1e-5, atol=1e-6)


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense, self.norm = layers.Dense(3), layers.BatchNormalization()

    def call(self, x, training=None):
        return self.norm(self.dense(x), training=training)


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.block, self.last = Block(), layers.Dense(1)

    def call(self, x, training=None):
        return self.last(self.block(x, training=training))


def test_subclasses_inside_and_around():
    x = keras.Input((4,))
    hidden = Block()(x)
    model = keras.Model(x, [Subclass()(hidden), hidden])
    y, h = model(np.random.default_rng(0).normal(size=(6, 4)), training=True)
    assert y.shape == (6, 1) and model.output_shape == [(None, 1), (None, 3)]
    np.testing.assert_allclose(np.mean(h, 0), np.zeros(3), atol=1e-6)
    assert len(model.trainable_weights) == 10 and len(model.non_trainable_weights) == 4

    class Own(keras.Model):
        def __init__(self, units):
            x = keras.Input((4,))
            super().__init__(inputs=x, outputs=layers.Dense(units)(x))
            self.extra = 1

        def get_config(self):
            return {"units": 2}

    own = Own(2)
    assert own(ones(3, 4)).shape == (3, 2) and own.output_shape == (None, 2) and own.extra == 1
    assert Own.from_config(own.get_config()).output_shape == (None, 2)

    class Steps(keras.Model):
        def twice(self, x):
            return self(x) * 2

    steps = Steps(x, hidden)
    np.testing.assert_array_equal(steps.twice(ones(1, 4)), steps(ones(1, 4)) * 2)
    assert type(steps) is Steps


def test_sequential_is_functional_too():
    model = keras.Sequential([layers.Dense(2), layers.Dense(3, name="last")])
    with pytest.raises(AttributeError, match="no defined input"):
        _ = model.input
    y = model(ones(5, 4))
    assert model.input_shape == (None, 4) and model.output_shape == (None, 3)
    part = keras.Model(model.input, [model.layers[0].output, model.get_layer("last").output])
    np.testing.assert_array_equal(part(ones(5, 4))[1], y)
    lines = []
    model.summary(print_fn=lines.append)
    assert "(None, 3)" in lines[0] and "Connected" not in lines[0]
    integers = keras.Sequential([layers.Embedding(5, 2), layers.Flatten()])
    assert integers(np.array([[1, 2]])).shape == (1, 4) and integers.input.dtype == tf.int64


def test_keras_tensors():
    x = keras.Input((4,), name="x", dtype="int32")
    assert tuple(x.shape) == (None, 4) and x.dtype == "int32" and keras.backend.is_keras_tensor(x)
    assert repr(x) == "<KerasTensor shape=(None, 4), dtype=int32, name=x>"
    assert layers.Embedding(3, 2)(x).shape == (None, 4, 2)
    for refused in (bool, list, len, float):
        with pytest.raises(TypeError, match="no value"):
            refused(x)
    with pytest.raises(ValueError, match="no value"):
        np.asarray(x)
    with pytest.raises(AttributeError, match="no value"):
        x.numpy()


def test_refusals():
    model, other = two_ways(), keras.Input((3,))
    with pytest.raises(ValueError, match="not connected"):
        keras.Model(other, model.output)
    with pytest.raises(ValueError, match="KerasTensors"):
        keras.Model(ones(3), other)
    with pytest.raises(ValueError, match="expects 2 input"):
        model(ones(2, 3))
    with pytest.raises(ValueError, match="not given"):
        model({"a": ones(2, 3)})
    with pytest.raises(ValueError, match="expected shape"):
        model([ones(2, 3), ones(2, 4)])
    with pytest.raises(TypeError, match="both, or neither"):
        keras.Model(other)
    with pytest.raises(ValueError, match="there twice"):
        keras.Model(other, layers.Dense(1, name="q")(layers.Dense(1, name="q")(other)))
    with pytest.raises(ValueError, match="comes from no layer"):
        keras.Model(keras.KerasTensor((None, 3)), other)


def test_a_transformer():
    """Positions of a length that is not known, blocks with causal attention: no step sees those behind it."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(10, 8)(ids) + layers.Embedding(16, 8)(tf.range(tf.shape(ids)[1]))
    for _ in range(2):
        seen = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
        x = layers.LayerNormalization()(layers.Add()([x, seen]))
        x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, activation="gelu")(x)))
    model = keras.Model(ids, layers.Dense(10)(x))
    assert model.output_shape == (None, None, 10)
    given = np.random.default_rng(0).integers(0, 10, (3, 6))
    y = model(given)
    changed = given.copy()
    changed[:, 4:] = (changed[:, 4:] + 1) % 10
    z = model(changed)
    np.testing.assert_allclose(y[:, :4], z[:, :4], atol=1e-6)
    assert np.all(np.any(np.abs(y[:, 4:] - z[:, 4:]) > 1e-3, -1))
    spec = [tf.TensorSpec((None, None), tf.int32)]
    traced = tf.function(lambda v: model(v), input_signature=spec)
    np.testing.assert_allclose(traced(given.astype("int32")), y, atol=1e-5)
    again = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(given[:, :3]), model(given[:, :3]))
