"""Dilation and erosion of images with grey levels: maxima of sums, where convolution has sums of products.

One op finds which element of the input and which of the filter make each maximum, and two gathers take them, so that
derivatives of every order are those of gathers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.dtypes import FLOATS, group
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import shape_text
from ..core.tensor import Tensor
from .convolution import how_of, pair
from .convolution_kernels import taps_of
from .indexing import gather
from .permuting import reverse
from .windows import axes_of, of_axis, output_size

_TITLE = "Dilation2D"
_DTYPES = FLOATS | group("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _check(x: Any, k: Any) -> None:
    for what, shape, rank in (("input", x.shape, 4), ("filter", k.shape, 3)):
        if len(shape) != rank:
            raise errors.invalid(_TITLE, f"{what} must be {rank}-dimensional: {shape_text(shape)}")
    if x.shape[3] != k.shape[2] and None not in (x.shape[3], k.shape[2]):
        raise errors.invalid(_TITLE, f"input and filter must have the same depth: {x.shape[3]} vs {k.shape[2]}")


def _places(x: Any, k: Any, strides: tuple, padding: Any, dilations: tuple) -> tuple:
    """The index of each maximum's element in the input, and in the filter, both flattened."""
    _check(x, k)
    axes = axes_of(x.shape[1:3], k.shape[:2], strides, dilations, padding, _TITLE)
    shape = (len(x), axes[0].outputs, axes[1].outputs, x.shape[3])
    best = np.zeros(shape, x.dtype)
    found = np.zeros(shape, bool)
    places, weights = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    index, weight = np.arange(x.size).reshape(x.shape), np.arange(k.size).reshape(k.shape)
    for tap, there, here in taps_of(axes):
        sums = x[here] + k[tap]
        better = (sums > best[there]) | ~found[there]
        for kept, new in ((best, sums), (places, index[here]), (weights, weight[tap])):
            kept[there] = np.where(better, new, kept[there])
        found[there] = True
    return places, weights


def _places_shape(x: Any, k: Any, strides: tuple, padding: Any, dilations: tuple) -> tuple:
    if x.shape is None or k.shape is None:
        shape: tuple = (None,) * 4
    else:
        _check(x, k)
        outs = [
            output_size(n, w, s, d, of_axis(padding, i), _TITLE)
            for i, (n, w, s, d) in enumerate(zip(x.shape[1:3], k.shape[:2], strides, dilations, strict=True))
        ]
        shape = (x.shape[0], *outs, x.shape[3])
    return Abstract(shape, np.dtype("int64")), Abstract(shape, np.dtype("int64"))


_places_of = define("dilation2d_places", lambda xp: _places, _places_shape, title=_TITLE, inputs=2, outputs=2)


def _taken(x: Tensor, places: Tensor) -> Tensor:
    """The elements at places of a tensor flattened; a leading dimension of 1 makes the gradient a dense one."""
    out = gather(T.reshape(x, (1, -1)), places, axis=1)
    return T.reshape(out, places._value.shape)


def dilation2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    """The maximum, over each window of an image, of the image plus the filter.

    Arguments:
        input: [batch, height, width, channels], real numbers.
        filters: [height, width, channels], of the same dtype.
        strides, dilations: a list of four, or an int.
        padding: "SAME" or "VALID"; padding never is the maximum.
        data_format: "NHWC".

    Raises ValueError for another format, InvalidArgumentError for shapes that do not fit. Source: Haralick et al.,
    Image Analysis Using Mathematical Morphology (1987).
    """
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other than 'NHWC' are not supported. Received: {data_format=}")
    steps, padding, rates, _ = how_of(strides, padding, data_format, dilations, 2, _TITLE)
    x, k = pair(input, filters, _DTYPES, _places_of.op)  # type: ignore[attr-defined]
    places, weights = _places_of(x, k, steps, padding, rates)
    return T.add(_taken(x, places), _taken(k, weights))


def erosion2d(
    value: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    """The minimum, over each window of an image, of the image minus the filter: a dilation of what is not in it.

    Arguments and errors are those of `dilation2d`; the filter is taken mirrored, as the duality of the two has it.
    """
    x, k = pair(value, filters, _DTYPES, _places_of.op)  # type: ignore[attr-defined]
    return T.negative(dilation2d(T.negative(x), reverse(k, (0, 1)), strides, padding, data_format, dilations))
