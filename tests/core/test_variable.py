"""`tf.Variable` without its operators: making one, reading, assigning; what was read never changes."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow.ops.joining  # noqa: F401 - tells `convert` how to stack
from tapeflow.core.convert import constant, convert_to_tensor
from tapeflow.core.errors import InvalidArgumentError
from tapeflow.core.names import name_scope
from tapeflow.core.shapes import TensorShape
from tapeflow.core.variable import Variable, VariableAggregation, VariableSynchronization


def test_what_it_says_of_itself():
    v = Variable([[1.0, 2.0]], name="w", constraint=abs)
    assert v.shape == v.get_shape() == (1, 2) and v.ndim == 2 and v.dtype == "float32" and v.name == "w:0"
    assert v.trainable is True and v.constraint is abs and v.initializer is None and v._shared_name == "w"
    assert v.synchronization is VariableSynchronization.AUTO and v.aggregation is VariableAggregation.NONE
    assert str(VariableAggregation.SUM) == "VariableAggregation.SUM"
    assert v.device == "/job:localhost/replica:0/task:0/device:CPU:0" and v.is_initialized().numpy()
    assert (
        repr(v) == str(v) == ("<tf.Variable 'w:0' shape=(1, 2) dtype=float32, numpy=array([[1., 2.]], dtype=float32)>")
    )
    with pytest.raises(RuntimeError):
        v.initial_value


@pytest.mark.parametrize(
    ("arguments", "dtype", "value"),
    [
        ({"initial_value": 1, "dtype": "float32"}, "float32", 1),
        ({"initial_value": np.array([1, 2]), "dtype": "float32"}, "float32", [1, 2]),
        ({"initial_value": lambda: 3.0}, "float32", 3),
        ({"initial_value": constant([1, 2]), "dtype": "int32"}, "int32", [1, 2]),
        ({"initial_value": Variable(2.0)}, "float32", 2),
        ({"initial_value": [True, False]}, "bool", [True, False]),
    ],
)
def test_initial_values(arguments, dtype, value):
    v = Variable(**arguments)
    assert v.dtype == dtype
    np.testing.assert_array_equal(v.numpy(), value)


def test_strings_can_be_variables():
    assert Variable("a").numpy() == b"a" and Variable("a").dtype == "string"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, ValueError),
        ({"initial_value": None}, ValueError),
        ({"initial_value": 1.0, "shape": [2]}, ValueError),
        ({"initial_value": 1.0, "shape": TensorShape([None])}, ValueError),
        ({"initial_value": 1.0, "dtype": "int32"}, TypeError),
        ({"initial_value": 1.0, "dtype": "foo"}, TypeError),
        ({"initial_value": constant([1, 2]), "dtype": "float32"}, ValueError),
        ({"initial_value": lambda: constant([1.0]), "dtype": "float64"}, ValueError),
        ({"initial_value": 1.0, "synchronization": "x"}, ValueError),
        ({"initial_value": object()}, ValueError),
        ({"initial_value": [1.0, [2.0]]}, ValueError),
    ],
)
def test_what_cannot_be_a_variable(arguments, error):
    with pytest.raises(error):
        Variable(**arguments)


def test_names_begin_with_the_scope():
    assert Variable(1.0).name == "Variable:0"
    with name_scope("a"), name_scope("b"):
        assert Variable(1.0, name="w").name == "a/b/w:0" and Variable(1.0).name == "a/b/Variable:0"


def test_which_are_trainable():
    assert Variable(1).trainable and Variable(1.0, trainable=None).trainable
    assert not Variable(1.0, trainable=False).trainable
    assert not Variable(1.0, synchronization=VariableSynchronization.ON_READ).trainable


@pytest.mark.parametrize(
    ("initial", "method", "value", "result"),
    [
        (1.0, "assign", 2, 2.0),
        (1.0, "assign", np.float64(2), 2.0),
        (1.0, "assign", Variable(2.0), 2.0),
        ([1.0, 2.0], "assign", [3, 4], [3.0, 4.0]),
        (1.0, "assign_add", 1, 2.0),
        ([1, 2], "assign_add", np.array([1.5, 2.5]), [2, 4]),
        ([1.0, 2.0], "assign_sub", constant([1.0, 3.0]), [0.0, -1.0]),
    ],
)
def test_assignments(initial, method, value, result):
    v = Variable(initial)
    dtype = v.dtype
    assert getattr(v, method)(value) is v
    np.testing.assert_array_equal(v.numpy(), result)
    assert v.dtype is dtype
    assert getattr(v, method)(value, read_value=False) is None


@pytest.mark.parametrize(
    ("initial", "method", "value", "error"),
    [
        (1.0, "assign", "a", TypeError),
        (1.0, "assign", None, ValueError),
        (1, "assign", 1.5, TypeError),
        (1.0, "assign", constant(1), ValueError),
        (1.0, "assign", constant(1.0, "float64"), ValueError),
        (1.0, "assign", [1.0, 2.0], ValueError),
        ([1.0, 2.0], "assign", 1.0, ValueError),
        (1.0, "assign_add", np.array([1.0, 2.0]), InvalidArgumentError),
        ([1.0], "assign_add", [1.0, 2.0], InvalidArgumentError),
        ([1.0, 2.0], "assign_add", 1.0, InvalidArgumentError),
        ([1.0, 2.0], "assign_sub", constant(1), ValueError),
        (1, "assign_add", 1.5, TypeError),
    ],
)
def test_what_cannot_be_assigned(initial, method, value, error):
    v = Variable(initial)
    with pytest.raises(error):
        getattr(v, method)(value)
    np.testing.assert_array_equal(v.numpy(), initial)


def test_static_shapes_may_be_open():
    v = Variable([1.0, 2.0], shape=TensorShape([None]))
    assert v.shape.as_list() == [None]
    assert v.assign([1.0, 2.0, 3.0]).numpy().tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="Shape mismatch"):
        v.assign([[1.0]])
    with pytest.raises(InvalidArgumentError, match="AssignAddVariableOp"):
        v.assign_add([1.0])
    v.set_shape([3])
    assert v.shape == (3,)
    with pytest.raises(ValueError):
        v.set_shape([2])
    assert Variable(1.0, shape=TensorShape(None)).shape.rank is None


READS = {
    "read_value": lambda v: v.read_value(),
    "value": lambda v: v.value(),
    "convert": convert_to_tensor,
    "numpy": lambda v: v.numpy(),
    "array": np.asarray,
    "no copy": lambda v: np.asarray(v, copy=False) if v.ndim else v.numpy(),
    "copy": lambda v: copy.copy(v),
    "deepcopy": copy.deepcopy,
    "pickle": lambda v: pickle.loads(pickle.dumps(v)),
    "variable": lambda v: Variable(v.read_value()),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assign", "assign_add", "assign_sub", "assign to itself", "forget", *READS]),
        st.integers(-3, 3),
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from([(), (3,), (2, 2)]), st.sampled_from(["float32", "int64"]))
def test_what_was_read_never_changes(steps, shape, dtype):
    expected = np.zeros(shape, dtype)
    v = Variable(expected)
    seen = []
    for step, number in steps:
        operand = np.full(shape, number, dtype)
        if step in READS:
            seen.append((READS[step](v), expected.copy()))
        elif step == "forget":
            del seen[:1]
        elif step == "assign to itself":
            v.assign(v)
        else:
            getattr(v, step)(constant(operand))
            expected = {"assign": operand, "assign_add": expected + operand, "assign_sub": expected - operand}[step]
        np.testing.assert_array_equal(v.numpy(), expected)
        assert v.dtype == dtype
        for value, then in seen:
            np.testing.assert_array_equal(np.asarray(value), then)


def test_two_variables_of_one_tensor_are_two():
    x = constant([1.0, 2.0])
    a, b = Variable(x), Variable(x)
    a.assign_add([1.0, 1.0])
    b.assign(a)
    b.assign_add([1.0, 1.0])
    assert (x.numpy().tolist(), a.numpy().tolist(), b.numpy().tolist()) == ([1.0, 2.0], [2.0, 3.0], [3.0, 4.0])


def test_updates_work_in_place_when_nobody_looks():
    v = Variable(np.zeros(1000, np.float32))
    v.assign_add(np.ones(1000, np.float32))
    if v.buffer() is None:
        return  # an interpreter without reference counts, or with threads that do not take turns
    address = v.buffer().ctypes.data
    v.assign_add(np.ones(1000, np.float32))
    assert v.buffer().ctypes.data == address
    held = v.read_value()
    assert v.buffer() is None
    v.assign_add(np.ones(1000, np.float32))
    assert held.numpy()[0] == 2.0 and v.numpy()[0] == 3.0 and v.buffer() is not None


def test_it_is_no_key_but_its_reference_is():
    v = Variable(1.0)
    with pytest.raises(TypeError, match=r"variable\.ref\(\)"):
        hash(v)
    assert v.ref() == v.ref() == v.experimental_ref() and v.ref() != Variable(1.0).ref() and v.ref().deref() is v


def test_numbers_of_scalars():
    assert int(Variable(3)) == 3 and float(Variable(2.5)) == 2.5 and complex(Variable(1.0)) == 1 and not Variable(0)
    with pytest.raises(TypeError):
        float(Variable([1.0]))
    with pytest.raises(ValueError):
        bool(Variable([1, 2]))
    assert np.array(Variable(1.0), np.float64).dtype == np.float64


def test_copies_are_variables_of_their_own():
    v = Variable([1.0, 2.0], name="w", trainable=False)
    for twin in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert (twin.name, twin.dtype, twin.shape, twin.trainable) == ("w:0", "float32", (2,), False)
        twin.assign_add([1.0, 1.0])
        assert v.numpy().tolist() == [1.0, 2.0] and twin.numpy().tolist() == [2.0, 3.0]
        assert twin._key != v._key
