"""What layers with several kinds of weights share: for each its initializer, regularizer and constraint, by name.

`_keep` is given what a constructor got for them: `beta_initializer`, `beta_regularizer`, `beta_constraint`. They become
attributes, `_weight("beta", shape)` makes the variable by them, and configurations have them.
"""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers
from ..registry import serialize
from ..variable import Variable
from .layer import Layer

_KINDS: dict[str, Any] = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class Weighted(Layer):
    """A layer whose constructor has an initializer, a regularizer and a constraint for each of its weights."""

    _kept: tuple[str, ...] = ()

    def _keep(self, **given: Any) -> None:
        self._kept = tuple(given)
        for name, value in given.items():
            setattr(self, name, _KINDS[name.rpartition("_")[2]].get(value))

    def _weight(self, name: str, shape: tuple, **options: Any) -> Variable:
        return self.add_weight(
            shape, getattr(self, f"{name}_initializer"), regularizer=getattr(self, f"{name}_regularizer", None),
            constraint=getattr(self, f"{name}_constraint", None), name=name, **options,
        )  # fmt: skip

    def get_config(self) -> dict:
        kept = {n: serialize(getattr(self, n), f"keras.{n.rpartition('_')[2]}s") for n in self._kept}
        return {**super().get_config(), **kept}
