"""Philox 4x32-10 in machine code: the words of a random stream, for as many blocks at once as a vector has lanes.

Block `i` of a stream is four words of 32 bits, a function of the key and `counter + i` alone, so that threads fill any
parts of an array with the numbers that it would get from one. `tapeflow.ops.philox` computes the same with NumPy.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .builder import Builder
from .points import lanes_of
from .values import I64, U32, U64, Kind, V, constant, constants

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_TURNS = 16  # vectors of blocks that a thread takes at a time
WIDEST = 16  # lanes of 32 bits in the widest vectors that there are: blocks are made in multiples of so many

# a vector of each word of many blocks -> vectors of the numbers that each block gives, the first ones first
Transform = Callable[[Builder, Sequence[V]], Sequence[V]]


def round_keys(b: Builder, key: V, lanes: int) -> list[tuple[V, V]]:
    """The two words of the key (u64) that each round mixes in."""
    halves = [b.cast(key, U32), b.cast(b.op("lshr", key, b.like(key, 32)), U32)]
    keys = []
    for _ in range(_ROUNDS):
        keys.append((b.splat(halves[0], lanes), b.splat(halves[1], lanes)))
        halves = [b.add(h, b.like(h, w)) for h, w in zip(halves, _WEYL, strict=True)]
    return keys


def block_words(b: Builder, low: V, high: V, keys: Sequence[tuple[V, V]]) -> list[V]:
    """The four words of the blocks whose 128-bit numbers have these halves (u64), in every lane one block."""
    words = []
    for half in (low, high):
        words += [b.cast(half, U32), b.cast(b.op("lshr", half, b.like(half, 32)), U32)]
    for key_0, key_1 in keys:
        products = [b.mul(b.cast(words[2 * i], U64), b.like(low, m)) for i, m in enumerate(_MULTIPLIERS)]
        above = [b.cast(b.op("lshr", p, b.like(p, 32)), U32) for p in products]
        below = [b.cast(p, U32) for p in products]
        words = [
            b.op("xor", b.op("xor", above[1], words[1]), key_0), below[1],
            b.op("xor", b.op("xor", above[0], words[3]), key_1), below[0],
        ]  # fmt: skip
    return words


def write_stream(
    b: Builder, stream: V, place: V, blocks: int, kind: Kind, transform: Transform, lo: V, hi: V
) -> tuple[int, int]:
    """Fills an array with what a transform makes of the first blocks of a stream, a multiple of WIDEST of them.

    Arguments:
        stream: the address of the state, three ints of 64 bits: the counter's lower and upper half, the key.
        place: the address of the array.
        kind: that of its elements.
        lo, hi: the parts of the work to do.

    Returns the number of parts, and about how much the whole work is.
    """
    lanes = lanes_of(b.module, 4)
    turns = blocks // lanes
    first, upper, key = (b.load(b.address(stream, i, U64), U64) for i in range(3))
    keys = round_keys(b, key, lanes)
    firsts, uppers = b.splat(first, lanes), b.splat(upper, lanes)
    steps = constants(range(lanes), U64)
    unit = constant(_TURNS, I64)
    start, stop, end = b.mul(lo, unit), b.mul(hi, unit), constant(turns, I64)
    stop = b.select(b.compare("lt", stop, end), stop, end)
    with b.loop(start, stop) as loop:
        block = b.cast(b.mul(loop.i, constant(lanes, I64)), U64)
        low = b.add(b.splat(b.add(first, block), lanes), steps)
        carry = b.cast(b.compare("lt", low, firsts), U64)
        numbers = list(transform(b, block_words(b, low, b.add(uppers, carry), keys)))
        per = len(numbers)
        at = b.address(place, b.mul(loop.i, constant(lanes * per, I64)), kind)
        b.store(interleaved(b, numbers), at)
    return -(-turns // _TURNS), blocks * 64


def interleaved(b: Builder, vectors: Sequence[V]) -> V:
    """The first lanes of all vectors, of which there are two or four, then the second ones, and so on."""
    if len(vectors) == 4:
        pairs = [interleaved(b, vectors[:2]), interleaved(b, vectors[2:])]
        width = pairs[0].lanes
        order = [i + far for k in range(0, width, 2) for far in (0, width) for i in (k, k + 1)]
        return b.shuffle(pairs[0], pairs[1], order)
    width = vectors[0].lanes
    return b.shuffle(vectors[0], vectors[1], [k + far for k in range(width) for far in (0, width)])
