"""`tf.keras.layers`: what models are built from."""

from __future__ import annotations

from typing import Any

from ..registry import resolve
from ..registry import serialize as _serialize
from .activation import ELU, Activation, ActivityRegularization, LeakyReLU, PReLU, ReLU, Softmax
from .attention import AdditiveAttention, Attention
from .convolutional import Conv1D, Conv2D, Conv3D
from .convolutional_separable import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from .convolutional_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from .dense import Dense
from .dropout import Dropout
from .einsum_dense import EinsumDense
from .embedding import Embedding, Masking
from .flatten import Flatten
from .gru import GRU, GRUCell
from .input_layer import Input, InputLayer
from .input_spec import InputSpec
from .layer import Layer
from .lstm import LSTM, LSTMCell
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    concatenate,
    dot,
)
from .merging import add_layer as add
from .merging import average_layer as average
from .merging import maximum_layer as maximum
from .merging import minimum_layer as minimum
from .merging import multiply_layer as multiply
from .merging import subtract_layer as subtract
from .multi_head_attention import MultiHeadAttention
from .noise import GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from .normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from .op_layer import OpLayer
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .reshape import Identity, Lambda, Permute, RepeatVector, Rescaling, Reshape
from .resizing import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .rnn import RNN
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .stacked_rnn_cells import StackedRNNCells
from .wrapper import Bidirectional, TimeDistributed, Wrapper

_CLASSES = (
    Activation, ActivityRegularization, Add, AdditiveAttention, Attention, Average, BatchNormalization, Bidirectional,
    Concatenate, Dense, Dot, Dropout, ELU, EinsumDense, Embedding, Flatten, GRU, GRUCell, GaussianDropout,
    GaussianNoise, GroupNormalization, Identity, InputLayer, LSTM, LSTMCell, Lambda, LayerNormalization, LeakyReLU,
    Masking, Maximum, Minimum, MultiHeadAttention, Multiply, PReLU, Permute, RMSNormalization, RNN, ReLU, RepeatVector,
    Rescaling, Reshape, SimpleRNN, SimpleRNNCell, Softmax, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
    StackedRNNCells, Subtract, TimeDistributed, UnitNormalization, Wrapper,
)  # fmt: skip
_FUNCTIONS = (add, average, concatenate, dot, maximum, minimum, multiply, subtract)
_SPATIAL = (
    AveragePooling1D, AveragePooling2D, AveragePooling3D, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D,
    Conv3DTranspose, Cropping1D, Cropping2D, Cropping3D, DepthwiseConv1D, DepthwiseConv2D, GlobalAveragePooling1D,
    GlobalAveragePooling2D, GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
    MaxPooling1D, MaxPooling2D, MaxPooling3D, SeparableConv1D, SeparableConv2D, UpSampling1D, UpSampling2D,
    UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
)  # fmt: skip
# names that Keras has for the same classes
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

_KNOWN: dict[str, Any] = {c.__name__: c for c in (*_CLASSES, *_SPATIAL, OpLayer)}

_ALIASES = (
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
)

__all__ = [
    *[name for name in _KNOWN if name != "OpLayer"],
    *[f.__name__ for f in _FUNCTIONS],
    *_ALIASES,
    "Input",
    "InputSpec",
    "Layer",
    "deserialize",
    "serialize",
]


def serialize(layer: Layer) -> Any:
    """The configuration of a layer."""
    return _serialize(layer, "keras.layers")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The layer or model of a configuration, with new variables. Raises ValueError for a class that is not known."""
    from ..models import KNOWN as MODELS

    return resolve(config, _KNOWN | MODELS | (custom_objects or {}), "layer", Layer)
