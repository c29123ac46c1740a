"""Ops some attributes of which are inputs: what stands at a position that is computed, `x[i]`, or is put there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....graph.late import Hole
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program
from ..values import I1, I64, V
from .rules import late_rule
from .shapes import resolved

_WHOLE = (None, None, None)


def _split(spec: tuple, rank: int) -> tuple[tuple, list[tuple[int, int]]]:
    """The spec with whole dimensions in the place of computed positions, and which (dimension, number) these are."""
    used = sum(part is not None and part is not Ellipsis for part in spec)
    plain: list[Any] = []
    holes, axis = [], 0
    for part in spec:
        if type(part) is Hole:
            holes.append((axis, part.index))
            plain.append(_WHOLE)
        elif type(part) is tuple and any(type(p) is Hole for p in part):
            raise Unsupported("a range whose ends are computed")
        else:
            plain.append(part)
        if part is Ellipsis:
            axis += rank - used
        elif part is not None:
            axis += 1
    return tuple(plain), holes


def _position(program: Program, at: Cell, n: int) -> Cell:
    """A position in n elements, counted from the end where it is negative; checked."""
    wide = program.cast(at, I64)

    def inside(b: Builder, i: V) -> V:
        return b.op("and", b.compare("ge", i, b.like(i, -n)), b.compare("lt", i, b.like(i, n)))

    def counted(b: Builder, i: V) -> V:
        safe = b.select(inside(b, i), i, b.like(i, 0))
        return b.select(b.compare("lt", safe, b.like(i, 0)), b.add(safe, b.like(i, n)), safe)

    program.check(program.map(inside, wide, kind=I1))
    return program.map(counted, wide, weight=4)


@late_rule("strided_slice")
def _element(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (count, spec), x = node.attributes, inputs[0]
    numbers = inputs[len(inputs) - count :]
    plain, holes = _split(spec, len(x.shape))
    begin, step, shape = resolved(x.shape, plain)
    if 0 in shape:
        raise Unsupported("an array of nothing")
    x = program.slice(x, begin, step, shape)
    for axis, number in holes:
        at = program.reshape(_position(program, numbers[number], x.shape[axis]), (1,))
        x = program.pick(x, at, axis, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return program.reshape(x, node.outputs[0].shape)


@late_rule("strided_slice_grad")
def _element_put_back(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (count, shape, spec), g = node.attributes, inputs[0]
    numbers = inputs[len(inputs) - count :]
    if not all(type(n) is int for n in shape):
        raise Unsupported("a shape that is not known")
    plain, holes = _split(spec, len(shape))
    one = list(shape)
    for axis, _ in holes:
        one[axis] = 1
    begin, step, size = resolved(one, plain)
    x = program.parts(one, [(program.reshape(g, size), begin, step)], 0)
    for axis, number in holes:
        at = _position(program, numbers[number], shape[axis])
        wide = (*x.shape[:axis], shape[axis], *x.shape[axis + 1 :])
        here = program.place(wide, axis)
        x = program.map(
            lambda b, v, i, p: b.select(b.compare("eq", i, p), v, b.like(v, 0)), x, here, at, kind=x.kind, weight=2
        )
    return program.reshape(x, node.outputs[0].shape)
