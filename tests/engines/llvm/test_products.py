"""Matrix products in registers against NumPy in double precision, on machines with wide and narrow vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.engines.llvm.product_plans import Tile, band_of, by_blas, plan_tile
from tapeflow.engines.llvm.products import batched, product
from tapeflow.engines.llvm.tiles import TARGETS, scaled, shifted
from tapeflow.engines.llvm.values import F32, F64
from tests.engines.llvm.machine_code import compile_function, host_bits
from tests.engines.llvm.running import on_both

KINDS = {"f32": (F32, np.float32, 2e-6), "f64": (F64, np.float64, 1e-14)}


def stored(C, columns, kind):
    """An epilogue that stores the product, and doubles it to show that it ran once."""

    def epilogue(b, x, i, j, used, mask):
        assert used <= x.lanes and (mask is None) == (used == x.lanes)
        place = b.address(C, shifted(b, scaled(b, i, columns), j), kind)
        b.store(b.add(b.add(x, x), b.load(place, kind, x.lanes, mask=mask)), place, mask=mask)

    return epilogue


def check(bits, M, N, K, kind, ta=False, tb=False, tile=None, rolled=True, pad=0, pieces=None):
    """2 op(A) op(B) + 1 against NumPy; memory around C stays as it was. Returns what was computed."""
    kind, dtype, tolerance = KINDS[kind]
    rng = np.random.default_rng(M * 10007 + N * 101 + K)
    A = rng.standard_normal((K, M + pad) if ta else (M, K + pad)).astype(dtype)
    B = rng.standard_normal((N, K + pad) if tb else (K, N + pad)).astype(dtype)
    memory = np.ones(M * N + 64, dtype)
    tile = tile or plan_tile(M, N, K, TARGETS[bits], kind, ta, tb, A.shape[1], B.shape[1])
    ends = pieces or [(0, None)]

    def write(b, a, c, out):
        for lo, hi in ends:
            product(
                b, a, c, M, N, K, kind=kind, transpose_a=ta, transpose_b=tb, lda=A.shape[1], ldb=B.shape[1],
                epilogue=stored(out, N, kind), lo=lo, hi=hi, tile=tile, rolled=rolled,
            )  # fmt: skip

    compile_function(bits, 3, write)(A, B, memory)
    a = (A[:, :M].T if ta else A[:, :K]).astype(np.float64)
    c = (B[:, :K].T if tb else B[:, :N]).astype(np.float64)
    bound = np.abs(a) @ np.abs(c) * 2 + 1
    error = np.abs(memory[: M * N].reshape(M, N) - (2 * (a @ c) + 1)) / bound
    assert error.max() < tolerance
    assert (memory[M * N :] == 1).all()
    return memory[: M * N].reshape(M, N)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([128, 256, 512]), st.integers(1, 70), st.integers(1, 70), st.integers(1, 70),
    st.sampled_from(["f32", "f64"]), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3),
)  # fmt: skip
def test_any_shape(bits, M, N, K, kind, ta, tb, rolled, pad):
    check(min(bits, max(host_bits())), M, N, K, kind, ta, tb, rolled=rolled, pad=pad)


@pytest.mark.parametrize("shape", [(1, 37, 21), (37, 1, 21), (2, 19, 40), (1, 1, 1), (33, 1, 1), (40, 17, 1)])
@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_vectors_and_other_thin_shapes(bits, shape, ta, tb):
    check(bits, *shape, "f32", ta, tb)


@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize("split", ["m", "n"])
def test_a_sum_in_several_depths(bits, tb, split):
    lanes = bits // 32
    tile = Tile("tile", 4, 2 * lanes, 16, 2, split, tb)
    check(bits, 139, 37, 70, "f32", False, tb, tile)


@pytest.mark.parametrize(("band", "M", "N", "K"), [(8, 72, 40, 33), (16, 144, 80, 130), (8, 8, 17, 5)])
@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_bands_of_a_transposed_matrix(bits, band, M, N, K, kind):
    """A band holds its columns of A side by side for every row: [M / band, K, band]."""
    code, dtype, tolerance = KINDS[kind]
    rng = np.random.default_rng(M)
    A, B = rng.standard_normal((K, M)).astype(dtype), rng.standard_normal((K, N)).astype(dtype)
    bands = np.ascontiguousarray(A.reshape(K, M // band, band).transpose(1, 0, 2))
    C = np.ones((M, N), dtype)

    def write(b, a, c, out):
        product(b, a, c, M, N, K, kind=code, transpose_a=True, epilogue=stored(out, N, code), band=band)

    compile_function(bits, 3, write)(bands, B, C)
    np.testing.assert_allclose(C, 2 * (A.T.astype(np.float64) @ B) + 1, atol=K * 10 * tolerance)


def test_a_gradient_of_weights_that_goes_by_bands():
    assert band_of(320, 256, 130) == 16 and band_of(72, 256, 130) == 8
    assert band_of(321, 256, 130) == band_of(320, 255, 130) == band_of(320, 256, 127) == 0
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((130, 72)).astype("float32"), rng.standard_normal((130, 256)).astype("float32")
    v = tf.Variable(np.ones((72, 256), "float32"))

    def f(x, g):
        v.assign_sub(0.5 * tf.matmul(x, g, transpose_a=True))
        return tf.reduce_sum(v)

    (total, held), _ = on_both(f, [x, g], [v])
    np.testing.assert_allclose(held, 1 - 0.5 * (x.T.astype("float64") @ g), atol=1e-4)


def test_columns_copied_together(bits):
    check(bits, 70, 75, 65, "f32", True, False, Tile("tile", 5, 2 * bits // 32, 65, 1, "n", True))


@pytest.mark.parametrize("shape", [(45, 70, 33, False), (45, 70, 33, True), (45, 1, 33, False), (3, 70, 33, True)])
def test_blocks_divide_the_work_and_do_not_change_it(bits, shape):
    *sizes, tb = shape
    tile = plan_tile(*sizes, TARGETS[bits], transpose_b=tb)
    count = tile.blocks(*sizes[:2])
    whole = check(bits, *sizes, "f32", tb=tb, tile=tile)
    for cuts in ([(0, count)], [(0, 1), (1, count)], [(0, 0), *[(n, n + 1) for n in range(count)]]):
        assert (check(bits, *sizes, "f32", tb=tb, tile=tile, pieces=cuts) == whole).all()


@pytest.mark.parametrize("tb", [False, True])
def test_batches_with_strides(bits, tb):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((2, 1, 9, 11)).astype(np.float32)
    B = rng.standard_normal((3, 21, 11) if tb else (3, 11, 21)).astype(np.float32)
    C = np.zeros((2, 3, 9, 21), np.float32)

    def write(b, a, c, out):
        def epilogue(n, b, x, i, j, used, mask):
            row = shifted(b, scaled(b, n, 9), i)
            b.store(x, b.address(out, shifted(b, scaled(b, row, 21), j), F32), mask=mask)

        batched(
            b, a, c, (2, 3), (99, 0), (0, 231), 9, 21, 11, epilogue=epilogue, transpose_b=tb, lo=1, hi=6,
        )  # fmt: skip

    compile_function(bits, 3, write)(A, B, C)
    expected = A @ (B.swapaxes(-1, -2) if tb else B)
    assert (C[0, 0] == 0).all()
    np.testing.assert_allclose(C.reshape(6, -1)[1:], expected.reshape(6, -1)[1:], atol=1e-5)


def test_what_is_large_goes_to_a_blas_and_what_is_small_does_not():
    assert by_blas(2048, 2048, 2048)
    assert not by_blas(1024, 1024, 1024)


@pytest.mark.parametrize(("ta", "tb"), [(False, False), (True, False), (False, True)])
def test_a_large_product_and_what_follows_it(ta, tb):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((520, 516)), rng.standard_normal((516, 2048))
    bias = rng.standard_normal(2048).astype("float32")
    want = np.maximum(a @ b + bias, 0)
    arrays = [np.ascontiguousarray(x.T if turned else x, dtype="float32") for x, turned in ((a, ta), (b, tb))]

    def f(x, y, bias):
        return tf.nn.relu(tf.matmul(x, y, transpose_a=ta, transpose_b=tb) + bias)

    (got,), _ = on_both(f, [*arrays, bias])
    np.testing.assert_allclose(got, want, atol=1e-3)


def test_lines_asked_for_early_change_nothing():
    """A result so large that its lines are, with tails, and a variable that is read and written on the way."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((301, 70)).astype("float32"), rng.standard_normal((70, 501)).astype("float32")
    v = tf.Variable(np.ones((301, 501), "float32"))

    def f(x, y):
        v.assign_sub(0.5 * tf.matmul(x, y))
        return tf.reduce_sum(v)

    (total, held), _ = on_both(f, [a, b], [v])
    want = 1 - 0.5 * (a.astype("float64") @ b)
    np.testing.assert_allclose(held, want, atol=1e-4)
    np.testing.assert_allclose(total, want.sum(), rtol=1e-3)


@pytest.mark.parametrize(
    ("first", "second"),
    [((3, 1, 4, 5), (2, 5, 6)), ((1, 4, 5), (7, 5, 6)), ((2, 1, 4, 5), (1, 3, 5, 2)), ((4, 5), (3, 5, 2))],
)
def test_batches_that_broadcast(first, second):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float32) for s in (first, second)]

    def f(x, y):
        return tf.matmul(x, y), tf.matmul(y, x, transpose_a=True, transpose_b=True)

    for got, want in zip(*on_both(f, arrays, whole=True), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
