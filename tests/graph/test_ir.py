"""Graphs as text."""

import numpy as np

import tapeflow as tf
from tapeflow.graph.trace import Trace


def test_one_line_a_node_with_op_inputs_attributes_shape_dtype_and_place():
    v = tf.Variable([1.0, 2.0], name="w")
    with Trace("step") as trace:
        x = trace.placeholder((None, 2), np.dtype("float32"), "x")
        y = tf.reduce_sum(x * v, 0)
        v.assign_add(y)
    lines = str(trace.graph([y])).splitlines()
    assert lines[0] == "graph step(%x: float32[?,2]):"
    assert [line.split("#")[0].split() for line in lines[1:-1]] == [
        ["%1", "=", "read_variable(w:0)", "float32[2]"],
        ["%2", "=", "multiply(%x,", "%1)", "float32[?,2]"],
        ["%3", "=", "reduce_sum(%2,", "(0,),", "False)", "float32[2]"],
        ["assign_add(%3,", "w:0)"],
    ]
    assert all("# test_ir.py:" in line for line in lines[1:-1])
    assert lines[-1] == "  return %3"


def test_constants_show_their_values():
    with Trace("f") as trace:
        x = trace.placeholder((), np.dtype("int32"))
        y = x + 3
    assert "constant(3)" in str(trace.graph([y]))


def test_a_page_has_every_line(tmp_path):
    f = tf.function(lambda x: tf.cast(x < 1.0, tf.float32))
    graph = f.get_concrete_function(tf.constant([1.0])).graph
    path = graph.show(str(tmp_path / "graph.html"), open_browser=False)
    text = (tmp_path / "graph.html").read_text()
    assert path.endswith("graph.html")
    assert "less(%x, %1)" in text and "float32[1]" in text and "http" not in text
