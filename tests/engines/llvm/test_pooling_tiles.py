"""Pooling and its gradients against windows gone through one by one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tapeflow.engines.llvm.convolutions import Convolution
from tapeflow.engines.llvm.pooling_tiles import (
    average_pool,
    average_pool_gradient,
    max_pool,
    max_pool_gradient,
    needs_place,
    pooling,
)
from tapeflow.engines.llvm.tiles import scaled, shifted
from tapeflow.engines.llvm.values import F32, F64
from tests.engines.llvm.machine_code import compile_function, host_bits


def added(C, columns, kind):
    """An epilogue that adds what it gets to an array: everything must come once."""

    def epilogue(b, x, i, j, used, mask):
        place = b.address(C, shifted(b, scaled(b, i, columns), j), kind)
        b.store(b.add(x, b.load(place, kind, x.lanes, mask=mask)), place, mask=mask)

    return epilogue


def by_hand(shape: Convolution, X, dY):
    """Maxima, means, and their gradients."""
    high, wide = shape.outputs
    most, mean = np.zeros((2, *dY.shape))
    first, equal = np.zeros((2, *X.shape))
    for o in range(high):
        for i in range(wide):
            rows = [
                o * shape.strides[0] - shape.pads[0][0] + t * shape.dilations[0] for t in range(shape.filter_height)
            ]
            columns = [
                i * shape.strides[1] - shape.pads[1][0] + t * shape.dilations[1] for t in range(shape.filter_width)
            ]
            window = [(h, w) for h in rows if 0 <= h < shape.height for w in columns if 0 <= w < shape.width]
            taken = np.stack([X[:, h, w] for h, w in window]).astype(np.float64)
            most[:, o, i], mean[:, o, i] = taken.max(0), taken.mean(0)
            winners = taken.argmax(0)
            for n, (h, w) in enumerate(window):
                first[:, h, w] += np.where(winners == n, dY[:, o, i], 0)
                equal[:, h, w] += dY[:, o, i] / len(window)
    return most, mean, first, equal


def check(bits, shape, kind=F32, levels=4):
    """All four in one function, with the images in two halves; few different numbers, so that many are equal."""
    dtype = np.float32 if kind is F32 else np.float64
    rng = np.random.default_rng(shape.image_size)
    X = rng.integers(-levels, 0, (shape.images, shape.height, shape.width, shape.channels)).astype(dtype)
    dY = rng.standard_normal((shape.images, *shape.outputs, shape.channels)).astype(dtype)
    most, mean, first, equal, expected = *by_hand(shape, X, dY), None
    Y = most.astype(dtype)
    got = [np.zeros(a.shape, dtype) for a in (most, mean, first, equal)]
    place = np.full(X.shape, np.nan, dtype)

    def write(b, X, Y, dY, *results):
        *places, room = results
        epilogues = [added(place, shape.channels, kind) for place in places]
        half = shape.images // 2
        room = room if needs_place(shape) else None
        for lo, hi in ((0, half), (half, shape.images)):
            max_pool(b, X, shape, epilogue=epilogues[0], lo=lo, hi=hi, kind=kind)
            average_pool(b, X, shape, epilogue=epilogues[1], lo=lo, hi=hi, kind=kind)
            max_pool_gradient(b, X, Y, dY, shape, epilogue=epilogues[2], place=room, lo=lo, hi=hi, kind=kind)
            average_pool_gradient(b, dY, shape, epilogue=epilogues[3], place=room, lo=lo, hi=hi, kind=kind)

    compile_function(bits, 8, write)(X, Y, dY, *got, place)
    for mine, expected in zip(got, (most, mean, first, equal), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=2e-6 if kind is F32 else 1e-14)


SHAPES = {
    "halves": pooling(3, 26, 26, 32, (2, 2), (2, 2)),
    "halves of odd sizes": pooling(2, 11, 9, 20, (2, 2), (2, 2)),
    "halves with zeros": pooling(2, 11, 9, 3, (2, 2), (2, 2), ((0, 1), (1, 0))),
    "one channel": pooling(2, 7, 8, 1, (3, 2), (3, 2)),
    "overlapping": pooling(2, 9, 10, 17, (3, 3), (2, 2), ((1, 1), (0, 1))),
    "overlapping by one": pooling(1, 6, 6, 5, (3, 3), (1, 1), ((1, 1), (1, 1))),
    "gaps": pooling(2, 9, 11, 6, (2, 1), (3, 2)),
    "whole images": pooling(2, 7, 7, 150, (7, 7), (7, 7)),
    "dilated": pooling(1, 9, 12, 4, (2, 3), (1, 2), ((0, 0), (2, 2)), (3, 2)),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", [F32, F64], ids=["f32", "f64"])
def test_pooling_and_gradients(bits, name, kind):
    check(bits, SHAPES[name], kind)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([128, 256, 512]), st.tuples(*[st.integers(1, n) for n in (3, 9, 9, 40)]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)), st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(*[st.integers(0, 3)] * 4), st.booleans(),
)  # fmt: skip
def test_any_pooling(bits, sizes, window, strides, pads, alike):
    strides = window if alike else strides
    pads = [min(pad, window[n // 2] - 1) for n, pad in enumerate(pads)]
    shape = pooling(*sizes, window, strides, (tuple(pads[:2]), tuple(pads[2:])))
    assume(min(shape.outputs) > 0)
    check(min(bits, max(host_bits())), shape)


def test_nan_is_greater_than_all(bits):
    shape = pooling(1, 2, 4, 2, (2, 2), (2, 2))
    X = np.arange(16, dtype=np.float32).reshape(1, 2, 4, 2)
    X[0, 1, 0, 0] = np.nan
    Y, dX = np.zeros((1, 1, 2, 2), np.float32), np.zeros(X.shape, np.float32)
    dY = np.ones(Y.shape, np.float32)

    def write(b, X, Y, dY, dX):
        max_pool(b, X, shape, epilogue=added(Y, 2, F32))
        max_pool_gradient(b, X, Y, dY, shape, epilogue=added(dX, 2, F32))

    compile_function(bits, 4, write)(X, Y, dY, dX)
    np.testing.assert_array_equal(Y[0, 0], [[np.nan, 11], [14, 15]])
    np.testing.assert_array_equal(dX[0, 1], [[1, 0], [0, 1], [0, 0], [1, 1]])


def test_overlapping_windows_without_a_place_to_add_up_in():
    with pytest.raises(ValueError, match="overlap or leave gaps"):
        compile_function(
            128, 2, lambda b, dY, dX: average_pool_gradient(b, dY, SHAPES["gaps"], epilogue=added(dX, 6, F32))
        )
