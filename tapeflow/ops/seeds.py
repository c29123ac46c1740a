"""From what a user calls a seed to where in which Philox stream an op begins.

Three kinds of randomness, three rules:

- ops with hidden state (`tf.random.normal`): the global seed and the op's seed make a pair, the pair names a stream,
  and `reserve` says where in it this call begins;
- stateless ops: `stateless_stream` scrambles the user's two seeds into key and counter;
- `tf.random.Generator`: its three int64 are counter (low, high) and key; `skip` advances them.

A stream is (key, counter) as in `philox.py`. What a call uses is counted in blocks by the `blocks_for_...` functions.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Hashable, Sequence

import numpy as np

from .philox import COUNTER_MASK, KEY_MASK, philox_words
from .sampling import RESERVED, uniform_full_int

# The global seed of an op that has a seed of its own while no global seed is set.
DEFAULT_GRAPH_SEED = 87654321

_SEED_LIMIT = 2**31 - 1
_WORD = 2**32 - 1
# The fixed key under which the seeds of stateless ops are scrambled.
SCRAMBLE_KEY = 0x02461E293EC8F720


class _GlobalSeed:
    """One setting of the global seed, with all that begins anew when it is set."""

    __slots__ = ("op_seeds", "positions", "seed")

    def __init__(self, seed: int | None):
        self.seed = seed
        self.op_seeds = random.Random(seed)
        self.positions: dict[Hashable, int] = {}


_current = _GlobalSeed(None)
_lock = threading.Lock()


def set_seed(seed: int | None) -> None:
    """Sets the global seed; every op, with or without a seed of its own, begins its sequence anew.

    Args:
      seed: an integer of any size and sign, or None to go back to unrepeatable numbers.

    Raises:
      TypeError: `seed` is neither None nor a number.
    """
    global _current
    if seed is not None:
        try:
            seed = int(seed)
        except (TypeError, ValueError) as error:
            raise TypeError(f"set_seed: seed must be an integer or None, got {seed!r}") from error
    _current = _GlobalSeed(seed)


def global_seed() -> int | None:
    """The seed last given to `set_seed`, or None."""
    return _current.seed


def get_seed(op_seed: int | None) -> tuple[int, int] | tuple[None, None]:
    """The pair of seeds of an eager op.

    | global seed | op seed | pair |
    |---|---|---|
    | set | given | (global, op) |
    | set | None | (global, next of the sequence that the global seed begins): every call a new pair |
    | None | given | (87654321, op) |
    | None | None | (None, None): numbers that do not repeat |

    Both are taken modulo 2**31 - 1, and (0, 0), which would mean unrepeatable, becomes (0, 2**31 - 1).

    Args:
      op_seed: the op's `seed` argument.
    """
    return _pair(_current, op_seed, None)


def _pair(current: _GlobalSeed, op_seed: int | None, unseeded: int | None) -> tuple[int, int] | tuple[None, None]:
    """`unseeded` stands for the op seed of an op without one, or is None where the global seed's sequence gives it."""
    first = current.seed
    if first is None:
        if op_seed is None:
            return None, None
        first = DEFAULT_GRAPH_SEED
    elif op_seed is None:
        op_seed = current.op_seeds.randint(0, _SEED_LIMIT) if unseeded is None else unseeded
    pair = int(first) % _SEED_LIMIT, int(op_seed) % _SEED_LIMIT
    return (0, _SEED_LIMIT) if pair == (0, 0) else pair


def reserve(kernel: Hashable, op_seed: int | None, blocks: int) -> tuple[int, int]:
    """Where one eager call of an op with hidden state begins, and moves the op past what the call uses.

    Calls that agree in `kernel`, global seed and op seed continue one stream, whatever their shapes; `set_seed` takes
    all back to the beginning. A call without an op seed has a pair of its own, hence a stream of its own, and nothing
    is kept for it.

    Args:
      kernel: what makes two calls the same op to TensorFlow: its op's name and its dtype attributes, for example
        ("RandomUniform", "float32", "int32"), the last being the dtype of the shape.
      op_seed: the op's `seed` argument.
      blocks: how far this call moves the stream, from a `blocks_for_...` function.

    Returns:
      (key, counter).
    """
    current = _current
    first, second = _pair(current, op_seed, None)
    if first is None:
        return _unrepeatable_stream()
    if op_seed is None:
        return first, second << 64
    place = (kernel, first, second)
    with _lock:
        position = current.positions.get(place, 0)
        current.positions[place] = position + blocks
    return first, (second << 64) + position


