import ctypes

import numpy as np
import pytest
from hypothesis import given, settings

import tapeflow as tf
from tapeflow.engines.llvm import guard
from tapeflow.engines.llvm.entry import Argument
from tests.engines.llvm import programs
from tests.engines.llvm.op_cases import LOWERED, cases, check
from tests.engines.llvm.running import graph_of, native, on_both
from tests.ops.examples import EXAMPLES


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


def test_an_entry_between_guard_zones():
    x, y, z = np.arange(3.0), np.zeros(2), np.float32(1)

    def entry(x, y, z):
        y[:] = x[:2]

    call = guard.guarded_entry(entry, ["x", "y", "z"], [False, True, False])
    assert call(x, y, z) is None and y.tolist() == [0.0, 1.0]
    assert guard.guarded_entry(lambda *_: 1, ["x", "y", "z"], [False, True, False])(x, y, z) == 1

    def too_far(x, y, z):
        ctypes.c_uint8.from_address(y.ctypes.data + 16).value = 0

    with pytest.raises(RuntimeError, match=r"outside of y, float64\[2\]: 1 bytes after"):
        guard.guarded_entry(too_far, ["x", "y", "z"], [False, True, False])(x, y, z)

    def wrong(x, y, z):
        x[0] = 7

    with pytest.raises(RuntimeError, match="wrote into x"):
        guard.guarded_entry(wrong, ["x", "y", "z"], [False, True, False])(x, y, z)
    assert x[0] == 0


def test_the_arena_is_guarded():
    arena = guard.guarded_copy(np.zeros(64, np.uint8))

    def entry():
        ctypes.c_uint8.from_address(arena.array.ctypes.data - 1).value = 0

    with pytest.raises(RuntimeError, match="outside of the arena"):
        guard.guarded_entry(entry, [], [], arena)()


def test_code_that_writes_more_than_the_array_has(monkeypatch):
    monkeypatch.setenv("TAPEFLOW_GUARD", "1")
    x = np.ones((4, 20), np.float32)
    (function,) = native(graph_of(tf.exp, [x])).functions
    function.arguments[-1] = Argument(np.dtype("float32"), (4, 19))
    with pytest.raises(RuntimeError, match="outside of output 0 of compiled f_0"):
        function._guarded()(x, np.zeros((4, 19), np.float32))


@pytest.mark.parametrize("name", LOWERED)
def test_no_op_writes_outside_of_its_arrays(name, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_GUARD", "1")
    dtypes = EXAMPLES[name].dtypes
    check(name, cases(name, "float32" if "float32" in dtypes else dtypes[0], 1, 4))


@settings(max_examples=40)
@given(*programs.RANDOM)
def test_no_random_program_does(steps, outputs, dtype, seed):
    variables = programs.new_variables(dtype)
    arrays = programs.inputs(3, dtype, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAPEFLOW_GUARD", "1")
        got, want = on_both(programs.program(steps, outputs, variables), arrays, variables, calls=2)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
