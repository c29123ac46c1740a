"""`tf.Module`: an object with a name whose variables and submodules are found by looking at its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .names import name_scope
from .nest import _EXPANDED, _NODES
from .variable import Variable

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# before a capital that ends a word in small letters or digits, and before one that begins a word of small letters
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])")


class Module:
    """Groups variables, other modules and the functions over them.

    Arguments:
        name: a Python identifier; by default the class's name in snake case.

    Raises ValueError for a name that is no identifier, TypeError for one that is no string.
    """

    # attributes that are not looked into
    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = frozenset()

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _WORD.sub("_", type(self).__name__).lower()
        elif not isinstance(name, str):
            raise TypeError(f"The name of a module must be a string. Received: {name!r}")
        elif not _IDENTIFIER.fullmatch(name):
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers "
                "(e.g. a valid class name)."
            )
        self._name = name
        with name_scope(name) as scope:
            self._name_scope = scope

    @property
    def name(self) -> str:
        """The name as it was given, or made of the class's."""
        return self._given("_name")

    @property
    def name_scope(self) -> name_scope:
        """The scope of names made inside the module: `with self.name_scope:`."""
        return name_scope(self._given("_name_scope"))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of this module and its submodules, each once.

        Those of a module's own attributes, in the order of the attributes' names, come before those of its submodules.
        """
        return tuple(self._flatten(predicate=_is_variable, expand_composites=True))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that are trainable, in the order of `variables`."""
        return tuple(self._flatten(predicate=_is_trainable, expand_composites=True))

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that are not trainable, in the order of `variables`."""
        return tuple(self._flatten(predicate=_is_not_trainable, expand_composites=True))

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules that are attributes of this one, or of one of those, each once; not the module itself."""
        return tuple(self._flatten(predicate=_is_module))

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """Decorates a method to run in its module's name scope: `@tf.Module.with_name_scope`."""

        @functools.wraps(method)
        def in_scope(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return in_scope

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Callable[[str], Any] | None = None,
        with_path: bool = False,
        expand_composites: bool = False,
    ) -> Iterator:
        """The leaves of the attributes' structures that satisfy a predicate, and those of submodules'.

        Arguments:
            recursive: whether to look into submodules.
            predicate: what is to be given; everything without one.
            attribute_traversal_key: the key by which attributes' names are sorted, as for `sorted`.
            with_path: whether to give pairs of a path (attribute names, keys, positions) and a leaf. A leaf is then
                given under every path to the module it is in, otherwise once.
            expand_composites: whether to look into composite tensors.

        Raises ValueError for an attribute whose structure cannot be walked.
        """
        walk = _Walk(
            recursive, predicate, attribute_traversal_key, with_path, _EXPANDED if expand_composites else _NODES
        )
        if not with_path:
            walk.met[id(self)] = self
        return walk.leaves(self, ())

    def _given(self, attribute: str) -> Any:
        try:
            return self.__dict__[attribute]
        except KeyError:
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{attribute}': "
                "its __init__ must call super().__init__() first."
            ) from None


class _Walk:
    """One walk over a module's attributes: what is asked for, and what was met."""

    def __init__(self, recursive: bool, predicate: Callable | None, key: Callable | None, with_path: bool, nodes: Any):
        self.recursive = recursive
        self.predicate = predicate
        self.key = key
        self.with_path = with_path
        self.nodes = nodes
        # by id: leaves given or refused, or with paths the modules entered (held, lest another object get their id)
        self.met: dict[int, Any] = {}

    def leaves(self, module: Module, path: tuple) -> Iterator:
        below = []
        attributes = vars(module)
        for name in sorted(attributes, key=self.key):
            if name in module._TF_MODULE_IGNORED_PROPERTIES:
                continue
            try:
                found = list(self.parts(attributes[name], (*path, name)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"Error processing property {name!r} of {attributes[name]!r}: {error}") from error
            for leaf_path, leaf in found:
                if not self.with_path:
                    if id(leaf) in self.met:
                        continue
                    self.met[id(leaf)] = leaf
                if self.predicate is None or self.predicate(leaf):
                    yield (leaf_path, leaf) if self.with_path else leaf
                if self.recursive and isinstance(leaf, Module) and not (self.with_path and id(leaf) in self.met):
                    below.append((leaf_path, leaf))
        for leaf_path, leaf in below:
            self.met[id(leaf)] = leaf
            yield from self.leaves(leaf, leaf_path)

    def parts(self, structure: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
        """(path, leaf) of everything in a structure of lists, tuples, mappings and the like."""
        node = self.nodes[type(structure)]
        if node is None:
            yield path, structure
            return
        children = list(node.children(structure))
        steps: Any = range(len(children))
        if isinstance(structure, Mapping):
            steps = sorted(structure)
        elif hasattr(structure, "_fields"):
            steps = structure._fields
        for step, child in zip(steps, children):
            yield from self.parts(child, (*path, step))


def _is_variable(x: Any) -> bool:
    return isinstance(x, Variable)


def _is_trainable(x: Any) -> bool:
    return isinstance(x, Variable) and x.trainable


def _is_not_trainable(x: Any) -> bool:
    return isinstance(x, Variable) and not x.trainable


def _is_module(x: Any) -> bool:
    return isinstance(x, Module)
