"""Elements of cells at one point of a kernel's loops: loads, maps, positions, as vectors of lanes.

A kernel goes over dimensions; an `Access` says how many elements of an array in memory one step along each of them is.
A `Point` is where the loops stand: a position for each dimension, one of which is spread over lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .builder import Builder, Module
from .grouping import Group, Grouping, positions, seen, steps_of
from .memory import Memory
from .pieces import Unsupported
from .program import Cell, contiguous
from .values import I64, Kind, Type, V, constant, constants, index


class Access:
    """How a kernel reads or writes an array in memory: the array, an offset, and a stride for each dimension."""

    __slots__ = ("cell", "kind", "offset", "strides", "variable")

    def __init__(
        self, cell: Cell, kind: Kind, offset: int, strides: tuple[int, ...], variable: Any = None
    ) -> None:  # fmt: skip
        self.cell = cell
        self.kind = kind  # of the elements, offset and strides; memory of bytes is looked at as other kinds
        self.offset = offset
        self.strides = strides
        self.variable = variable  # written instead of the cell's own memory


def access_of(x: Cell, cell: Cell, where: Sequence[int], rank: int) -> Access:
    """How `cell`, whose dimensions are those at `where` of a kernel's, reads its operand x."""
    base, offset = (x.operands[0], x.data[0]) if x.how == "view" else (x, 0)
    steps = [0] * rank
    axes = [a for a, n in enumerate(cell.shape) if n != 1]
    apart = steps_of(x, cell)
    for place, axis in zip(where, axes, strict=True):
        steps[place] = apart[axis]
    return Access(base, x.kind, offset, tuple(steps))


class Kernel:
    """What writing a kernel of loops needs to know: its group, how its cells are read, and its collapsed dimensions."""

    def __init__(self, grouping: Grouping, group: Group, memory: Memory) -> None:
        self.grouping = grouping
        self.group = group
        self.memory = memory
        self.rank = len(group.dims)
        first, last = group.split
        self.everywhere = list(range(self.rank))
        self.kept = [*range(first), *range(last, self.rank)] if group.kind == "reduce" else self.everywhere
        self.reads: dict[tuple[Cell, Cell], Access] = {}  # (operand, cell that reads it) -> how
        self.writes: dict[Cell, list[Access]] = {}
        own = set(group.cells)
        for cell in group.cells:
            if group.kind in ("product", "tile") and cell is group.lead:
                self._write(cell)
                continue
            where = self.where(cell)
            for x in cell.operands:
                if cell.how == "reduce":
                    x_where = self.everywhere
                    if seen(x) not in own and x.how not in ("number", "place"):
                        self.reads[x, cell] = access_of(x, x, x_where, self.rank)
                    continue
                if cell.how == "pick" and x is cell.operands[0]:
                    continue
                if seen(x) in own or seen(x).how == "number" or x.how == "place":
                    continue
                self.reads[x, cell] = access_of(x, cell, where, self.rank)
            self._write(cell)
        self.dims = list(group.dims)
        self.parts = [0] * first + [1] * (last - first) + [2] * (self.rank - last)
        placed = any(c.how in ("place", "pick") or any(x.how == "place" for x in c.operands) for c in group.cells)
        if group.kind == "tile":
            self.parts = [0] * (self.rank - 1) + [2] if group.lead.shape[-1] != 1 else [0] * self.rank
            self._collapse()
        elif group.kind != "product" and not placed:
            self._collapse()
        self.movable = group.kind == "map" and not placed  # whether no cell asks for a position

    def where(self, cell: Cell) -> list[int]:
        """Which of the kernel's dimensions a cell's are."""
        if cell.how == "reduce" or (self.group.kind == "reduce" and cell.dims != self.group.dims):
            return self.kept
        return self.everywhere

    def _write(self, cell: Cell) -> None:
        where = self.where(cell)
        steps = [0] * self.rank
        for place, stride in zip(where, contiguous(cell.dims), strict=True):
            steps[place] = stride
        writes = []
        if cell in self.grouping.memory:
            writes.append(Access(cell, cell.kind, 0, tuple(steps)))
        for store in self.group.stores:
            if seen(store.operands[0]) is cell:
                writes.append(Access(cell, cell.kind, 0, tuple(steps), store.data))
        if writes:
            self.writes[cell] = writes

    def _collapse(self) -> None:
        """Makes one dimension of neighbours along which every array lies in one piece."""
        accesses = [*self.reads.values(), *[a for writes in self.writes.values() for a in writes]]
        d = 0
        while d + 1 < len(self.dims):
            n = self.dims[d + 1]
            if self.parts[d] == self.parts[d + 1] and all(a.strides[d] == a.strides[d + 1] * n for a in accesses):
                for a in accesses:
                    a.strides = (*a.strides[:d], *a.strides[d + 1 :])
                self.dims[d : d + 2] = [self.dims[d] * n]
                del self.parts[d]
                continue
            d += 1
        self.rank = len(self.dims)

    def put_last(self, dim: int) -> None:
        """Makes a dimension the last one, along which lanes lie."""
        order = [*[d for d in range(self.rank) if d != dim], dim]
        self.dims = [self.dims[d] for d in order]
        for a in (*self.reads.values(), *[a for writes in self.writes.values() for a in writes]):
            a.strides = tuple([a.strides[d] for d in order])


