"""Recurrent layers beyond what `test_layer_cases` has: states, own cells, both ways of running a cell, refusals."""

import inspect

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras
layers = tf.keras.layers


def some(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("f")


class Cell(layers.Layer):
    """A user's cell: h' = h + sum of the inputs."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="kernel")

    def call(self, inputs, states):
        h = tf.matmul(inputs, self.kernel) + states[0]
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_own_cells():
    ones = np.ones((2, 3, 2), "f")
    rnn = layers.RNN(Cell(2))
    np.testing.assert_array_equal(rnn(ones), np.full((2, 2), 6.0))
    assert rnn.compute_output_shape((2, 3, 2)) == (2, 2)
    y, first, second = layers.RNN([Cell(2), Cell(3)], return_state=True)(ones)
    np.testing.assert_array_equal(y, np.full((2, 3), 24.0))
    np.testing.assert_array_equal(first, np.full((2, 2), 6.0))
    np.testing.assert_array_equal(second, y)
    backwards = layers.RNN(Cell(1), return_sequences=True, go_backwards=True)
    np.testing.assert_array_equal(backwards(np.array([[[1.0], [2.0], [4.0]]]))[0, :, 0], [4, 6, 7])
    x = keras.Input((None, 2))
    assert layers.RNN(Cell(2), return_sequences=True)(x).shape == (None, None, 2)
    with keras.utils.custom_object_scope({"Cell": Cell}):
        again = layers.deserialize(layers.serialize(rnn))
    np.testing.assert_array_equal(again(ones), rnn(ones))


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_one_op_and_step_by_step_agree(kind, go_backwards):
    """`RNN(LSTMCell(...))` runs the cell; `LSTM(...)` is one op."""
    options = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
    x, mask = some(2, 5, 3), np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 0]], bool)
    fused = getattr(layers, kind)(4, **options)
    steps = layers.RNN(getattr(layers, f"{kind}Cell")(4), **options)
    steps(x)
    fused(x)
    steps.set_weights(fused.get_weights())
    for given in ({}, {"mask": mask}):
        results = []
        for layer in (fused, steps):
            with tf.GradientTape() as tape:
                tape.watch(v := tf.constant(x))
                y, *states = layer(v, **given)
                loss = tf.reduce_sum(y**2) + tf.add_n([tf.reduce_sum(s) for s in states])
            results.append([y, *states, *tape.gradient(loss, [v, *layer.trainable_weights])])
        for a, b in zip(*results, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_unknown_numbers_of_steps_in_functions():
    layer, own = layers.LSTM(3), layers.RNN(Cell(2))
    x = some(2, 4, 3)
    spec = [tf.TensorSpec((None, None, 3), tf.float32)]
    np.testing.assert_allclose(tf.function(layer, input_signature=spec)(x), layer(x), rtol=1e-5, atol=1e-6)
    own(x)
    with pytest.raises(tf.errors.UnimplementedError, match="number of steps must be known"):
        tf.function(own, input_signature=spec)(x)


def test_stateful():
    keras.utils.set_random_seed(0)
    layer = layers.LSTM(2, stateful=True)
    x = some(2, 3, 2)
    first, second = layer(x), layer(x)
    both = layers.LSTM(2)
    both.build((2, 6, 2))
    both.set_weights(layer.get_weights())
    np.testing.assert_allclose(second, both(np.concatenate([x, x], 1)), rtol=1e-5, atol=1e-6)
    layer.reset_states()
    np.testing.assert_allclose(tf.function(layer)(tf.constant(x)), first, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(x), second, rtol=1e-5, atol=1e-6)
    layer.reset_state([np.ones((2, 2)), np.zeros((2, 2))])
    np.testing.assert_allclose(
        layer(x), both(x, initial_state=[tf.ones((2, 2)), tf.zeros((2, 2))]), rtol=1e-5, atol=1e-6
    )
    assert len(layer.weights) == 3 and [s.shape for s in layer.states] == [(2, 2)] * 2
    with pytest.raises(ValueError, match="stateful"):
        layer(some(3, 3, 2))
    with pytest.raises(ValueError, match="batch size must be static"):
        keras.Sequential([layers.Input((3, 2)), layers.GRU(2, stateful=True)])
    with pytest.raises(ValueError, match="not stateful"):
        both.reset_states()


def test_bidirectional_is_two_layers():
    x = some(2, 4, 3)
    layer = layers.Bidirectional(layers.GRU(2, return_sequences=True))
    y = layer(x)
    np.testing.assert_allclose(y[..., :2], layer.forward_layer(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[..., 2:], layer.backward_layer(x)[:, ::-1], rtol=1e-5, atol=1e-6)
    assert [w.path.split("/")[0] for w in layer.weights][::3] == [layer.name] * 2
    assert len(layer.weights) == 6 and layer.compute_output_shape((2, 4, 3)) == (2, 4, 4)


def test_constructors_say_what_they_take():
    parameters = inspect.signature(layers.LSTM).parameters
    assert list(parameters)[:4] == ["units", "activation", "recurrent_activation", "use_bias"]
    assert parameters["go_backwards"].default is False and "kwargs" in parameters
    assert list(inspect.signature(layers.GRU(2)).parameters)[:1] == ["args"]


def test_cells_by_hand():
    cell = layers.LSTMCell(2)
    x = some(3, 4)
    states = cell.get_initial_state(batch_size=3)
    y, (h, c) = cell(x, states)
    np.testing.assert_array_equal(y, h)
    layer = layers.LSTM(2, return_state=True)
    layer.build((3, 1, 4))
    layer.set_weights(cell.get_weights())
    for a, b in zip(layer(x[:, None]), (y, h, c), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(cell.bias, [0, 0, 1, 1, 0, 0, 0, 0])


def test_time_distributed_of_unknown_sizes():
    layer = layers.TimeDistributed(layers.Dense(2))
    x = some(2, 3, 4)
    for shape in ((None, None, 4), (2, None, 4), (None, 3, 4)):
        function = tf.function(layer, input_signature=[tf.TensorSpec(shape, tf.float32)])
        np.testing.assert_allclose(function(x), layer(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "x", "error"),
    [
        (lambda: layers.LSTM(0), None, ValueError),
        (lambda: layers.LSTM(), None, TypeError),
        (lambda: layers.LSTM(2, "tanh", activation="tanh"), None, TypeError),
        (lambda: layers.LSTM(2, nonsense=1), None, ValueError),
        (lambda: layers.LSTM(2), np.ones((2, 2), "f"), ValueError),
        (lambda: layers.RNN(3), None, ValueError),
        (lambda: layers.StackedRNNCells([3]), None, ValueError),
        (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="x"), None, ValueError),
        (lambda: layers.Bidirectional(3), None, ValueError),
        (lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)), None, ValueError),
        (lambda: layers.TimeDistributed(layers.Dense(2)), np.ones((2, 3), "f"), ValueError),
        (lambda: layers.BatchNormalization(axis=5), np.ones((2, 3), "f"), ValueError),
        (lambda: layers.GroupNormalization(2), np.ones((2, 3), "f"), ValueError),
        (lambda: layers.BatchNormalization(renorm=True), None, tf.errors.UnimplementedError),
        (lambda: layers.Embedding(-1, 2), None, ValueError),
        (lambda: layers.Embedding(3, 2), np.array([7]), tf.errors.InvalidArgumentError),
        (lambda: layers.MultiHeadAttention(0, 2), None, ValueError),
        (lambda: layers.Attention(), np.ones((2, 3, 3), "f"), ValueError),
        (lambda: layers.Attention(score_mode="x"), None, ValueError),
        (lambda: layers.Dot(1), [np.ones((2, 3), "f"), np.ones((2, 4), "f")], ValueError),
        (lambda: layers.GaussianDropout(2), None, ValueError),
        (lambda: layers.EinsumDense("ab->b", 2), np.ones((2, 3), "f"), ValueError),
    ],
)
def test_refusals(make, x, error):
    with pytest.raises(error):
        layer = make()
        layer(x)


def test_embedding_has_sparse_gradients():
    layer = layers.Embedding(5, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([[1, 3], [1, 0]])))
    gradient = tape.gradient(loss, layer.embeddings)
    assert isinstance(gradient, tf.IndexedSlices)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient), [[1, 1], [2, 2], [0, 0], [1, 1], [0, 0]])
    assert layers.Embedding(5, 2, input_length=3)._batch_input_shape == (None, 3)
    given = np.arange(10.0).reshape(5, 2)
    np.testing.assert_array_equal(layers.Embedding(5, 2, weights=[given])(np.array([4])), [[8, 9]])


def test_half_precision_normalizes_in_single():
    x = (1000 * some(4, 8)).astype(np.float16)
    for layer in (layers.LayerNormalization(dtype="float16"), layers.BatchNormalization(dtype="float16")):
        y = layer(x, training=True) if isinstance(layer, layers.BatchNormalization) else layer(x)
        assert y.dtype == tf.float16 and np.all(np.isfinite(y)) and np.std(y) > 0.9
