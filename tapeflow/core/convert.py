"""The one path from what users pass (numbers, lists, NumPy arrays, variables, tensors in lists) to a tensor.

TensorFlow's rules: a Python float is float32, an int is int32 (int64 where it does not fit), NumPy arrays and scalars
keep their dtype, a sequence has one kind of element and is rectangular, and a float never becomes an int by itself.
Objects with a method `__tf_tensor__(dtype, name)`, variables among them, convert themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .abstract import Abstract
from .dtypes import DType, as_dtype, numpy_dtype, short_name
from .tapes import made
from .tensor import Tensor, ndarray, wrap

_FLOAT32, _INT32, _INT64 = np.dtype("float32"), np.dtype("int32"), np.dtype("int64")
_OBJECT, _BOOL = np.dtype(object), np.dtype(bool)
_NUMBERS = {bool, int, float, complex}
_pack: Callable | None = None  # stacks a list with tensors in it; set by ops.joining
_registered: list[tuple[Any, Callable, int]] = []  # (types, function, priority), in order of priority


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """The value as a tensor: a tensor as it is, anything else by TensorFlow's rules for numbers, sequences and arrays.

    Arguments:
        value: a tensor, variable, number, string, NumPy array, (nested) sequence of these, or an object with
            `__array__` or `__tf_tensor__`. NumPy arrays are copied.
        dtype: the dtype wanted. A tensor of another one is a ValueError, a Python value that does not fit a TypeError;
            a NumPy array is cast.
        dtype_hint: a dtype to take where the value allows it.

    Raises ValueError for what cannot be a tensor: None, generators, ragged or mixed sequences, arbitrary objects.
    """
    kind = type(value)
    if kind is Tensor and dtype is None:
        return value
    wanted = None if dtype is None else numpy_dtype(dtype)
    if isinstance(value, Tensor):
        if wanted is not None and value._value.dtype != wanted:
            raise ValueError(
                f"Tensor conversion requested dtype {as_dtype(wanted).name} for Tensor with dtype "
                f"{value.dtype.name}: {value!r}"
            )
        return value
    if wanted is None and dtype_hint is not None:
        try:
            return convert_to_tensor(value, dtype_hint)
        except (TypeError, ValueError):
            pass
    convert = getattr(kind, "__tf_tensor__", None)
    if convert is not None and not isinstance(value, type):
        return convert(value, as_dtype(wanted) if wanted is not None else None, name)
    for types, function, _ in _registered:
        if isinstance(value, types):
            converted = function(value, dtype=None if wanted is None else as_dtype(wanted), name=name, as_ref=False)
            if converted is not NotImplemented:
                return converted
    return _from_python(value, wanted)


def convert_like(value: Any, dtype: np.dtype) -> Tensor:
    """An operand as a tensor, of the other operand's NumPy dtype where that can be.

    Where not, the tensor has the dtype it would have alone, for the op to refuse.
    """
    if isinstance(value, Tensor):
        return value
    if type(value) is int and dtype.kind in "fiu":
        return wrap(_cast_integer(value, dtype))
    try:
        return convert_to_tensor(value, dtype)
    except (TypeError, ValueError):
        return convert_to_tensor(value)


def register_tensor_conversion_function(base_type: Any, conversion_func: Callable, priority: int = 100) -> None:
    """Registers `conversion_func(value, dtype, name, as_ref)` for values of `base_type`, in order of priority.

    The function may return NotImplemented. Raises TypeError for what is no type or no function.
    """
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(t, type) for t in types):
        raise TypeError(f"Argument `base_type` must be a type or a tuple of types. Received: {base_type!r}")
    if any(issubclass(t, (bool, int, float, complex, ndarray, np.generic)) for t in types):
        raise TypeError("Cannot register conversions for Python numeric types and NumPy scalars and arrays.")
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received: {conversion_func!r}")
    _registered.append((types, conversion_func, priority))
    _registered.sort(key=lambda entry: entry[2])


def set_pack(pack: Callable) -> None:
    """Tells this module how to stack a sequence that has tensors in it (an op, so gradients flow through it)."""
    global _pack
    _pack = pack


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as NumPy's, None where it has none yet, in a function that is being traced.

    `partial` has no effect. Raises TypeError for what is no tensor.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"`tensor` must be a tensor, got {type(tensor).__name__}")
    return None if isinstance(tensor._value, Abstract) else tensor.numpy()


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, a variable or another object that stands for one (`tf.is_tensor`)."""
    return isinstance(x, Tensor) or hasattr(type(x), "__tf_tensor__")


# -- from Python and NumPy ---------------------------------------------------------------------------------------------


