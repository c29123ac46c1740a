"""The walks of an LSTM: see `recurrent_tiles`."""

from __future__ import annotations

from collections.abc import Sequence

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.recurrent_tiles import (
    Chunk,
    Fields,
    Sequences,
    before,
    load,
    one,
    pass_on,
    places,
    slope,
    store,
    walk,
    where,
)
from tapeflow.engines.llvm.tiles import Part
from tapeflow.engines.llvm.values import V
from tapeflow.engines.llvm.vector_math import sigmoid, tanh


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
        pass_on(chunk, dz, at[1], dh, mask is not None)

    walk(b, shape, lo, hi, begin, step, back=True)