class Written:
    """A kernel that was written: its name, and into how many parts its work may be cut, with the cost of all of it."""

    def __init__(self, name: str, parts: int, work: int) -> None:
        self.name = name
        self.parts = parts
        self.work = work


def lanes_of(module: Module, size: int) -> int:
    """The lanes of a vector of elements of so many bytes, of which those of 1 and 2 are worked on as 4."""
    return module.vector_bits // 8 // max(size, 4)


class Pointers:
    """Addresses of what a kernel reads and writes, moved along by the loops outside of the innermost ones."""

    def __init__(self, b: Builder, kernel: Kernel) -> None:
        self.kernel = kernel
        self.at: dict[int, V] = {}
        self.accesses: list[Access] = [*kernel.reads.values(), *[a for w in kernel.writes.values() for a in w]]
        base: dict[tuple, V] = {}
        for a in self.accesses:
            key = ("variable", id(a.variable)) if a.variable is not None else ("cell", id(a.cell))
            if key not in base:
                base[key] = (
                    kernel.memory.variable(b, a.variable)
                    if a.variable is not None
                    else kernel.memory.pointer(b, a.cell)
                )
            self.at[id(a)] = b.address(base[key], a.offset, a.kind) if a.offset else base[key]

    def moved(self, b: Builder, dim: int, i: V) -> Pointers:
        """The addresses at position i of a dimension."""
        new = object.__new__(Pointers)
        new.kernel = self.kernel
        new.accesses = self.accesses
        new.at = {}
        steps: dict[int, V] = {}
        for a in self.accesses:
            stride = a.strides[dim]
            if not stride:
                new.at[id(a)] = self.at[id(a)]
                continue
            if stride not in steps:
                steps[stride] = i if stride == 1 else b.mul(i, constant(stride, I64))
            new.at[id(a)] = b.address(self.at[id(a)], steps[stride], a.kind)
        return new


