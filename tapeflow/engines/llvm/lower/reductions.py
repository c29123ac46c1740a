"""Reductions, softmaxes, and positions of extrema."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from .. import vector_math as M
from ..builder import Builder
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..values import F32, F64, I1, I64, V
from .rules import rule

_RUN = 4096  # elements that are summed in one run; sums of more are sums of runs, which keeps their digits
# sums over many rows of few columns are made in 16 to 128 runs, from so many elements and up to so many columns
_TALL, _NARROW = 1 << 17, 1 << 9


def all_axes(x: Cell, axes: Sequence[int] | None) -> tuple[int, ...]:
    """Axes counted from the front; None means all."""
    rank = len(x.shape)
    return tuple(range(rank)) if axes is None else tuple([a % rank for a in axes])


def total(program: Program, name: str, x: Cell, axes: Sequence[int]) -> Cell:
    """A reduction over axes that keep size 1, however many elements there are and wherever the axes stand."""
    axes = tuple(sorted(a for a in axes if x.shape[a] != 1))
    if not axes:
        return x
    runs = _side_by_side(x, axes)
    if len(runs) > 1:
        # dimensions apart from each other, one run after the other
        for run in reversed(runs):
            x = total(program, name, x, run)
        return x
    count = prod([x.shape[a] for a in axes])
    trailing = all(n == 1 for n in x.shape[axes[-1] + 1 :])
    if name in ("sum", "prod") and x.kind.floating:
        if trailing and count > 2 * _RUN:
            return _in_runs(program, name, x, axes, count, range(_RUN, _RUN // 16, -1))
        if not trailing and x.size > _TALL and axes[0] == 0 and x.size // count <= _NARROW:
            return _in_runs(program, name, x, axes, count, range(count // 16, count // 128, -1))
    return program.reduce(name, x, axes)


def _side_by_side(x: Cell, axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    runs: list[tuple[int, ...]] = []
    for a in axes:
        between = x.shape[runs[-1][-1] + 1 : a] if runs else ()
        if runs and all(n == 1 for n in between):
            runs[-1] = (*runs[-1], a)
        else:
            runs.append((a,))
    return runs


def _in_runs(program: Program, name: str, x: Cell, axes: tuple[int, ...], count: int, lengths: range) -> Cell:
    """Sums of runs of one of these lengths, then their sum: as exact as NumPy's, and something for every thread."""
    length = next((n for n in lengths if n > 1 and not count % n), None)
    if length is None:
        return program.reduce(name, x, axes)
    first, last = axes[0], axes[-1] + 1
    shape = (*x.shape[:first], count // length, length, *x.shape[last:])
    parts = program.reduce(name, program.reshape(x, shape), (first + 1,))
    whole = program.reduce(name, parts, (first,))
    return program.reshape(whole, tuple([1 if a in axes else n for a, n in enumerate(x.shape)]))


def _finished(program: Program, node: Any, x: Cell) -> Cell:
    return program.reshape(x, node.outputs[0].shape)


@rule("reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_all", "reduce_any")
def _reduce(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _) = inputs, node.attributes
    name = node.op.name.removeprefix("reduce_")
    if x.kind is I1 and name in ("sum", "prod"):
        raise Unsupported("a sum of bools")
    return _finished(program, node, total(program, name, x, all_axes(x, axes)))


@rule("reduce_mean")
def _mean(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _) = inputs, node.attributes
    return _finished(program, node, mean(program, x, all_axes(x, axes)))


def mean(program: Program, x: Cell, axes: Sequence[int]) -> Cell:
    """The mean over axes, which keep size 1."""
    if x.kind not in (F32, F64):
        raise Unsupported(f"a mean of {x.kind.name}")
    count = prod([x.shape[a] for a in axes])
    sums = total(program, "sum", x, axes)
    return program.once(
        ("mean", sums, count), lambda: program.map(lambda b, v: b.div(v, b.like(v, count)), sums, weight=4)
    )


@rule("reduce_variance")
def _variance(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _) = inputs, node.attributes
    where = all_axes(x, axes)
    d = program.binary("sub", x, mean(program, x, where))
    return _finished(program, node, mean(program, program.binary("mul", d, d), where))


@rule("reduce_euclidean_norm")
def _norm(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _) = inputs, node.attributes
    if x.kind not in (F32, F64):
        raise Unsupported(f"a norm of {x.kind.name}")
    squares = total(program, "sum", program.binary("mul", x, x), all_axes(x, axes))
    return _finished(program, node, program.map(lambda b, v: b.intrinsic("sqrt", v), squares, weight=6))


@rule("l2_loss")
def _l2_loss(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,) = inputs
    if x.kind not in (F32, F64):
        raise Unsupported(f"a loss of {x.kind.name}")
    squares = total(program, "sum", program.binary("mul", x, x), all_axes(x, None))
    return _finished(program, node, program.map(lambda b, v: b.mul(v, b.like(v, 0.5)), squares))


def exponentials(program: Program, x: Cell, axes: Sequence[int]) -> tuple[Cell, Cell, Cell]:
    """(x less its maximum, the exponentials of that, their sum) over axes."""
    if x.kind not in (F32, F64):
        raise Unsupported(f"a softmax of {x.kind.name}")
    z = program.binary("sub", x, program.reduce("max", x, axes))
    e = program.map(lambda b, v: M.exp(b, v), z, weight=16)
    return z, e, total(program, "sum", e, axes)


def _over(x: Cell, axis: Any) -> tuple[int, ...]:
    axes = tuple([a % len(x.shape) for a in (axis if type(axis) is tuple else (axis,))])
    if any(b != a + 1 for a, b in zip(axes, axes[1:], strict=False)):
        raise Unsupported("a softmax over dimensions apart")
    return axes


@rule("softmax")
def _softmax(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axis,) = inputs, node.attributes
    if not x.size:
        return x
    _, e, sums = exponentials(program, x, _over(x, axis))
    one = program.map(lambda b, v: b.div(b.like(v, 1.0), v), sums, weight=4)
    return program.binary("mul", e, one)


@rule("log_softmax")
def _log_softmax(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axis,) = inputs, node.attributes
    if not x.size:
        return x
    z, _, sums = exponentials(program, x, _over(x, axis))
    return program.binary("sub", z, program.map(lambda b, v: M.log(b, v), sums, weight=18))


@rule("reduce_logsumexp")
def _logsumexp(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _) = inputs, node.attributes
    where = all_axes(x, axes)
    if x.kind not in (F32, F64) or not x.size:
        raise Unsupported("a logsumexp of ints, or of nothing")
    top = program.reduce("max", x, where)
    # an infinite maximum would give NaN
    finite = program.map(
        lambda b, v: b.select(
            b.compare("lt", b.intrinsic("fabs", v), b.like(v, float("inf"))), v, b.like(v, 0.0)
        ),
        top,
    )  # fmt: skip
    e = program.map(lambda b, v, m: M.exp(b, b.sub(v, m)), x, finite, weight=16)
    sums = total(program, "sum", e, where)
    return _finished(program, node, program.map(lambda b, s, m: b.add(M.log(b, s), m), sums, finite, weight=18))


@rule("argmax", "argmin")
def _arg_extremum(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axis, dtype) = inputs, node.attributes
    axis %= len(x.shape)
    n = x.shape[axis]
    name = node.op.name.removeprefix("arg")
    if x.kind is I1 or not x.size:
        raise Unsupported("a position among bools, or nothing")

    def ordered(b: Builder, v: V) -> V:
        # NaN is passed over
        if not v.kind.floating:
            return v
        return b.select(b.compare("uno", v, v), b.like(v, float("-inf") if name == "max" else float("inf")), v)

    y = program.map(ordered, x, weight=2)
    best = program.reduce(name, y, (axis,))
    at = program.place(x.shape, axis, I64)
    here = program.map(
        lambda b, v, m, i: b.select(b.compare("eq", v, m), i, b.like(i, n)), y, best, at, kind=I64, weight=2
    )
    return _finished(program, node, program.cast(program.reduce("min", here, (axis,)), kind_of(dtype)))


@rule("count_nonzero")
def _count(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,), (axes, _, dtype) = inputs, node.attributes
    return _finished(program, node, program.cast(_counted(program, x, all_axes(x, axes)), kind_of(dtype)))


@rule("zero_fraction")
def _zero_fraction(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (x,) = inputs
    count = _finished(program, node, _counted(program, x, all_axes(x, None)))

    def code(b: Builder, n: V) -> V:
        zeros = b.cast(b.sub(b.like(n, x.size), n), F32)
        return b.div(zeros, b.like(zeros, x.size))

    return program.map(code, count, kind=F32)


def _counted(program: Program, x: Cell, axes: Sequence[int]) -> Cell:
    """How many elements are not zero."""
    ones = program.map(lambda b, v: b.cast(b.cast(v, I1), I64), x, kind=I64)
    return total(program, "sum", ones, axes)


@rule("global_norm")
def _global_norm(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    squares = [total(program, "sum", program.binary("mul", x, x), all_axes(x, None)) for x in inputs]
    kind = inputs[0].kind
    if kind not in (F32, F64) or any(x.kind is not kind for x in inputs):
        raise Unsupported(f"a norm of {kind.name}")
    whole = program.reshape(squares[0], ())
    for x in squares[1:]:
        whole = program.binary("add", whole, program.reshape(x, ()))
    return program.map(lambda b, v: b.intrinsic("sqrt", v), whole, weight=6)


@rule("in_top_k")
def _in_top_k(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (targets, x), (k,) = inputs, node.attributes
    n = x.shape[1]
    labels = program.cast(targets, I64)
    known = program.map(
        lambda b, i: b.op("and", b.compare("ge", i, b.like(i, 0)), b.compare("lt", i, b.like(i, n))), labels, kind=I1
    )
    column = program.reshape(labels, (*targets.shape, 1))
    mine = program.map(
        lambda b, v, i, j: b.select(b.compare("eq", i, j), v, b.like(v, 0)), x, column, program.place(x.shape, 1)
    )
    own = total(program, "sum", mine, (1,))
    greater = program.map(lambda b, v, o: b.cast(b.compare("gt", v, o), I64), x, own, kind=I64)
    finite = program.map(lambda b, v: b.compare("lt", b.intrinsic("fabs", v), b.like(v, float("inf"))), x, kind=I1)
    before = program.reshape(total(program, "sum", greater, (1,)), targets.shape)
    all_finite = program.reshape(program.reduce("all", finite, (1,)), targets.shape)

    def code(b: Builder, there: V, numbers: V, count: V) -> V:
        return b.op("and", b.op("and", there, numbers), b.compare("lt", count, b.like(count, k)))

    return program.map(code, known, all_finite, before, kind=I1)
