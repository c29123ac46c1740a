"""`Embedding`: vectors for whole numbers, and `Masking`: steps that do not count."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.casting import cast
from ...ops.comparison import not_equal
from ...ops.indexing import embedding_lookup
from ...ops.reduction import reduce_any
from .calls import Flags
from .layer import Layer
from .masks import set_mask
from .weighted import Weighted


class Embedding(Weighted):
    """Row i of a matrix [input_dim, output_dim] for each number i of the inputs; its gradient is `tf.IndexedSlices`.

    Arguments:
        input_dim: how many numbers there are.
        output_dim: the size of a vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the matrix.
        mask_zero: whether zeros in the inputs do not count: the outputs have a mask then.
        weights: the matrix, to begin with.
        lora_rank, lora_alpha, quantization_config: of Keras 3; only None is supported.
        kwargs: those of `Layer`; `input_length`, as Keras 2 has it.

    Raises ValueError for sizes that are no positive ints, InvalidArgumentError for numbers outside of [0, input_dim).
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        weights: Any = None, lora_rank: int | None = None, lora_alpha: float | None = None,
        quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        for name, size in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not hasattr(size, "__index__") or isinstance(size, bool) or size <= 0:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={size!r}")
        if lora_rank is not None or quantization_config is not None:
            raise ValueError("Embedding supports neither `lora_rank` nor `quantization_config`.")
        length = kwargs.pop("input_length", None)
        if length is not None and "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = length if isinstance(length, (list, tuple)) else (length,)
        super().__init__(**kwargs)
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self._keep(
            embeddings_initializer=embeddings_initializer, embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )  # fmt: skip
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        if mask_zero:
            Flags.use_masks()
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        if not self.built:
            self.embeddings = self._weight("embeddings", (self.input_dim, self.output_dim))
            self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        if inputs._value.dtype.kind != "i":
            inputs = cast(inputs, "int32")
        return embedding_lookup(self.embeddings, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where the inputs are not 0, with `mask_zero`."""
        return not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict:
        own = {"input_dim": self.input_dim, "output_dim": self.output_dim, "mask_zero": self.mask_zero}
        return {**super().get_config(), **own}


class Masking(Layer):
    """Steps all of whose features equal `mask_value` do not count: they are zeros, and the outputs have a mask."""

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        Flags.use_masks()

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where some feature does not equal `mask_value`."""
        return reduce_any(not_equal(inputs, self.mask_value), -1)

    def call(self, inputs: Tensor) -> Tensor:
        counts = reduce_any(not_equal(inputs, self.mask_value), -1, keepdims=True)
        outputs = inputs * cast(counts, inputs.dtype)
        set_mask(outputs, counts[..., 0])
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "mask_value": self.mask_value}
