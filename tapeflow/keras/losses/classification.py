"""Losses between classes: cross-entropies of probabilities and logits, divergences, hinges, overlaps."""

from __future__ import annotations

import warnings
from typing import Any

from ...core.tensor import Tensor
from ...ops import losses as ops
from ...ops.activations import softmax
from ...ops.arithmetic import maximum, square
from ...ops.arithmetic import pow_ as power
from ...ops.comparison import equal, logical_or, not_equal
from ...ops.elementary import log, sigmoid
from ...ops.reduction import reduce_all, reduce_max, reduce_mean, reduce_sum
from ...ops.selection import clip_by_value, where
from ...ops.shaping import expand_dims, squeeze, zeros_like
from ..conversion import class_numbers, converted, predicted
from ..logits import logits_of
from ..settings import epsilon


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """-sum(y_true * log(y_pred)) along an axis: probabilities of classes against probabilities, or against logits.

    `label_smoothing` moves that part of the true probabilities to all classes alike. Raises ValueError for shapes that
    differ.
    """
    y_true, y_pred = _distributions("categorical_crossentropy", y_true, y_pred, label_smoothing, axis)
    logits = y_pred if from_logits else logits_of(y_pred, "softmax") if axis == -1 else None
    if logits is not None:
        return ops.softmax_cross_entropy_with_logits(labels=y_true, logits=logits, axis=axis)
    return -reduce_sum(y_true * log(_clipped(y_pred / reduce_sum(y_pred, axis, keepdims=True))), axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy where each class's part is weighted by alpha * (1 - y_pred)**gamma: what is easy counts less.

    Source: Lin et al., Focal loss for dense object detection (2017).
    """
    y_true, y_pred = _distributions("categorical_focal_crossentropy", y_true, y_pred, label_smoothing, axis)
    if from_logits:
        y_pred = softmax(y_pred, axis)
    p = _clipped(y_pred / reduce_sum(y_pred, axis, keepdims=True))
    return reduce_sum(power(1.0 - p, float(gamma)) * alpha * (-y_true * log(p)), axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-log of the probability that `y_pred` gives to the class whose number `y_true` has.

    Arguments:
        y_true: class numbers, [...] or [..., 1].
        y_pred: probabilities, or with `from_logits` logits, [..., classes].
        ignore_class: a class number whose examples have a loss of 0.
        axis: the axis of the classes, which must be the last.

    Raises ValueError for shapes that do not fit, InvalidArgumentError for a class that is not there.
    """
    y_pred = predicted(y_pred)
    y_true = class_numbers(y_true)
    shape = y_pred._value.shape
    if axis not in (-1, len(shape) - 1):
        raise ValueError(f"Only axis=-1 is currently supported. Received: axis={axis}")
    if len(y_true._value.shape) == len(shape) and y_true._value.shape[-1] == 1:
        y_true = squeeze(y_true, -1)
    _check_classes(y_true._value.shape, shape)
    logits = y_pred if from_logits else logits_of(y_pred, "softmax")
    valid = None
    if ignore_class is not None:
        valid = not_equal(y_true, ignore_class)
        y_true = where(valid, y_true, zeros_like(y_true))
        y_pred = where(expand_dims(valid, -1), y_pred, zeros_like(y_pred))
        if logits is not None:
            logits = where(expand_dims(valid, -1), logits, zeros_like(logits))
    if logits is None:
        losses = ops.sparse_cross_entropy_of_probabilities(y_pred, y_true)
    else:
        losses = ops.sparse_softmax_cross_entropy_with_logits(labels=y_true, logits=logits)
    return losses if valid is None else where(valid, losses, zeros_like(losses))


def _check_classes(have: tuple, wanted: tuple) -> None:
    if have != wanted[:-1] and None not in (*have, *wanted) or len(have) != len(wanted) - 1:
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={have}, output.shape={wanted}"
        )


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean along an axis of -(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)), or that of logits.

    `label_smoothing` moves the true probabilities that part of the way to 1/2. Raises ValueError for shapes that
    differ.
    """
    y_true, y_pred = _binary(y_true, y_pred, label_smoothing)
    logits = y_pred if from_logits else logits_of(y_pred, "sigmoid")
    if logits is not None:
        losses = ops.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
    else:
        losses = _binary_entropy(y_true, y_pred)
    return reduce_mean(losses, axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary cross-entropy times (1 - p)**gamma, p being the probability given to the true class.

    `apply_class_balancing` weights class 1 by alpha and class 0 by 1 - alpha. Source: Lin et al., Focal loss for dense
    object detection (2017).
    """
    y_true, y_pred = _binary(y_true, y_pred, label_smoothing)
    if from_logits:
        y_pred = sigmoid(y_pred)
    p = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = power(1.0 - p, float(gamma)) * _binary_entropy(y_true, y_pred)
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return reduce_mean(losses, axis)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """The sum of y_true * log(y_true / y_pred) over the last axis."""
    y_true, y_pred = _floats(y_true, y_pred)
    y_true, y_pred = clip_by_value(y_true, epsilon(), 1.0), clip_by_value(y_pred, epsilon(), 1.0)
    return reduce_sum(y_true * log(y_true / y_pred), -1)


