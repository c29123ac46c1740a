"""`tf.nest`: structures of lists, tuples, namedtuples, mappings and classes with fields, and what is done with them.

Anything that is none of these is a leaf: None, strings, arrays, tensors, sets. Mappings are walked in the order of
their sorted keys and rebuilt in their own. How a structure is walked and rebuilt depends only on its type, is found out
once for each type, and is then one look in a dictionary: `flatten` and `map_structure` run in every training step.

A composite tensor (`tf.IndexedSlices`, `tf.RaggedTensor`) is a leaf, unless `expand_composites=True`. Its class says
that it is one by having two methods: `_components()` gives its parts, tensors or composites themselves, and
`_with_components(parts)` gives one like it made of other parts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MappingView, Sequence
from typing import Any, NamedTuple


def flatten(structure: Any, expand_composites: bool = False) -> list:
    """The leaves of a structure, in order; `[structure]` where it is a leaf itself.

    Raises TypeError for a mapping whose keys have no order.
    """
    leaves: list = []
    _extend(leaves, structure, _EXPANDED if expand_composites else _NODES)
    return leaves


def map_structure(func: Callable, *structure: Any, check_types: bool = True, expand_composites: bool = False) -> Any:
    """A structure like the first given, with `func(x, y, ...)` of corresponding leaves as leaves.

    Raises ValueError or TypeError where the structures differ, as `assert_same_structure` does.
    """
    if not callable(func):
        raise TypeError(f"map_structure needs a function to apply, not {func!r} of type {type(func).__name__}.")
    if not structure:
        raise ValueError("map_structure needs at least one structure.")
    nodes = _EXPANDED if expand_composites else _NODES
    first = structure[0]
    if len(structure) == 1:
        return _mapped(func, first, nodes)
    for other in structure[1:]:
        assert_same_structure(first, other, check_types, expand_composites)
    columns = [flatten(each, expand_composites) for each in structure]
    return _packed(first, map(func, *columns), nodes)


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """A structure like the one given, with the items of `flat_sequence` as leaves: what `flatten` took apart.

    Raises TypeError where `flat_sequence` is no sequence, ValueError where it has not one item for each leaf.
    """
    if isinstance(flat_sequence, Mapping) or not is_nested(flat_sequence):
        raise TypeError(
            f"pack_sequence_as needs a flat sequence (a list, a tuple), not {flat_sequence!r} "
            f"of type {type(flat_sequence).__name__}."
        )
    items = list(flat_sequence)
    leaves = len(flatten(structure, expand_composites))
    if leaves != len(items):
        raise ValueError(
            f"pack_sequence_as needs one item for each leaf: the structure has {leaves}, the sequence {len(items)}.\n"
            f"Structure: {structure!r}\nFlat sequence: {flat_sequence!r}"
        )
    return _packed(structure, iter(items), _EXPANDED if expand_composites else _NODES)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raises where two structures nest differently; leaves are not compared.

    With `check_types`, also where containers differ in type. Lists of any class are one type, so are mappings with
    equal keys, and so are namedtuples of equal name and fields.

    Raises:
        ValueError: a leaf stands against a container, or containers differ in length or in keys.
        TypeError: containers differ in type.
    """
    nodes = _EXPANDED if expand_composites else _NODES
    difference = _difference(nest1, nest2, check_types, nodes)
    if difference is not None:
        kind, path, words = difference
        where = f"at {path}, " if path else ""
        raise kind(
            f"The two structures do not nest alike: {where}the first {words[0]}, the second {words[1]}.\n"
            f"First structure: {_outline(nest1, nodes)}\nSecond structure: {_outline(nest2, nodes)}"
        )


def is_nested(seq: Any) -> bool:
    """Whether this is a container that the functions of `tf.nest` go into (even when empty), not a leaf."""
    return _NODES[type(seq)] is not None


class _Node(NamedTuple):
    """How structures of one type are walked and made."""

    children: Callable[[Any], Iterable]
    rebuild: Callable[[Any, list], Any]  # (a structure like it, new children)


