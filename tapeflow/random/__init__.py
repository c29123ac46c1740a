"""`tf.random`: random numbers with hidden state, without any, and from generators."""

from typing import NoReturn

from ..ops.random import categorical, gamma, normal, poisson, set_seed, shuffle, truncated_normal, uniform
from ..ops.random_generator import Generator, create_rng_state, get_global_generator, set_global_generator
from ..ops.stateless_random import (
    Algorithm,
    fold_in,
    split,
    stateless_binomial,
    stateless_categorical,
    stateless_gamma,
    stateless_normal,
    stateless_poisson,
    stateless_truncated_normal,
    stateless_uniform,
)
from . import experimental

__all__ = [
    "Algorithm",
    "Generator",
    "categorical",
    "create_rng_state",
    "experimental",
    "fold_in",
    "gamma",
    "get_global_generator",
    "normal",
    "poisson",
    "set_global_generator",
    "set_seed",
    "shuffle",
    "split",
    "stateless_binomial",
    "stateless_categorical",
    "stateless_gamma",
    "stateless_normal",
    "stateless_poisson",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
