"""Reading and writing variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..program import Cell, Program, Unsupported
from . import rule


@rule("read_variable")
def _read(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.read(node.attributes[0])


@rule("assign", "assign_add", "assign_sub")
def _assign(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), (variable,) = inputs, node.attributes
    old = program.read(variable)
    if x.shape != old.shape or x.kind is not old.kind:
        raise Unsupported("an assignment of another shape or kind")
    how = node.op.name
    program.assign(variable, x if how == "assign" else program.binary(how.removeprefix("assign_"), old, x))
    return []
