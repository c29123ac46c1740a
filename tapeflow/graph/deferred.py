"""Functions that look at sizes or values, in a trace that does not know them: one node, which calls them when it runs.

`tf.math.bincount(x)` needs the greatest element of x, `tf.nn.space_to_depth(x, 2)` whether 2 divides the height. Their
derivative is such a function too, the backward pass through what they do then; so derivatives have derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..autodiff.batching import Batched, CannotBatch, batched, every
from ..autodiff.request import UnconnectedGradients
from ..autodiff.tape import GradientTape
from ..core import nest
from ..core.abstract import Abstract
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS, Op, interpret
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, wrap
from ..ops.deferring import Deferred


class Call:
    """A call in the place of its tensors: the function, its arguments, and of what kind its results are."""

    def __init__(self, what: Deferred, args: tuple, kwargs: dict) -> None:
        self.__name__ = what.function.__name__
        self.what = what
        self.structure = (args, kwargs)
        self.leaves = nest.flatten((args, kwargs), expand_composites=True)
        self.places = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, Tensor)]
        self.single = True
        self.kinds: tuple = ()

    def filled(self, tensors: Sequence[Tensor]) -> tuple[tuple, dict]:
        """The arguments with these tensors among them."""
        leaves = list(self.leaves)
        for i, x in zip(self.places, tensors, strict=True):
            leaves[i] = x
        return nest.pack_sequence_as(self.structure, leaves, expand_composites=True)

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        args, kwargs = self.filled(tensors)
        result = self.what.function(*args, **kwargs)
        return [result] if isinstance(result, Tensor) else list(result)


def later(trace: Any, what: Deferred, args: tuple, kwargs: dict) -> Any:
    """What the function gives, as the results of one node."""
    call = Call(what, args, kwargs)
    kinds = what.rule(*args, **kwargs)
    call.single = isinstance(kinds, Abstract)
    call.kinds = tuple([Abstract(known(k.shape), k.dtype) for k in ([kinds] if call.single else kinds)])
    results = trace.add(_op(call.__name__, what.gradient), [call.leaves[i] for i in call.places], (call,))
    # what stands in the node for the arguments must not keep the trace alive
    call.leaves = [None if i in call.places else leaf for i, leaf in enumerate(call.leaves)]
    call.structure = nest.pack_sequence_as(call.structure, call.leaves, expand_composites=True)
    return results[0] if call.single else list(results)


def rows(trace: Any, pulled: Callable, y: Tensor, seeds_of: Callable, batch: bool) -> list:
    """What `pulled` gives for each seed of a tensor of unknown size, stacked: its graph, run when y is there."""
    from .trace import Trace, replay  # which imports this module

    inner = Trace(f"{trace.name}_row", parent=trace, lift_reads=True)
    seed = inner.placeholder(known(y._value.shape), y._value.dtype)
    with inner:
        found = pulled(seed)
    present = [i for i, g in enumerate(found) if g is not None]
    graph = inner.graph([found[i] for i in present])
    kinds = [Abstract((None, *known(v.shape)), v.dtype) for v in graph.outputs]

    def jacobian(y: Tensor, *captured: Tensor) -> list[Tensor]:
        seeds = seeds_of(y._value)
        if batch:
            try:
                made = replay(graph, [batched(wrap(seeds)), *captured])
                return [every(g, len(seeds)) for g in made]
            except CannotBatch:
                pass  # row by row
        each = [replay(graph, [wrap(flat(seed)), *captured]) for seed in seeds]
        return [TENSORS.stack(list(parts), 0) for parts in zip(*each, strict=True)]  # type: ignore[attr-defined]

    given = (y, *[x for x, _ in inner.captures])
    made = iter(later(trace, Deferred(jacobian, lambda *x: kinds, None, True), given, {}))
    return [None if g is None else next(made) for g in found]


@lru_cache(None)
def _op(name: str, gradient: bool) -> Op:
    op = Op(
        name,
        lambda xp: lambda values, call: tuple([x._value for x in call([wrap(v) for v in values])]),
        lambda values, call: call.kinds,
        _gradients if gradient else (),
        saves=lambda *given: (given[: len(given[-1].places)],),
        inputs=None,
        outputs=0,
    )

    def run(tensors: Sequence[Tensor], call: Call) -> Sequence[Tensor]:
        if any(isinstance(x, Batched) for x in tensors):
            return interpret(op, tuple(tensors), (call,))
        trace = active_tapes().trace
        if trace is None:
            return tuple(call(tensors))
        args, kwargs = call.filled(tensors)
        results = trace.later(call.what, args, kwargs)
        return (results,) if isinstance(results, Tensor) else tuple(results)

    op.call = run
    return op


def _gradients(F: Any, g: Sequence, needs: Sequence[bool], inputs: Sequence[Tensor], call: Call) -> list:
    count = len(inputs)
    reached = [i for i, d in enumerate(g) if d is not None]
    wanted = [i for i, x in enumerate(inputs) if needs[i] and is_differentiable(x._value.dtype)]
    if not reached or not wanted:
        return [None] * count

    def pull(*tensors: Tensor) -> list[Tensor]:
        given, upstream = tensors[:count], tensors[count:]
        sources = [given[i] for i in wanted]
        with GradientTape() as tape:
            tape.watch(sources)
            made = call(given)
        found = tape.gradient([made[i] for i in reached], sources, list(upstream), UnconnectedGradients.ZERO)
        return [d.dense() if isinstance(d, IndexedSlices) else d for d in found]

    pull.__name__ = f"{call.__name__}_gradient"
    kinds = [Abstract(known(inputs[i]._value.shape), inputs[i]._value.dtype) for i in wanted]
    upstream = [d.dense() if isinstance(d, IndexedSlices) else d for d in (g[i] for i in reached)]
    given = (*inputs, *upstream)
    found = _op(pull.__name__, True).call(given, Call(Deferred(pull, lambda *x: kinds, None, True), given, {}))
    gradients: list = [None] * count
    for i, d in zip(wanted, found, strict=True):
        gradients[i] = d
    return gradients