class GraphSeeds:
    """Seeds of the ops of one traced function, fixed while it is traced.

    An op without a seed gets 0, 1, 2, ... in the order of tracing, instead of drawing from the global sequence. The
    global seed is the one set when tracing begins.
    """

    def __init__(self) -> None:
        self._current = _current
        self._unseeded = 0

    def node(self, op_seed: int | None) -> NodeStream:
        """The stream of the next random op of the graph."""
        pair = _pair(self._current, op_seed, self._unseeded)
        if op_seed is None and self._current.seed is not None:
            self._unseeded += 1
        return NodeStream(*pair)


class NodeStream:
    """The position of one random node of a graph: kept from call to call, shared with nothing, lost by `set_seed`."""

    __slots__ = ("_counter", "_current", "pair")

    def __init__(self, first: int | None, second: int | None):
        self.pair = (first, second)
        self._current = _current
        self._counter = 0

    def reserve(self, blocks: int) -> tuple[int, int]:
        """(key, counter) of this run of the node; the next begins `blocks` further on."""
        first, second = self.pair
        if first is None or second is None:
            return _unrepeatable_stream()
        with _lock:
            if self._current is not _current:
                self._current, self._counter = _current, 0
            position = self._counter
            self._counter = position + blocks
        return first, (second << 64) + position


def _unrepeatable_stream() -> tuple[int, int]:
    return int.from_bytes(os.urandom(8), "little"), int.from_bytes(os.urandom(8), "little") << 64


def blocks_for_outputs(outputs: int) -> int:
    """Blocks reserved by a call of uniform, normal, truncated normal, gamma or Poisson that gives `outputs` numbers."""
    return outputs * RESERVED


