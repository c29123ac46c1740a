"""What a region of a graph computes, in the few forms that kernels are made of.

    source    an array from outside: an input, a variable, a constant
    number    one number known now
    map       elementwise: a function that writes the code for one vector of elements, over operands that broadcast
    place     the position along an axis
    view      another look at an array in memory: offset and strides
    reduce    a sum, product, maximum, minimum, all or any over axes, which stay with size 1
    pick      rows of an array at positions that are computed
    parts     an array put together from others, each at its place
    tile      what comes vector by vector from a kernel of its own: a product of matrices, a convolution
    product   products of many matrices
    custom    an array that is written in a way of its own
    store     a write to a variable

Lowering rules (`lower/`) turn ops into these; `grouping` puts them into kernels; `kernels` writes the code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from .builder import Builder
from .halves import converted
from .pieces import Unsupported
from .values import BF16, F32, HALVES, I1, I64, KINDS, Kind, V


class Cell:
    """One array of a program: its shape, the kind of its elements, and how it comes about."""

    __slots__ = ("how", "shape", "kind", "operands", "data", "number", "weight", "node")

    def __init__(
        self, how: str, shape: tuple[int, ...], kind: Kind, operands: Sequence[Cell] = (), data: Any = None,
        weight: int = 1,
    ) -> None:  # fmt: skip
        self.how = how
        self.shape = shape
        self.kind = kind
        self.operands = tuple(operands)
        self.data = data
        self.weight = weight  # of a map: about how many simple operations it takes
        self.number = 0  # its place among the cells, in the order in which they were made
        self.node: Any = None  # the node of the graph that it was made for

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimensions other than 1."""
        return tuple([n for n in self.shape if n != 1])

    def __repr__(self) -> str:
        return f"<{self.how} {self.kind.name}{list(self.shape)}>"


