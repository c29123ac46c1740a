"""Examples of the ops on arrays, for the tables of `tests.ops.examples`: shapes, joining, slices, positions, order."""

from __future__ import annotations

import numpy as np

from tapeflow.core.dtypes import numpy_dtype

from .examples import BOOL, COMPLEX, EXAMPLES, FLOAT, INTEGER, NUMBER, REAL, SHAPES, STRING, WIDE, Example, pick, values

ANY = NUMBER + BOOL + STRING
_INT32, _INT64 = np.dtype("int32"), np.dtype("int64")
_FULL = [(3,), (2, 3), (4, 1), (2, 3, 2), (1, 2, 3)]  # shapes with something in every dimension


def _positions(rng, shape, size):
    return rng.integers(0, size, shape).astype(pick(rng, ["int32", "int64"]))


def _distinct(rng, shape, dtype):
    """Values no two of which are near each other, so that a small step does not change their order."""
    size = int(np.prod(shape))
    return (rng.permutation(size) * 0.5 - 0.25 * size).astype(numpy_dtype(dtype)).reshape(shape)


# -- shapes ------------------------------------------------------------------------------------------------------------


def _reshape(rng, dtype):
    shape, to = pick(
        rng, [((2, 3), (3, 2)), ((2, 3), (-1,)), ((1,), ()), ((), (1, 1)), ((2, 0), (0, 5)), ((4,), (2, -1))]
    )
    return (values(rng, shape, dtype),), (to,)


def _transpose(rng, dtype):
    shape = pick(rng, SHAPES)
    return (values(rng, shape, dtype),), (tuple(rng.permutation(len(shape)).tolist()),)


def _broadcast_to(rng, dtype):
    shape, to = pick(rng, [((), (2,)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1,), (0,)), ((2, 3), (2, 3))])
    return (values(rng, shape, dtype),), (to,)


def _expand_dims(rng, dtype):
    shape = pick(rng, SHAPES)
    return (values(rng, shape, dtype),), (int(rng.integers(len(shape) + 1)),)


def _squeeze(rng, dtype):
    shape, axes = pick(rng, [((1,), (0,)), ((1, 3, 1), (0, 2)), ((1, 3, 1), (2,)), ((2, 3), ()), ((0, 1), (1,))])
    return (values(rng, shape, dtype),), (axes,)


def _extent(rng, dtype):
    return (values(rng, pick(rng, SHAPES), dtype),), (pick(rng, [_INT32, _INT64]),)


def _alone(rng, dtype):
    return (values(rng, pick(rng, SHAPES), dtype),), ()


def _sum_to_shape(rng, dtype):
    small, large = pick(rng, [((), (3,)), ((1, 3), (2, 3)), ((2, 1), (4, 2, 3)), ((3,), (3,))])
    return (values(rng, large, dtype),), (small,)


def _mask(rng, dtype):
    return (values(rng, pick(rng, SHAPES[1:]), "bool"),), ()


def _range(rng, dtype):
    return tuple(np.array(n, dtype) for n in (rng.integers(4), 4 + rng.integers(9), 1 + rng.integers(3))), ()


# -- joining and taking apart ------------------------------------------------------------------------------------------


def _concat(rng, dtype):
    shape = pick(rng, [(2,), (2, 3), (1, 0), (2, 1, 2)])
    axis = int(rng.integers(-len(shape), len(shape)))
    sizes = rng.integers(0, 3, 1 + rng.integers(3))
    shapes = [tuple(n if i == axis % len(shape) else m for i, m in enumerate(shape)) for n in sizes.tolist()]
    return tuple(values(rng, s, dtype) for s in shapes), (axis,)


def _stack(rng, dtype):
    shape = pick(rng, SHAPES)
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    return tuple(values(rng, shape, dtype) for _ in range(1 + rng.integers(3))), (axis,)


def _unstack(rng, dtype):
    shape = pick(rng, _FULL)
    axis = int(rng.integers(-len(shape), len(shape)))
    return (values(rng, shape, dtype),), (axis, shape[axis])


