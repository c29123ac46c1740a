"""The backward pass: records walked from the last to the first, each let go as soon as it has been used."""

from __future__ import annotations

from typing import Any

from ..core.indexed_slices import IndexedSlices
from ..core.op import Namespace


def pull_back(F: Namespace, records: dict, grads: dict, sources: Any, wanted: Any) -> dict:
    """Takes `grads`, gradients by key, back through `records`, which it empties; the gradients of `sources` by key.

    `sources` are the keys whose gradients are kept; `wanted` those for which gradients are computed at all: `records`
    itself, or less (see `needed`).
    """
    pop, get = records.popitem, grads.get
    while records:
        key, rec = pop()
        if type(rec) is not tuple:
            continue
        g = get(key)
        op = rec[0]
        if g is None:
            if op.outputs == 1 or all(k not in grads for k in rec[4]):
                continue
        elif type(g) is IndexedSlices:
            g = g.dense()
        op.pull(F, g, rec, wanted, grads)
        if op.outputs == 1:
            if key not in sources:
                del grads[key]
        else:
            for k in rec[4]:
                if k not in sources:
                    grads.pop(k, None)
    return grads


def needed(records: dict, sources: Any) -> set:
    """The keys on a way from a source: what others want, no source needs."""
    found = set(sources)
    for key, rec in records.items():
        if type(rec) is tuple:
            inputs = rec[1]
            if type(inputs) is not tuple:
                if inputs in found or type(rec[2]) is int and rec[2] in found:
                    found.add(key)
            elif not found.isdisjoint(inputs):
                found.update(rec[4])
    return found
