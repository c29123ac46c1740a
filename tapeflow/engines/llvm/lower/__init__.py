"""How ops become cells, one rule for each: see `rules`. Importing this declares all of them."""

from . import control, convolutions, elementwise, losses, products, recurrent, reductions, shapes, updates
from .rules import RULES, lowered, rule

__all__ = [
    "RULES",
    "control",
    "convolutions",
    "elementwise",
    "losses",
    "lowered",
    "products",
    "recurrent",
    "reductions",
    "rule",
    "shapes",
    "updates",
]
