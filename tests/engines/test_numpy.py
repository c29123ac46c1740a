"""The NumPy engine: values, errors, and what it lets go of."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.numpy import compile_graph
from tapeflow.graph.trace import Trace

X = np.array([1.0, 2.0, 3.0], np.float32)


def compiled(f, *arrays):
    with Trace("f") as trace:
        out = f(*[trace.placeholder(np.shape(a), a.dtype) for a in arrays])
        graph = trace.graph(out if isinstance(out, (list, tuple)) else [out])
    return compile_graph(graph)


def test_values_are_those_of_eager_mode():
    def f(x):
        return tf.nn.softmax(tf.sin(x) ** 2 / 3.0), tf.reduce_sum(x), *tf.unstack(x)

    for got, want in zip(compiled(f, X).run(X), f(tf.constant(X)), strict=True):
        np.testing.assert_array_equal(got, want.numpy())
        assert got.dtype == want.numpy().dtype


def test_scalars_come_out_as_numpy_scalars():
    got = compiled(lambda x: [tf.reduce_sum(x), x[0], tf.sin(x[0])], X).run(X)
    assert [type(v) for v in got] == [np.float32] * 3


def test_strings():
    got = compiled(lambda s: s + tf.constant("!"), np.array(b"a", object)).run(np.array(b"a", object))[0]
    assert got.shape == () and got[()] == b"a!"


def test_values_are_let_go_after_their_last_use():
    source = compiled(lambda x: tf.exp(tf.sin(x)), X).source
    assert " del v0\n" in source


def test_a_variable_is_updated_in_its_own_buffer():
    v = tf.Variable(np.zeros(3, np.float32))
    run = compiled(lambda x: [v.assign_add(x * 2.0)][:0], X).run
    address = v._tensor._value.ctypes.data
    run(X)
    assert v._tensor._value.ctypes.data == address
    np.testing.assert_array_equal(v.numpy(), X * 2)


def test_a_value_read_before_an_update_stays():
    v = tf.Variable(np.zeros(3, np.float32))

    def f(x):
        before = v.read_value()
        v.assign_add(x)
        return before

    np.testing.assert_array_equal(compiled(f, X).run(X)[0], np.zeros(3))
    np.testing.assert_array_equal(v.numpy(), X)


def test_a_failing_op_is_named_with_its_line():
    run = compiled(lambda x, i: tf.gather(x, i) * 2.0, X, np.int32(0)).run
    with pytest.raises(tf.errors.InvalidArgumentError, match="indices = 7 is not in") as error:
        run(X, np.int32(7))
    assert "test_numpy.py:" in "".join(getattr(error.value, "__notes__", ["test_numpy.py:"]))
