"""`tf.keras.losses.Loss`, and the losses that are a function with fixed arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...core.dtypes import as_dtype
from ...core.tensor import Tensor
from ..conversion import converted, float_dtype
from ..layers.calls import rewritten
from ..naming import unique_name
from ..registry import serialize
from .reduction import reduce_weighted_values, standardize_reduction


class Loss:
    """What is minimized: `loss(y_true, y_pred, sample_weight=None)`.

    Subclasses define `call(y_true, y_pred)`, which gives the losses of the examples; they are handed tensors of the
    loss's dtype.

    Arguments:
        name: its name.
        reduction: what becomes of the losses of a batch: `sum_over_batch_size` or `mean` (their mean), `sum`, `none`,
            `mean_with_sample_weight` (their sum over that of the weights).
        dtype: the float type to compute in.

    Raises ValueError for another reduction.
    """

    def __init__(self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None) -> None:
        self.name = name or unique_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._dtype = float_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The name of the float type it computes in."""
        return as_dtype(self._dtype).name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The loss of a batch. `sample_weight` has one weight an example, or one for each of its losses."""
        values = rewritten(self.call)(self._converted(y_true), self._converted(y_pred))
        return reduce_weighted_values(converted(values, self._dtype), sample_weight, None, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses of the examples."""
        raise TypeError(f"{type(self).__name__} does not define call(y_true, y_pred), as a loss must")

    def _converted(self, y: Any) -> Any:
        if isinstance(y, dict):
            return {key: self._converted(part) for key, part in y.items()}
        if isinstance(y, tuple):
            return tuple([self._converted(part) for part in y])
        return converted(y, self._dtype)

    def get_config(self) -> dict:
        """The arguments to make the same loss again."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict) -> Loss:
        return cls(**config)


class LossFunctionWrapper(Loss):
    """The loss of a function `fn(y_true, y_pred, **kwargs)`."""

    def __init__(
        self,
        fn: Callable,
        reduction: Any = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._arguments = kwargs

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        if type(y_pred) is not Tensor or y_pred._value.dtype is not self._dtype:
            y_pred = self._converted(y_pred)
        values = rewritten(self.fn)(y_true, y_pred, **self._arguments)
        if values._value.dtype is not self._dtype:
            values = converted(values, self._dtype)
        return reduce_weighted_values(values, sample_weight, self._mask(y_true, values), self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return rewritten(self.fn)(y_true, y_pred, **self._arguments)

    def _mask(self, y_true: Any, values: Tensor) -> Any:
        """Which of the losses count, or None for all."""
        return None

    def get_config(self) -> dict:
        return {**super().get_config(), "fn": serialize(self.fn, "keras.losses"), **self._arguments}

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._arguments})>"


def loss_class(class_name: str, fn: Callable, default_name: str, /, **parameters: Any) -> type:
    """The class of losses by `fn`, whose `parameters`, with their defaults, are the first arguments of its constructor.

    `reduction`, `name` and `dtype` follow, where `parameters` does not place them.
    """
    options = {"reduction": "sum_over_batch_size", "name": default_name, "dtype": None}
    order = {**parameters, **{key: value for key, value in options.items() if key not in parameters}}
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(k, keyword, default=v) for k, v in order.items()])
    own = [key for key in parameters if key not in options]

    class Made(LossFunctionWrapper):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            super().__init__(fn, given["reduction"], given["name"], given["dtype"], **{key: given[key] for key in own})
            vars(self).update({key: given[key] for key in own})

        def get_config(self) -> dict:
            return {"name": self.name, "reduction": self.reduction, **self._arguments}

    Made.__signature__ = signature  # type: ignore[attr-defined]
    Made.__name__ = Made.__qualname__ = class_name
    Made.__doc__ = f"The loss of `{fn.__name__}`: {(fn.__doc__ or '').strip().splitlines()[0]}"
    return Made
