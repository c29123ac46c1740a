import ctypes
import itertools

import numpy as np
import pytest

from tapeflow.core import blas as numpy_blas
from tapeflow.engines.llvm import blas, native, target
from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.entry import Argument, make_entry
from tapeflow.engines.llvm.values import F16, F32, F64, I32, PTR

HOST = target.host()


def fortran():
    from scipy.linalg import cython_blas

    return blas.Blas(
        False, I32, {f"tapeflow_{c}gemm": blas._in_capsule(cython_blas.__pyx_capi__[f"{c}gemm"]) for c in "sd"}
    )


def product(x, y, out, m, n, k, **options):
    kind = F32 if out.dtype == np.float32 else F64
    module = Module()
    b = Builder(module, "step", [(PTR, "slots")], internal=False)
    pointers = [b.load(b.address(b.parameters[0], i, PTR), PTR) for i in range(3)]
    blas.gemm(b, *pointers, m, n, k, kind, **options)
    b.finish()
    arguments = [Argument(a.dtype, a.shape, a is out) for a in (x, y, out)]
    assert make_entry(native.compile_ir(module.text(), HOST), arguments, HOST)(x, y, out) is None


@pytest.fixture(params=["C", "Fortran"])
def library(request, monkeypatch):
    found = fortran() if request.param == "Fortran" else blas.library()
    monkeypatch.setattr(blas, "library", lambda: found)
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("tx", "ty"), list(itertools.product((False, True), repeat=2)))
def test_products_transposed_or_not(library, dtype, tx, ty):
    rng = np.random.default_rng(3)
    m, n, k = 5, 7, 3
    x = rng.normal(size=(k, m) if tx else (m, k)).astype(dtype)
    y = rng.normal(size=(n, k) if ty else (k, n)).astype(dtype)
    out = rng.normal(size=(m, n)).astype(dtype)
    wanted = 2 * (x.T if tx else x) @ (y.T if ty else y) + 0.5 * out
    product(x, y, out, m, n, k, transpose_x=tx, transpose_y=ty, alpha=2.0, beta=0.5)
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-6)


def test_parts_of_larger_matrices(library):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(4, 9)), rng.normal(size=(6, 8))
    out = np.full((4, 5), np.nan)
    product(x, y, out, 4, 3, 6, x_row=9, y_row=8, out_row=5)
    np.testing.assert_allclose(out[:, :3], x[:, :6] @ y[:, :3], rtol=1e-12)
    assert np.isnan(out[:, 3:]).all()  # and with beta 0 the NaNs did not count


def test_sizes_of_nothing(library):
    out = np.ones((2, 3))
    product(np.zeros((2, 0)), np.zeros((0, 3)), out, 2, 3, 0)
    np.testing.assert_array_equal(out, np.zeros((2, 3)))
    product(np.zeros((0, 4)), np.zeros((4, 3)), out, 0, 3, 4)


def test_a_product_of_middle_size_leaves_the_threads_as_they_were():
    threads = numpy_blas._find()
    x, y, out = np.ones((100, 80), np.float32), np.ones((80, 90), np.float32), np.zeros((100, 90), np.float32)
    before = threads[0]() if threads else 1
    product(x, y, out, 100, 90, 80)
    np.testing.assert_array_equal(out, np.full((100, 90), 80.0))
    assert (threads[0]() if threads else 1) == before


@pytest.mark.parametrize(
    ("size", "alone"),
    [((10, 10, 10), False), ((100, 100, 100), True), ((1, 100, 50), False), ((1, 200, 50), True),
     ((300, 300, 300), False), ((600, 600, 1), False)],
)  # fmt: skip
def test_which_products_run_on_one_thread(size, alone):
    assert blas._better_alone(*size) == alone


def test_without_a_blas(monkeypatch):
    monkeypatch.setattr(blas, "library", lambda: None)
    b = Builder(Module(), "step", [(PTR, "x")])
    with pytest.raises(ValueError, match="no BLAS can multiply f32"):
        blas.gemm(b, *b.parameters * 3, 1, 1, 1)
    with pytest.raises(OSError, match="no BLAS has tapeflow_sgemm"):
        native.resolve("tapeflow_sgemm")


def test_kinds_without_a_product():
    b = Builder(Module(), "step", [(PTR, "x")])
    with pytest.raises(ValueError, match="f16"):
        blas.gemm(b, *b.parameters * 3, 1, 1, 1, F16)


def test_the_library_is_found():
    found = blas.library()
    if numpy_blas.openblas("numpy") is not None:
        assert found.c
    assert ctypes.c_char.from_address(found.addresses["tapeflow_dgemm"])
    assert numpy_blas.openblas("no_such_package") is None
