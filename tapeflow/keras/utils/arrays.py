"""Arrays before they go into a model: classes as rows with a single 1, vectors of length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...core.variable import Variable
from ...ops.arithmetic import maximum
from ...ops.creation import one_hot
from ...ops.norms import norm
from ...ops.shaping import squeeze


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers [...] or [..., 1] as arrays [..., num_classes] with 1 at the class and 0 elsewhere.

    Arguments:
        x: an array, list or tensor of ints.
        num_classes: how many there are; the largest plus 1 by default, for arrays.

    Returns a float64 array, or for a tensor a float32 tensor. Raises IndexError for a class that is not there.
    """
    if isinstance(x, (Tensor, Variable)):
        if len(x.shape) > 1 and x.shape[-1] == 1:
            x = squeeze(x, -1)
        if num_classes is None:
            num_classes = int(np.max(np.asarray(x))) + 1
        return one_hot(x, num_classes)
    x = np.array(x, dtype=np.int64)
    shape = x.shape[:-1] if x.ndim > 1 and x.shape[-1] == 1 else x.shape
    flat = x.reshape(-1)
    rows = np.zeros((flat.size, int(num_classes or flat.max() + 1)))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape(*shape, rows.shape[-1])


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """x divided by its norms along an axis; zeros stay zeros.

    Arguments:
        x: an array or tensor.
        axis: along which.
        order: which norm: 2 for Euclid's.
    """
    if isinstance(x, (Tensor, Variable)):
        return x / maximum(norm(x, ord=order, axis=axis, keepdims=True), 1e-7)
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)
