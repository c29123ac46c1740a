"""Functions of unknown sizes: compiled for the shapes that come, and what eager mode gives for each."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines import varying
from tapeflow.engines.llvm.target import missing
from tapeflow.graph.trace import Trace
from tests.closeness import TRAINED, assert_same

ROWS = tf.TensorSpec([None, 3], tf.float32)
compiled = pytest.mark.skipif(missing() is not None, reason="nothing is compiled here")


@pytest.fixture(autouse=True)
def _compiling(monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", "llvm")


def rows(n):
    return tf.constant(np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32))


def executables(f):
    """The engine's objects by the shapes that they are for."""
    made = f.get_concrete_function()._executable.made()
    assert isinstance(made, varying.Varying)
    return made._made


def test_code_for_every_shape_that_comes():
    def plain(x):
        n = tf.shape(x)[0]
        spread = tf.reshape(x[: n // 2 + 1], [-1]) * tf.cast(n, tf.float32)
        return tf.nn.softmax(x @ tf.transpose(x)), tf.reduce_mean(spread), tf.zeros([n, 2]) + x[n - 1, 0]

    f = tf.function(plain, input_signature=[ROWS])
    for n in (2, 5, 1, 5, 2):
        for got, want in zip(f(rows(n)), plain(rows(n)), strict=True):
            assert_same(got, want)
    assert list(executables(f)) == [((2, 3),), ((5, 3),), ((1, 3),)]
    assert f.experimental_get_tracing_count() == 1
    plan = f.get_concrete_function().plan.splitlines()
    assert [line for line in plan if line.startswith("for")] == ["for [2,3]:", "for [5,3]:", "for [1,3]:"]
    assert plan[-1].endswith("for other shapes")


def test_what_a_graph_of_known_shapes_is_made_of():
    with Trace("f") as trace:
        x = trace.placeholder((None, 3), np.dtype("float32"))
        n = tf.shape(x)[0]
        graph = trace.graph([tf.reshape(x, [n * 3]) * tf.cast(n, tf.float32)])
    found = varying.of_shapes(graph, ((4, 3),))
    assert {node.op.name for node in found.nodes} == {"constant", "reshape", "multiply"}
    assert found.outputs[0].shape == (12,)
    assert graph.outputs[0].shape == (None,)
    with Trace("g") as trace:
        x = trace.placeholder((None, 3), np.dtype("float32"))
        graph = trace.graph([tf.matmul(x, x)])
    assert varying.of_shapes(graph, ((4, 3),)) is None


def test_many_shapes_go_to_numpy():
    f = tf.function(lambda x: tf.exp(x) * 2.0, input_signature=[ROWS])
    for n in range(1, 13):
        assert_same(f(rows(n)), tf.exp(rows(n)) * 2.0)
    assert len(executables(f)) == varying._MOST


def test_other_shapes_than_the_first_are_compiled_when_they_come_again(monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", "")
    f = tf.function(lambda x: tf.nn.softmax(tf.exp(x) @ tf.ones([3, 500])), input_signature=[ROWS])
    made = []
    for n in (20, 20, 7, 20, 7, 9):
        assert_same(f(rows(n)), tf.nn.softmax(tf.exp(rows(n)) @ tf.ones([3, 500])))
        made.append(len(executables(f)))
    assert made == [1, 1, 1, 1, 2, 2]


def test_what_hardly_gains_is_left_alone(monkeypatch):
    monkeypatch.setenv("TAPEFLOW_ENGINE", "")
    f = tf.function(lambda x: x * 2.0, input_signature=[ROWS])
    for n in (2, 3, 2, 3):
        np.testing.assert_array_equal(f(rows(n)), rows(n) * 2.0)
    assert not executables(f)


@compiled
def test_jit_compile_takes_any_shapes():
    f = tf.function(lambda x: tf.exp(x) @ tf.ones([3, 2]), input_signature=[ROWS], jit_compile=True)
    for n in range(1, 12):
        assert_same(f(rows(n)), tf.exp(rows(n)) @ tf.ones([3, 2]))
    assert len(executables(f)) == 11
    g = tf.function(lambda x: tf.unique(x[:, 0])[0], input_signature=[ROWS], jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot compile"):
        g(rows(2))


def test_an_error_is_the_ops_own():
    f = tf.function(lambda x, y: x @ y, input_signature=[ROWS, tf.TensorSpec([None, None])])
    assert_same(f(rows(2), tf.ones([3, 1])), rows(2) @ tf.ones([3, 1]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="MatMul|Matrix"):
        f(rows(2), tf.ones([2, 2]))


def test_training_with_a_last_batch_that_is_smaller():
    def trained(wrap):
        tf.keras.utils.set_random_seed(7)
        model = tf.keras.Sequential([tf.keras.layers.Dense(17, activation="relu"), tf.keras.layers.Dropout(0.3)])
        model.add(tf.keras.layers.Dense(4))
        model.build((None, 3))
        optimizer = tf.keras.optimizers.Adam(0.01)
        optimizer.build(model.trainable_variables)
        seen = tf.Variable(0)

        def step(x, y):
            seen.assign_add(tf.shape(x)[0])
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
                loss = tf.reduce_mean(losses)
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
            return loss

        step = wrap(step)
        losses = [step(rows(n), tf.constant(np.arange(n) % 4)) for n in (8, 8, 5, 8, 8, 5)]
        return [*losses, seen, *model.trainable_variables]

    signature = [ROWS, tf.TensorSpec([None], tf.int64)]
    by_function = trained(lambda step: tf.function(step, input_signature=signature))
    for got, want in zip(by_function, trained(lambda step: step), strict=True):
        assert_same(tf.convert_to_tensor(got), tf.convert_to_tensor(want), TRAINED)


def test_branches_and_loops_of_unknown_sizes():
    def plain(x):
        y = tf.cond(tf.shape(x)[0] > 3, lambda: x * 2.0, lambda: -x)
        total = tf.while_loop(lambda i, a: i < tf.shape(x)[0], lambda i, a: (i + 1, a + x[i]), [0, x[0] * 0.0])[1]
        return y, total

    f = tf.function(plain, input_signature=[ROWS], autograph=False)
    for n in (2, 5):
        for got, want in zip(f(rows(n)), plain(rows(n)), strict=True):
            assert_same(got, want)


def test_a_gradient_of_a_call():
    f = tf.function(lambda x: tf.reduce_sum(tf.tanh(x) ** 2), input_signature=[ROWS])
    for n in (3, 1, 4):
        x = rows(n)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert_same(tape.gradient(y, x), 2 * tf.tanh(x) * (1 - tf.tanh(x) ** 2))
