"""Sums and means over batches, of values and of functions of what was expected and what came."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.tapes import active_tapes
from ...core.tensor import Tensor, wrap
from ...ops.arithmetic import divide_no_nan
from ...ops.reduction import reduce_mean, reduce_sum
from ...ops.shaping import broadcast_to
from ..conversion import converted
from ..losses.reduction import squeeze_or_expand_to_same_rank
from ..registry import serialize
from .metric import Metric


class Sum(Metric):
    """The sum of all values, times their weights where there are some."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values of any shape. The weights broadcast with them from the left."""
        values, _ = _samplewise(values, sample_weight, reduce_sum, self._dtype)
        _add(self.total, reduce_sum(values) if values._value.shape else values)

    def result(self) -> Tensor:
        """The sum."""
        return self.total.read_value()


class Mean(Metric):
    """The mean of all values, weighted where there are weights; 0 where there are no values."""

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values [batch, ...], of which each example counts by its mean. Weights broadcast from the left."""
        values, sample_weight = _samplewise(values, sample_weight, reduce_mean, self._dtype)
        shape = values._value.shape
        _add(self.total, reduce_sum(values) if shape else values)
        _add(self.count, _number(shape, self._dtype) if sample_weight is None else reduce_sum(sample_weight))

    def result(self) -> Tensor:
        """The mean."""
        total, count = self.total.read_value(), self.count.read_value()
        if type(count) is Tensor and count._value:
            return total / count
        return divide_no_nan(total, count)


class MeanMetricWrapper(Mean):
    """The mean of a function `fn(y_true, y_pred, **kwargs)` that gives a value for each example."""

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or fn.__name__, dtype)
        self._fn = fn
        self._arguments = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Adds the function's values of a batch, weighted where there are weights."""
        super().update_state(self._fn(y_true, y_pred, **self._arguments), sample_weight)

    def get_config(self) -> dict:
        return {**super().get_config(), "fn": serialize(self._fn, "keras.metrics"), **self._arguments}


def metric_class(class_name: str, fn: Callable, default_name: str, /, **parameters: Any) -> type:
    """The class of means of `fn`, whose `parameters`, with their defaults, come behind `name` and `dtype`."""
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    order = {"name": default_name, "dtype": None, **parameters}
    signature = inspect.Signature([inspect.Parameter(k, keyword, default=v) for k, v in order.items()])

    class Made(MeanMetricWrapper):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            super().__init__(fn, given["name"], given["dtype"], **{key: given[key] for key in parameters})
            for key in parameters:
                setattr(self, key, given[key])

        def get_config(self) -> dict:
            return {"name": self.name, "dtype": self.dtype, **self._arguments}

    Made.__signature__ = signature  # type: ignore[attr-defined]
    Made.__name__ = Made.__qualname__ = class_name
    Made.__doc__ = f"The mean of `{fn.__name__}` over all examples: {(fn.__doc__ or '').strip().splitlines()[0]}"
    return Made


def _samplewise(values: Any, sample_weight: Any, reduce: Callable, dtype: np.dtype) -> tuple[Tensor, Tensor | None]:
    """One value an example, times its weight, and one weight an example; dimensions behind the first are reduced."""
    values = converted(values, dtype)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, converted(sample_weight, dtype))
        rank, weighted = len(values._value.shape), len(sample_weight._value.shape)
        if rank > weighted:
            values = reduce(values, axis=tuple(range(weighted, rank)))
        sample_weight = broadcast_to(sample_weight, values._value.shape)
        values = values * sample_weight
        if weighted > 1:
            sample_weight = reduce(sample_weight, axis=tuple(range(1, weighted)))
    rank = len(values._value.shape)
    if rank > 1:
        values = reduce(values, axis=tuple(range(1, rank)))
    return values, sample_weight


def _add(variable: Any, amount: Tensor) -> None:
    """`variable.assign_add(amount)`; of two numbers at hand, without what that checks, which takes 1 us."""
    if type(amount) is Tensor and active_tapes().trace is None:
        variable._set(variable._tensor._value + amount._value)
    else:
        variable.assign_add(amount)


def _number(shape: tuple, dtype: np.dtype) -> Tensor:
    """How many examples values of this shape are of."""
    return wrap(dtype.type(shape[0] if shape else 1))
