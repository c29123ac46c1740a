"""`tf.constant` and `tf.convert_to_tensor`: TensorFlow's rules for Python's values, as recorded from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapeflow as tf
import tapeflow.ops.joining  # noqa: F401 - stacks lists with tensors in them
from tapeflow.core import convert
from tapeflow.core.convert import constant, convert_to_tensor, is_tensor
from tapeflow.core.dtypes import DTYPES, numpy_dtype
from tapeflow.core.shapes import TensorShape
from tapeflow.core.tensor import Tensor
from tapeflow.core.variable import Variable


@pytest.mark.parametrize(
    ("arguments", "dtype", "value"),
    [
        ((1,), "int32", 1),
        ((2**31,), "int64", 2**31),
        ((-(2**31),), "int32", -(2**31)),
        ((2**40,), "int64", 2**40),
        (([1, 2**40],), "int64", [1, 2**40]),
        ((1.5,), "float32", 1.5),
        ((True,), "bool", True),
        ((1j,), "complex128", 1j),
        (([1j, 1],), "complex128", [1j, 1]),
        (([1.0, np.float64(2)],), "float32", [1, 2]),
        (([np.float64(2), 1.0],), "float64", [2, 1]),
        (([np.float64(2)],), "float64", [2]),
        ((np.float64(2),), "float64", 2),
        (([np.int64(2)],), "int32", [2]),
        (([np.float32(2), 2],), "float32", [2, 2]),
        (([np.array([1.0, 2.0])],), "float64", [[1, 2]]),
        (([1, 2.0],), "float32", [1, 2]),
        ((np.array([1.5]), "int32"), "int32", [1]),
        ((np.float64(1.5), "int32"), "int32", 1),
        ((np.array([1]), "float32"), "float32", [1]),
        ((np.array([True]), "float32"), "float32", [1]),
        ((True, "float32"), "float32", 1),
        (([1], "float32"), "float32", [1]),
        ((300, "uint8"), "uint8", 44),
        ((-1, "uint8"), "uint8", 255),
        ((1e40, "float32"), "float32", np.inf),
        (([],), "float32", []),
        (([[], []],), "float32", [[], []]),
        ((range(3),), "int32", [0, 1, 2]),
        (((1, 2),), "int32", [1, 2]),
        (([[1, 2], (3, 4)],), "int32", [[1, 2], [3, 4]]),
        ((np.array([1, 2], ">i4"),), "int32", [1, 2]),
        ((np.array([[1, 2], [3, 4]]).T,), "int64", [[1, 3], [2, 4]]),
        (([1.0, 2.0], "bfloat16"), "bfloat16", [1, 2]),
        ((1.5, None, [2]), "float32", [1.5, 1.5]),
        (([1, 2, 3, 4], None, (2, 2)), "int32", [[1, 2], [3, 4]]),
        (([[1], [2]], None, TensorShape([2])), "int32", [1, 2]),
        ((Variable(1.0),), "float32", 1),
        (([Variable(1.0), 2.0],), "float32", [1, 2]),
        (([[constant(1), 2], [3, 4]],), "int32", [[1, 2], [3, 4]]),
    ],
)
def test_values(arguments, dtype, value):
    tensor = constant(*arguments)
    assert tensor.dtype.name == dtype
    np.testing.assert_array_equal(tensor.numpy(), np.array(value).astype(numpy_dtype(dtype)))
    assert tensor.shape == np.shape(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", b"abc"),
        (b"\xff", b"\xff"),
        ("é", "é".encode()),
        (["a", b"b"], [b"a", b"b"]),
        (np.array(["a", "b"]), [b"a", b"b"]),
        (np.array(["a", b"b"], object), [b"a", b"b"]),
        ([["a"], ["bc"]], [[b"a"], [b"bc"]]),
        (np.str_("a"), b"a"),
    ],
)
def test_strings(value, expected):
    tensor = constant(value)
    assert tensor.dtype.name == "string"
    got = tensor.numpy()
    assert (got.tolist() if isinstance(got, np.ndarray) else got) == expected


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((2**70,), ValueError, "out-of-range"),
        (([True, 1],), ValueError, "mixed types"),
        (([True, 1.0],), ValueError, "mixed types"),
        (([1, "a"],), ValueError, "mixed types"),
        ((1, "bool"), TypeError, "Cannot convert 1 to EagerTensor of dtype bool"),
        ((1, "string"), TypeError, "dtype string"),
        (("a", "float32"), TypeError, "dtype float"),
        (([1.5], "int32"), TypeError, "dtype int32"),
        ((1.5, "int32"), TypeError, "dtype int32"),
        ((1j, "float32"), TypeError, "dtype float"),
        (([[1, 2], [3]],), ValueError, "non-rectangular"),
        ((None,), ValueError, "NoneType"),
        (([None],), ValueError, "NoneType"),
        ((object(),), ValueError, "object"),
        (((i for i in range(3)),), ValueError, "generator"),
        (({"a": 1},), ValueError, "dict"),
        (({1},), ValueError, "set"),
        ((np.array([None]),), ValueError, "NoneType"),
        (([1, 2], None, [3]), TypeError, "has 2 elements"),
        ((constant(1.0), "int32"), TypeError, "tf.int32"),
    ],
)
def test_what_cannot_be_a_tensor(arguments, error, words):
    with pytest.raises(error, match=words):
        constant(*arguments)


def test_a_tensor_is_never_cast():
    tensor = constant([1.0])
    assert convert_to_tensor(tensor) is tensor and convert_to_tensor(tensor, "float32") is tensor
    for value in (tensor, Variable(1.0)):
        with pytest.raises(ValueError, match="requested dtype int32 for Tensor with dtype float32"):
            convert_to_tensor(value, "int32")


def test_a_hint_is_taken_where_it_can_be():
    assert convert_to_tensor([1], dtype_hint="float32").dtype == "float32"
    assert convert_to_tensor([1.5], dtype_hint="int32").dtype == "float32"
    assert convert_to_tensor([1], dtype="int32", dtype_hint="float32").dtype == "int32"


def test_the_other_operand_decides():
    like = convert.convert_like
    float32, int32 = numpy_dtype("float32"), numpy_dtype("int32")
    for value in (1, True, np.float64(1), np.int64(1)):
        assert like(value, float32)._value.dtype == float32
    assert like(1.5, int32).dtype == "float32"
    assert like("a", float32).dtype == "string"
    assert like(300, numpy_dtype("uint8")).numpy() == 44


@pytest.mark.parametrize("name", [d.name for d in DTYPES.values() if d.is_numpy_compatible and d.name != "string"])
@given(data=st.data())
def test_arrays_come_back_as_they_were(name, data):
    dtype = numpy_dtype(name)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    array = np.asarray(data.draw(hnp.arrays(np.int8, shape))).astype(dtype)
    tensor = convert_to_tensor(array)
    back = tensor.numpy()
    assert tensor.dtype.name == name and tensor.shape == shape
    np.testing.assert_array_equal(back, array)
    if shape:
        before = array.copy()
        back[...] = 1  # what the caller has is the caller's
        array[...] = 1
        np.testing.assert_array_equal(tensor.numpy(), before)


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=3), elements=st.floats(-1e3, 1e3, width=32)))
def test_nested_lists_are_the_arrays_they_came_from(array):
    tensor = convert_to_tensor(array.tolist())
    assert tensor.dtype == "float32"
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_objects_that_convert_themselves():
    class Two:
        def __tf_tensor__(self, dtype, name):
            return constant(2, dtype or "int64")

    class Array:
        def __array__(self, dtype=None, copy=None):
            return np.array([1.0, 2.0], dtype)

    assert convert_to_tensor(Two()).dtype == "int64" and convert_to_tensor(Two(), "float32").numpy() == 2.0
    assert convert_to_tensor(Array()).numpy().tolist() == [1.0, 2.0]
    assert is_tensor(Two()) and is_tensor(Variable(1)) and is_tensor(constant(1))
    assert not is_tensor(1) and not is_tensor(np.ones(1)) and not is_tensor(Array())


def test_registered_conversions(monkeypatch):
    monkeypatch.setattr(convert, "_registered", [])

    class Celsius:
        pass

    def refuse(value, dtype=None, name=None, as_ref=False):
        return NotImplemented

    def zero(value, dtype=None, name=None, as_ref=False):
        return constant(0.0, dtype)

    convert.register_tensor_conversion_function(Celsius, refuse)
    with pytest.raises(ValueError, match="Celsius"):
        convert_to_tensor(Celsius())
    convert.register_tensor_conversion_function((Celsius,), zero)
    assert convert_to_tensor(Celsius(), "float64").dtype == "float64"
    for base_type, function in (("Celsius", zero), (Celsius, None), (int, zero), ((Celsius, np.ndarray), zero)):
        with pytest.raises(TypeError):
            convert.register_tensor_conversion_function(base_type, function)


def test_registered_conversions_go_by_priority(monkeypatch):
    monkeypatch.setattr(convert, "_registered", [])

    class Celsius:
        pass

    def giving(number):
        return lambda value, dtype=None, name=None, as_ref=False: constant(number)

    convert.register_tensor_conversion_function(Celsius, giving(1), priority=100)
    convert.register_tensor_conversion_function(Celsius, giving(2), priority=50)
    assert convert_to_tensor(Celsius()).numpy() == 2


def test_dtypes_of_values():
    assert convert.dtype_of(1) == "int32" and convert.dtype_of(Variable(1.0)) == "float32"
    assert convert.dtype_of(np.float64(1)) == "float64"


def test_scalars_are_numpy_scalars_inside():
    for value in (1.5, 1, True, np.float64(2), np.array(3), 1j, np.array(1, ">i4")):
        tensor = constant(value)
        assert isinstance(tensor._value, np.generic) and type(tensor) is Tensor


def test_static_values_and_specs():
    assert tf.get_static_value(tf.constant([1, 2])).tolist() == [1, 2]
    seen = []
    tf.function(lambda x: seen.append((tf.get_static_value(x), int(tf.get_static_value(tf.constant(3))))))(tf.ones(2))
    assert seen == [(None, 3)]
    with pytest.raises(TypeError):
        tf.get_static_value(3)
    assert tf.type_spec_from_value(tf.ones([2])) == tf.TensorSpec([2], tf.float32)
    assert tf.type_spec_from_value([[1, 2]]) == tf.TensorSpec([1, 2], tf.int32)
    with pytest.raises(TypeError):
        tf.type_spec_from_value(object())
