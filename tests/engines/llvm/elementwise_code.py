"""Compiles functions of `vector_math` into loops over arrays, for the host and for plainer processors."""

import ctypes
import functools
import platform

import llvmlite.binding as llvm
import numpy as np

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import I64, KINDS, PTR

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
X86 = platform.machine().lower() in ("x86_64", "amd64")
FEATURES = llvm.get_host_cpu_features()
DTYPES = {kind: dtype for dtype, kind in KINDS.items()}
# name: LLVM's processor, bits of its vectors, whether it fuses, whether it rounds
MACHINES = {
    "host": (
        llvm.get_host_cpu_name(),
        512 if FEATURES.get("avx512f") else 128,
        FEATURES.get("fma", not X86),
        FEATURES.get("sse4.1", not X86),
    )
}
if X86:
    MACHINES["plain"] = ("x86-64", 128, False, False)
if FEATURES.get("avx2") and FEATURES.get("fma"):
    MACHINES["avx2"] = ("x86-64-v3", 256, True, True)
_alive = []  # engines own the code


@functools.cache
def compiled(function, dtypes, machine="host", lanes=None):
    """A function of arrays of these dtypes (all of one length), which applies `function(b, *values)` to them.

    Returns it with the assembly that it was made from.
    """
    kinds = [KINDS[np.dtype(d)] for d in dtypes]
    cpu, width, fused, rounding = MACHINES[machine]
    lanes = lanes or width // 8 // kinds[0].bytes
    module = Module(width, fused=fused, rounding=rounding)
    b = Builder(module, "run", [*((PTR, f"p{i}") for i in range(len(kinds) + 1)), (I64, "n")], internal=False)
    *pointers, out, n = b.parameters
    with b.loop(0, n, lanes) as loop:
        values = [b.load(b.address(p, loop.i, k), k, lanes) for p, k in zip(pointers, kinds, strict=True)]
        result = function(b, *values)
        b.store(result, b.address(out, loop.i, result.kind))
    b.finish()
    parsed = llvm.parse_assembly(module.text())
    parsed.verify()
    features = FEATURES.flatten() if machine == "host" else ""
    target = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=cpu, features=features, opt=2, codemodel="jitdefault", jit=True
    )
    assembly = target.emit_assembly(parsed)
    engine = llvm.create_mcjit_compiler(parsed, target)
    engine.finalize_object()
    _alive.append(engine)
    signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(kinds) + 1), ctypes.c_int64)
    code = signature(engine.get_function_address("run"))

    def run(*arrays):
        padding = -len(arrays[0]) % lanes
        arrays = [np.concatenate([a, a[:1].repeat(padding)]).astype(d) for a, d in zip(arrays, dtypes, strict=True)]
        results = np.empty(len(arrays[0]), DTYPES[result.kind])
        code(*(a.ctypes.data for a in arrays), results.ctypes.data, len(results))
        return results[: len(results) - padding]

    return run, assembly


def apply(function, *arrays, machine="host", lanes=None):
    """The results of `function(b, *values)` on arrays."""
    return compiled(function, tuple(a.dtype.name for a in arrays), machine, lanes)[0](*arrays)
