"""From a program to one module of LLVM's IR: kernels in their order, called by one function, `step`.

`step(slots)` gets an array of addresses: those of the sources and of the outputs, one for the result of checks where
there are any, and the arena.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .builder import Builder, Module
from .grouping import Group, Grouping, in_memory, seen
from .kernels import copy_array, write_custom, write_parts, write_product, write_tile
from .loops import write_loops
from .memory import Memory, slot_of
from .points import Kernel, Written
from .pool import DECLARATION, PARALLEL_FOR
from .program import Cell, Program
from .target import Target
from .values import I1, I32, I64, PTR, Type, V, constant, index

_WRITERS = {
    "map": write_loops,
    "reduce": write_loops,
    "product": write_product,
    "tile": write_tile,
    "parts": write_parts,
    "custom": write_custom,
}
# simple operations from which work is divided among threads, about 30 us of them; and from which it is long
_PARALLEL, _LONG = 1 << 19, 1 << 25


class Compiled:
    """A program as text, and what its callers must know.

    Attributes:
        text: the module.
        memory: which slot holds what.
        groups: the kernels in their order, with their names, for the plan.
        long: whether the work is such that other Python threads should run meanwhile.
    """

    def __init__(self, text: str, memory: Memory, groups: list[tuple[Group, Written]], long: bool) -> None:
        self.text = text
        self.memory = memory
        self.groups = groups
        self.long = long


def compiled(program: Program, outputs: Sequence[Cell], target: Target) -> Compiled:
    """Writes the module of a program with these outputs, each made by a kernel and none twice. Raises Unsupported."""
    module = Module(target.vector_bytes * 8, target.fma, target.rounding, target.halves)
    memory, written = write_program(module, program, outputs, "")
    work = sum(kernel.work for _, kernel in written)
    return Compiled(module.text(), memory, written, work > 64 * _PARALLEL)


def write_program(
    module: Module, program: Program, outputs: Sequence[Cell], name: str
) -> tuple[Memory, list[tuple[Group, Written]]]:
    """Writes a program into a module, as the function `step` with a name before it, and its kernels likewise."""
    grouping = Grouping(program, outputs)
    memory = Memory(grouping, outputs)
    written: list[tuple[Group, Written]] = []
    for i, group in enumerate(grouping.order):
        written.append((group, _write(module, grouping, group, memory, f"{name}k{i}")))
    copies = [_write_copy(module, memory, store, f"{name}c{i}") for i, store in enumerate(grouping.copies)]
    b = Builder(module, f"{name}step", [(PTR, "slots")], internal=bool(name))
    checks = {c: grouping.home.get(seen(c.operands[0])) for c in program.checks}
    for group, kernel in written:
        _call(b, kernel)
        for check, home in checks.items():
            if home is group:
                _leave_unless(b, memory, check)
    for kernel in copies:
        _call(b, kernel)
    b.finish()
    return memory, written


def _write(module: Module, grouping: Grouping, group: Group, memory: Memory, name: str) -> Written:
    return _WRITERS[group.kind](module, Kernel(grouping, group, memory), name)


def _call(b: Builder, kernel: Written) -> None:
    slots = b.parameters[0]
    if kernel.parts > 1 and kernel.work >= _PARALLEL:
        b.module.declare(PARALLEL_FOR, DECLARATION)
        function = V(f"@{kernel.name}", Type(PTR))
        # Each thread has a piece of neighbours to itself, and of long work several, in case one of them is held up.
        pieces = 1 if kernel.work < _LONG else 4
        b.call(PARALLEL_FOR, function, slots, index(kernel.parts), index(-pieces))
        return
    b.call(kernel.name, slots, index(0), index(kernel.parts))


def _leave_unless(b: Builder, memory: Memory, check: Cell) -> None:
    """Returns where a check, a bool in memory, does not hold."""
    held = b.load(memory.pointer(b, in_memory(check.operands[0])), I1)
    then, on = b.block("failed"), b.block("held")
    b.emit(f"br {held.text}, label %{on}, label %{then}")
    b.label(then)
    b.store(constant(1, I32), slot_of(b, memory.status))
    b.emit("ret void")
    b.label(on)


def _write_copy(module: Module, memory: Memory, store: Cell, name: str) -> Written:
    """A variable takes what lies in memory elsewhere."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    copy_array(b, memory, store.operands[0], memory.variable(b, store.data))
    b.finish()
    return Written(name, 1, store.size)


def described(groups: Sequence[tuple[Group, Written]]) -> Iterator[str]:
    """The kernels as lines of text: what they go over, into how many parts they can be cut, and whose work they do."""
    for group, kernel in groups:
        dims = "x".join(map(str, group.dims)) or "1"
        names = [node.op.name for node in nodes_of(group)]
        yield f"{kernel.name:<5} {group.kind:<8} {dims:<18} {kernel.parts:>5} parts  {', '.join(names)}"


def nodes_of(group: Group) -> list[Any]:
    """The nodes of the graph that a kernel does something for, in their order."""
    found = [cell.node for cell in group.cells if cell.node is not None]
    found += [store.node for store in group.stores if store.node is not None]
    return list(dict.fromkeys(found))
