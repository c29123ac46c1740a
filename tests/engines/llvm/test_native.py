import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tapeflow
from tapeflow.engines.llvm import cache, elf, native, target

HOST = target.host()
TWICE = """
@factor = global i64 {factor}
@table = private unnamed_addr constant [3 x i64] [i64 5, i64 6, i64 7]
declare i32 @abs(i32)
declare double @cbrt(double)
define internal i64 @inner(i64 %x) {{
  %f = load i64, ptr @factor
  %r = mul i64 %x, %f
  ret i64 %r
}}
define i64 @scaled(i64 %x) {{
  %r = call i64 @inner(i64 %x)
  ret i64 %r
}}
define i64 @picked(i64 %i) {{
  %p = getelementptr i64, ptr @table, i64 %i
  %r = load i64, ptr %p
  ret i64 %r
}}
define i32 @positive(i32 %x) {{
  %r = call i32 @abs(i32 %x)
  ret i32 %r
}}
define double @root(double %x) {{
  %r = call double @cbrt(double %x)
  ret double %r
}}
@chosen = global ptr @scaled
"""


def function(compiled, name, returns, *takes):
    return ctypes.CFUNCTYPE(returns, *takes)(compiled.address(name))


@pytest.mark.parametrize("factor", [2, 31])
def test_functions_variables_constants_and_the_c_library(loader, factor):
    compiled = native.compile_ir(TWICE.format(factor=factor), HOST)
    scaled = function(compiled, "scaled", ctypes.c_int64, ctypes.c_int64)
    assert scaled(21) == 21 * factor
    variable = ctypes.c_int64.from_address(compiled.address("factor"))
    assert variable.value == factor
    variable.value = -1
    assert scaled(21) == -21
    picked = function(compiled, "picked", ctypes.c_int64, ctypes.c_int64)
    assert [picked(i) for i in range(3)] == [5, 6, 7]
    assert function(compiled, "positive", ctypes.c_int32, ctypes.c_int32)(-5) == 5
    assert function(compiled, "root", ctypes.c_double, ctypes.c_double)(27.0) == pytest.approx(3.0)
    assert ctypes.c_int64.from_address(compiled.address("chosen")).value == compiled.address("scaled")
    with pytest.raises(KeyError):
        compiled.address("nothing")


def test_modules_may_use_the_same_names(loader):
    one, two = (native.compile_ir(TWICE.format(factor=f), HOST) for f in (3, 5))
    results = [function(m, "scaled", ctypes.c_int64, ctypes.c_int64)(7) for m in (one, two)]
    assert results == [21, 35]


def test_the_second_time_the_object_comes_from_disk(loader):
    text = TWICE.format(factor=len(loader) + 100)
    first, second = native.compile_ir(text, HOST), native.compile_ir(text, HOST)
    assert (first.cached, second.cached) == (False, True)
    assert "codegen" in first.times and "codegen" not in second.times
    assert function(second, "scaled", ctypes.c_int64, ctypes.c_int64)(1) == len(loader) + 100


def test_the_key_tells_texts_targets_and_versions_apart(monkeypatch):
    machines = [target.of(name, "linux") for name in target.names()]
    keys = [native._key("a", machine, False) for machine in machines]
    keys += [native._key("b", machines[0], False), native._key("a", machines[0], True)]
    monkeypatch.setattr(native, "__version__", "0.0.0")
    keys.append(native._key("a", machines[0], False))
    assert len(set(keys)) == len(keys) == 8


def test_a_text_that_is_not_llvms_is_an_error():
    with pytest.raises(ValueError, match="LLVM does not accept the module"):
        native.compile_ir("define nonsense", HOST)
    with pytest.raises(ValueError, match="LLVM does not accept the module"):  # parsed, but not verified
        native.compile_ir("define i32 @f(i1 %c) {\n br i1 %c, label %a, label %b\na:\n %x = add i32 1, 1\n"
                          " br label %b\nb:\n ret i32 %x\n}", HOST)  # fmt: skip


def test_a_name_that_nothing_defines_is_an_error():
    with pytest.raises(OSError, match="tapeflow_nowhere"):
        native.compile_ir("declare void @tapeflow_nowhere()\ndefine void @f() {\n call void @tapeflow_nowhere()\n"
                          " ret void\n}", HOST)  # fmt: skip


def test_names_that_are_provided_are_found(loader):
    calls = []
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda x: calls.append(x) or x + 1)
    native.provide("tapeflow_test_callback", lambda: ctypes.cast(callback, ctypes.c_void_p).value)
    compiled = native.compile_ir(
        "declare i64 @tapeflow_test_callback(i64)\ndefine i64 @f(i64 %x) {\n"
        " %r = call i64 @tapeflow_test_callback(i64 %x)\n ret i64 %r\n}", HOST)  # fmt: skip
    assert function(compiled, "f", ctypes.c_int64, ctypes.c_int64)(41) == 42
    assert calls == [41]


def test_sroa_runs_where_it_is_asked_for():
    text = """define i64 @f(i64 %x) {
  %a = alloca i64
  store i64 %x, ptr %a
  %r = load i64, ptr %a
  ret i64 %r
}"""
    compiled = native.compile_ir(text, HOST, sroa=True)
    assert "sroa" in compiled.times
    assert function(compiled, "f", ctypes.c_int64, ctypes.c_int64)(9) == 9


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF" + bytes(200), b"MZ" + bytes(300)])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(elf.Unsupported):
        elf.load(data, native.resolve)


def test_an_object_cut_short_is_refused():
    text = TWICE.format(factor=4)
    native.compile_ir(text, HOST)
    data = cache.get(native._key(text, HOST, False))
    for size in range(0, len(data) - 1, 97):
        with pytest.raises(elf.Unsupported):
            elf.load(data[:size], native.resolve)


def test_from_the_cache_nothing_of_llvm_is_loaded(tmp_path):
    program = f"""
import sys
from tapeflow.engines.llvm import native, target
native.compile_ir({TWICE.format(factor=6)!r}, target.host())
print("llvmlite.binding" in sys.modules)
"""
    root = str(Path(tapeflow.__file__).parent.parent)
    environment = {"PYTHONPATH": root, "TAPEFLOW_CACHE": str(tmp_path / "objects"), "PATH": ""}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    through_llvm = "False" if HOST.triple.startswith("x86_64-unknown-linux") else "True"
    assert [out.strip() for out in outputs] == ["True", through_llvm]


def test_a_forked_process_has_variables_of_its_own(loader):
    compiled = native.compile_ir(TWICE.format(factor=77), HOST)
    variable = ctypes.c_int64.from_address(compiled.address("factor"))
    child = os.fork()
    if child == 0:
        variable.value = 1
        os._exit(0)
    os.waitpid(child, 0)
    assert variable.value == 77
