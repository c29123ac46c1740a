"""Masks: which steps of a sequence count. Layers such as Embedding give their outputs one, and those behind hand it on.

A mask is a tensor of bools. It belongs to a tensor without being part of it: `x._keras_mask` reads it and sets it.
Tensors have slots and nothing else, so their masks are kept here, for as long as the tensor lives.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from ...core import nest
from ...core.tensor import Tensor
from .calls import Flags

_masks: dict[int, tuple[ref, Any]] = {}


def mask_of(x: Any) -> Any:
    """The mask of a tensor, or None."""
    entry = _masks.get(id(x))
    return entry[1] if entry is not None and entry[0]() is x else None


def set_mask(x: Tensor, mask: Any) -> None:
    """Gives a tensor a mask; None takes it away."""
    key = id(x)
    if mask is None:
        _masks.pop(key, None)
        return
    Flags.use_masks()
    _masks[key] = (ref(x, lambda _: _masks.pop(key, None)), mask)


def masks_of(structure: Any) -> Any:
    """The masks of the tensors in a structure, in that structure; None where none of them has one."""
    if isinstance(structure, Tensor):
        return mask_of(structure)
    if not isinstance(structure, (list, tuple, dict)):
        return None
    found = nest.map_structure(mask_of, structure)
    return None if all(mask is None for mask in nest.flatten(found)) else found


def set_masks(outputs: Any, masks: Any) -> None:
    """Gives each of the outputs that has no mask yet the one in its place."""
    tensors, found = nest.flatten(outputs), nest.flatten(masks)
    for x, mask in zip(tensors, found, strict=False):
        if mask is not None and isinstance(x, Tensor) and mask_of(x) is None:
            set_mask(x, mask)


Tensor._keras_mask = property(mask_of, set_mask)  # type: ignore[attr-defined]
