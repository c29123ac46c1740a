import ctypes

import numpy as np
import pytest

from tapeflow.engines.llvm import objects


def test_an_arrays_parts_lie_where_it_says():
    layout = objects.arrays()
    x = np.zeros((4, 7), np.int16)[1:]

    def word(offset):
        return ctypes.c_uint64.from_address(id(x) + offset).value

    assert word(layout.type) == id(np.ndarray)
    assert word(layout.data) == x.ctypes.data
    assert word(layout.descr) == id(x.dtype)
    assert ctypes.c_int32.from_address(id(x) + layout.rank).value == 2
    assert ctypes.c_int32.from_address(id(x) + layout.flags).value == x.flags.num
    assert ctypes.c_uint64.from_address(id(x.dtype) + layout.kind).value == id(np.int16)
    for dtype in (np.dtype(">f8"), np.dtype("<f8"), np.dtype("int8")):
        assert ctypes.string_at(id(dtype) + layout.order, 1) == dtype.byteorder.encode()
    assert list((ctypes.c_int64 * 2).from_address(word(layout.dimensions))) == [3, 7]
    assert x.flags.c_contiguous == bool(x.flags.num & objects.CONTIGUOUS)
    assert x.flags.aligned == bool(x.flags.num & objects.ALIGNED)
    assert x.flags.writeable == bool(x.flags.num & objects.WRITABLE)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "float16", "int32", "float32", "int64", "float64", "complex64"]
)
def test_a_scalars_number_lies_where_it_says(dtype):
    kind = np.dtype(dtype)
    number = kind.type(1) if dtype == "bool" else kind.type(77)
    offset = objects.scalar(kind)
    assert ctypes.string_at(id(number) + offset, kind.itemsize) == number.tobytes()


def test_other_dtypes_have_no_scalars():
    assert objects.scalar(np.dtype("U3")) is None
    assert objects.scalar(np.dtype(object)) is None


def test_what_cannot_be_made_sure_of_is_none():
    xs = [np.zeros(3), np.zeros(4)]
    assert objects._place(xs, [x.ctypes.data + 1 for x in xs], 8, object.__basicsize__) is None
    assert not objects._dimensions(xs[0], objects.arrays().data)
