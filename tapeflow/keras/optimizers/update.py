"""Optimizers that change arrays in place: what a subclass gives is data and one rule.

    slots       what is kept for each variable: names, and the number they begin with
    constants   the numbers of a step, from its count and the learning rate
    rule        how arrays change: the variable w, the gradient g (read only), a scratch array t, the slots

A rule writes with `out` arguments into w, t and the slots and makes no other array. Its numbers come in the variable's
dtype: a Python number inside a ufunc costs 0.4 us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.convert import convert_to_tensor
from ...core.indexed_slices import IndexedSlices
from ...core.variable import Variable as CoreVariable
from ...graph.state import NUMBERS, UPDATE
from ..initializers import Constant
from .optimizer import Optimizer
from .schedules import LearningRateSchedule

_FLUSH = 128  # steps after which denormals are looked for


class ArrayOptimizer(Optimizer):
    """An optimizer given by `slots`, `constants` and `rule`."""

    def __init__(self, learning_rate: Any, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self._slots: list[list[Any]] = []  # of each variable
        self._scratch: dict[tuple, np.ndarray] = {}

    def slots(self) -> tuple[dict[str, float], ...]:
        """The names of what is kept for each variable, with its first value.

        They come in groups, one dictionary each: the variables of a group stand together in `variables`.
        """
        return ()

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        """The numbers that the rule needs at a step, counted from 1."""
        return (rate,)

    # whether `constants` depends on its arguments alone
    pure = True

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
        return new

    def _update(self, grads: list[Any], variables: list[Any], rate: Any) -> None:
        step = self._changes() + 1
        numbers = self.constants(step, float(rate))
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
        plain = all(type(g) is not IndexedSlices and v._constraint is None for g, v in zip(grads, variables))  # noqa: B905
        if not plain or self._has_options() or not self.pure:
            return False
        if not isinstance(rate, (CoreVariable, LearningRateSchedule)):
            return False
        numbers = NUMBERS.call(
            convert_to_tensor(self._iterations), convert_to_tensor(self.learning_rate), self.constants
        )
        for g, v in zip(grads, variables, strict=True):
            slots = self._slots[self._index[id(v)]] if self._slots else ()
            UPDATE.call(convert_to_tensor(g), numbers, self.rule, v, *slots)
        return True


def flush_denormals(slots: list[Any]) -> None:
    """Sets numbers below the smallest normal one to zero.

    Means of gradients that have become zero fade into denormals and stay there, and arithmetic on those makes a step
    four times as slow.
    """
    for slot in slots:
        if slot._dtype.kind == "f" and slot._tensor._value.shape:
            array = slot.writable()
            np.multiply(array, np.abs(array) >= np.finfo(slot._dtype).tiny, array)
