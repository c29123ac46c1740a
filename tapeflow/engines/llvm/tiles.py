"""Tiles of sums of products held in vector registers: what matrix products and convolutions are made of.

A tile is some rows times some vectors of columns. Each turn of its loop reads the vectors of columns once, reads one
number for each row, and adds their products to sums that never leave their registers until they are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import Kind, V, constant, index


class Target(NamedTuple):
    """What tiles must know of a machine: bytes of a vector, how many it has, whether loads under a mask are cheap."""

    bytes: int
    registers: int
    masked: bool

    def lanes(self, kind: Kind) -> int:
        """Numbers of a kind in a vector."""
        return self.bytes // kind.bytes


# by the bits of a vector: AVX-512, AVX2, SSE2 (and what else has vectors of 16 bytes)
TARGETS = {512: Target(64, 32, True), 256: Target(32, 16, True), 128: Target(16, 16, False)}


def target_of(module: Module) -> Target:
    """The machine that a module is written for."""
    return TARGETS[module.vector_bits]


class Part(NamedTuple):
    """A vector of a tile's row: the column it begins at, its lanes, and how many of them lie in the array."""

    at: int
    lanes: int
    used: int

    def mask(self, b: Builder) -> V | None:
        """The lanes that lie in the array, if not all do."""
        return None if self.used == self.lanes else b.mask(self.used, self.lanes)


def parts_of(columns: int, target: Target, kind: Kind) -> list[Part]:
    """So many columns as vectors: whole ones, then a masked one, or ever narrower ones where masks are dear."""
    lanes, at, parts = target.lanes(kind), 0, []
    while at < columns:
        rest = columns - at
        while lanes > rest:
            if target.masked and lanes < 2 * rest:
                break
            lanes //= 2
        used = min(lanes, rest)
        parts.append(Part(at, lanes, used))
        at += used
    return parts


def over(
    b: Builder, total: int, size: int, body: Callable[[V, int], None], lo: V | int = 0, hi: V | int | None = None
) -> None:
    """`body(start, length)` for the blocks lo..hi of `total` things in blocks of `size`; the last may be shorter."""
    full, rest = divmod(total, size)
    if hi is None and lo == 0:
        if full == 1:
            body(index(0), size)
        elif full:
            with b.loop(0, full * size, size) as loop:
                body(loop.i, size)
        if rest:
            body(index(full * size), rest)
        return
    first, last, end = index(lo), index(full + bool(rest) if hi is None else hi), index(full)
    if full:
        stop = b.select(b.compare("lt", last, end), last, end) if rest else last
        with b.loop(first, stop) as loop:
            body(scaled(b, loop.i, size), size)
    if rest:
        with b.when(b.op("and", b.compare("gt", last, end), b.compare("le", first, end))):
            body(index(full * size), rest)


def for_each_vector(b: Builder, count: int, kind: Kind, body: Callable[[V, Part], None]) -> None:
    """`body(at, part)` for all vectors of a run of numbers: whole ones in a loop, and what is left."""
    target = target_of(b.module)
    lanes = target.lanes(kind)

    def piece(at: V, length: int) -> None:
        for part in parts_of(length, target, kind):
            body(shifted(b, at, part.at), part)

    over(b, count, lanes, piece)


def scaled(b: Builder, i: V, by: int) -> V:
    """i * by."""
    if by == 1:
        return i
    return index(int(i.name) * by) if not i.name.startswith("%") else b.mul(i, index(by))


def shifted(b: Builder, i: V, by: int | V) -> V:
    """i + by."""
    other = index(by)
    if other.name == "0":
        return i
    if i.name == "0":
        return other
    if not i.name.startswith("%") and not other.name.startswith("%"):
        return index(int(i.name) + int(other.name))
    return b.add(i, other)


def zeros(rows: int, parts: Sequence[Part], kind: Kind) -> list[V]:
    """The sums of a tile before anything was added."""
    return [constant(0, kind, part.lanes) for _ in range(rows) for part in parts]


def turn_cycles(rows: int, vectors: int, unroll: int = 1) -> float:
    """Estimated cycles of a turn of a tile's loop: of products, of loads, or of waiting for the turn before."""
    return max(rows * vectors / 2, (rows + 2 * vectors) / 2, 4) + 1 / (2 * unroll)


