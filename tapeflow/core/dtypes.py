"""Element types: `tf.DType`, the table of all of them, and the way from NumPy's types to ours.

Inside tapeflow an array's own `numpy.dtype` is what ops look at; a `DType` is the face of it that users see.
Strings live in object arrays of `bytes`.  bfloat16 comes from ml_dtypes, which is imported when it is first asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# name, code, numpy type (None: made on demand, or has none), kind, short name in error messages
_TABLE = (
    ("float32", 1, np.float32, "f", "float"),
    ("float64", 2, np.float64, "f", "double"),
    ("int32", 3, np.int32, "i", "int32"),
    ("uint8", 4, np.uint8, "u", "uint8"),
    ("int16", 5, np.int16, "i", "int16"),
    ("int8", 6, np.int8, "i", "int8"),
    ("string", 7, np.object_, "O", "string"),
    ("complex64", 8, np.complex64, "c", "complex64"),
    ("int64", 9, np.int64, "i", "int64"),
    ("bool", 10, np.bool_, "b", "bool"),
    ("bfloat16", 14, None, "f", "bfloat16"),
    ("uint16", 17, np.uint16, "u", "uint16"),
    ("complex128", 18, np.complex128, "c", "complex128"),
    ("float16", 19, np.float16, "f", "half"),
    ("resource", 20, None, "-", "resource"),
    ("variant", 21, None, "-", "variant"),
    ("uint32", 22, np.uint32, "u", "uint32"),
    ("uint64", 23, np.uint64, "u", "uint64"),
)


class DType:
    """The type of a tensor's elements, such as `tf.float32`.

    Compares equal to its name and to what NumPy calls it; `as_numpy_dtype` is the NumPy scalar type.
    """

    __slots__ = ("_code", "_kind", "_name", "_np", "_short")

    def __init__(self, name: str, code: int, numpy_type: Any, kind: str, short: str) -> None:
        self._name = name
        self._code = code
        self._kind = kind
        self._short = short
        self._np = None if numpy_type is None else np.dtype(numpy_type)

    @property
    def name(self) -> str:
        return self._name

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar type. Raises TypeError for types that NumPy has no word for."""
        return numpy_dtype(self).type

    @property
    def as_datatype_enum(self) -> int:
        return self._code

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def real_dtype(self) -> DType:
        return {"complex64": float32, "complex128": float64}.get(self._name, self)

    @property
    def is_numpy_compatible(self) -> bool:
        return self._kind != "-"

    @property
    def is_bool(self) -> bool:
        return self._kind == "b"

    @property
    def is_integer(self) -> bool:
        return self._kind in "iu"

    @property
    def is_unsigned(self) -> bool:
        return self._kind == "u"

    @property
    def is_floating(self) -> bool:
        return self._kind == "f"

    @property
    def is_complex(self) -> bool:
        return self._kind == "c"

    @property
    def is_numeric(self) -> bool:
        return self._kind in "iufcb"

    @property
    def is_quantized(self) -> bool:
        return False

    @property
    def size(self) -> int:
        """Bytes of one element (1 where that is not fixed)."""
        return numpy_dtype(self).itemsize if self._kind not in "-O" else 1

    @property
    def min(self) -> Any:
        """The smallest value. Raises TypeError for types without an order."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest value. Raises TypeError for types without an order."""
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """(min, max) as image code uses them: (0, 1) for floats."""
        if self._kind == "f":
            return 0, 1
        return (False, True) if self._kind == "b" else (int(self.min), int(self.max))

    def _limit(self, end: str) -> Any:
        if self._kind in "iu":
            return getattr(np.iinfo(self._np), end)
        if self._kind == "b":
            return end == "max"
        if self._kind == "f":
            if self._name == "bfloat16":
                import ml_dtypes

                return getattr(ml_dtypes.finfo(ml_dtypes.bfloat16), end)
            return getattr(np.finfo(self._np), end)
        raise TypeError(f"Cannot find {end}imum value of {self}.")

    def is_compatible_with(self, other: Any) -> bool:
        return self is as_dtype(other)

    def is_subtype_of(self, other: Any) -> bool:
        return self is other

    def __eq__(self, other: Any) -> bool:
        if other is self:
            return True
        if other is None or type(other) is DType:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        # not the code or the name, which are keys of `_KNOWN` of their own and equal to this
        return self._code + 0x7F0000

    def __int__(self) -> int:
        return self._code

    def __repr__(self) -> str:
        return f"tf.{self._name}"

    def __str__(self) -> str:
        return f"<dtype: '{self._name}'>"

    def __reduce__(self) -> tuple:
        return as_dtype, (self._name,)


DTYPES = {row[0]: DType(*row) for row in _TABLE}
float16, float32, float64 = DTYPES["float16"], DTYPES["float32"], DTYPES["float64"]
int8, int16, int32, int64 = DTYPES["int8"], DTYPES["int16"], DTYPES["int32"], DTYPES["int64"]
uint8, uint16, uint32, uint64 = DTYPES["uint8"], DTYPES["uint16"], DTYPES["uint32"], DTYPES["uint64"]
complex64, complex128 = DTYPES["complex64"], DTYPES["complex128"]
bool_, string, bfloat16 = DTYPES["bool"], DTYPES["string"], DTYPES["bfloat16"]
resource, variant = DTYPES["resource"], DTYPES["variant"]
half, double = float16, float64

