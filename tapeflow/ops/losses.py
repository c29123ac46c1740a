"""Losses of logits: cross entropies of softmaxes and sigmoids, and the Poisson loss.

The softmax cross entropies are fused: one op gives the losses and, as its second output, the gradient of each with
respect to its logits. That output is differentiable itself, which is what second derivatives go through.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import FLOATS, group, short_name
from ..core.elementwise import binary, mixed_dtypes, refused_dtype
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.shapes import broadcast_shapes, shape_text
from ..core.tensor import Tensor
from . import activations, softmax  # noqa: F401 - ops that kernels and gradients here are made of
from .arithmetic import one, typed_constant, zero
from .creation import range_

_FLOAT32 = np.dtype("float32")

# -- softmax cross entropy ---------------------------------------------------------------------------------------------


def _column(F: Any, x: Any) -> Any:
    """The values with a last dimension of 1."""
    shape = (x if F.raw else x._value).shape
    return F.reshape(x, (*shape, 1))


def _cross_entropy_kernel(xp: Any) -> Callable:
    largest, total, exp, log = xp.maximum.reduce, xp.add.reduce, xp.exp, xp.log

    def cross_entropy(labels: Any, logits: Any) -> tuple:
        if not logits.size or not labels.size:
            shape = broadcast_shapes(labels.shape, logits.shape)
            return xp.zeros(shape[:-1], logits.dtype), xp.zeros(shape, logits.dtype)
        z = logits - largest(logits, -1, None, None, True)
        e = exp(z)
        sums = total(e, -1, None, None, True)
        loss = total((log(sums) - z) * labels, -1)
        e /= sums
        return loss, e - labels

    return cross_entropy


def _cross_entropy_shape(labels: Any, logits: Any) -> tuple[Abstract, Abstract]:
    try:
        shape = broadcast_shapes(labels.shape, logits.shape)
    except errors.InvalidArgumentError:
        raise errors.invalid(
            "SoftmaxCrossEntropyWithLogits",
            f"logits and labels must be broadcastable: logits_size={list(logits.shape)} "
            f"labels_size={list(labels.shape)}",
        ) from None
    return Abstract(None if shape is None else shape[:-1], logits.dtype), Abstract(shape, logits.dtype)


def _cross_entropy_gradients(
    F: Any, g: list, needs: list, labels: Any, logits: Any, backprop: Any, shapes: tuple
) -> list:
    """Of the losses: backprop to the logits, negative log-probabilities to the labels; of backprop: the softmax's."""
    of_loss, of_backprop = g
    to_labels = to_logits = None
    if of_loss is not None:
        column = _column(F, of_loss)
        if needs[0]:
            to_labels = F.log_softmax(logits, len(shapes[1]) - 1) * -column
        if needs[1]:
            to_logits = column * backprop
    if of_backprop is not None:
        if needs[0]:
            to_labels = -of_backprop if to_labels is None else to_labels - of_backprop
        if needs[1]:
            last = len(shapes[1]) - 1
            p = F.softmax(logits, last)
            d = p * (of_backprop - F.reduce_sum(of_backprop * p, (last,), True))
            to_logits = d if to_logits is None else to_logits + d
    return [None if d is None else F.sum_to(d, shape) for d, shape in zip((to_labels, to_logits), shapes, strict=True)]


