"""Cross entropies of softmaxes, with the gradients that come with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import vector_math as M
from ..builder import I1, I64
from ..pieces import Unsupported
from ..program import Cell, Program
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
    wide = program.cast(labels, I64)
    inside = program.map(
        lambda b, i: b.op("and", b.compare("ge", i, b.like(i, 0)), b.compare("lt", i, b.like(i, n))), wide, kind=I1
    )
    program.check(inside)
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
