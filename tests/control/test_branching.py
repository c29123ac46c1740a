"""cond, case, switch_case: eager as TensorFlow 2.21 has them, and traced to the same values and gradients."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.control.branching import case, cond, switch_case
from tapeflow.functions.function import function
from tests.closeness import assert_same


def both(f, *arrays):
    """Value and gradients of `f`, eager and traced, which must agree."""
    found = []
    for call in (f, function(f, autograph=False)):
        inputs = [tf.constant(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = call(*inputs)
        found.append((y.numpy(), [g.numpy() for g in tape.gradient(y, inputs, unconnected_gradients="zero")]))
    assert_same(found[1][0], found[0][0])
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)  # a traced loop adds up an iteration at a time
    return found[0]


@pytest.mark.parametrize(
    "pred, chosen",
    [
        (True, 1),
        (0, 2),
        (tf.constant(True), 1),
        (tf.constant([False]), 2),
        ([False], 2),
        (tf.Variable(1.5), 1),
        ("a", 1),
    ],
)
def test_cond_takes_what_has_a_truth(pred, chosen):
    assert cond(pred, lambda: 1, lambda: 2) == chosen


@pytest.mark.parametrize("args", [(True, 1, 2), (True, lambda: 1)])
def test_cond_takes_functions(args):
    with pytest.raises(TypeError, match="must be callable"):
        cond(*args)


@pytest.mark.parametrize("pred", [None, tf.constant([True, False])])
def test_cond_takes_one_element(pred):
    with pytest.raises(ValueError):
        cond(pred, lambda: 1, lambda: 2)


def test_cond_has_the_gradient_of_its_branch():
    f = lambda x, y: cond(x > 0, lambda: x * x * y, lambda: x + 3.0)  # noqa: E731
    value, (dx, dy) = both(f, 2.0, 5.0)
    assert (value, dx, dy) == (20.0, 20.0, 4.0)
    value, (dx, dy) = both(f, -2.0, 5.0)
    assert (value, dx, dy) == (1.0, 1.0, 0.0)


def test_cond_nested_in_a_branch():
    f = lambda x: cond(x > 0, lambda: cond(x > 1, lambda: x**3, lambda: x**2), lambda: -x)  # noqa: E731
    assert [both(f, x)[1][0] for x in (2.0, 0.5, -1.0)] == [12.0, 1.0, -1.0]


def test_a_traced_branch_assigns_and_reads_in_order():
    v = tf.Variable(1.0)

    @function(autograph=False)
    def f(x):
        cond(x > 0, lambda: v.assign_add(x).read_value(), lambda: v.assign(0.0).read_value())
        return v * 2.0

    assert [float(f(tf.constant(x))) for x in (3.0, -1.0, 2.0)] == [8.0, 0.0, 4.0]
    assert v.numpy() == 2.0


def test_variables_read_in_a_traced_branch_have_gradients():
    v = tf.Variable(3.0)
    f = function(lambda x: cond(x > 0, lambda: v * v * x, lambda: x), autograph=False)
    with tf.GradientTape() as tape:
        y = f(tf.constant(2.0))
    assert tape.gradient(y, v).numpy() == 12.0


def test_random_numbers_of_a_branch_are_drawn_once():
    @function(autograph=False)
    def f(x):
        return cond(x > 0, lambda: x * tf.random.uniform([3]), lambda: x * tf.ones([3]))

    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), (y / x).numpy().sum(), rtol=1e-6)


def test_second_derivative_through_a_traced_branch():
    f = function(lambda x: cond(x > 0, lambda: x**3, lambda: x), autograph=False)
    x = tf.constant(2.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        d = inner.gradient(y, x)
    assert outer.gradient(d, x).numpy() == 12.0


@pytest.mark.parametrize(
    "yes, no, kind",
    [
        (lambda: tf.constant(1), lambda: tf.constant(1.0), TypeError),
        (lambda: 1, lambda: (1, 2), ValueError),
        (lambda: (1, 2), lambda: [1, 2], TypeError),
        (lambda: 1, lambda: None, ValueError),
    ],
)
def test_traced_branches_must_agree(yes, no, kind):
    with pytest.raises(kind, match="must return the same"):
        function(lambda x: cond(x > 0, yes, no), autograph=False)(tf.constant(1.0))


def test_case_takes_the_first_that_is_true():
    true, false = tf.constant(True), tf.constant(False)
    assert case([(false, lambda: 1), (true, lambda: 2), (true, lambda: 3)], default=lambda: 4) == 2
    assert case([(false, lambda: 1)], default=lambda: 4) == 4
    assert case({true.ref(): lambda: 1, false.ref(): lambda: 2}, exclusive=True) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="none of the 1 conditions"):
        case([(false, lambda: 1)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than one"):
        case([(true, lambda: 1), (true, lambda: 2)], exclusive=True)


def test_case_traced():
    f = lambda x: case([(x > 2.0, lambda: x * x), (x > 0.0, lambda: x * 3.0)], default=lambda: -x)  # noqa: E731
    assert [both(f, x)[1][0] for x in (3.0, 1.0, -1.0)] == [6.0, 3.0, -1.0]


@pytest.mark.parametrize(
    "pairs, kind",
    [
        ([(True, lambda: 1)], TypeError),
        ([(tf.constant(1), lambda: 1)], TypeError),
        ([(tf.constant(True), 1)], TypeError),
        ([tf.constant(True)], TypeError),
        (3, TypeError),
        ([], ValueError),
        ({tf.constant(True).ref(): lambda: 1}, ValueError),
    ],
)
def test_case_refuses(pairs, kind):
    with pytest.raises(kind):
        case(pairs)


def test_switch_case():
    functions = [lambda: 10, lambda: 20]
    numbers = (0, 1, 5, -1)
    assert [switch_case(tf.constant(i), functions) for i in numbers] == [10, 20, 20, 20]
    assert [switch_case(tf.constant(i), functions, lambda: 99) for i in numbers] == [10, 20, 99, 99]
    assert switch_case(tf.constant(1), {1: functions[1], 0: functions[0]}) == 20
    f = lambda x: switch_case(tf.cast(x, tf.int32), [lambda: x, lambda: x * x, lambda: x**3])  # noqa: E731
    assert [both(f, x)[1][0] for x in (0.0, 1.0, 2.0, 7.0)] == [1.0, 2.0, 12.0, 147.0]


@pytest.mark.parametrize(
    "index, functions, kind",
    [
        (1, [lambda: 1], TypeError),
        (tf.constant(1.0), [lambda: 1], TypeError),
        (tf.constant(1), [], ValueError),
        (tf.constant(1), [3], TypeError),
        (tf.constant(1), 3, TypeError),
        (tf.constant(1), {1: lambda: 1}, ValueError),
        (tf.constant(1), [(0, lambda: 1), (0, lambda: 2)], ValueError),
        (tf.constant([1]), [lambda: 1], tf.errors.InvalidArgumentError),
    ],
)
def test_switch_case_refuses(index, functions, kind):
    with pytest.raises(kind):
        switch_case(index, functions)
