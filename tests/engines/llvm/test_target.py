import numpy as np
import pytest

from tapeflow.engines.llvm import native, target
from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import F32, PTR


@pytest.fixture(autouse=True)
def _fresh():
    target.host.cache_clear()
    yield
    target.host.cache_clear()


@pytest.mark.parametrize(
    ("name", "vector_bytes", "registers", "fma", "rounding"),
    [("avx512", 64, 32, True, True), ("avx2", 32, 16, True, True), ("sse4", 16, 16, False, True),
     ("sse2", 16, 16, False, False), ("neon", 16, 32, True, True)],
)  # fmt: skip
def test_what_each_target_has(name, vector_bytes, registers, fma, rounding):
    found = target.of(name, "linux")
    assert found[4:8] == (vector_bytes, registers, fma, rounding)
    assert found.x86 == (name != "neon")
    assert 8 << 10 <= found.l1 <= found.l2


def test_an_unknown_target_names_those_there_are():
    with pytest.raises(ValueError, match="unknown target 'mmx'; there are avx512, avx2"):
        target.of("mmx")


@pytest.mark.parametrize(
    ("seen", "name"),
    [({"AVX512_SKX", "AVX2", "FMA3", "F16C", "SSE41"}, "avx512"), ({"AVX2", "FMA3", "F16C", "SSE41"}, "avx2"),
     ({"AVX2", "SSE41"}, "sse4"), (set(), "sse2")],
)  # fmt: skip
def test_the_best_that_the_machine_can_do(monkeypatch, seen, name):
    monkeypatch.delenv("TAPEFLOW_TARGET", raising=False)
    monkeypatch.setattr(target, "_machine", lambda: "x86_64")
    monkeypatch.setattr(target, "_seen", lambda: seen)
    assert target.host().name == name


def test_the_environment_limits_it(monkeypatch, caplog):
    monkeypatch.setattr(target, "_machine", lambda: "x86_64")
    monkeypatch.setattr(target, "_seen", lambda: {"AVX2", "FMA3", "F16C", "SSE41"})
    monkeypatch.setenv("TAPEFLOW_TARGET", "sse2")
    assert target.host().name == "sse2"
    target.host.cache_clear()
    monkeypatch.setenv("TAPEFLOW_TARGET", "off")
    assert target.host() is None
    assert not caplog.records
    target.host.cache_clear()
    monkeypatch.setenv("TAPEFLOW_TARGET", "avx512")  # which it has not
    assert target.host().name == "avx2"
    assert "TAPEFLOW_TARGET=avx512" in caplog.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [(("find_spec", lambda name: None), "llvmlite is not installed"), (("_machine", lambda: "riscv64"), "riscv64")],
)
def test_without_a_compiler_one_line_says_why(monkeypatch, caplog, change, reason):
    monkeypatch.setattr(target, *change)
    assert target.host() is None
    assert target.host() is None
    assert len(caplog.records) == 1
    assert reason in caplog.text


def test_free_threaded_pythons_are_not_compiled_for(monkeypatch):
    monkeypatch.setattr(target.sysconfig, "get_config_var", lambda name: 1)
    assert "free-threaded" in target.missing()


@pytest.mark.parametrize("name", ["sse2", "sse4"])
def test_code_for_a_lesser_machine_computes_the_same(name):
    machine = target.of(name)
    lanes = machine.vector_bytes // 4
    module = Module(machine.vector_bytes * 8)
    b = Builder(module, "step", [(PTR, "slots")], internal=False)
    x, y = (b.load(b.address(b.parameters[0], i, PTR), PTR) for i in range(2))
    with b.loop(0, 32, lanes) as loop:
        v = b.load(b.address(x, loop.i, F32), F32, lanes)
        v = b.intrinsic("rint", b.fma(v, v, b.intrinsic("sqrt", v)))  # three calls of the C library on SSE2
        b.store(v, b.address(y, loop.i, F32))
    b.finish()
    compiled = native.compile_ir(module.text(), machine)
    x = np.linspace(0, 9, 32, dtype=np.float32)
    y = np.zeros_like(x)
    from tapeflow.engines.llvm.entry import Argument, make_entry

    arguments = [Argument(x.dtype, x.shape), Argument(x.dtype, x.shape, writable=True)]
    assert make_entry(compiled, arguments, machine)(x, y) is None
    np.testing.assert_array_equal(y, np.rint(x.astype(np.float64) ** 2 + np.sqrt(x)).astype(np.float32))
