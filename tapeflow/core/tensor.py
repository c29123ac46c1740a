"""`tf.Tensor`: an immutable array, and nothing more.

`_value` is an ndarray, or for a 0-d tensor the NumPy scalar (arithmetic on those is eight times faster than on 0-d
arrays); a 0-d string stays a 0-d object array.  `_key` is the tensor's name on tapes, see `core.tapes`.  There is no
`__init__`: it would double what making a tensor costs, and every op makes one.  Operators, indexing and conversion
are attached by `ops.operators`, which knows the ops.

Tensors that have no value (a trace's) or stand for many (a batched backward pass) are subclasses with `_interpret`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import DType, as_dtype
from .shapes import TensorShape

ndarray = np.ndarray
_SLOTS = ("_value", "_key", "__weakref__")
_CPU = "/job:localhost/replica:0/task:0/device:CPU:0"


class Reference:
    """A hashable stand-in for a tensor or variable, equal only to references of the same object."""

    __slots__ = ("_referent",)

    def __init__(self, referent: Any) -> None:
        self._referent = referent

    def deref(self) -> Any:
        """The tensor or variable itself."""
        return self._referent

    def __eq__(self, other: object) -> bool:
        return type(other) is Reference and self._referent is other._referent

    def __hash__(self) -> int:
        return id(self._referent)

    def __lt__(self, other: Reference) -> bool:
        return id(self._referent) < id(other._referent)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._referent!r}>"


class Tensor:
    """An immutable array of one dtype: what every op takes and returns.

    Arithmetic, comparison, indexing and NumPy's protocols work on it; `numpy()` gives a copy of its value. Made by
    `tf.constant`, `tf.convert_to_tensor` and every op, not by calling the class.
    """

    __slots__ = _SLOTS
    __array_priority__ = 1000
    _value: Any
    _key: int | None

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape._known(self._value.shape)

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return as_dtype(self._value.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._value.shape)

    @property
    def device(self) -> str:
        """Where the tensor lives; eager tensors live on the CPU."""
        return _CPU

    backing_device = device

    def numpy(self) -> Any:
        """The value: a copy as an ndarray, for a 0-d tensor the NumPy scalar (`bytes` for a string)."""
        value = self._value
        if type(value) is ndarray:
            return value.copy() if value.ndim else value[()]
        return value

    def set_shape(self, shape: Any) -> None:
        """Checks that the shape is compatible with the given one. Raises ValueError where it is not."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {shape}")

    def ref(self) -> Reference:
        """A hashable reference, for use as a dictionary key."""
        return Reference(self)

    def cpu(self) -> Tensor:
        """The tensor itself: eager tensors live on the CPU."""
        return self

    gpu = cpu

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Raises: there are no sessions."""
        raise RuntimeError(
            "eval is not supported when eager execution is enabled, is .numpy() what you're looking for?"
        )

    @property
    def _id(self) -> int:
        return id(self)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __len__(self) -> int:
        shape = self._value.shape
        if not shape:
            raise TypeError("Scalar tensor has no `len()`")
        return shape[0]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        value = self._value
        if type(value) is ndarray or value.dtype.kind not in "iu":
            raise TypeError(
                "only integer scalar tensors can be converted to a scalar index, not "
                f"one of shape {self.shape} and dtype {self.dtype.name}"
            )
        return int(value)

    def _scalar(self, wanted: str) -> Any:
        value = self._value
        if value.ndim:
            raise TypeError(
                f"only 0-dimensional tensors can be converted to a Python {wanted}, not one of shape {value.shape}"
            )
        return value[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = np.asarray(self._value, dtype)
        if value is self._value:
            if copy is False:
                value = value.view()
                value.flags.writeable = False
            else:
                value = value.copy()
        return value

    def __copy__(self) -> Tensor:
        return wrap(self._value)

    def __deepcopy__(self, memo: dict) -> Tensor:
        return wrap(self._value)

    def __reduce__(self) -> tuple:
        return _unpickled, (self._value, self.dtype.name)

    def __format__(self, spec: str) -> str:
        # as TensorFlow does: f"{tensor}" shows the value alone
        value = self._value
        return format(value[()] if value.ndim == 0 else value, spec)


# What programs print with `type(x).__name__`, and tutorials show; pickling finds the class under it.
EagerTensor = Tensor
Tensor.__name__ = Tensor.__qualname__ = "EagerTensor"


class _Absent:
    """An attribute that raises AttributeError and says what to use instead.

    `__getattr__` would do for all of them, but a class that has it loses 15 ns at every attribute it does have.
    """

    def __init__(self, message: str) -> None:
        self._message = message

    def __get__(self, tensor: Any, owner: type) -> Any:
        raise AttributeError(self._message)


for _name in ("name", "graph", "op"):
    setattr(Tensor, _name, _Absent(f"Tensor.{_name} is undefined when eager execution is enabled."))
for _name, _instead in {
    "T": "tf.transpose(x)",
    "astype": "tf.cast(x, dtype)",
    "clip": "tf.clip_by_value(x, low, high)",
    "data": "x.numpy()",
    "item": "x.numpy().item()",
    "max": "tf.reduce_max(x)",
    "mean": "tf.reduce_mean(x)",
    "min": "tf.reduce_min(x)",
    "ravel": "tf.reshape(x, [-1])",
    "reshape": "tf.reshape(x, shape)",
    "size": "tf.size(x)",
    "sum": "tf.reduce_sum(x)",
    "tolist": "x.numpy().tolist()",
    "transpose": "tf.transpose(x)",
}.items():
    setattr(Tensor, _name, _Absent(f"'EagerTensor' object has no attribute '{_name}': use {_instead}."))


def wrap(value: Any) -> Tensor:
    """A tensor of this value (an ndarray of one or more dimensions, or a NumPy scalar), which it does not copy."""
    out = Tensor()
    out._value = value
    out._key = None
    return out


def _unpickled(value: Any, dtype_name: str) -> Tensor:
    as_dtype(dtype_name).as_numpy_dtype  # noqa: B018 - bfloat16 must be loaded before a value of it is used
    return wrap(value)


def flat(value: Any) -> Any:
    """The value as tensors hold it: 0-d arrays as NumPy scalars (but strings), anything else as it is."""
    if type(value) is ndarray and not value.ndim and value.dtype.kind != "O":
        return value[()]
    return value
