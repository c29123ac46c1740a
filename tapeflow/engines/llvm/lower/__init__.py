"""How ops become cells, one rule for each: see `rules`. Importing this declares all of them."""

from . import (
    control,
    convolutions,
    einsum,
    elementwise,
    late,
    losses,
    positions,
    products,
    random,
    recurrent,
    reductions,
    shapes,
    updates,
    walks,
)
from .rules import RULES, lowered, rule

__all__ = [
    "RULES",
    "control",
    "convolutions",
    "einsum",
    "elementwise",
    "late",
    "losses",
    "lowered",
    "positions",
    "products",
    "random",
    "recurrent",
    "reductions",
    "rule",
    "shapes",
    "updates",
    "walks",
]