def blocks_for_categorical(batch: int, num_samples: int) -> int:
    """Blocks reserved by drawing `num_samples` classes for each of `batch` rows."""
    return batch * (-(-num_samples // 4) * 4) * 2 * RESERVED


def blocks_for_shuffle(rows: int) -> int:
    """Blocks reserved by shuffling `rows` rows: one word for each but the last. (A lone row uses no words.)"""
    return (max(rows - 1, 0) + 3) // 4


def blocks_for_binomial(parameters: int, samples: int) -> int:
    """Blocks that `Generator.binomial` skips for `samples` draws of each of `parameters` (count, probability) pairs."""
    return parameters * (samples + 3) * 50 * RESERVED


def stateless_stream(seed: Sequence[int] | np.ndarray) -> tuple[int, int]:
    """(key, counter) of a stateless op with the two-integer `seed`: one Philox block of the seeds under a fixed key.

    Args:
      seed: two integers, int32 or int64, taken modulo 2**64.

    Raises:
      ValueError: `seed` has not shape [2].
    """
    low, high = _two_integers(seed)
    words = philox_words(SCRAMBLE_KEY, (low & KEY_MASK) | (high & KEY_MASK) << 64, 4).tolist()
    return words[0] | words[1] << 32, (words[2] | words[3] << 32) << 64


def split(seed: np.ndarray, num: int = 2) -> np.ndarray:
    """`num` new seeds: full-range stateless integers of the seed's own dtype.

    Args:
      seed: int32 or int64 array of shape [2].
      num: how many.

    Returns:
      [num, 2] array of the seed's dtype.

    Raises:
      ValueError: `seed` has not shape [2].
      TypeError: its dtype is no 32- or 64-bit integer.
    """
    return uniform_full_int((num, 2), *stateless_stream(seed), np.asarray(seed).dtype)


def fold_in(seed: np.ndarray | Sequence[int], data: np.ndarray) -> np.ndarray:
    """A new seed [one full-range stateless integer, data].

    Args:
      seed: two integers.
      data: int32 or int64 scalar; the result has its dtype.

    Raises:
      ValueError: `seed` has not shape [2].
      TypeError: the dtype of `data` is no 32- or 64-bit integer.
    """
    data = np.asarray(data)
    return np.stack([uniform_full_int((), *stateless_stream(seed), data.dtype), data])


def _two_integers(seed: Sequence[int] | np.ndarray) -> tuple[int, int]:
    shape = np.shape(seed)
    if shape != (2,):
        raise ValueError(f"a stateless op's seed must have shape [2], got {list(shape)}")
    return int(seed[0]), int(seed[1])


def state_from_seed(seed: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """The state of `Generator.from_seed`.

    An integer is cut into three 64-bit pieces, the lowest first, so that a small one is the counter's low half and the
    key is 0. A sequence is flattened, cut after three, and padded with zeros on the left.

    Returns:
      int64[3]: counter low, counter high, key.
    """
    if isinstance(seed, int):
        pieces = [(seed >> shift) & KEY_MASK for shift in (0, 64, 128)]
    else:
        pieces = [int(piece) for piece in np.asarray(seed, dtype=object).reshape(-1)[:3]]
    return _int64([0] * (3 - len(pieces)) + pieces)


def state_from_key_counter(key: int, counter: Sequence[int] | np.ndarray) -> np.ndarray:
    """The state of `Generator.from_key_counter`: int64[3], the two of `counter`, then `key`.

    Raises:
      ValueError: `key` is no scalar or `counter` has not shape [2].
    """
    if np.shape(key) != () or np.shape(counter) != (2,):
        raise ValueError(
            f"from_key_counter: key must be a scalar and counter have shape [2], got shapes {list(np.shape(key))} and "
            f"{list(np.shape(counter))}"
        )
    return _int64([int(counter[0]), int(counter[1]), int(key)])


def state_from_state(state: Sequence[int] | np.ndarray) -> np.ndarray:
    """The state of `Generator.from_state`: a copy as int64, where values from 2**63 to 2**64 - 1 wrap.

    Raises:
      ValueError: `state` has not shape [3].
    """
    if np.shape(state) != (3,):
        raise ValueError(f"the state of a Philox generator must have shape [3], got {list(np.shape(state))}")
    return _int64([int(piece) for piece in state])


def nondeterministic_state() -> np.ndarray:
    """A state from the operating system's randomness: int64[3]."""
    return np.frombuffer(os.urandom(24), np.int64).copy()


def state_stream(state: np.ndarray, replica_id: int | None = None) -> tuple[int, int]:
    """(key, counter) that the next draw of a generator with this state uses.

    Args:
      state: int64[3].
      replica_id: in a distributed run, the replica: its key is one 64-bit number drawn with the generator's key.
    """
    low, high, key = (int(piece) & KEY_MASK for piece in state)
    if replica_id is not None:
        key = int(uniform_full_int((), key, replica_id, np.uint64))
    return key, low | high << 64


def skip(state: np.ndarray, outputs: int) -> np.ndarray:
    """The state after `outputs` numbers were drawn, of whatever distribution and dtype but binomial.

    Each counts 256 blocks. See `skip_blocks` for binomial.
    """
    return skip_blocks(state, int(outputs) * RESERVED)


def skip_blocks(state: np.ndarray, blocks: int) -> np.ndarray:
    """The state with its 128-bit counter `blocks`, taken modulo 2**64, further on: a new int64[3]."""
    key, counter = state_stream(state)
    blocks &= KEY_MASK
    after = counter + blocks
    # TensorFlow adds word by word and loses this one carry, which lets a small negative skip step back.
    if blocks >> 32 == _WORD and (counter & _WORD) + (blocks & _WORD) > _WORD:
        after -= 1 << 64
    after &= COUNTER_MASK
    return _int64([after & KEY_MASK, after >> 64, key])


def make_seeds(state: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`Generator.make_seeds`: seeds for stateless ops, one a column, and the generator's state afterwards.

    Returns:
      (int64 [2, count] with zeros in the second row, int64[3]).
    """
    keys, after = _new_keys(state, count)
    return np.stack([keys, np.zeros_like(keys)]), after


def split_states(state: np.ndarray, count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`Generator.split`: states of `count` new generators, counter 0 and a new key each, and the old one's afterwards.

    Returns:
      (int64 [count, 3], int64[3]).
    """
    keys, after = _new_keys(state, count)
    states = np.zeros((count, 3), np.int64)
    states[:, 2] = keys
    return states, after


def _new_keys(state: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    return uniform_full_int((count,), *state_stream(state), np.int64), skip(state, count)


def _int64(pieces: list[int]) -> np.ndarray:
    """Integers modulo 2**64 as int64, in two's complement."""
    return np.array([piece & KEY_MASK for piece in pieces], np.uint64).view(np.int64)
