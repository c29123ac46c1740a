"""Whether the compiler can do a node: tried by lowering it alone."""

from __future__ import annotations

from ....graph.ir import CONSTANT, Node, Value
from ....graph.state import READ
from ..pieces import ASSERT, WRITES_HERE, Unsupported, written_by
from ..program import Program, kind_of
from .rules import RULES, lowered


def why_not(node: Node, maker: dict[Value, Node]) -> str | None:
    """None if the compiler can do a node, else the reason."""
    if node.op is READ or node.op is CONSTANT:
        return None
    if node.op.name not in RULES:
        return f"there is no rule for op {node.op.name}"
    if node.op.effect and node.op not in WRITES_HERE and node.op.name != ASSERT:
        return f"op {node.op.name} has an effect"
    try:
        program = Program()
        cells = []
        for x in node.inputs:
            if x in maker and maker[x].op is CONSTANT:
                cells.append(program.constant(maker[x].attributes[0]._value))
            else:
                cells.append(program.source(("input", 0), x.shape, x.dtype))
        for out in node.outputs:
            if out.shape is None or None in out.shape:
                return "a shape is not known"
            kind_of(out.dtype)
        for variable in written_by(node):
            if variable.shape._dims is None or None in variable.shape._dims:
                return "a variable's shape is not known"
        lowered(program, node, cells)
    except Unsupported as reason:
        return f"op {node.op.name}: {reason}"
    return None