def _extend(leaves: list, structure: Any, nodes: _NodeTable) -> None:
    node = nodes[type(structure)]
    if node is None:
        leaves.append(structure)
        return
    for child in node.children(structure):
        if nodes[type(child)] is None:
            leaves.append(child)
        else:
            _extend(leaves, child, nodes)


def _mapped(func: Callable, structure: Any, nodes: _NodeTable) -> Any:
    node = nodes[type(structure)]
    if node is None:
        return func(structure)
    return node.rebuild(
        structure,
        [
            func(child) if nodes[type(child)] is None else _mapped(func, child, nodes)
            for child in node.children(structure)
        ],
    )


def _packed(structure: Any, leaves: Any, nodes: _NodeTable) -> Any:
    node = nodes[type(structure)]
    if node is None:
        return next(leaves)
    return node.rebuild(structure, [_packed(child, leaves, nodes) for child in node.children(structure)])


def _sorted_keys(mapping: Mapping) -> list:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(
            f"A mapping inside a structure must have keys that can be sorted, not {list(mapping)!r}."
        ) from None


def _mapping_children(mapping: Mapping) -> list:
    return [mapping[key] for key in _sorted_keys(mapping)]


def _rebuild_dict(like: dict, children: list) -> dict:
    values = dict(zip(_sorted_keys(like), children, strict=True))
    return {key: values[key] for key in like}


def _rebuild_mapping(like: Any, children: list) -> Any:
    if not hasattr(like, "__setitem__"):
        return type(like)(_rebuild_dict(like, children))
    # a copy keeps what the class adds, such as a defaultdict's factory
    out = copy.copy(like)
    for key, child in zip(_sorted_keys(like), children, strict=True):
        out[key] = child
    return out


def _attrs_children(instance: Any) -> list:
    return [getattr(instance, field.name) for field in type(instance).__attrs_attrs__]


def _rebuild_attrs(like: Any, children: list) -> Any:
    out = copy.copy(like)
    for field, child in zip(type(like).__attrs_attrs__, children, strict=True):
        object.__setattr__(out, field.name, child)  # the class may be frozen
    return out


def _children_as_they_are(structure: Iterable) -> Iterable:
    return structure


_MAPPING = _Node(_mapping_children, _rebuild_mapping)
_ATTRS = _Node(_attrs_children, _rebuild_attrs)
_FLATTENABLE = _Node(
    lambda instance: instance.__tf_flatten__()[1],
    lambda like, children: type(like).__tf_unflatten__(like.__tf_flatten__()[0], tuple(children)),
)
_COMPOSITE = _Node(
    lambda composite: composite._components(),
    lambda like, children: like._with_components(children),
)
_NAMEDTUPLE = _Node(_children_as_they_are, lambda like, children: type(like)(*children))
_SEQUENCE = _Node(_children_as_they_are, lambda like, children: type(like)(children))
_VIEW = _Node(_children_as_they_are, lambda like, children: children)


def _node_of(cls: type, expand_composites: bool) -> _Node | None:
    """How structures of this type are walked; None for the type of a leaf."""
    if hasattr(cls, "_with_components"):
        return _COMPOSITE if expand_composites else None
    if hasattr(cls, "__tf_flatten__") and hasattr(cls, "__tf_unflatten__"):
        return _FLATTENABLE
    if hasattr(cls, "__attrs_attrs__"):
        return _ATTRS
    if issubclass(cls, Mapping):
        return _MAPPING
    if issubclass(cls, (MappingView, range)):
        return _VIEW
    if issubclass(cls, (str, bytes)) or not issubclass(cls, Sequence):
        return None
    return _NAMEDTUPLE if _is_namedtuple(cls) else _SEQUENCE


def _is_namedtuple(cls: type) -> bool:
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


