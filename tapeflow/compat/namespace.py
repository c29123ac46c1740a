"""The public names of the package: walking them, and looking one up.

Names are dotted paths below `tf`: `nn.relu`, `keras.layers.Dense`. A namespace is a module of the package; it offers
its `__all__` where it has one, else its names without a leading underscore, less modules from elsewhere.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

PACKAGE = "tapeflow"

# Packages of the implementation: attributes of `tapeflow` once imported, but no part of the `tf` namespace.
INTERNAL = frozenset({"cli", "core", "engines", "graph", "ops"})

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)


def public(module: ModuleType) -> list[str]:
    """The names that `module` offers, sorted."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(set(listed))
    return sorted(name for name in dir(module) if not name.startswith("_"))


def walk(module: ModuleType | None = None) -> Iterator[tuple[str, Any]]:
    """Each public name below `module` (the package without one) with its object, namespaces before their contents.

    A module is entered once, at the shortest path that leads to it, so aliases (`tf.compat.v2`) do not repeat it.
    """
    level = [("", importlib.import_module(PACKAGE) if module is None else module)]
    entered = {level[0][1]}
    while level:
        below = []
        for path, space in level:
            for name in public(space):
                value = getattr(space, name, None)
                dotted = f"{path}.{name}" if path else name
                if not isinstance(value, ModuleType):
                    yield dotted, value
                elif not foreign(space, value) and not (path == "" and name in INTERNAL):
                    yield dotted, value
                    if value not in entered:
                        entered.add(value)
                        below.append((dotted, value))
        level = below


def foreign(space: ModuleType, value: ModuleType) -> bool:
    """Whether a module found in a namespace belongs to another package (NumPy imported for its own use, say)."""
    return value.__name__.partition(".")[0] != space.__name__.partition(".")[0]


def look_up(dotted: str, root: Any = None) -> Any:
    """The object at a dotted path below `tf`; AttributeError where a part is missing."""
    value = importlib.import_module(PACKAGE) if root is None else root
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def lacking(dotted: str, root: Any = None) -> str | None:
    """The shortest part of a dotted path below `tf` that is not there, or None where all of it is.

    Modules and classes are looked into. Whatever else is met ends the search: an instance's attributes and a
    function's results are known only when the program runs.
    """
    value = importlib.import_module(PACKAGE) if root is None else root
    parts = dotted.split(".")
    for count, part in enumerate(parts, 1):
        if not isinstance(value, (ModuleType, type)):
            return None
        try:
            value = getattr(value, part)
        except AttributeError:
            return ".".join(parts[:count])
    return None


def kind(value: Any) -> str:
    """What a public name is: module, class, function, or the class of the value it holds."""
    if isinstance(value, ModuleType):
        return "module"
    if isinstance(value, type):
        return "class"
    return "function" if isinstance(value, FUNCTIONS) or callable(value) else type(value).__name__
