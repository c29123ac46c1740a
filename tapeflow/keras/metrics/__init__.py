"""`tf.keras.metrics`: what is watched while a model learns."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.arithmetic import squared_difference
from ...ops.elementary import sqrt
from ..conversion import converted
from ..losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..losses import cosine_similarity as _minus_cosine
from ..losses.reduction import squeeze_or_expand_to_same_rank
from ..naming import snake_case
from ..registry import resolve
from ..registry import serialize as _serialize
from .accuracy import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .metric import Metric
from .reduction import Mean, MeanMetricWrapper, Sum, metric_class


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The cosine of the angle between both along an axis; 0 with a vector of zeros."""
    return -_minus_cosine(y_true, y_pred, axis)


Accuracy = metric_class("Accuracy", accuracy, "accuracy")
BinaryAccuracy = metric_class("BinaryAccuracy", binary_accuracy, "binary_accuracy", threshold=0.5)
CategoricalAccuracy = metric_class("CategoricalAccuracy", categorical_accuracy, "categorical_accuracy")
SparseCategoricalAccuracy = metric_class(
    "SparseCategoricalAccuracy", sparse_categorical_accuracy, "sparse_categorical_accuracy"
)
MeanSquaredError = metric_class("MeanSquaredError", mean_squared_error, "mean_squared_error")
MeanAbsoluteError = metric_class("MeanAbsoluteError", mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = metric_class(
    "MeanAbsolutePercentageError", mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredLogarithmicError = metric_class(
    "MeanSquaredLogarithmicError", mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
LogCoshError = metric_class("LogCoshError", log_cosh, "logcosh")
CosineSimilarity = metric_class("CosineSimilarity", cosine_similarity, "cosine_similarity", axis=-1)
KLDivergence = metric_class("KLDivergence", kl_divergence, "kl_divergence")
Poisson = metric_class("Poisson", poisson, "poisson")
Hinge = metric_class("Hinge", hinge, "hinge")
SquaredHinge = metric_class("SquaredHinge", squared_hinge, "squared_hinge")
CategoricalHinge = metric_class("CategoricalHinge", categorical_hinge, "categorical_hinge")
BinaryCrossentropy = metric_class(
    "BinaryCrossentropy", binary_crossentropy, "binary_crossentropy", from_logits=False, label_smoothing=0
)
CategoricalCrossentropy = metric_class(
    "CategoricalCrossentropy",
    categorical_crossentropy,
    "categorical_crossentropy",
    from_logits=False,
    label_smoothing=0,
    axis=-1,
)
SparseCategoricalCrossentropy = metric_class(
    "SparseCategoricalCrossentropy",
    sparse_categorical_crossentropy,
    "sparse_categorical_crossentropy",
    from_logits=False,
    ignore_class=None,
    axis=-1,
)


def _top_k(class_name: str, fn: Any) -> type:
    """The class of a top-k accuracy: k comes first."""
    made = metric_class(class_name, fn, fn.__name__, k=5)

    class TopK(made):  # type: ignore[misc, valid-type]
        def __init__(self, k: int = 5, name: str = fn.__name__, dtype: Any = None) -> None:
            super().__init__(name, dtype, k)

    TopK.__name__ = TopK.__qualname__ = class_name
    TopK.__doc__ = made.__doc__
    return TopK


TopKCategoricalAccuracy = _top_k("TopKCategoricalAccuracy", top_k_categorical_accuracy)
SparseTopKCategoricalAccuracy = _top_k("SparseTopKCategoricalAccuracy", sparse_top_k_categorical_accuracy)


class RootMeanSquaredError(Mean):
    """The root of the mean of (y_true - y_pred)**2 over all elements."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Adds the squared errors of a batch, weighted where there are weights."""
        pair = squeeze_or_expand_to_same_rank(converted(y_true, self._dtype), converted(y_pred, self._dtype))
        super().update_state(squared_difference(*pair), sample_weight)

    def result(self) -> Tensor:
        """The root of the mean."""
        return sqrt(super().result())


_CLASSES = (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, MeanSquaredError, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredLogarithmicError, LogCoshError, CosineSimilarity, KLDivergence, Poisson,
    Hinge, SquaredHinge, CategoricalHinge, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
    TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, RootMeanSquaredError, Mean, Sum,
)  # fmt: skip
_ALIASES = {
    "mse": MeanSquaredError, "MSE": MeanSquaredError, "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "MAPE": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError, "rmse": RootMeanSquaredError, "RMSE": RootMeanSquaredError,
    "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy, "kld": KLDivergence, "logcosh": LogCoshError,
    "log_cosh": LogCoshError, "cosine_proximity": CosineSimilarity,
}  # fmt: skip
__all__ = [c.__name__ for c in (*_CLASSES, MeanMetricWrapper, Metric)]
__all__ += ["deserialize", "get", "serialize"]

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence
logcosh = log_cosh

_KNOWN: dict[str, Any] = {c.__name__: c for c in _CLASSES} | {snake_case(c.__name__): c for c in _CLASSES} | _ALIASES


def get(identifier: Any) -> Any:
    """A metric by name, configuration, class, instance or function; None for None. ValueError for others."""
    return None if identifier is None else resolve(identifier, _KNOWN, "metric", Metric)


def serialize(metric: Any) -> Any:
    """The configuration of a metric."""
    return _serialize(metric, "keras.metrics")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The metric of a configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "metric", Metric)