def add_products(
    b: Builder, sums: Sequence[V], rows: Sequence[V], B: V, parts: Sequence[Part], kind: Kind, paired: bool = False
) -> list[V]:  # fmt: skip
    """The sums, with the number at every row's place times a row of B added; paired, with as many as B's row has."""
    columns = [b.load(b.address(B, part.at, kind), kind, part.lanes, mask=part.mask(b)) for part in parts]
    new = []
    for r, place in enumerate(rows):
        numbers: dict[int, V] = {}
        for p, (part, column) in enumerate(zip(parts, columns, strict=True)):
            if paired:
                x = b.load(b.address(place, part.at, kind), kind, part.lanes, mask=part.mask(b))
            else:
                if not numbers:
                    numbers[1] = b.load(place, kind)
                if part.lanes not in numbers:
                    numbers[part.lanes] = b.splat(numbers[1], part.lanes)
                x = numbers[part.lanes]
            new.append(_product_and_sum(b, x, column, sums[r * len(columns) + p]))
    return new


def _product_and_sum(b: Builder, x: V, y: V, z: V) -> V:
    """x * y + z; as one instruction where the machine has it, without it the function of that name is a slow call."""
    return b.fma(x, y, z) if target_of(b.module).masked else b.add(b.mul(x, y), z)


def add_run(
    b: Builder, sums: Sequence[V], A: V | Sequence[V], offsets: Sequence[int], step_a: int, B: V, step_b: int,
    parts: Sequence[Part], depth: int, kind: Kind, unroll: int = 1, paired: bool = False,
) -> list[V]:  # fmt: skip
    """The sums, with `depth` products added; from one to the next A and B go on by a step of their own.

    A is where the rows' offsets count from, or for every row where its own counts from.
    """

    def turn(sums: Sequence[V], k: V, count: int) -> list[V]:
        on, row = scaled(b, k, step_a), b.address(B, scaled(b, k, step_b), kind)
        starts = [b.address(A, on, kind)] * len(offsets) if isinstance(A, V) else [b.address(x, on, kind) for x in A]
        for u in range(count):
            places = [b.address(x, by + u * step_a, kind) for x, by in zip(starts, offsets, strict=True)]
            sums = add_products(b, sums, places, b.address(row, u * step_b, kind), parts, kind, paired)
        return list(sums)

    unroll = min(unroll, depth)
    whole = depth // unroll * unroll
    result = list(sums)
    if whole == unroll:
        result = turn(result, index(0), unroll)
    else:
        with b.loop(0, whole, unroll, carried=result) as loop:
            loop.carry(*turn(loop.values, loop.i, unroll))
        result = loop.results
    return turn(result, index(whole), depth - whole) if depth > whole else result


# b, the vector, its row and first column, how many lanes are columns, and their mask if not all are
Epilogue = Callable[[Builder, V, V, V, int, "V | None"], None]


def hand_over(
    b: Builder, sums: Sequence[V], rows: int, parts: Sequence[Part], i: V, j: V, epilogue: Epilogue, buffer: V | None
) -> None:
    """Gives each vector of a tile to the epilogue; through a buffer in a loop, which writes a long epilogue once."""
    width = sum(part.lanes for part in parts)
    if buffer is None or len(sums) == 1:
        for n, x in enumerate(sums):
            r, part = n // len(parts), parts[n % len(parts)]
            epilogue(b, x, shifted(b, i, r), shifted(b, j, part.at), part.used, part.mask(b))
        return
    keep(b, sums, rows, parts, buffer)
    kind = sums[0].kind
    with b.loop(0, rows) as loop:
        row, line = b.address(buffer, scaled(b, loop.i, width), kind), shifted(b, i, loop.i)
        alike = [part for part in parts if part.used == part.lanes == parts[0].lanes]
        if len(alike) > 1:
            with b.loop(0, len(alike) * alike[0].lanes, alike[0].lanes) as inner:
                x = b.load(b.address(row, inner.i, kind), kind, alike[0].lanes)
                epilogue(b, x, line, shifted(b, j, inner.i), alike[0].lanes, None)
        for part in parts[len(alike) if len(alike) > 1 else 0 :]:
            x = b.load(b.address(row, part.at, kind), kind, part.lanes)
            epilogue(b, x, line, shifted(b, j, part.at), part.used, part.mask(b))


def keep(b: Builder, sums: Sequence[V], rows: int, parts: Sequence[Part], place: V) -> None:
    """Writes a tile's sums to memory of its own."""
    width = sum(part.lanes for part in parts)
    for n, x in enumerate(sums):
        b.store(x, b.address(place, n // len(parts) * width + parts[n % len(parts)].at, x.kind))


def kept(b: Builder, rows: int, parts: Sequence[Part], place: V, kind: Kind) -> list[V]:
    """What `keep` wrote."""
    width = sum(part.lanes for part in parts)
    return [
        b.load(b.address(place, r * width + part.at, kind), kind, part.lanes) for r in range(rows) for part in parts
    ]
