"""Whether a function whose statements AutoGraph rewrote returns a value in every case, which a graph has to.

A rewritten function keeps in a flag whether it has returned. Where an `if` of the graph may leave that flag false, and
nothing follows that returns in that case, the function would give None in one case and a tensor in another.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from ..graph.ir import Value
from ..graph.trace import Symbolic

FLAG = "do_return"
_may_be_false: WeakSet[Value] = WeakSet()


def noted(flag: Any, cond: Symbolic, sides: tuple) -> None:
    """Takes notice of what an `if` made of the flag, which is `sides` where it held and where it did not."""
    if isinstance(flag, Symbolic) and any(_may_fail(x, cond) for x in sides):
        _may_be_false.add(flag._node_value)


def _may_fail(flag: Any, cond: Symbolic) -> bool:
    if not isinstance(flag, Symbolic):
        return not flag
    node = cond._node_value.node
    implied = node is not None and node.op.name == "logical_not" and node.inputs[0] is flag._node_value
    return flag._node_value in _may_be_false and not implied


def checked(value: Any, flag: Any) -> Any:
    """What a function returns. Raises ValueError where there are cases in which it returns nothing."""
    if value is not None and isinstance(flag, Symbolic) and flag._node_value in _may_be_false:
        raise ValueError(
            "A function that returns a value must return one in all cases: an `if` that depends on a tensor has a "
            "`return` in one branch, and in the other the function ends without. Add a `return` there."
        )
    return value
