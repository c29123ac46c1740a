"""What gives truth values, and what works on them or on bits: comparisons, logic, bitwise operations, float tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.dtypes import ANY, BOOLS, FLOATS, INTEGERS, REALS, group
from ..core.elementwise import binary, broadcast_bool, same_bool, unary
from ..core.tensor import Tensor, wrap

# -- comparisons -------------------------------------------------------------------------------------------------------


def _comparison(name: str, dtypes: set, doc: str) -> Callable:
    return binary(name, lambda xp: getattr(xp, name), dtypes=dtypes, infer=broadcast_bool, doc=doc)


_ALL = ANY | group("bfloat16")

equal = _comparison("equal", _ALL, "x == y, elementwise with broadcasting.")
not_equal = _comparison("not_equal", _ALL, "x != y, elementwise with broadcasting.")
less = _comparison("less", REALS, "x < y, elementwise with broadcasting.")
less_equal = _comparison("less_equal", REALS, "x <= y, elementwise with broadcasting.")
greater = _comparison("greater", REALS, "x > y, elementwise with broadcasting.")
greater_equal = _comparison("greater_equal", REALS, "x >= y, elementwise with broadcasting.")


def tensor_equals(x: Any, y: Any) -> Any:
    """The operator `==`: elementwise; False for None, and for shapes that do not broadcast."""
    return False if y is None else _compared(equal, x, y, False)


def tensor_not_equals(x: Any, y: Any) -> Any:
    """The operator `!=`: elementwise; True for None, and for shapes that do not broadcast."""
    return True if y is None else _compared(not_equal, x, y, True)


def _compared(op: Callable, x: Any, y: Any, apart: bool) -> Tensor:
    try:
        return op(x, y)
    except errors.InvalidArgumentError as error:
        if "Incompatible shapes" in error.message:
            return wrap(np.bool_(apart))
        raise


# -- logic -------------------------------------------------------------------------------------------------------------


def _logic(name: str, doc: str) -> Callable:
    return binary(name, lambda xp: getattr(xp, name), dtypes=BOOLS, doc=doc)


logical_and = _logic("logical_and", "Whether both are true, elementwise with broadcasting.")
logical_or = _logic("logical_or", "Whether at least one is true, elementwise with broadcasting.")
logical_xor = _logic("logical_xor", "Whether exactly one is true, elementwise with broadcasting.")
logical_not = unary("logical_not", lambda xp: xp.logical_not, dtypes=BOOLS, doc="True where x is false, elementwise.")

# -- bits --------------------------------------------------------------------------------------------------------------


def _bits(name: str, doc: str) -> Callable:
    return binary(name, lambda xp: getattr(xp, name), dtypes=INTEGERS, doc=doc)


def _shift(name: str) -> Callable:
    def kernel(xp: Any) -> Callable:
        shift = getattr(xp, name)

        def shifted(x: Any, y: Any) -> Any:
            # as TensorFlow: negative shifts count as 0, those beyond the last bit as the last bit
            last = y.dtype.type(8 * y.dtype.itemsize - 1)
            return shift(x, xp.maximum(xp.minimum(y, last), y.dtype.type(0)))

        return shifted

    return kernel


bitwise_and = _bits("bitwise_and", "The bits that are set in both, elementwise with broadcasting.")
bitwise_or = _bits("bitwise_or", "The bits that are set in at least one, elementwise with broadcasting.")
bitwise_xor = _bits("bitwise_xor", "The bits that are set in exactly one, elementwise with broadcasting.")
invert = unary("invert", lambda xp: xp.invert, dtypes=INTEGERS, doc="All bits turned, elementwise.")
left_shift = binary(
    "left_shift",
    _shift("left_shift"),
    dtypes=INTEGERS,
    doc="x with its bits moved y places up, at most to the last; elementwise with broadcasting.",
)
right_shift = binary(
    "right_shift",
    _shift("right_shift"),
    dtypes=INTEGERS,
    doc="x with its bits moved y places down, signed types keeping the sign; elementwise with broadcasting.",
)

# -- what a float is ---------------------------------------------------------------------------------------------------

is_nan = unary("is_nan", lambda xp: xp.isnan, dtypes=FLOATS, infer=same_bool, doc="Whether it is NaN, elementwise.")
is_inf = unary(
    "is_inf", lambda xp: xp.isinf, dtypes=FLOATS, infer=same_bool, doc="Whether it is infinite, elementwise."
)
is_finite = unary(
    "is_finite",
    lambda xp: xp.isfinite,
    dtypes=FLOATS,
    infer=same_bool,
    doc="Whether it is neither infinite nor NaN, elementwise.",
)
