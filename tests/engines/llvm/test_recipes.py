"""What a graph was compiled to comes back from disk for a graph like it, and for no other."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines import llvm
from tapeflow.engines.llvm import cache
from tapeflow.engines.llvm.recipes import fingerprint
from tests.engines.llvm.running import graph_of

X = np.linspace(-2, 2, 33, dtype=np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_CACHE", str(tmp_path / "kept"))
    cache._told.clear()
    return tmp_path / "kept"


def step(v, factor=0.5):
    def f(x):
        v.assign_sub(tf.tanh(x) * factor)
        return [tf.reduce_sum(v, 0), tf.exp(x)]

    return graph_of(f, [X])


@pytest.fixture
def nothing_is_compiled(monkeypatch):
    def refuse(*_):
        raise AssertionError("compiled once more")

    return lambda: monkeypatch.setattr(llvm, "compile_region", refuse)


@pytest.mark.parametrize("strict", [False, True])
def test_a_graph_like_it_is_not_compiled_again(strict, nothing_is_compiled):
    target = llvm.host()
    first, second = tf.Variable(X), tf.Variable(X)
    want = llvm.compile_graph(step(first), target, strict=strict).run(X)
    nothing_is_compiled()
    again = llvm.compile_graph(step(second), target, strict=strict)
    for got, expected in zip(again.run(X), want, strict=True):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(second, first)


def test_an_object_that_is_gone_is_made_again(folder):
    target = llvm.host()
    want = llvm.compile_graph(step(tf.Variable(X)), target).run(X)
    for path in folder.iterdir():
        if not path.name.startswith("r"):
            path.unlink()
    got = llvm.compile_graph(step(tf.Variable(X)), target).run(X)
    np.testing.assert_array_equal(got[0], want[0])


def test_what_is_compiled_in_part_is_still_refused_as_a_whole():
    target = llvm.host()
    graph = graph_of(lambda x: tf.numpy_function(np.cos, [tf.exp(x)], tf.float32), [X])
    llvm.compile_graph(graph, target)
    with pytest.raises(llvm.Unsupported, match="numpy_function"):
        llvm.compile_graph(graph, target, strict=True)


def test_fingerprints_tell_graphs_apart():
    target = llvm.host()
    v, w = tf.Variable(X), tf.Variable(np.ones((33, 2), np.float32))

    def of(graph, least=0, strict=False):
        return fingerprint(graph, target, least, strict)

    assert of(step(v)) == of(step(tf.Variable(X + 1)))
    functions = [(lambda x: [tf.sort(x)], X), (lambda x: [tf.sort(x)], X[1:]), (lambda x: [w + 1.0], X),
                 (lambda x: [tf.sort(x)], X.astype("float64")), (lambda x: [tf.reduce_sum(w, 0)], X),
                 (lambda x: [tf.reduce_sum(w, 1)], X)]  # fmt: skip
    others = [step(v, 0.25), *[graph_of(f, [x]) for f, x in functions]]
    found = {of(step(v)), of(step(v), 5), of(step(v), 0, True), *map(of, others)}
    assert None not in found and len(found) == 3 + len(others)


def test_a_function_of_the_program_has_no_fingerprint():
    graph = graph_of(lambda x: tf.numpy_function(lambda x: x, [x], tf.float32), [X])
    assert fingerprint(graph, llvm.host(), 0, False) is None
