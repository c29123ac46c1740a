"""`Attention` and `AdditiveAttention`: values weighted by how well their keys match a query."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.comparison import greater_equal
from ...ops.creation import range_
from ...ops.dropout import stateless_dropout
from ...ops.elementary import tanh
from ...ops.products import matmul
from ...ops.reduction import reduce_sum
from ...ops.selection import where
from ...ops.shaping import expand_dims, zeros_like
from ...ops.softmax import softmax
from ..random import SeedGenerator, draw_seed
from .layer import Layer


def causal_mask(queries: Any, keys: Any) -> Tensor:
    """Bools [1, queries, keys]: whether a position comes before or at the query's."""
    return greater_equal(expand_dims(expand_dims(range_(queries), -1), 0), range_(keys))


class Attention(Layer):
    """softmax(query @ key^T) @ value, for a list [query, value] or [query, value, key] of [batch, positions, n].

    Arguments:
        use_scale: whether scores are multiplied by a trained number.
        score_mode: "dot", or "concat" for the sum of tanh(query + key), times a trained number.
        dropout: the rate at which scores are forgotten in training, with its seed.
        kwargs: those of `Layer`.

    Calls take `mask=[query_mask, value_mask]`, `return_attention_scores` and `use_causal_mask`. Raises ValueError for
    another score mode, and for inputs that are no such list. Source: Luong et al. (2015).
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: int | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. Received: "
                f"score_mode={score_mode}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        concat = self.score_mode == "concat"
        self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight") if concat else None
        self.built = True

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            scores = matmul(query, key, transpose_b=True)
            return scores if self.scale is None else scores * self.scale.read_value()
        both = expand_dims(query, -2) + expand_dims(key, -3)
        both = both if self.scale is None else both * self.scale.read_value()
        return self.concat_score_weight.read_value() * reduce_sum(tanh(both), -1)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = False, return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        self._check(inputs, mask)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self._scores(query, key)
        seen = None if value_mask is None else expand_dims(value_mask, -2)
        if use_causal_mask:
            earlier = causal_mask(*scores._value.shape[-2:])
            seen = earlier if seen is None else seen & earlier
        if seen is not None:
            scores = where(seen, scores, scores - (65504.0 if scores.dtype.name == "float16" else 1e9))
        weights = softmax(scores)
        if training and self.dropout > 0:
            weights = stateless_dropout(weights, self.dropout, draw_seed(self.seed_generator))
        outputs = matmul(weights, value)
        if query_mask is not None:
            outputs = where(expand_dims(query_mask, -1), outputs, zeros_like(outputs))
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape[0][:-1], input_shape[1][-1])

    def _check(self, inputs: Any, mask: Any = None) -> None:
        kind = type(self).__name__
        if not isinstance(inputs, (list, tuple)) or not 2 <= len(inputs) <= 3:
            raise ValueError(
                f"{kind} layer must be called on a list of inputs, namely [query, value] or [query, value, key]. "
                f"Received: inputs={inputs}."
            )
        if mask is not None and (not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3):
            raise ValueError(
                f"{kind} layer mask must be a list, namely [query_mask, value_mask]. Received: mask={mask}."
            )

    def get_config(self) -> dict:
        own = ("use_scale", "score_mode", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class AdditiveAttention(Attention):
    """softmax(sum(scale * tanh(query + key))) @ value, for a list [query, value] or [query, value, key].

    Arguments:
        use_scale: whether there is a trained `scale`, a vector.
        dropout: the rate at which scores are forgotten in training.
        kwargs: `seed`, and those of `Layer`.

    Calls are those of `Attention`. Source: Bahdanau et al. (2015).
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        size = input_shape[0][-1]
        self.scale = self.add_weight((size,), "glorot_uniform", name="scale") if self.use_scale else None
        self.built = True

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        both = tanh(expand_dims(query, -2) + expand_dims(key, -3))
        return reduce_sum(both if self.scale is None else both * self.scale.read_value(), -1)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["score_mode"]
        return config
