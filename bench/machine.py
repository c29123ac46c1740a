"""Facts about the machine that belong with the figures: nothing that names it, its users or its folders."""

from __future__ import annotations

import os
import platform
import re
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
ONE_XLA_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def facts() -> dict[str, Any]:
    """Operating system, processor, cores this process may use, and vector instruction sets."""
    model, flags = _processor()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": model,
        "vector_flags": flags,
        "cores": cores(),
        "load_average": load_average(),
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


def thread_limits(threads: int) -> dict[str, str]:
    """Environment that holds the libraries' thread pools to that many threads. XLA knows only one or all."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads)) | (ONE_XLA_THREAD if threads == 1 else {})


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
