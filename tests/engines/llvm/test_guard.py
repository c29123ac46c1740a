import ctypes

import numpy as np
import pytest

from tapeflow.engines.llvm import guard


def test_a_copy_that_stays_inside_passes():
    x = np.arange(12.0).reshape(3, 4)[:, ::2]
    copy = guard.guarded_copy(x)
    np.testing.assert_array_equal(copy.array, x)
    assert copy.array.flags.c_contiguous
    assert copy.array.__array_interface__["data"][0] % 64 == 0
    copy.check("x", writable=False)
    copy.array[...] = 5
    copy.check("x")
    copy.copy_back()
    np.testing.assert_array_equal(x, np.full((3, 2), 5))


@pytest.mark.parametrize(
    ("offset", "words"),
    [(-1, "1 bytes before it, the nearest 1 away"), (24, "1 bytes after it, the nearest 1 away"),
     (-100, "the nearest 100 away"), (123, "the nearest 100 away")],
)  # fmt: skip
def test_bytes_written_outside_are_found(offset, words):
    copy = guard.guarded_copy(np.zeros((2, 3), np.float32))
    ctypes.c_uint8.from_address(copy.array.ctypes.data + offset).value = 0
    with pytest.raises(RuntimeError, match=rf"outside of argument 2, float32\[2, 3\].*{words}"):
        copy.check("argument 2")


def test_bytes_written_into_what_is_only_read_are_found():
    copy = guard.guarded_copy(np.zeros(3))
    copy.array[1] = 1
    with pytest.raises(RuntimeError, match="wrote into argument 0"):
        copy.check("argument 0", writable=False)


def test_arrays_without_elements_and_dimensions():
    for x in (np.zeros((0, 3)), np.array(4.0)):
        copy = guard.guarded_copy(x)
        assert copy.array.shape == x.shape
        copy.check("x", writable=False)


def test_the_environment_asks_for_it(monkeypatch):
    monkeypatch.delenv("TAPEFLOW_GUARD", raising=False)
    assert not guard.enabled()
    monkeypatch.setenv("TAPEFLOW_GUARD", "0")
    assert not guard.enabled()
    monkeypatch.setenv("TAPEFLOW_GUARD", "1")
    assert guard.enabled()
