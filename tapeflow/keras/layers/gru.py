"""`GRU` and its cell. Source: Cho et al., Learning phrase representations using RNN encoder-decoder (2014)."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.creation import zeros
from ...ops.joining import split
from ...ops.products import matmul, tensordot
from ...ops.recurrent import gru
from .. import activations
from .rnn import NAMED_OPTIONS, FusedRNN, delegates
from .rnn_cell import CONSTRAINTS, DROPOUT, REGULARIZERS, UNITS, WEIGHTS, RecurrentCell

_BEGIN = {**UNITS, "recurrent_activation": "sigmoid", "use_bias": True, **WEIGHTS}


class GRUCell(RecurrentCell):
    """One step of a GRU: gates z and r, and a candidate of which r says how much it sees of the state.

    h' = z * h + (1 - z) * activation(candidate), with `recurrent_activation` for the gates. With `reset_after` r is
    applied to the state's part behind the product, which then has a bias of its own (the bias is [2, 3 * units]).

    Arguments (see `table` for the order): units, activation, recurrent_activation; use_bias; initializers,
    regularizers and constraints of kernel, recurrent kernel and bias; dropout of inputs and recurrent_dropout of
    states, reset_after, seed; those of `Layer`.
    """

    table = {**_BEGIN, **REGULARIZERS, **CONSTRAINTS, **DROPOUT, "reset_after": True, "seed": None}
    gates = 3

    def _bias_shape(self) -> tuple:
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)  # type: ignore[attr-defined]

    def _biases(self) -> tuple[Any, Any]:
        if self.bias is None:
            return None, None
        bias = self.bias.read_value()
        return (bias[0], bias[1]) if self.reset_after else (bias, None)  # type: ignore[attr-defined]

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple[Tensor, list]:
        h = states[0] if isinstance(states, (list, tuple)) else states
        x, before = self._dropped(inputs, h, training)
        of_inputs, of_states = self._biases()
        x = self._project(x, self.kernel)
        if of_inputs is not None:
            x = x + of_inputs
        gate, squash = self.recurrent_activation, self.activation  # type: ignore[attr-defined]
        x_z, x_r, x_new = split(x, 3, 1)
        if self.reset_after:  # type: ignore[attr-defined]
            inner = self._project(before, self.recurrent_kernel)
            inner = inner if of_states is None else inner + of_states
            h_z, h_r, h_new = split(inner, 3, 1)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            new = squash(x_new + r * h_new)
        else:
            k_z, k_r, k_new = split(self.recurrent_kernel.read_value(), 3, 1)
            b_z, b_r, b_new = before if isinstance(before, list) else [before] * 3
            z, r = gate(x_z + matmul(b_z, k_z)), gate(x_r + matmul(b_r, k_r))
            new = squash(x_new + matmul(r * b_new, k_new))
        h = z * h + (1 - z) * new
        return h, [h] if isinstance(states, (list, tuple)) else h

    @property
    def fuses(self) -> bool:
        """Whether the op for whole sequences computes what this cell does."""
        own = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid  # type: ignore[attr-defined]
        return own and self.reset_after and type(self).call is GRUCell.call  # type: ignore[attr-defined]

    def run_all(self, sequences: Tensor, states: list, mask: Any, backward: bool) -> list[Tensor]:
        """The states after each step, in the order in which the steps are taken."""
        of_inputs, of_states = self._biases()
        x = tensordot(sequences, self.kernel.read_value(), 1)
        if of_inputs is None:
            of_states = zeros((3 * self.units,), self.dtype)
        else:
            x = x + of_inputs
        given = [x, *states, self.recurrent_kernel.read_value(), of_states, *([] if mask is None else [mask])]
        return list(gru(given, mask is not None, backward)[:1])


@delegates
class GRU(FusedRNN):
    """A GRU over inputs [batch, steps, n]: the last output [batch, units], or all [batch, steps, units].

    Arguments (see `table` for the order): those of `GRUCell`, activity_regularizer, and those of `RNN`; use_cudnn is
    accepted.
    """

    cell_class = GRUCell
    table = {
        **_BEGIN, **REGULARIZERS, "activity_regularizer": None, **CONSTRAINTS, **DROPOUT, "seed": None, **NAMED_OPTIONS,
        "reset_after": True, "use_cudnn": "auto",
    }  # fmt: skip
