"""From Python into compiled code: one function, in machine code itself, that checks the arguments and goes on.

What it checks is a table, one row an argument, so that the same code serves all compiled functions; Python sees a
built-in function that takes positional arguments. It returns None after the call, and the number of the first argument
that does not fit otherwise: then nothing has run, and Python makes what fits (`conform`) or raises.

While compiled code runs, denormal numbers count as zero.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from . import objects
from .denormals import denormals
from .native import Native, compile_ir
from .target import Target

_METH_FASTCALL = 0x80
_HEAD = 6  # words of the table before the arguments
_ROW = 6  # words of an argument before its dimensions


class Argument(NamedTuple):
    """What an argument must be: an array of a dtype and a shape, in C's order; `writable` if the code writes into it.

    Where the shape is () and nothing is written, NumPy's scalar of the dtype will do as well.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    writable: bool = False


def make_entry(
    native: Native, arguments: Sequence[Argument], target: Target, step: str = "step", scratch: int = 0,
    long: bool = False, arena: np.ndarray | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The Python function that calls `void step(ptr slots)`: a slot an argument, with the address of its first element.

    One more slot, the last, points to `scratch` bytes of memory, aligned to 64, for the time of the call: those of
    `arena` where it is given. Calls at the same time from several threads get memory each. Where the call is `long`,
    other Python threads run meanwhile.

    The function returns None, or the number of the first argument that does not fit (-1 where there are more or fewer
    of them): then nothing was called and nothing was written.
    """
    layout = objects.arrays()
    if arena is None and scratch:
        arena = np.empty(scratch + 64, np.uint8)
    table = _table(native.address(step), arguments, arena, scratch, long)
    if layout is None:
        return _checked_by_python(arguments, table, (native, arena), target)
    keep = (native, arena)  # a built-in function keeps its module: here, what the code needs
    return _new_function(ctypes.byref(_method(layout, target)), table, keep)


def conform(values: Sequence[Any], arguments: Sequence[Argument]) -> list[np.ndarray]:
    """The values as arrays that fit; those that do not yet are copied.

    Raises TypeError for another dtype or number of values, and ValueError for another shape and for an array that is to
    be written into, which a copy cannot stand for.
    """
    if len(values) != len(arguments):
        raise TypeError(f"expected {len(arguments)} arguments, got {len(values)}")
    return [_conform(i, x, wanted) for i, (x, wanted) in enumerate(zip(values, arguments))]


def _conform(number: int, x: Any, wanted: Argument) -> np.ndarray:
    given = np.asarray(x)
    if given.dtype.newbyteorder("=") != wanted.dtype:
        raise TypeError(f"argument {number} has dtype {given.dtype}, expected {wanted.dtype}")
    if given.shape != wanted.shape:
        raise ValueError(f"argument {number} has shape {given.shape}, expected {wanted.shape}")
    if _fits(x, wanted):
        return given
    if wanted.writable:
        raise ValueError(f"argument {number} is written into: it must be a writable, aligned array in C's order")
    return np.array(given, np.dtype(wanted.dtype.type), order="C")


def _fits(x: Any, wanted: Argument) -> bool:
    """What the native code checks, in Python's words."""
    if type(x) is not np.ndarray:
        return type(x) is wanted.dtype.type and wanted.shape == () and not wanted.writable
    flags = x.flags
    return (
        x.dtype.type is wanted.dtype.type
        and x.dtype.isnative
        and x.shape == wanted.shape
        and flags.c_contiguous
        and flags.aligned
        and (flags.writeable or not wanted.writable)
    )


def _table(
    step: int, arguments: Sequence[Argument], arena: np.ndarray | None, scratch: int, long: bool
) -> np.ndarray:  # fmt: skip
    """What the entry reads: step, number of arguments, whether long, the arena and its size, two objects; the rows."""
    place = 0 if arena is None else -(-arena.__array_interface__["data"][0] // 64) * 64
    words = [step, len(arguments), int(long), place, scratch, 0]
    for dtype, shape, writable in arguments:
        builtin = np.dtype(dtype.type)  # the one object that most arrays of this dtype share
        if builtin != dtype:
            raise TypeError(f"compiled code cannot take arrays of dtype {dtype}")
        offset = objects.scalar(builtin) if shape == () and not writable else None
        flags = objects.CONTIGUOUS | objects.ALIGNED | (objects.WRITABLE if writable else 0)
        kind = id(builtin.type)
        words += [id(builtin), kind if offset else 0, offset or 0, flags, len(shape), kind, *shape]
    return np.array(words, np.uint64)


# -- the native function --

_CALL = """
declare i32 @posix_memalign(ptr, i64, i64)
declare void @free(ptr)

; Calls step with the slots, the last of which gets the arena. 1 where there is no memory for one.
define i32 @call_step(ptr %table, ptr %slots) #0 {
entry:
  %step = load ptr, ptr %table
  %count_at = getelementptr i64, ptr %table, i64 1
  %count = load i64, ptr %count_at
  %arena_at = getelementptr i64, ptr %table, i64 3
  %size_at = getelementptr i64, ptr %table, i64 4
  %size = load i64, ptr %size_at
  %last = getelementptr ptr, ptr %slots, i64 %count
  %some = icmp ne i64 %size, 0
  br i1 %some, label %take, label %bare
take:                                    ; whoever finds the arena taken makes one for this call
  %taken = atomicrmw xchg ptr %arena_at, i64 0 acquire
  %mine = icmp ne i64 %taken, 0
  br i1 %mine, label %own, label %make
own:
  %own_arena = inttoptr i64 %taken to ptr
  br label %run
make:
  %failed = call i32 @posix_memalign(ptr %last, i64 64, i64 %size)
  %enough = icmp eq i32 %failed, 0
  br i1 %enough, label %made, label %none
none:
  ret i32 1
made:
  %new_arena = load ptr, ptr %last
  br label %run
bare:
  br label %run
run:
  %arena = phi ptr [ %own_arena, %own ], [ %new_arena, %made ], [ null, %bare ]
  %back = phi i1 [ true, %own ], [ false, %made ], [ false, %bare ]
  %away = phi i1 [ false, %own ], [ true, %made ], [ false, %bare ]
  store ptr %arena, ptr %last
  %old = call i64 @flush_denormals()
  call void %step(ptr %slots)
  call void @restore_denormals(i64 %old)
  br i1 %back, label %give, label %given
give:
  %number = ptrtoint ptr %arena to i64
  store atomic i64 %number, ptr %arena_at release, align 8
  br label %given
given:
  br i1 %away, label %drop, label %done
drop:
  call void @free(ptr %arena)
  br label %done
done:
  ret i32 0
}
attributes #0 = { nounwind }
"""

_ENTRY = """
@_Py_NoneStruct = external global i8
@PyArray = global i64 0
declare void @Py_IncRef(ptr)
declare ptr @PyLong_FromLong(i64)
declare ptr @PyErr_NoMemory()
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)

define ptr @entry(ptr %self, ptr %given, i64 %number) #0 {{
entry:
  %table_at = getelementptr i8, ptr %self, i64 {data}
  %table = load ptr, ptr %table_at
  %count_at = getelementptr i64, ptr %table, i64 1
  %count = load i64, ptr %count_at
  %all = icmp eq i64 %number, %count
  br i1 %all, label %begin, label %uneven
uneven:
  %minus = call ptr @PyLong_FromLong(i64 -1)
  ret ptr %minus
begin:
  %room = add i64 %count, 1
  %slots = alloca ptr, i64 %room, align 16
  %array = load i64, ptr @PyArray
  %first = getelementptr i64, ptr %table, i64 {head}
  br label %next
next:
  %i = phi i64 [ 0, %begin ], [ %i_next, %fits ]
  %row = phi ptr [ %first, %begin ], [ %row_next, %fits ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %check, label %ready
check:
  %object_at = getelementptr ptr, ptr %given, i64 %i
  %object = load ptr, ptr %object_at
  %type_at = getelementptr i8, ptr %object, i64 {type}
  %type = load i64, ptr %type_at
  %rank_row = getelementptr i64, ptr %row, i64 4
  %rank = load i64, ptr %rank_row
  %dims = getelementptr i64, ptr %row, i64 {row}
  %row_next = getelementptr i64, ptr %dims, i64 %rank
  %is_array = icmp eq i64 %type, %array
  br i1 %is_array, label %look, label %scalar
scalar:                                  ; zero in the row, which no type is, where none is allowed
  %scalar_row = getelementptr i64, ptr %row, i64 1
  %scalar_type = load i64, ptr %scalar_row
  %is_scalar = icmp eq i64 %type, %scalar_type
  br i1 %is_scalar, label %value, label %wrong
value:
  %offset_row = getelementptr i64, ptr %row, i64 2
  %offset = load i64, ptr %offset_row
  %value_at = getelementptr i8, ptr %object, i64 %offset
  br label %fits
look:
  %descr_at = getelementptr i8, ptr %object, i64 {descr}
  %descr = load i64, ptr %descr_at
  %descr_row = load i64, ptr %row
  %same = icmp eq i64 %descr, %descr_row
  br i1 %same, label %alike, label %other
other:                                   ; arrays that were pickled have a dtype object of their own
  %dtype = inttoptr i64 %descr to ptr
  %kind_at = getelementptr i8, ptr %dtype, i64 {kind}
  %kind = load i64, ptr %kind_at
  %kind_row = getelementptr i64, ptr %row, i64 5
  %kind_wanted = load i64, ptr %kind_row
  %same_kind = icmp eq i64 %kind, %kind_wanted
  %order_at = getelementptr i8, ptr %dtype, i64 {order}
  %order = load i8, ptr %order_at
  %swapped = icmp eq i8 %order, 62       ; `>`
  %native = xor i1 %swapped, true
  %equivalent = and i1 %same_kind, %native
  br i1 %equivalent, label %alike, label %wrong
alike:
  %has_at = getelementptr i8, ptr %object, i64 {rank}
  %has = load i32, ptr %has_at
  %has_wide = sext i32 %has to i64
  %deep = icmp eq i64 %has_wide, %rank
  %flags_at = getelementptr i8, ptr %object, i64 {flags}
  %flags = load i32, ptr %flags_at
  %flags_row = getelementptr i64, ptr %row, i64 3
  %needed_wide = load i64, ptr %flags_row
  %needed = trunc i64 %needed_wide to i32
  %held = and i32 %flags, %needed
  %laid = icmp eq i32 %held, %needed
  %both = and i1 %deep, %laid
  br i1 %both, label %measure, label %wrong
measure:
  %shape_at = getelementptr i8, ptr %object, i64 {dimensions}
  %shape = load ptr, ptr %shape_at
  br label %side
side:
  %d = phi i64 [ 0, %measure ], [ %d_next, %long_enough ]
  %left = icmp slt i64 %d, %rank
  br i1 %left, label %compare, label %whole
compare:
  %is_at = getelementptr i64, ptr %shape, i64 %d
  %is = load i64, ptr %is_at
  %should_at = getelementptr i64, ptr %dims, i64 %d
  %should = load i64, ptr %should_at
  %equal = icmp eq i64 %is, %should
  br i1 %equal, label %long_enough, label %wrong
long_enough:
  %d_next = add i64 %d, 1
  br label %side
whole:
  %data_at = getelementptr i8, ptr %object, i64 {data}
  %data = load ptr, ptr %data_at
  br label %fits
fits:
  %pointer = phi ptr [ %data, %whole ], [ %value_at, %value ]
  %slot = getelementptr ptr, ptr %slots, i64 %i
  store ptr %pointer, ptr %slot
  %i_next = add i64 %i, 1
  br label %next
wrong:
  %which = call ptr @PyLong_FromLong(i64 %i)
  ret ptr %which
ready:
  %long_at = getelementptr i64, ptr %table, i64 2
  %long = load i64, ptr %long_at
  %free_others = icmp ne i64 %long, 0
  br i1 %free_others, label %alone, label %here
alone:
  %state = call ptr @PyEval_SaveThread()
  %failed_alone = call i32 @call_step(ptr %table, ptr %slots)
  call void @PyEval_RestoreThread(ptr %state)
  br label %called
here:
  %failed_here = call i32 @call_step(ptr %table, ptr %slots)
  br label %called
called:
  %failed = phi i32 [ %failed_alone, %alone ], [ %failed_here, %here ]
  %no_memory = icmp ne i32 %failed, 0
  br i1 %no_memory, label %raise, label %good
raise:
  %nothing = call ptr @PyErr_NoMemory()
  ret ptr %nothing
good:
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}}
"""


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


def _new_function(method: Any, table: np.ndarray, keep: object) -> Callable[..., Any]:
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    return make(method, table, keep)


@cache
def _method(layout: objects.Layout, target: Target) -> _MethodDef:
    """The native function as Python's C interface describes functions."""
    text = _ENTRY.format(**layout._asdict(), head=_HEAD, row=_ROW) + denormals(target) + _CALL
    native = compile_ir(text, target)
    ctypes.c_uint64.from_address(native.address("PyArray")).value = id(np.ndarray)
    method = _MethodDef(b"compiled", native.address("entry"), _METH_FASTCALL, None)
    native.keep()  # functions that outlive this module, as a program ends, point to both
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(method))
    return method


@cache
def _call_step(target: Target) -> Any:
    """`call_step` for Python to call, where arguments are checked by Python."""
    native = compile_ir(denormals(target) + _CALL, target)
    native.keep()
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(native.address("call_step"))


def _checked_by_python(
    arguments: Sequence[Argument], table: np.ndarray, keep: object, target: Target
) -> Callable[..., Any]:
    """The same function in Python, for a NumPy whose objects are laid out in a way that could not be made sure of."""
    call = _call_step(target)

    def compiled(*values: Any) -> int | None:
        if len(values) != len(arguments):
            return -1
        for i, (x, wanted) in enumerate(zip(values, arguments)):
            if not _fits(x, wanted):
                return i
        arrays = [np.asarray(x) for x in values]
        slots = np.array([x.__array_interface__["data"][0] for x in arrays] + [0], np.uint64)
        if call(table.__array_interface__["data"][0], slots.__array_interface__["data"][0]):
            raise MemoryError
        return None

    compiled.keep = keep
    return compiled