_cross_entropy = define(
    "softmax_cross_entropy",
    _cross_entropy_kernel,
    _cross_entropy_shape,
    _cross_entropy_gradients,
    """Of labels and logits [..., n], of one rank: the cross entropies [...], and softmax(logits) - labels.""",
    saves=lambda labels, logits, loss, backprop: (
        labels,
        logits,
        backprop,
        (labels._value.shape, logits._value.shape),
    ),
    title="SoftmaxCrossEntropyWithLogits",
    inputs=2,
    outputs=2,
)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """The cross entropy between labels, a distribution over classes, and the softmax of logits; [..., n] give [...].

    Arguments:
        labels: for each example the probabilities of the classes, of a shape that broadcasts with that of the logits;
            cast to their dtype.
        logits: unscaled logarithms of probabilities, floats.
        axis: the dimension of the classes.

    Gradients flow to both (`tf.stop_gradient` keeps them from the labels). Raises InvalidArgumentError for shapes that
    do not broadcast, scalars, and logits that are no floats.
    """
    z = convert_to_tensor(logits)
    dtype = z._value.dtype
    if dtype not in FLOATS:
        raise refused_dtype(_cross_entropy.op, dtype, FLOATS)
    y = labels if isinstance(labels, Tensor) else convert_like(labels, dtype)
    if dtype.itemsize == 2:
        out = softmax_cross_entropy_with_logits(T.cast(y, _FLOAT32), T.cast(z, _FLOAT32), axis)
        return T.cast(out, dtype)
    if y._value.dtype != dtype:
        y = T.cast(y, dtype)
    rank = len(z._value.shape)
    if not -rank <= axis < rank:
        raise errors.invalid(
            "SoftmaxCrossEntropyWithLogits",
            f"the axis of the classes must be in [{-rank}, {rank}), but it is {axis}: logits have shape "
            f"{shape_text(z._value.shape)}",
        )
    if axis not in (-1, rank - 1):
        order = (*[i for i in range(rank) if i != axis % rank], axis % rank)
        if len(y._value.shape) == rank:
            y = T.transpose(y, order)
        z = T.transpose(z, order)
    missing = rank - len(y._value.shape)
    if missing > 0:
        y = T.reshape(y, (*[1] * missing, *y._value.shape))
    elif missing < 0:
        z = T.reshape(z, (*[1] * -missing, *z._value.shape))
    return _cross_entropy(y, z)[0]


# -- the same, of labels that are the indices of classes ---------------------------------------------------------------


_SPARSE = "SparseSoftmaxCrossEntropyWithLogits"
_LABELS = group("int32", "int64")
_UNSIGNED = {4: np.dtype("uint32"), 8: np.dtype("uint64")}


def _label_access(xp: Any) -> tuple[Callable, Callable, Callable]:
    """(places(labels, n), pick(x, places), added(x, places, change)) of rows of n classes and their labels.

    `pick` gives the value of each row at its label, `added` the rows with something added there. NumPy's places are
    positions in the flat array, and it checks the labels and adds in place; XLA can do neither and has masks.
    """
    if xp is not np:
        return (
            lambda labels, n: labels[:, None] == xp.arange(n, dtype=labels.dtype),
            lambda x, at: xp.where(at, x, zero(x.dtype)).sum(-1),
            lambda x, at, change: xp.where(at, x + change[..., None], x),
        )
    starts: dict[tuple, np.ndarray] = {}

    def places(labels: Any, n: int) -> Any:
        _check_labels(labels, n)
        shape = (labels.size, n)
        start = starts.get(shape)
        if start is None:
            if len(starts) > 64:
                starts.clear()
            start = starts[shape] = np.arange(0, labels.size * n, n)
        return start + labels

    def added(x: Any, at: Any, change: Any) -> Any:
        x.reshape(-1)[at] += change
        return x

    return places, lambda x, at: x.take(at), added


def _check_labels(labels: Any, n: int) -> None:
    # as unsigned numbers negative ones are large, so that one comparison sees both ends
    if labels.size and np.maximum.reduce(labels.view(_UNSIGNED[labels.dtype.itemsize])) >= n:
        bad = next(v for v in labels.tolist() if not 0 <= v < n)
        shown = " ".join([str(v) for v in labels.tolist()[:20]]) + (" ..." if labels.size > 20 else "")
        raise errors.invalid(
            _SPARSE,
            f"Received a label value of {bad} which is outside the valid range of [0, {n}). Label values: {shown}",
        )


