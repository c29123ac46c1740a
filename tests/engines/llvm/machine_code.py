"""Compiling small modules by hand, for tests of what writes them: the host's code, or that of lesser machines."""

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import PTR

_LESS = {
    512: "",
    256: "-avx512f,-avx512vl,-avx512bw,-avx512dq,-avx512cd",
    128: "-avx512f,-avx512vl,-avx512bw,-avx512dq,-avx512cd,-avx,-avx2,-fma,-sse3,-ssse3,-sse4.1,-sse4.2",
}


class Compiled:
    """A function of pointers and the machine code that it lives in."""

    def __init__(self, engine: object, address: int, count: int) -> None:
        self.engine = engine
        self.call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(address)

    def __call__(self, *arrays: np.ndarray) -> None:
        self.call(*[x.ctypes.data for x in arrays])


def compile_function(bits: int, count: int, write: Callable[..., None]) -> Compiled:
    """A function of so many pointers, whose body `write(b, *pointers)` writes."""
    llvm = pytest.importorskip("llvmlite.binding")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = Module(bits)
    b = Builder(module, "run", [(PTR, f"p{i}") for i in range(count)], internal=False)
    write(b, *b.parameters)
    b.finish()
    parsed = llvm.parse_assembly(module.text())
    parsed.verify()
    features = ",".join(filter(None, [llvm.get_host_cpu_features().flatten(), _LESS[bits]]))
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu="x86-64" if bits == 128 else llvm.get_host_cpu_name(), features=features, opt=2, jit=True
    )
    engine = llvm.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    return Compiled(engine, engine.get_function_address("run"), count)


def host_bits() -> list[int]:
    """The widths of vectors that the machine can run."""
    llvm = pytest.importorskip("llvmlite.binding")
    features = llvm.get_host_cpu_features()
    return [bits for bits, name in ((128, "sse2"), (256, "avx2"), (512, "avx512f")) if features.get(name)]
