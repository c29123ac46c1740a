"""`tf.keras.layers`: what models are built from."""

from __future__ import annotations

from typing import Any

from ..registry import resolve
from ..registry import serialize as _serialize
from .activation import ELU, Activation, ActivityRegularization, LeakyReLU, PReLU, ReLU, Softmax
from .attention import AdditiveAttention, Attention
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
from .reshape import Lambda, Permute, RepeatVector, Rescaling, Reshape
from .rnn import RNN
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .stacked_rnn_cells import StackedRNNCells
from .wrapper import Bidirectional, TimeDistributed, Wrapper

_CLASSES = (
    Activation, ActivityRegularization, Add, AdditiveAttention, Attention, Average, BatchNormalization, Bidirectional,
    Concatenate, Dense, Dot, Dropout, ELU, EinsumDense, Embedding, Flatten, GRU, GRUCell, GaussianDropout,
    GaussianNoise, GroupNormalization, InputLayer, LSTM, LSTMCell, Lambda, LayerNormalization, LeakyReLU, Masking,
    Maximum, Minimum, MultiHeadAttention, Multiply, PReLU, Permute, RMSNormalization, RNN, ReLU, RepeatVector,
    Rescaling, Reshape, SimpleRNN, SimpleRNNCell, Softmax, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
    StackedRNNCells, Subtract, TimeDistributed, UnitNormalization, Wrapper,
)  # fmt: skip
_FUNCTIONS = (add, average, concatenate, dot, maximum, minimum, multiply, subtract)
_KNOWN: dict[str, Any] = {c.__name__: c for c in (*_CLASSES, OpLayer)}

__all__ = [
    *[c.__name__ for c in _CLASSES],
    *[f.__name__ for f in _FUNCTIONS],
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