def _rows(x: Any, labels: Any) -> tuple:
    """The values as a matrix of one row for each label, and the labels as a vector."""
    if x.ndim == 2:
        return x, labels
    labels = labels.reshape(-1)
    return x.reshape(labels.shape[0], x.shape[-1]), labels


def _sparse_kernel(xp: Any) -> Callable:
    largest, total, exp, log = xp.maximum.reduce, xp.add.reduce, xp.exp, xp.log
    places, pick, added = _label_access(xp)

    def sparse(logits: Any, labels: Any) -> tuple:
        n = logits.shape[-1]
        if not n:
            raise errors.invalid(_SPARSE, f"Must have at least one class, but got logits shape {list(logits.shape)}")
        rows, flat = _rows(logits, labels)
        at = places(flat, n)
        z = rows - largest(rows, 1, None, None, True)
        e = exp(z)
        sums = total(e, 1, None, None, True)
        loss = log(sums).reshape(-1) - pick(z, at)
        e /= sums
        return loss.reshape(labels.shape), added(e, at, -one(e.dtype)).reshape(logits.shape)

    return sparse


def _sparse_shape(logits: Any, labels: Any) -> tuple[Abstract, Abstract]:
    return Abstract(labels.shape, logits.dtype), Abstract(logits.shape, logits.dtype)


def _sparse_gradients(F: Any, g: list, needs: list, logits: Any, backprop: Any, last: int) -> tuple:
    of_loss, of_backprop = g
    d = None if of_loss is None else _column(F, of_loss) * backprop
    if of_backprop is not None:
        p = F.softmax(logits, last)
        more = p * (of_backprop - F.reduce_sum(of_backprop * p, (last,), True))
        d = more if d is None else d + more
    return d, None


_sparse_cross_entropy = define(
    "sparse_softmax_cross_entropy",
    _sparse_kernel,
    _sparse_shape,
    _sparse_gradients,
    """Of logits [..., n] and labels [...], ints: the cross entropies [...], and softmax(logits) - one_hot(labels).""",
    saves=lambda logits, labels, loss, backprop: (logits, backprop, len(logits._value.shape) - 1),
    title=_SPARSE,
    inputs=2,
    outputs=2,
)


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """The cross entropy between labels, the class of each example, and the softmax of logits; [..., n] give [...].

    Arguments:
        labels: the index of the class of each example, int32 or int64, of the shape of the logits but for the last
            dimension.
        logits: unscaled logarithms of probabilities, floats.

    Raises InvalidArgumentError for a label that is no class, and for other dtypes; ValueError for shapes that do not
    fit or a missing argument.
    """
    if labels is None or logits is None:
        raise ValueError(
            "Both `labels` and `logits` must be provided for sparse_softmax_cross_entropy_with_logits. "
            f"Received: labels={labels!r} and logits={logits!r}"
        )
    y, z = convert_to_tensor(labels), convert_to_tensor(logits)
    dtype, shape = z._value.dtype, z._value.shape
    if not shape or y._value.shape != shape[:-1]:
        _check_shapes(y._value.shape, shape)
    if dtype not in FLOATS:
        raise refused_dtype(_sparse_cross_entropy.op, dtype, FLOATS)
    if y._value.dtype not in _LABELS:
        raise errors.invalid(
            _SPARSE,
            f"Value for attr 'Tlabels' of {short_name(y._value.dtype)} is not in the list of allowed values: "
            "int32, int64",
        )
    if dtype.itemsize == 2:
        return T.cast(_sparse_cross_entropy(T.cast(z, _FLOAT32), y)[0], dtype)
    return _sparse_cross_entropy(z, y)[0]


