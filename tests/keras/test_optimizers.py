"""Optimizers: steps recorded from TensorFlow 2.21, options, errors, what is kept."""

import numpy as np
import pytest

import tapeflow as tf

optimizers = tf.keras.optimizers
GRADIENTS = [[0.1, -0.2, 0.3], [-0.5, 0.4, 0.0], [1.5, 0.1, -0.7]]

# class, options, the variables [1, -2, 3] and 2 after the three gradients at rate 0.1, sums of what is kept for them
RECORDED = [
    ("SGD", {}, [0.89, -2.03, 3.04], 1.89, []),
    ("SGD", {"momentum": 0.9}, [0.9179, -2.0318, 2.9887], 1.9179, [-0.0972, -0.1131]),
    ("SGD", {"momentum": 0.9, "nesterov": True}, [0.81611, -2.05862, 3.02983], 1.81611, [-0.0972, -0.1131]),
    ("Adam", {}, [0.914232, -1.97818, 2.87134], 1.91423, [0.0972, 0.0033, 0.1131, 0.00251]),
    (
        "Adam",
        {"amsgrad": True},
        [0.914232, -1.97818, 2.87137],
        1.91423,
        [0.0972, 0.0033, 0.1131, 0.00251, 0.0033, 0.00251],
    ),
    ("AdamW", {}, [0.913089, -1.97584, 2.86784], 1.91189, [0.0972, 0.0033, 0.1131, 0.00251]),
    ("Adamax", {}, [0.915335, -1.95647, 2.87667], 1.91534, [0.0972, 2.5996, 0.1131, 1.5]),
    ("Nadam", {}, [0.893536, -2.00934, 2.9817], 1.89354, [0.0972, 0.0033, 0.1131, 0.00251, 0.11398]),
    ("RMSprop", {}, [0.693453, -2.04273, 2.97882], 1.69345, [0.32324, 0.24831]),
    ("RMSprop", {"momentum": 0.5}, [0.611636, -1.94842, 2.74165], 1.61164, [0.32324, 0.24831, 0.14579, 0.22473]),
    ("RMSprop", {"centered": True}, [0.678885, -2.03103, 2.96734], 1.67888, [0.32324, 0.24831, 0.0972, 0.1131]),
    (
        "RMSprop",
        {"centered": True, "momentum": 0.5},
        [0.589542, -1.92569, 2.71734],
        1.58954,
        [0.32324, 0.24831, 0.15081, 0.23177, 0.0972, 0.1131],
    ),
    ("Adagrad", {}, [0.960335, -2.03754, 3.01606], 1.96033, [3.6, 2.61]),
    ("Adadelta", {}, [0.999791, -2.0001, 3.00004], 1.99979, [0.16329, 0.0, 0.12483, 0.0]),
    (
        "Ftrl",
        {
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.02,
            "beta": 0.1,
            "l2_shrinkage_regularization_strength": 0.01,
        },
        [-0.009563, -0.265218, 0.668284],
        0.019988,
        [3.6, -4.27889, 2.61, -0.35371],
    ),
]


@pytest.mark.parametrize("name, options, vector, number, kept", RECORDED)
def test_steps(name, options, vector, number, kept):
    optimizer = getattr(optimizers, name)(0.1, **options)
    v, w = tf.Variable([1.0, -2.0, 3.0]), tf.Variable(2.0)
    for g in GRADIENTS:
        count = optimizer.apply_gradients([(tf.constant(g), v), (tf.constant(g[0]), w)])
    np.testing.assert_allclose(v, vector, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(w, number, rtol=1e-5, atol=1e-5)
    sums = [float(np.sum(slot.numpy())) for slot in optimizer.variables[2:]]
    np.testing.assert_allclose(sums, kept, rtol=1e-4, atol=2e-5)
    assert count is optimizer.iterations and int(count) == 3


# class, options, the variables [1, 2] and 3 after gradients [3, 4] * n and -2, n = 1 .. 4
OPTIONS = [
    ("SGD", {"clipnorm": 1.0}, [0.76, 1.68], 3.4),
    ("SGD", {"global_clipnorm": 1.0}, [0.76628, 1.68837], 3.07992),
    ("Adam", {"global_clipnorm": 1.0}, [0.59948, 1.59948], 3.36604),
    ("SGD", {"clipvalue": 0.5}, [0.8, 1.8], 3.2),
    ("SGD", {"weight_decay": 0.1}, [-2.00955, -2.03901], 3.66987),
    ("Adam", {"weight_decay": 0.1}, [0.57809, 1.53868], 3.27583),
    ("SGD", {"use_ema": True, "ema_overwrite_frequency": 2}, [0.66409, 1.55212], 3.20798),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 2}, [0.89617, 1.89617], 3.10399),
    ("SGD", {"gradient_accumulation_steps": 2}, [-0.5, 0.0], 3.4),
    ("Adam", {"gradient_accumulation_steps": 2}, [0.80522, 1.80522], 3.2),
    ("Adam", {"loss_scale_factor": 2.0}, [0.61164, 1.61164], 3.4),
]