class Point:
    """One point: addresses there, positions, the dimension along which the lanes lie, how many, and which count.

    Arguments:
        pointers: addresses at the positions of all dimensions but those of `steps`.
        places: the position in each dimension, where cells ask for it.
        lane_dim: the dimension of the lanes; -1 for none.
        lanes: how many.
        mask: which of them count, None for all.
        steps: positions along further dimensions, not yet part of the addresses.
        given: values that are known here.
        again: cells that an earlier pass has left in memory: how to read them, or where a row of them begins.
    """

    def __init__(
        self, b: Builder, pointers: Pointers, places: Sequence[V | None], lane_dim: int, lanes: int,
        mask: V | None = None, steps: Sequence[tuple[int, V]] = (), given: dict[Cell, V] | None = None,
        again: dict[Cell, Access | V] | None = None,
    ) -> None:  # fmt: skip
        self.b = b
        self.pointers = pointers
        self.kernel = pointers.kernel
        self.places = places
        self.lane_dim = lane_dim
        self.lanes = lanes
        self.mask = mask
        self.steps = steps
        self.known: dict[Cell, V] = dict(given or {})  # kept cells, and what is at this point
        self.again = again or {}

    def address(self, a: Access) -> V:
        """Where an access finds the first lane."""
        b, pointer = self.b, self.pointers.at[id(a)]
        for dim, i in self.steps:
            stride = a.strides[dim]
            if stride:
                pointer = b.address(pointer, i if stride == 1 else b.mul(i, constant(stride, I64)), a.kind)
        return pointer

    def load(self, a: Access) -> V:
        """The elements of an array in memory."""
        b, kind = self.b, a.kind
        pointer = self.address(a)
        stride = a.strides[self.lane_dim] if self.lane_dim >= 0 else 0
        if self.lanes == 1 or stride == 0:
            return b.splat(b.load(pointer, kind), self.lanes)
        if stride == 1:
            return b.load(pointer, kind, self.lanes, mask=self.mask)
        type = Type(kind, self.lanes)
        x = V("poison", type)
        if self.mask is not None:
            x = constant(0, kind, self.lanes)
        for lane in range(self._counted()):
            x = b.insert(x, b.load(b.address(pointer, lane * stride, kind), kind), lane)
        return x

    def _counted(self) -> int:
        return self.lanes if self.mask is None else self.mask.name.count("i1 1")

    def store(self, x: V, a: Access) -> None:
        """Writes the elements of an array in memory."""
        b = self.b
        pointer = self.address(a)
        stride = a.strides[self.lane_dim] if self.lane_dim >= 0 else 0
        if x.lanes == 1 or stride == 1:
            b.store(x, pointer, mask=self.mask if x.lanes > 1 else None)
            return
        for lane in range(self._counted()):
            b.store(b.extract(x, lane), b.address(pointer, lane * stride, x.kind))

    def operand(self, x: Cell, cell: Cell) -> V:
        """What a cell of the kernel reads."""
        if x.how == "number" or seen(x).how == "number":
            return constant(seen(x).data, x.kind, self.lanes)
        if x.how == "place":
            return self._position(x, cell)
        a = self.kernel.reads.get((x, cell))
        if a is not None:
            key = (a.cell, a.offset, a.strides)
            found = self.known.get(key)  # type: ignore[call-overload]
            if found is None:
                found = self.known[key] = self.load(a)  # type: ignore[index]
            return found
        v = self.value(seen(x))
        return self.b.splat(v, self.lanes) if v.lanes != self.lanes else v

    def value(self, cell: Cell) -> V:
        """A cell of the kernel here."""
        found = self.known.get(cell)
        if found is None:
            found = self.known[cell] = self._made(cell)
        return found

    def _made(self, cell: Cell) -> V:
        left = self.again.get(cell)
        if isinstance(left, Access):
            return self.load(left)
        if left is not None:
            return self.b.load(self.b.address(left, self.steps[-1][1], cell.kind), cell.kind, self.lanes)
        if cell.how == "pick":
            return self._picked(cell)
        values = [self.operand(x, cell) for x in cell.operands]
        out = cell.data(self.b, *values)
        if out.kind.llvm != cell.kind.llvm:
            raise Unsupported(f"{cell} was written as {out.kind.name}")
        return V(out.name, Type(cell.kind, out.lanes))

    def _position(self, x: Cell, cell: Cell) -> V:
        b = self.b
        if x.shape[x.data] == 1:
            return constant(0, x.kind, self.lanes)
        where = self.kernel.where(cell)
        axes = [a for a, n in enumerate(x.shape) if n != 1]
        dim = where[positions(x, cell)[axes.index(x.data)]]
        i = self._place(dim)
        spread = b.splat(b.cast(i, x.kind), self.lanes)
        if dim == self.lane_dim and self.lanes > 1:
            spread = b.add(spread, constants(range(self.lanes), x.kind))
        return spread

    def _place(self, dim: int) -> V:
        i = self.places[dim]
        for other, step in self.steps:
            if other == dim:
                i = step if i is None else self.b.add(i, step)
        return i if i is not None else index(0)

    def _picked(self, cell: Cell) -> V:
        """Rows at computed positions: of the positions one is read for each lane that needs its own."""
        b = self.b
        x, places = cell.operands
        axis, wide = cell.data
        base, offset, strides = (x.operands[0], *x.data) if x.how == "view" else (x, 0, contiguous(x.shape))
        where = self.kernel.where(cell)
        steps = []  # (dimension of the kernel, stride in x)
        k = 0
        for a, n in enumerate(cell.shape):
            if n == 1:
                continue
            dim = where[k]
            k += 1
            if a < axis:
                steps.append((dim, strides[a]))
            elif a >= axis + wide:
                steps.append((dim, strides[a - wide + 1]))
        moving = self.lane_dim in [dim for dim, _ in steps]
        at = self.operand(places, cell)
        pointer = self.kernel.memory.pointer(b, base)

        def address(row: V, lane: int) -> V:
            total = b.mul(b.cast(row, I64), constant(strides[axis], I64))
            total = b.add(total, constant(offset, I64))
            for dim, stride in steps:
                i = self._place(dim)
                total = b.add(total, b.mul(i, constant(stride, I64)))
                if dim == self.lane_dim and lane:
                    total = b.add(total, constant(lane * stride, I64))
            return b.address(pointer, total, cell.kind)

        if self.lanes == 1:
            return b.load(address(at, 0), cell.kind)
        stride = dict(steps).get(self.lane_dim, 0)
        if moving and stride == 1:
            return b.load(address(b.extract(at, 0), 0), cell.kind, self.lanes, mask=self.mask)
        out = constant(0, cell.kind, self.lanes)
        for lane in range(self._counted()):
            out = b.insert(out, b.load(address(b.extract(at, lane), lane if moving else 0), cell.kind), lane)
        return out


def finish(point: Point) -> None:
    """Computes everything that is written at a point, then writes it: a variable may be read before."""
    made = [(point.value(cell), accesses) for cell, accesses in point.kernel.writes.items()]
    for value, accesses in made:
        for a in accesses:
            point.store(value, a)


def masked(b: Builder, x: V, mask: V | None, neutral: Any) -> V:
    """x with a neutral number in the lanes that do not count."""
    return x if mask is None else b.select(mask, x, constant(neutral, x.kind, x.lanes))
