"""`LSTM` and its cell. Source: Hochreiter and Schmidhuber, Long short-term memory (1997)."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor
from ...ops.joining import concat, split
from ...ops.products import tensordot
from ...ops.recurrent import lstm
from .. import activations, initializers
from .rnn import NAMED_OPTIONS, FusedRNN, delegates
from .rnn_cell import CONSTRAINTS, DROPOUT, REGULARIZERS, UNITS, WEIGHTS, RecurrentCell

_BEGIN = {**UNITS, "recurrent_activation": "sigmoid", "use_bias": True, **WEIGHTS, "unit_forget_bias": True}


class LSTMCell(RecurrentCell):
    """One step of an LSTM: gates i, f, candidate, o of `inputs @ kernel + h @ recurrent_kernel + bias`.

    c' = f * c + i * activation(candidate), h' = o * activation(c'), with `recurrent_activation` for the gates.

    Arguments (see `table` for the order): units, activation, recurrent_activation; use_bias; initializers,
    regularizers and constraints of kernel, recurrent kernel and bias; unit_forget_bias, whether the bias of f begins
    with ones; dropout of inputs and recurrent_dropout of states, with their seed; those of `Layer`.
    """

    table = {**_BEGIN, **REGULARIZERS, **CONSTRAINTS, **DROPOUT, "seed": None}
    gates = 4
    states = 2

    def _bias_begin(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:  # type: ignore[attr-defined]
            return super()._bias_begin(shape, dtype)
        begin, n = super()._bias_begin, self.units
        return concat([begin((n,), dtype), initializers.get("ones")((n,), dtype=dtype), begin((2 * n,), dtype)], 0)

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple[Tensor, list]:
        h, c = states
        x, before = self._dropped(inputs, h, training)
        z = self._project(x, self.kernel) + self._project(before, self.recurrent_kernel)
        if self.bias is not None:
            z = z + self.bias.read_value()
        i, f, candidate, o = split(z, 4, 1)
        gate, squash = self.recurrent_activation, self.activation  # type: ignore[attr-defined]
        c = gate(f) * c + gate(i) * squash(candidate)
        h = gate(o) * squash(c)
        return h, [h, c]

    @property
    def fuses(self) -> bool:
        """Whether the op for whole sequences computes what this cell does."""
        own = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid  # type: ignore[attr-defined]
        return own and type(self).call is LSTMCell.call

    def run_all(self, sequences: Tensor, states: list, mask: Any, backward: bool) -> list[Tensor]:
        """The states after each step, in the order in which the steps are taken."""
        x = tensordot(sequences, self.kernel.read_value(), 1)
        if self.bias is not None:
            x = x + self.bias.read_value()
        given = [x, *states, self.recurrent_kernel.read_value(), *([] if mask is None else [mask])]
        return list(lstm(given, mask is not None, backward)[:2])


@delegates
class LSTM(FusedRNN):
    """An LSTM over inputs [batch, steps, n]: the last output [batch, units], or all [batch, steps, units].

    Arguments (see `table` for the order): those of `LSTMCell`, activity_regularizer, and those of `RNN`; use_cudnn is
    accepted. The states are [h, c].
    """

    cell_class = LSTMCell
    table = {
        **_BEGIN, **REGULARIZERS, "activity_regularizer": None, **CONSTRAINTS, **DROPOUT, "seed": None, **NAMED_OPTIONS,
        "use_cudnn": "auto",
    }  # fmt: skip
