"""Symbolic tensors: what is known of them, and what asking for more says."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.graph.trace import Symbolic, Trace

FLOAT = np.dtype("float32")


@pytest.fixture
def trace():
    made = Trace("f")
    with made:
        yield made


def test_shape_and_dtype_are_known(trace):
    x = trace.placeholder((None, 3), FLOAT)
    y = tf.cast(tf.matmul(x, tf.ones([3, 2])), tf.float64)
    assert isinstance(y, Symbolic) and tf.is_tensor(y)
    assert y.shape.as_list() == [None, 2] and y.dtype == tf.float64 and y.ndim == 2


def test_what_depends_on_no_input_is_computed(trace):
    trace.placeholder((), FLOAT)
    assert (tf.constant(2.0) * 3.0).numpy() == 6.0
    assert trace.nodes == []


def test_shapes_that_are_known_are_constants(trace):
    x = trace.placeholder((2, 3), FLOAT)
    assert tf.shape(x).numpy().tolist() == [2, 3]
    assert tf.reshape(x, [tf.shape(x)[1], -1]).shape == [3, 2]


@pytest.mark.parametrize(
    "ask, kind, way_out",
    [
        (bool, tf.errors.OperatorNotAllowedInGraphError, "tf.cond"),
        (list, tf.errors.OperatorNotAllowedInGraphError, "tf.map_fn"),
        (float, TypeError, "tf.cast"),
        (int, TypeError, "tf.cast"),
        (np.asarray, NotImplementedError, "tf.numpy_function"),
        (lambda x: x.numpy(), AttributeError, "tf.print"),
        (lambda x: len(x[:, 0] if x.shape[0] is None else x), TypeError, "tf.shape"),
    ],
)
def test_asking_for_a_value_names_the_line_and_the_way_out(trace, ask, kind, way_out):
    x = trace.placeholder((None, 2), FLOAT)
    with pytest.raises(kind, match=r"test_trace.py:\d+") as error:
        ask(x)
    assert way_out in str(error.value)


def test_shapes_that_do_not_fit_are_a_value_error_with_the_line(trace):
    x = trace.placeholder((2, 3), FLOAT)
    with pytest.raises(ValueError, match=r"Incompatible shapes: \[2,3\] vs. \[2\].*test_trace.py"):
        x + tf.ones([2])
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.matmul(x, x)


def test_a_tensor_that_leaked_says_so():
    with Trace("inner") as inner:
        x = inner.placeholder((), FLOAT)
    with pytest.raises(TypeError, match="out of scope.*inner"):
        x + 1.0
    with Trace("other"), pytest.raises(TypeError, match="out of scope"):
        x + 1.0


def test_the_graph_of_a_branch_captures_what_it_uses(trace):
    x = trace.placeholder((2,), FLOAT)
    v = tf.Variable(2.0)
    inner = Trace("branch", parent=trace, lift_reads=True)
    with inner:
        y = x * v + x
    graph = inner.graph([y])
    assert len(graph.inputs) == 2
    assert any(outer is x for outer, _ in inner.captures)
    assert [node.op.name for node in trace.nodes] == ["read_variable"]


def test_init_scope_is_outside(trace):
    assert not tf.executing_eagerly() and tf.inside_function()
    with tf.init_scope():
        assert tf.executing_eagerly() and not tf.inside_function()
    assert not tf.executing_eagerly()


def test_a_symbolic_tensor_prints_as_tensorflow_has_it():
    shown = []

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec(None)])
    def f(x, y):
        shown.extend([str(x), f"{x}", repr(x), str(y)])
        return x

    f(tf.ones([1, 2]), 1.0)
    told = 'Tensor("x:0", shape=(None, 2), dtype=float32)'
    of_any_rank = 'Tensor("y:0", dtype=float32)'
    assert shown == [told, told, "<tf.Tensor 'x:0' shape=(None, 2) dtype=float32>", of_any_rank]
