"""Normal numbers of magnitude below 2: those that are larger are drawn again, group by group.

A group is the numbers that one block of a stream gives, and has so many blocks to itself that none runs out: it takes
the first numbers that qualify. A vector works on as many groups as it has lanes until the last of them is full.
"""

from __future__ import annotations

from ...ops.sampling import RESERVED
from .builder import Builder
from .philox import Transform, block_words, round_keys
from .points import lanes_of
from .values import I64, U64, Kind, V, constant, constants, index

_TURNS = 4  # vectors of groups that a thread takes at a time
_ROOM = 8  # numbers that a group may have at hand: those that it takes, and a block more


def write_truncated(
    b: Builder, stream: V, place: V, groups: int, per: int, kind: Kind, transform: Transform, lo: V, hi: V
) -> tuple[int, int]:
    """Fills an array with so many groups, a multiple of `philox.WIDEST`, of `per` numbers.

    Arguments are those of `philox.write_stream`; the transform gives `per` vectors. Returns the number of parts, and
    about how much the whole work is.
    """
    lanes = lanes_of(b.module, 4)
    turns = groups // lanes
    first, upper, key = (b.load(b.address(stream, i, U64), U64) for i in range(3))
    keys = round_keys(b, key, lanes)
    firsts, uppers = b.splat(first, lanes), b.splat(upper, lanes)
    apart = constant(per * RESERVED // 4, U64, lanes)
    steps = b.mul(constants(range(lanes), U64), apart)
    drawn, taken = b.allocate(kind, per * lanes), b.allocate(kind, _ROOM * lanes)
    counts, turn = b.allocate(I64, lanes), b.allocate(I64)
    unit = constant(_TURNS, I64)
    start, stop, end = b.mul(lo, unit), b.mul(hi, unit), constant(turns, I64)
    stop = b.select(b.compare("lt", stop, end), stop, end)
    with b.loop(start, stop) as loop:
        number = b.splat(b.cast(b.mul(loop.i, constant(lanes, I64)), U64), lanes)
        begin = b.add(b.mul(number, apart), steps)
        b.store(constant(0, I64), turn)
        with b.loop(0, lanes) as lane:
            b.store(constant(0, I64), b.address(counts, lane.i, I64))
        again, done = b.block("again"), b.block("full")
        b.jump(again)
        b.label(again)
        j = b.load(turn, I64)
        b.store(b.add(j, constant(1, I64)), turn)
        low = b.add(b.add(firsts, begin), b.splat(b.cast(j, U64), lanes))
        carry = b.cast(b.compare("lt", low, firsts), U64)
        for k, numbers in enumerate(transform(b, block_words(b, low, b.add(uppers, carry), keys))):
            b.store(numbers, b.address(drawn, k * lanes, kind))
        least = _take(b, drawn, taken, counts, lanes, per, kind)
        b.emit(f"br {b.compare('lt', least, index(per)).text}, label %{again}, label %{done}")
        b.label(done)
        with b.loop(0, lanes) as lane:
            numbers = b.load(b.address(taken, b.mul(lane.i, constant(_ROOM, I64)), kind), kind, per)
            at = b.add(b.mul(loop.i, constant(lanes, I64)), lane.i)
            b.store(numbers, b.address(place, b.mul(at, constant(per, I64)), kind))
    return -(-turns // _TURNS), groups * 128


def _take(b: Builder, drawn: V, taken: V, counts: V, lanes: int, per: int, kind: Kind) -> V:
    """Every group takes what qualifies of a block's numbers; gives how many the emptiest one has."""
    with b.loop(0, lanes, carried=[constant(per, I64)]) as lane:
        (least,) = lane.values
        held = b.address(counts, lane.i, I64)
        own = b.address(taken, b.mul(lane.i, constant(_ROOM, I64)), kind)
        count = b.load(held, I64)
        for k in range(per):
            x = b.load(b.address(drawn, b.add(lane.i, index(k * lanes)), kind), kind)
            b.store(x, b.address(own, count, kind))
            fits = b.compare("lt", b.intrinsic("fabs", x), b.like(x, 2.0))
            count = b.add(count, b.cast(fits, I64))
        count = b.select(b.compare("lt", count, index(per)), count, index(per))
        b.store(count, held)
        lane.carry(b.select(b.compare("lt", count, least), count, least))
    return lane.results[0]
