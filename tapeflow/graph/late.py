"""Ops whose attributes are known only when the graph runs: each such number is one more input.

`reshape(x, (n, 3))` with a symbolic n is a node `reshape(x, n, 1, (?0, 3))` of a twin of the op, whose kernel puts the
value of n in the place of `?0` and calls the op's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.abstract import Abstract
from ..core.op import Op
from ..core.size import Size, size_of
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, wrap


class Hole(NamedTuple):
    """Where a number goes."""

    index: int

    def __repr__(self) -> str:
        return f"?{self.index}"


def template(attributes: tuple, sizes: list[Size]) -> tuple:
    """The attributes with holes for their sizes, which are appended to the list."""
    made: list[Any] = []
    for a in attributes:
        if type(a) is Size:
            known = [i for i, size in enumerate(sizes) if size is a]
            if not known:
                sizes.append(a)
            made.append(Hole(known[0] if known else len(sizes) - 1))
        else:
            made.append(template(a, sizes) if type(a) is tuple else a)
    return tuple(made)


def filled(attributes: tuple, numbers: list) -> tuple:
    """The attributes with numbers in their holes."""
    return tuple(
        [numbers[a.index] if type(a) is Hole else filled(a, numbers) if type(a) is tuple else a for a in attributes]
    )


_LATE: dict[str, Op] = {}


def late(op: Op) -> Op:
    """The twin of an op that takes numbers for its attributes behind its inputs; its first attribute says how many."""
    known = _LATE.get(op.name)
    if known is not None:
        return known

    def run(values: list, count: int, *attributes: Any) -> Any:
        inputs = values[: len(values) - count]
        given = filled(attributes, [int(n) for n in values[len(values) - count :]])
        return op.kernel(inputs, *given) if op.inputs is None else op.kernel(*inputs, *given)

    def infer(values: list, count: int, *attributes: Any) -> Any:
        inputs = values[: len(values) - count]
        given = filled(attributes, [int(n) for n in values[len(values) - count :]])
        return op.infer(inputs, *given) if op.inputs is None else op.infer(*inputs, *given)

    def call(tensors: list[Tensor], count: int, *attributes: Any) -> Any:
        inputs = tensors[: len(tensors) - count]
        given = filled(attributes, [size_of(n) for n in tensors[len(tensors) - count :]])
        return op.call(inputs, *given) if op.inputs is None else op.call(*inputs, *given)

    def remember(tensors: tuple, attributes: tuple, outputs: tuple) -> None:
        count, *holes = attributes
        given = filled(tuple(holes), [size_of(n) for n in tensors[len(tensors) - count :]])
        op.remember(tensors[: len(tensors) - count], given, outputs)

    twin = Op(op.name, lambda xp: run, infer, inputs=None, outputs=op.outputs, title=op.title, effect=op.effect)
    twin.call = call
    twin.remember = remember
    _LATE[op.name] = twin
    return twin


def is_late(op: Op) -> bool:
    """Whether an op is such a twin."""
    return _LATE.get(op.name) is op


def _dimension(x: Tensor, axis: int) -> Tensor:
    """A dimension of a tensor as a 0-d tensor of int64."""
    shape = x._value.shape
    if shape is not None and type(shape[axis]) is int:
        return wrap(np.int64(shape[axis]))
    return active_tapes().trace.add(DIMENSION, (x,), (axis,))


DIMENSION = Op(
    "dimension",
    lambda xp: lambda x, axis: np.int64(x.shape[axis]),
    lambda x, axis: Abstract((), np.dtype("int64")),
)
DIMENSION.call = _dimension
