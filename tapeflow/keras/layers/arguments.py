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


def explain(kind: type, table: dict[str, Any]) -> None:
    """Gives the constructor of a class the signature of a table, as `help` shows it.

    It belongs to the constructor and not to the class, whose objects would have it too.
    """
    by_place, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_KEYWORD
    named = [inspect.Parameter(name, by_place, default=default) for name, default in table.items()]
    inherited = kind.__init__  # type: ignore[misc]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        inherited(self, *args, **kwargs)

    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", by_place), *named, inspect.Parameter("kwargs", by_name)]
    )
    kind.__init__ = __init__  # type: ignore[misc]
