"""Recurrent networks over whole sequences, and their gradients.

Each walk is one kernel, which writes all its arrays into one piece of memory; the outputs are looks at it. What depends
on no other step follows for all steps at once: the gradient of the recurrent kernel is a product like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import gru_tiles, lstm_tiles, tanh_rnn_tiles
from ..builder import Builder
from ..pieces import Unsupported
from ..products import transpose
from ..program import Cell, Program
from ..recurrent_tiles import Sequences
from ..values import F32, F64, V
from .products import product
from .rules import rule


def _shape(x: Cell, kernel: Cell, masked: bool, backward: bool) -> Sequences:
    if x.kind not in (F32, F64):
        raise Unsupported(f"a recurrent network of {x.kind.name}")
    batch, steps, width = x.shape
    units = kernel.shape[0]
    return Sequences(batch, steps, units, width // units, x.kind, masked, backward)


def _turned(program: Program, kernel: Cell) -> Cell:
    """The transposed recurrent kernel: it is read row by row at every step."""
    kernel = program.whole(kernel)
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
    batch, steps, units = before.shape
    rows, width = batch * steps, dz.shape[-1]
    x, y = program.reshape(before, (rows, units)), program.reshape(dz, (rows, width))
    return product(program, x, y, True, False, (units, width))


def _forward(
    program: Program, inputs: Sequence[Cell], shape: Sequences, plan: tuple[list[int], int], write_walk: Callable,
    widths: Sequence[int],
) -> list[Cell]:  # fmt: skip
    """A walk's outputs [batch, steps, width], the first of the arrays that it writes."""
    begins, room = plan

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        write_walk(b, at, place, shape, lo, hi)
        return shape.parts, shape.work

    made = program.custom(write, [program.whole(x) for x in inputs], (room,))
    return [
        program.within(made, begin * shape.kind.bytes, (shape.batch, shape.steps, width), shape.kind)
        for begin, width in zip(begins, widths, strict=False)
    ]


def _back(
    program: Program, inputs: Sequence[Cell], rates: Sequence[Cell], given: Sequence[bool], mask: Sequence[Cell],
    shape: Sequences, plan: tuple[list[int], int], write_walk: Callable, shapes: Sequence[tuple[int, ...]],
) -> list[Cell]:  # fmt: skip
    """What a walk back gives, arrays of these shapes; `given` says of which of the states there are gradients."""
    begins, room = plan
    first, last = len(inputs), len(inputs) + len(rates)

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        left = iter(at[first:last])
        all_rates = [next(left) if there else None for there in given]
        write_walk(b, at[:first], all_rates, at[last:], place, shape, lo, hi)
        return shape.parts, shape.work

    made = program.custom(write, [program.whole(x) for x in (*inputs, *rates, *mask)], (room,))
    return [
        program.within(made, begin * shape.kind.bytes, size, shape.kind)
        for begin, size in zip(begins, shapes, strict=False)
    ]


@rule("lstm")
def _lstm(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    shape = _shape(inputs[0], inputs[3], *node.attributes)
    plan, widths = lstm_tiles.lstm_places(shape), (shape.units, shape.units, shape.width)
    return _forward(program, inputs, shape, plan, lstm_tiles.lstm, widths)


@rule("lstm_grad")
def _lstm_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    masked, backward, given = node.attributes
    x, h, c, kernel, *mask = inputs[: 4 + masked]
    hs, cs, gates, *rates = inputs[4 + masked :]
    shape = _shape(x, kernel, masked, backward)
    dz, dh, dc = _back(
        program, (c, _turned(program, kernel), cs, gates), rates, given, mask, shape,
        lstm_tiles.lstm_back_places(shape), lstm_tiles.lstm_back, (x.shape, h.shape, c.shape),
    )  # fmt: skip
    return [dz, dh, dc, _weights(program, _before(program, h, hs, backward), dz)]


@rule("gru")
def _gru(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    shape = _shape(inputs[0], inputs[2], *node.attributes)
    plan, widths = gru_tiles.gru_places(shape), (shape.units, 4 * shape.units)
    return _forward(program, inputs, shape, plan, gru_tiles.gru, widths)


@rule("gru_grad")
def _gru_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    masked, backward, given = node.attributes
    x, h, kernel, bias, *mask = inputs[: 4 + masked]
    hs, gates, *rates = inputs[4 + masked :]
    shape = _shape(x, kernel, masked, backward)
    dx, dh, inner = _back(
        program, (h, _turned(program, kernel), hs, gates), rates, given, mask, shape,
        gru_tiles.gru_back_places(shape), gru_tiles.gru_back, (x.shape, h.shape, x.shape),
    )  # fmt: skip
    weights = _weights(program, _before(program, h, hs, backward), inner)
    return [dx, dh, weights, program.reshape(program.reduce("sum", inner, (0, 1)), bias.shape)]


@rule("tanh_rnn")
def _tanh_rnn(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    shape = _shape(inputs[0], inputs[2], *node.attributes)
    return _forward(
        program, inputs, shape, tanh_rnn_tiles.tanh_rnn_places(shape), tanh_rnn_tiles.tanh_rnn, (shape.units,)
    )


@rule("tanh_rnn_grad")
def _tanh_rnn_grad(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    masked, backward, given = node.attributes
    x, h, kernel, *mask = inputs[: 3 + masked]
    hs, *rates = inputs[3 + masked :]
    shape = _shape(x, kernel, masked, backward)
    dz, dh = _back(
        program, (_turned(program, kernel), hs), rates, given, mask, shape,
        tanh_rnn_tiles.tanh_rnn_back_places(shape), tanh_rnn_tiles.tanh_rnn_back, (x.shape, h.shape),
    )  # fmt: skip
    return [dz, dh, _weights(program, _before(program, h, hs, backward), dz)]
