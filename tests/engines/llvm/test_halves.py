"""float16 and bfloat16, compiled: every number there is, converted and computed with, on every machine there is."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.dtypes import numpy_dtype
from tapeflow.engines.llvm.pieces import in_pieces
from tapeflow.engines.llvm.region import written
from tapeflow.engines.llvm.target import of
from tests.closeness import FUNCTION, Bound, assert_within
from tests.engines.llvm.running import HOST, TARGETS, graph_of, on_both

MACHINES = [None, *TARGETS] if HOST is not None else []
HALVES = ("float16", "bfloat16")
TINY = np.finfo(np.float32).tiny
BITS = np.arange(1 << 16, dtype=np.uint16)


@pytest.fixture(params=MACHINES, ids=str)
def machine(request):
    return None if request.param is None else of(request.param)


@pytest.fixture(params=HALVES)
def half(request):
    return numpy_dtype(request.param)


def same(got, want):
    """Equal numbers, signs of zeros and NaNs; of bfloat16, denormals count as zero."""
    with np.errstate(invalid="ignore"):
        got, want = got.astype(np.float64), want.astype(np.float64)
    want = np.where(np.abs(want) < TINY, np.copysign(0, want), want)
    np.testing.assert_array_equal(got, want)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


def test_every_number_as_float32(half, machine):
    (got,), (want,) = on_both(lambda x: tf.cast(x, tf.float32), [BITS.view(half)], target=machine)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("wide", ["float32", "float64"])
def test_rounding_to_the_nearest_even(half, machine, wide):
    step = 1 << 13 if half == np.float16 else 1 << 16
    with np.errstate(all="ignore"):
        exact = BITS.view(half).astype(np.float32).view(np.uint32)
        x = np.concatenate([exact + np.uint32(d) for d in (0, 1, step // 2 - 1, step // 2, step // 2 + 1, step - 1)])
        x = x.view(np.float32).astype(wide)
        if wide == "float64":  # just beside the middle, where rounding twice goes wrong
            x = np.concatenate([x, np.nextafter(x, 0), np.nextafter(x, np.inf)])
        (got,), (want,) = on_both(lambda x: tf.cast(x, tf.as_dtype(half)), [x], target=machine)
        kept = ~(np.abs(x) < 1.01 * TINY) | (half == np.float16)  # beside bfloat16's denormals
        same(got[kept], want[kept])


def test_whole_numbers(half, machine):
    x = np.concatenate([np.arange(-5000, 5000), 2 ** np.arange(62), 1 - 2 ** np.arange(62)])
    with np.errstate(all="ignore"):
        (got, back), (want, _) = on_both(lambda x: (y := tf.cast(x, tf.as_dtype(half)), tf.cast(y, tf.int32)), [x])
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(back, np.asarray(tf.cast(tf.constant(want), tf.int32)))


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "sqrt", "abs"])
def test_one_rounding(half, machine, name):
    rng = np.random.default_rng(0)
    x, y = (rng.permutation(BITS)[:20011].view(half) for _ in range(2))
    f = getattr(tf, name)
    with np.errstate(all="ignore"):
        (got,), (want,) = on_both(lambda x, y: f(x) if name in ("sqrt", "abs") else f(x, y), [x, y], target=machine)
    if half == np.float16:
        np.testing.assert_array_equal(got, want)
    elif got.dtype != bool:
        with np.errstate(invalid="ignore"):
            kept = ~(np.abs(x.astype("f8")) < TINY) & ~(np.abs(y.astype("f8")) < TINY)
        same(got[kept], want[kept])


def test_rounded_after_every_op(half, machine):
    x, y, z = (np.random.default_rng(i).normal(size=999).astype(half) for i in range(3))
    (got, more), (want, rest) = on_both(lambda x, y, z: (x * y + z - x, tf.add_n([x, y, z])), [x, y, z], target=machine)
    same(got, want)
    same(more, rest)


def test_moves_keep_the_bits(half, machine):
    x = np.random.default_rng(0).permutation(BITS).view(half).reshape(256, 256)

    def f(x):
        parts = tf.split(x, 4, 1)
        return (
            tf.transpose(x),
            tf.concat(parts[::-1], 1),
            x[::-2, 3:9],
            tf.gather(x, [4, 1, 200]),
            tf.pad(x, [[1, 0], [2, 3]]),
        )

    for got, want in zip(*on_both(f, [x], target=machine), strict=True):
        np.testing.assert_array_equal(got.view(np.uint16), want.view(np.uint16))


def test_variables_are_changed_in_place(half):
    v, n = tf.Variable(np.arange(6).astype(half)), tf.Variable(np.ones((), half))

    def f(x):
        v.assign_add(x * 0.3)
        n.assign_sub(tf.reduce_sum(x))
        return v / n

    for got, want in zip(*on_both(f, [np.linspace(-1, 1, 6).astype(half)], [v, n], calls=3), strict=True):
        same(got, want)


@pytest.mark.parametrize("f", [tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.nn.softmax, tf.reduce_logsumexp])
def test_sums_are_those_of_float32(half, machine, f):
    x = np.random.default_rng(0).uniform(0, 2, (7, 900)).astype(half)
    for got, want in zip(*on_both(lambda x: (f(x, 1), f(x, 0)), [x], target=machine), strict=True):
        assert_within(got, want, Bound(own=1))


def test_random_numbers(half):
    def f(seed):
        return (
            tf.random.stateless_uniform([33], seed, -1, 3, tf.as_dtype(half)),
            tf.random.stateless_normal([33], seed, dtype=tf.as_dtype(half)),
        )

    (uniform, normal), (first, second) = on_both(f, [np.array([1, 2])])
    same(uniform, first)
    assert_within(normal, second, FUNCTION)


def test_a_branch_and_a_loop(half):
    def f(x):
        y = tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * 2.0, lambda: -x)
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * y), [0, y])[1]

    x = np.linspace(-1, 1.5, 21).astype(half)
    (got,), (want,) = on_both(f, [x], whole=True)
    same(got, want)


def test_training_in_mixed_precision_is_all_compiled(half, machine):
    rng = np.random.default_rng(0)
    start = [rng.normal(size=s).astype(np.float32) / 4 for s in ((20, 33), (33,), (33, 10), (10,))]
    weights = [tf.Variable(w) for w in start]
    x, labels = rng.normal(size=(16, 20)).astype(np.float32), rng.integers(0, 10, 16)
    low = tf.as_dtype(half)

    def step(x, labels):
        with tf.GradientTape() as tape:
            w, b, u, c = [tf.cast(v, low) for v in weights]
            hidden = tf.nn.relu(tf.cast(x, low) @ w + b)
            logits = tf.cast(hidden @ u + c, tf.float32)
            chances = tf.nn.softmax(hidden @ u + c)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses) * 64.0
        for v, g in zip(weights, tape.gradient(loss, weights), strict=True):
            g = g / 64.0
            v.assign_sub(0.1 * tf.where(tf.reduce_all(tf.math.is_finite(g)), g, tf.zeros_like(g)))
        return loss, chances

    got, want = on_both(step, [x, labels], weights, calls=3, target=machine, whole=True)
    off = 2.0**-9 if half == np.float16 else 2.0**-6
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a.astype(np.float32), b.astype(np.float32), rtol=off, atol=off)


@pytest.mark.parametrize(
    ("name", "has"), [("avx512", True), ("avx2", True), ("neon", True), ("sse4", False), ("sse2", False)]
)
def test_only_machines_that_convert_float16_are_asked_to(name, has):
    f = lambda x: tf.cast(x * 2.0 + 1.0, tf.float64)  # noqa: E731
    for half, asked in (("float16", has), ("bfloat16", False)):
        graph = graph_of(f, [np.ones((5, 37), numpy_dtype(half))])
        region = in_pieces(graph, dict.fromkeys(graph.nodes, True))[0]
        assert (" x half>" in written(region, of(name))[1].text) == asked
