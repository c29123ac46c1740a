"""Ops on what outlives a run of a graph: variables, and whatever Python a graph must run in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.abstract import Abstract
from ..core.op import Op, define
from ..core.tensor import wrap

read_variable = define(
    "read_variable",
    lambda xp: lambda variable: variable._tensor._value,
    lambda variable: Abstract(variable.shape._dims, variable._dtype),
    inputs=0,
    effect=True,
    doc="The value of a variable now.",
)
READ: Op = read_variable.op  # type: ignore[attr-defined]
READ.call = lambda variable: variable.read_value()


def _assignment(how: str) -> Op:
    def assign(value: Any, variable: Any) -> tuple:
        getattr(variable, how)(wrap(value))
        return ()

    op = define(
        how,
        lambda xp: assign,
        lambda value, variable: (),
        outputs=0,
        effect=True,
        doc=f"`variable.{how}(value)`.",
    ).op  # type: ignore[attr-defined]
    op.call = lambda value, variable: getattr(variable, how)(value, read_value=False)
    return op


ASSIGNMENTS: dict[str, Op] = {how: _assignment(how) for how in ("assign", "assign_add", "assign_sub")}


def _called(values: Sequence, call: Callable, *writes: Any) -> tuple:
    call(*[wrap(value) for value in values])
    return ()


EFFECT: Op = define(
    "effect",
    lambda xp: _called,
    lambda values, call, *writes: (),
    inputs=None,
    outputs=0,
    effect=True,
    doc="Calls `call(*tensors)`, which changes the variables that follow it, or others.",
).op  # type: ignore[attr-defined]

WRITES = frozenset([*ASSIGNMENTS.values(), EFFECT])
