"""What passes take out of graphs, and that the values stay."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.numpy import compile_graph
from tapeflow.graph.passes import folded, merged, optimized, pruned, simplified
from tapeflow.graph.trace import Trace

X = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]], np.float32)


def graph_of(f, *arrays):
    with Trace("f") as trace:
        result = f(*[trace.placeholder(a.shape, a.dtype) for a in arrays])
        return trace.graph(result if isinstance(result, (list, tuple)) else [result])


def ops(graph):
    return [node.op.name for node in graph.nodes]


@pytest.mark.parametrize(
    "f, left",
    [
        (lambda x: x * 1.0 + 2.0, ["add"]),
        (lambda x: (x - 0.0) / 1.0 + 2.0, ["add"]),
        (lambda x: tf.transpose(tf.transpose(x)) + 2.0, ["add"]),
        (lambda x: tf.cast(tf.identity(x), tf.float32) + 2.0, ["add"]),
        (lambda x: tf.reshape(x, [2, 3]) + 2.0, ["add"]),
        (lambda x: tf.transpose(x), ["transpose"]),
        (lambda x: x * 1.0 * tf.ones([4, 2, 3]), ["multiply"]),
        (lambda x: tf.sin(x) + tf.sin(x), ["sin", "add"]),
    ],
)
def test_what_is_left(f, left):
    graph = graph_of(f, X)
    short = optimized(graph)
    assert [name for name in ops(short) if name != "constant"] == left
    np.testing.assert_array_equal(compile_graph(short).run(X)[0], compile_graph(graph).run(X)[0])


def test_adding_zero_stays_for_floats_because_of_negative_zero():
    graph = optimized(graph_of(lambda x: x + 0.0, X))
    assert "add" in ops(graph)
    assert not np.signbit(compile_graph(graph).run(np.full((2, 3), -0.0, np.float32))[0]).any()


def test_nodes_that_nobody_needs_go_and_effects_stay():
    v = tf.Variable(1.0)

    def f(x):
        tf.exp(x)
        v.assign_add(tf.reduce_sum(x))
        v.read_value()
        return x

    assert ops(pruned(graph_of(f, X))) == ["reduce_sum", "assign_add"]


def test_reads_on_both_sides_of_a_write_are_two():
    v = tf.Variable(1.0)

    def f(x):
        before = v + 0.0
        v.assign_add(2.0)
        return before, v + 0.0, x

    graph = optimized(graph_of(f, X))
    assert ops(graph).count("read_variable") == 2
    assert [float(out) for out in compile_graph(graph).run(X)[:2]] == [1.0, 3.0]


def test_random_numbers_are_not_merged():
    graph = merged(graph_of(lambda x: tf.random.uniform([2, 3]) - tf.random.uniform([2, 3]), X))
    assert ops(graph).count("node_stream") == 2


def test_constants_fold():
    with Trace("f") as trace:
        x = trace.placeholder((3,), np.dtype("float32"))
        ones = trace.add(tf.sqrt.op, (tf.constant([4.0, 9.0, 16.0]),), ())
        graph = trace.graph([x * ones])
    short = pruned(folded(graph))
    assert ops(short) == ["constant", "multiply"]
    np.testing.assert_array_equal(compile_graph(short).run(np.ones(3, np.float32))[0], [2.0, 3.0, 4.0])


def test_passes_leave_their_graph_as_it_was():
    graph = graph_of(lambda x: tf.identity(x) * 1.0 + tf.sin(x), X)
    before = str(graph)
    for run in (simplified, folded, merged, pruned):
        run(graph)
    assert str(graph) == before
