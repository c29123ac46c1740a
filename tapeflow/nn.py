"""`tf.nn`: activations, losses, normalisation, dropout."""

from typing import NoReturn

from . import nn_experimental as experimental
from .ops.activations import crelu, elu, gelu, leaky_relu, relu, relu6, selu, silu, softsign, swish
from .ops.dropout import dropout
from .ops.elementary import sigmoid, softplus, tanh
from .ops.indexing import embedding_lookup
from .ops.losses import (
    log_poisson_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from .ops.normalization import (
    batch_norm_with_global_normalization,
    batch_normalization,
    bias_add,
    compute_average_loss,
    l2_loss,
    local_response_normalization,
    lrn,
    moments,
    normalize_moments,
    scale_regularization_loss,
    sufficient_statistics,
    weighted_moments,
)
from .ops.norms import l2_normalize
from .ops.reduction import zero_fraction
from .ops.softmax import log_softmax, softmax
from .ops.sorting import in_top_k, top_k
from .ops.spaces import depth_to_space, space_to_batch, space_to_depth

__all__ = [
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "bias_add",
    "compute_average_loss",
    "crelu",
    "depth_to_space",
    "dropout",
    "elu",
    "embedding_lookup",
    "experimental",
    "gelu",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "local_response_normalization",
    "log_poisson_loss",
    "log_softmax",
    "lrn",
    "moments",
    "normalize_moments",
    "relu",
    "relu6",
    "scale_regularization_loss",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "space_to_batch",
    "space_to_depth",
    "sparse_softmax_cross_entropy_with_logits",
    "sufficient_statistics",
    "swish",
    "tanh",
    "top_k",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "zero_fraction",
]


def __getattr__(name: str) -> NoReturn:
    from .compat.nearest import missing

    raise missing(__name__, name)
