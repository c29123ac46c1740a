"""Layers: what they compute, what they own, how they are called; values recorded from TensorFlow 2.21."""

import numpy as np
import pytest

import tapeflow as tf

keras = tf.keras
layers = tf.keras.layers


class Affine(layers.Layer):
    """A user's layer in the words of Keras 2."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight("w", shape=(input_shape[-1], self.units), initializer="ones")
        self.b = self.add_weight(name="b", shape=(self.units,), trainable=False)

    def call(self, x):
        return tf.matmul(x, self.w) + self.b


# -- the layers --


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (1, 2, 3, 4)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense(shape, use_bias):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    layer = layers.Dense(2, activation="tanh", use_bias=use_bias, bias_initializer="ones")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    kernel = layer.kernel.numpy().astype(np.float64)
    z = x @ kernel + use_bias
    np.testing.assert_allclose(layer(x), np.tanh(z), rtol=1e-5, atol=1e-6)
    gradients = tape.gradient(loss, layer.trainable_variables)
    slope = 1 - np.tanh(z) ** 2
    np.testing.assert_allclose(gradients[0], x.reshape(-1, 4).T @ slope.reshape(-1, 2), rtol=1e-4, atol=1e-5)
    if use_bias:
        np.testing.assert_allclose(gradients[1], slope.reshape(-1, 2).sum(0), rtol=1e-4, atol=1e-5)
    assert [v.name for v in layer.weights] == ["kernel", "bias"][: 1 + use_bias]


def test_dense_differentiates_twice():
    layer = layers.Dense(1, activation="sigmoid", kernel_initializer="ones")
    x = tf.constant([[0.5, -0.25]])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
        first = inner.gradient(y, x)
    s = 1 / (1 + np.exp(-0.25))
    np.testing.assert_allclose(first, [[s * (1 - s)] * 2], rtol=1e-5)
    np.testing.assert_allclose(outer.gradient(first, x), [[2 * s * (1 - s) * (1 - 2 * s)] * 2], rtol=1e-4)


def test_dense_refuses():
    for make in (
        lambda: layers.Dense(0),
        lambda: layers.Dense("a"),
        lambda: layers.Dense(2, nonsense=1),
        lambda: layers.Dense(2, activation="nonsense"),
    ):
        with pytest.raises(ValueError):
            make()
    layer = layers.Dense(2, name="d")
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match="layer 'd' is incompatible.*axis -1.*value 3"):
        layer(tf.ones((1, 4)))
    with pytest.raises(ValueError, match="min_ndim=2"):
        layer(np.ones(3))


def test_flatten():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(layers.Flatten()(x), x.reshape(2, 12))
    np.testing.assert_array_equal(layers.Flatten("channels_first")(x), x.transpose(0, 2, 1).reshape(2, 12))
    np.testing.assert_array_equal(layers.Flatten()(np.ones(3)), np.ones((3, 1)))
    assert layers.Flatten()(np.ones((0, 2, 2))).shape == (0, 4)
    assert layers.Flatten()(np.ones((2, 2, 2), int)).dtype == tf.int64


def test_dropout():
    layer = layers.Dropout(0.5, seed=3)
    np.testing.assert_array_equal(layer(np.ones((2, 3))), np.ones((2, 3)))
    np.testing.assert_array_equal(layer(np.ones((2, 3)), training=True), [[0, 2, 2], [2, 0, 0]])
    many = layers.Dropout(0.25, seed=1)(np.ones(10000), training=True).numpy()
    assert set(np.unique(many)) == {np.float32(0), np.float32(4 / 3)}
    assert many.mean() == pytest.approx(1, abs=0.03)
    columns = layers.Dropout(0.5, noise_shape=(1, None), seed=1)(np.ones((3, 50)), training=True).numpy()
    np.testing.assert_array_equal(columns[0], columns[1])
    np.testing.assert_array_equal(layers.Dropout(1.0)(np.ones(3), training=True), np.zeros(3))
    assert len(layer.variables) == 1 and not layer.weights
    with pytest.raises(ValueError, match="rate"):
        layers.Dropout(2)


def test_reshape_permute_rescale():
    x = np.arange(12.0).reshape(2, 6)
    assert layers.Reshape((-1, 2))(x).shape == (2, 3, 2)
    assert layers.Reshape((3, 2)).compute_output_shape((None, 6)) == (None, 3, 2)
    np.testing.assert_array_equal(layers.Permute((2, 1))(x.reshape(1, 2, 6)), x.reshape(1, 2, 6).transpose(0, 2, 1))
    np.testing.assert_allclose(layers.Rescaling(1 / 255, -1)(np.array([255], np.uint8)), [0.0], atol=1e-6)
    np.testing.assert_array_equal(layers.Lambda(lambda v, by: v * by, arguments={"by": 2.0})(x), 2 * x)
    with pytest.raises(ValueError, match="total size"):
        layers.Reshape((4,))(x)
    with pytest.raises(ValueError, match="permutation"):
        layers.Permute((2, 2))


def test_elementwise_layers():
    x = np.array([[-2.0, 0.0, 3.0]])
    np.testing.assert_allclose(layers.ReLU(max_value=2.0)(x), [[0, 0, 2]])
    np.testing.assert_allclose(layers.LeakyReLU()(x), [[-0.6, 0, 3]], rtol=1e-6)
    np.testing.assert_allclose(layers.LeakyReLU(alpha=0.5)(x), [[-1, 0, 3]])
    np.testing.assert_allclose(layers.ELU()(x), [[np.expm1(-2), 0, 3]], rtol=1e-6)
    np.testing.assert_allclose(layers.Activation("exponential")(x), np.exp(x), rtol=1e-6)
    e = np.exp(x)
    np.testing.assert_allclose(layers.Softmax()(x), e / e.sum(), rtol=1e-6)
    masked = layers.Softmax()(x, mask=np.array([[True, True, False]]))
    np.testing.assert_allclose(masked, [[*e[0, :2] / e[0, :2].sum(), 0]], rtol=1e-6)
    with pytest.raises(ValueError, match="negative"):
        layers.ReLU(max_value=-1)


def test_merging_layers():
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    for name, expected in (
        ("Add", x + y),
        ("Subtract", x - y),
        ("Multiply", x * y),
        ("Average", (x + y) / 2),
        ("Maximum", y),
        ("Minimum", x),
        ("Concatenate", np.concatenate([x, y], -1)),
    ):
        np.testing.assert_array_equal(getattr(layers, name)()([x, y]), expected)
    assert layers.Add()([np.ones((2, 1)), np.ones((2, 3))]).shape == (2, 3)
    assert layers.Concatenate(axis=0).compute_output_shape([(None, 2), (3, 2)]) == (None, 2)
    for bad in ([np.ones((2, 2)), np.ones((2, 3))], np.ones((2, 2))):
        with pytest.raises(ValueError):
            layers.Add()(bad)
    with pytest.raises(ValueError, match="matching shapes"):
        layers.Concatenate()([np.ones((2, 2)), np.ones((3, 2))])


# -- calling --


def test_floats_are_cast_and_others_left():
    class Dtype(layers.Layer):
        def call(self, x):
            return x

    layer = Dtype()
    for given, expected in (
        (np.ones(2), tf.float32),
        (tf.ones(2, tf.float16), tf.float32),
        (tf.Variable(np.ones(2)), tf.float32),
        ([1.0, 2.0], tf.float32),
        ([[1, 2]], tf.int32),
        (np.array([1]), tf.int64),
        (np.array([True]), tf.bool),
    ):
        for _ in range(2):
            assert layer(given).dtype == expected
    assert Dtype(dtype="float64")(np.ones(2, np.float32)).dtype == tf.float64
    assert Dtype(autocast=False)(tf.ones(2, tf.float64)).dtype == tf.float64
    parts = layer([np.ones(2), {"a": np.ones((1, 2))}])
    assert parts[0].dtype == parts[1]["a"].dtype == tf.float32


def test_training_reaches_the_layers_inside():
    seen = []

    class Noting(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    class Around(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Noting()

        def call(self, x):
            return self.inner(x)

    outer, model = Around(), keras.Sequential([Around()])
    x = tf.ones((1, 2))
    for call in (outer, model):
        for training, expected in ((None, None), (True, True), (False, False), (None, None)):
            seen.clear()
            call(x, training=training)
            assert seen == [expected]
    outer.inner(x, True)
    assert seen[-1] is True


def test_layers_without_call_or_constructor():
    with pytest.raises(TypeError, match="call"):
        layers.Layer()(np.ones(2))

    class Forgetful(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(1)

    with pytest.raises(RuntimeError, match="super"):
        Forgetful()


def test_build_is_given_the_shapes():
    shapes = []

    class Two(layers.Layer):
        def build(self, x_shape, y_shape):
            shapes.append((x_shape, y_shape))

        def call(self, x, y):
            return x + y

    Two()(np.ones((2, 3)), y=np.ones(3))
    assert shapes == [((2, 3), (3,))]


# -- owning --


def test_tracking():
    class Net(layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = [Affine(3), layers.Dense(2)]
            self.named = {"last": Affine(1)}
            self.scale = tf.Variable(2.0, name="scale")
            self.step = tf.Variable(0, trainable=False)

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.named["last"](x) * self.scale

    net = Net()
    net(np.ones((4, 2)))
    names = [v.name for v in net.trainable_variables]
    assert names == ["scale:0", "w", "kernel", "bias", "w"]
    assert len(net.non_trainable_weights) == 3 and len(net.weights) == 8
    assert [w.shape for w in net.get_weights()][:4] == [(), (), (2, 3), (3,)]
    net.blocks.append(layers.Dense(1))
    net.blocks[-1].build((None, 1))
    assert len(net.weights) == 10
    net.blocks.pop()
    assert len(net.weights) == 8
    del net.scale
    assert len(net.weights) == 7
    net.named["more"] = net.blocks[0]
    assert len(net.weights) == 7
    variables = net.trainable_variables
    variables.clear()
    assert len(net.trainable_variables) == 4


def test_trainable():
    layer = Affine(2)
    layer(np.ones((1, 3)))
    outer = keras.Sequential([layer, layers.Dense(1)])
    outer(np.ones((1, 3)))
    assert len(outer.trainable_variables) == 3
    layer.trainable = False
    assert [v.name for v in outer.trainable_variables] == ["kernel", "bias"]
    with tf.GradientTape() as tape:
        y = layer(np.ones((1, 3)))
    assert tape.gradient(y, layer.w) is None
    outer.trainable = False
    assert outer.trainable_variables == [] and len(outer.non_trainable_weights) == 4
    outer.trainable = True
    assert len(outer.trainable_variables) == 3
    frozen = layers.Dense(1, trainable=False)
    frozen(np.ones((1, 1)))
    assert frozen.trainable_variables == []


def test_weights():
    layer = layers.Dense(2)
    layer(np.ones((1, 3)))
    layer.set_weights([np.ones((3, 2)), [1.0, 2.0]])
    np.testing.assert_array_equal(layer(np.ones((1, 3))), [[4, 5]])
    assert layer.count_params() == 8
    with pytest.raises(ValueError, match="length 1"):
        layer.set_weights([1])
    with pytest.raises(ValueError, match="shape"):
        layer.set_weights([np.ones((2, 2)), np.ones(2)])
    with pytest.raises(ValueError, match="built"):
        layers.Dense(2).count_params()


def test_names_and_paths():
    keras.backend.clear_session()
    assert [layers.Dense(1).name, layers.Dense(1).name, layers.LeakyReLU().name] == ["dense", "dense_1", "leaky_re_lu"]
    model = keras.Sequential([layers.Dense(1, input_shape=(2,), name="d")], name="m")
    assert [v.path for v in model.weights] == ["m/d/kernel", "m/d/bias"]
    assert repr(model.weights[1]) == "<Variable path=m/d/bias, shape=(1,), dtype=float32, value=[0.]>"
    assert repr(layers.Dense(1, name="q")) == "<Dense name=q, built=False>"


# -- losses --


def test_losses_of_calls():
    class Adding(layers.Layer):
        def call(self, x):
            self.add_loss(tf.reduce_sum(x))
            return x

    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Adding()

        def call(self, x):
            return self.inner(self.inner(x))

    model = Twice()
    for _ in range(2):
        model(np.ones(2))
        assert [float(loss) for loss in model.losses] == [2.0, 2.0]


def test_regularizers():
    penalty = keras.regularizers.L1(0.1)
    model = keras.Sequential(
        [layers.Dense(2, kernel_regularizer="l2", activity_regularizer=penalty, kernel_initializer="ones")]
    )
    for _ in range(2):
        model(np.ones((3, 2)))
        np.testing.assert_allclose([float(loss) for loss in model.losses], [0.4, 0.04], rtol=1e-6)
    with tf.GradientTape() as tape:
        loss = model.losses[-1]
    np.testing.assert_allclose(tape.gradient(loss, model.weights[0]), np.full((2, 2), 0.02), rtol=1e-6)


def test_add_metric_is_refused():
    with pytest.raises(AttributeError, match="Keras 3"):
        layers.Dense(1).add_metric(1.0, name="m")


# -- configurations --


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3, activation="relu", kernel_regularizer="l2", bias_constraint="non_neg", name="q"),
        layers.Dropout(0.25, seed=1),
        layers.Flatten(),
        layers.ReLU(6.0),
        layers.Reshape((2, -1)),
        layers.Softmax(axis=1),
        layers.Concatenate(axis=0),
        layers.InputLayer((3,)),
    ],
)
def test_configurations(layer):
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_own_layers_in_configurations():
    @keras.utils.register_keras_serializable("mine")
    class Halving(layers.Layer):
        def call(self, x):
            return x / 2.0

    again = layers.deserialize(layers.serialize(Halving(name="h")))
    assert type(again) is Halving and again.name == "h"
    with keras.utils.custom_object_scope({"Affine": lambda: None}), pytest.raises(ValueError):
        layers.deserialize({"class_name": "Nonsense", "config": {}})


def test_identity():
    layer = tf.keras.layers.Identity(name="same")
    x = tf.constant([[1.0, 2.0]])
    assert layer(x).numpy().tolist() == [[1.0, 2.0]]
    assert tf.keras.Sequential([layer, tf.keras.layers.Dense(3)])(x).shape == (1, 3)
    assert tf.keras.layers.Identity.from_config(layer.get_config()).name == "same"
