"""Running totals, and elements in their order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .. import vector_math as M
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..values import I1, I64, V
from ..walks import greatest, scan
from .rules import rule

_SORTED = 16  # elements that are put in order by putting each in its place; NumPy is faster with more


def _log_of_sum(b: Builder, x: V, y: V) -> V:
    """log(exp(x) + exp(y)), of equal infinities as well."""
    top = b.select(b.compare("gt", x, y), x, y)
    top = b.select(b.compare("uno", x, x), x, top)
    apart = b.neg(b.intrinsic("fabs", b.sub(x, y)))
    apart = b.select(b.compare("eq", x, y), b.like(x, 0.0), apart)
    return b.add(top, M.log1p(b, M.exp(b, apart)))


# name -> (how two totals become one, what an exclusive one begins with)
_SCANS: dict[str, tuple[Any, float]] = {
    "cumsum": (lambda b, x, y: b.add(x, y), 0),
    "cumprod": (lambda b, x, y: b.mul(x, y), 1),
    "cumulative_logsumexp": (_log_of_sum, float("-inf")),
}


@rule(*_SCANS)
def _scan(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axis, exclusive, reverse) = inputs, node.attributes
    return running(program, x, axis % len(x.shape), node.op.name, exclusive, reverse)


def running(program: Program, x: Cell, axis: int, how: str, exclusive: bool = False, reverse: bool = False) -> Cell:
    """Running totals along an axis, by the op's name."""
    combine, first = _SCANS[how]
    if x.kind is I1 or not x.kind.floating and combine is _log_of_sum:
        raise Unsupported(f"running totals of {x.kind.name}")
    sizes = prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])

    def write(b: Builder, at: list[V], out: V, lo: V, hi: V) -> tuple[int, int]:
        return scan(b, at[0], out, sizes, x.kind, combine, first, exclusive, reverse, lo, hi)

    return program.custom(write, (program.whole(x),), x.shape)


@rule("top_k")
def _top_k(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), (k, dtype) = inputs, node.attributes
    if not k or k > _SORTED:
        raise Unsupported("a row of so many elements in order")
    return list(_ordered(program, x, k, False, kind_of(dtype)))


@rule("sort", "argsort")
def _sort(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axis, descending) = inputs, node.attributes
    n, rank = x.shape[axis], len(x.shape)
    if n > _SORTED:
        raise Unsupported("a row of so many elements in order")
    order = [*[i for i in range(rank) if i != axis], axis]
    kind = kind_of(node.outputs[0].dtype)
    values, places = _ordered(program, program.transpose(x, order), n, not descending, kind)
    found = values if node.op.name == "sort" else places
    return program.transpose(found, [order.index(i) for i in range(rank)])


def _ordered(program: Program, x: Cell, k: int, smallest: bool, kind: Any) -> tuple[Cell, Cell]:
    """The first k elements of the last dimension in order, and their positions in another kind."""
    if x.kind is I1:
        raise Unsupported("bools in order")
    *before, n = x.shape
    sizes = prod(before), n, k

    def write(b: Builder, at: list[V], out: V, lo: V, hi: V) -> tuple[int, int]:
        return greatest(b, at[0], out, sizes, x.kind, smallest, lo, hi)

    places = program.custom(write, (program.whole(x),), (*before, k), I64)
    rows = program.reshape(x, (prod(before) * n,))
    first = program.map(
        lambda b, i, row: b.add(i, b.mul(row, b.like(row, n))),
        program.reshape(places, (prod(before), k)),
        program.place((prod(before), k), 0),
    )
    values = program.pick(rows, first, 0, (prod(before), k))
    return program.reshape(values, (*before, k)), program.cast(places, kind)
