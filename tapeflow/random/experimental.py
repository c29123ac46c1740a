"""`tf.random.experimental`: older paths to generators and seeds, and the stateless shuffle."""

from typing import NoReturn

from ..ops.random_generator import Generator, create_rng_state, get_global_generator, set_global_generator
from ..ops.stateless_random import Algorithm, stateless_shuffle
from ..ops.stateless_random import fold_in as stateless_fold_in
from ..ops.stateless_random import split as stateless_split

__all__ = [
    "Algorithm",
    "Generator",
    "create_rng_state",
    "get_global_generator",
    "set_global_generator",
    "stateless_fold_in",
    "stateless_shuffle",
    "stateless_split",
]


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
