"""Products by BLAS from compiled code: the OpenBLAS that NumPy brought, else SciPy's, else what SciPy links to.

Code calls `tapeflow_sgemm` and `tapeflow_dgemm`, whose addresses are found when it is loaded. How these take their
arguments differs, by library, in the size of ints and in the language, which is seen in the text and so in the key of
the cached object.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from ...core import blas as numpy_blas
from .builder import Builder
from .native import provide
from .values import F32, F64, I8, I32, I64, Kind, Type, V, constant

_LETTER = {F32: "s", F64: "d"}
_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # CBLAS's numbers
_GET, _SET = "tapeflow_blas_get_threads", "tapeflow_blas_set_threads"


class Blas(NamedTuple):
    """A library: whether it is called as C (CBLAS) or as Fortran, its ints, and its functions by our names."""

    c: bool
    ints: Kind
    addresses: dict[str, int]


@cache
def library() -> Blas | None:
    """The library that compiled code calls; None if there is none."""
    for package in ("numpy", "scipy"):
        found = numpy_blas.openblas(package)
        if found is None:
            continue
        opened, named = found
        wanted = {f"tapeflow_{letter}gemm": f"cblas_{letter}gemm" for letter in "sd"}
        wanted |= {_GET: "openblas_get_num_threads", _SET: "openblas_set_num_threads"}
        names = {ours: named(theirs) for ours, theirs in wanted.items()}
        if all(hasattr(opened, name) for name in names.values()):
            wide = names["tapeflow_sgemm"].endswith("64_")
            return Blas(True, I64 if wide else I32, {ours: _address(opened, name) for ours, name in names.items()})
    try:
        from scipy.linalg import cython_blas
    except ImportError:
        return None
    functions = {f"tapeflow_{letter}gemm": cython_blas.__pyx_capi__[f"{letter}gemm"] for letter in "sd"}
    return Blas(False, I32, {ours: _in_capsule(capsule) for ours, capsule in functions.items()})


def gemm(
    b: Builder, x: V, y: V, out: V, m: int, n: int, k: int, kind: Kind = F32, transpose_x: bool = False,
    transpose_y: bool = False, alpha: float = 1.0, beta: float = 0.0, x_row: int | None = None,
    y_row: int | None = None, out_row: int | None = None, using: Blas | None = None,
) -> None:  # fmt: skip
    """Writes `out = alpha * x @ y + beta * out`, with out [m, n], x [m, k] or transposed [k, m], y [k, n] or [n, k].

    Matrices lie row by row; `*_row` is how many numbers a row is from the next, if more than it has. With beta 0 what
    was in `out` counts for nothing. Raises ValueError for a kind other than F32 and F64, and where there is no BLAS.
    """
    blas = using or library()
    if blas is None or kind not in _LETTER:
        raise ValueError(f"no BLAS can multiply {kind.name} here")
    if m == 0 or n == 0:
        return
    rows = [max(1, given or usual) for given, usual in (
        (x_row, m if transpose_x else k), (y_row, k if transpose_y else n), (out_row, n)
    )]  # fmt: skip
    single = blas.c and _better_alone(m, n, k)
    if single:
        b.module.declare(_GET, f"declare i32 @{_GET}()")
        b.module.declare(_SET, f"declare void @{_SET}(i32)")
        threads = b.value(f"call i32 @{_GET}()", Type(I32))
        several = b.compare("ne", threads, constant(1, I32))
        with b.when(several):
            b.call(_SET, constant(1, I32))
    (_by_c if blas.c else _by_fortran)(
        b, blas.ints, kind, x, y, out, (m, n, k), (transpose_x, transpose_y), alpha, beta, rows
    )
    if single:
        with b.when(several):
            b.call(_SET, threads)


def _better_alone(m: int, n: int, k: int) -> bool:
    """Whether OpenBLAS would divide the product among threads where that does not pay: see tapeflow/core/blas.py."""
    work = m * n * k
    divides = numpy_blas.VECTOR if m == 1 or n == 1 else numpy_blas.SMALL
    return k > 1 and divides <= work < numpy_blas.LARGE


def _by_c(
    b: Builder, ints: Kind, kind: Kind, x: V, y: V, out: V, sizes: tuple[int, int, int],
    transposes: tuple[bool, bool], alpha: float, beta: float, rows: list[int],
) -> None:  # fmt: skip
    name, f, i = f"tapeflow_{_LETTER[kind]}gemm", kind.llvm, ints.llvm
    b.module.declare(
        name, f"declare void @{name}(i32, i32, i32, {i}, {i}, {i}, {f}, ptr, {i}, ptr, {i}, {f}, ptr, {i})"
    )
    row = [constant(r, ints) for r in rows]
    b.call(
        name, constant(_ROWS, I32), *(constant(_TRANSPOSED if t else _PLAIN, I32) for t in transposes),
        *(constant(s, ints) for s in sizes), constant(alpha, kind), x, row[0], y, row[1], constant(beta, kind), out,
        row[2],
    )  # fmt: skip


def _by_fortran(
    b: Builder, ints: Kind, kind: Kind, x: V, y: V, out: V, sizes: tuple[int, int, int],
    transposes: tuple[bool, bool], alpha: float, beta: float, rows: list[int],
) -> None:  # fmt: skip
    """Fortran has matrices column by column, and sees the transposed ones: out' = y' x'. It takes addresses of all."""
    name = f"tapeflow_{_LETTER[kind]}gemm"
    b.module.declare(name, f"declare void @{name}({', '.join(['ptr'] * 13)})")
    m, n, k = sizes

    def put(number: Any, kind: Kind) -> V:
        place = b.allocate(kind, 1, 8)
        b.store(constant(number, kind), place)
        return place

    letters = [put(ord("T" if t else "N"), I8) for t in reversed(transposes)]
    b.call(
        name, *letters, put(n, ints), put(m, ints), put(k, ints), put(alpha, kind), y, put(rows[1], ints), x,
        put(rows[0], ints), put(beta, kind), out, put(rows[2], ints),
    )  # fmt: skip


def _address(opened: Any, name: str) -> int:
    return ctypes.cast(getattr(opened, name), ctypes.c_void_p).value or 0


def _in_capsule(capsule: Any) -> int:
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return pointer(capsule, name(capsule))


def _provider(name: str) -> Callable[[], int]:
    def address() -> int:
        found = library()
        if found is None or name not in found.addresses:
            raise OSError(f"no BLAS has {name} here")
        return found.addresses[name]

    return address


for _name in ("tapeflow_sgemm", "tapeflow_dgemm", _GET, _SET):
    provide(_name, _provider(_name))
