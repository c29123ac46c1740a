"""Gradient descent, with momentum on request."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.tensor import Tensor, ndarray
from ...core.variable import Variable
from .update import ArrayOptimizer

add, multiply, subtract = np.add, np.multiply, np.subtract


class SGD(ArrayOptimizer):
    """Gradient descent: `w -= rate * g`; with momentum `m = momentum * m - rate * g; w += m`.

    Arguments:
        learning_rate: see `Optimizer`.
        momentum: a number in [0, 1].
        nesterov: whether the step is `momentum * m - rate * g` of the new m.
        options: those of `Optimizer`.

    Raises ValueError for another momentum.
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"momentum": 0.0},) if self.momentum else ()

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        return rate, self.momentum

    @property
    def rule(self) -> Any:  # type: ignore[override]
        return _plain if not self.momentum else _nesterov if self.nesterov else _momentum

    def _update(self, grads: list[Any], variables: list[Any], rate: Any) -> None:
        if self.momentum:
            super()._update(grads, variables, rate)
            return
        # without slots, and so without what finds them: the step most programs with few parameters make
        rate = rate._tensor._value if isinstance(rate, Variable) else rate._value if isinstance(rate, Tensor) else rate
        rates: dict = {}
        for g, v in zip(grads, variables):  # noqa: B905 - made together
            dtype = v._dtype
            r = rates.get(dtype)
            if r is None:
                r = rates[dtype] = dtype.type(rate)
            d = g * r
            a = v.buffer() if type(d) is ndarray else None
            if a is None:
                a = v._tensor._value - d
                v._set(a if a.dtype is dtype else a.astype(dtype))
            else:
                subtract(a, d, a, casting="same_kind")

    def get_config(self) -> dict:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


def _plain(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
    multiply(g, c[0], t)
    subtract(w, t, w)


def _momentum(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
    (m,), (rate, momentum) = slots, c
    multiply(m, momentum, m)
    multiply(g, rate, t)
    subtract(m, t, m)
    add(w, m, w)


def _nesterov(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
    (m,), (rate, momentum) = slots, c
    multiply(m, momentum, m)
    multiply(g, rate, t)
    subtract(m, t, m)
    subtract(w, t, w)
    multiply(m, momentum, t)
    add(w, t, w)
