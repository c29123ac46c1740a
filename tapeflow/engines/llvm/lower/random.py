"""Random numbers: the same as in eager mode, of streams whose beginning the graph is told.

What tells it (`node_stream`) is a small array that Python makes; the numbers are made here, block by block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ....ops.seeds import SCRAMBLE_KEY
from .. import vector_math as M
from ..builder import Builder
from ..philox import WIDEST, Transform, block_words, round_keys, write_stream
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..truncated import write_truncated
from ..values import F16, F32, F64, HALVES, I1, I32, I64, U32, U64, Kind, V, constant
from .rules import rule
from .walks import running

_SMALLEST = 1e-7  # keeps the logarithm of Box and Muller finite
_LOWEST = float(np.finfo(np.float32).min)
_ON_STACK = 1 << 14  # rows whose order fits there

# -- what becomes of words ---------------------------------------------------------------------------------------------


def _unit(b: Builder, word: V) -> V:
    """23 bits of a word as a float in [0, 1)."""
    bits = b.op("or", b.op("and", word, b.like(word, 0x7FFFFF)), b.like(word, 0x3F800000))
    one = b.bitcast(bits, F32)
    return b.sub(one, b.like(one, 1.0))


def _wide_unit(b: Builder, first: V, second: V) -> V:
    """20 bits of a word and all of another one as a double in [0, 1)."""
    top = b.op("and", b.cast(first, U64), constant(0xFFFFF, U64, first.lanes))
    bits = b.op("or", b.op("shl", top, b.like(top, 32)), b.cast(second, U64))
    one = b.bitcast(b.op("or", bits, b.like(bits, 0x3FF0000000000000)), F64)
    return b.sub(one, b.like(one, 1.0))


def _pair(b: Builder, first: V, second: V) -> V:
    """Two words as one of 64 bits, the lower one first."""
    high = b.cast(second, U64)
    return b.op("or", b.cast(first, U64), b.op("shl", high, b.like(high, 32)))


def _of_pairs(make: Any) -> Transform:
    return lambda b, words: [make(b, *words[:2]), make(b, *words[2:])]


def _normals(b: Builder, words: Sequence[V]) -> list[V]:
    """Box and Muller's transform of two words each: radius and angle become a sine and a cosine."""
    made = []
    for first, second in (words[:2], words[2:]):
        u = _unit(b, first)
        u = b.cast(b.select(b.compare("lt", u, b.like(u, _SMALLEST)), b.like(u, _SMALLEST), u), F64)
        log = b.cast(M.log(b, u), F32)
        turn = b.cast(_unit(b, second), F64)
        angle = b.cast(b.mul(turn, b.like(turn, 2 * math.pi)), F32)
        made += _sine_and_cosine(b, log, angle)
    return made


def _wide_normals(b: Builder, words: Sequence[V]) -> list[V]:
    u = _wide_unit(b, *words[:2])
    u = b.select(b.compare("lt", u, b.like(u, _SMALLEST)), b.like(u, _SMALLEST), u)
    angle = b.mul(_wide_unit(b, *words[2:]), b.like(u, 2 * math.pi))
    return _sine_and_cosine(b, M.log(b, u), angle)


def _sine_and_cosine(b: Builder, log: V, angle: V) -> list[V]:
    radius = b.intrinsic("sqrt", b.mul(log, b.like(log, -2.0)))
    return [b.mul(M.sin(b, angle), radius), b.mul(M.cos(b, angle), radius)]


# -- draws -------------------------------------------------------------------------------------------------------------


