"""`keras.Variable`: a tf.Variable with Keras's manners: a path, a short name, `trainable` that can be set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.context import init_scope
from ..core.dtypes import as_dtype
from ..core.tensor import Tensor
from ..core.variable import Variable as CoreVariable
from ..core.variable import VariableAggregation, VariableSynchronization
from ..ops.casting import cast
from .naming import path_of, unique_name
from .settings import floatx
from .tracking import structure


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: Keras's `int` is int64, None the default float type. Raises TypeError for no dtype."""
    if dtype is None:
        return floatx()
    return "int64" if dtype in ("int", int) else as_dtype(dtype).name


class Variable(CoreVariable):
    """A variable of a layer, a metric or an optimizer.

    Arguments:
        initializer: the initial value, or with `shape` a function `initializer(shape, dtype=...)` that gives it, or the
            name of one.
        shape: the shape, needed where `initializer` is such a function.
        dtype: its dtype; the default float type where the initial value does not say it.
        trainable: whether tapes watch it and layers list it among what is trained.
        autocast, layout: accepted, without effect.
        aggregation, synchronization: for distribution strategies; enums of `tf`, or their names in lower case.
        name: its name; the path has the names of the layers around it before that.

    Assigning casts tensors of another dtype. Raises ValueError for an initializer without a shape.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: Any = "none",
        layout: Any = None,
        synchronization: Any = "auto",
        name: str | None = None,
        regularizer: Callable | None = None,
        constraint: Callable | None = None,
    ) -> None:
        if isinstance(initializer, str):
            from .initializers import get

            initializer = get(initializer)
        if callable(initializer) and not isinstance(initializer, (Tensor, CoreVariable)):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should be specified. "
                    f"Received: initializer={initializer} and shape={shape}"
                )
            dtype = standardize_dtype(dtype)
            with init_scope():
                initializer = initializer(tuple(shape), dtype=dtype)
        elif dtype is None and not isinstance(initializer, (Tensor, CoreVariable, np.ndarray)):
            dtype = floatx()
        if dtype is not None:
            dtype = standardize_dtype(dtype)
            if isinstance(initializer, (Tensor, CoreVariable)):
                initializer = cast(initializer, dtype)
        super().__init__(
            initializer,
            trainable=trainable,
            dtype=dtype,
            constraint=constraint,
            synchronization=_member(VariableSynchronization, synchronization),
            aggregation=_member(VariableAggregation, aggregation),
        )
        self._short = name or unique_name("variable")
        self.path = path_of(self._short)
        self._name = f"{self.path}:0"
        self.regularizer = regularizer

    @property
    def name(self) -> str:
        """The name, without the names of the layers around it."""
        return self._short

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it and layers list it among what is trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        structure.version += 1

    @property
    def constraint(self) -> Callable | None:
        """What optimizers apply to the value after an update, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Callable | None) -> None:
        self._constraint = value

    def _operand(self, value: Any) -> Any:
        if isinstance(value, (Tensor, CoreVariable)) and value.dtype != as_dtype(self._dtype):
            value = cast(value, self._dtype)
        return super()._operand(value)

    def __repr__(self) -> str:
        value = self._tensor._value
        return f"<Variable path={self.path}, shape={value.shape}, dtype={value.dtype.name}, value={value}>"


def _member(enum: Any, value: Any) -> Any:
    """A member of an enum given as such or by its name. Keras has None and lower-case names."""
    if isinstance(value, enum):
        return value
    name = str(value or "none").upper()
    if name not in enum.__members__:
        raise ValueError(f"Expected one of {[member.lower() for member in enum.__members__]}, got {value!r}")
    return enum[name]


def zeros(shape: Any, dtype: np.dtype) -> Any:
    """Zeros as variables hold them: an array, or for a 0-d variable a NumPy scalar."""
    return np.zeros(tuple(shape), dtype)[()]
