"""Functions that look at sizes or values, in a trace that does not know them: one node, which calls them when it runs.

`tf.math.bincount(x)` needs the greatest element of x, `tf.nn.space_to_depth(x, 2)` whether 2 divides the height. Their
derivative is such a function too, the backward pass through what they do then; so derivatives have derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..autodiff.request import UnconnectedGradients
from ..autodiff.tape import GradientTape
from ..core import nest
from ..core.abstract import Abstract
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import Op
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, wrap
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
    op.call = _called
    return op


def _called(tensors: Sequence[Tensor], call: Call) -> Sequence[Tensor]:
    trace = active_tapes().trace
    if trace is None:
        return call(tensors)
    args, kwargs = call.filled(tensors)
    results = trace.later(call.what, args, kwargs)
    return [results] if call.single else results


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
    trace = active_tapes().trace
    given = (*inputs, *upstream)
    found = pull(*given) if trace is None else later(trace, Deferred(pull, lambda *x: kinds, (), True), given, {})
    gradients: list = [None] * count
    for i, d in zip(wanted, found, strict=True):
        gradients[i] = d
    return gradients
