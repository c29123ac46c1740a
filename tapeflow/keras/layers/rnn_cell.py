"""What the cells of recurrent networks share: kernels and biases, dropout of inputs and states, configuration.

A cell takes the inputs of one step and the states before it, and gives the step's output and the states after it.
"""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.creation import ones, zeros
from ...ops.dropout import stateless_dropout
from ...ops.joining import concat, split
from ...ops.products import matmul
from .. import activations, constraints, initializers, regularizers
from ..random import SeedGenerator, draw_seed
from ..registry import serialize
from .arguments import REQUIRED, bound
from .layer import Layer

WEIGHTS = {
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
}
REGULARIZERS = {f"{what}_regularizer": None for what in ("kernel", "recurrent", "bias")}
CONSTRAINTS = {f"{what}_constraint": None for what in ("kernel", "recurrent", "bias")}
DROPOUT = {"dropout": 0.0, "recurrent_dropout": 0.0}
UNITS = {"units": REQUIRED, "activation": "tanh"}

_KINDS: dict[str, tuple[Any, str]] = {
    "activation": (activations, "keras.activations"),
    "initializer": (initializers, "keras.initializers"),
    "regularizer": (regularizers, "keras.regularizers"),
    "constraint": (constraints, "keras.constraints"),
}


class RecurrentCell(Layer):
    """A cell with `gates` blocks of `units` columns in its kernel [inputs, ...] and recurrent kernel [units, ...].

    The arguments stand in the subclass's `table`. `implementation=1` draws a dropout mask for each gate, 2 one for all.
    Raises ValueError for a number of units that is not positive.
    """

    table: dict[str, Any]
    gates: int
    states: int = 1
    seed_first = False  # whether the seed for dropout is drawn before those of the initializers, as in Keras

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given, rest = bound(type(self).__name__, self.table, args, kwargs)
        self._implementation = rest.pop("implementation", 2)
        super().__init__(**rest)
        units = given["units"]
        if not hasattr(units, "__index__") or units <= 0:
            raise ValueError(
                f"Received an invalid value for argument `units`, expected a positive integer, got {units}."
            )
        if self.seed_first:
            self.seed_generator = SeedGenerator(given["seed"])
        for name, value in given.items():
            module, _ = _KINDS.get(name.rpartition("_")[2], (None, ""))
            setattr(self, name, value if module is None else module.get(value))
        self.units = int(units)
        self.dropout = min(1.0, max(0.0, given["dropout"]))
        self.recurrent_dropout = min(1.0, max(0.0, given["recurrent_dropout"]))
        if self.recurrent_dropout and self.gates > 1:
            self._implementation = 1
        if not self.seed_first:
            self.seed_generator = SeedGenerator(given["seed"])
        self.output_size = self.units
        self.state_size: Any = self.units if self.states == 1 else [self.units] * self.states
        self._masks_drawn: tuple | None = None

    @property
    def implementation(self) -> int:
        """1 where every gate has a dropout mask of its own, else 2."""
        return self._implementation

    def build(self, input_shape: Any) -> None:
        width = self.units * self.gates
        weights = {"kernel": (input_shape[-1], width), "recurrent": (self.units, width), "bias": self._bias_shape()}
        for what, shape in weights.items():
            name = "recurrent_kernel" if what == "recurrent" else what
            if what == "bias" and not self.use_bias:  # type: ignore[attr-defined]
                self.bias = None
                continue
            initializer = self._bias_begin if what == "bias" else getattr(self, f"{what}_initializer")
            variable = self.add_weight(
                shape, initializer, regularizer=getattr(self, f"{what}_regularizer"),
                constraint=getattr(self, f"{what}_constraint"), name=name,
            )  # fmt: skip
            setattr(self, name, variable)
        self.built = True

    def _bias_shape(self) -> tuple:
        return (self.units * self.gates,)

    def _bias_begin(self, shape: Any, dtype: Any = None) -> Any:
        return self.bias_initializer(shape, dtype=dtype)  # type: ignore[attr-defined]

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros for the states of so many examples."""
        return [zeros((batch_size, self.units), self.dtype) for _ in range(self.states)]

    # -- dropout: masks are drawn whether this is training or not, as Keras does, so that seeds stay in step --

    def draw_masks(self, batch_size: Any, size: int) -> None:
        """Draws the dropout masks for all steps of a call; until `forget_masks` every step uses them."""
        self._masks_drawn = (self._mask(batch_size, size, self.dropout),
                             self._mask(batch_size, self.units, self.recurrent_dropout))  # fmt: skip

    def forget_masks(self) -> None:
        """The masks have served."""
        self._masks_drawn = None

    def _mask(self, batch_size: Any, size: int, rate: float) -> Any:
        if not rate:
            return None
        whole = ones((batch_size, size), self.dtype)
        if rate == 1:
            return whole * 0.0
        count = self.gates if self._implementation == 1 and self.gates > 1 else 1
        drawn = [stateless_dropout(whole, rate, draw_seed(self.seed_generator)) for _ in range(count)]
        return drawn if count > 1 else drawn[0]

    def _dropped(self, inputs: Any, h: Any, training: Any) -> tuple[Any, Any]:
        """Inputs and state times their masks; lists of them where each gate has a mask of its own."""
        if not (self.dropout or self.recurrent_dropout):
            return inputs, h
        alone = self._masks_drawn is None
        if alone:
            self.draw_masks(inputs._value.shape[0], inputs._value.shape[-1])
        for_inputs, for_state = self._masks_drawn  # type: ignore[misc]
        if alone:
            self.forget_masks()
        if not training:
            return inputs, h
        return _times(inputs, for_inputs), _times(h, for_state)

    def _project(self, x: Any, kernel: Any) -> Tensor:
        """x @ kernel; of a list, each part with its gate's columns."""
        kernel = kernel.read_value()
        if not isinstance(x, list):
            return matmul(x, kernel)
        return concat([matmul(part, k) for part, k in zip(x, split(kernel, self.gates, 1), strict=True)], 1)

    # -- configuration --

    def get_config(self) -> dict:
        return {**super().get_config(), **config_of(self)}


def config_of(cell: RecurrentCell) -> dict:
    """The arguments of a cell's table."""
    config = {}
    for name in cell.table:
        value = getattr(cell, name)
        _, module = _KINDS.get(name.rpartition("_")[2], (None, ""))
        if name.endswith("activation"):
            value = activations.serialize(value)
        elif module:
            value = serialize(value, module)
        config[name] = value
    return config


def _times(x: Tensor, mask: Any) -> Any:
    if mask is None:
        return x
    return [x * part for part in mask] if isinstance(mask, list) else x * mask
