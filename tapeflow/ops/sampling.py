"""Distributions over Philox words: which words of a stream make which number, as TensorFlow's CPU kernels have it.

Every function takes the `key` and `counter` of a stream (see `philox.py`) and gives a NumPy array; none keeps state. A
caller that draws from one stream twice advances the counter between the calls (see `seeds.py`).

Numbers that take a bounded count of words (uniform, normal) are cut from consecutive blocks. Numbers that reject and
retry (truncated normal, gamma, Poisson, binomial) each own a stretch of blocks, wide enough never to be exhausted, so
that no number depends on how often its neighbours retried.

TensorFlow takes logarithm, sine and cosine from the C library. float32 sines and cosines are here the same, reached
through the complex exponential (NumPy's own differ from them in the last bit in one case of eighty). A float32
logarithm is the float64 one rounded, and float64 functions are NumPy's: three results in a thousand differ in the last
bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .philox import philox_blocks, philox_blocks_at, philox_words

# A number that retries owns this many words' worth of draws, TensorFlow's reserve for each output.
RESERVED = 256

_TWO_PI_64 = np.float64(2.0 * math.pi)
# Keeps the logarithm of Box-Muller finite; TensorFlow uses it at every precision.
_SMALLEST_UNIFORM = 1e-7
_TRUNCATION = 2.0
# Box-Muller works on about ten float64 arrays: pieces of this many blocks keep them in the second-level cache.
_PIECE = 8192


def uniform(shape: Sequence[int], key: int, counter: int, dtype: np.dtype | type = np.float32) -> np.ndarray:
    """Uniform floats in [0, 1).

    Random bits become the mantissa of a number in [1, 2), from which 1 is taken: 23 bits of one word for float32,
    10 for float16, 7 for bfloat16, and 52 bits of two words for float64.

    Args:
      shape: the shape of the result.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: float16, bfloat16, float32 or float64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      TypeError: `dtype` is none of the four.
    """
    dtype = _float_dtype(dtype, "uniform")
    count = math.prod(shape)
    if dtype.itemsize == 8:
        return unit_float64(philox_words(key, counter, 2 * count).reshape(-1, 2)).reshape(shape)
    words = philox_words(key, counter, count)
    if dtype.itemsize == 4:
        return _unit_float32(words).reshape(shape)
    bits = _MANTISSA_BITS[dtype.name]
    numerators = (words & np.uint32((1 << bits) - 1)).astype(np.float32)
    return (numerators * np.float32(2.0**-bits)).astype(dtype).reshape(shape)


def uniform_int(
    shape: Sequence[int], key: int, counter: int, minval: int, maxval: int, dtype: np.dtype | type = np.int32
) -> np.ndarray:
    """Integers in [minval, maxval): `minval` plus a random word (int32) or pair of words (int64) modulo the range.

    The modulo favours small results slightly where the range is no power of two, as in TensorFlow.

    Args:
      shape: the shape of the result.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      minval: smallest value.
      maxval: one more than the largest value.
      dtype: int32 or int64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      TypeError: `dtype` is neither int32 nor int64.
      ValueError: minval >= maxval (unless the result is empty).
    """
    dtype = np.dtype(dtype)
    if dtype.name not in ("int32", "int64"):
        raise TypeError(f"uniform_int: dtype must be int32 or int64, got {dtype.name}")
    minval, maxval = int(minval), int(maxval)
    if math.prod(shape) == 0:
        return np.empty(shape, dtype)
    if minval >= maxval:
        raise ValueError(f"uniform_int: minval must be below maxval, got minval={minval} and maxval={maxval}")
    unsigned = np.uint32 if dtype.itemsize == 4 else np.uint64
    words = uniform_full_int(shape, key, counter, unsigned)
    # Unsigned addition wraps, so minval is added in two's complement.
    words %= unsigned(maxval - minval)
    words += unsigned(minval % (1 << 8 * dtype.itemsize))
    return words.view(dtype)


def uniform_full_int(shape: Sequence[int], key: int, counter: int, dtype: np.dtype | type = np.int32) -> np.ndarray:
    """Integers over the whole range of `dtype`: one word (32 bits) or two words, the lower first (64 bits).

    Args:
      shape: the shape of the result.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: int32, uint32, int64 or uint64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      TypeError: `dtype` is none of the four.
    """
    dtype = np.dtype(dtype)
    if dtype.name not in ("int32", "uint32", "int64", "uint64"):
        raise TypeError(f"uniform_full_int: dtype must be int32, uint32, int64 or uint64, got {dtype.name}")
    count = math.prod(shape)
    if dtype.itemsize == 4:
        return philox_words(key, counter, count).view(dtype).reshape(shape)
    return _pairs(philox_words(key, counter, 2 * count).reshape(-1, 2)).view(dtype).reshape(shape)


def normal(shape: Sequence[int], key: int, counter: int, dtype: np.dtype | type = np.float32) -> np.ndarray:
    """Standard normal floats by the Box-Muller transform: two from two words (float64: two from four words).

    float16 and bfloat16 are float32 results, rounded.

    Args:
      shape: the shape of the result.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: float16, bfloat16, float32 or float64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      TypeError: `dtype` is none of the four.
    """
    dtype = _float_dtype(dtype, "normal")
    count = math.prod(shape)
    wide = dtype.itemsize == 8
    per_block = 2 if wide else 4
    blocks = philox_blocks(key, counter, -(-count // per_block))
    values = np.empty((blocks.shape[0], per_block), np.float64 if wide else np.float32)
    transform = box_muller_float64 if wide else _box_muller_float32
    for start in range(0, blocks.shape[0], _PIECE):
        transform(blocks[start : start + _PIECE], values[start : start + _PIECE])
    return values.reshape(-1)[:count].reshape(shape).astype(dtype, copy=False)


def truncated_normal(shape: Sequence[int], key: int, counter: int, dtype: np.dtype | type = np.float32) -> np.ndarray:
    """Standard normal floats of magnitude below 2: those of `normal` that are larger are drawn again.

    Results come in groups of four (float64: two). Each group owns 64 blocks per result and takes from its blocks, in
    order, the first values that qualify.

    Args:
      shape: the shape of the result.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: float16, bfloat16, float32 or float64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      TypeError: `dtype` is none of the four.
    """
    dtype = _float_dtype(dtype, "truncated_normal")
    count = math.prod(shape)
    wide = dtype.itemsize == 8
    group = 2 if wide else 4
    stride = group * RESERVED // 4
    transform = box_muller_float64 if wide else _box_muller_float32
    pieces = []
    groups = -(-count // group)
    for start in range(0, groups, _PIECE):
        offsets = np.arange(start, min(start + _PIECE, groups), dtype=np.uint64) * np.uint64(stride)
        pieces.append(_truncated_groups(key, counter, offsets, group, transform))
    if not pieces:
        return np.empty(shape, dtype)
    return np.concatenate(pieces).reshape(-1)[:count].reshape(shape).astype(dtype, copy=False)


def _truncated_groups(key: int, counter: int, offsets: np.ndarray, group: int, transform) -> np.ndarray:
    """The groups whose blocks begin at `counter + offsets`: [n, group] floats of magnitude below 2."""
    values = np.empty((offsets.shape[0], group), np.float64 if group == 2 else np.float32)
    transform(philox_blocks_at(key, counter, offsets), values)
    pending = np.flatnonzero((np.abs(values) >= _TRUNCATION).any(axis=1))
    drawn = values[pending]
    used = 1
    # A sixth of the groups needs a second block, and almost none a fourth: each turn draws as many blocks as before.
    while pending.size:
        steps = np.arange(used, 2 * used, dtype=np.uint64)
        blocks = philox_blocks_at(key, counter, (offsets[pending, None] + steps).reshape(-1))
        more = np.empty((blocks.shape[0], group), values.dtype)
        transform(blocks, more)
        drawn = np.concatenate([drawn, more.reshape(pending.size, -1)], axis=1)
        used *= 2
        fits = np.abs(drawn) < _TRUNCATION
        ready = fits.sum(axis=1) >= group
        # Stable, so the values that fit come first and in the order drawn.
        order = np.argsort(~fits[ready], axis=1, kind="stable")[:, :group]
        values[pending[ready]] = np.take_along_axis(drawn[ready], order, axis=1)
        pending, drawn = pending[~ready], drawn[~ready]
    return values


def categorical(
    logits: np.ndarray, num_samples: int, key: int, counter: int, dtype: np.dtype | type = np.int64
) -> np.ndarray:
    """Class indices drawn with probabilities softmax(logits), by searching the cumulative sum of exp(logits - max).

    All in float64. A logit that is not finite has probability 0. Rows share one stream of float64 uniforms, row by row.
    TensorFlow lets each of its threads enter that stream at a place of its own; this is the result of one thread.

    Args:
      logits: [batch, classes] float array.
      num_samples: how many to draw for each row.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: int32 or int64.

    Returns:
      [batch, num_samples] array of `dtype`.

    Raises:
      TypeError: `dtype` is neither int32 nor int64.
      ValueError: `logits` is no matrix, has no class, or `num_samples` is negative.
    """
    dtype = np.dtype(dtype)
    if dtype.name not in ("int32", "int64"):
        raise TypeError(f"categorical: dtype must be int32 or int64, got {dtype.name}")
    logits = np.asarray(logits)
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(f"categorical: logits must have shape [batch, classes > 0], got {list(logits.shape)}")
    if num_samples < 0:
        raise ValueError(f"categorical: num_samples must not be negative, got {num_samples}")
    batch, classes = logits.shape
    draws = uniform((batch, num_samples), key, counter, np.float64)
    logits = logits.astype(np.float64)
    finite = np.isfinite(logits)
    largest = np.max(logits, axis=1, keepdims=True, initial=np.finfo(np.float32).min, where=finite)
    weights = np.exp(logits - largest, out=np.zeros_like(logits), where=finite)
    cumulative = np.cumsum(weights, axis=1)
    draws *= cumulative[:, -1:]
    samples = np.empty((batch, num_samples), dtype)
    for row in range(batch):
        samples[row] = np.searchsorted(cumulative[row], draws[row], side="right")
    return samples


def permutation(size: int, key: int, counter: int) -> np.ndarray:
    """The order in which shuffling takes the rows of a value with `size` rows: `shuffled = value[permutation]`.

    Fisher-Yates from the front: row i changes places with row i + (word i modulo the rows left).

    Args:
      size: number of rows.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.

    Returns:
      int64 array of shape [size].
    """
    words = philox_words(key, counter, max(size - 1, 0))
    partners = (words % np.arange(size, 1, -1, dtype=np.uint32) + np.arange(words.size, dtype=np.uint32)).tolist()
    order = list(range(size))
    for place, partner in enumerate(partners):
        order[place], order[partner] = order[partner], order[place]
    return np.array(order, np.int64)


_MANTISSA_BITS = {"float16": 10, "bfloat16": 7}


def _float_dtype(dtype: np.dtype | type, name: str) -> np.dtype:
    dtype = np.dtype(dtype)
    if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise TypeError(f"{name}: dtype must be float16, bfloat16, float32 or float64, got {dtype.name}")
    return dtype


def _pairs(words: np.ndarray) -> np.ndarray:
    """[..., 2] words, the lower first -> [...] uint64."""
    low, high = words[..., 0], words[..., 1]
    return low | high.astype(np.uint64) << np.uint64(32)


def _unit_float32(words: np.ndarray) -> np.ndarray:
    """23 bits of each word as a fraction."""
    bits = words & np.uint32(0x7FFFFF)
    bits |= np.uint32(0x3F800000)
    unit = bits.view(np.float32)
    unit -= np.float32(1.0)
    return unit


def unit_float64(words: np.ndarray) -> np.ndarray:
    """[..., 2] words -> [...] float64: 20 bits of the first word, then all of the second, as a fraction."""
    bits = (words[..., 0] & np.uint32(0xFFFFF)).astype(np.uint64)
    bits <<= np.uint64(32)
    bits |= words[..., 1]
    bits |= np.uint64(0x3FF0000000000000)
    unit = bits.view(np.float64)
    unit -= 1.0
    return unit


def _box_muller_float32(blocks: np.ndarray, out: np.ndarray) -> None:
    """[n, 4] words -> [n, 4] float32 normals: (sine, cosine) from the first two words, then from the last two."""
    unit = _unit_float32(blocks)
    radius = np.log(np.maximum(unit[:, 0::2], np.float32(_SMALLEST_UNIFORM)).astype(np.float64)).astype(np.float32)
    radius *= np.float32(-2.0)
    np.sqrt(radius, radius)
    turn = np.zeros(radius.shape, np.complex64)
    np.multiply(unit[:, 1::2], _TWO_PI_64, turn.imag, casting="same_kind")
    np.exp(turn, turn)
    np.multiply(turn.imag, radius, out[:, 0::2])
    np.multiply(turn.real, radius, out[:, 1::2])


def box_muller_float64(blocks: np.ndarray, out: np.ndarray) -> None:
    """[n, 4] words -> [n, 2] float64 normals: sine, cosine."""
    radius = np.log(np.maximum(unit_float64(blocks[:, :2]), _SMALLEST_UNIFORM))
    radius *= -2.0
    np.sqrt(radius, radius)
    angle = unit_float64(blocks[:, 2:])
    angle *= _TWO_PI_64
    np.multiply(np.sin(angle), radius, out[:, 0])
    np.multiply(np.cos(angle), radius, out[:, 1])
