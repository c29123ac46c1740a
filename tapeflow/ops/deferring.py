"""Marks functions that look at the sizes or the values of tensors before they know which ops to run.

In a trace that does not know them, a call becomes a node that calls the function when the graph runs
(`graph.deferred`); where they are known, the trace takes in the ops themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.size import known
from ..core.tapes import active_tapes

Function = TypeVar("Function", bound=Callable)


class Deferred(NamedTuple):
    """A function that needs sizes, and of the arguments named `values` (None for all) elements; see `deferred`."""

    function: Callable
    rule: Callable
    values: tuple[str, ...] | None
    gradient: bool


def deferred(rule: Callable, values: tuple[str, ...] = (), gradient: bool = True) -> Callable[[Function], Function]:
    """A decorator. `rule` takes the function's arguments, of which any may be symbolic, to what is known of the result.

    It gives an `Abstract`, or a list of them for a function that gives a list. Of the arguments named `values` the
    function needs the elements, not the sizes alone. Without `gradient`, no derivative goes through it.
    """

    def mark(function: Any) -> Any:
        what = Deferred(function, rule, values, gradient)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            trace = active_tapes().trace
            return function(*args, **kwargs) if trace is None else trace.later(what, args, kwargs)

        return call

    return mark


def shape_of(x: Any) -> tuple:
    """What is known of the shape of a tensor or of what will be one, None for sizes that are not."""
    return known(convert_to_tensor(x)._value.shape)  # type: ignore[return-value]


def unknown(rank: int, dtype: Any) -> Abstract:
    """A tensor of that rank, of sizes that are not known."""
    return Abstract((None,) * rank, dtype)
