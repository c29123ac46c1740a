"""Ops that move elements: most only look at memory otherwise, the rest puts pieces together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..builder import I1, I32, I64, Builder, V, constant
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from .reductions import total
from .rules import rule


@rule("reshape", "squeeze", "expand_dims")
def _reshape(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.reshape(inputs[0], node.outputs[0].shape)


@rule("transpose")
def _transpose(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (perm,) = inputs, node.attributes
    return program.transpose(x, [a % len(perm) for a in perm])


@rule("broadcast_to")
def _broadcast(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.broadcast(inputs[0], node.outputs[0].shape)


@rule("sum_to_shape")
def _sum_to(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), shape = inputs, node.outputs[0].shape
    extra = len(x.shape) - len(shape)
    axes = [a for a, n in enumerate(x.shape) if a < extra or shape[a - extra] == 1 != n]
    return program.reshape(total(program, "sum", x, axes), shape)


@rule("strided_slice")
def _strided_slice(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (spec,) = inputs, node.attributes
    begin, step, shape = _resolved(x.shape, spec)
    return program.reshape(program.slice(x, begin, step, shape), node.outputs[0].shape)


def _resolved(shape: Sequence[int], spec: tuple) -> tuple[list[int], list[int], list[int]]:
    """(first position, step, how many) along each dimension, of what stands between brackets."""
    used = sum(part is not None and part is not Ellipsis for part in spec)
    begin: list[int] = []
    step: list[int] = []
    size: list[int] = []
    for part in spec:
        if part is None:
            continue
        if part is Ellipsis:
            for _ in range(len(shape) - used):
                _append(begin, step, size, slice(None), shape)
        elif type(part) is tuple:
            _append(begin, step, size, slice(*part), shape)
        elif type(part) is int:
            n = shape[len(begin)]
            begin.append(part % n)
            step.append(1)
            size.append(1)
        else:
            raise Unsupported(f"an index {part!r}")
    while len(begin) < len(shape):
        _append(begin, step, size, slice(None), shape)
    return begin, step, size


def _append(begin: list[int], step: list[int], size: list[int], part: slice, shape: Sequence[int]) -> None:
    places = range(*part.indices(shape[len(begin)]))
    begin.append(places.start if len(places) else 0)
    step.append(places.step)
    size.append(len(places))


@rule("strided_slice_grad")
def _put_back(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (g,), (shape, spec) = inputs, node.attributes
    begin, step, size = _resolved(shape, spec)
    if any(s != 1 for s in step) or not g.size:
        raise Unsupported("the gradient of a slice with steps")
    return program.parts(shape, [(program.reshape(g, size), begin)], 0)


@rule("split")
def _split(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), axis = inputs, node.attributes[1]
    axis %= len(x.shape)
    made, at = [], 0
    for value in node.outputs:
        begin = [0] * len(x.shape)
        begin[axis] = at
        made.append(program.slice(x, begin, [1] * len(x.shape), value.shape))
        at += value.shape[axis]
    return made


@rule("unstack")
def _unstack(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), (axis, count) = inputs, node.attributes
    axis %= len(x.shape)
    made = []
    for i in range(count):
        begin, size = [0] * len(x.shape), list(x.shape)
        begin[axis], size[axis] = i, 1
        part = program.slice(x, begin, [1] * len(x.shape), size)
        made.append(program.reshape(part, node.outputs[i].shape))
    return made


@rule("concat")
def _concat(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (axis,) = node.attributes
    shape = node.outputs[0].shape
    return _joined(program, inputs, shape, axis % len(shape))


@rule("stack")
def _stack(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (axis,) = node.attributes
    shape = node.outputs[0].shape
    axis %= len(shape)
    parts = [program.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in inputs]
    return _joined(program, parts, shape, axis)


def _joined(program: Program, parts: Sequence[Cell], shape: Sequence[int], axis: int) -> Cell:
    pieces, at = [], 0
    for x in parts:
        begin = [0] * len(shape)
        begin[axis] = at
        at += x.shape[axis]
        if x.size:
            pieces.append((x, begin))
    if not pieces:
        raise Unsupported("nothing to join")
    return program.parts(shape, pieces)


@rule("pad")
def _pad(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (paddings, mode, value) = inputs, node.attributes
    if str(mode).upper() != "CONSTANT" or not x.size:
        raise Unsupported("padding with what is there")
    return program.parts(node.outputs[0].shape, [(x, [before for before, _ in paddings])], value)


@rule("tile")
def _tile(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (multiples,) = inputs, node.attributes
    split: list[int] = []
    wide: list[int] = []
    for n, m in zip(x.shape, multiples, strict=True):
        split += [1, n]
        wide += [m, n]
    if not x.size:
        raise Unsupported("tiles of nothing")
    spread = program.broadcast(program.reshape(x, split), wide)
    return program.reshape(program.map(lambda b, v: v, spread), node.outputs[0].shape)


@rule("reverse")
def _reverse(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes,) = inputs, node.attributes
    turned = {a % len(x.shape) for a in axes}
    begin = [n - 1 if a in turned else 0 for a, n in enumerate(x.shape)]
    step = [-1 if a in turned else 1 for a in range(len(x.shape))]
    if not x.size:
        raise Unsupported("nothing to reverse")
    return program.slice(x, begin, step, x.shape)


@rule("gather")
def _gather(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x, at), (axis, batch_dims) = inputs, node.attributes
    axis %= max(len(x.shape), 1)
    if batch_dims or not x.size or not at.size:
        raise Unsupported("a gather in batches")
    n = x.shape[axis]
    wide = program.cast(at, I64)
    inside = program.map(
        lambda b, i: b.op("and", b.compare("ge", i, b.like(i, 0)), b.compare("lt", i, b.like(i, n))), wide, kind=I1
    )
    program.check(inside)
    safe = program.map(
        lambda b, i: b.select(
            b.op("and", b.compare("ge", i, b.like(i, 0)), b.compare("lt", i, b.like(i, n))), i, b.like(i, 0)
        ),
        wide,
    )  # fmt: skip
    return program.pick(x, safe, axis, node.outputs[0].shape)


@rule("one_hot")
def _one_hot(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (at,), (_, axis, on, off) = inputs, node.attributes
    shape = node.outputs[0].shape
    axis %= len(shape)
    kind = kind_of(node.outputs[0].dtype)
    if at.kind.bytes < 4:
        at = program.cast(at, I32)  # in which every position has a number
    places = program.reshape(at, (*at.shape[:axis], 1, *at.shape[axis:]))
    here = program.place(shape, axis, at.kind)

    def code(b: Builder, i: V, p: V) -> V:
        yes, no = constant(on, kind, i.lanes), constant(off, kind, i.lanes)
        return b.select(b.compare("eq", i, p), yes, no)

    return program.map(code, places, here, kind=kind, weight=2)
