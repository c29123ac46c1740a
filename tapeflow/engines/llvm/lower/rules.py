"""How ops become cells: one rule for each op that the compiler knows, by its name.

A rule takes the program, the node and the cells of its inputs, and gives the cells of its outputs. It raises
`Unsupported` for what it does not do; so does every op without a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....graph.ir import Node
from ..pieces import Unsupported
from ..program import Cell, Program

RULES: dict[str, Callable[[Program, Node, Sequence[Cell]], Cell | Sequence[Cell]]] = {}


def rule(*names: str) -> Callable[[Callable], Callable]:
    """Declares the rule of ops."""

    def declared(function: Callable) -> Callable:
        for name in names:
            RULES[name] = function
        return function

    return declared


def lowered(program: Program, node: Node, inputs: Sequence[Cell]) -> list[Cell]:
    """The cells of a node's outputs. Raises Unsupported."""
    function = RULES.get(node.op.name)
    if function is None:
        raise Unsupported(f"op {node.op.name}")
    if not all(x.size for x in inputs):
        raise Unsupported("an array of nothing")
    found = function(program, node, inputs)
    cells = [found] if isinstance(found, Cell) else list(found)
    for cell, value in zip(cells, node.outputs, strict=True):
        if cell.shape != value.shape:
            raise Unsupported(f"{node.op.name} gave {cell.shape} where the graph has {value.shape}")
    return cells
