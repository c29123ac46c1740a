"""How often a prediction is right: 1 for each example where it is, else 0."""

from __future__ import annotations

from typing import Any

from ...core.convert import convert_to_tensor
from ...core.tensor import Tensor
from ...ops.argextrema import argmax
from ...ops.casting import cast
from ...ops.comparison import equal, greater
from ...ops.shaping import reshape, squeeze
from ...ops.sorting import in_top_k
from ..conversion import class_numbers, converted, predicted
from ..losses.reduction import squeeze_or_expand_to_same_rank
from ..settings import floatx


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Whether both are equal, element by element."""
    y_pred = convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(converted(y_true, y_pred._value.dtype), y_pred)
    return cast(equal(y_true, y_pred), floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """Whether y_pred is above `threshold` where y_true is 1 and not above it where y_true is 0."""
    y_true, y_pred = squeeze_or_expand_to_same_rank(convert_to_tensor(y_true), predicted(y_pred))
    return cast(equal(y_true, cast(greater(y_pred, float(threshold)), y_true.dtype)), floatx())


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Whether y_true [..., classes] and y_pred [..., classes] are largest for the same class."""
    return cast(equal(argmax(convert_to_tensor(y_true), -1), argmax(predicted(y_pred), -1)), floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Whether y_pred [..., classes] is largest for the class whose number y_true [...] or [..., 1] has."""
    y_pred, y_true = predicted(y_pred), class_numbers(y_true)
    if len(y_true._value.shape) == len(y_pred._value.shape) and y_true._value.shape[-1] == 1:
        y_true = squeeze(y_true, -1)
    matches = cast(equal(y_true, argmax(y_pred, -1, y_true.dtype)), floatx())
    if len(matches._value.shape) > 1 and matches._value.shape[-1] == 1:
        matches = squeeze(matches, -1)
    return matches


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """Whether the class for which y_true [..., classes] is largest is among the k largest of y_pred."""
    return sparse_top_k_categorical_accuracy(argmax(convert_to_tensor(y_true), -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """Whether the class whose number y_true [...] has is among the k largest of y_pred [..., classes]."""
    y_pred, y_true = predicted(y_pred), cast(convert_to_tensor(y_true), "int32")
    shape = y_true._value.shape
    rows = cast(reshape(y_pred, (-1, y_pred._value.shape[-1])), "float32")
    matches = cast(in_top_k(reshape(y_true, (-1,)), rows, k), floatx())
    return reshape(matches, shape)