def _check_shapes(labels: tuple | None, logits: tuple | None) -> None:
    """Raises the ValueError for labels and logits that do not fit, which unknown dimensions may."""
    if logits == ():
        raise ValueError("`logits` cannot be a scalar: its last dimension is that of the classes.")
    if labels is None or logits is None:
        return
    if len(labels) != len(logits) - 1:
        raise ValueError(
            f"`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={labels} of rank "
            f"{len(labels)} and logits.shape={logits} of rank {len(logits)}"
        )
    if any(type(m) is int is type(n) and m != n for m, n in zip(labels, logits, strict=False)):
        raise ValueError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
            f"labels.shape={labels} and logits.shape={logits}"
        )


# -- the same, of probabilities (Keras, from_logits=False) -------------------------------------------------------------

_CLIP = 1e-7
low, high = typed_constant(_CLIP), typed_constant(1 - _CLIP)


def _of_probabilities_kernel(xp: Any) -> Callable:
    total, log, minimum, maximum = xp.add.reduce, xp.log, xp.minimum, xp.maximum
    places, pick, added = _label_access(xp)

    def of_probabilities(p: Any, labels: Any) -> tuple:
        rows, flat = _rows(p, labels)
        dtype = rows.dtype
        at = places(flat, rows.shape[1])
        clipped = minimum(maximum(rows, low(dtype)), high(dtype))
        sums = total(clipped, 1, None, None, True)
        chosen = pick(clipped, at)
        loss = log(sums.reshape(-1) / chosen)
        inside = clipped == rows
        backprop = added(inside / sums, at, -(pick(inside, at) / chosen))
        return loss.reshape(labels.shape), backprop.reshape(p.shape)

    return of_probabilities


def _of_probabilities_gradients(F: Any, g: list, needs: list, p: Any, labels: Any, backprop: Any, last: int) -> tuple:
    of_loss, of_backprop = g
    d = None if of_loss is None else _column(F, of_loss) * backprop
    if of_backprop is not None:
        more = _of_probabilities_second(F, of_backprop, p, labels, last)
        d = more if d is None else d + more
    return d, None


def _of_probabilities_second(F: Any, h: Any, p: Any, labels: Any, last: int) -> Any:
    """The gradient of backprop, inside * (1 / sum(clipped) - hot / clipped), with respect to p."""
    value, classes = (p, labels) if F.raw else (p._value, labels._value)
    dtype, n = value.dtype, value.shape[last]
    inside = F.cast(F.greater_equal(p, low(dtype)), dtype) * F.cast(F.less_equal(p, high(dtype)), dtype)
    every = np.arange(n, dtype=classes.dtype) if type(n) is int else range_(0, n, dtype=classes.dtype)
    hot = F.cast(F.equal(_column(F, labels), every), dtype) * inside
    clipped = F.minimum(F.maximum(p, low(dtype)), high(dtype))
    sums = F.reduce_sum(clipped, (last,), True)
    return h * hot / (clipped * clipped) - F.reduce_sum(h * inside, (last,), True) * inside / (sums * sums)


_of_probabilities = define(
    "sparse_cross_entropy_of_probabilities",
    _of_probabilities_kernel,
    _sparse_shape,
    _of_probabilities_gradients,
    """Of probabilities [..., n] and labels [...]: the cross entropies of the clipped ones, and their gradients.""",
    saves=lambda p, labels, loss, backprop: (p, labels, backprop, len(p._value.shape) - 1),
    title=_SPARSE,
    inputs=2,
    outputs=2,
)


def sparse_cross_entropy_of_probabilities(p: Any, labels: Any) -> Tensor:
    """-log(c[label] / sum(c)) with c the probabilities clipped to [1e-7, 1 - 1e-7]: Keras's cross entropy of outputs
    that are no logits.

    Arguments:
        p: the probabilities of the classes [..., n], float32 or float64.
        labels: the index of the class of each example [...], int32 or int64.

    No gradient flows to probabilities outside the limits. Raises InvalidArgumentError for a label that is no class.
    """
    return _of_probabilities(convert_to_tensor(p), convert_to_tensor(labels))[0]


