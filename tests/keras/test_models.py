"""Models: Sequential, subclasses, predict, summary, training by hand."""

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras
layers = tf.keras.layers


def small():
    return keras.Sequential([layers.Input((3,)), layers.Dense(2, activation="relu", name="a"), layers.Dropout(0.5)])


def test_sequential_builds_ahead():
    for model in (
        small(),
        keras.Sequential([layers.Dense(2, input_shape=(3,))]),
        keras.Sequential([layers.Dense(2, input_dim=3)]),
        keras.Sequential([layers.InputLayer(input_shape=(3,)), layers.Dense(2)]),
        keras.Sequential([keras.Sequential([layers.Dense(2, input_shape=(3,))])]),
    ):
        assert model.built and model.input_shape == (None, 3) and model.output_shape == (None, 2)
        assert [w.shape for w in model.get_weights()] == [(3, 2), (2,)]
        assert model.inputs[0].shape == (None, 3) and model.outputs[0].shape == (None, 2)


def test_sequential_builds_when_called():
    model = keras.Sequential([layers.Dense(2), layers.Lambda(lambda x: x * 1.0), layers.Dense(1)])
    assert not model.built and model.weights == []
    assert model(np.ones((4, 3))).shape == (4, 1)
    assert [v.path.split("/", 1)[1].split("/")[-1] for v in model.weights] == ["kernel", "bias"] * 2
    later = keras.Sequential([layers.Dense(2)])
    later.build((None, 5))
    assert later.count_params() == 12


def test_add_and_pop():
    model = keras.Sequential()
    model.add(keras.Input((3,)))
    model.add(layers.Dense(2))
    model.add(layers.Dense(1))
    assert model.output_shape == (None, 1) and len(model.layers) == 2
    x = np.ones((1, 3))
    assert model(x).shape == (1, 1)
    model.pop()
    assert model.output_shape == (None, 2) and len(model.weights) == 2
    assert model(x).shape == (1, 2)
    model.add(layers.Dense(4))
    assert model(x).shape == (1, 4) and len(model.trainable_variables) == 4


def test_add_refuses():
    with pytest.raises(ValueError, match="keras.Layer"):
        keras.Sequential([1])
    with pytest.raises(ValueError, match="unique names"):
        keras.Sequential([layers.Dense(1, name="d"), layers.Dense(1, name="d")])
    with pytest.raises(ValueError, match="first"):
        small().add(keras.Input((3,)))
    with pytest.raises(IndexError):
        keras.Sequential().pop()


def test_layers_by_name():
    model = small()
    assert model.get_layer("a") is model.get_layer(index=0) is model.layers[0]
    for wrong in ({"name": "q"}, {"index": 7}, {}, {"name": "a", "index": 0}):
        with pytest.raises(ValueError):
            model.get_layer(**wrong)


@pytest.mark.parametrize("batch_size", [None, 1, 7, 100])
def test_predict(batch_size):
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    x = np.random.default_rng(0).normal(size=(70, 3))
    expected = x.astype(np.float32) @ model.get_weights()[0]
    for given in (x, tf.constant(x), x.tolist()):
        y = model.predict(given, batch_size=batch_size, verbose=0)
        assert type(y) is np.ndarray and y.dtype == np.float32
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(iter([x[:4], x[4:8]])), expected[:8], rtol=1e-4, atol=1e-5)
    assert model.predict(iter([x[:4], x[4:8]]), steps=1).shape == (4, 2)
    np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="no examples"):
        model.predict(x[:0])


def test_predict_of_structures():
    class Both(keras.Model):
        def call(self, inputs):
            return {"sum": inputs["a"] + inputs["b"], "a": inputs["a"]}

    x = {"a": np.ones((5, 2)), "b": np.arange(5.0)[:, None]}
    y = Both().predict(x, batch_size=2)
    np.testing.assert_array_equal(y["sum"], x["a"] + x["b"])
    with pytest.raises(ValueError, match="different numbers"):
        Both().predict({"a": np.ones((5, 2)), "b": np.ones((4, 1))})


def test_subclasses():
    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.first = layers.Dense(4, activation="tanh")
            self.drop = layers.Dropout(0.9, seed=1)
            self.last = layers.Dense(1)

        def call(self, x, training=None):
            return self.last(self.drop(self.first(x), training=training))

    net = Net()
    x = np.ones((2, 3))
    y = net(x)
    np.testing.assert_array_equal(net(x), y)
    assert np.any(net(x, training=True).numpy() != y.numpy())
    assert [layer.name.split("_")[0] for layer in net.layers] == ["dense", "dropout", "dense"]
    assert net.weights[0].path.startswith("net/dense")
    assert net.count_params() == 21
    built = Net()
    built.build((None, 3))
    assert built.count_params() == 21


def test_training_by_hand():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2))
    y = x @ [[2.0], [-1.0]] + 0.5
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    optimizer, loss_fn = keras.optimizers.Adam(0.1), keras.losses.MeanSquaredError()
    metric = keras.metrics.MeanSquaredError()
    for _ in range(200):
        with tf.GradientTape() as tape:
            prediction = model(x, training=True)
            loss = loss_fn(y, prediction)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    np.testing.assert_allclose(model.get_weights()[0], [[2], [-1]], atol=1e-2)
    np.testing.assert_allclose(metric(y, prediction), loss, rtol=1e-5)


def test_what_was_read_before_a_step_stays():
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    before = [v.read_value() for v in model.weights]
    copies = [b.numpy() for b in before]
    keras.optimizers.SGD(1.0).apply_gradients([(tf.ones(v.shape), v) for v in model.weights])
    for b, copy, v in zip(before, copies, model.weights, strict=True):
        np.testing.assert_array_equal(b, copy)
        np.testing.assert_allclose(v, copy - 1, rtol=1e-6)


def test_summary():
    lines = []
    model = keras.Sequential([layers.Dense(2, input_shape=(3,), name="a"), layers.Dropout(0.5, name="d")], name="m")
    model.layers[0].trainable = False
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert text.splitlines()[0] == 'Model: "m"'
    assert "│ a (Dense) " in text and "(None, 2)" in text
    assert " Total params: 8 (32.00 B)\n Trainable params: 0 (0.00 B)\n Non-trainable params: 8 (32.00 B)" in text
    assert len({len(line) for line in text.splitlines()[1:-3]}) == 1
    lines.clear()
    keras.Sequential([layers.Dense(2)]).summary(print_fn=lines.append)
    assert "0 (unbuilt)" in lines[0] and " ? " in lines[0]


def test_configurations():
    model = small()
    again = keras.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    x = np.ones((2, 3))
    np.testing.assert_array_equal(again(x), model(x))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("method", ["compile", "fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_what_comes_later_says_so(method):
    with pytest.raises(tf.errors.UnimplementedError, match="GradientTape"):
        getattr(small(), method)()


def test_a_summary_after_a_call_shows_what_layers_of_a_subclass_gave():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv2D(4, 3, padding="same")
            self.flat = layers.Flatten()
            self.last = layers.Dense(2)

        def call(self, x):
            return self.last(self.flat(self.first(x)))

    net = Net()
    net(tf.zeros([1, 5, 5, 3]))
    lines = []
    net.summary(print_fn=lines.append)
    shown = "\n".join(lines)
    assert "(1, 5, 5, 4)" in shown and "(1, 100)" in shown and "(1, 2)" in shown and "?" not in shown
    assert net.last.input_shape == (1, 100) and net.last.output_shape == (1, 2)
