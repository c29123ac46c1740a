"""Which calls of a `tf.function` share a graph: what is looked at of each argument.

Of a tensor, its dtype and shape; of a Python number, string or None, its value; of a structure, its own type and its
parts; of anything else, which object it is, without keeping it alive.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import ref

import numpy as np

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import numpy_dtype
from ..core.shapes import TensorShape
from ..core.tensor import Tensor, ndarray
from ..core.type_spec import TensorSpec
from ..core.variable import Variable
from ..graph.trace import user_place

_VALUES = frozenset([int, float, bool, complex, str, bytes, type(None)])


class Identity:
    """Stands for an object in a key: equal to itself alone, and to nothing once the object is gone."""

    __slots__ = ("_hash", "_get")

    def __init__(self, x: Any) -> None:
        self._hash = id(x)
        try:
            self._get: Callable = ref(x)
        except TypeError:
            self._get = lambda: x

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if type(other) is not Identity or self._hash != other._hash:
            return False
        mine = self._get()
        return mine is not None and mine is other._get()

    def __repr__(self) -> str:
        x = self._get()
        return "<object that is gone>" if x is None else f"<{type(x).__name__} at {self._hash:#x}>"


def key_of(x: Any) -> Any:
    """What of an argument decides which graph a call takes."""
    kind = type(x)
    if kind is Tensor or kind is ndarray:
        value = x if kind is ndarray else x._value
        return value.dtype, value.shape
    if kind in _VALUES:
        return kind, x, str(x) if kind is float else None
    if kind is tuple or kind is list:
        return kind, *[key_of(part) for part in x]
    if isinstance(x, Tensor):
        return x._value.dtype, x._value.shape
    if isinstance(x, TensorSpec):
        return numpy_dtype(x.dtype), x.shape._dims
    if isinstance(x, np.generic):
        return x.dtype, ()
    if isinstance(x, Mapping):
        return kind, *[(name, key_of(x[name])) for name in sorted(x, key=str)]
    if isinstance(x, Variable):
        return Identity(x)
    if nest.is_nested(x):
        return kind, *[key_of(part) for part in nest.flatten(x)]
    if hasattr(kind, "_components"):
        return kind, *[key_of(part) for part in x._components()]
    if isinstance(x, (type, np.dtype)):
        return kind, x
    return Identity(x)


def is_input(leaf: Any) -> bool:
    """Whether a leaf of the arguments is an input of the graph, not part of the signature."""
    return isinstance(leaf, (Tensor, ndarray, np.generic, TensorSpec))


def shown(leaf: Any) -> Any:
    """A leaf that is part of the signature, without keeping objects alive."""
    return leaf if type(leaf) in _VALUES or isinstance(leaf, (Variable, type, np.dtype)) else Identity(leaf)


def spec_of(leaf: Any, name: str | None = None) -> TensorSpec:
    """The spec of an input."""
    if isinstance(leaf, TensorSpec):
        return leaf if leaf.name is not None else TensorSpec(leaf.shape, leaf.dtype, name)
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    return TensorSpec(TensorShape(value.shape), value.dtype, name)


class Parameters:
    """The parameters of a function, and how calls of it are brought into one form."""

    def __init__(self, function: Callable, bound: bool, input_signature: Any = None) -> None:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            star = [
                inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
            ]
            signature = inspect.Signature(star)
        parameters = list(signature.parameters.values())
        if bound and parameters and parameters[0].kind in (0, 1):
            parameters = parameters[1:]
        self.name = getattr(function, "__name__", type(function).__name__)
        self.signature = inspect.Signature(parameters)
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        others = [p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY)]
        # of how many arguments a call without keywords is in the one form already
        self.plain = -1 if others else len(self.names)
        self.star = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.specs = None if input_signature is None else tuple(input_signature)
        if self.specs is not None:
            self._check_specs(function)

    def _check_specs(self, function: Callable) -> None:
        for leaf in nest.flatten(self.specs):
            if not isinstance(leaf, TensorSpec):
                raise TypeError(
                    "input_signature must be a possibly nested sequence of TensorSpec objects, got "
                    f"{self.specs!r} for {getattr(function, '__name__', function)!r}"
                )
        if len(self.specs or ()) > len(self.names) and not self.star:
            raise TypeError(
                f"input_signature has {len(self.specs or ())} specs, but the function takes only these arguments: "
                f"{self.names}"
            )

    def canonical(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments by position, with defaults filled in, and those that can only be named.

        Raises TypeError where they do not fit the function.
        """
        if self.specs is None and not kwargs and len(args) == self.plain:
            return args, kwargs
        try:
            bound = self.signature.bind(*args, **kwargs)
            if self.specs is not None:
                return self._by_specs(bound.args, bound.kwargs)
        except TypeError as error:
            raise TypeError(f"tf.function '{self.name}', called at {user_place()}: {error}") from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def _by_specs(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments as tensors that fit the input signature. Raises TypeError where they do not."""
        specs = self.specs or ()
        if kwargs:
            raise TypeError(f"A function with an input_signature takes no keyword-only arguments: {sorted(kwargs)}")
        if len(args) != len(specs):
            raise TypeError(
                f"The input_signature has {len(specs)} entries, and the function was called with {len(args)} arguments"
            )
        made = []
        for i, (arg, spec) in enumerate(zip(args, specs, strict=True)):
            name = self.names[i] if i < len(self.names) else f"args[{i}]"
            made.append(_fitted(arg, spec, name))
        return tuple(made), {}


def _fitted(x: Any, spec: Any, name: str) -> Any:
    """An argument as a tensor that fits a spec, or a structure of such. Raises TypeError where none does."""
    if isinstance(spec, Mapping):
        if not isinstance(x, Mapping) or x.keys() != spec.keys():
            raise TypeError(f"Argument '{name}' does not fit the input_signature: it must be a dict of {sorted(spec)}")
        return {key: _fitted(x[key], part, f"{name}[{key!r}]") for key, part in spec.items()}
    if isinstance(spec, (list, tuple)):
        if not isinstance(x, (list, tuple)) or len(x) != len(spec):
            raise TypeError(f"Argument '{name}' does not fit the input_signature: it must have {len(spec)} parts")
        parts = [_fitted(part, s, f"{name}[{i}]") for i, (part, s) in enumerate(zip(x, spec, strict=True))]
        return nest.pack_sequence_as(spec, nest.flatten(parts))
    if isinstance(x, TensorSpec):
        tensor: Any = x
    else:
        try:
            tensor = convert_to_tensor(x, None if isinstance(x, (Tensor, Variable)) else spec.dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(f"Argument '{name}' cannot be the {spec!r} of the input_signature: {error}") from None
    if not spec.is_compatible_with(tensor):
        raise TypeError(
            f"Argument '{name}' is incompatible with the input_signature: can not cast {spec_of(tensor)!r} to {spec!r}"
        )
    return tensor


def relaxed(first: Sequence[TensorSpec], second: Sequence[TensorSpec]) -> list[TensorSpec] | None:
    """Specs that hold for the inputs of both, None where there are none: shapes differ in dimensions or in rank."""
    joined = []
    for a, b in zip(first, second, strict=True):
        if a.dtype != b.dtype:
            return None
        shape = a.shape.most_specific_common_supertype([b.shape])
        joined.append(TensorSpec(shape, a.dtype, a.name))
    return joined
