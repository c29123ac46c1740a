"""Layers over space: convolution, pooling, padding, cropping, upsampling; against the ops, and TensorFlow's numbers."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import assert_same

layers = tf.keras.layers
RNG = np.random.default_rng(5)
IMAGES = RNG.standard_normal((2, 7, 6, 4)).astype(np.float32)
STEPS = RNG.standard_normal((2, 7, 4)).astype(np.float32)
VOLUMES = RNG.standard_normal((1, 5, 4, 4, 4)).astype(np.float32)
OF_RANK = {1: STEPS, 2: IMAGES, 3: VOLUMES}


def filled(layer, x):
    """The layer, built for x, with weights that are no longer zeros."""
    layer(x)
    layer.set_weights([(np.arange(w.size) * 7 % 11 / 10 - 0.4).reshape(w.shape) for w in layer.get_weights()])
    return layer


MADE = [
    (layers.Conv1D(3, 3, strides=2, padding="same"), 1),
    (layers.Conv1D(3, 2, padding="causal", dilation_rate=3), 1),
    (layers.Conv2D(6, (3, 2), groups=2, activation="relu"), 2),
    (layers.Conv2D(3, 3, padding="same", dilation_rate=2, use_bias=False), 2),
    (layers.Conv3D(2, 2, padding="same"), 3),
    (layers.Conv1DTranspose(2, 3, strides=2), 1),
    (layers.Conv2DTranspose(3, 3, strides=(2, 3), padding="same"), 2),
    (layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=0), 2),
    (layers.Conv2DTranspose(3, 3, dilation_rate=2), 2),
    (layers.Conv3DTranspose(2, 2, strides=2, output_padding=1), 3),
    (layers.DepthwiseConv1D(3, depth_multiplier=2), 1),
    (layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), 2),
    (layers.SeparableConv1D(3, 3), 1),
    (layers.SeparableConv2D(3, 3, strides=2, padding="same", depth_multiplier=2, activation="tanh"), 2),
    (layers.MaxPooling1D(3, strides=1), 1),
    (layers.MaxPooling2D(), 2),
    (layers.MaxPooling2D((2, 3), padding="same"), 2),
    (layers.MaxPooling3D(2, padding="same"), 3),
    (layers.AveragePooling1D(2), 1),
    (layers.AveragePooling2D(3, strides=2, padding="same"), 2),
    (layers.AveragePooling3D(2), 3),
    (layers.GlobalAveragePooling1D(), 1),
    (layers.GlobalAveragePooling2D(keepdims=True), 2),
    (layers.GlobalAveragePooling3D(), 3),
    (layers.GlobalMaxPooling1D(keepdims=True), 1),
    (layers.GlobalMaxPooling2D(), 2),
    (layers.GlobalMaxPooling3D(), 3),
    (layers.ZeroPadding1D((1, 2)), 1),
    (layers.ZeroPadding2D(((1, 2), (0, 3))), 2),
    (layers.ZeroPadding3D((1, 0, 2)), 3),
    (layers.Cropping1D((1, 2)), 1),
    (layers.Cropping2D(((1, 2), (0, 3))), 2),
    (layers.Cropping3D(), 3),
    (layers.UpSampling1D(3), 1),
    (layers.UpSampling2D((2, 3)), 2),
    (layers.UpSampling2D(2, interpolation="bilinear"), 2),
    (layers.UpSampling3D((1, 2, 1)), 3),
]


@pytest.mark.parametrize(("layer", "rank"), MADE, ids=lambda x: getattr(x, "name", ""))
def test_shape_configuration_and_format(layer, rank):
    """The shape is the one foretold, a layer of the configuration computes the same, so do channels that come first."""
    x = OF_RANK[rank]
    y = filled(layer, x)(x)
    assert tuple(layer.compute_output_shape(x.shape)) == y.shape
    assert tuple(layer.compute_output_shape((None, *x.shape[1:])))[1:] == y.shape[1:]
    config = layer.get_config()
    again = filled(layers.deserialize(layers.serialize(layer)), x)
    assert again.get_config() == config
    np.testing.assert_allclose(again(x), y, rtol=1e-6)
    if "data_format" not in config or config.get("padding") == "causal":
        return
    first = type(layer).from_config({**config, "data_format": "channels_first", "name": "first"})
    turned = np.moveaxis(x, -1, 1)
    z = filled(first, turned)(turned)
    assert tuple(first.compute_output_shape(turned.shape)) == z.shape
    z = z.numpy()
    np.testing.assert_allclose(z if y.shape.rank == 2 else np.moveaxis(z, 1, -1), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("layer", "rank"), MADE, ids=lambda x: getattr(x, "name", ""))
def test_sizes_that_a_trace_does_not_know(layer, rank):
    x = tf.constant(OF_RANK[rank])
    eager = filled(layer, x)(x)
    known = {"bilinear": [None, *x.shape[1:]]}.get(layer.get_config().get("interpolation"), [None] * (rank + 1) + [4])
    f = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec(known)])
    assert_same(f(x), eager)


def test_convolution_is_that_of_the_op():
    layer = layers.Conv2D(3, (3, 2), strides=2, padding="same", activation="relu", bias_initializer="ones")
    with tf.GradientTape() as tape:
        y = layer(IMAGES)
    kernel, bias = layer.trainable_variables
    assert [(v.name, tuple(v.shape)) for v in (kernel, bias)] == [("kernel", (3, 2, 4, 3)), ("bias", (3,))]
    want = tf.nn.relu(tf.nn.conv2d(IMAGES, kernel, 2, "SAME") + 1.0)
    np.testing.assert_allclose(y, want, rtol=1e-6)
    to_bias = tape.gradient(y, bias)
    np.testing.assert_array_equal(to_bias, np.count_nonzero(want, (0, 1, 2)))


def test_causal_convolution_looks_only_back():
    layer = filled(layers.Conv1D(2, 3, padding="causal", dilation_rate=2), STEPS)
    changed = STEPS.copy()
    changed[:, 4:] += 1
    before, after = layer(STEPS).numpy(), layer(changed).numpy()
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert before.shape == (2, 7, 2) and not np.allclose(before[:, 4], after[:, 4])


def test_transposed_convolution_sizes_as_recorded():
    x = np.zeros((1, 6, 6, 2), np.float32)
    for options, size in (
        ({"strides": 2}, 13),
        ({"strides": 2, "padding": "same"}, 12),
        ({"strides": 2, "padding": "same", "output_padding": 0}, 11),
        ({"strides": 2, "padding": "same", "output_padding": 1}, 12),
        ({"strides": 2, "output_padding": 1}, 14),
        ({"dilation_rate": 2}, 10),
    ):
        assert layers.Conv2DTranspose(4, 3, **options)(x).shape == (1, size, size, 4)
    assert layers.Conv2DTranspose(4, 1, strides=2)(x).shape == (1, 12, 12, 4)


def test_weights_of_depthwise_and_separable_layers():
    depthwise, separable = layers.DepthwiseConv2D(3, depth_multiplier=2), layers.SeparableConv2D(5, 3)
    y, _ = depthwise(IMAGES), separable(IMAGES)
    assert [(w.name, tuple(w.shape)) for w in depthwise.weights] == [("kernel", (3, 3, 4, 2)), ("bias", (8,))]
    assert [(w.name, tuple(w.shape)) for w in separable.weights] == [
        ("depthwise_kernel", (3, 3, 4, 1)), ("pointwise_kernel", (1, 1, 4, 5)), ("bias", (5,)),
    ]  # fmt: skip
    np.testing.assert_allclose(
        y, tf.nn.depthwise_conv2d(IMAGES, depthwise.kernel, [1, 1, 1, 1], "VALID"), rtol=1e-5, atol=1e-6
    )
    names = {"depthwise_initializer", "pointwise_initializer", "bias_initializer", "pointwise_constraint"}
    assert names <= separable.get_config().keys()


def test_penalties_and_constraints_of_filters():
    layer = layers.Conv2D(2, 1, kernel_regularizer="l2", kernel_constraint="non_neg", activity_regularizer="l1")
    layer(IMAGES)
    assert len(layer.losses) == 2
    config = layer.get_config()
    assert config["kernel_regularizer"]["class_name"] == "L2"
    assert config["kernel_constraint"]["class_name"] == "NonNeg"
    assert layer.kernel.constraint is layer.kernel_constraint


def test_upsampling_as_recorded():
    x = np.arange(4.0, dtype=np.float32).reshape(1, 2, 2, 1)
    bilinear = layers.UpSampling2D(2, interpolation="bilinear")(x)
    want = [[0, 0.25, 0.75, 1], [0.5, 0.75, 1.25, 1.5], [1.5, 1.75, 2.25, 2.5], [2, 2.25, 2.75, 3]]
    np.testing.assert_allclose(bilinear[0, ..., 0], want, rtol=1e-6)
    bicubic = layers.UpSampling2D(2, interpolation="bicubic")(x)
    np.testing.assert_allclose(bicubic[0, 0, :, 0], [-0.2647059, 0.03067228, 0.6163866, 0.91176486], rtol=1e-5)
    nearest = layers.UpSampling2D((1, 2))(x)
    np.testing.assert_array_equal(nearest[0, ..., 0], [[0, 0, 1, 1], [2, 2, 3, 3]])


def test_a_mask_leaves_steps_out_of_the_mean():
    mask = np.arange(7) < np.array([[3], [7]])
    y = layers.GlobalAveragePooling1D()(STEPS, mask=mask)
    np.testing.assert_allclose(y, [STEPS[0, :3].mean(0), STEPS[1].mean(0)], rtol=1e-5, atol=1e-6)


def test_a_small_network_learns():
    """Bars, upright or lying: a convolution tells them apart."""
    x = np.zeros((40, 8, 8, 1), np.float32)
    y = np.arange(40) % 2
    for i, one in enumerate(x):
        at = RNG.integers(8)
        one[(at if y[i] else slice(None)), (slice(None) if y[i] else at)] = 1
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
            layers.MaxPool2D(2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(0.05)
    for _ in range(40):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    assert (np.argmax(model(x), -1) == y).all()


def test_other_names_are_the_same_classes():
    assert layers.Convolution2D is layers.Conv2D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalMaxPool3D is layers.GlobalMaxPooling3D


@pytest.mark.parametrize(
    ("match", "call"),
    [
        ("`filters`", lambda: layers.Conv2D(0, 3)),
        ("`filters`", lambda: layers.Conv2D(2.5, 3)),
        ("`kernel_size` .* 2 integers", lambda: layers.Conv2D(2, (3, 3, 3))),
        ("kernel_size=0", lambda: layers.Conv2D(2, 0)),
        ("`strides`", lambda: layers.Conv2D(2, 3, strides=0)),
        ("`padding`", lambda: layers.Conv2D(2, 3, padding="causal")),
        ("dilation_rate", lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2)),
        ("groups", lambda: layers.Conv2D(3, 3, groups=2)),
        ("positive integer. Received: groups", lambda: layers.Conv2D(3, 3, groups=0)),
        ("4 channels", lambda: layers.Conv2D(3, 3, groups=3)(IMAGES)),
        ("data_format", lambda: layers.Conv2D(2, 3, data_format="foo")),
        ("4 dimensions", lambda: layers.Conv2D(2, 3)(IMAGES[0])),
        ("must be known", lambda: layers.Conv2D(2, 3).build((None, 6, 6, None))),
        ("zero or negative", lambda: layers.Conv2D(2, 9)(IMAGES)),
        ("zero or negative", lambda: layers.Conv1D(2, 3).compute_output_shape((None, 2, 4))),
        ("axis -1", lambda: filled(layers.Conv2D(2, 3), IMAGES)(IMAGES[..., :3])),
        ("ndim=4", lambda: filled(layers.Conv2D(2, 3), IMAGES)(STEPS)),
        ("output_padding", lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2)),
        ("depth_multiplier", lambda: layers.DepthwiseConv2D(3, depth_multiplier=0)),
        ("`pool_size`", lambda: layers.MaxPooling2D(0)),
        ("`padding`", lambda: layers.AveragePooling2D(2, padding="causal")),
        ("zero or negative", lambda: layers.MaxPooling2D(9)(IMAGES)),
        ("ndim=4", lambda: layers.MaxPooling2D(2)(STEPS)),
        ("ndim=4", lambda: layers.GlobalAveragePooling2D()(STEPS)),
        ("2 elements", lambda: layers.ZeroPadding2D((1, 2, 3))),
        ("two ints", lambda: layers.ZeroPadding2D(((1, 2, 3), 1))),
        ("negative", lambda: layers.ZeroPadding2D(-1)),
        ("smaller than", lambda: layers.Cropping2D(4)(IMAGES)),
        ("smaller than", lambda: layers.Cropping1D(4).compute_output_shape((None, 7, 2))),
        ("interpolation", lambda: layers.UpSampling2D(2, interpolation="foo")),
        ("`size`", lambda: layers.UpSampling2D(0)),
    ],
)
def test_what_layers_refuse(match, call):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("layer", [layers.Conv2D(2, 3), layers.Conv2DTranspose(2, 3), layers.SeparableConv2D(2, 3)])
def test_integers_are_not_convolved_with_floats(layer):
    with pytest.raises(tf.errors.InvalidArgumentError, match="int32"):
        layer(tf.ones((1, 4, 4, 1), tf.int32))


def test_integers_are_not_averaged():
    with pytest.raises(tf.errors.InvalidArgumentError, match="int32"):
        layers.AveragePooling2D(2)(tf.ones((1, 4, 4, 1), tf.int32))
    assert layers.MaxPooling2D(2)(tf.ones((1, 4, 4, 1), tf.int32)).dtype == "int32"


def test_an_interpolation_needs_known_sizes():
    layer = layers.UpSampling2D(2, interpolation="bicubic")
    f = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec([1, None, 4, 1])])
    with pytest.raises(tf.errors.UnimplementedError, match="bicubic"):
        f(tf.ones((1, 4, 4, 1)))
