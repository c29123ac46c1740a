"""Lists of arrays that go through a graph as one value: what a TensorArray is there, and what loops keep.

Both are immutable in meaning. A `TensorList` shares one dict with the lists written from it: the newest has the dict,
an older one the way back from its successor, so that writing in a loop takes constant time (Baker, Shallow binding
makes functional arrays fast, 1991). One that is asked for after it was written to takes a copy of its own.

Derivatives of lists are lists. An absent element is a zero, and the empty list, `ZERO`, is the zero of them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .dtypes import VARIANT

_ABSENT: Any = object()


class TensorList:
    """`size` places, some of which hold an array."""

    __slots__ = ("size", "_entries", "_next", "_index", "_before")
    shape = ()
    ndim = 0
    dtype = VARIANT

    def __init__(self, size: int = 0, entries: dict[int, Any] | None = None) -> None:
        self.size = size
        self._entries: dict[int, Any] | None = {} if entries is None else entries
        self._next: TensorList | None = None
        self._index = 0
        self._before: Any = None

    @property
    def entries(self) -> dict[int, Any]:
        """The arrays by their place. Not to be changed."""
        return self._entries if self._entries is not None else self._recovered()

    def _recovered(self) -> dict[int, Any]:
        """The entries of a list that was written to, of those of the newest and the way back from there."""
        way: list[TensorList] = []
        node: Any = self
        while node._entries is None:
            way.append(node)
            node = node._next
        found = dict(node._entries)
        for older in reversed(way):
            if older._before is _ABSENT:
                found.pop(older._index, None)
            else:
                found[older._index] = older._before
        self._entries, self._next, self._before = found, None, None
        return found

    def with_entry(self, index: int, value: Any = _ABSENT) -> TensorList:
        """The list with another array in one place, or none."""
        entries = self.entries
        if not entries:  # nothing to share; and ZERO must not come to know what is made of it
            return TensorList(max(self.size, index + 1), {} if value is _ABSENT else {index: value})
        made = TensorList(max(self.size, index + 1), entries)
        self._entries, self._next, self._index = None, made, index
        if value is _ABSENT:
            self._before = entries.pop(index, _ABSENT)
        else:
            self._before = entries.get(index, _ABSENT)
            entries[index] = value
        return made

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, TensorList):
            return NotImplemented
        few, many = (self, other) if len(self.entries) <= len(other.entries) else (other, self)
        for index, value in list(few.entries.items()):
            known = many.entries.get(index)
            # the order in which eager gradients add up: what was there, then what comes
            many = many.with_entry(index, value if known is None else known + value)
        return many

    @property
    def nbytes(self) -> int:
        """The bytes of the arrays."""
        return sum(value.nbytes for value in self.entries.values())

    def __repr__(self) -> str:
        return f"<list of {self.size} tensors>"


class Kept:
    """A stack of tuples of arrays: what each iteration of a loop leaves for the way back. At the bottom is ZERO."""

    __slots__ = ("below", "items")
    shape = ()
    ndim = 0
    dtype = VARIANT

    def __init__(self, below: Any, items: tuple) -> None:
        self.below = below
        self.items = items

    def __iter__(self) -> Iterator[tuple]:
        node: Any = self
        while type(node) is Kept:
            yield node.items
            node = node.below

    def __add__(self, other: Any) -> Any:
        if type(other) is not Kept:
            return self if other is ZERO else NotImplemented
        made: Any = ZERO
        for items in reversed([tuple(map(_sum, a, b)) for a, b in zip(self, other)]):  # noqa: B905 - equal lengths
            made = Kept(made, items)
        return made

    def __radd__(self, other: Any) -> Any:
        return self if other is ZERO else NotImplemented

    @property
    def nbytes(self) -> int:
        """The bytes of the arrays, each counted once."""
        seen: dict[int, int] = {}
        for items in self:
            seen.update({id(x): x.nbytes for x in items if x is not None})
        return sum(seen.values())

    def __repr__(self) -> str:
        return f"<{sum(1 for _ in self)} kept tuples of tensors>"


def _sum(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


ZERO = TensorList()
