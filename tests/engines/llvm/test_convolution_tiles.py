"""Convolutions in registers and their gradients against sums over taps in double precision."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tapeflow.engines.llvm import filter_layouts
from tapeflow.engines.llvm.convolution_tiles import forward, input_gradient
from tapeflow.engines.llvm.convolutions import Convolution
from tapeflow.engines.llvm.filter_gradients import add_chunks, chunks_of, filter_gradient, scratch_numbers
from tapeflow.engines.llvm.filter_layouts import arrange_filters, arranges, turn_filters
from tapeflow.engines.llvm.tiles import scaled, shifted
from tapeflow.engines.llvm.values import F32, F64
from tests.engines.llvm.machine_code import compile_function, host_bits


def windows(shape: Convolution):
    """For every tap: where it lies in the filter, and which part of a padded image it reads."""
    high, wide = shape.outputs
    for h in range(shape.filter_height):
        for w in range(shape.filter_width):
            top, left = h * shape.dilations[0], w * shape.dilations[1]
            rows = slice(top, top + (high - 1) * shape.strides[0] + 1, shape.strides[0])
            columns = slice(left, left + (wide - 1) * shape.strides[1] + 1, shape.strides[1])
            yield h, w, rows, columns


def by_hand(shape: Convolution, X, W, dY):
    """The result, its gradient by the image and its gradient by the filter."""
    padded = np.pad(X.astype(np.float64), ((0, 0), *shape.pads, (0, 0)))
    Y, dX, dW = np.zeros(dY.shape), np.zeros(padded.shape), np.zeros(W.shape)
    ours, theirs = shape.channels // shape.groups, shape.filters // shape.groups
    for g in range(shape.groups):
        i, o = slice(g * ours, (g + 1) * ours), slice(g * theirs, (g + 1) * theirs)
        for h, w, rows, columns in windows(shape):
            x, f, d = padded[:, rows, columns, i], W[h, w, :, o].astype(np.float64), dY[..., o].astype(np.float64)
            Y[..., o] += x @ f
            dX[:, rows, columns, i] += d @ f.T
            dW[h, w, :, o] += np.einsum("nhwi,nhwo->io", x, d)
    (top, bottom), (left, right) = shape.pads
    return Y, dX[:, top : top + shape.height, left : left + shape.width], dW


def added(C, columns, kind):
    """An epilogue that adds what it gets to an array: everything must come once."""

    def epilogue(b, x, i, j, used, mask):
        place = b.address(C, shifted(b, scaled(b, i, columns), j), kind)
        b.store(b.add(x, b.load(place, kind, x.lanes, mask=mask)), place, mask=mask)

    return epilogue


def check(bits, shape: Convolution, kind=F32, rolled=True):
    """All three in one function, with the work in two halves."""
    dtype = np.float32 if kind is F32 else np.float64
    rng = np.random.default_rng(sum(shape[:7]))
    X = rng.standard_normal((shape.images, shape.height, shape.width, shape.channels)).astype(dtype)
    sizes = (shape.filter_height, shape.filter_width, shape.channels // shape.groups, shape.filters)
    W = rng.standard_normal(sizes).astype(dtype)
    dY = rng.standard_normal((shape.images, *shape.outputs, shape.filters)).astype(dtype)
    arrays = [X, W, dY, np.ones(dY.shape, dtype), np.ones(X.shape, dtype), np.ones(W.shape, dtype)]
    turned, scratch = np.full(W.size, np.nan, dtype), np.full(scratch_numbers(shape), np.nan, dtype)
    arranged = np.full(W.size, np.nan, dtype)

    def write(b, X, W, dY, Y, dX, dW, turned, arranged, scratch):
        half = shape.images // 2
        taps, rows = shape.filter_height * shape.filter_width, shape.filter_size // shape.filters
        for lo, hi in ((0, rows // 2), (rows // 2, rows)):
            arrange_filters(b, W, arranged, shape, lo=lo, hi=hi, kind=kind)
        filters = arranged if arranges(shape, kind) else W
        for lo, hi in ((0, half), (half, shape.images)):
            forward(
                b, X, filters, shape, epilogue=added(Y, shape.filters, kind), lo=lo, hi=hi, kind=kind, rolled=rolled
            )
        for lo, hi in ((0, taps // 2), (taps // 2, taps)):
            turn_filters(b, W, turned, shape, kind=kind, lo=lo, hi=hi)
        for lo, hi in ((0, half), (half, shape.images)):
            epilogue = added(dX, shape.channels, kind)
            input_gradient(b, dY, turned, shape, epilogue=epilogue, lo=lo, hi=hi, kind=kind, rolled=rolled)
        for lo, hi in ((0, chunks_of(shape) // 2), (chunks_of(shape) // 2, chunks_of(shape))):
            filter_gradient(b, X, dY, scratch, shape, kind=kind, lo=lo, hi=hi)
        for lo, hi in ((0, rows // 2), (rows // 2, rows)):
            add_chunks(b, scratch, shape, epilogue=added(dW, shape.filters, kind), lo=lo, hi=hi, kind=kind)

    compile_function(bits, 9, write)(*arrays, turned, arranged, scratch)
    tolerance = 1e-5 if kind is F32 else 1e-13
    for mine, theirs in zip(arrays[3:], by_hand(shape, X, W, dY), strict=True):
        scale = np.abs(theirs).max(initial=1)
        np.testing.assert_allclose(mine - 1, theirs, rtol=0, atol=tolerance * scale * 4)


SHAPES = {
    "one channel": Convolution(3, 28, 28, 1, 3, 3, 32),
    "one channel, padded": Convolution(2, 12, 13, 1, 3, 3, 8, pads=((1, 1), (1, 1))),
    "three channels, strides": Convolution(2, 17, 15, 3, 5, 5, 20, (2, 2), pads=((1, 2), (2, 2))),
    "many channels": Convolution(2, 13, 13, 32, 3, 3, 64),
    "padded": Convolution(2, 9, 30, 12, 3, 3, 18, pads=((1, 1), (1, 1))),
    "one pixel": Convolution(3, 5, 7, 11, 1, 1, 35),
    "one pixel, strides": Convolution(1, 9, 8, 4, 1, 1, 6, (2, 3)),
    "dilated": Convolution(2, 14, 16, 5, 3, 3, 9, dilations=(2, 3), pads=((2, 2), (3, 3))),
    "strides and dilations": Convolution(2, 21, 23, 4, 3, 4, 7, (2, 4), (3, 2), ((3, 3), (1, 4))),
    "groups": Convolution(2, 8, 9, 12, 3, 3, 20, pads=((1, 1), (0, 2)), groups=4),
    "depthwise": Convolution(2, 10, 11, 37, 3, 3, 37, (2, 1), pads=((1, 1), (1, 1)), groups=37),
    "depthwise, a large filter": Convolution(1, 12, 12, 5, 5, 5, 5, dilations=(2, 1), pads=((4, 4), (2, 2)), groups=5),
    "one filter for two channels": Convolution(2, 6, 6, 6, 3, 3, 3, groups=3),
    "two filters a channel": Convolution(2, 6, 7, 5, 3, 2, 10, groups=5),
    "far beyond its ends": Convolution(2, 1, 150, 6, 1, 3, 5, dilations=(1, 64), pads=((0, 0), (128, 0))),
    "more zeros than its filter": Convolution(1, 4, 5, 3, 2, 2, 4, pads=((3, 0), (0, 4))),
    "no image under some": Convolution(2, 2, 2, 3, 5, 5, 4, pads=((4, 4), (4, 4))),
    "steps beyond the filter": Convolution(2, 16, 16, 3, 2, 2, 4, (5, 4)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_convolution_and_gradients(bits, name):
    check(bits, SHAPES[name], rolled=name != "one channel")


@pytest.mark.parametrize("name", ["padded", "one pixel", "strides and dilations", "steps beyond the filter"])
def test_filters_in_blocks_of_columns(bits, name, monkeypatch):
    monkeypatch.setattr(filter_layouts, "_FAR", 1)
    monkeypatch.setattr(filter_layouts, "_LARGE", 1)
    shape = SHAPES[name]._replace(channels=37, filters=75)
    assert arranges(shape) and arranges(shape, back=True)
    check(bits, shape)


@pytest.mark.parametrize("name", ["padded", "strides and dilations", "groups", "depthwise"])
def test_doubles(bits, name):
    check(bits, SHAPES[name], F64)


PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADS = st.tuples(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(st.integers(0, 3), st.integers(0, 3)))


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([128, 256, 512]), st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 20)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)), st.integers(1, 4), st.integers(1, 5), st.integers(1, 9),
    PAIR, PAIR, PADS,
)  # fmt: skip
def test_any_convolution(bits, sizes, taps, groups, ours, theirs, strides, dilations, pads):
    n, h, w = sizes
    shape = Convolution(n, h, w, ours * groups, *taps, theirs * groups, strides, dilations, pads, groups)
    assume(min(shape.outputs) > 0)
    check(min(bits, max(host_bits())), shape)
