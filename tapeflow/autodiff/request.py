"""What a gradient is asked for: targets, sources, and what stands for a gradient that is not there."""

from __future__ import annotations

import enum
from typing import Any

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import VARIANT, is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.logs import warning
from ..core.tensor import Tensor
from ..core.variable import Variable


class UnconnectedGradients(enum.Enum):
    """What `gradient` gives for a source that the target does not depend on: None, or zeros."""

    NONE = "none"
    ZERO = "zero"

    def __str__(self) -> str:
        return f"UnconnectedGradients.{self.name}"


def targets_of(target: Any, output_gradients: Any) -> tuple[list, list]:
    """The target tensors and the gradient that comes to each from above (None for ones)."""
    flat = [target] if type(target) is Tensor else nest.flatten(target, expand_composites=True)
    upstream = [None] * len(flat) if output_gradients is None else nest.flatten(output_gradients)
    if len(upstream) != len(flat):
        raise ValueError(f"output_gradients has {len(upstream)} tensors for {len(flat)} targets")
    targets, gradients = [], []
    for y, g in zip(flat, upstream, strict=True):
        if isinstance(y, Variable):
            y = y._tensor if y._tensor._key is not None else y.read_value()
        elif isinstance(y, IndexedSlices):
            y = y.values
        elif not isinstance(y, Tensor):
            raise TypeError(
                f"The target of GradientTape.gradient must be tensors, not {type(y).__name__}: {y!r}. "
                "A value taken out with .numpy() or float() is no longer on the tape."
            )
        if not is_differentiable(y._value.dtype):
            warning(
                "The dtype of the target tensor must be floating (e.g. tf.float32) when calling "
                "GradientTape.gradient, got %r",
                y.dtype,
            )
            continue
        if g is not None and y._value.dtype is not VARIANT:
            g = convert_to_tensor(g, y.dtype)
            if g._value.shape != y._value.shape and not g.shape.is_compatible_with(y.shape):
                raise ValueError(
                    f"output_gradients has shape {g.shape} for a target of shape {y.shape}; they must be the same"
                )
        targets.append(y)
        gradients.append(g)
    return targets, gradients


def source_key(source: Any) -> int | None:
    """The key of a source, None for one that no tape ever tracked. Raises TypeError for what is no tensor."""
    if isinstance(source, IndexedSlices):
        source = source.values
    if not isinstance(source, (Tensor, Variable)):
        raise TypeError(
            "The sources of GradientTape.gradient must be tensors or variables that were watched, not "
            f"{type(source).__name__}: {source!r}"
        )
    return source._key
