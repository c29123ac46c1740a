"""`tf.name_scope`: prefixes for the names of variables, modules and graph nodes."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_scope: ContextVar[str] = ContextVar("tapeflow_name_scope", default="")


def current_scope() -> str:
    """The prefix in force, ending in a slash, or ''."""
    return _scope.get()


class name_scope:
    """`with tf.name_scope("layer") as scope:` names made inside begin with `layer/`; scopes nest.

    A name that ends in a slash is taken as the whole prefix. Raises ValueError for what is no string.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise ValueError("name for name_scope must be a string.")
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> str:
        if not self._name:
            scope = ""
        elif self._name.endswith("/"):
            scope = self._name
        else:
            scope = f"{_scope.get()}{self._name}/"
        self._token = _scope.set(scope)
        return scope

    def __exit__(self, *exc: Any) -> None:
        _scope.reset(self._token)
