"""TensorArray, as TensorFlow 2.21 has it outside of traces, and within them."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.control.tensor_array import TensorArray


def filled(**options):
    return TensorArray(tf.float32, 3, **options).unstack([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_rows_in_and_out():
    ta = filled(clear_after_read=False)
    assert ta.size().numpy() == 3 and ta.element_shape == [2] and ta.dtype == tf.float32
    assert ta.read(1).numpy().tolist() == [3.0, 4.0]
    assert ta.gather([2, 0]).numpy().tolist() == [[5.0, 6.0], [1.0, 2.0]]
    assert ta.concat().numpy().tolist() == [1, 2, 3, 4, 5, 6]
    assert ta.stack().shape == [3, 2] and ta.gather([]).shape == [0, 2]
    ta = ta.scatter([2, 0], [[0.0, 0.0], [9.0, 9.0]])
    assert ta.stack().numpy().tolist() == [[9.0, 9.0], [3.0, 4.0], [0.0, 0.0]]


def test_what_was_read_is_cleared():
    ta = filled()
    ta.read(0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="clear_after_read"):
        ta.read(0)
    assert ta.stack().numpy()[0].tolist() == [0.0, 0.0]
    assert ta.write(0, [7.0, 7.0]).read(0).numpy().tolist() == [7.0, 7.0]


def test_growing_and_missing_elements():
    ta = TensorArray(tf.float32, 0, dynamic_size=True)
    assert ta.stack().shape == [0]
    ta = ta.write(2, 1.0)
    assert ta.stack().numpy().tolist() == [0.0, 0.0, 1.0]
    assert TensorArray(tf.string, 2).write(0, "a").stack().numpy().tolist() == [b"a", b""]
    assert TensorArray(tf.float32, 2, element_shape=[3]).read(1).numpy().tolist() == [0.0] * 3


def test_split_and_uneven_elements():
    ta = TensorArray(tf.float32, 2, infer_shape=False).split([1.0, 2.0, 3.0], [1, 2])
    assert ta.concat().numpy().tolist() == [1.0, 2.0, 3.0]
    assert ta.read(1).numpy().tolist() == [2.0, 3.0]


def array(**options):
    return TensorArray(tf.float32, 2, **options)


@pytest.mark.parametrize(
    "call, kind",
    [
        (lambda: TensorArray(tf.float32), ValueError),
        (lambda: TensorArray(tf.float32, 2.5), TypeError),
        (lambda: TensorArray("nothing", 2), TypeError),
        (lambda: array().write(2, 1.0), tf.errors.OutOfRangeError),
        (lambda: array().write(-1, 1.0), tf.errors.OutOfRangeError),
        (lambda: array().read(2), tf.errors.OutOfRangeError),
        (lambda: array().read(-1), tf.errors.OutOfRangeError),
        (lambda: array().read(0), ValueError),
        (lambda: array().stack(), ValueError),
        (lambda: array(element_shape=[None, 2]).stack(), ValueError),
        (lambda: array().write(0, tf.constant(1)), tf.errors.InvalidArgumentError),
        (lambda: array().write(0, 1.0).write(1, [1.0]), ValueError),
        (lambda: array(element_shape=[2]).write(0, 1.0), ValueError),
        (lambda: array().unstack([1.0, 2.0, 3.0]), ValueError),
        (lambda: array().unstack(1.0), ValueError),
        (lambda: array().split([1.0, 2.0], [1, 2]), tf.errors.InvalidArgumentError),
        (lambda: array().write(0, 1.0).write(1, 2.0).concat(), tf.errors.InvalidArgumentError),
        (lambda: array().scatter([0, 5], [[1.0], [2.0]]), tf.errors.OutOfRangeError),
    ],
)
def test_refuses(call, kind):
    with pytest.raises(kind):
        call()


def test_gradients_flow_through():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        ta = TensorArray(tf.float32, 2).write(0, x).write(1, x * x)
        y = tf.reduce_sum(ta.stack())
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [3.0, 5.0])


def test_in_a_trace_of_a_fixed_length():
    @tf.function
    def f(x):
        ta = TensorArray(tf.float32, 0, dynamic_size=True)
        for i in range(3):
            ta = ta.write(i, x * float(i))
        return ta.stack()

    assert f(tf.constant(2.0)).numpy().tolist() == [0.0, 2.0, 4.0]
