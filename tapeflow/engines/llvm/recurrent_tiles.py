"""Recurrent networks over whole sequences: products with the states and gates in vectors, step after step.

Rows of the batch know nothing of each other, so threads divide them: every chunk of rows walks over all steps by
itself. Its states and the sums of a step lie close together, in the first cache, and what is remembered of all steps is
written by the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.product_plans import plan_tile
from tapeflow.engines.llvm.products import product
from tapeflow.engines.llvm.tiles import Part, for_each_vector, over, scaled, shifted, target_of
from tapeflow.engines.llvm.values import I1, Kind, V, constant, index

_ROWS = 8  # of a chunk: enough for a product, few enough for many threads
_MANY_ROWS = 32  # where the kernel is larger than caches: it is read again for every chunk
_LARGE = 1 << 20  # bytes of such a kernel
_ALIGN = 16  # numbers at multiples of which arrays begin


class Sequences(NamedTuple):
    """The sizes of a recurrent network: [batch, steps] inputs, so many units with so many gates.

    `masked` says whether some steps leave the states as they are, `backward` whether the walk begins at the last input.
    """

    batch: int
    steps: int
    units: int
    gates: int
    kind: Kind
    masked: bool
    backward: bool

    @property
    def width(self) -> int:
        """The numbers of all gates of a step."""
        return self.gates * self.units

    @property
    def chunk(self) -> int:
        """The rows that one thread takes at a time."""
        most = _MANY_ROWS if self.units * self.width * self.kind.bytes > _LARGE else _ROWS
        fitting = [n for n in range(most // 2, most + 1) if self.batch % n == 0]
        return max(fitting, default=min(most, self.batch))

    @property
    def parts(self) -> int:
        """The number of chunks."""
        return -(-self.batch // self.chunk)

    @property
    def work(self) -> int:
        """About how many simple operations a walk takes."""
        return self.batch * self.steps * self.width * (self.units // 4 + 10)


def places(*sizes: int) -> tuple[list[int], int]:
    """Where arrays of such sizes begin that share one piece of memory, and its size."""
    found, at = [], 0
    for n in sizes:
        found.append(at)
        at += -(-n // _ALIGN) * _ALIGN
    return found, at


class Field:
    """An array [batch, steps, width], or [batch, width], of which vectors are read and written.

    Arguments:
        b: the function being written.
        begin: where it begins.
        width: the numbers of a row.
        steps: how many steps there are; 0 if it is the same for all.
        kind: what its numbers are.
    """

    def __init__(self, b: Builder, begin: V, width: int, steps: int, kind: Kind) -> None:
        self.b, self.begin, self.width, self.steps, self.kind = b, begin, width, steps, kind

    def row(self, i: V, t: V | None = None) -> V:
        """The address of a row's numbers at a step."""
        b = self.b
        if self.steps and t is not None:
            i = shifted(b, scaled(b, i, self.steps), t)
        return b.address(self.begin, scaled(b, i, self.width), self.kind)


def load(b: Builder, row: V, j: V, part: Part, kind: Kind, after: int = 0) -> V:
    """The vector of a row's numbers at column j, so many numbers further on."""
    return b.load(b.address(row, shifted(b, j, after), kind), kind, part.lanes, mask=part.mask(b))


def store(b: Builder, x: V, row: V, j: V, part: Part, after: int = 0) -> None:
    """Writes what `load` reads."""
    b.store(x, b.address(row, shifted(b, j, after), x.kind), mask=part.mask(b))


def one(b: Builder, x: V) -> V:
    """1, as a vector like x."""
    return b.like(x, 1.0)


def slope(b: Builder, x: V) -> V:
    """The derivative of the sigmoid that was x."""
    return b.mul(x, b.sub(one(b, x), x))


