"""Objects by name: `"relu"`, `"adam"`, configurations in dictionaries, and the user's own classes among them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_custom: dict[str, Any] = {}
_names: dict[Any, str] = {}


def get_custom_objects() -> dict[str, Any]:
    """The user's own classes and functions by name; may be changed."""
    return _custom


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Inside, the names of `custom_objects` are known wherever a class or function is asked for by name."""
    before = _custom.copy()
    _custom.update(custom_objects)
    try:
        yield
    finally:
        _custom.clear()
        _custom.update(before)


CustomObjectScope = custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """A decorator: the class or function is known as `package>name` in configurations.

    Raises ValueError for a class without `get_config`.
    """

    def register(thing: Any) -> Any:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        full = f"{package}>{name or thing.__name__}"
        _custom[full] = thing
        _names[thing] = full
        return thing

    return register


def get_registered_name(thing: Any) -> str:
    """The name under which a class or function is registered, else its own."""
    return _names.get(thing, thing.__name__)


def get_registered_object(name: str, custom_objects: dict | None = None, module_objects: dict | None = None) -> Any:
    """What is registered under a name, or None."""
    for table in (_custom, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


def resolve(identifier: Any, known: dict[str, Any], kind: str, base: type | None = None) -> Any:
    """The object that an argument of a layer or a model stands for.

    Arguments:
        identifier: a name, a configuration (`{"class_name": ..., "config": ...}`), a class, an instance, a function.
        known: classes and functions by name.
        kind: what is asked for, in words, for errors.
        base: the class whose subclasses are instantiated when they are found; None leaves classes as they are.

    Raises ValueError for what names nothing.
    """
    config: dict = {}
    found = identifier
    if isinstance(identifier, dict) and "class_name" in identifier:
        name = identifier.get("registered_name") or identifier["class_name"]
        config = identifier.get("config", {})
        found = get_registered_object(name, None, known) or get_registered_object(identifier["class_name"], None, known)
        if isinstance(config, str):  # a function: {"class_name": "function", "config": its name}
            found, config = get_registered_object(config, None, known), {}
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, None, known)
    if inspect.isclass(found) and (base is None or issubclass(found, base)):
        return found.from_config(config) if config and hasattr(found, "from_config") else found()
    if found is None or not callable(found) and not (base is not None and isinstance(found, base)):
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}")
    return found


def serialize(thing: Any, module: str) -> Any:
    """The configuration of an object, for `resolve`; the name of a function; None for None."""
    if thing is None or isinstance(thing, (str, dict)):
        return thing
    if not hasattr(thing, "get_config"):
        return get_registered_name(thing)
    kind = type(thing)
    registered = _names.get(kind)
    return {
        "module": module if registered is None else None,
        "class_name": kind.__name__,
        "config": thing.get_config(),
        "registered_name": registered,
    }
