"""Random numbers of compiled code: eager mode's, wherever a stream begins and however many are drawn."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.llvm.target import of
from tests.closeness import FUNCTION, assert_within
from tests.engines.llvm.running import TARGETS, graph_of, native, on_both
from tests.ops.examples import load_ops

OPS = load_ops()
FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
# counters whose lowest word, lower half and all 128 bits are about to overflow
STREAMS = [[5, -1, 7], [2**32 - 3, 0, -1], [-2, 5, 3], [-2, -1, 2**63 - 1]]


@pytest.mark.parametrize("start", STREAMS)
@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64])
def test_uniform_to_the_bit(start, dtype):
    got, want = on_both(lambda s: OPS["random_uniform"].call(s, (3, 700), dtype), [np.array(start, np.int64)])
    np.testing.assert_array_equal(got[0], want[0])


@pytest.mark.parametrize("start", STREAMS)
@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64])
def test_normal(start, dtype):
    got, want = on_both(lambda s: OPS["random_normal"].call(s, (41, 50), dtype), [np.array(start, np.int64)])
    assert_within(got[0], want[0], FUNCTION)


@pytest.mark.parametrize("target", [None, *TARGETS])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_truncated_normal(dtype, target):
    def f(*streams):
        shapes = (41, 50), (1,), (67,), (3, 700)
        draw = OPS["random_truncated_normal"].call
        return [draw(s, shape, np.dtype(dtype)) for s, shape in zip(streams, shapes, strict=True)]

    streams = [np.array(start, np.int64) for start in STREAMS]
    for got, want in zip(*on_both(f, streams, target=target and of(target), whole=True), strict=True):
        assert_within(got, want, FUNCTION)
        assert np.abs(got).max() <= 2.0


@pytest.mark.parametrize("start", STREAMS)
def test_a_generator_goes_on(start):
    state = tf.Variable(np.array(start, np.int64))

    def f():
        before = state.read_value()
        state.assign(OPS["advance_stream"].call(before, 512))
        return OPS["random_uniform_full_int"].call(before, (9,), np.dtype("int64"))

    got, want = on_both(f, (), [state], calls=2)
    for x, y in zip(got, want, strict=True):
        np.testing.assert_array_equal(x, y)


def test_an_empty_range_of_ints_is_eagers_error():
    def f(s, low, high):
        return OPS["random_uniform_int"].call(s, low, high, (4,))

    arrays = [np.array([1, 2, 3], np.int64), np.int32(5), np.int32(5)]
    executable = native(graph_of(f, arrays))
    assert not executable.reasons
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match="minval"):
        executable.run(*arrays)


def test_dropout_in_a_function():
    x = np.ones((64, 48), np.float32)

    def f(x):
        return tf.nn.dropout(x, 0.4) + tf.random.normal((48,))

    tf.random.set_seed(3)
    compiled = tf.function(f)
    first = [compiled(x).numpy() for _ in range(2)]
    tf.random.set_seed(3)
    again = tf.function(f)
    second = [again(x).numpy() for _ in range(2)]
    np.testing.assert_array_equal(first, second)
    assert (first[0] != first[1]).any()


def test_numbers_after_an_effect_are_made_with_the_rest():
    def f(x):
        tf.print(tf.reduce_sum(x))
        return x + tf.random.uniform((40,))

    x = np.ones(40, np.float32)
    graph = graph_of(f, [x])
    assert len(native(graph).functions) == 1
    seen = [node.op.name for node in graph.nodes]
    assert "print" in seen and "node_stream" in seen


@pytest.mark.parametrize("back", [False, True])
def test_shuffled(back):
    stream = np.array(STREAMS[1], np.int64)
    x = np.arange(3 * 1000, dtype=np.int32).reshape(1000, 3)
    got, want = on_both(lambda s, x: OPS["random_shuffle"].call(s, x, back), [stream, x])
    np.testing.assert_array_equal(got[0], want[0])
    assert (got[0] != x).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_drawn_by_their_probabilities(dtype):
    logits = np.random.default_rng(0).standard_normal((6, 33)).astype(dtype) * 3
    logits[1, 3:9], logits[2, 5], logits[3, 1:] = -np.inf, np.nan, -np.inf
    stream = np.array(STREAMS[0], np.int64)
    f = lambda s, z: OPS["random_categorical"].call(s, z, 50, np.dtype("int32"))  # noqa: E731
    assert not native(graph_of(f, [stream, logits])).reasons
    got, want = on_both(f, [stream, logits])
    assert got[0].dtype == want[0].dtype
    np.testing.assert_array_equal(got[0], want[0])
