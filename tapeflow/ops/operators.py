"""Python's operators on tensors and variables, attached to their classes: `x + y`, `x[i]`, `x == y`, iteration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..core.convert import is_tensor
from ..core.printing import tensor_repr, tensor_str
from ..core.tensor import Tensor
from ..core.variable import Variable
from .arithmetic import abs_, add, floordiv, floormod, multiply, negative, pow_, subtract, truediv
from .comparison import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    greater,
    greater_equal,
    invert,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    tensor_equals,
    tensor_not_equals,
)
from .products import matmul
from .slicing import getitem


def _reflected(op: Callable) -> Callable:
    return lambda x, y: op(y, x)


def _for_bools_and_ints(logical: Callable, bitwise: Callable) -> Callable:
    """`&`, `|`, `^`: logical for bools, bit by bit for integers, as TensorFlow has them."""

    def operator(x: Any, y: Any) -> Any:
        known = x if is_tensor(x) else y
        return logical(x, y) if known.dtype.is_bool else bitwise(x, y)

    return operator


def _invert(x: Any) -> Any:
    return logical_not(x) if x.dtype.is_bool else invert(x)


def _iterate(x: Any) -> Iterator[Tensor]:
    shape = x.shape
    if shape.rank == 0:
        raise TypeError("Cannot iterate over a scalar tensor.")
    return (x[i] for i in range(shape[0]))


def _contains(x: Any, value: Any) -> bool:
    return any(bool(item == value) for item in x)


BINARY: dict[str, Callable] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": truediv,
    "floordiv": floordiv,
    "mod": floormod,
    "pow": pow_,
    "matmul": matmul,
    "and": _for_bools_and_ints(logical_and, bitwise_and),
    "or": _for_bools_and_ints(logical_or, bitwise_or),
    "xor": _for_bools_and_ints(logical_xor, bitwise_xor),
}
OTHERS = {
    "neg": negative,
    "abs": abs_,
    "invert": _invert,
    "lt": less,
    "le": less_equal,
    "gt": greater,
    "ge": greater_equal,
    "eq": tensor_equals,
    "ne": tensor_not_equals,
    "iter": _iterate,
    "contains": _contains,
}

for _class in (Tensor, Variable):
    for _name, _op in BINARY.items():
        setattr(_class, f"__{_name}__", _op)
        # the order of factors is all the same
        setattr(_class, f"__r{_name}__", _op if _op is multiply else _reflected(_op))
    for _name, _op in OTHERS.items():
        setattr(_class, f"__{_name}__", _op)

Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
Tensor.__repr__ = tensor_repr  # type: ignore[method-assign]
Tensor.__str__ = tensor_str  # type: ignore[method-assign]
