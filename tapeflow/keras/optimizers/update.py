"""Optimizers that change arrays in place: what a subclass gives is data and one rule.

    slots       what is kept for each variable: names, and the number they begin with
    constants   the numbers of a step, from its count and the learning rate
    rule        how arrays change: the variable w, the gradient g (read only), a scratch array t, the slots

A rule writes with `out` arguments into w, t and the slots and makes no other array. Its numbers come in the variable's
dtype: a Python number inside a ufunc costs 0.4 us.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from ...core.convert import convert_to_tensor
from ...core.indexed_slices import IndexedSlices
from ...core.op import TENSORS
from ...core.variable import Variable as CoreVariable
from ...graph.ir import Graph, Node, Value
from ...graph.state import NUMBERS, UPDATE
from ..initializers import Constant
from .optimizer import Optimizer
from .schedules import LearningRateSchedule

# Compiling pays once about so many numbers have been changed, where there are as many as this at all.
_PAYS, _LARGE = 10_000_000, 16_384
_FLUSH = 128  # steps after which denormals are looked for


class ArrayOptimizer(Optimizer):
    """An optimizer given by `slots`, `constants` and `rule`."""

    def __init__(self, learning_rate: Any, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self._slots: list[list[Any]] = []  # of each variable
        self._scratch: dict[tuple, np.ndarray] = {}
        self._compiled: dict[tuple[int, ...], Any] = {}  # by the ids of the variables that are changed
        self._compiled_from = inf  # the step from which the compiled functions are used

    def slots(self) -> tuple[dict[str, float], ...]:
        """The names of what is kept for each variable, with its first value.

        They come in groups, one dictionary each: the variables of a group stand together in `variables`.
        """
        return ()

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        """The numbers that the rule needs at a step, counted from 1."""
        return (rate,)

    def kept(self) -> tuple[Any, ...]:
        """Variables of one number that `constants` takes behind the rate where a graph asks for it."""
        return ()

    def advance(self, step: int) -> None:
        """Changes what is kept, once a step has its numbers."""

    def traced_advance(self, count: Any) -> None:
        """Adds to a graph what `advance` does, of the count of the steps made before."""

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        """Changes w, and the slots."""
        raise TypeError("an optimizer on arrays must define its rule")

    def _know(self, variables: Sequence[Any]) -> list[Any]:
        new = super()._know(variables)
        made: list[list[Any]] = [[] for _ in new]
        for group in self.slots():
            for variable, own in zip(new, made, strict=True):
                for name, first in group.items():
                    initializer = Constant(first) if first else "zeros"
                    own.append(self.add_variable_from_reference(variable, name, initializer))
        self._slots += made
        elements = sum(v.shape.num_elements() or 0 for v in self._trainable_variables)
        self._compiled_from = _PAYS // elements if elements >= _LARGE else inf
        return new

    def _compile(self, variables: list[Any]) -> Any:
        """The change of all these variables as one compiled graph, None where nothing can be compiled.

        It makes one pass over the arrays, where the rule makes one for every operation.
        """
        from ...engines import chosen, compile_graph

        if chosen() == "numpy":
            self._compiled_from = inf
            return None
        numbers = Value(None, (len(self.constants(1, 0.5)),), np.dtype("float64"))
        inputs = [Value(None, tuple(v.shape), v._dtype) for v in variables]
        nodes = []
        for g, v in zip(inputs, variables, strict=True):
            slots = self._slots[self._index[id(v)]] if self._slots else ()
            nodes.append(Node(UPDATE, [g, numbers], (self.rule, v, *slots), []))
        compiled = compile_graph(Graph(f"{self.name}_update", [*inputs, numbers], nodes, []))
        self._compiled[tuple(map(id, variables))] = compiled
        return compiled

    def _update(self, grads: list[Any], variables: list[Any], rate: Any) -> None:
        step = self._changes() + 1
        numbers = self.constants(step, float(rate))
        self.advance(step)
        if step >= self._compiled_from:
            compiled = self._compiled.get(tuple(map(id, variables))) or self._compile(variables)
            if compiled is not None:
                compiled.run(*grads, np.array(numbers))
                return
        if step % _FLUSH == 0:
            for slots in self._slots:
                flush_denormals(slots)
        typed: dict = {}
        index, known, rule = self._index, self._slots, self.rule
        for g, v in zip(grads, variables):  # noqa: B905 - made together
            i = index.get(id(v))
            if i is None:
                self._know([v])
                i = index[id(v)]
            dtype = v._dtype
            constants = typed.get(dtype)
            if constants is None:
                constants = typed[dtype] = [dtype.type(c) for c in numbers]
            if g.dtype is not dtype:
                g = g.astype(dtype)
            shape = g.shape
            if shape:
                t = self._scratch.get((shape, dtype))
                if t is None:
                    t = self._scratch[shape, dtype] = np.empty(shape, dtype)
                rule(v.writable(), g, t, [s.writable() for s in known[i]], constants)
            else:  # arithmetic in place needs arrays
                arrays = [np.array([x._tensor._value]) for x in (v, *known[i])]
                rule(arrays[0], np.array([g]), np.empty(1, dtype), arrays[1:], constants)
                for x, a in zip((v, *known[i]), arrays, strict=True):
                    x._set(a[0])

    def _traced_update(self, grads: list[Any], variables: list[Any]) -> bool:
        rate = self._learning_rate
        if any(v._constraint is not None for v in variables) or self._keeps_more():
            return False
        if not isinstance(rate, (CoreVariable, LearningRateSchedule)):
            return False
        count, rate = convert_to_tensor(self._iterations), convert_to_tensor(self.learning_rate)
        numbers = NUMBERS.call([count, rate, *map(convert_to_tensor, self.kept())], self.constants)
        self.traced_advance(count)
        tensors = self._clipped(TENSORS, [_dense(g, v) for g, v in zip(grads, variables, strict=True)])
        if self.weight_decay is not None:
            decay = NUMBERS.call([count, rate], self._decay_numbers)
            for g, v in zip(tensors, variables, strict=True):
                if not self._undecayed(v):
                    UPDATE.call(g, decay, decayed, v)
        for g, v in zip(tensors, variables, strict=True):
            slots = self._slots[self._index[id(v)]] if self._slots else ()
            UPDATE.call(g, numbers, self.rule, v, *slots)
        return True

    def _decay_numbers(self, step: int, rate: float) -> tuple[float, ...]:
        """The part of each weight that a step takes away."""
        return (rate * (self.weight_decay or 0.0),)


def _dense(gradient: Any, variable: Any) -> Any:
    """A gradient as a tensor in a graph; rows become dense there."""
    if type(gradient) is IndexedSlices and gradient.dense_shape is None:
        gradient = IndexedSlices(gradient.values, gradient.indices, np.array(variable._tensor._value.shape))
    return convert_to_tensor(gradient)


def decayed(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
    """A rule, as those of optimizers: `w -= c * w`."""
    np.multiply(w, c[0], t)
    np.subtract(w, t, w)


def flush_denormals(slots: list[Any]) -> None:
    """Sets numbers below the smallest normal one to zero.

    Means of gradients that have become zero fade into denormals and stay there, and arithmetic on those makes a step
    four times as slow.
    """
    for slot in slots:
        if slot._dtype.kind == "f" and slot._tensor._value.shape:
            array = slot.writable()
            np.multiply(array, np.abs(array) >= np.finfo(slot._dtype).tiny, array)
