"""`SimpleRNN` and its cell: the plain recurrent network."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.products import tensordot
from ...ops.recurrent import tanh_rnn
from .. import activations
from .rnn import NAMED_OPTIONS, FusedRNN, delegates
from .rnn_cell import CONSTRAINTS, DROPOUT, REGULARIZERS, UNITS, WEIGHTS, RecurrentCell

_BEGIN = {**UNITS, "use_bias": True, **WEIGHTS}


class SimpleRNNCell(RecurrentCell):
    """One step of a plain recurrent network: h' = activation(inputs @ kernel + h @ recurrent_kernel + bias).

    Arguments (see `table` for the order): units, activation, use_bias; initializers, regularizers and constraints of
    kernel, recurrent kernel and bias; dropout of inputs and recurrent_dropout of states, with their seed; those of
    `Layer`.
    """

    table = {**_BEGIN, **REGULARIZERS, **CONSTRAINTS, **DROPOUT, "seed": None}
    gates = 1
    seed_first = True

    def call(self, sequence: Any, states: Any, training: Any = False) -> tuple[Tensor, list]:
        h = states[0] if isinstance(states, (list, tuple)) else states
        x, before = self._dropped(sequence, h, training)
        x = self._project(x, self.kernel)
        if self.bias is not None:
            x = x + self.bias.read_value()
        h = self.activation(x + self._project(before, self.recurrent_kernel))  # type: ignore[attr-defined]
        return h, [h] if isinstance(states, (list, tuple)) else h

    @property
    def fuses(self) -> bool:
        """Whether the op for whole sequences computes what this cell does."""
        return self.activation is activations.tanh and type(self).call is SimpleRNNCell.call  # type: ignore[attr-defined]

    def run_all(self, sequences: Tensor, states: list, mask: Any, backward: bool) -> list[Tensor]:
        """The states after each step, in the order in which the steps are taken."""
        x = tensordot(sequences, self.kernel.read_value(), 1)
        if self.bias is not None:
            x = x + self.bias.read_value()
        given = [x, *states, self.recurrent_kernel.read_value(), *([] if mask is None else [mask])]
        return list(tanh_rnn(given, mask is not None, backward))


@delegates
class SimpleRNN(FusedRNN):
    """A plain network over inputs [batch, steps, n]: the last output [batch, units], or all [batch, steps, units].

    Arguments (see `table` for the order): those of `SimpleRNNCell`, activity_regularizer, and those of `RNN`.
    """

    cell_class = SimpleRNNCell
    table = {
        **_BEGIN, **REGULARIZERS, "activity_regularizer": None, **CONSTRAINTS, **DROPOUT, **NAMED_OPTIONS, "seed": None,
    }  # fmt: skip
