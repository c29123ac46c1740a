"""What layers with several kinds of weights share: for each its initializer, regularizer and constraint, by name.

A layer says in `parameters` which weights it has (`("beta", "gamma")`); its constructor's arguments of the names
`beta_initializer`, `beta_regularizer` and `beta_constraint` are kept by `_keep`, used by `_weight` and written by
`_parameters_config`.
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

    def _keep(self, **given: Any) -> None:
        self._kept = tuple(given)
        for name, value in given.items():
            setattr(self, name, _KINDS[name.rpartition("_")[2]].get(value))

    def _weight(self, name: str, shape: tuple, of: str | None = None, **options: Any) -> Variable:
        of = of or name
        return self.add_weight(
            shape, getattr(self, f"{of}_initializer"), regularizer=getattr(self, f"{of}_regularizer", None),
            constraint=getattr(self, f"{of}_constraint", None), name=name, **options,
        )  # fmt: skip

    def get_config(self) -> dict:
        kept = {n: serialize(getattr(self, n), f"keras.{n.rpartition('_')[2]}s") for n in self._kept}
        return {**super().get_config(), **kept}
