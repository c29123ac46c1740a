"""Where the arrays of a program lie: in arrays from outside, or in one arena, shared by those never needed at once.

Kernels find memory by slots, an array of pointers that each call fills: the sources, the outputs, the arena.
"""

from __future__ import annotations

from collections.abc import Sequence

from .builder import Builder
from .grouping import Grouping, in_memory
from .program import Cell
from .values import I64, PTR, Type, V, constant

_ALIGN = 64


class Memory:
    """Slots and the arena for a grouping.

    Attributes:
        slots: the sources, which have the first slots; the outputs follow them.
        bytes: the size of the arena.
    """

    def __init__(self, grouping: Grouping, outputs: Sequence[Cell]) -> None:
        sources = [cell for cell in grouping.program.sources if cell in grouping.needed]
        variables = {id(s.data) for s in grouping.program.stores}
        # variables that are only written are slots too
        self.slots: list[Cell] = [
            c
            for c in grouping.program.sources
            if c in sources or c.data[0] == "variable" and id(c.data[1]) in variables
        ]
        self.outputs = list(outputs)
        self._slot: dict[Cell, int] = {c: i for i, c in enumerate([*self.slots, *self.outputs])}
        self._variable = {id(c.data[1]): i for i, c in enumerate(self.slots) if c.data[0] == "variable"}
        self.status = len(self._slot)  # the slot of a number that a failed check sets to 1
        self.arena = self.status + bool(grouping.program.checks)
        self._offset: dict[Cell, int] = {}
        self.scratch: dict[int, int] = {}  # number of a kernel -> offset of memory of its own
        self.bytes = 0
        self._plan(grouping)

    def _plan(self, grouping: Grouping) -> None:
        last: dict[Cell, int] = {}
        for i, group in enumerate(grouping.order):
            for cell in group.cells:
                for x in cell.operands:
                    last[in_memory(x)] = i
        end = len(grouping.order)
        for x in [*[s.operands[0] for s in grouping.copies], *[c.operands[0] for c in grouping.program.checks]]:
            last[in_memory(x)] = end
        free: list[tuple[int, int]] = []  # (offset, bytes), by offset
        leaving: dict[int, list[tuple[int, int]]] = {}
        for i, group in enumerate(grouping.order):
            for cell in group.cells:
                if cell in grouping.memory and cell not in self._slot:
                    room = -(-max(cell.size * cell.kind.bytes, 1) // _ALIGN) * _ALIGN
                    self._offset[cell] = at = self._take(free, room)
                    leaving.setdefault(last.get(cell, i), []).append((at, room))
            for piece in leaving.pop(i, ()):
                _give(free, piece)

    def _take(self, free: list[tuple[int, int]], room: int) -> int:
        best = min((k for k, (_, n) in enumerate(free) if n >= room), key=lambda k: free[k][1], default=None)
        if best is None:
            if free and sum(free[-1]) == self.bytes:  # the last free piece can grow
                at, _ = free.pop()
            else:
                at = self.bytes
            self.bytes = at + room
            return at
        at, n = free.pop(best)
        if n > room:
            _give(free, (at + room, n - room))
        return at

    def pointer(self, b: Builder, cell: Cell) -> V:
        """The address where the elements of an array in memory begin."""
        slot = self._slot.get(cell)
        if slot is not None:
            return slot_of(b, slot)
        return self._in_arena(b, self._offset[cell])

    def variable(self, b: Builder, variable: object) -> V:
        """The address of the elements of a variable."""
        return slot_of(b, self._variable[id(variable)])

    def _in_arena(self, b: Builder, offset: int) -> V:
        base = slot_of(b, self.arena)
        if not offset:
            return base
        return b.value(f"getelementptr inbounds i8, {base.text}, i64 {offset}", Type(PTR))

    def own(self, b: Builder, number: int, room: int) -> V:
        """Memory of a kernel's own, at the end of the arena."""
        at = self.scratch.get(number)
        if at is None:
            at = self.scratch[number] = self.bytes
            self.bytes += -(-room // _ALIGN) * _ALIGN
        return self._in_arena(b, at)


def slot_of(b: Builder, slot: int) -> V:
    """The pointer in a slot, of a function whose first parameter they are."""
    where = b.address(b.parameters[0], constant(slot, I64), PTR)
    return b.value(f"load ptr, {where.text}, align 8", Type(PTR))


def _give(free: list[tuple[int, int]], piece: tuple[int, int]) -> None:
    """Puts a piece back, together with its free neighbours."""
    at, n = piece
    for k, (other, m) in reversed(list(enumerate(free))):
        if other + m == at:
            at, n = other, n + m
            free.pop(k)
        elif at + n == other:
            n += m
            free.pop(k)
    free.append((at, n))
    free.sort()
