"""py_function and numpy_function, eager as TensorFlow 2.21 has them, and in traces."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.control.python_calls import numpy_function, py_func, py_function
from tapeflow.functions.function import function


def test_py_function_gives_tensors_of_the_dtypes():
    one = py_function(lambda v: v * v, [3.0], tf.float32)
    assert one.numpy() == 9.0
    several = py_function(lambda v: (v.numpy(), 2), [3.0], [tf.float32, tf.int64])
    assert [x.dtype.name for x in several] == ["float32", "int64"]
    assert py_function(lambda v: None, [3.0], []) == []
    assert py_function(lambda: "abc", [], tf.string).numpy() == b"abc"
    assert py_function(lambda v: [v, v, v], [3.0], tf.TensorSpec([], tf.float32)).numpy() == 3.0

    @py_function(Tout=tf.float32)
    def double(x):
        return x + x

    assert double(tf.constant(2.0)).numpy() == 4.0


@pytest.mark.parametrize(
    "func, Tout, kind",
    [
        (lambda v: v, tf.int32, tf.errors.InvalidArgumentError),
        (lambda v: None, tf.float32, tf.errors.InvalidArgumentError),
        (lambda v: {"a": v}, tf.float32, tf.errors.InvalidArgumentError),
        (lambda v: 1 / 0, tf.float32, tf.errors.UnknownError),
        (lambda v: v, [], tf.errors.UnknownError),
        (5, tf.float32, ValueError),
        (lambda v: v, None, TypeError),
    ],
)
def test_py_function_refuses(func, Tout, kind):
    with pytest.raises(kind):
        py_function(func, [3.0], Tout)


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: function(f, autograph=False)])
def test_py_function_has_gradients(wrap):
    calls = []

    def cube(v):
        calls.append(v.numpy())
        return v * v, v * v * v

    f = wrap(lambda x: py_function(cube, [x], [tf.float32, tf.float32]))
    x = tf.constant(3.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert [float(v) for v in y] == [9.0, 27.0]
        assert tape.gradient(y, x).numpy() == 33.0
    assert calls == [3.0, 3.0]


def test_numpy_function():
    assert numpy_function(lambda v: v * 2, [[1, 2]], tf.int32).numpy().tolist() == [2, 4]
    assert numpy_function(lambda v: v * v, [3.0], tf.float32).dtype == tf.float64  # what NumPy makes of 3.0
    assert numpy_function(lambda v: type(v).__name__, [3], tf.string).numpy() == b"ndarray"
    assert numpy_function(lambda v: None, [3], []) is None
    assert [x.numpy() for x in py_func(lambda v: [v, v + 1], [tf.constant(3)], tf.int32)] == [3, 4]
    with pytest.raises(ZeroDivisionError):
        numpy_function(lambda v: 1 / 0, [3], tf.int64)


def test_numpy_function_in_a_trace_runs_at_each_call():
    seen = []

    def add(v):
        seen.append(v.copy())
        return v + np.float64(1)

    f = function(lambda x: numpy_function(add, [x], tf.float32) * 2.0, autograph=False)
    assert [f(tf.constant([1.0])).numpy().tolist(), f(tf.constant([2.0])).numpy().tolist()] == [[4.0], [6.0]]
    assert [v.tolist() for v in seen] == [[1.0], [2.0]]
    assert f(tf.constant([1.0])).dtype == tf.float32