@pytest.mark.parametrize("name, options, vector, number", OPTIONS)
def test_options(name, options, vector, number):
    optimizer = getattr(optimizers, name)(0.1, **options)
    v, w = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    for n in range(4):
        optimizer.apply_gradients([(tf.constant([3.0, 4.0]) * (n + 1), v), (tf.constant(-2.0), w)])
    np.testing.assert_allclose(v, vector, atol=3e-5)
    np.testing.assert_allclose(w, number, atol=3e-5)


def test_names_of_what_is_kept():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,), name="d")], name="m")
    optimizer = optimizers.Adam(name="a")
    optimizer.build(model.trainable_variables)
    names = ["iteration", "learning_rate", "m_d_kernel_momentum", "m_d_kernel_velocity", "m_d_bias_momentum"]
    assert [v.path for v in optimizer.variables] == [f"a/{n}" for n in [*names, "m_d_bias_velocity"]]
    assert not any(v.trainable for v in optimizer.variables)


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_dtypes_of_variables(name, dtype):
    v = tf.Variable(tf.cast([1.0, 2.0], dtype))
    getattr(optimizers, name)(0.5).apply_gradients([(tf.cast([1.0, 1.0], dtype), v)])
    assert v.dtype == dtype
    np.testing.assert_allclose(tf.cast(v, tf.float64), [0.5, 1.5], rtol=1e-2 if dtype != "float64" else 1e-5)


def test_gradients_are_cast_and_slices_scattered():
    v = tf.Variable(np.ones((3, 2), np.float32))
    optimizer = optimizers.SGD(1.0)
    optimizer.apply_gradients([(np.full((3, 2), 0.5), v)])
    optimizer.apply_gradients([(tf.IndexedSlices(tf.ones([2, 2]), tf.constant([0, 0])), v)])
    np.testing.assert_array_equal(v, [[-1.5, -1.5], [0.5, 0.5], [0.5, 0.5]])
    assert v.dtype == tf.float32


