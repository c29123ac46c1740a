"""What loops and branches of a graph refuse, naming variable and line; loops that give first values; tf.case."""

import numpy as np
import pytest

import tapeflow as tf

N = tf.constant(3)


def loop(body, *start, **options):
    variables = (tf.constant(0), *start)
    return tf.function(lambda n: tf.while_loop(lambda i, y: i < n, body, variables, **options), autograph=False)(N)


@pytest.mark.parametrize(
    "body, options, kind, message",
    [
        (lambda i, y: (i + 1, tf.cast(y, tf.float64)), {}, TypeError, r"1 \('y'\) .*float32 and is float64"),
        (lambda i, y: (i + 1, tf.concat([y, y], 0)), {}, ValueError, r"1 \('y'\) .*\(1,\) and has shape \(2,\)"),
        (lambda i, y: (i + 1,), {}, ValueError, "other loop variables than it gets"),
        (
            lambda i, y: (i + 1, y),
            {"shape_invariants": (tf.TensorShape([]), tf.TensorShape([2]))},
            ValueError,
            r"invariant \(2,\) .*1 \('y'\)",
        ),
    ],
)
def test_loops_name_the_variable_and_the_line(body, options, kind, message):
    with pytest.raises(kind, match=message) as caught:
        loop(body, tf.ones([1]), **options)
    assert "(at test_loop_errors.py:" in str(caught.value)


def test_what_varies_by_its_invariant_and_how_often_at_most():
    body = lambda i, y: (i + 1, tf.concat([y, y], 0))  # noqa: E731
    _, y = loop(body, tf.ones([1]), shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])), maximum_iterations=2)
    assert y.shape == [4]


def changed_dtype(n):
    x = 0
    for _ in tf.range(n):
        x = tf.constant(1.0)
    return x


def changed_structure(n):
    x = (1.0, 2.0)
    for _ in tf.range(n):
        x = (1.0, 2.0, 3.0)
    return x


def changed_object(n):
    x = len
    for _ in tf.range(n):
        x = max
    return x([1.0])


def of_one_branch(n):
    if n > 1:
        x = tf.constant(1.0)
    return x


@pytest.mark.parametrize(
    "f, kind", [(changed_dtype, TypeError), (changed_structure, ValueError), (changed_object, TypeError)]
)
def test_statements_name_the_variable_and_the_line(f, kind):
    with pytest.raises(kind, match=r"'x' .*\(at test_loop_errors.py:"):
        tf.function(f)(N)


def test_a_branch_must_give_what_is_used():
    with pytest.raises(ValueError, match="'x' must also be initialized in the else branch"):
        tf.function(of_one_branch)(N)


# -- the first value ---------------------------------------------------------------------------------------------------


def given_in_the_loop(n):
    for i in tf.range(n):
        z = tf.cast(i, tf.float32) * 2.0
    return z


def none_before(n):
    z = None
    i = 0
    while i < n:
        z = tf.cast(i, tf.float32) * 2.0
        i += 1
    return z


@pytest.mark.parametrize("f", [given_in_the_loop, none_before])
def test_a_loop_may_give_the_first_value_if_it_runs(f):
    traced = tf.function(f)
    assert traced(N).numpy() == 4.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least once to give z a value"):
        traced(tf.constant(0))


def test_a_first_value_of_unknown_shape():
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def f(x):
        i = 0
        while i < 2:
            z = x * 2.0
            i += tf.shape(x)[0]
        return z

    np.testing.assert_array_equal(f(tf.ones([3, 2])).numpy(), np.full((3, 2), 2.0))


def test_strings_change_in_a_loop():
    @tf.function
    def f(n):
        x = "a"
        for _ in tf.range(n):
            x = "b"
        return x

    assert (f(N).numpy(), f(tf.constant(0)).numpy()) == (b"b", b"a")


# -- tf.case -----------------------------------------------------------------------------------------------------------


def test_case_checks_when_the_graph_runs():
    def case(n, exclusive):
        return tf.case([(n > 1, lambda: 1.0), (n > 2, lambda: 2.0)], exclusive=exclusive)

    f = tf.function(lambda n: case(n, True), autograph=False)
    assert f(tf.constant(2)).numpy() == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than one condition is true"):
        f(N)
    for exclusive in (True, False):
        with pytest.raises(tf.errors.InvalidArgumentError, match="none of the 2 conditions is true"):
            tf.function(lambda n, exclusive=exclusive: case(n, exclusive), autograph=False)(tf.constant(0))
    assert tf.function(lambda n: case(n, False), autograph=False)(N).numpy() == 1.0
