import gc
import pickle
import sys
import threading

import numpy as np
import pytest

from tapeflow.engines.llvm import entry, native, objects, target
from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.entry import Argument, conform, make_entry
from tapeflow.engines.llvm.values import F32, F64, I64, KINDS, PTR, constant

HOST = target.host()
F = np.dtype(np.float32)
X, Y, S = Argument(F, (2, 3)), Argument(F, (2, 3), writable=True), Argument(np.dtype(np.float64), ())


def scale():
    """y = x * s, for six numbers."""
    module = Module()
    b = Builder(module, "step", [(PTR, "slots")], internal=False)
    x, y, s = (b.load(b.address(b.parameters[0], i, PTR), PTR) for i in range(3))
    factor = b.cast(b.load(s, F64), F32)
    with b.loop(0, 6) as loop:
        b.store(b.mul(b.load(b.address(x, loop.i, F32), F32), factor), b.address(y, loop.i, F32))
    b.finish()
    return native.compile_ir(module.text(), HOST)


@pytest.fixture(params=["native", "long", "checked by Python", "loaded by LLVM"])
def function(request, monkeypatch):
    entry._method.cache_clear()
    if request.param == "checked by Python":
        monkeypatch.setattr(objects, "arrays", lambda: None)
    if request.param == "loaded by LLVM":
        monkeypatch.setattr(native.elf, "load", _refuse)
    yield make_entry(scale(), [X, Y, S], HOST, long=request.param == "long")
    entry._method.cache_clear()


def _refuse(data, resolve):
    raise native.elf.Unsupported


def arrays():
    return np.arange(6, dtype=F).reshape(2, 3), np.zeros((2, 3), F), np.float64(2.5)


def test_it_calls_with_the_addresses_of_the_data(function):
    x, y, s = arrays()
    assert function(x, y, s) is None
    np.testing.assert_array_equal(y, x * 2.5)
    assert function(x, y, np.array(-1.0)) is None  # an array without dimensions in the place of a scalar
    np.testing.assert_array_equal(y, -x)


def test_dtype_objects_other_than_numpys_own(function):
    x, y, s = (pickle.loads(pickle.dumps(a)) for a in arrays())
    assert x.dtype is not F
    assert function(x, y, s) is None
    np.testing.assert_array_equal(y, x * 2.5)
    assert function(np.zeros((2, 3), np.dtype("f4", metadata={"a": 1})), y, s) is None
    swapped = np.zeros((2, 3), np.dtype(">f4", metadata={"a": 1}))
    assert function(swapped, y, s) == 0
    assert function(pickle.loads(pickle.dumps(x.astype(np.int32))), y, s) == 0


class Sub(np.ndarray):
    pass


def misaligned():
    return np.frombuffer(bytes(25), np.uint8)[1:].view(F).reshape(2, 3)


def frozen():
    x = np.zeros((2, 3), F)
    x.flags.writeable = False
    return x


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, np.zeros((2, 3))), (0, np.zeros((2, 3), np.int32)), (0, np.zeros((2, 3), ">f4")), (0, np.zeros((3, 2), F)),
     (0, np.zeros((2, 3, 1), F)), (0, np.zeros(6, F)), (0, np.zeros((), F)), (0, np.zeros((2, 6), F)[:, ::2]),
     (0, np.zeros((2, 3), F, order="F")), (0, misaligned()), (0, np.zeros((2, 3), F).view(Sub)),
     (0, np.ma.zeros((2, 3), F)), (0, [[0.0] * 3] * 2), (0, None), (0, np.float32(1)), (0, "text"), (0, object()),
     (0, np.zeros((2, 3), [("f", F)])), (1, frozen()), (1, np.zeros((2, 3), F)[::-1]), (1, np.float32(1)),
     (2, np.float32(1)), (2, 1.0), (2, np.int64(1)), (2, np.zeros(1)), (2, np.bool_(True)), (2, np.longdouble(1)),
     (2, None), (2, np.zeros((), ">f8"))],
)  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_runs(function, place, value):
    values = list(arrays())
    values[place] = value
    if place != 1:
        values[1][...] = 7
    assert function(*values) == place
    if place != 1:
        np.testing.assert_array_equal(values[1], np.full((2, 3), 7))


def test_the_number_of_arguments_counts(function):
    x, y, s = arrays()
    assert [function(), function(x, y), function(x, y, s, s)] == [-1, -1, -1]
    with pytest.raises(TypeError):
        function(x, y, s=s)


def test_nobody_holds_the_arguments_afterwards(function):
    values = [*arrays(), np.zeros((3, 2), F)]
    function(*values[:3])
    before = [sys.getrefcount(v) for v in values]
    for _ in range(50):
        function(*values[:3])
        function(values[3], *values[1:3])
    assert [sys.getrefcount(v) for v in values] == before


def test_it_lives_on_by_itself_and_goes_when_it_is_not_needed():
    compiled = scale()
    function = make_entry(compiled, [X, Y, S], HOST, scratch=100)
    count = sys.getrefcount(compiled)
    x, y, s = arrays()
    other = make_entry(scale(), [X, Y, S], HOST)
    gc.collect()
    other(x, y, s)
    np.testing.assert_array_equal(y, x * 2.5)
    del function
    gc.collect()
    assert sys.getrefcount(compiled) == count - 1