# -- sigmoid cross entropy ---------------------------------------------------------------------------------------------


def _sigmoid_kernel(xp: Any) -> Callable:
    maximum, exp, log1p = xp.maximum, xp.exp, xp.log1p
    return lambda x, y: maximum(x, zero(x.dtype)) - x * y + log1p(exp(-abs(x)))


_sigmoid_cross_entropy = binary(
    "sigmoid_cross_entropy",
    _sigmoid_kernel,
    lambda F, g, x, y: g * (F.sigmoid(x) - y),
    lambda F, g, x, y: -(g * x),
    dtypes=FLOATS,
    title="Mul",
)


def _logits_and_labels(labels: Any, logits: Any, names: tuple[str, str]) -> tuple[Tensor, Tensor]:
    z, y = convert_to_tensor(logits), convert_to_tensor(labels)
    if z._value.shape != y._value.shape and not z.shape.is_compatible_with(y.shape):
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape, received ({z._value.shape} vs {y._value.shape})."
        )
    return z, y


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """The cross entropy of independent yes-or-no questions, elementwise, between labels and sigmoid(logits):
    max(x, 0) - x * z + log(1 + exp(-abs(x))) for logits x and labels z.

    Arguments:
        labels: between 0 and 1, of the shape and dtype of the logits.
        logits: logarithms of odds, floats.

    Gradients flow to both. Raises ValueError for shapes that differ or a missing argument, InvalidArgumentError for
    dtypes that differ or are no floats.
    """
    if labels is None or logits is None:
        raise ValueError(
            "Both `labels` and `logits` must be provided for sigmoid_cross_entropy_with_logits. "
            f"Received: labels={labels!r} and logits={logits!r}"
        )
    return _sigmoid_cross_entropy(*_logits_and_labels(labels, logits, ("logits", "labels")))


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Tensor:
    """Sigmoid cross entropy in which the term of the positive label counts `pos_weight` times:
    (1 - z) * x + (1 + (q - 1) * z) * (log(1 + exp(-abs(x))) + max(-x, 0)) for logits x, labels z and weight q.

    Arguments:
        labels: between 0 and 1, of the shape and dtype of the logits.
        logits: logarithms of odds, floats.
        pos_weight: a number, or a tensor that broadcasts with the logits: above 1 for fewer false negatives.

    Raises ValueError for shapes that differ, InvalidArgumentError for dtypes that differ or are no floats.
    """
    x, z = _logits_and_labels(labels, logits, ("logits", "labels"))
    if x._value.dtype != z._value.dtype:
        raise mixed_dtypes(_sigmoid_cross_entropy.op, x._value.dtype, z._value.dtype)
    q = convert_like(pos_weight, x._value.dtype)
    weight = (q - 1) * z + 1
    return (1 - z) * x + weight * (T.log1p(T.exp(-T.abs(x))) + T.relu(-x))


# -- Poisson -----------------------------------------------------------------------------------------------------------


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """The negative log-likelihood of Poisson counts, elementwise: exp(c) - z * c for targets z and log-rates c.

    Arguments:
        targets: counts, of the shape and dtype of `log_input`.
        log_input: logarithms of the expected counts, floats.
        compute_full_loss: whether to add Stirling's approximation of log(z!), z * log(z) - z + log(2 pi z) / 2, for
            targets above 1, which the loss leaves out otherwise.

    Raises ValueError for shapes that differ.
    """
    c, z = _logits_and_labels(targets, log_input, ("log_input", "targets"))
    loss = T.exp(c) - c * z
    if compute_full_loss:
        stirling = z * T.log(z) - z + T.log(z * (2 * pi)) * 0.5
        zeros = T.zeros_like(z)
        small = T.logical_and(T.greater_equal(z, zeros), T.less_equal(z, T.ones_like(z)))
        loss = loss + T.where(small, zeros, stirling)
    return loss