class Program:
    """The cells of a region, in an order in which they can run."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.node: Any = None  # the node that cells are now made for
        self.uses: dict[Any, int] = {}  # how often values of the graph are used, where that is known
        self.stores: list[Cell] = []
        self.checks: list[Cell] = []
        self.scalars: list[tuple[Any, Cell]] = []  # variables of one number, and what they become
        self._held: dict[int, Cell] = {}  # id of a variable -> what it holds now
        self._variables: dict[int, Cell] = {}  # id of a variable -> its source
        self._once: dict[Any, Cell] = {}
        self.sources: list[Cell] = []

    def _add(self, cell: Cell) -> Cell:
        cell.number = len(self.cells)
        cell.node = self.node
        self.cells.append(cell)
        return cell

    # -- from outside --

    def source(self, what: Any, shape: Any, dtype: np.dtype) -> Cell:
        """An array from outside; `what` tells the caller which. Raises Unsupported where the shape is not known."""
        if shape is None or None in shape:
            raise Unsupported("a shape that is not known")
        cell = self._add(Cell("source", tuple(shape), kind_of(dtype), data=what))
        self.sources.append(cell)
        return cell

    def constant(self, array: Any, number: int = 0) -> Cell:
        """An array known now, `number` of those that the caller has; single numbers stand in the code."""
        array = np.asarray(array)
        if array.size:
            first = array.flat[0]
            if array.size == 1 or (array == first).all() and array.tobytes().count(first.tobytes()) >= array.size:
                kind = kind_of(array.dtype)
                data = float(first) if kind in HALVES else first.item()
                return self._add(Cell("number", array.shape, kind, data=data))
        return self.source(("array", number), array.shape, array.dtype)

    def number(self, value: Any, kind: Kind, shape: tuple[int, ...] = ()) -> Cell:
        """The same number everywhere; of any shape, since it needs no memory."""
        return self._add(Cell("number", shape, kind, data=value))

    # -- elementwise --

    def map(self, function: Callable[..., V], *operands: Cell, kind: Kind | None = None, weight: int = 1) -> Cell:
        """`function(b, x, y, ...)` of every element; the result has the operands' kind unless another is given."""
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        kind = kind or operands[0].kind
        return self._add(Cell("map", tuple(map(int, shape)), kind, operands, function, weight))

    def cast(self, x: Cell, kind: Kind) -> Cell:
        """Another kind, as C casts."""
        if x.kind is kind:
            return x
        if x.kind in HALVES or kind in HALVES:
            return self.map(lambda b, v: converted(b, v, kind), x, kind=kind, weight=4)
        return self.map(lambda b, v: b.cast(v, kind), x, kind=kind)

    def wide(self, x: Cell) -> Cell:
        """What is computed with in the place of x: floats of 16 bits as float32, anything else as it is."""
        return self.once(("wide", x), lambda: self.cast(x, F32)) if x.kind in HALVES else x

    def place(self, shape: tuple[int, ...], axis: int, kind: Kind = I64) -> Cell:
        """The position along an axis, of a shape."""
        return self._add(Cell("place", tuple(shape), kind, data=axis % max(len(shape), 1)))

    def binary(self, name: str, x: Cell, y: Cell) -> Cell:
        """An operation of the builder on two cells."""
        return self.cast(self.map(lambda b, v, w: b.op(name, v, w), self.wide(x), self.wide(y)), x.kind)

    # -- looking at memory otherwise --

    def reshape(self, x: Cell, shape: Sequence[int]) -> Cell:
        """The same elements in another shape."""
        shape = tuple(map(int, shape))
        if shape == x.shape:
            return x
        if x.how == "number":
            return self.number(x.data, x.kind, shape)
        if prod(shape) != x.size:
            raise Unsupported(f"reshape of {x} to {shape}")
        if x.how == "view" and x.size:
            strides = _reshaped(x.shape, x.data[1], shape)
            if strides is not None:
                return self._view(x.operands[0], shape, x.data[0], strides, x.kind)
            x = self.copy(x)
        base, offset, _ = self.strided(x)
        return self._view(base, shape, offset, contiguous(shape), x.kind)

    def _view(self, x: Cell, shape: tuple[int, ...], offset: int, strides: tuple[int, ...], kind: Kind) -> Cell:
        return self._add(Cell("view", shape, kind, (x,), (offset, strides)))

    def strided(self, x: Cell) -> tuple[Cell, int, tuple[int, ...]]:
        """(array in memory, offset, strides) that x looks at."""
        if x.how == "view":
            return x.operands[0], *x.data
        if x.how in ("number", "place"):
            x = self.copy(x)
        return x, 0, contiguous(x.shape)

    def copy(self, x: Cell) -> Cell:
        """The same elements, in an array of their own."""
        return self.map(lambda b, v: v, x, weight=0)

    def whole(self, x: Cell) -> Cell:
        """x in one piece of memory, its elements in their order."""
        if x.how != "view":
            return self.copy(x) if x.how in ("number", "place") else x
        sizes = [(n, s) for n, s in zip(x.shape, x.data[1], strict=True) if n != 1]
        plain = [(n, s) for n, s in zip(x.shape, contiguous(x.shape), strict=True) if n != 1]
        return x if sizes == plain else self.copy(x)

    def transpose(self, x: Cell, order: Sequence[int]) -> Cell:
        """Dimensions in another order."""
        if x.how == "number":
            return self.number(x.data, x.kind, tuple(x.shape[i] for i in order))
        base, offset, strides = self.strided(x)
        return self._view(base, tuple(x.shape[i] for i in order), offset, tuple(strides[i] for i in order), x.kind)

    def diagonal(self, x: Cell, which: Sequence[int], rank: int) -> Cell:
        """Where several dimensions go along together: dimension a of x is number `which[a]` of `rank` ones."""
        shape = [next(n for n, k in zip(x.shape, which, strict=True) if k == d) for d in range(rank)]
        if x.how == "number":
            return self.number(x.data, x.kind, tuple(shape))
        base, offset, strides = self.strided(x)
        along = [sum(s for s, k in zip(strides, which, strict=True) if k == d) for d in range(rank)]
        return self._view(base, tuple(shape), offset, tuple(along), x.kind)

    def slice(self, x: Cell, begin: Sequence[int], step: Sequence[int], shape: Sequence[int]) -> Cell:
        """From `begin` in steps, as many elements as `shape` says."""
        if x.how == "number":
            return self.number(x.data, x.kind, tuple(shape))
        base, offset, strides = self.strided(x)
        offset += sum(s * i for s, i in zip(strides, begin, strict=True))
        steps = tuple(s * k for s, k in zip(strides, step, strict=True))
        return self._view(base, tuple(shape), offset, steps, x.kind)

    def broadcast(self, x: Cell, shape: Sequence[int]) -> Cell:
        """Repeated along dimensions of size 1, and new ones in front."""
        shape = tuple(map(int, shape))
        if shape == x.shape:
            return x
        if x.how == "number":
            return self.number(x.data, x.kind, shape)
        return self._add(Cell("map", shape, x.kind, (x,), lambda b, v: v, 0))

    # -- the rest --

    def reduce(self, name: str, x: Cell, axes: Sequence[int]) -> Cell:
        """`sum prod max min all any` over axes, which keep size 1."""
        axes = tuple(sorted({a % len(x.shape) for a in axes})) if x.shape else ()
        axes = tuple(a for a in axes if x.shape[a] != 1)
        if not axes:
            return x
        if not x.size:
            raise Unsupported("a reduction of nothing")
        shape = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])
        return self.once((name, x, axes), lambda: self._add(Cell("reduce", shape, x.kind, (x,), (name, axes))))

    def once(self, key: Any, make: Callable[[], Cell]) -> Cell:
        """What was made under a key before, or is made now."""
        found = self._once.get(key)
        if found is None:
            found = self._once[key] = make()
        return found

    def pick(self, x: Cell, places: Cell, axis: int, shape: Sequence[int]) -> Cell:
        """x at `places` along an axis, every other dimension as it is; places were checked."""
        if x.how == "number":
            return self.number(x.data, x.kind, tuple(shape))
        (x,) = self._arrays_of(x)
        wide = len(places.shape)
        spread = self.reshape(places, (*places.shape, *[1] * (len(x.shape) - axis - 1)))
        return self._add(Cell("pick", tuple(shape), x.kind, (x, spread), (axis, wide)))

    def parts(self, shape: Sequence[int], pieces: Sequence[tuple], fill: Any = None) -> Cell:
        """An array that pieces fill, one after the other; where none is, the number `fill` is.

        A piece is (cell, position of its first element), with a third item for steps along each dimension.
        """
        strides = contiguous(shape)
        places = []
        for _, begin, *steps in pieces:
            offset = sum(n * s for n, s in zip(begin, strides, strict=True))
            apart = tuple([n * s for n, s in zip(steps[0], strides, strict=True)]) if steps else strides
            places.append((offset, apart))
        cells = [piece[0] for piece in pieces]
        return self._add(Cell("parts", tuple(shape), cells[0].kind, cells, (places, fill)))

    def product(self, x: Cell, y: Cell, transpose_x: bool, transpose_y: bool, shape: Sequence[int]) -> Cell:
        """The products of matrices, in the last two dimensions; the others, which there are, are equal."""
        return self._add(Cell("product", tuple(shape), x.kind, self._arrays_of(x, y), (transpose_x, transpose_y)))

    def tile(self, write: Any, operands: Sequence[Cell], shape: Sequence[int]) -> Cell:
        """An array that a kernel makes vector by vector, each along its last dimension.

        `write(b, addresses, finished, lo, hi, rolled)` writes the kernel for a part of the work and returns into how
        many parts it can be cut and how much it is; it calls `finished(i, j, x, mask)` where the vector at row i (of
        all but the last dimension in one) and column j is done, as seldom as can be where that is long (`rolled`).
        """
        return self._add(Cell("tile", tuple(shape), operands[0].kind, self._arrays_of(*operands), write))

    def custom(self, write: Any, operands: Sequence[Cell], shape: Sequence[int], kind: Kind | None = None) -> Cell:
        """An array that a kernel writes itself: `write(b, addresses, address of the array, lo, hi)`; see `tile`.

        Its kind is that of the first operand unless another is given. Operands lie in one piece (`whole`).
        """
        return self._add(Cell("custom", tuple(shape), kind or operands[0].kind, self._arrays_of(*operands), write))

    def within(self, memory: Cell, at: int, shape: Sequence[int], kind: Kind) -> Cell:
        """An array of any kind in memory that a kernel wrote, `at` bytes from its beginning."""
        return self._view(memory, tuple(shape), at // kind.bytes, contiguous(tuple(shape)), kind)

    def _arrays_of(self, *operands: Cell) -> list[Cell]:
        """The operands of what reads memory: numbers, which lie in none, as arrays."""
        return [self.copy(x) if x.how in ("number", "place") else x for x in operands]

    def check(self, condition: Cell) -> None:
        """The region is run by NumPy, which raises the error, where this bool is not true everywhere."""
        whole = self.reduce("all", condition, range(len(condition.shape)))
        self.checks.append(self._add(Cell("check", (), I1, (whole,))))

    # -- variables --

    def read(self, variable: Any) -> Cell:
        """What a variable holds now."""
        held = self._held.get(id(variable))
        if held is None:
            held = self.source(("variable", variable), tuple(variable.shape), variable._dtype)
            self._held[id(variable)] = self._variables[id(variable)] = held
        return held

    def assign(self, variable: Any, x: Cell) -> None:
        """A variable takes the value of x. Single numbers lie in no array: whoever calls the program gets them."""
        self.read(variable)
        if not x.shape:
            self.scalars = [(v, c) for v, c in self.scalars if v is not variable] + [(variable, x)]
            self._held[id(variable)] = x
            return
        base = x.operands[0] if x.how == "view" else x
        if base.how == "source" and base.data[0] == "variable":
            x = self.copy(x)  # made by a kernel, which is known to come before the other variable is written
        store = self._add(Cell("store", x.shape, x.kind, (x,), variable))
        self.stores = [s for s in self.stores if s.data is not variable] + [store]
        self._held[id(variable)] = x


def kind_of(dtype: Any) -> Kind:
    """The kind of a dtype. Raises Unsupported for those that have none."""
    dtype = np.dtype(dtype)
    found = KINDS.get(dtype)
    if found is None and dtype.name == "bfloat16":  # a dtype of a package that is not loaded for this
        return BF16
    if found is None:
        raise Unsupported(f"dtype {dtype}")
    return found


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of an array that lies in one piece."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def _reshaped(shape: tuple[int, ...], strides: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of a strided array in another shape, None where that takes a copy."""
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    merged: list[list[int]] = []
    for n, s in old:
        if merged and merged[-1][1] == n * s:
            merged[-1][0] *= n
            merged[-1][1] = s
        else:
            merged.append([n, s])
    made: list[int] = []
    for n in reversed(wanted):
        if n == 1:
            made.append(0)
            continue
        if not merged or merged[-1][0] % n:
            return None
        size, s = merged.pop()
        made.append(s)
        if size > n:
            merged.append([size // n, s * n])
    return tuple(reversed(made)) if not merged else None


def write_map(b: Builder, cell: Cell, values: Sequence[V]) -> V:
    """The code of a map, of operands that are there."""
    return cell.data(b, *values)