def _split(rng, dtype):
    axis = int(rng.integers(-2, 2))
    sizes = tuple(rng.integers(0, 3, 3).tolist())
    shape = [2, 2]
    shape[axis] = sum(sizes)
    return (values(rng, tuple(shape), dtype),), (sizes, axis)


def _tile(rng, dtype):
    shape = pick(rng, SHAPES)
    return (values(rng, shape, dtype),), (tuple(rng.integers(0, 3, len(shape)).tolist()),)


def _pad(rng, dtype):
    mode = pick(rng, ["CONSTANT", "REFLECT", "SYMMETRIC"])
    shape = pick(rng, _FULL if mode == "CONSTANT" else [(3,), (2, 3), (4, 2)])
    most = [3 if mode == "CONSTANT" else n - (mode == "REFLECT") for n in shape]
    pairs = tuple(tuple(rng.integers(0, n + 1, 2).tolist()) for n in most)
    return (values(rng, shape, dtype),), (pairs, mode, b"x" if dtype == "string" else 1)


def _mirror_pad_grad(rng, dtype):
    (x,), (pairs, mode, _) = _pad(rng, dtype)
    while mode == "CONSTANT":
        (x,), (pairs, mode, _) = _pad(rng, dtype)
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True))
    return (values(rng, shape, dtype),), (pairs, mode)


# -- slices and order --------------------------------------------------------------------------------------------------


def _spec(rng, shape):
    parts = []
    for n in shape[: rng.integers(len(shape) + 1)]:
        start, stop = (pick(rng, [None, *range(-n, n + 1)]) for _ in range(2))
        parts.append(pick(rng, [int(rng.integers(-n, n)), (start, stop, pick(rng, [None, 1, 2, -1, -2]))]))
    if rng.random() < 0.5:
        parts.insert(int(rng.integers(len(parts) + 1)), None)
    if rng.random() < 0.3:
        parts.append(Ellipsis)
    return tuple(parts)


def _strided_slice(rng, dtype):
    shape = pick(rng, [*_FULL, ()])
    return (values(rng, shape, dtype),), (_spec(rng, shape),)


def _strided_slice_grad(rng, dtype):
    (x,), (spec,) = _strided_slice(rng, dtype)
    index = tuple(slice(*part) if type(part) is tuple else part for part in spec)
    return (values(rng, x[index].shape, dtype),), (x.shape, spec)


def _reverse(rng, dtype):
    shape = pick(rng, SHAPES)
    return (values(rng, shape, dtype),), (tuple(i for i in range(len(shape)) if rng.random() < 0.5),)


def _roll(rng, dtype):
    shape = pick(rng, _FULL)
    count = int(rng.integers(1, 3))
    shifts, axes = rng.integers(-5, 6, count), rng.integers(-len(shape), len(shape), count)
    return (values(rng, shape, dtype),), (tuple(shifts.tolist()), tuple(axes.tolist()))


def _reverse_sequence(rng, dtype):
    shape = pick(rng, [(2, 3), (3, 2, 2), (2, 2, 3)])
    batch, steps = rng.permutation(len(shape))[:2].tolist()
    return (values(rng, shape, dtype), _positions(rng, (shape[batch],), shape[steps] + 1)), (steps, batch)


def _invert_permutation(rng, dtype):
    return (rng.permutation(5).astype(numpy_dtype(dtype)),), ()


def _sort(rng, dtype):
    shape = pick(rng, _FULL)
    return (_distinct(rng, shape, dtype),), (int(rng.integers(len(shape))), bool(rng.random() < 0.5))


def _top_k(rng, dtype):
    shape = pick(rng, _FULL)
    return (_distinct(rng, shape, dtype),), (int(rng.integers(shape[-1] + 1)), pick(rng, [_INT32, _INT64]))


def _in_top_k(rng, dtype):
    return (_positions(rng, (4,), 5), values(rng, (4, 3), dtype)), (int(rng.integers(4)),)


def _searchsorted(rng, dtype):
    sequence = np.sort(values(rng, (2, 4), dtype), -1)
    return (sequence, values(rng, (2, 3), dtype)), (pick(rng, ["left", "right"]), pick(rng, [_INT32, _INT64]))


