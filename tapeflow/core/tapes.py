"""Which tapes are active, and how an op tells them what it did.

A tape owns what it records; tensors own nothing.  A tensor that some tape tracks carries a `_key`, an integer that
nobody else has; a tensor never tracked has `_key None`, which is all an op must look at to know that there is nothing
to record.  What a tape records is one dict, in recording order:

    records[key] = None or the variable                          a watched tensor or variable
    records[key] = (op, key of x, saved)                         an elementwise op of one tensor
    records[key] = (op, key of x, key of y, shapes..., saved...) an elementwise op of two
    records[key] = (op, keys, saved, attributes, keys of outputs, shapes of inputs and output) any other op

Only `op.pull` and `op.describe` look inside a record.  A record's tuples hold the keys of tensors whose derivative may
be wanted and the values a gradient rule needs, never the tensors themselves, so intermediates die with their record.

`ContextVar` and not `threading.local`: 25 ns a read against 95, and it follows asyncio tasks too.
"""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count
from typing import Any

new_key = count(1).__next__
_active: ContextVar[tuple] = ContextVar("tapeflow_tapes", default=())
active_tapes = _active.get
set_active_tapes = _active.set


def record_elementwise(key_x: int | None, key_y: int | None, out: Any, entry: tuple) -> None:
    """Records the op of one or two tensors that made `out` on every active tape that tracks one of them.

    The closures of `core.elementwise` have this loop inside them, which saves 0.1 us an op; this is for their slow ways.
    """
    for tape in active_tapes():
        records = tape._records
        if key_x in records or key_y in records:
            key = out._key
            if key is None:
                key = out._key = new_key()
            records[key] = entry


def record(op: Any, inputs: tuple, attributes: tuple, outputs: tuple) -> None:
    """Records `outputs = op(*inputs, *attributes)` on every active tape that tracks one of the inputs.

    The record stands under the first output's key; the other outputs' keys follow with None, so that a backward walk
    meets the record after it has met everything that used any of them.
    """
    entry = None
    for tape in active_tapes():
        records = tape._records
        for x in inputs:
            if x._key in records:
                if entry is None:
                    for out in outputs:
                        if out._key is None:
                            out._key = new_key()
                    keys = tuple([x._key for x in inputs])
                    saved = op.saves(*inputs, *outputs, *attributes) if op.saves is not None else ()
                    shapes = (*[x._value.shape for x in inputs], outputs[0]._value.shape)
                    entry = (op, keys, saved, attributes, tuple([out._key for out in outputs]), shapes)
                records[entry[4][0]] = entry
                for key in entry[4][1:]:
                    records[key] = None
                break


class pause:
    """`with pause():` no tape is active inside, or with arguments, none of those given."""

    __slots__ = ("_token", "_tapes")

    def __init__(self, *tapes: Any) -> None:
        self._tapes = tapes

    def __enter__(self) -> None:
        left = tuple(t for t in active_tapes() if t not in self._tapes) if self._tapes else ()
        self._token = set_active_tapes(left)

    def __exit__(self, *exc: object) -> None:
        _active.reset(self._token)
