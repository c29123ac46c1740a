"""Functions traced with tensors of unknown rank: values, gradients and what is known of shapes."""

import numpy as np
import pytest

import tapeflow as tf

X = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])

PROGRAMS = {
    "sum": lambda x: tf.reduce_sum(x),
    "mean of rows": lambda x: tf.reduce_mean(x * x, 0),
    "keepdims": lambda x: x - tf.reduce_max(x, axis=-1, keepdims=True),
    "deviation": lambda x: tf.math.reduce_std(x, 0),
    "expand": lambda x: tf.expand_dims(x, 0) * tf.expand_dims(x, -1)[..., 0],
    "squeeze": lambda x: tf.squeeze(x[tf.newaxis], 0) ** 2,
    "slices": lambda x: x[::-1] * x[0] + x[:, 1:2],
    "transpose": lambda x: tf.transpose(x) ** 2,
    "matmul": lambda x: tf.matmul(x, x, transpose_b=True),
    "product": lambda x: x @ tf.ones([3, 2]) ** 2,
    "concat": lambda x: tf.concat([x, x * x], 0),
    "stack": lambda x: tf.stack([x, x * x], -1),
    "split": lambda x: tf.split(x, [1, 2], 1)[1] ** 2,
    "gather": lambda x: tf.gather(x, [0, 2], axis=1) ** 2,
    "softmax": lambda x: tf.nn.log_softmax(x),
    "broadcast": lambda x: x * tf.ones([3]) + tf.reduce_sum(x),
    "clip": lambda x: tf.clip_by_norm(x, 1.0),
    "reshape": lambda x: tf.reshape(x, [-1]) ** 2,
    "moments": lambda x: sum(tf.nn.moments(x, [0])),
    "top": lambda x: tf.math.top_k(x, 2).values ** 2,
    "zeros of its shape": lambda x: tf.zeros(tf.shape(x)) + x * x,
    "rows": lambda x: tf.map_fn(lambda row: row * row, x),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_those_of_eager_mode(name):
    f = PROGRAMS[name]

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tf.convert_to_tensor(tape.gradient(y, x))

    anything = [tf.TensorSpec(None, tf.float32)]
    np.testing.assert_allclose(tf.function(f, input_signature=anything)(X), f(X), rtol=1e-6)
    np.testing.assert_allclose(tf.function(gradient, input_signature=anything)(X), gradient(X), rtol=1e-5, atol=1e-6)
    traced = tf.function(f, input_signature=anything)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = traced(X)
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(y, X)), gradient(X), rtol=1e-5, atol=1e-6)


def test_ranks_that_a_result_must_have_are_known():
    ranks = []

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def f(x):
        ranks.append((tf.reshape(x, [-1, 3]).shape.as_list(), tf.reduce_sum(x).shape.as_list()))
        ranks.append(tf.expand_dims(x, 0).shape.rank)
        return x

    f(X)
    assert ranks == [([None, 3], []), None]


def test_what_fits_no_rank_is_refused_while_tracing():
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def f(x):
        return tf.reduce_sum(x, axis="rows")

    with pytest.raises(tf.errors.InvalidArgumentError, match="int32, int64"):
        f(X)


def test_rewards_of_python_code():
    rewards = np.array([1.0, 2.0, 3.0], np.float32)

    @tf.function
    def returns(n):
        collected = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        for i in tf.range(n):
            collected = collected.write(i, tf.numpy_function(lambda k: rewards[k], [i], tf.float32))
        reversed_ = tf.cast(collected.stack()[::-1], tf.float32)
        total, sums = tf.constant(0.0), tf.TensorArray(tf.float32, n)
        for i in tf.range(n):
            total = reversed_[i] + 0.5 * total
            total.set_shape([])
            sums = sums.write(i, total)
        return tf.expand_dims(sums.stack()[::-1], 1)

    np.testing.assert_allclose(returns(tf.constant(3))[:, 0], [2.75, 3.5, 3.0])
