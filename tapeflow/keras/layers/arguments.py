"""Constructors whose many arguments stand in a table: names in order, with their defaults."""

from __future__ import annotations

import inspect
from typing import Any

REQUIRED = inspect.Parameter.empty


def bound(kind: str, table: dict[str, Any], args: tuple, kwargs: dict) -> tuple[dict, dict]:
    """The arguments of a table, given by place or name or by default, and the keywords that it does not have.

    Raises TypeError for too many arguments, for one given twice, and for a missing one.
    """
    given = dict(zip(table, args, strict=False))
    twice = given.keys() & kwargs.keys()
    missing = [n for n, default in table.items() if default is REQUIRED and n not in given and n not in kwargs]
    if len(args) > len(table) or twice or missing:
        what = f"got {sorted(twice)} twice" if twice else f"needs {missing}" if missing else f"was given {args}"
        raise TypeError(f"{kind}({', '.join(table)}) {what}")
    rest = {name: value for name, value in kwargs.items() if name not in table}
    return {name: given.get(name, kwargs.get(name, default)) for name, default in table.items()}, rest


def signature(table: dict[str, Any]) -> inspect.Signature:
    """The signature of a constructor of these arguments and others by name, as `help` shows it."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named = [inspect.Parameter(name, kind, default=default) for name, default in table.items()]
    return inspect.Signature([*named, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])
