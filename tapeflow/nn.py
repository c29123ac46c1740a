"""`tf.nn`: activations, convolution, pooling, losses, normalisation, dropout."""

from typing import NoReturn

from . import nn_experimental as experimental
from .engines.eager import install
from .ops.activations import crelu, elu, gelu, leaky_relu, relu, relu6, selu, silu, softsign, swish
from .ops.convolution import atrous_conv2d, conv1d, conv2d, conv3d, convolution
from .ops.depthwise_convolution import (
    depthwise_conv2d,
    depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_input,
    separable_conv2d,
)
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
from .ops.morphology import dilation2d, erosion2d
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
from .ops.pooling import (
    avg_pool,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_with_argmax,
    pool,
)
from .ops.reduction import zero_fraction
from .ops.softmax import log_softmax, softmax
from .ops.sorting import in_top_k, top_k
from .ops.spaces import depth_to_space, space_to_batch, space_to_depth
from .ops.transposed_convolution import (
    atrous_conv2d_transpose,
    conv1d_transpose,
    conv2d_transpose,
    conv3d_transpose,
    conv_transpose,
)

install()  # large convolutions and pooling are offered to the compiler

__all__ = [
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "bias_add",
    "compute_average_loss",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
    "crelu",
    "depth_to_space",
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "dilation2d",
    "dropout",
    "elu",
    "embedding_lookup",
    "experimental",
    "erosion2d",
    "gelu",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "local_response_normalization",
    "log_poisson_loss",
    "log_softmax",
    "lrn",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_with_argmax",
    "moments",
    "normalize_moments",
    "pool",
    "relu",
    "relu6",
    "scale_regularization_loss",
    "selu",
    "separable_conv2d",
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
