"""Products by NumPy's BLAS, on no more threads than pay, or by an engine that has a faster way.

OpenBLAS divides a product among all cores from 0.5 MFLOP on. Where anything else runs on the machine its threads then
wait for each other: a training step of 0.5 ms was seen to take 8. So products below 30 MFLOP run on one thread, which
costs them a quarter at most when the machine is idle; larger ones run as OpenBLAS likes. The setting is OpenBLAS's own,
made before such a product and taken back after it (0.6 us); with one thread to begin with, or another BLAS, nothing is
done at all. An engine that is there is asked first where a product is worth it: with 2 cores its tiles take a third of
BLAS's time for 32 x 128 x 784 on one thread, and half of it for 256 x 256 x 256.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import heavy

VECTOR = 9_216  # multiplications from which OpenBLAS divides the product of a matrix and a vector
SMALL = 1 << 18  # those from which it divides other products
OFFERED = 1 << 19  # those from which an engine is asked
LARGE = 15_000_000  # those from which we let it
_threads: tuple[Callable[[], int], Callable[[int], Any]] | None | bool = False  # (get, set); False: not looked for yet

_dot = np.dot


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two matrices."""
    m, k = a.shape
    n = b.shape[1]
    work = m * k * n
    if work < VECTOR or work < SMALL and n > 1 and m > 1 or k < 2:
        return _dot(a, b)
    if work >= OFFERED and heavy.product is not None:
        found = heavy.product(a, b)
        if found is not None:
            return found
    if work >= LARGE:
        return _dot(a, b)
    global _threads
    if _threads is False:
        _threads = _find()
    if _threads is None:
        return _dot(a, b)
    get, put = _threads
    count = get()
    if count == 1:
        return _dot(a, b)
    put(1)
    try:
        return _dot(a, b)
    finally:
        put(count)


def openblas(package: str) -> tuple[Any, Callable[[str], str]] | None:
    """The OpenBLAS in the wheel of NumPy or SciPy, and how it spells the names of functions; None for another BLAS."""
    import ctypes
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent
    for folder in (place.parent / f"{package}.libs", place / ".dylibs"):
        for path in folder.glob("*openblas*"):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for prefix in ("scipy_", ""):
                for suffix in ("64_", ""):
                    if hasattr(library, f"{prefix}openblas_get_num_threads{suffix}"):
                        return library, f"{prefix}{{}}{suffix}".format
    return None


def _find() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """How many threads the OpenBLAS of NumPy's wheel uses, and how to tell it; None for any other BLAS."""
    found = openblas("numpy")
    if found is None:
        return None
    library, named = found
    return getattr(library, named("openblas_get_num_threads")), getattr(library, named("openblas_set_num_threads"))