# everything `as_dtype` takes that can be a dictionary key, bfloat16's NumPy type joining once it is loaded
_KNOWN: dict[Any, DType] = {float: float32, bool: bool_, object: string, "half": float16, "double": float64}
_KNOWN.update({"float": float32, np.str_: string, np.bytes_: string})
for _dtype in DTYPES.values():
    _KNOWN[_dtype._name] = _KNOWN[_dtype] = _dtype
    if _dtype._np is not None:
        _KNOWN[_dtype._np] = _KNOWN[_dtype._np.type] = _dtype
# no array has this one: it marks the lists of tensors that go through graphs as one value
VARIANT = np.dtype([("variant", "V1")])
_KNOWN[VARIANT] = variant


def as_dtype(type_value: Any) -> DType:
    """The `tf.DType` of a DType, a name, a NumPy type or dtype, or Python's `float` and `bool`.

    Raises TypeError where there is none.
    """
    try:
        return _KNOWN[type_value]
    except (KeyError, TypeError):
        pass
    if type(type_value) is int:
        for dtype in DTYPES.values():
            if dtype._code == type_value:
                return dtype
    elif type_value is not None and type_value is not int and type_value is not str and type_value is not complex:
        try:
            known = np.dtype(getattr(type_value, "dtype", type_value))
        except (TypeError, ValueError):
            known = None
        if known is not None:
            if known.kind in "SU":
                return string
            if known.name == "bfloat16":
                numpy_dtype(bfloat16)
            known = known.newbyteorder("=") if known.byteorder in "<>" else known
            if known in _KNOWN:
                return _KNOWN[known]
    raise TypeError(f"Cannot convert the argument `type_value`: {type_value!r} to a TensorFlow DType.")


def numpy_dtype(dtype: Any) -> np.dtype:
    """The one `numpy.dtype` object that arrays of this DType (or name, or NumPy type) have.

    Raises TypeError for `tf.resource` and `tf.variant`, which no array holds.
    """
    if type(dtype) is not DType:
        dtype = as_dtype(dtype)
    if dtype._np is None:
        if dtype is not bfloat16:
            raise TypeError(f"{dtype} has no NumPy equivalent.")
        import ml_dtypes

        bfloat16._np = np.dtype(ml_dtypes.bfloat16)
        _KNOWN[bfloat16._np] = _KNOWN[ml_dtypes.bfloat16] = bfloat16
        DTYPE_OF[ml_dtypes.bfloat16] = bfloat16._np
        for members in Group._waiting:
            members |= {bfloat16._np, ml_dtypes.bfloat16}
    return dtype._np


def short_name(dtype: np.dtype) -> str:
    """What TensorFlow's error messages call an array's dtype (`float` for float32)."""
    return as_dtype(dtype)._short


def is_differentiable(dtype: np.dtype) -> bool:
    """Whether derivatives flow through values of this NumPy dtype: floats (bfloat16 too), complex numbers, lists."""
    return dtype.kind in "fc" or (dtype.kind == "V" and (dtype is bfloat16._np or dtype is VARIANT))


# -- groups of NumPy types that ops accept: dtypes, and the scalar types that 0-d tensors are made of ------------------

DTYPE_OF: dict[type, np.dtype] = {d._np.type: d._np for d in DTYPES.values() if d._np is not None}


class Group(set):
    """A set of NumPy dtypes and scalar types, which bfloat16 joins when it is first used, if it belongs there."""

    __slots__ = ("takes_bfloat16",)
    _waiting: list[Group] = []

    def __init__(self, members: Any, takes_bfloat16: bool) -> None:
        super().__init__(members)
        self.takes_bfloat16 = takes_bfloat16
        if takes_bfloat16 and bfloat16._np is None:
            Group._waiting.append(self)
        elif takes_bfloat16:
            self.update((bfloat16._np, bfloat16._np.type))

    def __or__(self, other: Any) -> Group:
        return Group(set(self) | set(other), self.takes_bfloat16 or getattr(other, "takes_bfloat16", False))


def group(*names: str) -> Group:
    """The NumPy dtypes and scalar types of these DTypes."""
    dtypes = [DTYPES[name]._np for name in names if name != "bfloat16"]
    return Group([*dtypes, *(d.type for d in dtypes)], "bfloat16" in names)


_FLOAT = ("bfloat16", "float16", "float32", "float64")
_COMPLEX = ("complex64", "complex128")
_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
FLOATS = group(*_FLOAT)
COMPLEXES = group(*_COMPLEX)
INTEGERS = group(*_SIGNED, *_UNSIGNED)
FLOATS_COMPLEX = group(*_FLOAT, *_COMPLEX)
REALS = group(*_FLOAT, *_SIGNED, *_UNSIGNED)
NUMBERS = group(*_FLOAT, *_SIGNED, *_UNSIGNED, *_COMPLEX)
SIGNED_NUMBERS = group(*_FLOAT, *_SIGNED, *_COMPLEX)
BOOLS = group("bool")
STRINGS = group("string")
ANY = group(*_FLOAT, *_SIGNED, *_UNSIGNED, *_COMPLEX, "bool", "string")
NUMBERS_BOOL = group(*_FLOAT, *_SIGNED, *_UNSIGNED, *_COMPLEX, "bool")
