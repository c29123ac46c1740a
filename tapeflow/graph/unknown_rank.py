"""Functions of tensors whose rank a trace does not know: one node, which calls them when it runs.

What is known of the result before is what all ranks agree on: the function is traced aside for one rank after another.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..core import errors, nest
from ..core.abstract import Abstract
from ..core.dtypes import VARIANT
from ..core.op import Op
from ..core.shapes import TensorShape
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..ops.deferring import Deferred
from . import deferred

_RANKS = range(7)
_OPS = Deferred.__module__.rpartition(".")[0]
_SHAPES = ("shape", "dims", "multiples", "perm")  # arguments whose number of elements is a rank
_DRAWN = ("draws", "random", "stateless_random", "random_generator", "dropout")  # modules whose functions draw numbers
_FLAT = ("zeros_like", "ones_like")  # functions without a derivative


def is_of_unknown_rank(x: Any) -> bool:
    """Whether it is a tensor of which a trace does not know the rank."""
    return isinstance(x, Tensor) and x._value.shape is None


def concerns(function: Callable, args: tuple, kwargs: dict) -> bool:
    """Whether the function is one of the package's on tensors, and the rank of an argument is not known."""
    floor, _, module = (getattr(function, "__module__", None) or "").rpartition(".")
    if floor != _OPS or module in _DRAWN or active_tapes().trace is None:
        return False
    if any(is_of_unknown_rank(x) for x in nest.flatten((args, kwargs))):
        return True
    if not any(_is_open_vector(x) for x in (*args, *kwargs.values())):
        return False
    given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    return any(_is_open_vector(given.get(name)) for name in _SHAPES)


def _is_open_vector(x: Any) -> bool:
    return isinstance(x, Tensor) and x._value.dtype.kind in "iu" and known(x._value.shape) == (None,)


def call(function: Callable, args: tuple, kwargs: dict) -> Any:
    """What the function gives, by a node. Raises what the function raises for tensors of any rank."""
    found: list = []  # the structure of the result, of which a node has the tensors alone

    def rule(*args: Any, **kwargs: Any) -> list[Abstract]:
        found.append(_agreed(function, args, kwargs))
        return nest.flatten(found[0])

    def run(*args: Any, **kwargs: Any) -> list[Tensor]:
        return nest.flatten(function(*args, **kwargs))

    run.__name__ = f"{function.__name__}_of_any_rank"
    results = active_tapes().trace.later(Deferred(run, rule, None, function.__name__ not in _FLAT), args, kwargs)
    return nest.pack_sequence_as(found[0], results)


def needs_ranks(op: Op, inputs: Sequence[Tensor]) -> bool:
    """Whether a tape follows inputs of an op whose gradient looks at ranks that are not known."""
    return (
        bool(op.grads)
        and op.outputs == 1
        and not op.effect
        and not (op.elementwise and op.inputs == 1)
        and any(x._value.shape is None for x in inputs)
        and not any(x._value.dtype is VARIANT for x in inputs)
        and any(x._key is not None for x in inputs)
    )


def add(trace: Any, op: Op, inputs: Sequence[Tensor], attributes: tuple) -> Tensor:
    """A run of an op, by a node whose gradient looks at the ranks when it runs."""

    def run(*tensors: Tensor) -> Any:
        return op.call(tensors, *attributes) if op.inputs is None else op.call(*tensors, *attributes)

    run.__name__ = f"{op.name}_of_any_rank"
    rule = Deferred(run, lambda *given: _agreed(run, given, {}), None, True)
    return deferred.later(trace, rule, tuple(inputs), {})


def _agreed(function: Callable, args: tuple, kwargs: dict) -> Any:
    """What is known of the result, for all ranks: in the place of each tensor an `Abstract`."""
    found, refused = [], None
    for rank in _RANKS:
        try:
            found.append(_kinds(function, args, kwargs, rank))
        except (TypeError, ValueError, IndexError, errors.OpError) as error:
            refused = error
    if refused is not None and not found:
        raise refused
    return nest.map_structure(lambda *kinds: _common(kinds), *found)


def _kinds(function: Callable, args: tuple, kwargs: dict, rank: int) -> Any:
    """Shape and dtype of the result where unknown ranks are `rank`."""
    from .trace import Symbolic, Trace  # which imports this module

    aside = Trace("aside")

    def stand_in(x: Any) -> Any:
        if not isinstance(x, Symbolic):
            return x
        shape = (None,) * rank if x._value.shape is None else known(x._value.shape)
        return aside.placeholder((rank,) if _is_open_vector(x) else shape, x._value.dtype)

    with aside:
        given, named = nest.map_structure(stand_in, (args, kwargs), expand_composites=True)
        result = function(*given, **named)
    return nest.map_structure(lambda x: Abstract(known(x._value.shape), x._value.dtype), result)


def _common(kinds: Sequence[Abstract]) -> Abstract:
    shape = TensorShape(kinds[0].shape)
    for kind in kinds[1:]:
        shape = shape.most_specific_compatible_shape(TensorShape(kind.shape))
    return Abstract(shape._dims, kinds[0].dtype)
