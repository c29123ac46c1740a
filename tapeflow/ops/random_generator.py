"""`tf.random.Generator`: a random stream with its position in a variable, where programs can see, save and reset it.

The state is int64[3], the 128-bit counter (lower half first) and the key. Every number drawn moves the counter by 256
blocks, whatever its distribution and dtype; binomial moves it by more.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import numpy_dtype
from ..core.op import TENSORS
from ..core.tensor import Tensor
from ..core.variable import Variable
from . import seeds
from .casting import cast
from .draws import (
    FULL_INTEGERS,
    advance_stream,
    random_binomial,
    random_normal,
    random_truncated_normal,
    random_uniform_full_int,
    refused,
    shape_argument,
)
from .joining import stack
from .random import normal_from
from .stateless_random import Algorithm, algorithm, binomial_dtypes, full_or_uniform_from

_FLOAT32, _INT32, _INT64, _UINT64 = (np.dtype(name) for name in ("float32", "int32", "int64", "uint64"))
_UNIFORM_FLOATS = ("float16", "bfloat16", "float32", "float64")
_lock = threading.Lock()


class Generator:
    """A source of random numbers with a state of its own, independent of `tf.random.set_seed`.

    Made by one of the class methods, by copying (`copy_from`), or of a `state` and an algorithm.

    Arguments:
        copy_from: a generator whose state and algorithm to take.
        state: int64[3] as in `from_state`; a variable is used itself, so that two generators can share one.
        alg: "philox" or "auto_select".

    Raises AssertionError for arguments that do not go together.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        if copy_from is not None:
            if state is not None or alg is not None:
                raise AssertionError("a Generator copied from another takes neither `state` nor `alg`")
            self._algorithm = copy_from.algorithm
            self._state = _variable(copy_from.state.numpy())
            return
        if state is None or alg is None:
            raise AssertionError("a Generator needs a `state` and an `alg`, or another one to `copy_from`")
        self._algorithm = algorithm(alg, "Generator")
        if isinstance(state, Variable):
            _state_of(state)
            self._state = state
        else:
            self._state = _variable(_state_of(state))

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """A generator of this state: three integers, counter (lower half, upper half) and key.

        Raises ValueError for another shape, InvalidArgumentError for ThreeFry.
        """
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator whose state is made of a seed, as `create_rng_state` makes it."""
        alg = Algorithm.PHILOX if alg is None else alg
        return cls(state=_seeded(seed, alg), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that begins where the operating system's randomness says."""
        return cls(state=seeds.nondeterministic_state(), alg=Algorithm.PHILOX if alg is None else alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """A generator of a key, an integer, and a counter, two integers of which the first is the lower half.

        Raises ValueError for other shapes, InvalidArgumentError for ThreeFry.
        """
        algorithm(alg, "Generator")
        return cls(state=_key_counter(key, counter), alg=alg)

    @property
    def state(self) -> Variable:
        """The variable that holds the state."""
        return self._state

    @property
    def algorithm(self) -> int:
        """The number of the algorithm (1 is Philox)."""
        return self._algorithm

    @property
    def key(self) -> Tensor:
        """The key, an int64 scalar."""
        return self._state.read_value()[2]  # type: ignore[index]

    def reset(self, state: Any) -> None:
        """Puts another state in place. Raises ValueError for one that is not three integers."""
        self._state.assign(_state_of(state))

    def reset_from_seed(self, seed: Any) -> None:
        """Puts the state in place that `from_seed` would begin with."""
        self._state.assign(_seeded(seed, self._algorithm))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Puts the state of a key and a counter in place. Raises ValueError for other shapes than () and (2,)."""
        self._state.assign(_key_counter(key, counter))

    def skip(self, delta: Any) -> Tensor:
        """Moves on as if `delta` numbers had been drawn, and gives the state before.

        Raises InvalidArgumentError where `delta` is no scalar.
        """
        given = cast(convert_to_tensor(delta), _INT64)
        if given._value.shape:
            raise errors.invalid("RngReadAndSkip", f"input 2 (0-based) must have shape [], not {list(given.shape)}")
        return self._skip(int(given._value) * seeds.RESERVED)

    def _skip(self, blocks: int) -> Tensor:
        with _lock:
            before = self._state.read_value()
            self._state.assign(advance_stream(before, blocks), read_value=False)
        return before

    def _begin(self, dims: tuple[int, ...], of: np.dtype | None = None) -> Tensor:
        return self._skip(seeds.blocks_for_outputs(math.prod(dims)))

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = _FLOAT32, name: str | None = None
    ) -> Tensor:
        """Normal numbers; arguments, gradients and errors are those of `tf.random.normal`."""
        to = numpy_dtype(dtype)
        return normal_from(self._begin, random_normal, shape, mean, stddev, to, "StatelessRandomNormalV2")

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = _FLOAT32, name: str | None = None
    ) -> Tensor:
        """Normal numbers within two standard deviations; arguments are those of `tf.random.truncated_normal`."""
        to = numpy_dtype(dtype)
        return normal_from(self._begin, random_truncated_normal, shape, mean, stddev, to, "StatelessTruncatedNormalV2")

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = _FLOAT32, name: str | None = None
    ) -> Tensor:
        """Uniform numbers in [minval, maxval); for integers, both bounds or neither (all integers of the dtype).

        Raises ValueError for integers with one bound, InvalidArgumentError for minval >= maxval, another dtype or a bad
        shape, NotFoundError for unsigned integers with bounds.
        """
        to = numpy_dtype(dtype)
        if to.kind in "iu":
            if to not in FULL_INTEGERS:
                raise refused("dtype", to, FULL_INTEGERS, "StatelessRandomUniformIntV2")
            if (minval is None) != (maxval is None):
                raise ValueError(
                    f"For integer dtype {to.name}, minval and maxval must be both `None` or both non-`None`; got "
                    f"minval={minval} and maxval={maxval}"
                )
            if to.kind == "u" and minval is not None:
                raise errors.NotFoundError(
                    None, None, f"Generator.uniform has no kernel for {to.name} with bounds; use int32 or int64"
                )
        elif to.name not in _UNIFORM_FLOATS:
            raise errors.invalid(
                "StatelessRandomUniformV2",
                f"Value for attr 'dtype' of {to.name} is not in the list of allowed values: half, bfloat16, float, "
                "double",
            )
        return full_or_uniform_from(self._begin, shape, minval, maxval, to)

    def uniform_full_int(self, shape: Any, dtype: Any = _UINT64, name: str | None = None) -> Tensor:
        """Uniform numbers among all integers of the dtype: int32, int64, uint32 or uint64.

        Raises InvalidArgumentError for another dtype or a bad shape.
        """
        to = numpy_dtype(dtype)
        title = "StatelessRandomUniformFullIntV2"
        if to not in FULL_INTEGERS:
            raise refused("dtype", to, FULL_INTEGERS, title)
        dims = shape_argument(shape, title)[0]
        return random_uniform_full_int(self._begin(dims), dims, to)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = _INT32, name: str | None = None) -> Tensor:
        """Binomial counts; arguments and errors are those of `tf.random.stateless_binomial`."""
        title = "StatefulRandomBinomial"
        probs = convert_to_tensor(probs, dtype_hint=_FLOAT32)
        counts = convert_to_tensor(counts, dtype_hint=probs._value.dtype)
        to = binomial_dtypes(counts, probs, dtype, title)
        dims = shape_argument(shape, title)[0]
        random_binomial.op.infer(None, counts._value, probs._value, dims, to)  # type: ignore[attr-defined]
        parameters = math.prod(np.broadcast_shapes(counts._value.shape, probs._value.shape))
        blocks = seeds.blocks_for_binomial(parameters, math.prod(dims) // parameters if parameters else 0)
        return random_binomial(self._skip(blocks), counts, probs, dims, to)

    def make_seeds(self, count: Any = 1) -> Tensor:
        """Seeds for `count` stateless ops, one a column: int64[2, count], the second row zeros.

        Raises InvalidArgumentError for a negative count.
        """
        keys = self._keys(count)
        return stack([keys, TENSORS.zeros_like(keys)])  # type: ignore[attr-defined]

    def split(self, count: Any = 1) -> list[Generator]:
        """`count` new generators, independent of each other and of this one.

        Raises InvalidArgumentError for a negative count.
        """
        return [self.from_key_counter(key, (0, 0), self._algorithm) for key in self._keys(count).numpy().tolist()]

    def _keys(self, count: Any) -> Tensor:
        dims = shape_argument([int(count)], "StatelessRandomUniformFullIntV2")[0]
        return random_uniform_full_int(self._begin(dims), dims, _INT64)


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """The state of a generator made of a seed.

    Arguments:
        seed: an integer, of which the lowest 64 bits become the lower half of the counter, the next ones the upper half
            and then the key; or up to three integers, padded with zeros on the left.
        alg: "philox" or "auto_select".

    Raises ValueError for an unknown algorithm, TypeError for what is none, InvalidArgumentError for ThreeFry.
    """
    return constant(_seeded(seed, alg))


def _seeded(seed: Any, alg: Any) -> np.ndarray:
    algorithm(alg, "Generator")
    return seeds.state_from_seed(seed if type(seed) is int else _integers(seed))


def _state_of(state: Any) -> np.ndarray:
    return seeds.state_from_state(_integers(state))


def _key_counter(key: Any, counter: Any) -> np.ndarray:
    number: Any = _integers(key)
    return seeds.state_from_key_counter(number, _integers(counter))


def _integers(value: Any) -> np.ndarray:
    """Integers of any size as an array. Floats are cut to integers, as TensorFlow does it."""
    if isinstance(value, (int, list, tuple)):
        array = np.array(value, object)
        if all(type(n) is int for n in array.flat):
            return array
    return np.asarray(cast(convert_to_tensor(value), _INT64)._value)


def _variable(state: np.ndarray) -> Variable:
    return Variable(state, trainable=False, name="StateVar", dtype=_INT64)


_global: Generator | None = None


def get_global_generator() -> Generator:
    """The generator that programs share, made of the operating system's randomness when it is first asked for."""
    global _global
    if _global is None:
        _global = Generator.from_non_deterministic_state()
    return _global


def set_global_generator(generator: Generator) -> None:
    """Puts another generator in the place of the shared one; functions traced before keep the one they saw."""
    global _global
    _global = generator
