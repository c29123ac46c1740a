"""Statements over tensors in traced functions: the same values and gradients as Python gives them eagerly."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import assert_same

from .test_branching import both as both_without_autograph


def both(f, *arrays):
    """Values of `f`, eager and traced with AutoGraph, for each row of inputs; and gradients, which must agree."""
    found = []
    for call in (f, tf.function(f)):
        inputs = [tf.constant(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch([x for x in inputs if x.dtype.is_floating])
            y = call(*inputs)
        sources = [x for x in inputs if x.dtype.is_floating]
        gradients = tape.gradient(y, sources, unconnected_gradients="zero") if y.dtype.is_floating else []
        found.append((y.numpy(), [g.numpy() for g in gradients]))
    assert_same(found[1][0], found[0][0])
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    return found[1]


def branch(x):
    if x > 1.0:
        y = x * x
    elif x > 0.0:
        y = x * 3.0
    else:
        y = -x
    return y


def early(x):
    if x > 0.0:
        return x * x
    return -x


def helper(v):
    return v * 2.0 if v > 1.0 and not v > 10.0 else v


def calls(x):
    for _ in range(3):
        x = helper(x)
    return x


@pytest.mark.parametrize("f", [branch, early, calls])
@pytest.mark.parametrize("x", [3.0, 0.5, -2.0])
def test_branches(f, x):
    both(f, x)


def looping(n, x):
    s = 0.0
    i = 0
    while i < n:
        s += x * x
        i += 1
        if s > 20.0:
            break
    return s


def returning(n, x):
    while True:
        x = x * 2.0
        if x > n:
            return x + 1.0


def skipping(xs):
    s = tf.constant(0.0)
    for v in xs:
        if v < 0.0:
            continue
        s += v * v
    return s


def stopping(n, x):
    for i in range(10):
        if i >= n:
            break
        x = x * 2.0
    return x


def ranging(n, x):
    for i in tf.range(n):
        if i % 2 == 0:
            x = x + tf.cast(i, tf.float32)
        else:
            x = x * 2.0
    return x


@pytest.mark.parametrize(
    "f, arrays",
    [
        (looping, (3, 2.0)),
        (looping, (100, 2.0)),
        (returning, (30.0, 1.0)),
        (skipping, (np.float32([1, -2, 3]),)),
        (skipping, (np.arange(-50, 50).astype(np.float32),)),
        (stopping, (3, 1.5)),
        (ranging, (5, 1.0)),
    ],
)
def test_loops(f, arrays):
    both(f, *arrays)


def test_rows_of_an_unknown_number():
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def f(x):
        s = tf.zeros([2])
        for row in x:
            s = s + row * row
        return s

    for n in (1, 3):
        x = tf.reshape(tf.range(2.0 * n), [n, 2])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        np.testing.assert_array_equal(y.numpy(), (x.numpy() ** 2).sum(0))
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), 2 * x.numpy())
    assert f.experimental_get_tracing_count() == 1


def test_variables_and_methods():
    class Grower(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(2.0)

        @tf.function
        def __call__(self, x):
            while x < 50.0:
                x = x * self.w
            if x > 90.0:
                self.w.assign_add(1.0)
            return x

    grower = Grower()
    with tf.GradientTape() as tape:
        y = grower(tf.constant(3.0))
    assert (y.numpy(), tape.gradient(y, grower.w).numpy(), grower.w.numpy()) == (96.0, 240.0, 3.0)


def test_loop_options():
    @tf.function
    def f(n):
        v = tf.constant([0])
        for i in tf.range(n):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(v, tf.TensorShape([None]))])
            v = tf.concat([v, [i]], 0)
        return v

    assert f(tf.constant(3)).numpy().tolist() == [0, 0, 1, 2]


def one_sided(x):
    if x > 0:
        z = x
    return z


def two_dtypes(x):
    if x > 0:
        z = x
    else:
        z = tf.constant(1)
    return z


def changing(x):
    n = tf.constant(0)
    while x > 0:
        n = n + 1
        n = tf.cast(n, tf.float32)
    return n


def growing(x):
    v = tf.constant([1.0])
    while x > 0:
        v = tf.concat([v, v], 0)
    return v


@pytest.mark.parametrize(
    "f, kind, words",
    [
        (one_sided, ValueError, r"'z' must also be initialized in the else branch \(at test_autograph.py:\d+\)"),
        (two_dtypes, TypeError, "'z' must have the same dtype.*float32 and int32"),
        (changing, TypeError, "'n' has dtype int32 before the loop, but dtype float32"),
        (growing, ValueError, r"'v' has shape \(1,\) before the loop, but shape \(2,\)"),
    ],
)
def test_errors_name_the_variable_and_the_line(f, kind, words):
    with pytest.raises(kind, match=words):
        tf.function(f)(tf.constant(1.0))


def test_assertions_run_with_the_graph():
    @tf.function
    def f(x):
        assert x < 10.0, "too large"
        return x

    assert f(tf.constant(1.0)).numpy() == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        f(tf.constant(20.0))


def test_what_is_not_converted():
    @tf.autograph.experimental.do_not_convert
    def plain(x):
        return x if x > 0 else -x

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(lambda x: plain(x))(tf.constant(1.0))
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(branch, autograph=False)(tf.constant(1.0))
    assert both_without_autograph(lambda x: x * x, 3.0)[0] == 9.0


def test_a_function_without_source_is_traced_as_it_is():
    names = {}
    exec("def f(x):\n    return x + 1", names)
    assert tf.function(names["f"])(tf.constant(1.0)).numpy() == 2.0


def test_the_code_can_be_read():
    assert "if_stmt" in tf.autograph.to_code(branch)
    converted = tf.autograph.to_graph(branch)
    assert converted(tf.constant(3.0)).numpy() == 9.0
    with pytest.raises(Exception, match="converting 3"):
        tf.autograph.to_graph(3)


def test_range_and_sorted_of_tensors():
    @tf.function
    def total(n, step):
        s = 0
        for i in range(1, n, step):
            s += i
        return s

    assert int(total(tf.constant(8), 3)) == 1 + 4 + 7
    assert int(total(tf.constant(8), tf.constant(2))) == 1 + 3 + 5 + 7
    assert total.experimental_get_tracing_count() == 2
    ordered = tf.function(lambda x: sorted(x))
    assert ordered(tf.constant([3.0, -1.0, 2.0])).numpy().tolist() == [-1.0, 2.0, 3.0]
    assert [int(x) for x in tf.function(lambda: sorted([2, 1]))()] == [1, 2]


def returns_sometimes(x):
    if x > 0:
        return x


def returns_sometimes_in_elif(x):
    if x > 0:
        if x > 5:
            return x
    elif x < -5:
        return -x


def returns_none_or_a_value(x):
    if x > 0:
        return None
    return x


@pytest.mark.parametrize("f", [returns_sometimes, returns_sometimes_in_elif, returns_none_or_a_value])
def test_a_function_must_return_a_value_in_all_cases(f):
    for x in (3, -3):
        with pytest.raises(ValueError, match="in all cases|in one case"):
            tf.function(f)(tf.constant(x))


def test_returns_that_cover_all_cases():
    @tf.function
    def stepped(x):
        if x > 0:  # noqa: SIM102
            if x > 5:
                return 1
        return 3

    @tf.function
    def searched(x):
        while x < 10:
            x += 1
            if x == 5:
                return x * 100
        return x

    @tf.function
    def nothing(x):
        if x > 0:
            return
        tf.debugging.assert_less(x, 1)

    assert [int(stepped(tf.constant(x))) for x in (7, 2, -1)] == [1, 3, 3]
    assert [int(searched(tf.constant(x))) for x in (3, 8)] == [500, 10]
    assert nothing(tf.constant(1)) is None and nothing(tf.constant(-1)) is None
