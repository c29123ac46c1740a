"""Examples of the ops that look at values or write them, for the tables of `tests.ops.examples`."""

from __future__ import annotations

import os

import numpy as np

from .examples import BOOL, EXAMPLES, FLOAT, NUMBER, SHAPES, STRING, Example, pick, values


def _accepts(arrays: list, count: int) -> None:
    assert len(arrays) == count


def _checked(rng: np.random.Generator, dtype: str) -> tuple:
    return (values(rng, pick(rng, SHAPES), dtype), values(rng, (), dtype)), (_accepts, 2)


def _printed(rng: np.random.Generator, dtype: str) -> tuple:
    return (values(rng, pick(rng, SHAPES), dtype),), (("before ", " after"), f"file://{os.devnull}", 3, False)


def _formatted(rng: np.random.Generator, dtype: str) -> tuple:
    return (values(rng, pick(rng, SHAPES), dtype), values(rng, (), dtype)), (("a ", " b ", ""), 3)


EXAMPLES.update(
    {
        "assert": Example(_checked, NUMBER + BOOL, order=0),
        "check_numerics": Example(lambda rng, dtype: ((values(rng, pick(rng, SHAPES), dtype),), ("m",)), FLOAT),
        "print": Example(_printed, NUMBER + BOOL + STRING, order=0),
        "string_format": Example(_formatted, NUMBER + BOOL + STRING, order=0),
        "timestamp": Example(lambda rng, dtype: ((), ()), ("float64",), order=0),
    }
)
