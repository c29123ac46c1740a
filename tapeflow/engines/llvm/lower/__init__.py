"""How ops become cells, one rule for each: see `rules`. Importing this declares all of them."""

<<<<<<< HEAD
from . import (
    control,
    convolutions,
    einsum,
    elementwise,
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
=======
from . import control, convolutions, elementwise, losses, products, recurrent, reductions, shapes, updates
>>>>>>> w-lower
from .rules import RULES, lowered, rule

__all__ = [
    "RULES",
    "control",
    "convolutions",
    "einsum",
    "elementwise",
    "losses",
    "lowered",
    "positions",
    "products",
<<<<<<< HEAD
    "random",
=======
>>>>>>> w-lower
    "recurrent",
    "reductions",
    "rule",
    "shapes",
    "updates",
    "walks",
]
