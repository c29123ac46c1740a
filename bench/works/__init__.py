"""A work is one piece of computing to be timed, written once per library; this is how a library's works are listed.

Each module here has `works` (its table), `describe(library)` (facts worth noting with the figures) and `value(result)`
(what a step returned as one float, to see that all libraries compute the same). Nothing here imports a library under
test: every function is handed one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

ADDS = 100
"""Additions in one step of the "add" works, so that the cost of the call around them does not count."""

CHAIN_LENGTHS = (10, 100, 1000, 10_000, 100_000)
"""Recorded ops in the "backward" works."""

GRAPH_SIZES = (10, 100, 500, 2000)
"""Ops in the compiled graphs whose first call is timed."""

COMPILED = "compiled "
"""Begins the names of works that run as graphs; without it, the name is that of the same work done eagerly."""

CHAIN = COMPILED + "chain of 10 ops on 1M floats"


def graph_of(size: int) -> str:
    """The name of the work that compiles a graph of so many ops."""
    return f"{COMPILED}graph of {size} ops"


MODULES = {"torch": "torch_works", "jax": "jax_works"}
"""Which module holds a library's works; a library that is not named here is one that speaks TensorFlow 2."""


@dataclass(frozen=True)
class Work:
    """One work of one library.

    `build(library)` returns a step without arguments. With `prepared` it returns a pair instead: `prepare()`, which is
    not timed, and `step(prepared)`, which is. A step does `ops` things, and times are given per thing. What is `lone`
    is only run in fresh processes.
    """

    name: str
    variant: str
    build: Callable[[Any], Any]
    ops: int
    prepared: bool
    long: bool
    lone: bool


class Works(dict):
    """The works of one library by (name, variant), in the order in which they were added."""

    def add(
        self,
        name: str,
        variant: str = "",
        *,
        ops: int = 1,
        prepared: bool = False,
        long: bool = False,
        lone: bool = False,
    ) -> Callable[[Callable], Callable]:
        """Enters the decorated `build(library)` as a work.

        Args:
            name: the same in every library that has the work.
            variant: how this library does it, where it has several ways ("jit", "fused"); its own column in the table.
            ops: things done in one step.
            prepared: whether `build` returns `(prepare, step)`.
            long: left out of a quick run.
            lone: run in fresh processes only, for what its first call takes.
        """

        def enter(build: Callable) -> Callable:
            self[name, variant] = Work(name, variant, build, ops, prepared, long, lone)
            return build

        return enter


def works_module(library: str) -> ModuleType:
    """The module that holds the works of the library of that name."""
    return importlib.import_module(f"{__name__}.{MODULES.get(library, 'tf_works')}")
