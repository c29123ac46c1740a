"""The walks of the plain recurrent network, h = tanh(x + h @ kernel): see `recurrent_tiles`."""

from __future__ import annotations

from collections.abc import Sequence

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.recurrent_tiles import (
    Chunk,
    Fields,
    Sequences,
    load,
    one,
    pass_on,
    places,
    store,
    walk,
    where,
)
from tapeflow.engines.llvm.tiles import Part
from tapeflow.engines.llvm.values import V
from tapeflow.engines.llvm.vector_math import tanh


def tanh_rnn_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the states after each step, and what the walk itself needs: h and a step's sums."""
    state = shape.batch * shape.units
    return places(shape.steps * state, state, state)


def tanh_rnn(b: Builder, at: Sequence[V], place: V, shape: Sequences, lo: V, hi: V) -> None:
    """The walk of h = tanh(x + h @ kernel), of [x, h, kernel, mask]; into memory that `tanh_rnn_places` divides."""
    kind, make = shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in tanh_rnn_places(shape)[0]]
    x, first_h, mask = make.steps(at[0]), make.state(at[1]), make.mask(at[3:])
    hs, h, z = make.steps(out[0]), make.state(out[1]), make.state(out[2])

    def keep(v: V, row: V, j: V, used: int, lanes: V | None) -> None:
        store(b, v, z.row(row), j, Part(0, v.lanes, used))

    def step(chunk: Chunk, t: V) -> None:
        from_inputs = chunk.input_step(t)
        chunk.multiply(h, at[2], keep)

        def of_row(row: V) -> None:
            sums, x_row, h_row, hs_row = z.row(row), x.row(row, from_inputs), h.row(row), hs.row(row, t)
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                new = tanh(b, b.add(load(b, sums, j, part, kind), load(b, x_row, j, part, kind)))
                if counts is not None:
                    new = b.select(counts, new, load(b, h_row, j, part, kind))
                store(b, new, h_row, j, part)
                store(b, new, hs_row, j, part)

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)

    walk(b, shape, lo, hi, lambda chunk: chunk.copy(first_h, h), step)


def tanh_rnn_back_places(shape: Sequences) -> tuple[list[int], int]:
    """Of the gradients of x and h, and what the walk itself needs: that of one step's sums."""
    state = shape.batch * shape.units
    return places(shape.steps * state, state, state)


def tanh_rnn_back(
    b: Builder, at: Sequence[V], rates: Sequence[V | None], mask_at: Sequence[V], place: V, shape: Sequences, lo: V,
    hi: V,
) -> None:  # fmt: skip
    """The walk back, of [kernel transposed, hs] and the gradients of the states after each step."""
    kind, make = shape.kind, Fields(b, shape)
    out = [b.address(place, n, kind) for n in tanh_rnn_back_places(shape)[0]]
    hs, mask = make.steps(at[1]), make.mask(mask_at)
    rate = None if rates[0] is None else make.steps(rates[0])
    dx, dh, dz = make.steps(out[0]), make.state(out[1]), make.state(out[2])

    def step(chunk: Chunk, t: V) -> None:
        into_inputs = chunk.input_step(t)

        def of_row(row: V) -> None:
            made, dh_row, dz_row, dx_row = hs.row(row, t), dh.row(row), dz.row(row), dx.row(row, into_inputs)
            rate_row = None if rate is None else rate.row(row, t)
            counts = None if mask is None else chunk.counts(mask, row, t)

            def vector(j: V, part: Part) -> None:
                h, y = load(b, dh_row, j, part, kind), load(b, made, j, part, kind)
                if rate_row is not None:
                    h = b.add(h, load(b, rate_row, j, part, kind))
                none = b.like(h, 0.0)
                v = where(b, counts, b.mul(h, b.sub(one(b, y), b.mul(y, y))), none)
                store(b, v, dz_row, j, part)
                store(b, v, dx_row, j, part)
                if counts is not None:
                    store(b, b.select(counts, none, h), dh_row, j, part)  # what goes past the step

            chunk.for_each_vector(vector)

        chunk.for_each_row(of_row)
        pass_on(chunk, dz, at[0], dh, mask is not None)

    walk(b, shape, lo, hi, lambda chunk: chunk.clear(dh), step, back=True)
