"""Functions with a gradient of their own (`tf.custom_gradient`), as nodes.

Their gradient function is traced with them: a graph of the gradients from above and of whatever tensors of the program
it uses. The node takes, besides the function's inputs, its results and those tensors, and gives the results; its
gradient runs that graph. So it can be differentiated wherever the graph goes, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.op import Op
from ..core.tapes import active_tapes, record
from ..core.tensor import Tensor, wrap
from .ir import Graph


class Gradient:
    """What stands in the node: the graph of the gradient, and how many of the node's inputs are what."""

    def __init__(self, name: str, graph: Graph, count: int, results: int, given: tuple[bool, ...]) -> None:
        self.__name__ = name
        self.graph = graph
        self.count = count  # inputs
        self.results = results
        self.given = given  # of each input, whether it has a gradient


def _call(tensors: list, gradient: Gradient) -> tuple:
    trace = active_tapes().trace
    if trace is not None:
        return trace.add(CUSTOM, tensors, (gradient,))
    outputs = tuple([wrap(x._value) for x in tensors[gradient.count : gradient.count + gradient.results]])
    _remember(tuple(tensors), (gradient,), outputs)
    return outputs


def _remember(inputs: tuple, attributes: tuple, outputs: tuple) -> None:
    (gradient,) = attributes
    if any(x._key is not None for x in inputs[: gradient.count]):
        kept = inputs[gradient.count + gradient.results :]
        record(_Call(gradient, kept), inputs[: gradient.count], (), outputs)


def _results(values: Sequence, gradient: Gradient) -> tuple:
    return tuple(values[gradient.count : gradient.count + gradient.results])


CUSTOM = Op(
    "custom_gradient",
    lambda xp: _results,
    lambda values, gradient: tuple([Abstract(v.shape, v.dtype) for v in _results(values, gradient)]),
    inputs=None,
    outputs=0,
)
CUSTOM.call = _call
CUSTOM.remember = _remember


class _Call:
    """One run of such a function, as an op on a tape."""

    name = "custom_gradient"
    saves = None
    outputs = 0

    def __init__(self, gradient: Gradient, kept: tuple) -> None:
        self.gradient = gradient
        self.kept = kept

    def describe(self, rec: tuple) -> tuple:
        return rec[4][:-1], rec[4][-1], self.kept

    def pull(self, F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        from ..ops.creation import zeros
        from .trace import replay

        upstream = [
            zeros(shape, dtype) if d is None else d if isinstance(d, Tensor) else wrap(d)
            for d, (shape, dtype) in zip(g, rec[5], strict=True)
        ]
        found = iter(replay(self.gradient.graph, [*upstream, *self.kept]))
        for key, given in zip(rec[1], self.gradient.given, strict=True):
            if given:
                d = F.unwrap(next(found))
                if key in wanted:
                    grads[key] = grads[key] + d if key in grads else d


def traced(
    trace: Any, inner: Any, inputs: Sequence, variables: Sequence, outputs: Sequence, grad_fn: Callable, pairs: bool
) -> list[Tensor]:
    """The outputs of a function with its own gradient, as those of one node."""
    upstream = [inner.placeholder(y.shape._dims, y._value.dtype) for y in outputs]
    with inner:
        if pairs:
            found, of_variables = grad_fn(*upstream, variables=list(variables))
        else:
            found, of_variables = grad_fn(*upstream), ()
        flat = [*_flat(found), *_flat(of_variables)]
        if len(flat) != len(inputs) + len(variables):
            raise ValueError(
                f"custom_gradient function {inner.name} expected to return {len(inputs) + len(variables)} gradients, "
                f"one for each tensor argument (then each variable), but returned {len(flat)} instead."
            )
        given = tuple([d is not None for d in flat])
        graph = inner.graph([convert_to_tensor(d) for d in flat if d is not None])
    tensors = [convert_to_tensor(x) for x in [*inputs, *variables]]
    captured = [x for x, _ in inner.captures]
    gradient = Gradient(inner.name, graph, len(tensors), len(outputs), given)
    return list(trace.add(CUSTOM, [*tensors, *outputs, *captured], (gradient,)))


def _flat(gradients: Any) -> list:
    from ..core import nest

    if gradients is None:
        return [None]
    return nest.flatten(gradients) if isinstance(gradients, (list, tuple, dict)) else [gradients]
