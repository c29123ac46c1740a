"""`tf.Variable`: a named place for a tensor that changes.

A variable holds the tensor that reading it gives.  Assigning replaces that tensor; updates work in the tensor's own
buffer when reference counts show that nobody else, no tape, tensor or view, can see it (`buffer`).  So what a tape or
a program has read never changes.  Every tensor read carries the variable's `_key`, by which tapes know it.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import errors
from .abstract import Abstract
from .convert import convert_to_tensor
from .dtypes import DType, as_dtype, is_differentiable, numpy_dtype
from .names import current_scope
from .op import TENSORS
from .printing import variable_repr
from .shapes import TensorShape
from .tapes import active_tapes, new_key
from .tensor import _CPU, Reference, Tensor, ndarray


class VariableSynchronization(enum.Enum):
    """When the copies of a distributed variable are brought together."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3

    def __str__(self) -> str:
        return f"VariableSynchronization.{self.name}"


class VariableAggregation(enum.Enum):
    """How the copies of a distributed variable are brought together."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3

    def __str__(self) -> str:
        return f"VariableAggregation.{self.name}"


def _known(x: Tensor) -> Tensor:
    """The tensor. Raises TypeError for one that a function kept of its trace, which has no value."""
    return x if type(x._value) is not Abstract else TENSORS.identity(x)  # type: ignore[attr-defined]


class Variable:
    """A tensor that can be assigned to, and that tapes watch by themselves when it is trainable.

    Arguments:
        initial_value: a tensor or what `tf.convert_to_tensor` takes, or a function without arguments that gives one.
        trainable: whether tapes watch it and `trainable_variables` list it; True unless `synchronization` is ON_READ.
        dtype: the dtype to convert the initial value to.
        shape: the static shape, where later values may have another than the first (None dimensions).
        name: its name, which prints with `:0` behind it and the name scopes before it.
        constraint: a function that optimizers apply to the value after an update.
        validate_shape, caching_device, variable_def, import_scope, experimental_enable_variable_lifting: accepted,
            without effect.
        synchronization, aggregation: for distribution strategies.

    Raises ValueError for a missing value or a shape that disagrees, TypeError for a value that does not fit the dtype.
    """

    __array_priority__ = 1000
    _level = 0

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Callable | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        if initial_value is None:
            raise ValueError("The `initial_value` arg to `tf.Variable` must be specified.")
        if name is not None and not isinstance(name, str):
            raise ValueError(f"The name of a tf.Variable is a string, not {name!r}")
        if not isinstance(synchronization, VariableSynchronization):
            raise ValueError(f"Invalid variable synchronization mode: {synchronization!r} for variable {name}")
        if not isinstance(aggregation, VariableAggregation):
            raise ValueError(f"Invalid variable aggregation mode: {aggregation!r} for variable {name}")
        trace = active_tapes().trace
        if trace is not None:
            initial_value = trace.initial_value(self, initial_value)
        elif callable(initial_value) and not isinstance(initial_value, (Tensor, Variable)):
            initial_value = initial_value()
        if dtype is not None and isinstance(initial_value, (Tensor, Variable)) and initial_value.dtype != dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {as_dtype(dtype).name} for Tensor with dtype "
                f"{initial_value.dtype.name}: {initial_value!r}"
            )
        value = _known(convert_to_tensor(initial_value, dtype))._value
        declared = TensorShape(value.shape)
        if shape is not None:
            declared = TensorShape(shape)
            if not declared.is_compatible_with(value.shape):
                raise ValueError(
                    f"In this `tf.Variable` creation, the initial value's shape ({value.shape}) is not compatible with "
                    f"the explicitly supplied `shape` argument ({shape})."
                )
        if trainable is None:
            trainable = synchronization != VariableSynchronization.ON_READ
        self._shape = declared
        self._trainable = bool(trainable)
        self._name = f"{current_scope()}{'Variable' if name is None else name}:0"
        self._constraint = constraint
        self._synchronization = synchronization
        self._aggregation = aggregation
        self._dtype = value.dtype
        self._key = new_key() if is_differentiable(value.dtype) else None
        self._set(value)

    # -- reading --

    def read_value(self) -> Tensor:
        """The value now, as a tensor that later assignments leave as it is."""
        tapes = active_tapes()
        if tapes:
            if self._trainable:
                key = self._key
                for tape in tapes:
                    if tape._auto and key not in tape._records and key is not None:
                        tape._records[key] = None
                        tape._watched.append(self)
            if tapes.trace is not None:
                return tapes.trace.read(self)
        return self._tensor

    value = read_value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        if dtype is not None and dtype != as_dtype(self._dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {self.dtype.name}: {self!r}"
            )
        return self.read_value()

    def numpy(self) -> Any:
        """The value now: a copy as an ndarray, or for a 0-d variable the NumPy scalar."""
        return self.read_value().numpy()

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return as_dtype(self._dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._tensor._value.shape)

    @property
    def name(self) -> str:
        """The name, with its scopes and `:0`."""
        return self._name

    @property
    def _shared_name(self) -> str:
        return self._name[:-2]

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves."""
        return self._trainable

    @property
    def synchronization(self) -> VariableSynchronization:
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        return self._aggregation

    @property
    def constraint(self) -> Callable | None:
        """What optimizers apply to the value after an update, or None."""
        return self._constraint

    @property
    def device(self) -> str:
        return _CPU

    @property
    def initializer(self) -> None:
        """None: an eager variable has its value from the start."""
        return None

    @property
    def initial_value(self) -> Any:
        """Raises RuntimeError: an eager variable does not keep it."""
        raise RuntimeError("This property is not supported when eager execution is enabled.")

    def is_initialized(self, name: str | None = None) -> Tensor:
        """True: an eager variable has its value from the start."""
        return convert_to_tensor(True)

    def initialized_value(self) -> Tensor:
        """The value now."""
        return self.read_value()

    def set_shape(self, shape: Any) -> None:
        """Merges a static shape into its own. Raises ValueError where they disagree."""
        self._shape = self._shape.merge_with(shape)

    def ref(self) -> Reference:
        """A hashable reference, for use as a dictionary key."""
        return Reference(self)

    def experimental_ref(self) -> Reference:
        """The former name of `ref`."""
        return Reference(self)

    # -- writing --

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Replaces the value, and returns the variable (None with `read_value=False`).

        Raises ValueError for another shape or a tensor of another dtype, TypeError for a value that does not fit.
        """
        trace = active_tapes().trace
        if trace is not None:
            trace.assign(self, "assign", value)
            return self if read_value else None
        new = self._operand(value)
        if new.shape != self._tensor._value.shape and not self._shape.is_compatible_with(new.shape):
            raise ValueError(
                f"Cannot assign value to variable '{self._name}': Shape mismatch. "
                f"The variable shape {self._shape}, and the assigned value shape {new.shape} are incompatible."
            )
        self._set(new)
        return self if read_value else None

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds `delta`, which must have the variable's shape, and returns the variable.

        Raises InvalidArgumentError for another shape, ValueError or TypeError for another dtype.
        """
        self._update(np.add, delta, "AssignAddVariableOp")
        return self if read_value else None

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtracts `delta`, which must have the variable's shape, and returns the variable.

        Raises InvalidArgumentError for another shape, ValueError or TypeError for another dtype.
        """
        self._update(np.subtract, delta, "AssignSubVariableOp")
        return self if read_value else None

    def _operand(self, value: Any) -> Any:
        """What is assigned, as an array of the variable's dtype that nothing will write to."""
        if type(value) is Tensor and value._value.dtype is self._dtype:
            return value._value
        return _known(convert_to_tensor(value, self._dtype))._value

    def _update(self, combine: Callable, delta: Any, title: str) -> None:
        trace = active_tapes().trace
        if trace is not None:
            trace.assign(self, "assign_add" if combine is np.add else "assign_sub", delta)
            return
        d = self._operand(delta)
        if d.dtype.kind == "b":
            raise errors.invalid(title, f"Variable '{self._name}' of bools cannot be added to")
        have = self._tensor._value
        if d.shape != have.shape:
            raise errors.invalid(
                title,
                f"Cannot update variable '{self._name}' with shape {list(have.shape)} using a Tensor with shape "
                f"{list(d.shape)}, shapes must be equal.",
            )
        del have
        buffer = self.buffer()
        if buffer is None:
            self._set(combine(self._tensor._value, d))
        else:
            combine(buffer, d, buffer)

    def _set(self, value: Any) -> None:
        out = self._tensor = Tensor()
        out._value = value
        out._key = self._key

    def buffer(self) -> ndarray | None:
        """The array to update in place, or None when a tensor, tape or view still sees it."""
        a = self._tensor._value
        if (
            type(a) is ndarray
            and getrefcount(self._tensor) == _ALONE_TENSOR
            and getrefcount(a) == _ALONE_ARRAY
            and a.base is None
            and a.flags.writeable
        ):
            return a
        return None

    def writable(self) -> ndarray:
        """The array to update in place: the variable's own, or a copy that takes its place where others see that."""
        array = self.buffer()
        if array is None:
            array = np.array(self._tensor._value, order="C")
            self._set(array)
        return array

    # -- Python's protocols --

    def __hash__(self) -> int:
        raise TypeError(f"Variable is unhashable. Instead, use variable.ref() as the key. (Variable: {self!r})")

    def __repr__(self) -> str:
        return variable_repr(self)

    def __bool__(self) -> bool:
        return bool(self.read_value())

    def __float__(self) -> float:
        return float(self.read_value())

    def __int__(self) -> int:
        return int(self.read_value())

    def __complex__(self) -> complex:
        return complex(self.read_value())

    def __index__(self) -> int:
        return self.read_value().__index__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.read_value().__array__(dtype, copy)

    def __copy__(self) -> Variable:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict) -> Variable:
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(self.__dict__)
        new._key = new_key() if self._key is not None else None
        value = self._tensor._value
        new._set(value.copy() if type(value) is ndarray else value)
        return new

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        del state["_tensor"], state["_key"], state["_dtype"]
        return {"state": state, "value": self._tensor._value, "dtype": self.dtype.name}

    def __setstate__(self, pickled: dict) -> None:
        self.__dict__.update(pickled["state"])
        self._dtype = numpy_dtype(pickled["dtype"])
        self._key = new_key() if is_differentiable(self._dtype) else None
        self._set(pickled["value"])


# How many references a tensor and an array have that only their variable sees, as `buffer` counts them: measured once
# here, because it differs between Python versions. Interpreters that do not count references never update in place.
getrefcount = getattr(sys, "getrefcount", lambda _: -1)
_ALONE_TENSOR = _ALONE_ARRAY = -2


class _Probe:
    def counts(self) -> tuple[int, int]:
        a = self._tensor._value
        return getrefcount(self._tensor), getrefcount(a)


def _calibrate() -> tuple[int, int]:
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -2, -2
    probe = _Probe()
    probe._tensor = Tensor()  # type: ignore[attr-defined]
    probe._tensor._value = np.zeros(2)  # type: ignore[attr-defined]
    return probe.counts()


_ALONE_TENSOR, _ALONE_ARRAY = _calibrate()

# What programs print with `type(v).__name__`, and tutorials show; pickling finds the class under it.
ResourceVariable = Variable
Variable.__name__ = Variable.__qualname__ = "ResourceVariable"