def _unique(rng, dtype):
    return (values(rng, (6,), dtype),), (pick(rng, [_INT32, _INT64]),)


def _bincount(rng, dtype):
    shape = pick(rng, [(4,), (2, 3)])
    arr = rng.integers(0, 5, shape).astype("int32")
    rows, size = len(shape) == 2, int(rng.integers(3, 7))
    if rng.random() < 0.5:
        return (arr,), (size, rows, bool(rng.random() < 0.5), numpy_dtype(dtype))
    return (arr, values(rng, shape, dtype)), (size, rows, False, numpy_dtype(dtype))


# -- positions ---------------------------------------------------------------------------------------------------------


def _gather(rng, dtype):
    shape = pick(rng, [(3,), (2, 3), (2, 3, 2)])
    axis = int(rng.integers(len(shape)))
    batch = int(rng.integers(axis + 1))
    at = shape[:batch] + pick(rng, [(), (2,), (1, 3), (0,)])
    return (values(rng, shape, dtype), _positions(rng, at, shape[axis])), (axis, batch)


def _gather_grad(rng, dtype):
    (x, at), (axis, batch) = _gather(rng, dtype)
    shape = (*x.shape[:axis], *at.shape[batch:], *x.shape[axis + 1 :])
    return (values(rng, shape, dtype), at), (x.shape, axis, batch)


def _gather_nd(rng, dtype):
    shape = pick(rng, _FULL)
    batch = int(rng.integers(len(shape)))
    depth = int(rng.integers(len(shape) - batch + 1))
    lead = shape[:batch] + pick(rng, [(2,), (1, 2), (0,)])
    at = (
        np.stack([_positions(rng, lead, n) for n in shape[batch : batch + depth]], -1)
        if depth
        else np.zeros((*lead, 0), int)
    )
    return (values(rng, shape, dtype), at.astype("int32")), (batch,)


def _places(rng, shape, distinct=False):
    depth = int(rng.integers(1, len(shape) + 1))
    count = int(rng.integers(0, 4))
    if distinct:
        count = min(count, int(np.prod(shape[:depth])))
        flat = rng.permutation(int(np.prod(shape[:depth])))[:count]
        return np.stack(np.unravel_index(flat, shape[:depth]), -1).astype("int64")
    return np.stack([_positions(rng, (count,), n) for n in shape[:depth]], -1).astype("int64")


def _scatter_nd(rng, dtype):
    shape = pick(rng, _FULL)
    at = _places(rng, shape)
    return (at, values(rng, (len(at), *shape[at.shape[-1] :]), dtype)), (shape,)


def _tensor_scatter(distinct):
    def make(rng, dtype):
        shape = pick(rng, _FULL)
        at = _places(rng, shape, distinct)
        return (values(rng, shape, dtype), at, values(rng, (len(at), *shape[at.shape[-1] :]), dtype)), ()

    return make


def _unravel_index(rng, dtype):
    dims = pick(rng, [(3,), (2, 3), (2, 3, 4)])
    return (_positions(rng, pick(rng, [(), (4,), (0,)]), int(np.prod(dims))),), (dims,)


def _one_hot(rng, dtype):
    at = rng.integers(-1, 4, pick(rng, [(), (3,), (2, 2)])).astype(pick(rng, ["uint8", "int8", "int32", "int64"]))
    on, off = (b"y", b"n") if dtype == "string" else (numpy_dtype(dtype).type(v) for v in pick(rng, [(1, 0), (5, 2)]))
    return (at,), (3, int(rng.integers(at.ndim + 1)), on, off)


# -- diagonals ---------------------------------------------------------------------------------------------------------


def _diagonals(rng):
    rows, columns = pick(rng, [(2, 3), (3, 2), (3, 3), (1, 4)])
    low, high = sorted(rng.integers(1 - rows, columns, 2).tolist())
    align = pick(rng, ["RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"])
    longest = min(rows + min(high, 0), columns - max(low, 0))
    stacked = (longest,) if low == high else (high - low + 1, longest)
    return pick(rng, [(), (2,)]), rows, columns, low, high, align, stacked


