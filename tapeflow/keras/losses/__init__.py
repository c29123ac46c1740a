"""`tf.keras.losses`: what training minimizes, as functions of each example and as objects that reduce over a batch."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.comparison import not_equal
from ..conversion import converted
from ..registry import resolve
from ..registry import serialize as _serialize
from .classification import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    dice,
    hinge,
    kl_divergence,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from .loss import Loss, loss_class
from .regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

__all__ = [
    "BCE", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "Dice", "Hinge", "Huber", "KLD", "KLDivergence", "LogCosh", "Loss", "MAE",
    "MAPE", "MSE", "MSLE", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "Reduction", "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky",
    "bce", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "cosine_proximity", "cosine_similarity", "deserialize",
    "dice", "get", "hinge", "huber", "kl_divergence", "kld", "kullback_leibler_divergence", "log_cosh", "logcosh",
    "mae", "mape", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "mse", "msle", "poisson", "serialize", "sparse_categorical_crossentropy",
    "squared_hinge", "tversky",
]  # fmt: skip

_MEAN = "sum_over_batch_size"


class Reduction:
    """What becomes of the losses of a batch, by the names that Keras 2 has for it; the values are today's."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = _MEAN

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """The four of them."""
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE


_LOGITS = {"from_logits": False, "label_smoothing": 0.0, "axis": -1}

MeanSquaredError = loss_class("MeanSquaredError", mean_squared_error, "mean_squared_error", reduction=_MEAN)
MeanAbsoluteError = loss_class("MeanAbsoluteError", mean_absolute_error, "mean_absolute_error", reduction=_MEAN)
MeanAbsolutePercentageError = loss_class(
    "MeanAbsolutePercentageError", mean_absolute_percentage_error, "mean_absolute_percentage_error", reduction=_MEAN
)
MeanSquaredLogarithmicError = loss_class(
    "MeanSquaredLogarithmicError", mean_squared_logarithmic_error, "mean_squared_logarithmic_error", reduction=_MEAN
)
CosineSimilarity = loss_class("CosineSimilarity", cosine_similarity, "cosine_similarity", axis=-1, reduction=_MEAN)
Huber = loss_class("Huber", huber, "huber_loss", delta=1.0, reduction=_MEAN)
LogCosh = loss_class("LogCosh", log_cosh, "log_cosh", reduction=_MEAN)
Poisson = loss_class("Poisson", poisson, "poisson", reduction=_MEAN)
KLDivergence = loss_class("KLDivergence", kl_divergence, "kl_divergence", reduction=_MEAN)
Hinge = loss_class("Hinge", hinge, "hinge", reduction=_MEAN)
SquaredHinge = loss_class("SquaredHinge", squared_hinge, "squared_hinge", reduction=_MEAN)
CategoricalHinge = loss_class("CategoricalHinge", categorical_hinge, "categorical_hinge", reduction=_MEAN)
BinaryCrossentropy = loss_class("BinaryCrossentropy", binary_crossentropy, "binary_crossentropy", **_LOGITS)
BinaryFocalCrossentropy = loss_class(
    "BinaryFocalCrossentropy",
    binary_focal_crossentropy,
    "binary_focal_crossentropy",
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    **_LOGITS,
)
CategoricalCrossentropy = loss_class(
    "CategoricalCrossentropy", categorical_crossentropy, "categorical_crossentropy", **_LOGITS
)
CategoricalFocalCrossentropy = loss_class(
    "CategoricalFocalCrossentropy",
    categorical_focal_crossentropy,
    "categorical_focal_crossentropy",
    alpha=0.25,
    gamma=2.0,
    **_LOGITS,
)
Dice = loss_class("Dice", dice, "dice", reduction=_MEAN, name="dice", axis=None, dtype=None)
Tversky = loss_class("Tversky", tversky, "tversky", alpha=0.5, beta=0.5, reduction=_MEAN, name="tversky", axis=None)


class SparseCategoricalCrossentropy(
    loss_class(  # type: ignore[misc]
        "SparseCategoricalCrossentropy",
        sparse_categorical_crossentropy,
        "sparse_categorical_crossentropy",
        from_logits=False,
        ignore_class=None,
        reduction=_MEAN,
        axis=-1,
    )
):
    """The loss of `sparse_categorical_crossentropy`; examples of `ignore_class` do not count in the mean."""

    def _mask(self, y_true: Any, values: Tensor) -> Any:
        if self.ignore_class is None:
            return None
        y_true = converted(y_true, self._dtype)
        if y_true.shape != values.shape:
            y_true = y_true[..., 0]
        return not_equal(y_true, float(self.ignore_class))


_CLASSES = (
    MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, CosineSimilarity,
    Huber, LogCosh, Poisson, KLDivergence, Hinge, SquaredHinge, CategoricalHinge, BinaryCrossentropy, Dice, Tversky,
    BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy,
)  # fmt: skip
_FUNCTIONS = (
    mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error,
    cosine_similarity, huber, log_cosh, poisson, kl_divergence, hinge, squared_hinge, categorical_hinge,
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    sparse_categorical_crossentropy, dice, tversky,
)  # fmt: skip

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
cosine_proximity = cosine_similarity
bce = BCE = binary_crossentropy

_ALIASES = {
    "mse": mse, "MSE": mse, "mae": mae, "MAE": mae, "mape": mape, "MAPE": mape, "msle": msle, "MSLE": msle,
    "kld": kld, "KLD": kld, "logcosh": log_cosh, "cosine_proximity": cosine_similarity, "bce": bce, "BCE": bce,
    "kullback_leibler_divergence": kl_divergence,
}  # fmt: skip
_KNOWN: dict[str, Any] = {f.__name__: f for f in (*_CLASSES, *_FUNCTIONS)} | _ALIASES


def get(identifier: Any) -> Any:
    """A loss by name (a function, or a class's instance), configuration, class, instance or function.

    None for None. Raises ValueError for others.
    """
    return None if identifier is None else resolve(identifier, _KNOWN, "loss", Loss)


def serialize(loss: Any) -> Any:
    """The configuration of a loss, or its name."""
    return _serialize(loss, "keras.losses")


def deserialize(name: Any, custom_objects: dict | None = None) -> Any:
    """The loss of a configuration."""
    return resolve(name, _KNOWN | (custom_objects or {}), "loss", Loss)
