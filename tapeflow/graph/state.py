"""Ops that only graphs have: on variables, and on whatever Python a graph must run in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.op import Op
from ..core.tapes import active_tapes
from ..core.tensor import wrap


def graph_op(name: str, kernel: Any, infer: Any, call: Any, inputs: int | None = 0, outputs: int = 1) -> Op:
    """An op with an effect that programs do not call by its name; `call` is how it is run on tensors."""
    op = Op(name, lambda xp: kernel, infer, inputs=inputs, outputs=outputs, effect=True)
    op.call = call
    return op


READ = graph_op(
    "read_variable",
    lambda variable: variable._tensor._value,
    lambda variable: Abstract(variable.shape._dims, variable._dtype),
    lambda variable: variable.read_value(),
)


def _assignment(how: str) -> Op:
    def assign(value: Any, variable: Any) -> tuple:
        getattr(variable, how)(wrap(value))
        return ()

    def call(value: Any, variable: Any) -> None:
        getattr(variable, how)(value)

    return graph_op(how, assign, lambda value, variable: (), call, inputs=1, outputs=0)


ASSIGNMENTS: dict[str, Op] = {how: _assignment(how) for how in ("assign", "assign_add", "assign_sub")}


def _called(values: Sequence, call: Any, *writes: Any) -> tuple:
    call(*[wrap(value) for value in values])
    return ()


def _call(tensors: Sequence, call: Any, *writes: Any) -> None:
    trace = active_tapes().trace
    if trace is None:
        call(*tensors)
    else:
        trace.effect(call, tensors, writes)


# calls `call(*tensors)`, which changes the variables that follow it among the attributes, and perhaps others
EFFECT = graph_op("effect", _called, lambda values, call, *writes: (), _call, inputs=None, outputs=0)


def _updated(g: Any, numbers: Any, rule: Callable, variable: Any, *slots: Any) -> tuple:
    """Runs a rule, `rule(w, g, scratch, slots, numbers)`, on the arrays of a variable and its slots, in place."""
    dtype = variable._dtype
    constants = [dtype.type(n) for n in numbers]
    g = g if g.dtype is dtype else g.astype(dtype)
    if g.shape:
        rule(variable.writable(), g, np.empty(g.shape, dtype), [s.writable() for s in slots], constants)
        return ()
    arrays = [np.array([x._tensor._value]) for x in (variable, *slots)]  # arithmetic in place needs arrays
    rule(arrays[0], np.array([g]), np.empty(1, dtype), arrays[1:], constants)
    for x, a in zip((variable, *slots), arrays, strict=True):
        x._set(a[0])
    return ()


def _update(g: Any, numbers: Any, rule: Callable, variable: Any, *slots: Any) -> None:
    trace = active_tapes().trace
    if trace is None:
        _updated(g._value, numbers._value, rule, variable, *slots)
    else:
        trace.add(UPDATE, (g, numbers), (rule, variable, *slots))


# changes a variable, and what an optimizer keeps for it, by the optimizer's rule
UPDATE = graph_op("update", _updated, lambda g, numbers, *attributes: (), _update, inputs=2, outputs=0)


def _numbers(values: Sequence, constants: Callable) -> Any:
    trace = active_tapes().trace
    if trace is None:
        return wrap(NUMBERS.kernel([x._value for x in values], constants))
    return trace.add(NUMBERS, values, (constants,))


# the numbers of an optimizer's step, which a function of Python gives of the steps made before, the learning rate, and
# what else it keeps
NUMBERS = Op(
    "optimizer_numbers",
    lambda xp: lambda values, constants: np.array(constants(int(values[0]) + 1, *map(float, values[1:]))),
    lambda values, constants: Abstract((len(constants(1, *[0.5] * (len(values) - 1))),), np.dtype("float64")),
    inputs=None,
)
NUMBERS.call = _numbers

WRITES = frozenset([*ASSIGNMENTS.values(), UPDATE, EFFECT])