class Chunk:
    """Some rows of the batch on their walk: `i` is the first, of `rows`."""

    def __init__(self, b: Builder, shape: Sequences, i: V, rows: int) -> None:
        self.b, self.shape, self.i, self.rows = b, shape, i, rows

    def input_step(self, t: V) -> V:
        """The step of the inputs that is the walk's step t."""
        return self.b.sub(index(self.shape.steps - 1), t) if self.shape.backward else t

    def for_each_row(self, body: Callable[[V], None]) -> None:
        """`body(row)`."""
        with self.b.loop(0, self.rows) as loop:
            body(shifted(self.b, self.i, loop.i))

    def for_each_vector(self, body: Callable[[V, Part], None]) -> None:
        """`body(j, part)` for the vectors of one row of units."""
        for_each_vector(self.b, self.shape.units, self.shape.kind, body)

    def copy(self, source: Field, target: Field) -> None:
        """A state's rows, from one array to another."""
        b, kind = self.b, self.shape.kind
        begin, end = source.row(self.i), target.row(self.i)

        def vector(j: V, part: Part) -> None:
            store(b, load(b, begin, j, part, kind), end, j, part)

        for_each_vector(b, self.rows * self.shape.units, kind, vector)

    def clear(self, target: Field) -> None:
        """Rows of zeros in place of a state."""
        b, kind = self.b, self.shape.kind
        end = target.row(self.i)
        for_each_vector(
            b, self.rows * self.shape.units, kind, lambda j, part: store(b, constant(0, kind, part.lanes), end, j, part)
        )

    def multiply(self, x: Field, kernel: V, finished: Callable[[V, V, V, int, V | None], None]) -> None:
        """Rows of x times a matrix [x.width, n], n the units for rows of all gates and all gates for rows of units.

        `finished(v, row, j, used, mask)` gets the vectors.
        """
        b, shape = self.b, self.shape
        columns = shape.width if x.width == shape.units else shape.units
        tile = plan_tile(self.rows, columns, x.width, target_of(b.module), shape.kind)
        product(
            b, x.row(self.i), kernel, self.rows, columns, x.width, kind=shape.kind, tile=tile, rolled=False,
            epilogue=lambda b, v, i, j, used, mask: finished(v, shifted(b, self.i, i), j, used, mask),
        )  # fmt: skip

    def counts(self, mask: Field, row: V, t: V) -> V:
        """Whether a step changes the states of a row."""
        return self.b.load(mask.row(row, self.input_step(t)), I1)


def walk(
    b: Builder, shape: Sequences, lo: V, hi: V, begin: Callable[[Chunk], None], step: Callable[[Chunk, V], None],
    back: bool = False,
) -> None:  # fmt: skip
    """All steps of the chunks lo..hi: `step(chunk, t)`, with t going down where the walk goes back."""

    def chunk(i: V, rows: int) -> None:
        rows_of = Chunk(b, shape, i, rows)
        begin(rows_of)
        with b.loop(0, shape.steps) as loop:
            step(rows_of, b.sub(index(shape.steps - 1), loop.i) if back else loop.i)

    over(b, shape.batch, shape.chunk, chunk, lo, hi)


def where(b: Builder, condition: V | None, x: V, y: V) -> V:
    """x where a bool holds, or where there is none; else y."""
    return x if condition is None else b.select(condition, x, y)


class Fields:
    """Makes the fields of a walk over one shape."""

    def __init__(self, b: Builder, shape: Sequences) -> None:
        self.b, self.shape = b, shape

    def steps(self, begin: V, width: int | None = None) -> Field:
        """[batch, steps, width], of units if nothing else is said."""
        return Field(self.b, begin, width or self.shape.units, self.shape.steps, self.shape.kind)

    def state(self, begin: V, width: int | None = None) -> Field:
        """[batch, width], of units if nothing else is said."""
        return Field(self.b, begin, width or self.shape.units, 0, self.shape.kind)

    def mask(self, begin: Sequence[V]) -> Field | None:
        """[batch, steps] of bools, if there are any."""
        return Field(self.b, begin[0], 1, self.shape.steps, I1) if self.shape.masked else None


def before(b: Builder, first: Field, after: Field, row: V, t: V) -> V:
    """Where the row of a state before step t begins."""
    start = b.compare("eq", t, index(0))
    earlier = b.sub(t, b.select(start, index(0), index(1)))
    return b.select(start, first.row(row), after.row(row, earlier))


def pass_on(chunk: Chunk, dz: Field, turned: V, dh: Field, adding: bool) -> None:
    """The gradient of the states before a step: of its sums, and what is there already where there is something."""
    b, kind = chunk.b, chunk.shape.kind

    def write(v: V, row: V, j: V, used: int, mask: V | None) -> None:
        part = Part(0, v.lanes, used)
        place = dh.row(row)
        store(b, b.add(v, load(b, place, j, part, kind)) if adding else v, place, j, part)

    chunk.multiply(dz, turned, write)
