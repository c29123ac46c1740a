"""`tf.Tensor` without its operators: what it says of itself, how Python and NumPy see it, copies of it."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapeflow as tf
from tapeflow.core.convert import constant
from tapeflow.core.tensor import Tensor, flat, wrap


def test_what_it_says_of_itself():
    x = constant([[1.0, 2.0, 3.0]])
    assert x.shape == x.get_shape() == (1, 3) and x.ndim == 2 and x.dtype == "float32" and len(x) == 1
    assert x.device == x.backing_device == "/job:localhost/replica:0/task:0/device:CPU:0"
    assert x.cpu() is x and isinstance(x._id, int)


@pytest.mark.parametrize(
    ("value", "dtype", "text", "shown"),
    [
        (1.0, None, "tf.Tensor(1.0, shape=(), dtype=float32)", "<tf.Tensor: shape=(), dtype=float32, numpy=1.0>"),
        ("a", None, "tf.Tensor(b'a', shape=(), dtype=string)", "<tf.Tensor: shape=(), dtype=string, numpy=b'a'>"),
        (True, None, "tf.Tensor(True, shape=(), dtype=bool)", "<tf.Tensor: shape=(), dtype=bool, numpy=True>"),
        (1j, None, "tf.Tensor(1j, shape=(), dtype=complex128)", "<tf.Tensor: shape=(), dtype=complex128, numpy=1j>"),
        (
            [[1.0, 2.0]],
            None,
            "tf.Tensor([[1. 2.]], shape=(1, 2), dtype=float32)",
            "<tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[1., 2.]], dtype=float32)>",
        ),
        (
            [[1, 2], [3, 4]],
            "int64",
            "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int64)",
            "<tf.Tensor: shape=(2, 2), dtype=int64, numpy=\narray([[1, 2],\n       [3, 4]])>",
        ),
        (
            np.zeros([0, 2], np.float32),
            None,
            "tf.Tensor([], shape=(0, 2), dtype=float32)",
            "<tf.Tensor: shape=(0, 2), dtype=float32, numpy=array([], shape=(0, 2), dtype=float32)>",
        ),
    ],
)
def test_texts(value, dtype, text, shown):
    x = constant(value, dtype)
    assert str(x) == text and repr(x) == shown


def test_formats():
    assert f"{constant(1.5):.2f}" == "1.50" and f"{constant(3)}" == "3" and f"{constant([1.5])}" == "[1.5]"
    assert "%.2f" % constant(1.234) == "1.23" and "%d" % constant(3) == "3"  # noqa: UP031 - what is under test
    with pytest.raises(TypeError):
        format(constant([1.0]), ".1f")


def test_numbers_of_scalars():
    assert int(constant(2.7)) == 2 and float(constant(2)) == 2.0 and complex(constant(1.0)) == 1 + 0j
    assert int(constant(True)) == 1 and int(constant("3")) == 3 and float(constant("3.5")) == 3.5
    assert range(5)[constant(2)] == 2 and [10, 20][constant(1, "int64")] == 20
    for convert in (float, int, complex):
        for value in ([1.0], [1.0, 2.0], [[1.0]]):
            with pytest.raises(TypeError, match="0-dimensional"):
                convert(constant(value))
    for value in ([1, 2], [1], 2.5, True):
        with pytest.raises(TypeError, match="integer scalar"):
            constant(value).__index__()
    with pytest.raises(TypeError, match=r"len\(\)"):
        len(constant(1))


def test_truth():
    assert bool(constant([1])) is True and bool(constant(0.0)) is False and bool(constant("")) is False
    with pytest.raises(ValueError, match="ambiguous"):
        bool(constant([1, 2]))


def test_it_is_no_key_but_its_reference_is():
    x, y = constant(1.0), constant(1.0)
    with pytest.raises(TypeError, match=r"tensor\.ref\(\)"):
        hash(x)
    assert x.ref() == x.ref() != y.ref() and x.ref().deref() is x
    assert len({x.ref(), x.ref(), y.ref()}) == 2
    assert repr(x.ref()) == f"<Reference wrapping {x!r}>"


@pytest.mark.parametrize("name", ["name", "graph", "op", "T", "reshape", "tolist", "item", "astype", "sum"])
def test_attributes_that_say_what_to_use_instead(name):
    with pytest.raises(AttributeError, match=name):
        getattr(constant([1.0]), name)
    assert not hasattr(constant([1.0]), name)


def test_static_shapes_are_checked():
    constant([1.0]).set_shape([None])
    with pytest.raises(ValueError, match="not compatible"):
        constant(1.0).set_shape([2])
    with pytest.raises(RuntimeError, match="numpy"):
        constant(1.0).eval()


def test_types_of_values():
    assert type(constant(1).numpy()) is np.int32 and type(constant(1.0).numpy()) is np.float32
    assert type(constant("a").numpy()) is bytes and type(constant(["a"]).numpy()) is np.ndarray


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)))
def test_nothing_outside_can_change_it(array):
    before = array.copy()
    x = constant(array)
    for view in (x.numpy(), np.asarray(x), np.array(x), x.__array__(), array):
        if isinstance(view, np.ndarray) and view.flags.writeable:
            view[...] = 7.0
    np.testing.assert_array_equal(x.numpy(), before)
    if array.ndim:
        with pytest.raises(ValueError):
            np.asarray(x, copy=False)[...] = 7.0
        np.testing.assert_array_equal(x.numpy(), before)


def test_numpy_sees_an_array():
    x = constant([1, 2])
    assert np.array(x, np.float32).dtype == np.float32 and np.sum(x) == 3 and type(np.asarray(x)) is np.ndarray
    assert np.float32(constant(1.0)) == 1.0


@given(st.sampled_from(["float32", "int64", "bool", "string", "bfloat16", "complex64"]), st.booleans())
def test_copies_have_the_value(dtype, scalar):
    value = {"string": "a", "bool": True}.get(dtype, 1)
    x = constant(value if scalar else [value, value], dtype)
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is Tensor and twin.dtype == dtype and twin is not x
        np.testing.assert_array_equal(twin.numpy(), x.numpy())


def test_zero_dimensional_arrays_become_scalars():
    assert type(flat(np.array(1.0))) is np.float64 and type(wrap(flat(np.array(1))).numpy()) is np.int64
    array = np.array([1.0])
    assert flat(array) is array
    text = np.array(b"a", object)
    assert flat(text) is text


def test_the_class_has_the_name_that_programs_print():
    x, v = tf.constant(1.0), tf.Variable(1.0)
    assert (type(x).__name__, type(v).__name__) == ("EagerTensor", "ResourceVariable")
    assert pickle.loads(pickle.dumps(v)).numpy() == 1.0 and pickle.loads(pickle.dumps(tf.Tensor)) is tf.Tensor
