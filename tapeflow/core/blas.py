"""Products by NumPy's BLAS, on no more threads than pay.

OpenBLAS divides a product among all cores from 0.5 MFLOP on. Where anything else runs on the machine its threads then
wait for each other: a training step of 0.5 ms was seen to take 8. So products below 30 MFLOP run on one thread, which
costs them a quarter at most when the machine is idle; larger ones run as OpenBLAS likes. The setting is OpenBLAS's own,
made before such a product and taken back after it (0.6 us); with one thread to begin with, or another BLAS, nothing is
done at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_VECTOR = 9_216  # multiplications from which OpenBLAS divides the product of a matrix and a vector
_SMALL = 1 << 18  # those from which it divides other products
_LARGE = 15_000_000  # those from which we let it
_threads: tuple[Callable[[], int], Callable[[int], Any]] | None | bool = False  # (get, set); False: not looked for yet

_dot = np.dot


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two matrices."""
    m, k = a.shape
    n = b.shape[1]
    work = m * k * n
    if work < _VECTOR or work < _SMALL and n > 1 and m > 1 or work >= _LARGE or k < 2:
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


def _find() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """How many threads the OpenBLAS in NumPy's wheel uses, and how to tell it; None for any other BLAS."""
    import ctypes
    from pathlib import Path

    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in folder.glob("*openblas*"):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for prefix in ("scipy_openblas", "openblas"):
                for suffix in ("64_", ""):
                    get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                    put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                    if get is not None and put is not None:
                        return get, put
    return None
