"""Which tapes are active, and how an op tells them what it did.

A tape owns what it records; tensors own nothing.  A tensor that some tape tracks carries a `_key`, an integer that
nobody else has; a tensor never tracked has `_key None`, which is all an op must look at to know that there is nothing
to record.  What a tape records is one dict, in recording order:

    records[key] = None                                          a watched tensor or variable
    records[key] = (op, key of x, saved)                         an elementwise op of one tensor
    records[key] = (op, key of x, key of y, shapes..., saved...) an elementwise op of two
    records[key] = (op, key or keys, saved, attributes,          any other op
                    shapes of the inputs and the output, dtype of the output)
                    with several outputs, last a (shape, dtype) for each

Only `op.pull` and `op.describe` look inside a record.  It names its inputs by key and holds those values alone that the
gradient rules need, so what no rule needs dies with the program's last reference to it.

The tapes that are active are a list in a ContextVar, which is read in 17 ns (a `threading.local` in 40). Whoever walks
the list may meet ops that pause tapes, so pausing puts another list in its place; only entering and leaving a tape
change the list itself. A thread that inherits its creator's context sees the creator's tapes until it enters its own.
"""

from __future__ import annotations

from _thread import get_ident
from contextvars import ContextVar
from itertools import count
from typing import Any

new_key = count(1).__next__


class TapeStack(list):
    """The active tapes of one thread, innermost last, and the trace whose ops they see, if a function is being traced.

    A trace is the first of its own stack, so who finds the stack empty knows that there is no trace either.
    """

    __slots__ = ("owner", "trace")

    def __init__(self, tapes: Any = (), trace: Any = None) -> None:
        super().__init__(tapes)
        self.owner = get_ident()
        self.trace = trace


_NO_TAPES = TapeStack()
_NO_TAPES.owner = 0
_active: ContextVar[TapeStack] = ContextVar("tapeflow_tapes", default=_NO_TAPES)
active_tapes = _active.get


def own_stack() -> TapeStack:
    """The active stack, which is this thread's own: what a tape is pushed on."""
    stack = active_tapes()
    if stack.owner != get_ident():
        stack = TapeStack()
        _active.set(stack)
    return stack


def made(x: Any) -> Any:
    """The tensor, of which a trace takes notice where one is active: the program made it there."""
    trace = active_tapes().trace
    if trace is not None:
        trace.made(x)
    return x


def record_elementwise(key_x: int | None, key_y: int | None, out: Any, entry: tuple) -> None:
    """Records the op of one or two tensors that made `out` on every active tape that tracks one of them.

    The closures of `core.elementwise` have this loop inside them, which saves 0.1 us an op; this is for their slow way.
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

    The record of an op with several outputs stands under a key of its own; under each output's key stands a `part` of
    it, so that a backward walk, which meets the parts first, can gather their gradients.
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
                    keys = x._key if len(inputs) == 1 == op.outputs else tuple([x._key for x in inputs])
                    saved = op.saves(*inputs, *outputs, *attributes) if op.saves is not None else ()
                    shapes = (*[x._value.shape for x in inputs], outputs[0]._value.shape)
                    if op.outputs == 1:
                        whole, like = outputs[0]._key, outputs[0]._value.dtype
                    else:
                        whole, like = new_key(), tuple([(out._value.shape, out._value.dtype) for out in outputs])
                    entry = (op, keys, saved, attributes, shapes, like)
                records[whole] = entry
                if op.outputs != 1:
                    for i, out in enumerate(outputs):
                        records[out._key] = (PART, whole, i, len(outputs))
                break


class _Part:
    """Stands in the records of an op's several outputs: takes the gradient of each to the op's own record."""

    name = "part"

    @staticmethod
    def pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        _, whole, index, count = rec
        if whole not in grads:
            grads[whole] = [None] * count
        grads[whole][index] = g


PART = _Part()


def push_stack(stack: TapeStack) -> Any:
    """Makes another stack the active one. Returns what `pop_stack` takes to bring the one before back."""
    return _active.set(stack)


pop_stack = _active.reset


class pause:
    """`with pause():` no tape is active inside, or with arguments, none of those given; a trace stays."""

    __slots__ = ("_tapes", "_token")

    def __init__(self, *tapes: Any) -> None:
        self._tapes = tapes

    def __enter__(self) -> None:
        before = active_tapes()
        trace = before.trace
        if self._tapes:
            left = [t for t in before if t not in self._tapes]
        else:
            left = [] if trace is None else [trace]
        self._token = _active.set(TapeStack(left, trace))

    def __exit__(self, *exc: object) -> None:
        _active.reset(self._token)
