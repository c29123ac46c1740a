"""Cross entropies of softmaxes, with the gradients that come with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import vector_math as M
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program
from ..values import F32, F64, I1, V
from .positions import in_range
from .reductions import exponentials, total
from .rules import rule


@rule("softmax_cross_entropy")
def _softmax_cross_entropy(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    labels, logits = inputs
    shape = node.outputs[1].shape
    if logits.shape != shape:
        raise Unsupported("logits that are broadcast")
    last = (len(shape) - 1,)
    z, e, sums = exponentials(program, logits, last)
    of_sum = program.map(lambda b, v: M.log(b, v), sums, weight=18)
    losses = program.map(lambda b, s, v, y: b.mul(b.sub(s, v), y), of_sum, z, labels)
    loss = program.reshape(total(program, "sum", losses, last), shape[:-1])
    one = program.map(lambda b, v: b.div(b.like(v, 1.0), v), sums, weight=4)
    backprop = program.map(lambda b, v, s, y: b.sub(b.mul(v, s), y), e, one, labels)
    return [loss, backprop]


@rule("sparse_softmax_cross_entropy")
def _sparse_softmax_cross_entropy(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    logits, labels = inputs
    n = logits.shape[-1]
    rank = len(logits.shape)
    in_range(program, labels, n)
    z, e, sums = exponentials(program, logits, (rank - 1,))
    places = program.reshape(labels, (*labels.shape, 1))
    here = program.place(logits.shape, rank - 1, labels.kind)
    hot = program.map(lambda b, i, p: b.compare("eq", i, p), places, here, kind=I1)
    mine = program.map(lambda b, h, v: b.select(h, v, b.like(v, 0.0)), hot, z, kind=z.kind)
    picked = total(program, "sum", mine, (rank - 1,))
    of_sum = program.map(lambda b, v: M.log(b, v), sums, weight=18)
    loss = program.reshape(program.binary("sub", of_sum, picked), labels.shape)
    one = program.map(lambda b, v: b.div(b.like(v, 1.0), v), sums, weight=4)

    def code(b: Any, h: Any, v: Any, s: Any) -> Any:
        p = b.mul(v, s)
        return b.select(h, b.sub(p, b.like(p, 1.0)), p)

    return [loss, program.map(code, hot, e, one, kind=z.kind)]


_CLIP = 1e-7


@rule("sparse_cross_entropy_of_probabilities")
def _of_probabilities(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    p, labels = inputs
    if p.kind not in (F32, F64):
        raise Unsupported(f"a cross entropy of {p.kind.name}")
    last = len(p.shape) - 1
    column = program.reshape(in_range(program, labels, p.shape[-1]), (*labels.shape, 1))
    hot = program.map(lambda b, i, j: b.compare("eq", i, j), column, program.place(p.shape, last), kind=I1)

    def clip(b: Builder, v: V) -> V:
        above = b.select(b.compare("lt", v, b.like(v, _CLIP)), b.like(v, _CLIP), v)
        return b.select(b.compare("gt", above, b.like(v, 1 - _CLIP)), b.like(v, 1 - _CLIP), above)

    clipped = program.map(clip, p, weight=4)
    sums = total(program, "sum", clipped, (last,))
    mine = program.map(lambda b, h, c: b.select(h, c, b.like(c, 0)), hot, clipped, kind=p.kind)
    chosen = total(program, "sum", mine, (last,))
    loss = program.map(lambda b, s, c: M.log(b, b.div(s, c)), sums, chosen, weight=22)

    def code(b: Builder, v: V, c: V, h: V, s: V) -> V:
        zero, one = b.like(v, 0.0), b.like(v, 1.0)
        inside = b.compare("eq", v, c)
        rate = b.div(b.select(inside, one, zero), s)
        return b.sub(rate, b.select(b.op("and", h, inside), b.div(one, c), zero))

    return [program.reshape(loss, labels.shape), program.map(code, p, clipped, hot, sums, weight=10)]
