"""How layers know what they own: whatever is assigned to them, in lists and dictionaries too, and when that changes.

Lists of variables are asked for in every training step, so their owners keep them until `structure.version` moves on.
Everything that can change them moves it: assigning layers and variables, building, `trainable`, changing tracked lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..core.variable import Variable


class _Structure:
    """Counts the changes in who owns what."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0


structure = _Structure()


class Owner:
    """What can own variables and other owners: layers, models, metrics, seed generators."""


def _telling(method: Callable) -> Callable:
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        structure.version += 1
        return method(self, *args, **kwargs)

    change.__name__ = method.__name__
    change.__doc__ = method.__doc__
    return change


class TrackedList(list):
    """A list whose changes are noticed by the layer that holds it."""


class TrackedDict(dict):
    """A dictionary whose changes are noticed by the layer that holds it."""


for _kind, _methods in (
    (TrackedList, "append extend insert pop remove clear reverse sort __setitem__ __delitem__ __iadd__ __imul__"),
    (TrackedDict, "pop popitem clear update setdefault __setitem__ __delitem__ __ior__"),
):
    for _name in _methods.split():
        setattr(_kind, _name, _telling(getattr(_kind, _name)))


def tracked(value: Any) -> Any:
    """The value to keep in place of one that is assigned: plain lists and dictionaries as tracked ones."""
    kind = type(value)
    if kind is list:
        return TrackedList([tracked(v) for v in value])
    if kind is dict:
        return TrackedDict({k: tracked(v) for k, v in value.items()})
    if kind is tuple:
        return tuple([tracked(v) for v in value])
    return value


def owned(value: Any) -> Iterator[Any]:
    """The variables and owners inside a value: itself, or what is in it where it is a list, tuple or dictionary."""
    if isinstance(value, (Variable, Owner)):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from owned(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from owned(part)
