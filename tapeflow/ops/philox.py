"""Philox 4x32-10, the counter-based generator behind every random number, computed for many counters at once.

A stream is a 64-bit `key` and a 128-bit `counter`, both Python integers. Block `i` of a stream is four 32-bit words, a
pure function of `key` and `counter + i`, so that a stream may be entered anywhere and its parts computed in any order.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np

KEY_MASK = (1 << 64) - 1
COUNTER_MASK = (1 << 128) - 1

_ROUNDS = 10
_LOW = 0xFFFFFFFF
_MULTIPLIER_0, _MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57
_WEYL_0, _WEYL_1 = 0x9E3779B9, 0xBB67AE85

_MULTIPLIERS = np.array([[_MULTIPLIER_0], [_MULTIPLIER_1]], np.uint64)
_LOW_64 = np.uint64(_LOW)
_SHIFT_32 = np.uint64(32)

# Up to this many blocks, 64-bit lanes of one Python integer beat arrays (16 blocks: 9 us a call against 48).
_LANES = 192
# Blocks computed at a time with arrays: three buffers of 64 KiB stay in the second-level cache.
_CHUNK = 4096

# for so many lanes: a 1 in each, and in each its number
_ONES = list(accumulate((1 << (64 * lane) for lane in range(_LANES)), initial=0))
_IOTA = list(accumulate((lane << (64 * lane) for lane in range(_LANES)), initial=0))


def philox_words(key: int, counter: int, count: int) -> np.ndarray:
    """The first `count` words of the stream that starts at block `counter`.

    Args:
      key: 64-bit key, 0 <= key < 2**64.
      counter: 128-bit block number; taken modulo 2**128.
      count: number of words, not negative.

    Returns:
      uint32 array of shape [count]. Words 4*i .. 4*i+3 are block `counter + i`.
    """
    return philox_blocks(key, counter, (count + 3) >> 2).reshape(-1)[:count]


def philox_blocks(key: int, counter: int, count: int) -> np.ndarray:
    """`count` consecutive blocks, `counter` the first.

    Returns:
      uint32 array of shape [count, 4].
    """
    until_carry = (1 << 32) - (counter & _LOW)
    if count > until_carry:
        first = philox_blocks(key, counter, until_carry)
        return np.concatenate([first, philox_blocks(key, counter + until_carry, count - until_carry)])
    counter &= COUNTER_MASK
    if count <= _LANES:
        ones = _ONES[count]
        return _rounds_in_lanes(
            key,
            (counter & _LOW) * ones + _IOTA[count],
            ((counter >> 32) & _LOW) * ones,
            ((counter >> 64) & _LOW) * ones,
            (counter >> 96) * ones,
            count,
        )
    blocks = np.empty((count, 4), np.uint32)
    for start in range(0, count, _CHUNK):
        width = min(_CHUNK, count - start)
        even = np.empty((2, width), np.uint64)
        odd = np.empty((2, width), np.uint64)
        low = (counter & _LOW) + start
        even[0] = np.arange(low, low + width, dtype=np.uint64)
        even[1] = (counter >> 64) & _LOW
        odd[0] = (counter >> 32) & _LOW
        odd[1] = counter >> 96
        _rounds(key, even, odd, blocks[start : start + width])
    return blocks


def philox_blocks_at(key: int, counter: int, offsets: np.ndarray) -> np.ndarray:
    """The blocks `counter + offsets[i]`, in the order of `offsets`.

    Args:
      key: 64-bit key.
      counter: 128-bit block number from which the offsets count.
      offsets: uint64 array of shape [n].

    Returns:
      uint32 array of shape [n, 4].
    """
    count = offsets.shape[0]
    blocks = np.empty((count, 4), np.uint32)
    counter &= COUNTER_MASK
    base_low = np.uint64(counter & KEY_MASK)
    for start in range(0, count, _CHUNK):
        part = offsets[start : start + _CHUNK]
        low = part + base_low
        carried = low < base_low
        high = np.full(part.shape, np.uint64(counter >> 64))
        if carried.any():
            high += carried
        even = np.empty((2, part.shape[0]), np.uint64)
        odd = np.empty((2, part.shape[0]), np.uint64)
        np.bitwise_and(low, _LOW_64, even[0])
        np.right_shift(low, _SHIFT_32, odd[0])
        np.bitwise_and(high, _LOW_64, even[1])
        np.right_shift(high, _SHIFT_32, odd[1])
        if count <= _LANES:
            return _rounds_in_lanes(key, _lanes(even[0]), _lanes(odd[0]), _lanes(even[1]), _lanes(odd[1]), count)
        _rounds(key, even, odd, blocks[start : start + _CHUNK])
    return blocks


def _rounds(key: int, even: np.ndarray, odd: np.ndarray, out: np.ndarray) -> None:
    """Ten rounds over counter words (0, 2) in `even` and (1, 3) in `odd`, each [2, n] uint64 holding 32-bit values."""
    key_0, key_1 = key & _LOW, key >> 32
    product = np.empty_like(even)
    for _ in range(_ROUNDS):
        np.multiply(even, _MULTIPLIERS, product)
        np.right_shift(product, _SHIFT_32, even)
        np.bitwise_xor(even, odd[::-1], even)
        # The words change places: what multiplier 1 gave makes word 0, what multiplier 0 gave makes word 2.
        np.bitwise_and(product, _LOW_64, odd)
        even, odd = even[::-1], odd[::-1]
        np.bitwise_xor(even, np.array([[key_0], [key_1]], np.uint64), even)
        key_0 = (key_0 + _WEYL_0) & _LOW
        key_1 = (key_1 + _WEYL_1) & _LOW
    out[:, 0::2] = even.T
    out[:, 1::2] = odd.T


def _lanes(words: np.ndarray) -> int:
    """[n] uint64 -> one integer, word i in lane i."""
    return int.from_bytes(words.astype("<u8").tobytes(), "little")


def _rounds_in_lanes(key: int, word_0: int, word_1: int, word_2: int, word_3: int, count: int) -> np.ndarray:
    """The rounds on Python integers, one 64-bit lane a block: 32 bits times 32 bits never leave their lane."""
    ones = _ONES[count]
    low_mask = ones * _LOW
    key_0, key_1 = key & _LOW, key >> 32
    for _ in range(_ROUNDS):
        product_0 = word_0 * _MULTIPLIER_0
        product_1 = word_2 * _MULTIPLIER_1
        word_0 = ((product_1 >> 32) & low_mask) ^ word_1 ^ (key_0 * ones)
        word_2 = ((product_0 >> 32) & low_mask) ^ word_3 ^ (key_1 * ones)
        word_1 = product_1 & low_mask
        word_3 = product_0 & low_mask
        key_0 = (key_0 + _WEYL_0) & _LOW
        key_1 = (key_1 + _WEYL_1) & _LOW
    pairs = np.empty((count, 2), "<u8")
    pairs[:, 0] = np.frombuffer((word_0 | word_1 << 32).to_bytes(8 * count, "little"), "<u8")
    pairs[:, 1] = np.frombuffer((word_2 | word_3 << 32).to_bytes(8 * count, "little"), "<u8")
    return pairs.view("<u4")
