"""Loading an object file without LLVM: ELF of x86-64 Linux, as code generation writes it for position-independent code.

`import llvmlite` costs 50-80 ms and 50 MB; a function whose object lies in the cache needs neither. Sections get one
mapping, so that they reach each other with 32 bits; functions elsewhere are reached through a jump each, data elsewhere
through a table of addresses. Code is never writable and executable at the same time.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable
from typing import NamedTuple

_PAGE = mmap.PAGESIZE
_WRITE, _ALLOC, _EXEC, _TLS = 1, 2, 4, 0x400
_PROGRAM_BITS, _SYMBOLS, _RELOCATIONS, _NO_BITS = 1, 2, 4, 8
_64, _PC32, _PLT32, _GOTPCREL, _PC64, _GOTPCRELX, _REX_GOTPCRELX = 1, 2, 4, 9, 24, 41, 42
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1
_JUMP = b"\xff\x25\x00\x00\x00\x00"  # jmp *0(%rip), before the address it goes to
_STUB = 16


class Unsupported(Exception):
    """The object has something that this loader does not know."""


class Image(NamedTuple):
    """An object in memory: addresses of what it defines for others, and the memory, which lives as long as this."""

    addresses: dict[str, int]
    memory: mmap.mmap


class _Section(NamedTuple):
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int


class _Symbol(NamedTuple):
    name: str
    section: int
    value: int
    visible: bool


def load(data: bytes, resolve: Callable[[str], int]) -> Image:
    """Maps an object and links it; `resolve` tells the addresses of what it uses from elsewhere.

    Raises Unsupported for what is not such an object, and whatever `resolve` raises.
    """
    try:
        return _load(data, resolve)
    except (struct.error, IndexError) as error:
        raise Unsupported(f"the object file is damaged: {error}") from error


def _load(data: bytes, resolve: Callable[[str], int]) -> Image:
    sections = _sections(data)
    symbols = next((_symbols(data, sections, s) for s in sections if s.kind == _SYMBOLS), [])
    relocations = [
        (section.info, relocation)
        for section in sections
        if section.kind == _RELOCATIONS and sections[section.info].flags & _ALLOC and _loaded(sections[section.info])
        for relocation in struct.iter_unpack("<QIIq", data[section.offset : section.offset + section.size])
    ]
    outside = sorted({s for _, (_, _, s, _) in relocations if symbols[s].section == _UNDEFINED})

    # three parts, each from a page of its own: code with its jumps, constants, data with the table of addresses
    places: dict[int, int] = {}
    ends = []
    place = 0
    for wanted in (_EXEC, 0, _WRITE):
        for number, section in enumerate(sections):
            if _loaded(section) and section.flags & (_EXEC | _WRITE) == wanted:
                place = _up(place, section.align)
                places[number] = place
                place += section.size
        if wanted == _EXEC:
            stubs = place = _up(place, _STUB)
            place += _STUB * len(outside)
        if wanted == _WRITE:
            used = sorted({s for _, (_, t, s, _) in relocations if t in (_GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX)})
            table = place = _up(place, 8)
            place += 8 * len(used)
        place = _up(place, _PAGE)
        ends.append(place)

    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # Python's default would share variables with forked processes
    memory = mmap.mmap(-1, max(place, _PAGE), flags=private, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for number, start in places.items():
        section = sections[number]
        if section.kind == _PROGRAM_BITS:
            memory[start : start + section.size] = data[section.offset : section.offset + section.size]

    far = {s: resolve(symbols[s].name) for s in outside}
    jump = {s: base + stubs + _STUB * i for i, s in enumerate(outside)}
    slot = {s: base + table + 8 * i for i, s in enumerate(used)}

    def address(number: int) -> int:
        symbol = symbols[number]
        if symbol.section == _UNDEFINED:
            return far[number]
        if symbol.section == _ABSOLUTE:
            return symbol.value
        if symbol.section not in places:
            raise Unsupported(f"{symbol.name!r} lies in section {symbol.section}, which is not loaded")
        return base + places[symbol.section] + symbol.value

    for s, where in jump.items():
        memory[where - base : where - base + 14] = _JUMP + struct.pack("<Q", far[s])
    for s, where in slot.items():
        struct.pack_into("<Q", memory, where - base, address(s))
    for target, (offset, how, s, addend) in relocations:
        where = places[target] + offset
        if how == _64:
            struct.pack_into("<Q", memory, where, (address(s) + addend) % 2**64)
        elif how == _PC64:
            struct.pack_into("<q", memory, where, address(s) + addend - (base + where))
        elif how in (_PC32, _PLT32):
            to = jump[s] if s in jump and (how == _PLT32 or sections[target].flags & _EXEC) else address(s)
            struct.pack_into("<i", memory, where, to + addend - (base + where))
        elif how in (_GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX):
            struct.pack_into("<i", memory, where, slot[s] + addend - (base + where))
        else:
            raise Unsupported(f"relocation {how}")

    _protect(base, ends[0], mmap.PROT_READ | mmap.PROT_EXEC)
    _protect(base + ends[0], ends[1] - ends[0], mmap.PROT_READ)
    defined = {
        symbol.name: address(i)
        for i, symbol in enumerate(symbols)
        if symbol.visible and symbol.name and symbol.section != _UNDEFINED
    }
    return Image(defined, memory)


def _up(number: int, unit: int) -> int:
    return -(-number // max(unit, 1)) * max(unit, 1)


def _loaded(section: _Section) -> bool:
    """Whether a section is needed: its flags say so, and it is not what debuggers and C++ unwinding read."""
    return bool(section.flags & _ALLOC) and section.kind in (_PROGRAM_BITS, _NO_BITS)


def _sections(data: bytes) -> list[_Section]:
    head = struct.unpack_from("<4s5B7xHHIQQQIHHHHHH", data)
    magic, wide, order, kind, machine = head[0], head[1], head[2], head[6], head[7]
    if (magic, wide, order, kind, machine) != (b"\x7fELF", 2, 1, 1, 62):
        raise Unsupported("not an object file of x86-64")
    start, count = head[11], head[17]
    sections = []
    for i in range(count):
        _, kind, flags, _, offset, size, link, info, align, _ = struct.unpack_from("<IIQQQQIIQQ", data, start + 64 * i)
        if kind != _NO_BITS and offset + size > len(data):
            raise Unsupported("the object file is cut short")
        if flags & _TLS:
            raise Unsupported("variables of threads")
        sections.append(_Section(kind, flags, offset, size, link, info, align))
    return sections


def _symbols(data: bytes, sections: list[_Section], table: _Section) -> list[_Symbol]:
    names = sections[table.link]
    symbols = []
    for name, info, other, section, value, _ in struct.iter_unpack(
        "<IBBHQQ", data[table.offset : table.offset + table.size]
    ):
        start = names.offset + name
        text = data[start : data.index(b"\0", start)].decode() if name else ""
        symbols.append(_Symbol(text, section, value, info >> 4 != 0 and other & 3 == 0))
    return symbols


def _protect(address: int, size: int, how: int) -> None:
    if size == 0:
        return
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if mprotect(address, size, how) != 0:
        raise OSError(ctypes.get_errno(), "mprotect of compiled code")