class _NodeTable(dict[type, _Node | None]):
    """`table[type(x)]`, filled as types are met."""

    def __init__(self, expand_composites: bool) -> None:
        super().__init__()
        self.expand_composites = expand_composites
        self[list] = _Node(_children_as_they_are, lambda like, children: children)
        self[tuple] = _Node(_children_as_they_are, lambda like, children: tuple(children))
        self[dict] = _Node(_mapping_children, _rebuild_dict)

    def __missing__(self, cls: type) -> _Node | None:
        node = self[cls] = _node_of(cls, self.expand_composites)
        return node


_NODES = _NodeTable(expand_composites=False)
_EXPANDED = _NodeTable(expand_composites=True)


def _difference(
    first: Any, second: Any, check_types: bool, nodes: _NodeTable
) -> tuple[type[Exception], str, tuple[str, str]] | None:
    """The first difference, if any: the error it is, where it is (as in `[0]['a']`), what stands there."""
    node1, node2 = nodes[type(first)], nodes[type(second)]
    if node1 is None or node2 is None:
        return None if node1 is node2 else (ValueError, "", _in_words(first, second, nodes))
    if node1 is _COMPOSITE or node2 is _COMPOSITE:
        check_types = True  # a composite's parts mean nothing to another class
    if check_types:
        if not _same_container(type(first), type(second)):
            return TypeError, "", _in_words(first, second, nodes)
        if isinstance(first, Mapping) and (keys1 := _sorted_keys(first)) != (keys2 := _sorted_keys(second)):
            return ValueError, "", (f"has the keys {keys1}", f"has {keys2}")
    children1, children2 = list(node1.children(first)), list(node2.children(second))
    if len(children1) != len(children2):
        return ValueError, "", _in_words(first, second, nodes)
    for position, (child1, child2) in enumerate(zip(children1, children2, strict=True)):
        if nodes[type(child1)] is nodes[type(child2)] is None:
            continue
        found = _difference(child1, child2, check_types, nodes)
        if found is not None:
            kind, path, words = found
            return kind, _step(first, position) + path, words
    return None


def _same_container(cls1: type, cls2: type) -> bool:
    if cls1 is cls2:
        return True
    if _is_namedtuple(cls1) and _is_namedtuple(cls2):
        return cls1.__name__ == cls2.__name__ and cls1._fields == cls2._fields  # type: ignore[attr-defined]
    return any(issubclass(cls1, base) and issubclass(cls2, base) for base in (list, Mapping))


def _in_words(first: Any, second: Any, nodes: _NodeTable) -> tuple[str, str]:
    """Either structure as in `is a list of 2 elements`."""
    words = []
    for structure in (first, second):
        node = nodes[type(structure)]
        name = type(structure).__name__
        if node is None:
            words.append(f"is a leaf of type {name}")
        else:
            count = len(list(node.children(structure)))
            words.append(f"is a {name} of {count} {'element' if count == 1 else 'elements'}")
    return words[0], words[1]


def _step(structure: Any, position: int) -> str:
    """How the child at a position is reached from its parent, for messages."""
    if isinstance(structure, Mapping):
        return f"[{_sorted_keys(structure)[position]!r}]"
    return f".{structure._fields[position]}" if _is_namedtuple(type(structure)) else f"[{position}]"


def _outline(structure: Any, nodes: _NodeTable) -> str:
    """The structure with a dot for every leaf, such as `{'a': [., .]}`."""
    node = nodes[type(structure)]
    if node is None:
        return "."
    inner = [_outline(child, nodes) for child in node.children(structure)]
    if isinstance(structure, Mapping):
        pairs = zip(_sorted_keys(structure), inner, strict=True)
        return "{" + ", ".join(f"{key!r}: {child}" for key, child in pairs) + "}"
    if isinstance(structure, list):
        return f"[{', '.join(inner)}]"
    if type(structure) is tuple:
        return f"({inner[0]},)" if len(inner) == 1 else f"({', '.join(inner)})"
    if _is_namedtuple(type(structure)):
        inner = [f"{name}={child}" for name, child in zip(structure._fields, inner, strict=True)]
    return f"{type(structure).__name__}({', '.join(inner)})"
