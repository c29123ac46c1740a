"""Which logits a softmax or sigmoid was taken of, so that a cross-entropy of the probabilities can use them.

A probability that has become 0 or 1 has lost its logit, and with it the gradient. Keras therefore lets the outputs of
its own `softmax` and `sigmoid` remember what they were computed from; so do these.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from ..core.tensor import Tensor

_known: dict[int, tuple[ref, str, Any]] = {}


def remember(probabilities: Tensor, kind: str, logits: Tensor) -> Tensor:
    """Notes that `probabilities` is the `kind` ("softmax" or "sigmoid") of `logits`. Returns `probabilities`."""
    key = id(probabilities)
    _known[key] = (ref(probabilities, lambda _: _known.pop(key, None)), kind, logits)
    return probabilities


def logits_of(probabilities: Tensor, kind: str) -> Tensor | None:
    """The logits of this very tensor, where it is the `kind` of some; else None."""
    entry = _known.get(id(probabilities))
    return entry[2] if entry is not None and entry[1] == kind and entry[0]() is probabilities else None
