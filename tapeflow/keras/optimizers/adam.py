"""Adam and its relatives: steps scaled by running means of the gradients and of their squares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.convert import convert_to_tensor
from ...graph.state import NUMBERS
from .update import ArrayOptimizer

add, divide, maximum, multiply, sqrt, subtract = np.add, np.divide, np.maximum, np.multiply, np.sqrt, np.subtract


class Adam(ArrayOptimizer):
    """`w -= alpha * m / (sqrt(v) + epsilon)`, m and v being running means of g and g**2, alpha correcting their start.

    Arguments:
        learning_rate: see `Optimizer`.
        beta_1, beta_2: how slowly the means of g and g**2 move.
        epsilon: keeps the divisor away from zero.
        amsgrad: whether the largest v so far stands for v.
        options: those of `Optimizer`.

    Source: Kingma and Ba, Adam: a method for stochastic optimization (2014), with the epsilon of the formula just
    before section 2.1; Reddi et al., On the convergence of Adam and beyond (2018) for `amsgrad`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"momentum": 0.0, "velocity": 0.0}, *([{"velocity_hat": 0.0}] if self.amsgrad else []))

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        b1, b2 = self.beta_1, self.beta_2
        alpha = rate * math.sqrt(1 - b2**step) / (1 - b1**step)
        return alpha, b1, 1 - b1, b2, 1 - b2, self.epsilon

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        alpha, b1, c1, b2, c2, epsilon = c
        m, v = slots[0], slots[1]
        moved(m, g, t, b1, c1)
        moved_squares(v, g, t, b2, c2)
        if len(slots) == 3:
            v = maximum(slots[2], v, out=slots[2])
        sqrt(v, t)
        add(t, epsilon, t)
        divide(m, t, t)
        multiply(t, alpha, t)
        subtract(w, t, w)

    def get_config(self) -> dict:
        own = ("beta_1", "beta_2", "epsilon", "amsgrad")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class AdamW(Adam):
    """Adam with a weight decay that is not part of the gradient.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization (2019).
    """

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, amsgrad: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)


class Adamax(ArrayOptimizer):
    """Adam where the largest recent |g| stands for sqrt(v). Source: Kingma and Ba (2014), section 7.1."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"momentum": 0.0, "norm": 0.0},)

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        return rate / (1 - self.beta_1**step), self.beta_1, 1 - self.beta_1, self.beta_2, self.epsilon

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        rate, b1, c1, b2, epsilon = c
        m, u = slots
        moved(m, g, t, b1, c1)
        multiply(u, b2, u)
        np.abs(g, t)
        maximum(u, t, out=u)
        add(u, epsilon, t)
        divide(m, t, t)
        multiply(t, rate, t)
        subtract(w, t, w)

    def get_config(self) -> dict:
        return {**super().get_config(), **{name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon")}}


class Nadam(ArrayOptimizer):
    """Adam with Nesterov's momentum. Source: Dozat, Incorporating Nesterov momentum into Adam (2016)."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **options)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self._product: Any = None  # of the momentum's coefficients so far

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"momentum": 0.0, "velocity": 0.0},)

    def build(self, var_list: Any) -> None:
        super().build(var_list)
        if self._product is None:
            self._product = self._own(1.0, "u_product", None)

    def kept(self) -> tuple[Any, ...]:
        return (self._product,)

    def constants(self, step: int, rate: float, before: float | None = None) -> tuple[float, ...]:
        b1, b2 = self.beta_1, self.beta_2
        now, following = self._weights(step)
        product = (float(self._product) if before is None else before) * now
        from_m, from_g = following / (1 - product * following), (1 - now) / (1 - product)
        return rate, b1, 1 - b1, b2, 1 - b2, self.epsilon, from_m, from_g, 1 / math.sqrt(1 - b2**step)

    def advance(self, step: int) -> None:
        self._product.assign(self._advanced(step, float(self._product))[0])

    def traced_advance(self, count: Any) -> None:
        self._product.assign(NUMBERS.call([count, convert_to_tensor(self._product)], self._advanced)[0])

    def _advanced(self, step: int, product: float) -> tuple[float, ...]:
        return (product * self._weights(step)[0],)

    def _weights(self, step: int) -> tuple[float, float]:
        """The momentum's coefficients at a step and at the one after it."""
        now, following = (self.beta_1 * (1 - 0.5 * 0.96**n) for n in (step, step + 1))
        return now, following

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        rate, b1, c1, b2, c2, epsilon, from_m, from_g, correction = c
        m, v = slots
        moved(m, g, t, b1, c1)
        moved_squares(v, g, t, b2, c2)
        sqrt(v, t)
        multiply(t, correction, t)
        add(t, epsilon, t)
        divide(rate * (from_m * m + from_g * g), t, t)
        subtract(w, t, w)

    def get_config(self) -> dict:
        return {**super().get_config(), **{name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon")}}


def moved(mean: Any, x: Any, t: Any, keep: Any, take: Any) -> None:
    """`mean = keep * mean + take * x`, in place; t is overwritten."""
    multiply(mean, keep, mean)
    multiply(x, take, t)
    add(mean, t, mean)


def moved_squares(mean: Any, x: Any, t: Any, keep: Any, take: Any) -> None:
    """`mean = keep * mean + take * x * x`, in place; t is overwritten."""
    multiply(mean, keep, mean)
    multiply(x, x, t)
    multiply(t, take, t)
    add(mean, t, mean)