def _drawn(program: Program, stream: Cell, shape: Sequence[int], kind: Kind, per: int, transform: Transform) -> Cell:
    """An array of numbers, of which each block gives `per`; a few more are made than there are places for."""
    count = prod(shape)
    if not count:
        raise Unsupported("no random numbers")
    blocks = -(-count // (per * WIDEST)) * WIDEST

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        return write_stream(b, at[0], place, blocks, kind, transform, lo, hi)

    made = program.custom(write, (program.whole(stream),), (blocks * per,), kind)
    return program.reshape(program.slice(made, [0], [1], [count]), shape)


def _words(program: Program, stream: Cell, shape: Sequence[int], bits: int) -> Cell:
    if bits == 32:
        return _drawn(program, stream, shape, U32, 4, lambda b, words: words)
    return _drawn(program, stream, shape, U64, 2, _of_pairs(_pair))


@rule("random_uniform")
def _uniform(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream,), (shape, dtype) = inputs, node.attributes
    kind = kind_of(dtype)
    if kind is F64:
        return _drawn(program, stream, shape, F64, 2, _of_pairs(_wide_unit))
    if kind in HALVES:
        bits = 10 if kind is F16 else 7

        def fraction(b: Builder, word: V) -> V:
            whole = b.cast(b.bitcast(b.op("and", word, b.like(word, (1 << bits) - 1)), I32), F32)
            return b.mul(whole, b.like(whole, 2.0**-bits))

        words = _words(program, stream, shape, 32)
        return program.cast(program.map(fraction, words, kind=F32, weight=3), kind)
    return program.map(_unit, _words(program, stream, shape, 32), kind=F32, weight=3)


@rule("random_normal")
def _normal(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream,), (shape, dtype) = inputs, node.attributes
    if kind_of(dtype) is F64:
        return _drawn(program, stream, shape, F64, 2, _wide_normals)
    return _drawn(program, stream, shape, F32, 4, _normals)


@rule("random_truncated_normal")
def _truncated_normal(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream,), (shape, dtype) = inputs, node.attributes
    count = prod(shape)
    if not count:
        raise Unsupported("no random numbers")
    kind, per, transform = (F64, 2, _wide_normals) if kind_of(dtype) is F64 else (F32, 4, _normals)
    groups = -(-count // (per * WIDEST)) * WIDEST

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        return write_truncated(b, at[0], place, groups, per, kind, transform, lo, hi)

    made = program.custom(write, (program.whole(stream),), (groups * per,), kind)
    return program.reshape(program.slice(made, [0], [1], [count]), shape)


@rule("random_uniform_full_int")
def _full_int(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream,), (shape, dtype) = inputs, node.attributes
    kind = kind_of(dtype)
    return program.cast(_words(program, stream, shape, kind.bytes * 8), kind)


@rule("random_uniform_int")
def _uniform_int(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream, low, high), (shape,) = inputs, node.attributes
    kind = low.kind
    words = _words(program, stream, shape, kind.bytes * 8)
    program.check(program.map(lambda b, x, y: b.compare("lt", x, y), low, high, kind=I1))

    def code(b: Builder, word: V, x: V, y: V) -> V:
        span = b.cast(b.sub(y, x), word.kind)
        span = b.select(b.compare("eq", span, b.like(span, 0)), b.like(span, 1), span)
        return b.add(b.cast(b.op("rem", word, span), kind), x)

    return program.map(code, words, low, high, kind=kind, weight=24)


@rule("random_shuffle")
def _shuffle(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream, x), (back,) = inputs, node.attributes
    if not x.shape or x.shape[0] == 1:
        return x
    n = x.shape[0]
    words = program.whole(_words(program, stream, (n - 1,), 32))

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        # from the front, every row changes places with one of those from it on
        order = b.allocate(I64, n) if back else place
        with b.loop(0, n) as loop:
            b.store(loop.i, b.address(order, loop.i, I64))
        with b.loop(0, n - 1) as loop:
            left = b.cast(b.sub(constant(n, I64), loop.i), U32)
            word = b.op("rem", b.load(b.address(at[0], loop.i, U32), U32), left)
            here = b.address(order, loop.i, I64)
            there = b.address(order, b.add(loop.i, b.cast(b.cast(word, U64), I64)), I64)
            first, second = b.load(here, I64), b.load(there, I64)
            b.store(second, here)
            b.store(first, there)
        if back:
            with b.loop(0, n) as loop:
                b.store(loop.i, b.address(place, b.load(b.address(order, loop.i, I64), I64), I64))
        return 1, 8 * n

    if back and n > _ON_STACK:
        raise Unsupported("so many rows in their old order")
    return program.pick(x, program.custom(write, (words,), (n,), I64), 0, x.shape)


@rule("random_categorical")
def _categorical(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream, logits), (count, dtype) = inputs, node.attributes
    batch, classes = logits.shape
    if not logits.kind.floating:
        raise Unsupported(f"logits of {logits.kind.name}")
    z = program.cast(logits, F64)

    def finite(b: Builder, v: V) -> V:
        return b.compare("lt", b.intrinsic("fabs", v), b.like(v, math.inf))

    known = program.map(lambda b, v: b.select(finite(b, v), v, b.like(v, _LOWEST)), z)
    top = program.reduce("max", known, (1,))
    weights = program.map(
        lambda b, v, m: b.select(finite(b, v), M.exp(b, b.sub(v, m)), b.like(v, 0.0)), z, top, weight=18
    )
    sums = running(program, weights, 1, "cumsum")
    whole = program.slice(sums, (0, classes - 1), (1, 1), (batch, 1))
    draws = _drawn(program, stream, (batch, count), F64, 2, _of_pairs(_wide_unit))
    wanted = program.reshape(program.binary("mul", draws, whole), (batch, count, 1))
    below = program.map(
        lambda b, s, w: b.cast(b.compare("le", s, w), I64), program.reshape(sums, (batch, 1, classes)), wanted, kind=I64
    )
    found = program.reshape(program.reduce("sum", below, (2,)), (batch, count))
    return program.cast(found, kind_of(dtype))


# -- streams -----------------------------------------------------------------------------------------------------------


@rule("stateless_stream")
def _stateless_stream(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (seed,) = inputs
    kind = seed.kind

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        low, high = (b.cast(b.cast(b.load(b.address(at[0], i, kind), kind), I64), U64) for i in range(2))
        words = block_words(b, low, high, round_keys(b, constant(SCRAMBLE_KEY, U64), 1))
        key, upper = _pair(b, *words[:2]), _pair(b, *words[2:])
        for i, part in enumerate((constant(0, U64), upper, key)):
            b.store(part, b.address(place, i, U64))
        return 1, 100

    return program.custom(write, (program.whole(seed),), (3,), I64)


@rule("advance_stream")
def _advance_stream(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    (stream,), (blocks,) = inputs, node.attributes
    blocks = int(blocks) % (1 << 64)
    if blocks >> 63:
        raise Unsupported("a stream that goes back")
    parts = [program.slice(stream, [i], [1], [1]) for i in range(3)]
    low = program.map(lambda b, x: b.add(x, b.like(x, blocks)), parts[0])

    def carried(b: Builder, high: V, before: V, after: V) -> V:
        wrapped = b.compare("lt", b.cast(after, U64), b.cast(before, U64))
        return b.add(high, b.cast(wrapped, I64))

    high = program.map(carried, parts[1], parts[0], low)
    return program.parts((3,), [(low, (0,)), (high, (1,)), (parts[2], (2,))])


@rule("fold_in")
def _fold_in(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    stream, data = inputs
    if data.kind not in (I32, I64):
        raise Unsupported(f"a seed of {data.kind.name}")
    drawn = program.cast(_words(program, stream, (1,), data.kind.bytes * 8), data.kind)
    return program.parts((2,), [(drawn, (0,)), (program.reshape(data, (1,)), (1,))])
