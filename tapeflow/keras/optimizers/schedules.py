"""`tf.keras.optimizers.schedules`: learning rates that change with the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...core.convert import convert_to_tensor
from ...core.tensor import Tensor
from ...ops.arithmetic import minimum
from ...ops.arithmetic import pow_ as power
from ...ops.casting import cast
from ...ops.comparison import equal, less, less_equal
from ...ops.elementary import ceil, cos, floor, log
from ...ops.selection import where
from ..registry import resolve
from ..registry import serialize as _serialize

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """A learning rate as a function of the step: `schedule(step)` is a 0-d tensor. Subclasses define `__call__`."""

    def __call__(self, step: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not define __call__(step), as a learning rate schedule must")

    def get_config(self) -> dict:
        """The arguments to make the same schedule again: by default the attributes."""
        return {name.lstrip("_"): value for name, value in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict) -> LearningRateSchedule:
        return cls(**config)


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`, the exponent rounded down with `staircase`.

    Raises ValueError where `decay_steps` is not positive.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        rate, step = _start(self.initial_learning_rate, step)
        passed = step / float(self.decay_steps)
        return rate * power(float(self.decay_rate), floor(passed) if self.staircase else passed)


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`, the quotient rounded down with `staircase`.

    Raises ValueError where `decay_steps` is not positive.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        rate, step = _start(self.initial_learning_rate, step)
        passed = step / float(self.decay_steps)
        return rate / (1.0 + (floor(passed) if self.staircase else passed) * float(self.decay_rate))


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, as (1 - step / decay_steps) ** power.

    With `cycle` it begins again with a longer way whenever it has arrived. Raises ValueError where `decay_steps` is not
    positive.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        rate, step = _start(self.initial_learning_rate, step)
        way = float(self.decay_steps)
        if self.cycle:
            rounds = ceil(step / way)
            passed = step / (where(equal(step, 0.0), rounds + 1.0, rounds) * way)
        else:
            passed = minimum(step, way) / way
        return (rate - self.end_learning_rate) * power(1.0 - passed, float(self.power)) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the learning rate down to `alpha` times it, after a straight way up to `warmup_target`.

    Raises ValueError where `decay_steps` is not positive. Source: Loshchilov and Hutter, SGDR (2016).
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        rate, step = _start(self.initial_learning_rate, step)
        way = float(self.decay_steps)
        if self.warmup_target is None:
            return rate * _cosine(minimum(step, way) / way, self.alpha)
        warm = float(self.warmup_steps)
        step = minimum(step, way + warm)
        top = float(self.warmup_target)
        falling: Tensor = _cosine((step - warm) / way, self.alpha) * top
        if not warm:
            return falling
        return where(less(step, warm), step / warm * (top - rate) + rate, falling)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each `t_mul` times as long and `m_mul` times as high as the one before.

    Raises ValueError where `first_decay_steps` is not positive. Source: Loshchilov and Hutter, SGDR (2016).
    """

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str = "SGDRDecay",
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(first_decay_steps, "first_decay_steps")
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        rate, step = _start(self.initial_learning_rate, step)
        passed = step / float(self.first_decay_steps)
        longer = float(self._t_mul)
        if longer == 1.0:
            restarts = floor(passed)
            passed = passed - restarts
        else:
            restarts = floor(log(1.0 - passed * (1.0 - longer)) / math.log(longer))
            length = power(longer, restarts)
            passed = (passed - (1.0 - length) / (1.0 - longer)) / length
        height = power(float(self._m_mul), restarts)
        half = height * (1.0 + cos(passed * math.pi)) * 0.5
        return rate * (half * (1.0 - self.alpha) + self.alpha)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and so on.

    Raises ValueError where there is not one value more than there are boundaries.
    """

    def __init__(self, boundaries: Sequence[Any], values: Sequence[Any], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step = convert_to_tensor(step)
        values = [convert_to_tensor(v) for v in self.values]
        rate = values[-1]
        for boundary, value in zip(reversed(self.boundaries), reversed(values[:-1]), strict=True):
            rate = where(less_equal(step, cast(convert_to_tensor(boundary), step.dtype)), value, rate)
        return rate


def _start(rate: Any, step: Any) -> tuple[Tensor, Tensor]:
    """The first learning rate as a tensor, and the step in its dtype."""
    rate = convert_to_tensor(rate)
    return rate, cast(convert_to_tensor(step), rate.dtype)


def _cosine(passed: Tensor, alpha: float) -> Tensor:
    return (1.0 + cos(passed * math.pi)) * (0.5 * (1.0 - alpha)) + alpha


def _positive(value: Any, name: str) -> Any:
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return value


KNOWN: dict[str, Any] = {
    c.__name__: c
    for c in (
        ExponentialDecay, InverseTimeDecay, PolynomialDecay, CosineDecay, CosineDecayRestarts, PiecewiseConstantDecay,
    )
}  # fmt: skip


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """The configuration of a schedule."""
    return _serialize(learning_rate_schedule, "keras.optimizers.schedules")


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The schedule of a configuration."""
    return resolve(config, KNOWN | (custom_objects or {}), "learning rate schedule", LearningRateSchedule)