# -- hinges ------------------------------------------------------------------------------------------------------------


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0) over the last axis, for classes -1 and 1; 0 and 1 are taken as those."""
    return reduce_mean(_margins(y_true, y_pred), -1)


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0)**2 over the last axis, for classes -1 and 1, or 0 and 1."""
    return reduce_mean(square(_margins(y_true, y_pred)), -1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """By how much the best of the false classes comes within 1 of the true one: max(neg - pos + 1, 0)."""
    y_true, y_pred = _floats(y_true, y_pred)
    true = reduce_sum(y_true * y_pred, -1)
    false = reduce_max((1.0 - y_true) * y_pred, -1)
    return maximum(false - true + 1.0, 0.0)


def _margins(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _floats(y_true, y_pred)
    binary = reduce_all(logical_or(equal(y_true, 0.0), equal(y_true, 1.0)))
    signs = where(binary, y_true * 2.0 - 1.0, y_true)
    return maximum(1.0 - signs * y_pred, 0.0)


# -- overlaps ----------------------------------------------------------------------------------------------------------


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """1 minus twice the overlap of both over the sum of their sizes."""
    y_true, y_pred = _floats(y_true, y_pred)
    sizes = reduce_sum(y_true, axis) + reduce_sum(y_pred, axis)
    return 1.0 - reduce_sum(y_true * y_pred, axis) * 2.0 / (sizes + epsilon())


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """1 minus the overlap of both over itself plus alpha times what was missed and beta times what was too much.

    Source: Salehi et al., Tversky loss function for image segmentation (2017).
    """
    y_true, y_pred = _floats(y_true, y_pred)
    overlap = reduce_sum(y_true * y_pred, axis)
    missed = reduce_sum((1.0 - y_pred) * y_true, axis)
    extra = reduce_sum(y_pred * (1.0 - y_true), axis)
    return 1.0 - overlap / (overlap + missed * alpha + extra * beta + epsilon())


# -- what they share ---------------------------------------------------------------------------------------------------


def _floats(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    y_pred = predicted(y_pred)
    return converted(y_true, y_pred._value.dtype), y_pred


def _distributions(name: str, y_true: Any, y_pred: Any, label_smoothing: float, axis: int) -> tuple[Tensor, Tensor]:
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")
    y_true, y_pred = _floats(y_true, y_pred)
    _check_same(y_true, y_pred)
    if y_pred._value.shape[-1:] == (1,):
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. Received: "
            f"y_pred.shape={y_pred.shape}. Consider using 'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=4,
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true._value.shape[-1]
    return y_true, y_pred


def _binary(y_true: Any, y_pred: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
    y_true, y_pred = _floats(y_true, y_pred)
    _check_same(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return y_true, y_pred


def _check_same(y_true: Tensor, y_pred: Tensor) -> None:
    have, wanted = y_true._value.shape, y_pred._value.shape
    if have != wanted and (len(have) != len(wanted) or None not in (*have, *wanted)):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={have}, output.shape={wanted}"
        )


def _clipped(p: Tensor) -> Tensor:
    return clip_by_value(p, epsilon(), 1.0 - epsilon())


def _binary_entropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    p = _clipped(y_pred)
    return -(y_true * log(p) + (1.0 - y_true) * log(1.0 - p))
