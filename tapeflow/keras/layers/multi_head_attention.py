"""`MultiHeadAttention`. Source: Vaswani et al., Attention is all you need (2017)."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from ...core.tensor import Tensor
from ...ops.arithmetic import abs_, subtract
from ...ops.casting import cast
from ...ops.comparison import less
from ...ops.creation import range_
from ...ops.einsum import einsum
from ...ops.selection import where
from ...ops.shaping import expand_dims, zeros_like
from .. import activations
from ..naming import scope
from .attention import causal_mask
from .dropout import Dropout
from .einsum_dense import EinsumDense
from .masks import set_mask
from .weighted import Weighted

_LOWEST = {"float16": -3e4}


class MultiHeadAttention(Weighted):
    """Several attentions side by side, each over projections of its own of query, key and value.

    Arguments:
        num_heads: how many there are.
        key_dim, value_dim: the sizes of each one's keys and values; value_dim is key_dim by default.
        dropout: the rate at which scores are forgotten in training, with its seed.
        use_bias: whether the projections have biases.
        output_shape: the sizes of the outputs' last axes; the query's last one by default.
        attention_axes: the axes of positions; all but batch and features by default.
        sliding_window: how far apart, at most, positions see each other, less one.
        flash_attention: accepted.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            of the projections; activity_regularizer: a penalty on their outputs.
        use_gate: whether the heads' outputs are multiplied by a sigmoid of another projection of the query.
        seed: of the dropout.
        kwargs: those of `Layer`.

    Calls take query [batch, T, n], value [batch, S, m] and perhaps key (else the value), `attention_mask` of bools
    [batch, T, S] or [batch, heads, T, S], `use_causal_mask` and `return_attention_scores`; masks of the arguments are
    heeded. Raises ValueError for sizes that are no positive ints, and for values and keys whose positions differ.
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None, attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None, flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, use_gate: bool = False, seed: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        sizes = {"num_heads": num_heads, "key_dim": key_dim, "value_dim": value_dim, "sliding_window": sliding_window}
        for name, size in sizes.items():
            if (size is not None or name in ("num_heads", "key_dim")) and (not isinstance(size, int) or size <= 0):
                raise ValueError(
                    f"`{name}` of a MultiHeadAttention must be a positive integer. Received: {name}={size}"
                )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim or key_dim
        self.dropout = dropout
        self.use_bias = use_bias
        self._output_sizes = (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        self.attention_axes = (
            (attention_axes,) if isinstance(attention_axes, int) else attention_axes and tuple(attention_axes)
        )
        self.sliding_window = sliding_window
        self.use_gate = use_gate
        self.seed = seed
        self._keep(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    # -- building --

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
                f"value_shape={value_shape} and key_shape={key_shape}"
            )
        heads = self.num_heads
        self.query_dense = self._projection("query", query_shape, (heads, self.key_dim))
        self.key_dense = self._projection("key", key_shape, (heads, self.key_dim))
        if self.use_gate:
            self.gate_dense = self._projection("gate", query_shape, (heads, self.value_dim), activation="sigmoid")
        self.value_dense = self._projection("value", value_shape, (heads, self.value_dim))
        rank = len(query_shape) + 1
        axes = self.attention_axes or tuple(range(1, rank - 2))
        self._axes = tuple([a if a >= 0 else rank - 1 + a for a in axes])
        self._score_equation, self._combine_equation, score_rank = _equations(rank, self._axes)
        last = tuple(range(score_rank - len(self._axes), score_rank))
        self._softmax_axes = last if len(last) > 1 else last[0]
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype)
        shape = (*query_shape[:-1], heads, self.value_dim)
        self.output_dense = self._projection(
            "attention_output", shape, self._output_sizes or tuple(query_shape[-1:]), bound=2
        )
        self.built = True

    def _projection(self, name: str, shape: Any, sizes: Any, bound: int = 1, activation: Any = None) -> EinsumDense:
        """A built layer from the last `bound` axes of a shape to others."""
        free = len(shape) - bound
        letters = string.ascii_letters
        kept, summed = letters[:free], letters[free : free + bound]
        made = letters[free + bound : free + bound + len(sizes)]
        fresh = {
            n: type(i).from_config(i.get_config())
            for n in ("kernel_initializer", "bias_initializer")
            if (i := getattr(self, n))
        }
        layer = EinsumDense(
            f"{kept}{summed},{summed}{made}->{kept}{made}", [None] * (free - 1) + list(sizes), activation,
            made if self.use_bias else None, kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer, activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint, bias_constraint=self.bias_constraint, name=name,
            dtype=self.dtype, **fresh,
        )  # fmt: skip
        with scope(name):
            layer.build(shape)
        return layer

    # -- computing --

    def call(
        self, query: Tensor, value: Tensor, key: Tensor | None = None, query_mask: Any = None, value_mask: Any = None,
        key_mask: Any = None, attention_mask: Any = None, return_attention_scores: bool = False, training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        key = value if key is None else key
        mask = self._mask(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)
        gate = self.gate_dense(query) if self.use_gate else None
        heads, scores = self._compute_attention(
            self.query_dense(query),
            self.key_dense(key),
            self.value_dense(value),
            mask,
            training,
            return_attention_scores,
        )
        outputs = self.output_dense(heads if gate is None else heads * gate)
        if query_mask is not None:
            set_mask(outputs, query_mask)
        return (outputs, scores) if return_attention_scores else outputs

    def _compute_attention(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Any, training: Any, with_scores: bool
    ) -> tuple:
        """The heads' outputs [batch, T, heads, value_dim], and the scores [batch, heads, T, S]."""
        scores = einsum(self._score_equation, key, query * (1.0 / math.sqrt(self.key_dim)))
        if mask is not None:
            for _ in range(len(scores._value.shape) - len(mask._value.shape)):
                mask = expand_dims(mask, -len(self._axes) * 2 - 1)
            scores = where(mask, scores, _LOWEST.get(scores.dtype.name, -1e9))
        scores = activations.softmax(scores, self._softmax_axes)
        if mask is not None and (self.dropout > 0 or with_scores or len(query._value.shape) != 4):
            scores = where(mask, scores, zeros_like(scores))  # where nobody is seen; Keras's short way leaves the mean
        kept = self._dropout_layer(scores, training=training) if self.dropout > 0 else scores
        return einsum(self._combine_equation, kept, value), scores

    def _mask(self, query: Any, value: Any, of_query: Any, of_value: Any, of_key: Any, given: Any, causal: bool) -> Any:
        """All that is said about who sees whom, together; None where nothing is."""
        lengths = query._value.shape[1], value._value.shape[1]
        parts = [
            None if of_query is None else expand_dims(cast(of_query, "bool"), -1),
            None if of_value is None else expand_dims(cast(of_value, "bool"), -2),
            None if of_key is None else expand_dims(cast(of_key, "bool"), -2),
            causal_mask(*lengths) if causal else None,
            None if self.sliding_window is None else _window(*lengths, self.sliding_window),
        ]
        mask = None if given is None else cast(given, "bool")
        seen = None
        for part in parts:
            if part is not None:
                seen = part if seen is None else seen & part
        if seen is not None and mask is not None:
            for _ in range(len(mask._value.shape) - len(seen._value.shape)):
                seen = expand_dims(seen, 1)
            return mask & seen
        return mask if seen is None else seen

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: calls give their outputs the query's mask."""
        return None

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> tuple:
        return (*query_shape[:-1], *(self._output_sizes or query_shape[-1:]))

    def get_config(self) -> dict:
        own = (
            "num_heads", "key_dim", "value_dim", "dropout", "use_bias", "attention_axes", "sliding_window", "use_gate",
            "seed",
        )  # fmt: skip
        config = {**super().get_config(), **{name: getattr(self, name) for name in own}}
        return {**config, "output_shape": self._output_sizes}


def _window(queries: Any, keys: Any, width: int) -> Tensor:
    apart = subtract(expand_dims(expand_dims(range_(queries), -1), 0), range_(keys))
    return less(abs_(apart), width)


def _equations(rank: int, axes: tuple) -> tuple[str, str, int]:
    """The einsums of scores and of their sums over values, and the scores' rank.

    Projections have `rank` axes, the last two heads and features; attention is along `axes`, and all others, heads
    among them, stay.
    """
    query = string.ascii_letters[:rank]
    others = iter(string.ascii_letters[rank:])
    key = "".join([next(others) if i in axes else letter for i, letter in enumerate(query)])
    batch = "".join([query[i] for i in range(rank - 1) if i not in axes])
    scores = batch + "".join([query[i] for i in axes]) + "".join([key[i] for i in axes])
    return f"{key},{query}->{scores}", f"{scores},{key}->{query}", len(scores)