def _from_python(value: Any, wanted: np.dtype | None) -> Tensor:
    kind = type(value)
    if kind is float:
        if wanted is None or wanted is _FLOAT32:
            return wrap(np.float32(value))
    elif kind is int:
        if wanted is None:
            wanted = _INT32 if -0x80000000 <= value < 0x80000000 else _INT64
            if wanted is _INT64 and not -(1 << 63) <= value < 1 << 63:
                raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
        if wanted.kind in "iuf":
            return wrap(_cast_integer(value, wanted))
    elif isinstance(value, (ndarray, np.generic)):
        return wrap(_flat(_from_numpy(value, wanted)))
    elif isinstance(value, (list, tuple)):
        return _from_sequence(value, wanted)
    elif isinstance(value, (str, bytes)):
        value = np.array(value.encode() if isinstance(value, str) else value, object)
        if wanted is not None and wanted is not _OBJECT:
            raise _does_not_fit(value[()].decode("utf-8", "backslashreplace"), wanted)
        return wrap(value)
    elif not isinstance(value, (bool, complex, float, int)):
        return _from_object(value, wanted)
    return wrap(_flat(_fit(np.array(value), wanted, value, {bool if kind is bool else type(value)})))


def _from_object(value: Any, wanted: np.dtype | None) -> Tensor:
    if hasattr(value, "__array__") and not isinstance(value, type):
        return wrap(_flat(_from_numpy(np.asarray(value), wanted)))
    sequence = hasattr(value, "__len__") and hasattr(value, "__getitem__") and not hasattr(value, "keys")
    if sequence and not isinstance(value, type):
        return _from_sequence(list(value), wanted)
    raise _unsupported(value)


def _from_numpy(value: Any, wanted: np.dtype | None) -> np.ndarray:
    """A copy of the array, C-contiguous, of a dtype that tensors have."""
    kind = value.dtype.kind
    if kind in "SUO":
        if kind == "O" and any(not isinstance(v, (str, bytes)) for v in np.asarray(value).flat):
            bad = next(v for v in np.asarray(value).flat if not isinstance(v, (str, bytes)))
            if isinstance(bad, Tensor) or hasattr(type(bad), "__tf_tensor__"):
                return _from_sequence(value.tolist(), wanted)._value
            raise ValueError(
                f"Failed to convert a NumPy array to a Tensor (Unsupported object type {type(bad).__name__})."
            )
        if wanted is not None and wanted is not _OBJECT:
            raise ValueError(f"could not convert string to {short_name(wanted)}: {np.asarray(value).flat[0]!r}")
        return _strings(np.asarray(value))
    if wanted is None:
        try:
            wanted = numpy_dtype(value.dtype)
        except TypeError:
            raise ValueError(
                f"Failed to convert a NumPy array to a Tensor (Unsupported numpy type: {value.dtype})."
            ) from None
    elif wanted is _OBJECT:
        raise ValueError(f"Failed to convert a NumPy array to a Tensor (Unsupported object type {value.dtype.name}).")
    with np.errstate(all="ignore"):
        if value.dtype.kind == "c" and wanted.kind not in "cb":
            value = value.real
        return np.array(value, wanted, order="C", ndmin=0)


def _strings(array: np.ndarray) -> np.ndarray:
    out = np.empty(array.shape, object)
    flat = out.reshape(-1)
    for i, item in enumerate(array.reshape(-1).tolist()):
        flat[i] = item.encode() if isinstance(item, str) else item
    return out


def _from_sequence(value: Any, wanted: np.dtype | None) -> Tensor:
    types: set[type] = set()
    _leaf_types(value, types)
    if any(issubclass(t, Tensor) or hasattr(t, "__tf_tensor__") for t in types):
        assert _pack is not None
        return _pack(value, wanted)
    simple = types <= _NUMBERS
    if not simple:
        odd = [t for t in types if t not in _NUMBERS]
        if any(issubclass(t, (str, bytes)) for t in odd):
            if not all(issubclass(t, (str, bytes)) for t in types):
                raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
            if wanted is not None and wanted is not _OBJECT:
                raise _does_not_fit(value, wanted)
            return wrap(_strings(_rectangular(value, object)))
        for t in odd:
            if not issubclass(t, (np.generic, ndarray, bool, int, float, complex)) and not hasattr(t, "__array__"):
                if len(types) > 1:
                    raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
                raise _unsupported(_first_leaf(value))
    if bool in types and len(types) > 1 and wanted is None:
        raise ValueError("Can't convert Python sequence with mixed types to Tensor.")
    array = _rectangular(value, None)
    if array.dtype.kind in "SUO":
        return wrap(_from_numpy(array, wanted))
    if not array.size and wanted is None:
        wanted = _FLOAT32
    if not simple and wanted is None and array.dtype.kind in "fV":
        # TensorFlow goes by the first element's type
        first = _first_leaf(value)
        wanted = numpy_dtype(first.dtype) if isinstance(first, (ndarray, np.generic)) else _FLOAT32
        if wanted.kind in "iub":
            wanted = _FLOAT32
    return wrap(_flat(_fit(array, wanted, value, types)))


def _leaf_types(value: Any, types: set[type]) -> None:
    kinds = set(map(type, value))
    nested = [k for k in kinds if issubclass(k, (list, tuple))]
    if nested:
        if len(kinds) > len(nested) and any(k in _NUMBERS or issubclass(k, (str, bytes)) for k in kinds):
            first = value[0]
            text = "mixed types" if not isinstance(first, (list, tuple)) else None
            raise ValueError(
                f"Can't convert Python sequence with {text} to Tensor."
                if text
                else "Can't convert non-rectangular Python sequence to Tensor."
            )
        for part in value:
            if isinstance(part, (list, tuple)):
                _leaf_types(part, types)
            else:
                types.add(type(part))
    else:
        types |= kinds


