"""From LLVM's text to addresses of functions: through the cache of objects, or through LLVM, which then loads first.

Only code generation runs: whoever writes the text has vectorised and inlined already. Its level makes no difference to
vector code (59 ms for 3800 lines at 1, 2 and 3; at 0 the code is three times slower), so it is 2.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from threading import RLock
from time import perf_counter
from typing import Any

from ...version import __version__
from . import cache, elf
from .target import Target

_LEVEL = 2
_lock = RLock()  # loading a module may make the pool, which is a module itself
_providers: dict[str, Callable[[], int]] = {}  # what native code may call by name, beyond the C library


class Native:
    """Compiled functions. They can be called as long as this lives.

    `times` tells the milliseconds that each stage took; `cached` whether the object came from disk, where it has `key`.
    """

    key = ""

    def __init__(self, addresses: Callable[[str], int], memory: Any, times: dict[str, float], cached: bool) -> None:
        self._addresses = addresses
        self._memory = memory
        self.times = times
        self.cached = cached

    def address(self, name: str) -> int:
        """Where a function or a variable lies. Raises KeyError for what the module does not define for others."""
        return self._addresses(name)

    def keep(self) -> None:
        """Leaves the code in memory until the process ends."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))


def _after_fork() -> None:
    """The thread that had the lock is not there in the child."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def provide(name: str, address: Callable[[], int]) -> None:
    """Makes a function known to native code by name; its address is asked for when code that uses it is loaded."""
    _providers[name] = address


def compile_ir(text: str, target: Target, sroa: bool = False) -> Native:
    """Compiles a module, or loads it from the cache.

    `sroa` runs LLVM's pass of that name first, which turns memory of a function's own into values.

    Raises ValueError for a text that is not LLVM's (a mistake of its writer), and OSError for names that nothing
    defines and where the system gives no memory for code.
    """
    key = _key(text, target, sroa)
    native = from_cache(key, target)
    if native is None:
        times: dict[str, float] = {}
        with _lock:
            data = _compile(text, target, sroa, times)
            native = _load(data, target, times, False)
        cache.put(key, data)
        native.key = key
    return native


def from_cache(key: str, target: Target) -> Native | None:
    """The compiled module of a key, if there is one on disk. Raises OSError as `compile_ir` does."""
    start = perf_counter()
    data = cache.get(key)
    if data is None:
        return None
    with _lock:
        native = _load(data, target, {"cache": (perf_counter() - start) * 1e3}, True)
    native.key = key
    return native


def _key(text: str, target: Target, sroa: bool) -> str:
    import llvmlite  # the package alone, 0.3 ms; LLVM comes with `llvmlite.binding`

    made = (__version__, llvmlite.__version__, target.triple, target.cpu, target.features, _LEVEL, sroa)
    return cache.digest(repr(made).encode(), b"\0", text.encode()).hex()


def _compile(text: str, target: Target, sroa: bool, times: dict[str, float]) -> bytes:
    """The object file of a text."""
    start = perf_counter()
    llvm = _llvm()
    machine = _machine(llvm, target)
    times["llvm"] = (perf_counter() - start) * 1e3

    start = perf_counter()
    try:
        module = llvm.parse_assembly(text)
        module.triple = target.triple
        module.data_layout = str(machine.target_data)
        module.verify()
    except RuntimeError as error:
        raise ValueError(f"LLVM does not accept the module: {error}") from None
    times["parse"] = (perf_counter() - start) * 1e3

    if sroa:
        start = perf_counter()
        passes = llvm.create_new_module_pass_manager()
        passes.add_sroa_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
        times["sroa"] = (perf_counter() - start) * 1e3

    start = perf_counter()
    data = machine.emit_object(module)
    times["codegen"] = (perf_counter() - start) * 1e3
    return data


def _llvm() -> Any:
    """LLVM, ready for the targets that this machine can be."""
    import llvmlite.binding as llvm

    global _ready
    if not _ready:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _ready = True
    return llvm


_ready = False


def _machine(llvm: Any, target: Target) -> Any:
    model = "small" if target.x86 else "jitdefault"
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=_LEVEL, reloc="pic", codemodel=model, jit=True
    )


def _load(data: bytes, target: Target, times: dict[str, float], cached: bool) -> Native:
    """An object in memory, linked."""
    start = perf_counter()
    try:
        image = elf.load(data, resolve)
        native = Native(image.addresses.__getitem__, image, times, cached)
    except elf.Unsupported:  # macOS, ARM
        native = _through_llvm(data, target, times, cached)
    times["load"] = (perf_counter() - start) * 1e3
    return native


def _through_llvm(data: bytes, target: Target, times: dict[str, float], cached: bool) -> Native:
    """An object in an engine of LLVM's. One each (0.3 ms): in a shared one, two functions of one name collide."""
    llvm = _llvm()
    for name in _providers:
        if name.encode() in data:
            llvm.add_symbol(name, resolve(name))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(llvm, target))
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()

    def address(name: str) -> int:
        found = engine.get_function_address(name)
        if not found:
            raise KeyError(name)
        return found

    return Native(address, engine, times, cached)


def resolve(name: str) -> int:
    """The address of what native code calls by name: ours, or the C library's. Raises OSError where there is none."""
    provider = _providers.get(name)
    if provider is not None:
        return provider()
    for library in (None, "libm.so.6"):
        try:
            return ctypes.addressof(ctypes.c_char.in_dll(ctypes.CDLL(library), name))
        except (ValueError, OSError):
            continue
    raise OSError(f"compiled code calls {name}, which nothing here defines")
