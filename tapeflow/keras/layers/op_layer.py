"""Ops of KerasTensors: `x + y` or `tf.reduce_mean(x, 1)` in a functional model is a layer that runs the op."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.convert import constant
from ...core.dtypes import DType, as_dtype
from ...core.op import OPS, Op
from ...core.size import has_sizes, size_of
from ...core.tensor import Tensor
from ...graph.late import DIMENSION, Hole, filled, template
from ..naming import unique_name
from .keras_tensor import KerasTensor
from .layer import Layer

_OWN = {DIMENSION.name: DIMENSION}


class OpLayer(Layer):
    """Runs one op, by its name, on its inputs, the tensors that do not depend on them, and the op's attributes.

    Arguments:
        op: the name of the op.
        places: for each of the op's tensors, the number of an input, or the value of a constant.
        attributes: the op's attributes.
        sizes: how many of the tensors, the last ones, are numbers for the holes in the attributes.
        kwargs: those of `Layer`.
    """

    def __init__(self, op: str, places: Any, attributes: Any = (), sizes: int = 0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        found = _OWN.get(op) or OPS.get(op)
        if found is None:
            raise ValueError(f"A configuration names an op that is not there: {op}")
        self._op = found
        self._places = [p if isinstance(p, int) else constant(decoded(p)) for p in places]
        self._attributes = decoded(attributes)
        self._sizes = sizes

    @classmethod
    def of(cls, op: Op, inputs: tuple, attributes: tuple) -> Any:
        """The op of tensors of which some are KerasTensors, as KerasTensors."""
        sizes: list = []
        if has_sizes(attributes):
            attributes = template(attributes, sizes)
            inputs = (*inputs, *[size.tensor() for size in sizes])
        given = [x for x in inputs if isinstance(x, KerasTensor)]
        if any(x._key is not None for x in inputs):
            raise ValueError(
                f"tf.{op.name} of a KerasTensor and a variable, or a tensor that a tape watches: a functional model "
                "would keep the value that it has now. Put the op into the call of a layer that owns the variable."
            )
        numbers = iter(range(len(given)))
        places = [next(numbers) if isinstance(x, KerasTensor) else encoded(np.asarray(x._value)) for x in inputs]
        layer = cls(op.name, places, encoded(attributes), len(sizes), name=unique_name(op.name))
        return layer(given[0] if len(given) == 1 else given)

    def call(self, inputs: Any) -> Any:
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        tensors = [given[p] if isinstance(p, int) else p for p in self._places]
        attributes, op = self._attributes, self._op
        if self._sizes:
            attributes = filled(attributes, [size_of(x) for x in tensors[-self._sizes :]])
            tensors = tensors[: -self._sizes]
        return op.call(tensors, *attributes) if op.inputs is None else op.call(*tensors, *attributes)

    def get_config(self) -> dict:
        places = [p if isinstance(p, int) else encoded(np.asarray(p._value)) for p in self._places]
        own = {"op": self._op.name, "places": places, "attributes": encoded(self._attributes), "sizes": self._sizes}
        return {"name": self.name, "trainable": self._trainable, "dtype": self.dtype, **own}


def encoded(x: Any) -> Any:
    """Attributes of ops as JSON can hold them. Raises TypeError for what it cannot."""
    if x is None or isinstance(x, (bool, int, float, str)) and not isinstance(x, np.generic):
        return x
    if type(x) is Hole:
        return {"hole": x.index}
    if isinstance(x, (tuple, list)):
        return {type(x).__name__ if type(x) in (tuple, list) else "tuple": [encoded(part) for part in x]}
    if isinstance(x, slice):
        return {"slice": [encoded(part) for part in (x.start, x.stop, x.step)]}
    if x is Ellipsis:
        return {"ellipsis": True}
    if isinstance(x, (np.dtype, DType)):
        return {"dtype" if isinstance(x, np.dtype) else "tf_dtype": as_dtype(x).name}
    if isinstance(x, (np.ndarray, np.generic)):
        return {"array": np.asarray(x).tolist(), "dtype": as_dtype(x.dtype).name, "shape": list(x.shape)}
    if isinstance(x, Tensor):
        return encoded(np.asarray(x._value))
    raise TypeError(f"An op of a KerasTensor has an attribute that a configuration cannot hold: {x!r}")


def decoded(x: Any) -> Any:
    """What `encoded` was given."""
    if not isinstance(x, dict):
        return tuple(decoded(part) for part in x) if isinstance(x, (list, tuple)) else x
    if "array" in x:
        return np.array(x["array"], as_dtype(x["dtype"]).as_numpy_dtype).reshape(x["shape"])
    ((kind, value),) = x.items()
    return _DECODERS[kind](value)


_DECODERS: dict[str, Any] = {
    "hole": Hole,
    "tuple": lambda parts: tuple(decoded(part) for part in parts),
    "list": lambda parts: [decoded(part) for part in parts],
    "slice": lambda parts: slice(*[decoded(part) for part in parts]),
    "ellipsis": lambda _: Ellipsis,
    "dtype": lambda name: np.dtype(as_dtype(name).as_numpy_dtype),
    "tf_dtype": as_dtype,
}
