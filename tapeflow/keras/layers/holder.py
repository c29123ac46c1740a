"""What layers and models own: variables, other layers, and the lists of them that programs ask for in every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...core.variable import Variable as CoreVariable
from ..random import SeedGenerator
from ..tracking import Owner, owned, structure, tracked

_HOLDS = (CoreVariable, Owner, list, tuple, dict)


class Untracked(list):
    """A list of which nothing belongs to the layer that holds it."""


class Holder(Owner):
    """Notices what is assigned to its attributes; knows its variables and the holders inside."""

    name: str
    built: bool
    _trainable = True

    def __init__(self) -> None:
        hidden = self.__dict__
        hidden["_cached"] = {}
        hidden["_trainable_weights"] = Untracked()
        hidden["_non_trainable_weights"] = Untracked()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, _HOLDS) or isinstance(self.__dict__.get(name), _HOLDS):
            if "_cached" not in self.__dict__:
                raise RuntimeError(
                    f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement "
                    "in the `__init__()` method. Go add it!"
                )
            value = tracked(value)
            if isinstance(value, CoreVariable):
                self._take(value)
            structure.version += 1
        super().__setattr__(name, value)

    def _take(self, variable: CoreVariable) -> None:
        """Makes a variable the layer's own."""
        own = (*self._trainable_weights, *self._non_trainable_weights)
        if not any(variable is v for v in own):
            (self._trainable_weights if variable.trainable else self._non_trainable_weights).append(variable)
            structure.version += 1

    def __delattr__(self, name: str) -> None:
        value = getattr(self, name, None)
        if isinstance(value, CoreVariable):
            for own in (self._trainable_weights, self._non_trainable_weights):
                own[:] = [v for v in own if v is not value]
        structure.version += 1
        super().__delattr__(name)

    def _members(self) -> Iterator[Any]:
        """The layers, seed generators and variables in its attributes, in the order of these."""
        for name, value in self.__dict__.items():
            if name != "_cached" and type(value) is not Untracked:
                yield from owned(value)

    def _sublayers(self) -> list[Holder]:
        """The layers that belong to it directly, each once."""
        return self._once("layers", lambda: unique(m for m in self._members() if isinstance(m, Holder)))

    def _flatten_layers(self, recursive: bool = True, include_self: bool = True) -> list[Holder]:
        found = [self] if include_self else []
        for layer in self._sublayers():
            found.extend(layer._flatten_layers(include_self=True) if recursive else [layer])
        return found

    def _own_weights(self) -> list[CoreVariable]:
        loose = [m for m in self._members() if isinstance(m, CoreVariable)]
        own = [*self._trainable_weights, *[v for v in loose if v.trainable], *self._non_trainable_weights]
        return unique([*own, *[v for v in loose if not v.trainable]])

    def _once(self, what: str, collect: Callable[[], list]) -> list:
        """A list that is collected anew when the structure of any layer has changed since, and copied otherwise."""
        kept = self._cached.get(what)
        if kept is None or kept[0] != structure.version:
            collected = collect()
            kept = self._cached[what] = (structure.version, collected)
        return kept[1].copy()

    @property
    def variables(self) -> list[CoreVariable]:
        """Its variables and those of the layers inside, states of random generators among them."""

        def collect() -> list:
            seeds = [m.state for m in self._members() if isinstance(m, SeedGenerator)]
            inside = [v for layer in self._sublayers() for v in layer.variables]
            return unique([*self._own_weights(), *seeds, *inside])

        return self._once("variables", collect)

    @property
    def weights(self) -> list[CoreVariable]:
        """Its variables and those of the layers inside, without the states of random generators."""

        def collect() -> list:
            return unique([*self._own_weights(), *[v for layer in self._sublayers() for v in layer.weights]])

        return self._once("weights", collect)

    @property
    def trainable_variables(self) -> list[CoreVariable]:
        """Those of `variables` that are trained."""
        return self._once(
            "trainable_variables", lambda: [v for v in self.variables if v.trainable] if self.trainable else []
        )

    @property
    def non_trainable_variables(self) -> list[CoreVariable]:
        """Those of `variables` that are not trained."""
        return [v for v in self.variables if not (self.trainable and v.trainable)]

    @property
    def trainable_weights(self) -> list[CoreVariable]:
        """Those of `weights` that are trained."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[CoreVariable]:
        """Those of `weights` that are not trained."""
        return [v for v in self.weights if not (self.trainable and v.trainable)]

    @property
    def trainable(self) -> bool:
        """Whether its variables are trained; setting it sets it for the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for v in self._trainable_weights:
            v._trainable = bool(value)
        for layer in self._sublayers():
            layer.trainable = value
        structure.version += 1

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as arrays."""
        return [np.asarray(v.numpy()) for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `weights`. Raises ValueError for another number of them, or other shapes."""
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(own)} weights."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.name} weight shape {tuple(variable.shape)} is not compatible with provided weight "
                    f"shape {tuple(np.shape(value))}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of numbers in its variables. Raises ValueError where it is not built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                "manually via: `layer.build(input_shape)`."
            )
        return sum(v.shape.num_elements() for v in self.weights)


def unique(things: Any) -> list:
    """The things, each once, in order."""
    seen: dict[int, Any] = {}
    for thing in things:
        seen.setdefault(id(thing), thing)
    return list(seen.values())
