"""The backward pass: records walked from the last to the first, each let go as soon as it has been used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.indexed_slices import IndexedSlices
from ..core.op import Namespace
from ..core.tapes import PART


def pull_back(F: Namespace, records: dict, grads: dict, keys: Sequence, watched: int) -> dict:
    """Takes `grads`, gradients by key, back through `records`, which it empties, and returns them.

    Gradients are kept for `keys`, the sources. Where more tensors are `watched` than there are sources, only what lies
    between the two is computed.
    """
    count = len(keys)
    wanted = records if watched <= count else needed(records, keys)
    if count > 8:
        keys = frozenset(keys)  # type: ignore[assignment]
    pop, get = records.popitem, grads.get
    while records:
        key, rec = pop()
        if rec is not None:
            g = get(key)
            if g is not None:
                if type(g) is IndexedSlices:
                    g = g.dense()
                rec[0].pull(F, g, rec, wanted, grads)
                if key not in keys:
                    del grads[key]
    return grads


def needed(records: dict, sources: Any) -> set:
    """The keys on a way from a source: what others want, no source needs."""
    found = set(sources)
    for key, rec in records.items():
        if rec is not None:
            keys = rec[1]
            if type(keys) is tuple:
                if not found.isdisjoint(keys):
                    found.add(key)
            elif keys in found or type(rec[2]) is int and rec[2] in found and rec[0] is not PART:
                found.add(key)
    return found
