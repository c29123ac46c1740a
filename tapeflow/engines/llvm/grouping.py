"""Which cells go into which kernel, and the order in which kernels run.

Kernels of loops go over all elements of one shape, its dimensions of size 1 left out:

    map       elementwise work alone
    reduce    with sums and the like over some of the dimensions, and what is computed of the results
    tile      what comes vector by vector, such as a product of matrices, and elementwise work on it
    product   products of many matrices, and elementwise work on them

The dimensions of a kernel are three runs, (outer, reduced, inner): rows are reduced over the last dimensions, columns
over others. A cell joins the kernel of one of its operands where it needs each element just where the kernel has it,
and nothing that it needs besides comes later than that kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .pieces import Unsupported
from .program import Cell, Program, contiguous

_NEAR = 48  # kernels back in which a cell may still join one
_BESIDE = 6  # kernels back among which one over the same dimensions is looked for
_MOST = 64  # cells of a kernel
_OPEN = ("map", "reduce", "product", "tile")  # kinds of kernels that cells can join
_LARGE = 1 << 16  # elements from which a reduction to nothing keeps to itself, since it runs on one thread


class Group:
    """One kernel: its cells in order, the dimensions it goes over, and the kernels that must run before it."""

    __slots__ = ("number", "kind", "dims", "split", "cells", "before", "stores", "lead")

    def __init__(self, number: int, kind: str, dims: tuple[int, ...], split: tuple[int, int], lead: Cell) -> None:
        self.number = number
        self.kind = kind
        self.dims = dims
        self.split = split  # where the reduced dimensions begin, and where they end
        self.cells: list[Cell] = []
        self.before = 0  # kernels, as bits
        self.stores: list[Cell] = []  # writes to variables of cells of this kernel
        self.lead = lead

    @property
    def kept(self) -> tuple[int, ...]:
        """The dimensions that are not reduced."""
        return self.dims[: self.split[0]] + self.dims[self.split[1] :]

    def is_full(self, cell: Cell) -> bool:
        """Whether a cell of this kernel goes over all of its dimensions."""
        return cell.how != "reduce" and cell.dims == self.dims

    def __repr__(self) -> str:
        return f"<{self.kind} {list(self.dims)} {self.split} of {len(self.cells)}>"


def seen(cell: Cell) -> Cell:
    """The cell that another merely shows with more or fewer dimensions of size 1, or itself."""
    while cell.how == "view":
        base = cell.operands[0]
        offset, strides = cell.data
        if offset or base.dims != cell.dims or base.how == "number" or base.kind is not cell.kind:
            return cell
        if [s for s, n in zip(strides, cell.shape, strict=True) if n != 1] != [
            s for s, n in zip(contiguous(base.shape), base.shape, strict=True) if n != 1
        ]:
            return cell
        cell = base
    return cell


def in_memory(cell: Cell) -> Cell:
    """The array in memory that a cell looks at: itself where it is no view."""
    return cell.operands[0] if cell.how == "view" else cell


INLINE = frozenset(["number", "place"])  # what kernels make on the spot
FREE = frozenset(["source", "view", *INLINE])  # what no kernel has to make


class Grouping:
    """The kernels of a program that has these outputs."""

    def __init__(self, program: Program, outputs: Sequence[Cell]) -> None:
        self.program = program
        self.outputs = list(outputs)
        self.groups: list[Group] = []
        self.home: dict[Cell, Group] = {}
        self.waiting: dict[Cell, None] = {}  # elementwise cells in no kernel yet, of nothing that their users are of
        self.copies: list[Cell] = []  # stores made at the very end, from memory
        needed = _needed([*outputs, *program.stores, *program.checks])
        self.needed = needed
        for cell in program.cells:
            if cell in needed and cell.how not in FREE and cell.how not in ("store", "check"):
                self._place(cell)
        while self.waiting:
            self._settle(next(reversed(self.waiting)))
        self._guard()
        self._attach()
        self.memory = self._memory()
        self.order = self._sorted()

    # -- into kernels --

    def _sources(self, cell: Cell) -> list[Group]:
        """The kernels that make what a cell needs, and what cells that wait for it need."""
        found: list[Group] = []
        for x in cell.operands:
            own = seen(x)
            homes = self._sources(own) if own in self.waiting else [self.home.get(own) or self.home.get(in_memory(x))]
            found += [h for h in homes if h is not None and h not in found]
        return found

    def _place(self, cell: Cell) -> None:
        for x in cell.operands:
            for own in (seen(x), in_memory(x)):
                if own in self.waiting and not self._goes_along(own, x, cell):
                    self._settle(own)
        needs = self._sources(cell)
        for group in sorted(needs, key=lambda g: -g.number):
            if group.number >= len(self.groups) - _NEAR and self._joins(cell, group, needs):
                self._join(cell, group, needs)
                return
        if cell.how == "reduce":
            # over the same dimensions as another: what is read for one is there for both
            for group in reversed(self.groups[-_BESIDE:]):
                if group.kind == "reduce" and group not in needs and self._joins(cell, group, needs):
                    self._join(cell, group, needs)
                    return
        if cell.how == "map":
            if cell.dims:
                # it waits for whoever needs it first, to be part of that kernel
                self.waiting[cell] = None
                return
            # single numbers: one kernel makes many of them
            for group in reversed(self.groups[-_NEAR:]):
                if group.kind == "map" and not group.dims and self._joins(cell, group, needs):
                    self._join(cell, group, needs)
                    return
        self._settle(cell)

    @staticmethod
    def _goes_along(own: Cell, x: Cell, cell: Cell) -> bool:
        """Whether a cell that waits can be made where its user is, element by element."""
        if own is not seen(x) or own.dims != x.dims:
            return False
        return cell.how == "reduce" or cell.how == "map" and own.dims == cell.dims

    def _settle(self, cell: Cell) -> None:
        """A kernel of its own for a cell, and what waits for it."""
        needs = self._sources(cell)
        if cell.how == "reduce":
            x = cell.operands[0]
            dims, split = x.dims, split_of(cell)
        else:
            dims, split = cell.dims, (len(cell.dims), len(cell.dims))
        kind = "map" if cell.how == "pick" else cell.how
        group = Group(len(self.groups), kind, dims, split, cell)
        self.groups.append(group)
        self._add(cell, group)
        self._after(group, needs)

    def _add(self, cell: Cell, group: Group) -> None:
        """Puts a cell into a kernel, behind what waits for it."""
        self.waiting.pop(cell, None)
        for x in cell.operands:
            if seen(x) in self.waiting:
                self._add(seen(x), group)
        group.cells.append(cell)
        self.home[cell] = group

    def _joins(self, cell: Cell, group: Group, needs: list[Group]) -> bool:
        if len(group.cells) >= _MOST or group.kind not in _OPEN:
            return False
        if any(h is not group and h.before >> group.number & 1 for h in needs):
            return False
        if cell.how == "reduce":
            return self._joins_reduced(cell, group)
        if cell.how != "map" or cell.dims != group.dims and (group.kind != "reduce" or cell.dims != group.kept):
            return False
        return all(self._matches(x, cell, group) for x in cell.operands)

    def _matches(self, x: Cell, cell: Cell, group: Group) -> bool:
        """Whether a cell in this kernel finds its operand there element by element, or in memory."""
        own = seen(x)
        if own in self.waiting:
            return all(self._matches(y, own, group) for y in own.operands)
        if self.home.get(own) is not group:
            return self.home.get(in_memory(x)) is not group and (group.kind != "tile" or _in_rows(x, cell))
        if own is not x and own.dims != x.dims:
            return False
        if own.dims == cell.dims:
            return True
        if group.kind != "reduce" or own.dims != group.kept or cell.dims != group.dims:
            return False
        # a result of the reduction, spread over the reduced dimensions: they must be those
        places = positions(x, cell)
        first, last = group.split
        return places == [*range(first), *range(last, len(group.dims))]

    def _joins_reduced(self, cell: Cell, group: Group) -> bool:
        x = cell.operands[0]
        own = seen(x)
        if x.dims != group.dims or own.dims != x.dims and own in self.waiting:
            return False
        if own in self.waiting:
            if not self._matches(x, cell, group):
                return False
        elif self.home.get(own) is not group and (group.kind == "map" or self.home.get(in_memory(x)) is group):
            return False
        if group.kind == "map":
            return prod(group.dims) <= _LARGE or bool(cell.dims)
        return group.kind == "reduce" and group.split == split_of(cell)

    def _join(self, cell: Cell, group: Group, needs: list[Group]) -> None:
        if cell.how == "reduce" and group.kind == "map":
            group.kind = "reduce"
            group.split = split_of(cell)
        self._add(cell, group)
        self._after(group, [h for h in needs if h is not group])

    def _after(self, group: Group, needs: Sequence[Group], everywhere: bool = False) -> None:
        """Notes that a kernel runs after others, and so do those that run after it."""
        more = 0
        for h in needs:
            more |= h.before | 1 << h.number
        if not more & ~group.before:
            return
        group.before |= more
        bit = 1 << group.number
        for k in self.groups if everywhere else self.groups[-3 * _NEAR :]:
            if k.before & bit:
                k.before |= group.before

    # -- writes to variables --

    def _guard(self) -> None:
        """Checks come before every kernel that will write to a variable."""
        made = [self.home.get(seen(c.operands[0])) for c in self.program.checks]
        self.checking = [group for group in made if group is not None]

    def _attach(self) -> None:
        """Has kernels write to variables themselves where nobody else still needs the old value."""
        readers: dict[int, list[tuple[Group, bool]]] = {}
        for group in self.groups:
            for cell in group.cells:
                for x in cell.operands:
                    base = in_memory(x)
                    if base.how == "source" and base.data[0] == "variable":
                        same = group.kind in _OPEN and cell.how == "map" and x.dims == cell.dims
                        readers.setdefault(id(base.data[1]), []).append((group, same and seen(x) is base))
        for store in self.program.stores:
            x = seen(store.operands[0])
            group = self.home.get(x)
            olds = readers.get(id(store.data), [])
            legal = group is not None and group.kind in _OPEN and x.dims == store.dims
            if legal and group is not None:
                full = group.kind == "reduce" and group.is_full(x)  # what is written there may be read in a later pass
                legal = all(same and not full if r is group else not r.before >> group.number & 1 for r, same in olds)
                legal = legal and all(c is not group and not c.before >> group.number & 1 for c in self.checking)
            if not legal or group is None:
                self.copies.append(store)
                continue
            group.stores.append(store)
            self._after(group, [r for r, _ in olds if r is not group], everywhere=True)
            self._after(group, self.checking, everywhere=True)

    # -- memory and order --

    def _memory(self) -> set[Cell]:
        """The cells that must lie in memory: what other kernels, views, outputs and copies look at."""
        found: set[Cell] = set()
        for group in self.groups:
            for cell in group.cells:
                for x in cell.operands:
                    base = in_memory(x)
                    own = seen(x)
                    if self.home.get(own) is not group and base in self.home:
                        found.add(base)
        for x in [*self.outputs, *[s.operands[0] for s in self.copies], *[c.operands[0] for c in self.program.checks]]:
            base = in_memory(x)
            if base in self.home:
                found.add(base)
        return found

    def _sorted(self) -> list[Group]:
        """The kernels in an order that respects all of the above: the earliest in the program first."""
        order: list[Group] = []
        done = 0
        waiting = list(self.groups)
        while waiting:
            rest = []
            for group in waiting:
                if group.before & ~done & ~(1 << group.number):
                    rest.append(group)
                else:
                    order.append(group)
                    done |= 1 << group.number
            if len(rest) == len(waiting):
                raise Unsupported("kernels that wait for each other")
            waiting = rest
        return order


def _in_rows(x: Cell, cell: Cell) -> bool:
    """Whether an operand goes on by one step from row to row, all dimensions but the last of its user in one."""
    steps = steps_of(x, cell)
    sizes = cell.shape
    apart = [(n, s) for n, s in zip(sizes[:-1], steps[:-1], strict=True) if n != 1]
    return all(s == t * m for (_, s), (m, t) in zip(apart, apart[1:], strict=False))


def steps_of(x: Cell, cell: Cell) -> list[int]:
    """How many elements apart, in memory, what a cell reads of an operand lies along each of the cell's dimensions."""
    strides = x.data[1] if x.how == "view" else contiguous(x.shape)
    shift = len(cell.shape) - len(x.shape)
    return [
        strides[axis - shift] if axis >= shift and x.shape[axis - shift] != 1 else 0 for axis in range(len(cell.shape))
    ]


def split_of(cell: Cell) -> tuple[int, int]:
    """Which of its operand's dimensions, those of size 1 left out, a reduction is over: from, to."""
    x = cell.operands[0]
    places = {axis: i for i, axis in enumerate(a for a, n in enumerate(x.shape) if n != 1)}
    reduced = [places[a] for a in cell.data[1]]
    if reduced != list(range(reduced[0], reduced[-1] + 1)):
        raise Unsupported("a reduction over dimensions that are not side by side")
    return reduced[0], reduced[-1] + 1


def positions(x: Cell, cell: Cell) -> list[int]:
    """Where the dimensions of an operand, those of size 1 left out, stand among those of the cell it is used in."""
    places = {axis: i for i, axis in enumerate(a for a, n in enumerate(cell.shape) if n != 1)}
    shift = len(cell.shape) - len(x.shape)
    return [places[a + shift] for a, n in enumerate(x.shape) if n != 1]


def _needed(roots: Sequence[Cell]) -> set[Cell]:
    found: set[Cell] = set()
    waiting = list(roots)
    while waiting:
        cell = waiting.pop()
        if cell not in found:
            found.add(cell)
            waiting += cell.operands
    return found
