"""The walks of a GRU: see `recurrent_tiles`."""

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


def gru_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the states after each step, the gates, and what the walk itself needs: h, the recurrent part of a step."""
    n, state = shape.batch * shape.steps, shape.batch * shape.units
    return places(n * shape.units, n * 4 * shape.units, state, shape.batch * shape.width)


def gru(b: Builder, at: Sequence[V], place: V, shape: Sequences, lo: V, hi: V) -> None:
    """The walk of a GRU, of [x, h, kernel, bias, mask]; into memory that `gru_places` divides."""
    units, kind, make = shape.units, shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in gru_places(shape)[0]]
    x, first_h, mask = make.steps(at[0], shape.width), make.state(at[1]), make.mask(at[4:])
    hs, gates, h = make.steps(out[0]), make.steps(out[1], 4 * units), make.state(out[2])
    inner = make.state(out[3], shape.width)

    def add_bias(v: V, row: V, j: V, used: int, lanes: V | None) -> None:
        part = Part(0, v.lanes, used)
        store(b, b.add(v, load(b, at[3], j, part, kind)), inner.row(row), j, part)

    def step(chunk: Chunk, t: V) -> None:
        from_inputs = chunk.input_step(t)
        chunk.multiply(h, at[2], add_bias)

        def of_row(row: V) -> None:
            sums, h_row, x_row = inner.row(row), h.row(row), x.row(row, from_inputs)
            gates_row, hs_row = gates.row(row, t), hs.row(row, t)
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                in_z, in_r, recurrent = (load(b, sums, j, part, kind, g * units) for g in range(3))
                x_z, x_r, x_new = (load(b, x_row, j, part, kind, g * units) for g in range(3))
                z, r = sigmoid(b, b.add(in_z, x_z)), sigmoid(b, b.add(in_r, x_r))
                new = tanh(b, b.add(b.mul(r, recurrent), x_new))
                for g, v in enumerate((z, r, new, recurrent)):
                    store(b, v, gates_row, j, part, g * units)
                old = load(b, h_row, j, part, kind)
                h_new = where(b, counts, b.add(b.mul(b.sub(old, new), z), new), old)
                store(b, h_new, h_row, j, part)
                store(b, h_new, hs_row, j, part)

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)

    walk(b, shape, lo, hi, lambda chunk: chunk.copy(first_h, h), step)


def gru_back_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the gradients of x, h and the recurrent part of each step, and what the walk itself needs: one step's."""
    n = shape.batch * shape.steps * shape.width
    return places(n, shape.batch * shape.units, n, shape.batch * shape.width)


def gru_back(
    b: Builder, at: Sequence[V], rates: Sequence[V | None], mask_at: Sequence[V], place: V, shape: Sequences, lo: V,
    hi: V,
) -> None:  # fmt: skip
    """The walk back, of [h, kernel transposed, hs, gates] and the gradients of the states after each step."""
    units, kind, make = shape.units, shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in gru_back_places(shape)[0]]
    first_h, hs, gates, mask = make.state(at[0]), make.steps(at[2]), make.steps(at[3], 4 * units), make.mask(mask_at)
    rate = None if rates[0] is None else make.steps(rates[0])
    dx, dh, inner = make.steps(out[0], shape.width), make.state(out[1]), make.steps(out[2], shape.width)
    dz = make.state(out[3], shape.width)

    def step(chunk: Chunk, t: V) -> None:
        into_inputs = chunk.input_step(t)

        def of_row(row: V) -> None:
            made, earlier, dh_row, dz_row = gates.row(row, t), before(b, first_h, hs, row, t), dh.row(row), dz.row(row)
            dx_row, inner_row = dx.row(row, into_inputs), inner.row(row, into_inputs)
            rate_row = None if rate is None else rate.row(row, t)
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                z, r, new, recurrent = (load(b, made, j, part, kind, g * units) for g in range(4))
                h, unit = load(b, dh_row, j, part, kind), one(b, z)
                if rate_row is not None:
                    h = b.add(h, load(b, rate_row, j, part, kind))
                to_new = b.mul(b.mul(h, b.sub(unit, z)), b.sub(unit, b.mul(new, new)))
                to_z = b.mul(h, b.mul(b.sub(load(b, earlier, j, part, kind), new), slope(b, z)))
                to_r = b.mul(to_new, b.mul(recurrent, slope(b, r)))
                of_x = [where(b, counts, v, b.like(v, 0.0)) for v in (to_z, to_r, to_new)]
                of_sums = [*of_x[:2], b.mul(of_x[2], r)]
                for g in range(3):
                    store(b, of_x[g], dx_row, j, part, g * units)
                    store(b, of_sums[g], inner_row, j, part, g * units)
                    store(b, of_sums[g], dz_row, j, part, g * units)
                store(b, where(b, counts, b.mul(h, z), h), dh_row, j, part)

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)
        pass_on(chunk, dz, at[1], dh, True)

    walk(b, shape, lo, hi, lambda chunk: chunk.clear(dh), step, back=True)
