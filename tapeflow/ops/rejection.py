"""Gamma, Poisson and binomial numbers from Philox words: each output draws from a stretch of blocks of its own.

An output proposes until a proposal is accepted, so how many words it uses is not known beforehand. Output i begins at
block `counter + RESERVED * i` whatever the others do, and all outputs that still propose take their turns together.
The order of outputs is parameter by parameter: with n samples of each, output i belongs to parameter i // n.

A block gives two float64 numbers, of which TensorFlow's kernels use the second first; so do we.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .philox import philox_blocks_at
from .sampling import RESERVED, box_muller_float64, unit_float64

# Blocks between outputs of a binomial that counts geometric steps; TensorFlow gives these fewer than the usual 256.
_GEOMETRIC_RESERVED = 42
# From this expected count on, Poisson and binomial propose from a transformed uniform instead of counting steps.
_TRANSFORMED_FROM = 10.0


def gamma(shape: Sequence[int], alpha: np.ndarray, key: int, counter: int) -> np.ndarray:
    """Gamma numbers of concentration `alpha` and rate 1, by Marsaglia and Tsang's method (ACM TOMS 26, 2000).

    A concentration below 1 draws at alpha + 1 and multiplies by u ** (1 / alpha); 1 itself is -log(1 - u).

    Args:
      shape: shape of the samples drawn for each concentration.
      alpha: float16, float32 or float64 array of any shape; a NaN or negative one gives NaN.
      key: 64-bit key of the stream.
      counter: its 128-bit block number.

    Returns:
      Array of shape `shape + alpha.shape` and alpha's dtype, computed in float64.
    """
    alpha = np.asarray(alpha)
    samples = math.prod(shape)
    concentration = np.repeat(alpha.reshape(-1).astype(np.float64), samples)
    result = np.full(concentration.shape, np.nan)
    streams = _Streams(key, counter, concentration.size, RESERVED)
    uniforms = _Buffered(streams, _two_uniforms)
    normals = _Buffered(streams, _two_normals)
    ones = np.flatnonzero(concentration == 1.0)
    result[ones] = -np.log1p(-uniforms.draw(ones))
    small = concentration < 1.0
    shifted = concentration + np.where(small, 2.0 / 3.0, -1.0 / 3.0)
    active = np.flatnonzero((concentration >= 0.0) & (concentration != 1.0))
    while active.size:
        centre = shifted[active]
        x = normals.draw(active)
        cube = 1.0 + x * (1.0 / 3.0 / np.sqrt(centre))
        positive = cube > 0.0
        proposed, x, centre, cube = active[positive], x[positive], centre[positive], cube[positive]
        u = uniforms.draw(proposed)
        cube = cube * cube * cube
        square = x * x
        accepted = u < 1.0 - 0.0331 * square * square
        with np.errstate(divide="ignore"):
            accepted |= np.log(u) < 0.5 * square + centre * (1.0 - cube + np.log(cube))
        done = proposed[accepted]
        result[done] = centre[accepted] * cube[accepted]
        active = np.setdiff1d(active, done, assume_unique=True)
    below = np.flatnonzero(small & (concentration >= 0.0))
    if below.size:
        with np.errstate(divide="ignore"):
            result[below] *= uniforms.draw(below) ** (1.0 / concentration[below])
    result = _samples_first(result, shape, alpha.shape)
    # float16 is rounded twice, by way of float32, as TensorFlow has it.
    return (result.astype(np.float32) if alpha.dtype.itemsize == 2 else result).astype(alpha.dtype)


def poisson(
    shape: Sequence[int], rate: np.ndarray, key: int, counter: int, dtype: np.dtype | type = np.float32
) -> np.ndarray:
    """Poisson counts: by products of uniforms (Knuth) below rate 10, by Hörmann's transformed rejection (PTRS) from 10.

    Source: W. Hörmann, "The transformed rejection method for generating Poisson random variables", 1993.

    Args:
      shape: shape of the samples drawn for each rate.
      rate: real array of any shape; a negative one gives 0, NaN and infinity give NaN (0 in an integer dtype).
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: float16, float32, float64, int32 or int64.

    Returns:
      Array of shape `shape + rate.shape` and `dtype`.
    """
    rate = np.asarray(rate)
    dtype = np.dtype(dtype)
    rates = np.repeat(rate.reshape(-1).astype(np.float64), math.prod(shape))
    uniforms = _Buffered(_Streams(key, counter, rates.size, RESERVED), _two_uniforms)
    result = np.full(rates.shape, 0.0 if dtype.kind in "iu" else np.nan)
    result[rates <= 0.0] = 0.0
    usable = np.isfinite(rates) & (rates > 0.0)
    _poisson_by_products(np.flatnonzero(usable & (rates < _TRANSFORMED_FROM)), rates, uniforms, result)
    largest = float(np.iinfo(dtype).max if dtype.kind in "iu" else np.finfo(dtype).max)
    _poisson_transformed(np.flatnonzero(usable & (rates >= _TRANSFORMED_FROM)), rates, uniforms, result, largest)
    return _samples_first(result, shape, rate.shape).astype(dtype)


def binomial(
    shape: Sequence[int],
    counts: np.ndarray,
    probs: np.ndarray,
    key: int,
    counter: int,
    dtype: np.dtype | type = np.int32,
) -> np.ndarray:
    """Binomial counts: geometric steps below 10 expected successes, Hörmann's transformed rejection (BTRS) from 10 on.

    A probability above 1/2 counts failures instead.

    Source: W. Hörmann, "The generation of binomial random variates", 1993.

    Args:
      shape: shape of the result; it ends with the broadcast shape of `counts` and `probs`.
      counts: real array, numbers of trials; those of 0 or fewer give 0.
      probs: real array that broadcasts with `counts`; 0 or less gives 0, 1 or more gives the count; NaN in either gives
        NaN (0 in an integer dtype).
      key: 64-bit key of the stream.
      counter: its 128-bit block number.
      dtype: float16, float32, float64, int32 or int64.

    Returns:
      Array of `shape` and `dtype`.

    Raises:
      ValueError: `counts` and `probs` do not broadcast, or `shape` does not end with their broadcast shape.
    """
    counts, probs = np.broadcast_arrays(np.asarray(counts), np.asarray(probs))
    dtype = np.dtype(dtype)
    shape = tuple(shape)
    sample_shape = shape[: len(shape) - counts.ndim]
    if shape[len(sample_shape) :] != counts.shape or len(shape) < counts.ndim:
        raise ValueError(
            f"binomial: shape must end with the broadcast shape of counts and probs, {list(counts.shape)}, "
            f"got {list(shape)}"
        )
    samples = math.prod(sample_shape)
    trials = np.repeat(counts.reshape(-1).astype(np.float64), samples)
    chance = np.repeat(probs.reshape(-1).astype(np.float64), samples)
    result = np.full(trials.shape, 0.0 if dtype.kind in "iu" else np.nan)
    result[(trials <= 0.0) | (chance <= 0.0)] = 0.0
    certain = (trials > 0.0) & (chance >= 1.0)
    result[certain] = trials[certain]
    open_ = (trials > 0.0) & (chance > 0.0) & (chance < 1.0)
    mirrored = open_ & (chance > 0.5)
    chance[mirrored] = 1.0 - chance[mirrored]
    many = trials * chance >= _TRANSFORMED_FROM
    steps = _Buffered(_Streams(key, counter, trials.size, _GEOMETRIC_RESERVED), _two_uniforms)
    _binomial_by_steps(np.flatnonzero(open_ & ~many), trials, chance, steps, result)
    proposals = _Buffered(_Streams(key, counter, trials.size, RESERVED), _two_uniforms)
    _binomial_transformed(np.flatnonzero(open_ & many), trials, chance, proposals, result)
    result[mirrored] = trials[mirrored] - result[mirrored]
    return _samples_first(result, sample_shape, counts.shape).astype(dtype)


class _Streams:
    """One position a output in a Philox stream; positions move independently."""

    def __init__(self, key: int, counter: int, outputs: int, stride: int):
        self.outputs = outputs
        self._key, self._counter = key, counter
        self._next = np.arange(outputs, dtype=np.uint64) * np.uint64(stride)

    def blocks(self, outputs: np.ndarray) -> np.ndarray:
        """The next block of each of `outputs` (distinct indices): uint32 [n, 4]."""
        positions = self._next[outputs]
        self._next[outputs] = positions + np.uint64(1)
        return philox_blocks_at(self._key, self._counter, positions)


class _Buffered:
    """Numbers that come two to a block; each output uses the second, then the first, then its next block."""

    def __init__(self, streams: _Streams, two_of: Callable[[np.ndarray], np.ndarray]):
        self._streams, self._two_of = streams, two_of
        self._kept = np.full(streams.outputs, np.nan)

    def draw(self, outputs: np.ndarray) -> np.ndarray:
        """One number for each of `outputs` (distinct indices)."""
        numbers = self._kept[outputs]
        empty = np.isnan(numbers)
        self._kept[outputs] = np.nan
        fresh = outputs[empty]
        if fresh.size:
            pair = self._two_of(self._streams.blocks(fresh))
            self._kept[fresh] = pair[:, 0]
            numbers[empty] = pair[:, 1]
        return numbers


def _two_uniforms(blocks: np.ndarray) -> np.ndarray:
    return unit_float64(blocks.reshape(-1, 2, 2))


def _two_normals(blocks: np.ndarray) -> np.ndarray:
    values = np.empty((blocks.shape[0], 2))
    box_muller_float64(blocks, values)
    return values


def _samples_first(result: np.ndarray, sample_shape: Sequence[int], parameter_shape: Sequence[int]) -> np.ndarray:
    """[parameters * samples] in order of parameters -> sample_shape + parameter_shape."""
    samples, parameters = math.prod(sample_shape), math.prod(parameter_shape)
    return np.ascontiguousarray(result.reshape(parameters, samples).T).reshape((*sample_shape, *parameter_shape))


def _poisson_by_products(active: np.ndarray, rates: np.ndarray, uniforms: _Buffered, result: np.ndarray) -> None:
    """Counts how many uniforms multiply together before the product falls to exp(-rate)."""
    floor = np.exp(-rates[active])
    product = np.ones(active.shape)
    successes = 0
    while active.size:
        product *= uniforms.draw(active)
        done = product <= floor
        result[active[done]] = successes
        going = ~done
        active, floor, product = active[going], floor[going], product[going]
        successes += 1


def _poisson_transformed(
    active: np.ndarray, rates: np.ndarray, uniforms: _Buffered, result: np.ndarray, largest: float
) -> None:
    while active.size:
        rate = rates[active]
        b = 0.931 + 2.53 * np.sqrt(rate)
        a = -0.059 + 0.02483 * b
        u = uniforms.draw(active) - 0.5
        v = uniforms.draw(active)
        margin = 0.5 - np.abs(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.floor((2.0 * a / margin + b) * u + rate + 0.43)
            possible = k <= largest
            accepted = possible & (margin >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2.0))
            unsure = np.flatnonzero(possible & ~accepted & (k >= 0.0) & ~((margin < 0.013) & (v > margin)))
            inverse = 1.1239 + 1.1328 / (b[unsure] - 3.4)
            left = np.log(v[unsure] * inverse / (a[unsure] / (margin[unsure] * margin[unsure]) + b[unsure]))
        log_factorial = np.array([math.lgamma(count + 1.0) for count in k[unsure].tolist()])
        accepted[unsure] = left <= -rate[unsure] + k[unsure] * np.log(rate[unsure]) - log_factorial
        result[active[accepted]] = k[accepted]
        active = active[~accepted]


def _binomial_by_steps(
    active: np.ndarray, trials: np.ndarray, chance: np.ndarray, uniforms: _Buffered, result: np.ndarray
) -> None:
    """Counts how many geometric waiting times fit into the trials."""
    limit = trials[active]
    log_failure = np.log1p(-chance[active])
    used = np.zeros(active.shape)
    successes = 0
    while active.size:
        with np.errstate(divide="ignore"):
            used += np.ceil(np.log(uniforms.draw(active)) / log_failure)
        done = used > limit
        result[active[done]] = successes
        going = ~done
        active, limit, log_failure, used = active[going], limit[going], log_failure[going], used[going]
        successes += 1


def _binomial_transformed(
    active: np.ndarray, trials: np.ndarray, chance: np.ndarray, uniforms: _Buffered, result: np.ndarray
) -> None:
    while active.size:
        n, p = trials[active], chance[active]
        deviation = np.sqrt(n * p * (1.0 - p))
        b = 1.15 + 2.53 * deviation
        a = -0.0873 + 0.0248 * b + 0.01 * p
        u = uniforms.draw(active) - 0.5
        v = uniforms.draw(active)
        margin = 0.5 - np.abs(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.floor((2.0 * a / margin + b) * u + n * p + 0.5)
        accepted = (margin >= 0.07) & (v <= 0.92 - 4.2 / b)
        unsure = np.flatnonzero(~accepted & (k >= 0.0) & (k <= n))
        if unsure.size:
            n, p, k_unsure, spread = n[unsure], p[unsure], k[unsure], deviation[unsure]
            scaled = v[unsure] * (2.83 + 5.1 / b[unsure]) * spread
            with np.errstate(divide="ignore"):
                left = np.log(scaled / (a[unsure] / (margin[unsure] * margin[unsure]) + b[unsure]))
            accepted[unsure] = left <= _log_binomial_ratio(n, p, k_unsure)
        result[active[accepted]] = k[accepted]
        active = active[~accepted]


def _log_binomial_ratio(n: np.ndarray, p: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Logarithm of P(k) / P(mode) for n trials of chance p."""
    odds = p / (1.0 - p)
    mode = np.floor((n + 1.0) * p)
    return (
        (mode + 0.5) * np.log((mode + 1.0) / (odds * (n - mode + 1.0)))
        + (n + 1.0) * np.log((n - mode + 1.0) / (n - k + 1.0))
        + (k + 0.5) * np.log(odds * (n - k + 1.0) / (k + 1.0))
        + _stirling_tail(mode)
        + _stirling_tail(n - mode)
        - _stirling_tail(k)
        - _stirling_tail(n - k)
    )


def _stirling_tail(k: np.ndarray) -> np.ndarray:
    """log(k!) minus Stirling's approximation of it, for k + 1: exact up to 9, an asymptotic series from there."""
    square = (k + 1.0) ** 2
    series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / (k + 1.0)
    return np.where(k <= 9.0, _SMALL_TAILS[np.clip(k, 0.0, 9.0).astype(np.int64)], series)


_SMALL_TAILS = np.array(
    [
        math.lgamma(k + 1.0) - ((k + 0.5) * math.log(k + 1.0) - (k + 1.0) + 0.5 * math.log(2.0 * math.pi))
        for k in range(10)
    ]
)
