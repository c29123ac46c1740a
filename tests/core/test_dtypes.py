"""`tf.DType` and `tf.as_dtype`, as recorded from TensorFlow."""

import copy
import pickle

import numpy as np
import pytest

from tapeflow.core import dtypes
from tapeflow.core.dtypes import DTYPES, as_dtype, bool_, float32, numpy_dtype, string

ARRAY_DTYPES = [d for d in DTYPES.values() if d.is_numpy_compatible]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (float, "float32"),
        (bool, "bool"),
        (object, "string"),
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        (np.str_, "string"),
        (np.bytes_, "string"),
        (np.dtype("S3"), "string"),
        (np.dtype("U3"), "string"),
        (np.float64, "float64"),
        (np.dtype(">i4"), "int32"),
        (np.dtype(np.uint16), "uint16"),
        (np.int64, "int64"),
        (1, "float32"),
        (14, "bfloat16"),
        ("bfloat16", "bfloat16"),
    ],
)
def test_what_names_a_dtype(given, name):
    assert as_dtype(given) is DTYPES[name]


@pytest.mark.parametrize("given", [int, str, complex, "nonsense", None, 99, np.dtype("datetime64[s]"), [1], object()])
def test_what_names_none(given):
    with pytest.raises(TypeError, match="Cannot convert the argument `type_value`"):
        as_dtype(given)


@pytest.mark.parametrize("dtype", ARRAY_DTYPES, ids=str)
def test_numpy_and_back(dtype):
    assert as_dtype(numpy_dtype(dtype)) is dtype
    assert as_dtype(dtype.as_numpy_dtype) is dtype
    assert np.empty(0, dtype.as_numpy_dtype).dtype is numpy_dtype(dtype)
    assert as_dtype(dtype.name) is as_dtype(dtype.as_datatype_enum) is dtype


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_a_copy_is_the_same_object(dtype):
    assert pickle.loads(pickle.dumps(dtype)) is copy.deepcopy(dtype) is dtype
    assert repr(dtype) == f"tf.{dtype.name}" and str(dtype) == f"<dtype: '{dtype.name}'>"
    assert int(dtype) == dtype.as_datatype_enum and dtype.base_dtype is dtype


def test_equality_goes_by_what_the_other_names():
    assert float32 == "float32" and float32 == np.float32 and float32 == np.dtype("float32") and float32 == float  # noqa: E721
    assert float32 != "float64" and float32 != np.int32 and float32 != None and float32 != "nonsense"  # noqa: E711
    assert len({float32, as_dtype("float"), dtypes.float64}) == 2
    assert hash(float32) == hash(as_dtype(np.float32))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("float16", "floating numeric"),
        ("bfloat16", "floating numeric"),
        ("float64", "floating numeric"),
        ("int8", "integer numeric"),
        ("uint64", "integer unsigned numeric"),
        ("complex64", "complex numeric"),
        ("string", ""),
        ("resource", ""),
    ],
)
def test_kinds(name, kinds):
    dtype = DTYPES[name]
    every = ("bool", "integer", "unsigned", "floating", "complex", "numeric", "quantized")
    assert [k for k in every if getattr(dtype, f"is_{k}")] == sorted(kinds.split(), key=every.index)


def test_bool_is_a_kind_of_its_own():
    assert bool_.is_bool and not bool_.is_integer and not bool_.is_floating
    assert bool_.min is False and bool_.max is True and bool_.limits == (False, True)


@pytest.mark.parametrize(
    ("name", "low", "high", "size"),
    [
        ("int8", -128, 127, 1),
        ("uint16", 0, 65535, 2),
        ("int64", -(2**63), 2**63 - 1, 8),
        ("float16", -65504.0, 65504.0, 2),
        ("float32", np.finfo(np.float32).min, np.finfo(np.float32).max, 4),
        ("bfloat16", -3.3895313892515355e38, 3.3895313892515355e38, 2),
    ],
)
def test_ranges(name, low, high, size):
    dtype = DTYPES[name]
    assert (float(dtype.min), float(dtype.max), dtype.size) == (float(low), float(high), size)
    assert dtype.limits == ((0, 1) if dtype.is_floating else (low, high))


def test_what_has_no_range():
    for dtype in (string, dtypes.complex64):
        with pytest.raises(TypeError):
            dtype.min
    for dtype in (dtypes.resource, dtypes.variant):
        with pytest.raises(TypeError):
            dtype.as_numpy_dtype


def test_real_parts():
    assert dtypes.complex64.real_dtype is float32 and dtypes.complex128.real_dtype is dtypes.float64
    assert string.real_dtype is string and float32.real_dtype is float32


def test_compatibility_is_identity():
    assert float32.is_compatible_with("float") and not float32.is_compatible_with(np.float64)
    assert float32.is_subtype_of(float32) and not float32.is_subtype_of(dtypes.float64)


def test_groups_take_bfloat16_in_when_it_is_first_used():
    bfloat16 = numpy_dtype("bfloat16")
    for group in (dtypes.FLOATS, dtypes.FLOATS_COMPLEX, dtypes.REALS, dtypes.NUMBERS, dtypes.ANY):
        assert bfloat16 in group and bfloat16.type in group
    assert bfloat16 not in dtypes.INTEGERS and dtypes.is_differentiable(bfloat16)
