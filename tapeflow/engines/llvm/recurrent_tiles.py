"""Recurrent networks over whole sequences: products with the states and gates in vectors, step after step.

Rows of the batch know nothing of each other, so threads divide them: every chunk of rows walks over all steps by
itself. Its states and the sums of a step lie close together, in the first cache, and what is remembered of all steps is
written by the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import I1, Builder, Kind, V, constant, index
from tapeflow.engines.llvm.product_plans import plan_tile
from tapeflow.engines.llvm.products import product
from tapeflow.engines.llvm.tiles import Part, for_each_vector, over, scaled, shifted, target_of
from tapeflow.engines.llvm.vector_math import sigmoid, tanh

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
    end: Callable[[Chunk], None] | None = None, back: bool = False,
) -> None:  # fmt: skip
    """All steps of the chunks lo..hi: `step(chunk, t)`, with t going down where the walk goes back."""

    def chunk(i: V, rows: int) -> None:
        rows_of = Chunk(b, shape, i, rows)
        begin(rows_of)
        with b.loop(0, shape.steps) as loop:
            step(rows_of, b.sub(index(shape.steps - 1), loop.i) if back else loop.i)
        if end is not None:
            end(rows_of)

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


# -- the LSTM ----------------------------------------------------------------------------------------------------------


def lstm_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the states h and c after each step, the gates, and what the walk itself needs: h, c, sums of a step."""
    n, state = shape.batch * shape.steps, shape.batch * shape.units
    return places(n * shape.units, n * shape.units, n * shape.width, state, state, shape.batch * shape.width)


def lstm(b: Builder, at: Sequence[V], place: V, shape: Sequences, lo: V, hi: V) -> None:
    """The walk of an LSTM, of [x, h, c, kernel, mask]; into memory that `lstm_places` divides."""
    units, kind, make = shape.units, shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in lstm_places(shape)[0]]
    x, first_h, first_c, mask = make.steps(at[0], shape.width), make.state(at[1]), make.state(at[2]), make.mask(at[4:])
    hs, cs, gates = make.steps(out[0]), make.steps(out[1]), make.steps(out[2], shape.width)
    h, c, z = make.state(out[3]), make.state(out[4]), make.state(out[5], shape.width)

    def begin(chunk: Chunk) -> None:
        chunk.copy(first_h, h)
        chunk.copy(first_c, c)

    def step(chunk: Chunk, t: V) -> None:
        from_inputs = chunk.input_step(t)

        def add_inputs(v: V, row: V, j: V, used: int, lanes: V | None) -> None:
            part = Part(0, v.lanes, used)
            store(b, b.add(v, load(b, x.row(row, from_inputs), j, part, kind)), z.row(row), j, part)

        chunk.multiply(h, at[3], add_inputs)

        def of_row(row: V) -> None:
            sums, h_row, c_row = z.row(row), h.row(row), c.row(row)
            made = gates.row(row, t), hs.row(row, t), cs.row(row, t)
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                i, f, new, o = (load(b, sums, j, part, kind, g * units) for g in range(4))
                i, f, new, o = sigmoid(b, i), sigmoid(b, f), tanh(b, new), sigmoid(b, o)
                for g, v in enumerate((i, f, new, o)):
                    store(b, v, made[0], j, part, g * units)
                old = load(b, c_row, j, part, kind)
                c_new = b.add(b.mul(f, old), b.mul(i, new))
                h_new = b.mul(o, tanh(b, c_new))
                if counts is not None:
                    c_new = b.select(counts, c_new, old)
                    h_new = b.select(counts, h_new, load(b, h_row, j, part, kind))
                for v, row_of, all_of in ((h_new, h_row, made[1]), (c_new, c_row, made[2])):
                    store(b, v, row_of, j, part)
                    store(b, v, all_of, j, part)

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)

    walk(b, shape, lo, hi, begin, step)


def lstm_back_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the gradients of x, h and c, and what the walk itself needs: that of one step's sums."""
    state = shape.batch * shape.units
    return places(shape.batch * shape.steps * shape.width, state, state, shape.batch * shape.width)


def lstm_back(
    b: Builder, at: Sequence[V], rates: Sequence[V | None], mask_at: Sequence[V], place: V, shape: Sequences, lo: V,
    hi: V,
) -> None:  # fmt: skip
    """The walk back, of [c, kernel transposed, cs, gates] and the gradients of the states after each step."""
    units, kind, make = shape.units, shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in lstm_back_places(shape)[0]]
    first_c, cs, gates, mask = make.state(at[0]), make.steps(at[2]), make.steps(at[3], shape.width), make.mask(mask_at)
    g_h, g_c = (None if one is None else make.steps(one) for one in rates)
    dx, dh, dc = make.steps(out[0], shape.width), make.state(out[1]), make.state(out[2])
    dz = make.state(out[3], shape.width)

    def begin(chunk: Chunk) -> None:
        chunk.clear(dh)
        chunk.clear(dc)

    def step(chunk: Chunk, t: V) -> None:
        into_inputs = chunk.input_step(t)

        def of_row(row: V) -> None:
            made, c_row, earlier = gates.row(row, t), cs.row(row, t), before(b, first_c, cs, row, t)
            dh_row, dc_row, dz_row, dx_row = dh.row(row), dc.row(row), dz.row(row), dx.row(row, into_inputs)
            h_rate, c_rate = (None if g is None else g.row(row, t) for g in (g_h, g_c))
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                i, f, new, o = (load(b, made, j, part, kind, g * units) for g in range(4))
                h, c = load(b, dh_row, j, part, kind), load(b, dc_row, j, part, kind)
                if h_rate is not None:
                    h = b.add(h, load(b, h_rate, j, part, kind))
                if c_rate is not None:
                    c = b.add(c, load(b, c_rate, j, part, kind))
                squashed, unit, none = tanh(b, load(b, c_row, j, part, kind)), one(b, i), b.like(i, 0.0)
                through = b.mul(b.mul(h, o), b.sub(unit, b.mul(squashed, squashed)))
                total = b.add(c, where(b, counts, through, none))
                parts = (
                    b.mul(total, b.mul(new, slope(b, i))),
                    b.mul(total, b.mul(load(b, earlier, j, part, kind), slope(b, f))),
                    b.mul(total, b.mul(i, b.sub(unit, b.mul(new, new)))),
                    b.mul(h, b.mul(squashed, slope(b, o))),
                )
                for g, v in enumerate(parts):
                    v = where(b, counts, v, none)
                    store(b, v, dz_row, j, part, g * units)
                    store(b, v, dx_row, j, part, g * units)
                store(b, where(b, counts, b.mul(total, f), total), dc_row, j, part)
                if counts is not None:
                    store(b, b.select(counts, none, h), dh_row, j, part)  # what goes past the step

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)
        _pass_on(chunk, dz, at[1], dh, mask is not None)

    walk(b, shape, lo, hi, begin, step, back=True)


def _pass_on(chunk: Chunk, dz: Field, turned: V, dh: Field, adding: bool) -> None:
    """The gradient of the states before a step: of its sums, and what is there already where there is something."""
    b, kind = chunk.b, chunk.shape.kind

    def write(v: V, row: V, j: V, used: int, mask: V | None) -> None:
        part = Part(0, v.lanes, used)
        place = dh.row(row)
        store(b, b.add(v, load(b, place, j, part, kind)) if adding else v, place, j, part)

    chunk.multiply(dz, turned, write)
