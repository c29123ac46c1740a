"""`KerasTensor`: a tensor of a functional model, before there are values. What `tf.keras.Input` gives.

Layers that are called with one give others, and remember the call as a `Node`; `tf.keras.Model(inputs, outputs)`
follows the nodes back. It is a kind of tensor (see `core/tensor.py`), so TensorFlow's functions take it as well: each
op of it becomes a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...core.abstract import Abstract
from ...core.dtypes import as_dtype, numpy_dtype
from ...core.op import Op
from ...core.shapes import TensorShape
from ...core.size import Size, known
from ...core.tensor import Tensor
from ...graph.late import DIMENSION
from ..naming import unique_name


class History(NamedTuple):
    """Where a KerasTensor comes from: the layer, which of its calls, and which of that call's outputs."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor(Tensor):
    """A tensor of known dtype, and of a shape that is known as far as the inputs' shapes say, without a value.

    Arguments:
        shape: its shape, with None for dimensions that are not known, or the `Size` of another's that is the same.
        dtype: its dtype.
        name: its name.
        sparse, ragged: only False is supported.
    """

    _level = 3

    def __init__(
        self,
        shape: Sequence[Any],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        if sparse or ragged:
            raise ValueError("KerasTensors are dense: `sparse` and `ragged` are not supported.")
        dims: list[Any] = [
            self._size(axis) if n is None else n if type(n) is Size else int(n) for axis, n in enumerate(shape)
        ]
        self._value = Abstract(tuple(dims), numpy_dtype(as_dtype(dtype)))
        self._key = None
        self._keras_history: History | None = None
        self.name = name or unique_name("keras_tensor")

    @classmethod
    def _interpret(cls, op: Op, inputs: tuple, attributes: tuple) -> Any:
        from .op_layer import OpLayer

        return OpLayer.of(op, inputs, attributes)

    def _size(self, axis: int) -> Size:
        """The size of a dimension that is not known."""
        return Size(lambda: type(self)._interpret(DIMENSION, (self,), (axis,)))

    @property
    def shape(self) -> TensorShape:
        """The shape, with None for what is not known."""
        return TensorShape(known(self._value.shape))

    @property
    def sparse(self) -> bool:
        """False."""
        return False

    ragged = sparse

    def _refuse(
        self, what: str, way_out: str = "put it in a layer's call, or tf.keras.layers.Lambda", kind: type = ValueError
    ) -> Any:
        raise kind(
            f"A KerasTensor has no value: it cannot be {what}. It stands for what a functional model will be given "
            f"({self!r}), and takes part in calls of layers and in TensorFlow's functions. Else {way_out}."
        )

    @property
    def numpy(self) -> Any:  # type: ignore[override]
        """Raises AttributeError: it has no value."""
        raise AttributeError(f"A KerasTensor has no value, and no .numpy(): {self!r}")

    def __bool__(self) -> bool:
        return self._refuse("used as a bool", "use tf.where", TypeError)

    def __iter__(self) -> Any:
        return self._refuse("iterated over", "use tf.unstack", TypeError)

    def __len__(self) -> int:
        n = self._value.shape[0] if self._value.shape else None
        return n if type(n) is int else self._refuse("measured by len()", "use tf.shape", TypeError)

    def __float__(self) -> float:
        return self._refuse("turned into a Python number", kind=TypeError)

    __int__ = __complex__ = __index__ = __float__  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._refuse("turned into a NumPy array")

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self

    def __reduce__(self) -> tuple:
        shape = tuple(known(self._value.shape) or ())
        return _restored, (shape, self.dtype.name, self.name), {"_keras_history": self._keras_history}

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={tuple(self.shape)}, dtype={self.dtype.name}, name={self.name}>"

    __str__ = __repr__


def _restored(shape: tuple, dtype: str, name: str) -> KerasTensor:
    return KerasTensor(shape, dtype, name=name)


def has_keras_tensors(x: Any) -> bool:
    """Whether there is a KerasTensor in a structure."""
    if isinstance(x, (list, tuple)):
        return any(has_keras_tensors(part) for part in x)
    if isinstance(x, dict):
        return any(has_keras_tensors(part) for part in x.values())
    return isinstance(x, KerasTensor)
