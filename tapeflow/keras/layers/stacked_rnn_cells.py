"""`StackedRNNCells`: cells one above the other, as one cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...core import nest
from ...ops.creation import zeros
from ..naming import scope
from ..registry import serialize
from .layer import Layer


def cell_of(cell: Any) -> Callable:
    """What to call of a cell, which may be no layer."""
    return cell if callable(cell) else cell.call


def output_size_of(cell: Any) -> Any:
    """The size of a cell's output: its own word, or its first state's size."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        size = size[0] if isinstance(size, (list, tuple)) else size
    return size


class StackedRNNCells(Layer):
    """Cells of which each is given the output of the one before. Its states are those of the cells, in a list.

    Raises ValueError for what has no `call` or no `state_size`.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            for needed in ("call", "state_size"):
                if not hasattr(cell, needed):
                    raise ValueError(f"All cells must have `{needed}`. Received cell without: {cell}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """The sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return output_size_of(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list:
        """The states of each cell that a sequence begins with."""
        states: list = []
        for cell in self.cells:
            begin = getattr(cell, "get_initial_state", None)
            if begin is not None:
                states.append(begin(batch_size=batch_size))
            else:
                states.append(nest.map_structure(lambda n: zeros((batch_size, n), self.dtype), cell.state_size))
        return states

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                with scope(cell.name):
                    cell.build(shape)
                cell.built = True
            shape = (shape[0], output_size_of(cell))
        self.built = True

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple[Any, list]:
        after = []
        for cell, before in zip(self.cells, states, strict=True):
            several = isinstance(before, (list, tuple))
            given = list(before) if several else [before]
            if isinstance(cell, Layer) and cell._takes_training:
                inputs, new = cell(inputs, given, training=training)
            else:
                inputs, new = cell_of(cell)(inputs, given)
            new = list(new) if isinstance(new, (list, tuple)) else [new]
            after.append(new if several else new[0])
        return inputs, after

    def get_config(self) -> dict:
        return {**super().get_config(), "cells": [serialize(cell, "keras.layers") for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> StackedRNNCells:
        from . import deserialize

        config = dict(config)
        return cls([deserialize(cell, custom_objects) for cell in config.pop("cells")], **config)