@pytest.mark.parametrize("dtype", KINDS)
def test_scalars_of_every_dtype(dtype):
    kind = KINDS[dtype]
    module = Module()
    b = Builder(module, "step", [(PTR, "slots")], internal=False)
    x, y = (b.load(b.address(b.parameters[0], i, PTR), PTR) for i in range(2))
    b.store(b.load(x, kind), y)
    b.finish()
    arguments = [Argument(dtype, ()), Argument(dtype, (), writable=True)]
    function = make_entry(native.compile_ir(module.text(), HOST), arguments, HOST)
    for number in (0, 1, 100):
        out = np.full((), 5).astype(dtype)
        assert function(dtype.type(number), out) is None
        assert out[()] == dtype.type(number)
    assert function(np.complex64(0), out) == 0


def test_scratch_memory_is_aligned_and_each_calls_own(monkeypatch):
    module = Module()
    b = Builder(module, "step", [(PTR, "slots")], internal=False)
    out, again, scratch = (b.load(b.address(b.parameters[0], i, PTR), PTR) for i in range(3))
    b.store(constant(1, I64), scratch)
    b.store(b.value(f"ptrtoint ptr {scratch.name} to i64", constant(0, I64).type), out)
    b.finish()
    arguments = [Argument(np.dtype(np.int64), (), True), Argument(F, (1,))]
    tables = []
    make = entry._table
    monkeypatch.setattr(entry, "_table", lambda *args: tables.append(make(*args)) or tables[0])
    function = make_entry(native.compile_ir(module.text(), HOST), arguments, HOST, scratch=1000)
    words = tables[0]
    out, one = np.zeros((), np.int64), np.zeros(1, F)
    function(out, one)
    first = int(out)
    function(out, one)
    assert int(out) == first == int(words[3])
    assert first % 64 == 0
    words[3] = 0  # as while another thread is inside
    function(out, one)
    assert int(out) not in (0, first)
    assert int(out) % 64 == 0
    assert words[3] == 0


def spin():
    """Counts its first argument up until the second is not zero."""
    module = Module()
    module.functions.append(
        """define void @step(ptr %slots) {
entry:
  %count = load ptr, ptr %slots
  %at = getelementptr ptr, ptr %slots, i64 1
  %stop = load ptr, ptr %at
  br label %loop
loop:
  %old = atomicrmw add ptr %count, i64 1 seq_cst
  %s = load atomic i64, ptr %stop seq_cst, align 8
  %end = icmp ne i64 %s, 0
  br i1 %end, label %done, label %loop
done:
  ret void
}"""
    )
    return native.compile_ir(module.text(), HOST)


def test_other_threads_run_during_a_long_call():
    number = Argument(np.dtype(np.int64), (1,), writable=True)
    function = make_entry(spin(), [number, number], HOST, long=True)
    count, stop = np.zeros(1, np.int64), np.zeros(1, np.int64)
    thread = threading.Thread(target=function, args=(count, stop))
    thread.start()  # had it the lock for itself, nothing here would go on
    while count[0] == 0:
        pass
    stop[0] = 1
    thread.join()
    assert count[0] > 0


def test_denormals_are_zero_inside_and_numbers_outside(function):
    x, y, _ = arrays()
    x[...] = 1e-30
    tiny = np.float32(1e-40)
    assert function(x, y, np.float64(1e-10)) is None
    np.testing.assert_array_equal(y, np.zeros((2, 3)))  # flushed
    x[...] = tiny
    assert function(x, y, np.float64(1e30)) is None
    np.testing.assert_array_equal(y, np.zeros((2, 3)))  # taken as zero
    assert np.array([tiny]) * np.float32(1.0) == tiny != 0


def test_conform_makes_what_fits():
    x = np.arange(12, dtype=F).reshape(2, 6)[:, ::2]
    y, s = np.zeros((2, 3), F), np.float64(2)
    function = make_entry(scale(), [X, Y, S], HOST)
    for value in (x, np.asfortranarray(x), x.astype(">f4"), x.copy().view(Sub), x.tolist()):
        value = np.array(value, F) if isinstance(value, list) else value
        made = conform([value, y, s], [X, Y, S])
        assert made[1] is y
        assert function(*made) is None
        np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize(
    ("place", "value", "error", "words"),
    [(0, np.zeros((2, 3)), TypeError, "argument 0 has dtype float64, expected float32"),
     (0, np.zeros((3, 2), F), ValueError, r"argument 0 has shape \(3, 2\), expected \(2, 3\)"),
     (1, frozen(), ValueError, "argument 1 is written into"),
     (1, np.zeros((2, 3), ">f4"), ValueError, "argument 1 is written into")],
)  # fmt: skip
def test_conform_says_what_cannot_fit(place, value, error, words):
    values = list(arrays())
    values[place] = value
    with pytest.raises(error, match=words):
        conform(values, [X, Y, S])
    with pytest.raises(TypeError, match="expected 3 arguments, got 1"):
        conform([value], [X, Y, S])


def test_dtypes_that_are_no_numbers_are_no_arguments():
    with pytest.raises(TypeError, match=">f4"):
        make_entry(scale(), [Argument(np.dtype(">f4"), (1,))], HOST)
