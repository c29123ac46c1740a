"""From losses of examples to the loss of a batch: weights, masks, sums and means."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.arithmetic import divide_no_nan
from ...ops.casting import cast
from ...ops.reduction import reduce_mean, reduce_sum
from ...ops.shaping import expand_dims, squeeze
from ..conversion import converted

REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


def standardize_reduction(reduction: Any) -> Any:
    """The reduction, if it is one; Keras 2's `auto` is `sum_over_batch_size`. Raises ValueError for others."""
    if reduction == "auto":
        return "sum_over_batch_size"
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"Invalid value for argument `reduction`. Expected one of {REDUCTIONS}. Received: reduction={reduction}"
        )
    return reduction


def squeeze_or_expand_to_same_rank(x: Tensor, y: Tensor, expand_rank_1: bool = True) -> tuple[Tensor, Tensor]:
    """Two tensors whose ranks differ by a last dimension of 1, brought to one rank; others as they are.

    A vector gets that dimension, anything else has it taken from the other.
    """
    shape_x, shape_y = x._value.shape, y._value.shape
    rank_x, rank_y = len(shape_x), len(shape_y)
    if rank_x == rank_y + 1 and shape_x[-1] == 1:
        if rank_y == 1 and expand_rank_1:
            return x, expand_dims(y, -1)
        return squeeze(x, -1), y
    if rank_y == rank_x + 1 and shape_y[-1] == 1:
        if rank_x == 1 and expand_rank_1:
            return expand_dims(x, -1), y
        return x, squeeze(y, -1)
    return x, y


def reduce_weighted_values(
    values: Tensor, sample_weight: Any = None, mask: Any = None, reduction: Any = "sum_over_batch_size"
) -> Tensor:
    """The values, times their weights and without those that are masked, brought to one number as `reduction` says.

    With `mean` and `sum_over_batch_size` masked values do not count: the rest weighs as much as all would.
    """
    dtype = values._value.dtype
    if sample_weight is not None:
        sample_weight = converted(sample_weight, dtype)
    if mask is not None:
        sample_weight = _masked(sample_weight, cast(mask, dtype), reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = values * sample_weight
    shape = values._value.shape
    if reduction is None or reduction == "none" or not shape or shape == (0,):
        return values
    if reduction == "sum" or 0 in shape:
        return reduce_sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return divide_no_nan(reduce_sum(values), reduce_sum(sample_weight))
    return reduce_mean(values)


def _masked(sample_weight: Tensor | None, mask: Tensor, reduction: Any) -> Tensor:
    if reduction in ("mean", "sum_over_batch_size"):
        mask = divide_no_nan(mask, reduce_mean(mask))
    if sample_weight is None:
        return mask
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, sample_weight)
    return sample_weight * mask
