"""What cannot be done in a traced function or with what leaves it: errors name the line and a way out."""

import gc
import re

import numpy as np
import pytest

import tapeflow as tf

X = tf.constant([1.0, 2.0])
SIGNED = tf.function(lambda x: x, input_signature=[tf.TensorSpec([2], tf.float32)])


def iterated(x):
    for _ in x:
        pass
    return x


def makes_a_variable(x):
    return x * tf.Variable(1.0)


def calls_itself(x):
    return ITSELF(x)


def ends_by_a_tensor(x):
    if x[0] > 0.0:
        return ends_by_a_tensor(x - 1.0)
    return x


def item_assigned(x):
    x[0] = 1.0
    return x


def one_branch_sets(x):
    if x[0] > 0.0:
        y = x
    return y


ITSELF = tf.function(calls_itself)


def untouched(f):
    return tf.function(f, autograph=False)


# (error, what runs, words of the way out)
CASES = {
    "numpy": (AttributeError, lambda: tf.function(lambda x: x.numpy())(X), "tf.print or tf.py_function"),
    "int": (TypeError, lambda: untouched(lambda x: int(x[0]))(X), "tf.cast"),
    "float": (TypeError, lambda: untouched(lambda x: float(x[0]))(X), "outside of the tf.function"),
    "bool": (tf.errors.OperatorNotAllowedInGraphError, lambda: untouched(lambda x: bool(x[0] > 1))(X), "tf.cond"),
    "if": (tf.errors.OperatorNotAllowedInGraphError, lambda: untouched(lambda x: 1 if x[0] > 1 else 2)(X), "AutoGraph"),
    "array": (NotImplementedError, lambda: tf.function(lambda x: np.array(x))(X), "tf.numpy_function"),
    "numpy's function": (NotImplementedError, lambda: tf.function(lambda x: np.sin(x))(X), "tf.numpy_function"),
    "for": (tf.errors.OperatorNotAllowedInGraphError, lambda: untouched(iterated)(X), "tf.map_fn"),
    "len": (TypeError, lambda: untouched(lambda x: len(x[x > 0]))(X), "tf.shape"),
    "index": (TypeError, lambda: untouched(lambda x: [1, 2][x[0]])(X), "outside of the tf.function"),
    "assigned": (TypeError, lambda: tf.function(item_assigned)(X), "tf.tensor_scatter_nd_update"),
    "variable": (ValueError, lambda: tf.function(makes_a_variable)(X), "outside of the function"),
    "shape": (TypeError, lambda: SIGNED(tf.ones([3])), "input_signature"),
    "dtype": (TypeError, lambda: SIGNED(tf.ones([2], tf.int32)), "input_signature"),
    "too many": (TypeError, lambda: SIGNED(X, X), "too many"),
    "missing": (TypeError, lambda: SIGNED(), "missing"),
    "no tensor": (TypeError, lambda: SIGNED("a"), "input_signature"),
    "itself": (RecursionError, lambda: ITSELF(X), "tf.while_loop"),
    "without end": (RecursionError, lambda: tf.function(ends_by_a_tensor)(X), "Python values"),
    "one branch": (ValueError, lambda: tf.function(one_branch_sets)(X), "both branches"),
    "shapes": (ValueError, lambda: tf.function(lambda x: x + tf.ones([3]))(X), "Incompatible shapes"),
}


@pytest.mark.parametrize("name", CASES)
def test_errors_name_the_line_and_the_way_out(name):
    error, run, way_out = CASES[name]
    with pytest.raises(error) as raised:
        run()
    message = str(raised.value)
    assert re.search(r"at test_wrong_use\.py:\d+", message) and way_out in message


LEAKED = {
    "an op": lambda t: t + 1.0,
    "another function": lambda t: tf.function(lambda x: x + t)(X),
    "numpy": lambda t: t.numpy(),
    "bool": lambda t: bool(t[0] > 0.0),
    "float": lambda t: float(t),
    "assigned": lambda t: tf.Variable([0.0, 0.0]).assign(t),
    "added": lambda t: tf.Variable([0.0, 0.0]).assign_add(t),
    "a variable": lambda t: tf.Variable(t),
}


@pytest.mark.parametrize("name", LEAKED)
def test_a_tensor_that_left_its_function(name):
    kept = []
    tf.function(lambda x: kept.append(x * 2.0) or x, autograph=False)(X)
    with pytest.raises((TypeError, AttributeError, tf.errors.OperatorNotAllowedInGraphError)) as raised:
        LEAKED[name](kept[0])
    message = str(raised.value)
    assert "out of scope" in message and "Return it from the function" in message and "test_wrong_use.py:" in message


def test_a_variable_is_as_it_was():
    kept = []
    tf.function(lambda x: kept.append(x) or x, autograph=False)(X)
    v = tf.Variable([3.0, 4.0])
    for method in (v.assign, v.assign_add, v.assign_sub):
        with pytest.raises(TypeError, match="out of scope"):
            method(kept[0])
    np.testing.assert_array_equal(v, [3.0, 4.0])


def test_a_tensor_of_a_branch_in_another():
    kept = []

    def f(x):
        tf.cond(x[0] > 0, lambda: kept.append(x * 3.0) or x, lambda: x)
        return x + kept[0]

    with pytest.raises(TypeError, match="out of scope"):
        tf.function(f)(X)


def test_a_variable_that_the_program_forgot_lives_in_the_function():
    variables = [tf.Variable(3.0)]
    f = tf.function(lambda x: x * variables[0])
    f(X)
    del variables[:]
    gc.collect()
    np.testing.assert_array_equal(f(X), [3.0, 6.0])


def test_an_object_that_is_gone():
    class Owner:
        @tf.function
        def method(self, x):
            return x

    method = Owner().method
    gc.collect()
    with pytest.raises(ReferenceError, match="'method'"):
        method(X)


def test_a_note_says_it_once():
    def inner(x):
        if x[0] > 0.0:
            x = x.numpy()
        return x

    @tf.function
    def f(x):
        if x[0] > 0.0:
            x = inner(x)
        return x

    with pytest.raises(AttributeError) as raised:
        f(X)
    notes = getattr(raised.value, "__notes__", [])
    assert len(notes) == len(set(notes))
