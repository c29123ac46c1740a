"""Reading and writing variables, and the updates of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..pieces import Unsupported
from ..program import Cell, Program
from ..vector_math import quick_quotient, quick_root
from .elementwise import CODES
from .rules import rule


@rule("read_variable")
def _read(program: Program, node: Any, inputs: Sequence[Cell]) -> Cell:
    return program.read(node.attributes[0])


@rule("assign", "assign_add", "assign_sub")
def _assign(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (x,), (variable,) = inputs, node.attributes
    old = program.read(variable)
    if x.shape != old.shape or x.kind is not old.kind:
        raise Unsupported("an assignment of another shape or kind")
    how = node.op.name
    program.assign(variable, x if how == "assign" else program.binary(how.removeprefix("assign_"), old, x))
    return []


# -- optimizers: the rules are written for NumPy's functions, and so for whatever stands in for arrays there ----------


class _Array:
    """An array in an optimizer's rule: NumPy's functions of it become cells, and `out` makes it another one."""

    __array_priority__ = 1000

    def __init__(self, program: Program, cell: Cell | None) -> None:
        self.program = program
        self.cell = cell

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> _Array:
        if method != "__call__" or options:
            raise Unsupported(f"np.{ufunc.__name__}.{method} in an optimizer's rule")
        found = _QUICK.get(ufunc.__name__) or CODES.get(_UFUNCS.get(ufunc.__name__, ufunc.__name__))
        if found is None:
            raise Unsupported(f"np.{ufunc.__name__} in an optimizer's rule")
        code, weight = found
        cells = [x.cell if isinstance(x, _Array) else None for x in inputs]
        kind = next(c for c in cells if c is not None).kind
        given = [
            self.program.number(x, kind) if c is None else c for x, c in zip(inputs, cells, strict=True)
        ]  # fmt: skip
        made = self.program.cast(self.program.map(code, *map(self.program.wide, given), weight=weight), kind)
        result = out[0] if out is not None else _Array(self.program, None)
        result.cell = made
        return result

    def __bool__(self, *_: Any) -> bool:
        raise Unsupported("an optimizer's rule that depends on its numbers")


for _name, _ufunc in (
    ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.true_divide), ("pow", np.power),
):  # fmt: skip
    setattr(_Array, f"__{_name}__", lambda self, other, f=_ufunc: f(self, other))
    setattr(_Array, f"__r{_name}__", lambda self, other, f=_ufunc: f(other, self))
for _name in ("lt", "le", "gt", "ge"):
    setattr(_Array, f"__{_name}__", _Array.__bool__)
_Array.__neg__ = lambda self: np.negative(self)  # type: ignore[attr-defined]

# NumPy's names of functions that ops have other names for
_UFUNCS = {"absolute": "abs", "power": "pow"}
# what a unit in the last place more or less of a step is good enough for
_QUICK: dict[str, tuple[Callable, int]] = {
    "divide": (quick_quotient, 4),
    "true_divide": (quick_quotient, 4),
    "sqrt": (quick_root, 4),
}


@rule("update")
def _update(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (g, numbers), (change, variable, *slots) = inputs, node.attributes
    held = [program.read(v) for v in (variable, *slots)]
    kind = held[0].kind
    if any(x.kind is not kind or x.shape != g.shape for x in (g, *held)):
        raise Unsupported("an update of mixed kinds")
    constants = []
    for i in range(numbers.size):
        one = program.reshape(program.slice(numbers, [i], [1], [1]), ())
        constants.append(_Array(program, program.cast(one, kind)))
    w, *kept = [_Array(program, x) for x in held]
    change(w, _Array(program, g), _Array(program, None), kept, constants)
    for written, old, new in zip((variable, *slots), held, (w, *kept), strict=True):
        if new.cell is not old and new.cell is not None:
            program.assign(written, new.cell)
    return []