@pytest.mark.parametrize("dense_shape", [None, [3, 2]])
def test_rows_of_a_gradient_in_a_function_are_updated_as_in_eager_mode(dense_shape):
    def steps(wrap):
        v, w = tf.Variable(tf.ones([3, 2])), tf.Variable([1.0, 2.0])
        optimizer = optimizers.Adam(0.1)

        @wrap
        def step(rows, at):
            optimizer.apply_gradients([(tf.IndexedSlices(rows, at, dense_shape), v), (rows[0], w)])

        for i in range(3):
            step(tf.ones([2, 2]) * (i + 1.0), tf.constant([2, 2 - i]))
        return v.numpy(), w.numpy()

    for got, want in zip(steps(tf.function), steps(lambda f: f), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_others_hold_stays_as_it_is():
    v = tf.Variable([1.0, 2.0])
    before = v.read_value()
    for optimizer in (optimizers.SGD(0.5), optimizers.Adam(0.5), optimizers.SGD(0.5, momentum=0.9)):
        optimizer.apply_gradients([(tf.constant([1.0, 1.0]), v)])
    np.testing.assert_array_equal(before, [1.0, 2.0])
    g = tf.constant([1.0, 2.0])
    optimizers.Adam(0.5).apply_gradients([(g, v)])
    np.testing.assert_array_equal(g, [1.0, 2.0])


def test_learning_rate():
    optimizer = optimizers.SGD(lr=0.5)
    assert float(optimizer.lr) == float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    optimizer.learning_rate.assign(2 * optimizer.learning_rate)
    optimizer.lr = optimizer.lr * 0.5
    v = tf.Variable(1.0)
    optimizer.apply_gradients([(tf.constant(1.0), v)])
    assert float(v) == 0.75


def test_schedules_and_functions_as_learning_rate():
    v = tf.Variable(1.0)
    optimizer = optimizers.SGD(optimizers.schedules.ExponentialDecay(0.5, 1, 0.5))
    for expected in (0.5, 0.25, 0.125):
        optimizer.apply_gradients([(tf.constant(1.0), v)])
        assert float(v) == expected
    assert float(optimizer.learning_rate) == 0.0625
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.1
    optimizers.SGD(lambda: 0.125).apply_gradients([(tf.constant(1.0), v)])
    assert float(v) == 0.0
    assert len(optimizer.variables) == 1


def test_minimize():
    v = tf.Variable([1.0, 2.0])
    optimizers.SGD(0.5).minimize(lambda: tf.reduce_sum(v**2), [v])
    np.testing.assert_allclose(v, [0.0, 0.0])
    v.assign([3.0, 3.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(v)
    optimizers.SGD(1.0).minimize(loss, [v], tape=tape)
    np.testing.assert_allclose(v, [2.0, 2.0])
    with pytest.raises(ValueError, match="tape"):
        optimizers.SGD(1.0).minimize(loss, [v])


def test_constraints_and_decay():
    v = tf.Variable([1.0, 2.0], constraint=lambda w: tf.clip_by_value(w, 0.0, 1.0))
    w = tf.Variable(1.0, name="bias")
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply_gradients([(tf.constant([3.0, -4.0]), v), (tf.constant(0.0), w)])
    np.testing.assert_array_equal(v, [0.0, 1.0])
    assert float(w) == 1.0
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_denormals_do_not_stay():
    v = tf.Variable([1.0, 1.0])
    optimizer = optimizers.Adam(0.1)
    optimizer.apply_gradients([(tf.constant([0.0, 1.0]), v)])
    optimizer.variables[2].assign([1e-40, 1.0])
    for _ in range(127):
        optimizer.apply_gradients([(tf.constant([0.0, 1.0]), v)])
    assert optimizer.variables[2].numpy()[0] == 0.0 and optimizer.variables[2].numpy()[1] > 0.5


def test_own_optimizers():
    class Sign(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.counts = self.add_optimizer_variables(variables, "count")

        def update_step(self, gradient, variable, learning_rate):
            self.counts[self._get_variable_index(variable)].assign_add(tf.ones(variable.shape))
            self.assign_sub(variable, tf.sign(gradient) * learning_rate)

    v = tf.Variable([1.0, 2.0])
    optimizer = Sign(learning_rate=0.5)
    optimizer.apply((tf.constant([3.0, -3.0]),), [v])
    optimizer.apply([tf.constant([3.0, 3.0])])
    np.testing.assert_array_equal(v, [0.0, 2.0])
    np.testing.assert_array_equal(optimizer.variables[-1], [2.0, 2.0])


def test_missing_gradients():
    v, w = tf.Variable(1.0), tf.Variable(1.0, name="unused")
    with pytest.warns(UserWarning, match="unused"):
        optimizers.SGD(1.0).apply_gradients([(tf.constant(1.0), v), (None, w)])
    assert float(v) == 0.0 and float(w) == 1.0
    with pytest.raises(ValueError, match="No gradients provided.*unused"):
        optimizers.SGD(1.0).apply_gradients([(None, w)])
    with pytest.raises(ValueError, match="No gradients"):
        optimizers.SGD(1.0).apply_gradients([])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2)])
def test_gradients_of_another_shape(name, shape):
    v = tf.Variable([1.0, 2.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        getattr(optimizers, name)(0.1).apply_gradients([(tf.ones(shape), v)])
    np.testing.assert_array_equal(v, [1.0, 2.0])


def test_arguments_refused():
    for options in ({"momentum": 2.0}, {"clipnorm": 1.0, "clipvalue": 1.0}, {"nonsense": 1}, {"learning_rate": "fast"}):
        with pytest.raises(ValueError):
            optimizers.SGD(**options)
    with pytest.raises(ValueError, match="gradient_accumulation_steps"):
        optimizers.Adam(gradient_accumulation_steps=1)
    with pytest.warns(UserWarning, match="decay"):
        optimizers.SGD(0.1, decay=1e-6)
    with pytest.raises(ValueError, match="learning_rate_power"):
        optimizers.Ftrl(learning_rate_power=1.0)


def test_get_and_configurations():
    assert type(optimizers.get("RMSprop")) is type(optimizers.get("rmsprop")) is optimizers.RMSprop
    optimizer = optimizers.Adam(optimizers.schedules.CosineDecay(0.1, 10), beta_1=0.8, clipnorm=2.0, name="mine")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert again.beta_1 == 0.8 and float(again.learning_rate) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="identifier: nonsense"):
        optimizers.get("nonsense")


def test_weights_of_optimizers():
    v = tf.Variable([1.0, 2.0])
    first, second = optimizers.Adam(0.1), optimizers.Adam(0.1)
    first.apply_gradients([(tf.constant([1.0, 2.0]), v)])
    second.build([v])
    second.set_weights(first.get_weights())
    assert int(second.iterations) == 1
    np.testing.assert_allclose(second.variables[2], [0.1, 0.2], rtol=1e-6)
    with pytest.raises(ValueError, match="variables"):
        second.set_weights([1])