def _diag_part(rng, dtype):
    batch, rows, columns, low, high, align, _ = _diagonals(rng)
    return (values(rng, (*batch, rows, columns), dtype),), (low, high, align, 1)


def _diag(rng, dtype):
    batch, rows, columns, low, high, align, stacked = _diagonals(rng)
    return (values(rng, (*batch, *stacked), dtype),), (low, high, rows, columns, align, 1)


def _set_diag(rng, dtype):
    batch, rows, columns, low, high, align, stacked = _diagonals(rng)
    return (values(rng, (*batch, rows, columns), dtype), values(rng, (*batch, *stacked), dtype)), (low, high, align)


def _band_part(rng, dtype):
    shape = pick(rng, [(2, 3), (3, 3), (2, 3, 2)])
    return (values(rng, shape, dtype),), tuple(rng.integers(-1, 3, 2).tolist())


EXAMPLES.update(
    {
        "reshape": Example(_reshape, ANY, complex=True),
        "transpose": Example(_transpose, ANY, complex=True),
        "broadcast_to": Example(_broadcast_to, ANY, complex=True),
        "sum_to_shape": Example(_sum_to_shape, ("float32", "float64"), complex=True),
        "range": Example(_range, ("int32", "float32", "float64"), order=0),
        "places_of_true": Example(_mask, BOOL, order=0),
        "expand_dims": Example(_expand_dims, ANY),
        "squeeze": Example(_squeeze, ANY),
        "shape": Example(_extent, ANY, order=0),
        "size": Example(_extent, ANY, order=0),
        "rank": Example(_alone, ANY, order=0),
        "zeros_like": Example(_alone, ANY, order=0),
        "concat": Example(_concat, ANY, complex=True),
        "stack": Example(_stack, ANY, complex=True),
        "unstack": Example(_unstack, ANY),
        "split": Example(_split, ANY),
        "tile": Example(_tile, ANY),
        "pad": Example(_pad, ANY),
        "mirror_pad_grad": Example(_mirror_pad_grad, FLOAT + COMPLEX),
        "strided_slice": Example(_strided_slice, ANY, complex=True),
        "strided_slice_grad": Example(_strided_slice_grad, NUMBER),
        "reverse": Example(_reverse, ANY),
        "roll": Example(_roll, ANY),
        "reverse_sequence": Example(_reverse_sequence, ANY),
        "invert_permutation": Example(_invert_permutation, ("int32", "int64"), order=0),
        "sort": Example(_sort, REAL),
        "argsort": Example(_sort, REAL, order=0),
        "top_k": Example(_top_k, REAL),
        "in_top_k": Example(_in_top_k, WIDE, order=0),
        "searchsorted": Example(_searchsorted, REAL, order=0),
        "unique": Example(_unique, REAL + BOOL + STRING, order=0),
        "bincount": Example(_bincount, (*WIDE, "int32", "int64"), order=0),
        "gather": Example(_gather, ANY, complex=True),
        "gather_grad": Example(_gather_grad, NUMBER),
        "gather_nd": Example(_gather_nd, ANY),
        "scatter_nd": Example(_scatter_nd, ANY, complex=True),
        "tensor_scatter_update": Example(_tensor_scatter(True), ANY),
        "tensor_scatter_add": Example(_tensor_scatter(False), NUMBER),
        "tensor_scatter_sub": Example(_tensor_scatter(False), NUMBER),
        "tensor_scatter_max": Example(_tensor_scatter(True), REAL),
        "tensor_scatter_min": Example(_tensor_scatter(True), REAL),
        "unravel_index": Example(_unravel_index, INTEGER[2:4], order=0),
        "one_hot": Example(_one_hot, (*NUMBER, "bool", "string"), order=0),
        "matrix_diag_part": Example(_diag_part, NUMBER),
        "matrix_diag": Example(_diag, NUMBER),
        "matrix_set_diag": Example(_set_diag, NUMBER),
        "matrix_band_part": Example(_band_part, (*NUMBER, "bool")),
    }
)
