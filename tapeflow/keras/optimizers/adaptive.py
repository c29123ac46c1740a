"""Optimizers with a step size of its own for each weight: RMSprop, Adagrad, Adadelta, Ftrl."""

from __future__ import annotations

from typing import Any

import numpy as np

from .adam import moved, moved_squares
from .update import ArrayOptimizer

add, divide, multiply, sqrt, subtract = np.add, np.divide, np.multiply, np.sqrt, np.subtract


class RMSprop(ArrayOptimizer):
    """`w -= rate * g / sqrt(v + epsilon)`, v being a running mean of g**2.

    Arguments:
        learning_rate: see `Optimizer`.
        rho: how slowly the mean moves.
        momentum: how much of the last step is in the next.
        epsilon: keeps the divisor away from zero.
        centered: whether the square of the mean of g is taken from v, which makes it a variance.
        options: those of `Optimizer`.

    Source: Hinton, Neural networks for machine learning, lecture 6 (2012).
    """

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
        centered: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **options)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def slots(self) -> tuple[dict[str, float], ...]:
        wanted = (("velocity", True), ("momentum", self.momentum > 0), ("average_gradient", self.centered))
        return tuple({name: 0.0} for name, kept in wanted if kept)

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        kept = (self.momentum,) if self.momentum > 0 else ()
        return rate, self.rho, 1 - self.rho, self.epsilon, *kept

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        rate, rho, rest, epsilon, *momentum = c
        v = slots[0]
        moved_squares(v, g, t, rho, rest)
        if len(slots) == 1 + len(momentum):
            add(v, epsilon, t)
        else:
            average = slots[-1]
            moved(average, g, t, rho, rest)
            multiply(average, average, t)
            subtract(v, t, t)
            add(t, epsilon, t)
        sqrt(t, t)
        divide(g, t, t)
        multiply(t, rate, t)
        if momentum:
            m = slots[1]
            multiply(m, momentum[0], m)
            t = add(m, t, m)
        subtract(w, t, w)

    def get_config(self) -> dict:
        own = ("rho", "momentum", "epsilon", "centered")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class Adagrad(ArrayOptimizer):
    """`w -= rate * g / sqrt(a + epsilon)`, a being `initial_accumulator_value` plus the sum of all g**2.

    Source: Duchi et al., Adaptive subgradient methods for online learning (2011).
    """

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"accumulator": self.initial_accumulator_value},)

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        return rate, self.epsilon

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        (a,), (rate, epsilon) = slots, c
        multiply(g, g, t)
        add(a, t, a)
        add(a, epsilon, t)
        sqrt(t, t)
        divide(g, t, t)
        multiply(t, rate, t)
        subtract(w, t, w)

    def get_config(self) -> dict:
        own = ("initial_accumulator_value", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class Adadelta(ArrayOptimizer):
    """Steps as large as recent steps were, by the gradient over its recent size.

    Source: Zeiler, Adadelta: an adaptive learning rate method (2012).
    """

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.rho = rho
        self.epsilon = epsilon

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"accumulated_grad": 0.0, "accumulated_delta_var": 0.0},)

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        return rate, self.rho, 1 - self.rho, self.epsilon

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        (a, d), (rate, rho, rest, epsilon) = slots, c
        moved_squares(a, g, t, rho, rest)
        delta = sqrt(d + epsilon)
        add(a, epsilon, t)
        sqrt(t, t)
        divide(delta, t, delta)
        multiply(delta, g, delta)
        moved_squares(d, delta, t, rho, rest)
        multiply(delta, rate, t)
        subtract(w, t, w)

    def get_config(self) -> dict:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


class Ftrl(ArrayOptimizer):
    """Follow the regularized leader: sparse weights through penalties on their magnitude.

    Arguments:
        learning_rate: see `Optimizer`.
        learning_rate_power: how the rate falls with the accumulated g**2; at most 0.
        initial_accumulator_value: what the accumulation begins with; at least 0.
        l1_regularization_strength, l2_regularization_strength: penalties on |w| and w**2; at least 0.
        l2_shrinkage_regularization_strength: a penalty on the size of w within the gradient; at least 0.
        beta: added to the root of the accumulation.
        options: those of `Optimizer`.

    Raises ValueError for numbers out of range. Source: McMahan et al., Ad click prediction (2013).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        if learning_rate_power > 0.0:
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. Received: {learning_rate_power=}")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for name in _FTRL[1:5]:
            if getattr(self, name) < 0.0:
                raise ValueError(f"`{name}` needs to be positive or zero. Received: {name}={getattr(self, name)}")

    def slots(self) -> tuple[dict[str, float], ...]:
        return ({"accumulator": self.initial_accumulator_value, "linear": 0.0},)

    def constants(self, step: int, rate: float) -> tuple[float, ...]:
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        shrinkage = 2 * self.l2_shrinkage_regularization_strength
        return rate, -self.learning_rate_power, self.l1_regularization_strength, 2 * l2, shrinkage

    @staticmethod
    def rule(w: Any, g: Any, t: Any, slots: list[Any], c: list[Any]) -> None:
        (a, z), (rate, power, l1, l2, shrinkage) = slots, c
        before = a**power
        multiply(g, g, t)
        add(a, t, a)
        after = np.power(a, power, t)
        add(z, g + shrinkage * w - (after - before) / rate * w, z)
        within = np.minimum(np.maximum(z, -l1), l1)
        np.divide(within - z, after / rate + l2, w)

    def get_config(self) -> dict:
        return {**super().get_config(), **{name: getattr(self, name) for name in _FTRL}}


_FTRL = (
    "learning_rate_power",
    "initial_accumulator_value",
    "l1_regularization_strength",
    "l2_regularization_strength",
    "l2_shrinkage_regularization_strength",
    "beta",
)
