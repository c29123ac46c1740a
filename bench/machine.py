"""Facts about the machine that belong with the figures: nothing that names it, its users or its folders."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

VECTOR_FLAGS = re.compile(r"sse4|avx|fma|amx|f16c|asimd|neon|sve")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
BUSY = 0.25
"""Load average of the last minute, per core, from which the machine is not called quiet."""
COPIES = (4 << 20, 256 << 20)
"""Bytes copied to learn the memory's bandwidth: what the chain of elementwise ops reads, and more than caches hold."""
ONE_XLA_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def facts() -> dict[str, Any]:
    """Operating system, processor, cores this process may use, vector instruction sets, load, how fast it copies."""
    model, flags = _processor()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": model,
        "vector_flags": flags,
        "cores": cores(),
        "load_average": load_average(),
        "copy_gb_s": {
            f"{size >> 20} MiB by {threads}": round(copy_rate(size, threads), 1)
            for size in COPIES
            for threads in sorted({1, cores()})
        },
    }


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> list[float] | None:
    """Runnable processes over the last 1, 5 and 15 minutes; None where the system does not count them."""
    if hasattr(os, "getloadavg"):
        return [round(load, 2) for load in os.getloadavg()]
    return None


def remarks(facts: dict[str, Any]) -> list[str]:
    """What belongs under the figures: how busy the machine was, and how fast its memory is."""
    before, after, number = facts["load_average"], facts["load_average_after"], facts["cores"]
    told = [f"load average (1, 5, 15 min) before {before}, after {after}; {number} cores"]
    if before and before[0] > BUSY * number:
        told.append("The machine was busy when this began: read the ratios, not the times, and those with care.")
    rates = ", ".join(f"{rate:g} GB/s ({way})" for way, rate in facts["copy_gb_s"].items())
    return [*told, f"copying, bytes read and written, by number of threads: {rates}"]


def thread_limits(threads: int) -> dict[str, str]:
    """Environment that holds the libraries' thread pools to that many threads. XLA knows only one or all."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | (ONE_XLA_THREAD if threads == 1 else {})


def copy_rate(size: int, threads: int = 1, seconds: float = 0.1) -> float:
    """GB/s, read and written together, at which so many threads copy so many bytes among them, each its own."""
    share = size // threads
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(_copy_rate, [share] * threads, [seconds] * threads))


def _copy_rate(size: int, seconds: float) -> float:
    """The median of one thread's copies in that time. memmove lets other threads run."""
    source, target = ((ctypes.c_char * size).from_buffer(bytearray(b"1") * size) for _ in range(2))
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while not taken or time.perf_counter() < end:
        started = time.perf_counter()
        ctypes.memmove(target, source, size)
        taken.append(time.perf_counter() - started)
    return 2 * size / statistics.median(taken) / 1e9


def _processor() -> tuple[str, list[str]]:
    """Its name and vector flags, from Linux's own listing; elsewhere the name alone."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return platform.processor(), []
    text = listing.read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    names = sorted(filter(VECTOR_FLAGS.search, flags[1].split())) if flags else []
    return model[1] if model else platform.processor(), names
