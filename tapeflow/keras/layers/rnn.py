"""`RNN`: a cell run over the steps of sequences."""

from __future__ import annotations

from typing import Any

from ...core import nest
from ...core.convert import convert_to_tensor
from ...core.errors import UnimplementedError
from ...core.tensor import Tensor
from ...ops.casting import cast
from ...ops.comparison import greater
from ...ops.creation import zeros
from ...ops.joining import stack, unstack
from ...ops.permuting import reverse
from ...ops.scans import cumsum
from ...ops.selection import where
from ...ops.shaping import expand_dims, zeros_like
from ..naming import scope, snake_case
from ..registry import serialize
from ..variable import Variable
from .arguments import bound, explain
from .holder import Untracked
from .input_spec import InputSpec
from .layer import Layer
from .rnn_cell import config_of
from .stacked_rnn_cells import StackedRNNCells, cell_of, output_size_of

OPTIONS = {
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "zero_output_for_mask": False,
}
# those that stand among the arguments of Keras's own recurrent layers, which take the last as a keyword
NAMED_OPTIONS = {name: value for name, value in OPTIONS.items() if name != "zero_output_for_mask"}


class RNN(Layer):
    """A cell over inputs [batch, steps, ...]: the output of the last step, or of each.

    Arguments:
        cell: a layer (or a list of them, one above the other) with `call(inputs, states)` that gives an output and new
            states, with `state_size`, and perhaps `output_size` and `get_initial_state(batch_size)`.
        return_sequences: whether to give the outputs of all steps.
        return_state: whether to give the last states as well: (output, *states).
        go_backwards: whether to begin with the last step; the outputs stand in the order in which they came.
        stateful: whether a call begins with the states with which the last one ended.
        unroll: accepted; steps are unrolled where their number is known.
        zero_output_for_mask: whether steps that the mask leaves out give zeros, and not the output before.
        kwargs: those of `Layer`.

    Raises ValueError for a cell without `call` or `state_size`.
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        for needed in ("call", "state_size"):
            if not hasattr(cell, needed):
                raise ValueError(f"Argument `cell` should have `{needed}`. Received: cell={cell}")
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self._states: Any = Untracked()

    @property
    def state_size(self) -> list:
        """The sizes of the cell's states, in a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def states(self) -> list | None:
        """The variables that keep the states between calls, where it is stateful and built."""
        return list(self._states) or None

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape = sequences_shape[0] if isinstance(sequences_shape, list) else sequences_shape
        if isinstance(self.cell, Layer) and not self.cell.built:
            with scope(self.cell.name):
                self.cell.build((shape[0], *shape[2:]))
            self.cell.built = True
        if self.stateful and not self._states:
            if shape[0] is None:
                raise ValueError(
                    "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: "
                    f"sequence.shape={tuple(shape)}"
                )
            for state in nest.flatten(self.get_initial_state(shape[0])):
                self._states.append(Variable(state, trainable=False, dtype=self.dtype, name="rnn_state"))
        self.built = True

    def get_initial_state(self, batch_size: Any) -> list:
        """The states that a sequence begins with: the cell's word, or zeros."""
        begin = getattr(self.cell, "get_initial_state", None)
        if begin is None:
            return [zeros((batch_size, n), self.dtype) for n in self.state_size]
        states = begin(batch_size=batch_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def reset_state(self, states: Any = None) -> None:
        """The states become zeros, or those given. Raises ValueError where it keeps none, or they do not fit."""
        if not self._states:
            if self.stateful:
                return
            raise ValueError(f"Layer '{self.name}' keeps no states: it is not stateful.")
        given = [None] * len(self._states) if states is None else nest.flatten(states)
        if len(given) != len(self._states):
            raise ValueError(f"Layer '{self.name}' has {len(self._states)} states. Received: {len(given)}")
        for variable, state in zip(self._states, given, strict=True):
            variable.assign(zeros(variable.shape, variable.dtype) if state is None else state)

    reset_states = reset_state

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        batch, steps = sequences._value.shape[:2]
        if self.unroll and type(steps) is not int:
            raise ValueError(
                f"Cannot unroll a RNN if the time dimension is undefined. Received: {tuple(sequences.shape)}; pass an "
                "`Input(shape=...)` with the number of steps."
            )
        if self._states and type(batch) is int and batch != self._states[0].shape[0]:
            raise ValueError(
                "If an RNN is stateful, its inputs must have the batch size of its first ones, "
                f"{self._states[0].shape[0]}. Received: {batch}"
            )
        states = self._first_states(batch, initial_state)
        mask = nest.flatten(mask)[0] if mask is not None else None
        self._draw_masks(self.cell, sequences, batch)
        try:
            output, states = self.inner_loop(sequences, states, mask, training)
        finally:
            self._forget_masks(self.cell)
        if self.stateful:
            for variable, state in zip(self._states, nest.flatten(states), strict=True):
                variable.assign(state)
        return (output, *states) if self.return_state else output

    def _first_states(self, batch: Any, given: Any) -> list:
        if given is None:
            begin = self.get_initial_state(batch)
            return nest.pack_sequence_as(begin, [v.read_value() for v in self._states]) if self.stateful else begin
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(given) != len(self.state_size):
            raise ValueError(
                f"Layer '{self.name}' has {len(self.state_size)} states, of the sizes {self.state_size}. Received "
                f"initial_state={given}"
            )
        return nest.map_structure(lambda x: convert_to_tensor(x, self.dtype), given)

    def inner_loop(self, sequences: Tensor, states: list, mask: Any, training: Any) -> tuple[Tensor, list]:
        """The outputs, or the last of them, and the last states."""
        steps = sequences._value.shape[1]
        if type(steps) is not int:
            raise UnimplementedError(
                None, None,
                f"Layer '{self.name}' runs its cell step by step, and in a function the number of steps must be known "
                f"(inputs of shape {tuple(sequences.shape)}). Give tf.function an input_signature without None there.",
            )  # fmt: skip
        parts = unstack(sequences, axis=1)
        masks: list = [None] * steps if mask is None else unstack(mask, axis=1)
        outputs: list[Tensor] = []
        for t in range(steps - 1, -1, -1) if self.go_backwards else range(steps):
            output, new = self._step(parts[t], states, training)
            if mask is not None:
                before = zeros_like(output) if self.zero_output_for_mask or not outputs else outputs[-1]
                output = _kept(masks[t], output, before)
                new = nest.map_structure(lambda n, old, m=masks[t]: _kept(m, n, old), new, states)
            states = new
            outputs.append(output)
        return stack(outputs, axis=1) if self.return_sequences else outputs[-1], states

    def _step(self, inputs: Tensor, states: list, training: Any) -> tuple[Tensor, list]:
        if isinstance(self.cell, Layer) and self.cell._takes_training:
            output, new = self.cell(inputs, states, training=training)
        else:
            output, new = cell_of(self.cell)(inputs, states)
        return output, list(new) if isinstance(new, (list, tuple)) else [new]

    def _draw_masks(self, cell: Any, sequences: Tensor, batch: Any) -> None:
        """Dropout masks are the same for all steps of a call."""
        size = sequences._value.shape[-1]
        for one in getattr(cell, "cells", [cell]):
            if hasattr(one, "draw_masks") and (one.dropout or one.recurrent_dropout):
                one.draw_masks(batch, size)
            size = output_size_of(one)

    def _forget_masks(self, cell: Any) -> None:
        for one in getattr(cell, "cells", [cell]):
            if hasattr(one, "forget_masks"):
                one.forget_masks()

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the steps for the outputs of all of them, none for the last output and the states."""
        mask = nest.flatten(mask)[0] if self.return_sequences and mask is not None else None
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, steps = sequences_shape[:2]
        size = output_size_of(self.cell)
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return [output, *[(batch, n) for n in nest.flatten(self.state_size)]]

    def get_config(self) -> dict:
        own = {name: getattr(self, name) for name in OPTIONS}
        return {**super().get_config(), **own, "cell": serialize(self.cell, "keras.layers")}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        from . import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("cell"), custom_objects), **config)


def _kept(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    for _ in range(len(new._value.shape) - 1):
        mask = expand_dims(mask, -1)
    return where(mask, new, old)


class FusedRNN(RNN):
    """An RNN of one of Keras's own cells, which is made from the same arguments and has an op for whole sequences.

    With the activations that the op has, and without dropout of states, all steps are one op; otherwise the cell runs
    step by step. Subclasses have `cell_class` and their arguments in `table`; errors are the cell's and those of `RNN`.
    """

    cell_class: Any
    table: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given, rest = bound(type(self).__name__, self.table, args, kwargs)
        cell = {name: given[name] for name in self.cell_class.table}
        options = {name: given[name] for name in OPTIONS if name in given}
        if "zero_output_for_mask" in rest:
            options["zero_output_for_mask"] = rest.pop("zero_output_for_mask")
        cell["implementation"] = rest.pop("implementation", 2)
        inherited = {name: rest[name] for name in ("dtype", "trainable") if name in rest}
        name = snake_case(self.cell_class.__name__)
        super().__init__(
            self.cell_class(**cell, **inherited, name=name), **options,
            activity_regularizer=given["activity_regularizer"], **rest,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    def inner_loop(self, sequences: Tensor, states: list, mask: Any, training: Any) -> tuple[Tensor, list]:
        cell = self.cell
        gates_apart = cell._implementation == 1 and cell.gates > 1 and cell.dropout
        if not cell.fuses or training and (cell.recurrent_dropout or gates_apart):
            return super().inner_loop(sequences, states, mask, training)
        if training and cell.dropout:
            sequences = sequences * expand_dims(cell._masks_drawn[0], 1)
        after = cell.run_all(sequences, states, mask, self.go_backwards)
        outputs = after[0]
        if mask is not None:
            kept = reverse(mask, [1]) if self.go_backwards else mask
            if not self.zero_output_for_mask:  # a step left out gives the output before it, at the beginning zeros
                kept = greater(cumsum(cast(kept, "int32"), 1), 0)
            outputs = where(expand_dims(kept, -1), outputs, zeros_like(outputs))
        states = [state[:, -1] for state in after] if self.return_state or self.stateful else states
        return outputs if self.return_sequences else outputs[:, -1], states

    def get_config(self) -> dict:
        config = Layer.get_config(self)
        options = {name: getattr(self, name) for name in OPTIONS}
        return {**config, **options, **config_of(self.cell)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        return cls(**config)


def delegates(kind: type[FusedRNN]) -> type[FusedRNN]:
    """Lets the arguments of a layer's cell be read on the layer."""
    for name in kind.cell_class.table:
        setattr(kind, name, property(lambda self, name=name: getattr(self.cell, name), doc="The cell's."))
    explain(kind, kind.table)
    explain(kind.cell_class, kind.cell_class.table)
    return kind
