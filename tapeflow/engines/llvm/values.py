"""The values of LLVM's IR as text: kinds of numbers, types of some lanes of them, names, constants.

A value is a name with a kind and a number of lanes: `f32 x 16` is `<16 x float>`, one lane is a scalar.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Kind(NamedTuple):
    """What a lane holds: its name, LLVM's name for it, bytes in memory, and whether it is a float or has a sign.

    Bools are `i1` in values and bytes in memory. Floats of 16 bits are bits, and no floats: see `halves`.
    """

    name: str
    llvm: str
    bytes: int
    floating: bool
    signed: bool


F32 = Kind("f32", "float", 4, True, True)
F64 = Kind("f64", "double", 8, True, True)
F16 = Kind("f16", "i16", 2, False, False)
BF16 = Kind("bf16", "i16", 2, False, False)
HALVES = (F16, BF16)
I1 = Kind("i1", "i1", 1, False, False)
I8, I16, I32, I64 = (Kind(f"i{n}", f"i{n}", n // 8, False, True) for n in (8, 16, 32, 64))
U8, U16, U32, U64 = (Kind(f"u{n}", f"i{n}", n // 8, False, False) for n in (8, 16, 32, 64))
PTR = Kind("ptr", "ptr", 8, False, False)

# NumPy's dtypes that have a kind
KINDS = {
    np.dtype(name): kind
    for name, kind in {
        "float32": F32, "float64": F64, "float16": F16, "bool": I1, "int8": I8, "int16": I16, "int32": I32,
        "int64": I64, "uint8": U8, "uint16": U16, "uint32": U32, "uint64": U64,
    }.items()
}  # fmt: skip


class Type(NamedTuple):
    """A kind in a number of lanes."""

    kind: Kind
    lanes: int = 1

    @property
    def text(self) -> str:
        """LLVM's name."""
        return self.kind.llvm if self.lanes == 1 else f"<{self.lanes} x {self.kind.llvm}>"

    @property
    def suffix(self) -> str:
        """How LLVM's intrinsics name it: f32, v16f32, i64."""
        name = "p0" if self.kind is PTR else f"{'f' if self.kind.floating else 'i'}{self.bits}"
        return name if self.lanes == 1 else f"v{self.lanes}{name}"

    @property
    def bits(self) -> int:
        """Of a lane, as a value."""
        return 1 if self.kind is I1 else self.kind.bytes * 8

    def of(self, kind: Kind) -> Type:
        """As many lanes of another kind."""
        return Type(kind, self.lanes)


class V(NamedTuple):
    """A value: a name that LLVM knows (or a constant as it is written) and its type."""

    name: str
    type: Type

    @property
    def kind(self) -> Kind:
        return self.type.kind

    @property
    def lanes(self) -> int:
        return self.type.lanes

    @property
    def text(self) -> str:
        """The value with its type before it, as operands are written."""
        return f"{self.type.text} {self.name}"


def literal(number: Any, kind: Kind) -> str:
    """A number as LLVM's text has it."""
    if kind is F16:
        with np.errstate(over="ignore"):
            return str(int(np.asarray(number).astype(np.float16).view(np.uint16)))
    if kind is BF16:
        return str(_bfloat16_bits(float(number)))
    if kind.floating:
        number = float(np.float32(number)) if kind is F32 else float(number)
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    return str(int(number))


def _bfloat16_bits(number: float) -> int:
    """The upper half of a float32, rounded to the nearest, ties to even."""
    bits = int(np.array(number, np.float32).view(np.uint32))
    if number != number:
        return bits >> 16 | 0x40
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def constant(number: Any, kind: Kind, lanes: int = 1) -> V:
    """The same number in every lane, rounded to the kind."""
    text = literal(number, kind)
    if lanes > 1:
        text = f"splat ({kind.llvm} {text})"
    return V(text, Type(kind, lanes))


def constants(numbers: Sequence[Any], kind: Kind) -> V:
    """A vector of numbers."""
    return V(f"<{', '.join(f'{kind.llvm} {literal(n, kind)}' for n in numbers)}>", Type(kind, len(numbers)))


def index(i: int | V) -> V:
    """A position as a value of 64 bits."""
    return i if isinstance(i, V) else constant(i, I64)