def _rectangular(value: Any, dtype: Any) -> np.ndarray:
    try:
        if dtype is object:
            shape = np.array(value).shape  # NumPy checks the shape; object arrays alone would hide a ragged one
            array = np.empty(shape, object)
            array[...] = value
            return array
        return np.array(value, dtype)
    except ValueError:
        raise ValueError(
            f"Can't convert non-rectangular Python sequence to Tensor: {_shorten(value)}. "
            "Its rows must all have the same length."
        ) from None
    except OverflowError:
        raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.") from None


def _fit(array: np.ndarray, wanted: np.dtype | None, value: Any, types: set[type]) -> np.ndarray:
    """An array that NumPy made of Python values, in the dtype wanted, or the one TensorFlow gives such values."""
    kind = array.dtype.kind
    if wanted is None:
        if kind == "f":
            return array if array.dtype.itemsize < 8 and array.dtype.kind == "f" else array.astype(_FLOAT32)
        if kind in "iu":
            if array.dtype != _INT32:
                small = not array.size or (array.min() >= -0x80000000 and array.max() < 0x80000000)
                if not small and kind == "u" and array.max() >= 1 << 63:
                    raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
                array = array.astype(_INT32 if small else _INT64)
            return array
        return (
            array if array.dtype.name in ("bool", "complex64", "complex128") else array.astype(numpy_dtype(array.dtype))
        )
    if not array.size:
        return array.astype(wanted) if wanted is not _OBJECT else np.empty(array.shape, object)
    fits = kind == "b" or {
        "f": wanted.kind in "fcV",
        "i": wanted.kind in "iufcV",
        "u": wanted.kind in "iufcV",
        "c": wanted.kind == "c",
        "V": wanted.kind in "fcV",
    }.get(kind, False)
    if not fits or wanted is _OBJECT or (wanted is _BOOL and kind != "b"):
        raise _does_not_fit(value, wanted)
    with np.errstate(all="ignore"):
        return array.astype(wanted)


def _cast_integer(value: int, dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return dtype.type(value)
    bits = 8 * dtype.itemsize
    value &= (1 << bits) - 1
    if dtype.kind == "i" and value >> (bits - 1):
        value -= 1 << bits
    return dtype.type(value)


def _first_leaf(value: Any) -> Any:
    while isinstance(value, (list, tuple)):
        value = next((v for v in value if not isinstance(v, (list, tuple)) or len(v)), None)
    return value


def _flat(array: Any) -> Any:
    return array[()] if type(array) is ndarray and not array.ndim and array.dtype is not _OBJECT else array


def _does_not_fit(value: Any, wanted: np.dtype) -> TypeError:
    return TypeError(f"Cannot convert {_shorten(value)} to EagerTensor of dtype {short_name(wanted)}")


def _unsupported(value: Any) -> ValueError:
    hint = ""
    if hasattr(value, "__next__"):
        hint = " A generator has no length: make a list of it first."
    return ValueError(
        f"Attempt to convert a value ({_shorten(value)}) with an unsupported type ({type(value)}) to a Tensor.{hint}"
    )


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


# -- what users call to make one ---------------------------------------------------------------------------------------


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = "Const") -> Tensor:
    """A tensor of the given value.

    Arguments:
        value: a number, string, NumPy array, or (nested) list of them.
        dtype: its dtype; by default float32 for Python floats, int32 for ints, NumPy's own for NumPy values.
        shape: its shape: one element fills it, otherwise the elements must be as many as it holds.

    Raises TypeError for values that do not fit the dtype or the shape, ValueError for what cannot be a tensor.
    """
    if isinstance(value, Tensor) and dtype is not None and value.dtype != dtype:
        raise TypeError(f"Expected tensor {value} with dtype {as_dtype(dtype)!r}, but got dtype {value.dtype!r}.")
    tensor = made(convert_to_tensor(value, dtype))
    if shape is None:
        return tensor
    array = np.asarray(tensor._value)
    dims = tuple(int(n) for n in (shape if hasattr(shape, "__iter__") else (shape,)))
    size = int(np.prod(dims, dtype=np.int64))
    if dims == array.shape:
        return tensor
    if array.size == size:
        return made(wrap(_flat(array.reshape(dims))))
    if array.size == 1:
        return made(wrap(_flat(np.full(dims, array.reshape(-1)[0], array.dtype))))
    raise TypeError(
        f"Eager execution of tf.constant with unsupported shape. Tensor {array} (converted from {_shorten(value)}) has "
        f"{array.size} elements, but got `shape` {dims} with {size} elements."
    )


def dtype_of(value: Any) -> DType:
    """The dtype that a value has, or would have as a tensor."""
    return value.dtype if hasattr(value, "dtype") and isinstance(value.dtype, DType) else convert_to_tensor(value).dtype
