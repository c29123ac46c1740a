"""What code is made for: vectors, registers and caches of a machine, and whether it can be compiled for at all."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from ...core.logs import warning

TRIPLES = {
    ("linux", "x86_64"): "x86_64-unknown-linux-gnu",
    ("linux", "aarch64"): "aarch64-unknown-linux-gnu",
    ("darwin", "x86_64"): "x86_64-apple-darwin",
    ("darwin", "arm64"): "arm64-apple-darwin",
}


class Target(NamedTuple):
    """A machine as code generation sees it.

    `vector_bytes` and `registers` count what a vector register holds and how many there are; `fma` and `rounding` tell
    whether a fused product and sum, and rounding to whole numbers, are single instructions, and so, where there are
    fused ones, are conversions of float16; `l1` and `l2` are the caches of data of one core in bytes. `cpu` and
    `features` are LLVM's words for it.
    """

    name: str
    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int
    fma: bool
    rounding: bool
    l1: int = 32 << 10
    l2: int = 512 << 10

    @property
    def halves(self) -> bool:
        """Whether the machine converts float16: every level that has fused products does."""
        return self.fma

    @property
    def x86(self) -> bool:
        """Whether the machine has x86's instructions."""
        return self.triple.startswith("x86_64")


class _Level(NamedTuple):
    name: str
    machine: str  # x86 or arm
    needs: tuple[str, ...]  # NumPy's names of what the machine must have
    features: str
    vector_bytes: int
    registers: int
    fma: bool
    rounding: bool


# Features are named one by one, not by a processor's name: then only what NumPy has seen the machine do is used, and
# processors that share them share compiled objects. Best first.
_AVX2 = "+avx2,+fma,+f16c"
_LEVELS = [
    _Level("avx512", "x86", ("AVX512_SKX", "FMA3", "F16C"),
           _AVX2 + ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl", 64, 32, True, True),
    _Level("avx2", "x86", ("AVX2", "FMA3", "F16C"), _AVX2, 32, 16, True, True),
    _Level("sse4", "x86", ("SSE41",), "+sse4.1", 16, 16, False, True),
    _Level("sse2", "x86", (), "", 16, 16, False, False),
    _Level("neon", "arm", (), "+neon", 16, 32, True, True),
]  # fmt: skip


def names() -> list[str]:
    """What TAPEFLOW_TARGET may say, besides `off`."""
    return [level.name for level in _LEVELS]


def of(name: str, system: str = sys.platform) -> Target:
    """The target of a name, whatever this machine is. Raises ValueError for a name that there is not."""
    for level in _LEVELS:
        if level.name == name:
            return _target(level, system)
    raise ValueError(f"unknown target {name!r}; there are {', '.join(names())}")


def _target(level: _Level, system: str) -> Target:
    machine = "x86_64" if level.machine == "x86" else "arm64" if system == "darwin" else "aarch64"
    l1, l2 = _caches()
    triple = TRIPLES[system, machine]
    cpu = "x86-64" if level.machine == "x86" else "generic"
    return Target(level.name, triple, cpu, level.features, *level[4:], l1, l2)


@cache
def host() -> Target | None:
    """The target of this machine, limited by TAPEFLOW_TARGET; None where nothing can be compiled.

    The reason for None is logged, once.
    """
    wanted = os.environ.get("TAPEFLOW_TARGET", "").strip().lower()
    if wanted == "off":
        return None
    reason = missing()
    if reason is not None:
        warning("Functions are not compiled, but run by NumPy: %s.", reason)
        return None
    machine = "x86" if _machine() == "x86_64" else "arm"
    seen = _seen()
    possible = [v for v in _LEVELS if v.machine == machine and all(n in seen for n in v.needs)]
    if wanted:
        known = [v for v in possible if v.name == wanted]
        if known:
            possible = known
        else:
            listed = ", ".join(v.name for v in possible)
            warning("TAPEFLOW_TARGET=%s is not something this machine can be (%s, off): ignored.", wanted, listed)
    return _target(possible[0], sys.platform)


def missing() -> str | None:
    """Why nothing can be compiled here; None where it can."""
    if sys.implementation.name != "cpython":
        return f"compiled code reads CPython's objects, and this is {sys.implementation.name}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "free-threaded builds of Python are not supported by compiled code"
    if sys.maxsize < 2**32 or sys.byteorder != "little" or (sys.platform, _machine()) not in TRIPLES:
        return f"there is no compiled code for {sys.platform} on {_machine()}"
    if find_spec("llvmlite") is None:
        return "llvmlite is not installed"
    return None


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else "unknown"


def _seen() -> set[str]:
    """What the machine can do, by NumPy's names: it looks when it is imported, LLVM need not be loaded for it."""
    try:
        from numpy._core._multiarray_umath import __cpu_features__
    except ImportError:  # NumPy promises nobody this name: then the least that every machine of the kind has
        return set()
    return {name for name, has in __cpu_features__.items() if has}


@cache
def _caches() -> tuple[int, int]:
    """Bytes of the first and second cache of data; of the smallest usual ones where nothing tells."""
    sizes = {1: 32 << 10, 2: 512 << 10}
    folder = "/sys/devices/system/cpu/cpu0/cache"
    try:
        for index in sorted(os.listdir(folder)):
            if index.startswith("index") and _read(folder, index, "type") != "Instruction":
                level, size = int(_read(folder, index, "level")), _read(folder, index, "size")
                if level in sizes:
                    sizes[level] = int(size[:-1]) << {"K": 10, "M": 20}[size[-1]]
        return sizes[1], sizes[2]
    except (OSError, ValueError, KeyError):
        pass
    for level, key in ((1, "SC_LEVEL1_DCACHE_SIZE"), (2, "SC_LEVEL2_CACHE_SIZE")):
        try:
            sizes[level] = os.sysconf(key) or sizes[level]
        except (OSError, ValueError):
            continue
    return sizes[1], sizes[2]


def _read(*path: str) -> str:
    with open(os.path.join(*path), encoding="ascii") as file:
        return file.read().strip()
