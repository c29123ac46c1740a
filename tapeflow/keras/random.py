"""Keras's seeds: every random layer and initializer owns one, and draws by stateless ops from what it gives.

`set_random_seed` makes a program repeatable: seeds not given come from Python's `random`, as Keras has it.
"""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from ..core.tensor import Tensor, wrap
from ..ops.casting import cast
from ..ops.seeds import set_seed
from .naming import scope, unique_name
from .tracking import Owner
from .variable import Variable

__all__ = [
    "SeedGenerator",
]  # fmt: skip

_SEED_STATES = 2**31 - 2  # Keras folds its 64-bit seeds to 32 bits by this remainder
_global: list = [None]  # the generator of draws without a seed


class SeedGenerator(Owner):
    """Gives another seed for a stateless random op each time it is asked; its state is a variable, [seed, count].

    Arguments:
        seed: an int, or None for one that Python's `random` draws.
        name: its name.

    Raises ValueError for a seed that is no int.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or unique_name(type(self).__name__)
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, int):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed!r}")
        with scope(self.name):
            self.state = Variable(
                np.array([seed, 0], np.int64), trainable=False, aggregation="none", name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The state before this call, int64 [2]; the next is one further, or far away with `ordered=False`."""
        seed = self.state.read_value()
        if ordered:
            self.state.assign_add(_NEXT)
        else:
            self.state.assign((seed + 1) * 5387 % 933199)
        return seed

    def get_config(self) -> dict:
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> SeedGenerator:
        return cls(**config)


_NEXT = wrap(np.array([0, 1], np.int64))


def make_default_seed() -> int:
    """A seed for what was given none."""
    return python_random.randint(1, int(1e9))


def draw_seed(seed: Any) -> Tensor:
    """The seed for one stateless random op, int32 [2].

    Arguments:
        seed: an int, a SeedGenerator, or None for the generator that all draws without a seed share.

    Raises ValueError for anything else.
    """
    if isinstance(seed, SeedGenerator):
        drawn = seed.next()
    elif isinstance(seed, int):
        drawn = wrap(np.array([seed, 0], np.int64))
    elif seed is None:
        if _global[0] is None:
            _global[0] = SeedGenerator(name="global_seed_generator")
        drawn = _global[0].next(ordered=False)
    else:
        raise ValueError(
            f"Argument `seed` must be either an integer or an instance of `SeedGenerator`. Received: {seed!r}"
        )
    return cast(drawn % _SEED_STATES, "int32")


def set_random_seed(seed: int) -> None:
    """Seeds Python's `random`, NumPy's and TensorFlow's generators, and so all of a program. ValueError for no int."""
    if not isinstance(seed, int):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed!r} (of type {type(seed)})")
    _global[0] = None
    python_random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)


def forget_seeds() -> None:
    """Draws without a seed begin with a new generator."""
    _global[0] = None
