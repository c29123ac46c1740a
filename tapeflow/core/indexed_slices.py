"""`tf.IndexedSlices`: rows of a tensor and where they belong; what the gradient of a gather is.

Backward passes on bare arrays use the same class with arrays inside, so that gradients add up in one way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import DType
from .shapes import TensorShape
from .size import known, sizes_given
from .tensor import Tensor, ndarray, wrap


class IndexedSlices:
    """`values[i]` belongs to row `indices[i]` of a tensor of shape `dense_shape`; rows named twice add up.

    Arguments:
        values: tensor [n, ...].
        indices: integer tensor [n].
        dense_shape: integer tensor, or None where the dense shape is not known.
    """

    __slots__ = ("_values", "_indices", "_dense_shape")
    __array_ufunc__ = None

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Which row of the dense tensor each is."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the dense tensor, or None."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """The static shape of the dense tensor."""
        return TensorShape(None if self._dense_shape is None else known(self._dims()))

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def name(self) -> str:
        return "IndexedSlices"

    @property
    def device(self) -> str:
        return self._values.device

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __repr__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape!s}"
        return f"IndexedSlices(indices={self._indices!s}, values={self._values!s}{shape})"

    def __add__(self, other: Any) -> Any:
        """Gradients adding up: slices stay slices, with anything dense the sum is dense."""
        if isinstance(other, IndexedSlices):
            return IndexedSlices(
                _concat(self._values, other._values), _concat(self._indices, other._indices), self._dense_shape
            )
        return self.dense() + other

    def __radd__(self, other: Any) -> Any:
        return other + self.dense()

    def _dims(self) -> tuple:
        """The dense shape as ints, and what a trace has in their place."""
        sizes = sizes_given(self._dense_shape)
        return tuple(int(n) for n in np.asarray(self._dense_shape)) if sizes is None else sizes

    def dense(self) -> Any:
        """The dense array or tensor. Raises ValueError where the dense shape is not known."""
        if self._dense_shape is None:
            raise ValueError(
                "Tensor conversion requested for IndexedSlices without dense_shape. "
                "Give it one: tf.IndexedSlices(values, indices, dense_shape)."
            )
        if isinstance(self._values, Tensor):
            return _scatter(self._values, self._indices, self._dims())
        return scatter_rows(self._values, self._indices, tuple(self._dense_shape))

    def _components(self) -> tuple:
        """The tensors it is made of, for `tf.nest`."""
        parts = (self._values, self._indices)
        return parts if self._dense_shape is None else (*parts, self._dense_shape)

    def _with_components(self, parts: Any) -> IndexedSlices:
        return IndexedSlices(*parts)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        dense = self.dense()
        if dtype is not None and dense.dtype != dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {dense.dtype.name}"
            )
        return dense

    def wrapped(self) -> IndexedSlices:
        """These slices of arrays as slices of tensors."""
        shape = None if self._dense_shape is None else wrap(np.array(self._dense_shape, np.int32))
        return IndexedSlices(wrap(self._values), wrap(self._indices), shape)


def scatter_rows(values: np.ndarray, indices: np.ndarray, shape: tuple) -> np.ndarray:
    """Zeros of `shape` with `values[i]` added to row `indices[i]`."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, indices, values)
    return out


_ops: dict[str, Any] = {}  # concat and scatter on tensors; set by ops.indexing


def set_ops(concat: Any, scatter: Any) -> None:
    """Tells this module the ops that join and scatter tensors, so that derivatives flow through them."""
    _ops.update(concat=concat, scatter=scatter)


def _concat(a: Any, b: Any) -> Any:
    return np.concatenate((a, b)) if type(a) is ndarray else _ops["concat"]((a, b), 0)


def _scatter(values: Any, indices: Any, shape: tuple) -> Any:
    return _ops["scatter"](values, indices, shape)
