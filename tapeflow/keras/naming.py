"""Names of what the user did not name: `dense`, `dense_1`, and paths such as `sequential/dense/kernel`."""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import contextmanager
from typing import Any

_used: Counter[str] = Counter()
_WORD_BEGINS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.names: list[str] = []


_scopes = _Scopes()


def snake_case(name: str) -> str:
    """`MaxPooling2D` as `max_pooling2d`."""
    return _WORD_BEGINS.sub("_", re.sub(r"\W+", "", name)).lower()


def unique_name(class_name: str) -> str:
    """The class name in snake case; from the second time on with a number behind it."""
    name = snake_case(class_name)
    count = _used[name]
    _used[name] += 1
    return f"{name}_{count}" if count else name


def forget_names() -> None:
    """Numbering begins anew."""
    _used.clear()


@contextmanager
def scope(name: str) -> Any:
    """Paths of variables made inside begin with `name/`, behind what the scopes around it say."""
    _scopes.names.append(name)
    try:
        yield
    finally:
        _scopes.names.pop()


def path_of(name: str) -> str:
    """The path of a variable of this name, made here."""
    return "/".join((*_scopes.names, name))
