"""Recurrent networks over whole sequences, and their gradients: each walk is one kernel, its weights' gradient a product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import recurrent_tiles as tiles
from ..builder import F32, F64, Builder, V
from ..products import transpose
from ..program import Cell, Program, Unsupported
from ..recurrent_tiles import Sequences
from . import rule
from .products import product


def _shape(x: Cell, kernel: Cell, masked: bool, backward: bool) -> Sequences:
    if x.kind not in (F32, F64):
        raise Unsupported(f"a recurrent network of {x.kind.name}")
    batch, steps, width = x.shape
    units = kernel.shape[0]
    return Sequences(batch, steps, units, width // units, x.kind, masked, backward)


def _turned(program: Program, kernel: Cell) -> Cell:
    """The transposed recurrent kernel: it is read row by row at every step."""
    units, width = kernel.shape

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        transpose(b, at[0], width, place, units, units, width, kernel.kind)
        return 1, kernel.size

    return program.custom(write, (kernel,), (width, units))


def _before(program: Program, first: Cell, after: Cell, backward: bool) -> Cell:
    """The states before each step, in the order of the inputs."""
    batch, steps, units = after.shape
    begin = program.reshape(first, (batch, 1, units))
    if steps == 1:
        return begin
    if not backward:
        rest = program.slice(after, (0, 0, 0), (1, 1, 1), (batch, steps - 1, units))
        return program.parts(after.shape, [(begin, (0, 0, 0)), (rest, (0, 1, 0))])
    rest = program.slice(after, (0, steps - 2, 0), (1, -1, 1), (batch, steps - 1, units))
    return program.parts(after.shape, [(rest, (0, 0, 0)), (begin, (0, steps - 1, 0))])


def _weights(program: Program, before: Cell, dz: Cell) -> Cell:
    """The gradient of the recurrent kernel: one product over all steps."""
    units, width = before.shape[-1], dz.shape[-1]
    rows = before.shape[0] * before.shape[1]
    return product(
        program, program.reshape(before, (rows, units)), program.reshape(dz, (rows, width)), True, False, (units, width)
    )


def _rates(
    program: Program, given: Sequence[bool], more: Sequence[Cell]
) -> tuple[list[Cell], Callable[[Sequence[V]], list[V | None]]]:
    """The gradients of the states that there are, and a function from their addresses to those of all, or None."""
    cells = [program.whole(x) for x in more]

    def addresses(at: Sequence[V]) -> list[V | None]:
        left = iter(at)
        return [next(left) if there else None for there in given]

    return cells, addresses


@rule("lstm")
def _lstm(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    masked, backward = node.attributes
    shape = _shape(inputs[0], inputs[3], masked, backward)
    (hs, cs, gates, *_), room = tiles.lstm_places(shape)

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        tiles.lstm(b, at, place, shape, lo, hi)
        return shape.parts, shape.work

    made = program.custom(write, [program.whole(x) for x in inputs], (room,))
    steps = shape.batch, shape.steps
    return [
        program.piece(made, hs, (*steps, shape.units)),
        program.piece(made, cs, (*steps, shape.units)),
        program.piece(made, gates, (*steps, shape.width)),
    ]


@rule("lstm_grad")
def _lstm_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    masked, backward, given = node.attributes
    x, h, c, kernel, *mask = inputs[: 4 + masked]
    hs, cs, gates, *more = inputs[4 + masked :]
    shape = _shape(x, kernel, masked, backward)
    (dx, dh, dc, _), room = tiles.lstm_back_places(shape)
    rates, addresses = _rates(program, given, more)

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        first, last = at[:4], at[4 : 4 + len(rates)]
        tiles.lstm_back(b, first, addresses(last), at[4 + len(rates) :], place, shape, lo, hi)
        return shape.parts, shape.work

    operands = [*(program.whole(v) for v in (c, _turned(program, program.whole(kernel)), cs, gates)), *rates]
    made = program.custom(write, [*operands, *(program.whole(v) for v in mask)], (room,))
    dz = program.piece(made, dx, x.shape)
    state = (shape.batch, shape.units)
    weights = _weights(program, _before(program, h, hs, backward), dz)
    return [dz, program.piece(made, dh, state), program.piece(made, dc, state), weights]
