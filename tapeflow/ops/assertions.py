"""Assertions about values: `tf.debugging.assert_equal` and its kind, `tf.debugging.Assert`, `check_numerics`.

All of them are one op, `assert`, whose attribute is a function that looks at the values and raises: at once when run
eagerly, in its place among the other effects in a trace. What asks about shapes and types is in `shape_assertions`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, numpy_dtype
from ..core.elementwise import refused_dtype, same
from ..core.op import define
from ..core.tensor import Tensor
from .arithmetic import abs_, add, multiply, subtract
from .comparison import equal, greater, greater_equal, less, less_equal, not_equal

# -- the op ------------------------------------------------------------------------------------------------------------


def _assert(xp: Any) -> Callable:
    def run(values: Sequence, check: Callable, *attributes: Any) -> tuple:
        check(values, *attributes)
        return ()

    return run


require = define(
    "assert",
    _assert,
    lambda values, check, *attributes: (),
    doc="Runs `check(arrays, *attributes)`, which raises InvalidArgumentError for arrays that are not as expected.",
    inputs=None,
    outputs=0,
    effect=True,
)


def introduced(message: Any, text: str) -> str:
    """The text, after the caller's own message where there is one."""
    return text if message is None or message == "" else f"{message}\n{text}"


def _count(summarize: int | None) -> int:
    """How many elements to show: 3, unless another number was asked for; a negative one means all."""
    return 3 if summarize is None else operator.index(summarize)


# -- comparisons of two tensors ----------------------------------------------------------------------------------------


def _all_hold(values: Sequence, condition: str, message: Any, count: int) -> None:
    mask = values[0]
    if mask.all():
        return
    mask = np.asarray(mask)
    operands = [(name, np.asarray(value)) for name, value in zip("xy", values[1:])]
    lines = [f"Condition {condition} did not hold.", f"Violated by {mask.size - mask.sum()} of {mask.size} elements."]
    end = None if count < 0 else count
    if end != 0:
        if mask.ndim:
            where = np.argwhere(~mask)[:end]
            lines += [f"Indices of first {len(where)} of them:", f"{where}"]
            for name, value in operands:
                lines += [f"Corresponding {name} values:", f"{np.broadcast_to(value, mask.shape)[tuple(where.T)]}"]
        for name, value in operands:
            shown = value.reshape(-1)[:end]
            lines += [f"First {shown.size} elements of {name} (shape={value.shape}):", f"{shown}"]
    raise errors.invalid(None, introduced(message, "\n".join(lines)))


def _compare(x: Any, y: Any, compare: Callable, symbol: str, message: Any, summarize: int | None) -> None:
    count = _count(summarize)
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    require([compare(x, y), x, y], _all_hold, f"x {symbol} y", message, count)


def assert_equal(x: Any, y: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless `x == y` for all elements of `x` and `y`, broadcast to one shape.

    Arguments:
        x, y: tensors of one dtype.
        message: what the error begins with.
        summarize: how many elements the error shows, 3 unless given, all for a negative number.

    Raises InvalidArgumentError where the condition does not hold, and for dtypes or shapes that do not go together.
    """
    _compare(x, y, equal, "==", message, summarize)


def assert_none_equal(
    x: Any, y: Any, summarize: int | None = None, message: Any = None, name: str | None = None
) -> None:
    """Raises unless `x != y` for all elements. Arguments (mind their order) and errors as in `assert_equal`."""
    _compare(x, y, not_equal, "!=", message, summarize)


def assert_less(x: Any, y: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless `x < y` for all elements. Arguments and errors as in `assert_equal`."""
    _compare(x, y, less, "<", message, summarize)


def assert_less_equal(
    x: Any, y: Any, message: Any = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless `x <= y` for all elements. Arguments and errors as in `assert_equal`."""
    _compare(x, y, less_equal, "<=", message, summarize)


def assert_greater(x: Any, y: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless `x > y` for all elements. Arguments and errors as in `assert_equal`."""
    _compare(x, y, greater, ">", message, summarize)


def assert_greater_equal(
    x: Any, y: Any, message: Any = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless `x >= y` for all elements. Arguments and errors as in `assert_equal`."""
    _compare(x, y, greater_equal, ">=", message, summarize)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless `|x - y| < atol + rtol * |y|` for all elements: never for NaN, nor for equal infinities.

    Arguments:
        x, y: tensors of one floating or complex dtype.
        rtol, atol: the tolerances, ten times the distance from 1 to the next number of the dtype unless given.
        message, summarize: as in `assert_equal`.

    Raises InvalidArgumentError where the condition does not hold, ValueError or TypeError for other dtypes.
    """
    count = _count(summarize)
    x = convert_to_tensor(x)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise ValueError(f"assert_near takes floating and complex tensors, not {x.dtype.name}: use assert_equal")
    y = convert_to_tensor(y, x.dtype)
    tolerance = 10 * _epsilon(numpy_dtype(x.dtype.real_dtype))
    rtol = convert_to_tensor(tolerance if rtol is None else rtol, x.dtype.real_dtype)
    atol = convert_to_tensor(tolerance if atol is None else atol, x.dtype.real_dtype)
    mask = less(abs_(subtract(x, y)), add(atol, multiply(rtol, abs_(y))))
    require([mask, x, y, rtol, atol], _all_near, message, count)


def _all_near(values: Sequence, message: Any, count: int) -> None:
    mask, x, y, rtol, atol = values
    _all_hold((mask, x, y), f"|x - y| < atol + rtol * |y| (rtol = {rtol}, atol = {atol})", message, count)


def _epsilon(dtype: np.dtype) -> float:
    if dtype.kind == "V":
        import ml_dtypes

        return float(ml_dtypes.finfo(dtype).eps)
    return float(np.finfo(dtype).eps)


# -- signs -------------------------------------------------------------------------------------------------------------


def _compare_with_zero(x: Any, compare: Callable, symbol: str, message: Any, summarize: int | None) -> None:
    count = _count(summarize)
    x = convert_to_tensor(x)
    require([compare(x, convert_to_tensor(0, x.dtype)), x], _all_hold, f"x {symbol} 0", message, count)


def assert_positive(x: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless all elements of `x` are greater than 0. Arguments and errors as in `assert_equal`."""
    _compare_with_zero(x, greater, ">", message, summarize)


def assert_negative(x: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless all elements of `x` are less than 0. Arguments and errors as in `assert_equal`."""
    _compare_with_zero(x, less, "<", message, summarize)


def assert_non_negative(x: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless all elements of `x` are 0 or greater. Arguments and errors as in `assert_equal`."""
    _compare_with_zero(x, greater_equal, ">=", message, summarize)


def assert_non_positive(x: Any, message: Any = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raises unless all elements of `x` are 0 or less. Arguments and errors as in `assert_equal`."""
    _compare_with_zero(x, less_equal, "<=", message, summarize)


# -- any condition -----------------------------------------------------------------------------------------------------


def Assert(condition: Any, data: Sequence, summarize: int | None = None, name: str | None = None) -> None:  # noqa: N802
    """Raises unless the condition is true.

    Arguments:
        condition: a bool, a scalar tensor, or anything with a truth value.
        data: a list of tensors that the error shows.
        summarize: how many elements of each it shows, 3 unless given, all for a negative number.

    Raises InvalidArgumentError where the condition is false, TypeError for data that is no sequence.
    """
    if not isinstance(data, Sequence):
        raise TypeError(f"`data` must be a sequence of tensors to show. Received: {data!r}")
    count = _count(summarize)
    if not isinstance(condition, Tensor):
        condition = convert_to_tensor(bool(condition))
    require([condition, *[convert_to_tensor(each) for each in data]], _is_true, count)


def _is_true(values: Sequence, count: int) -> None:
    condition, *data = values
    if np.size(condition) != 1:
        raise errors.invalid("Assert", f"The condition must have one element, not shape {list(condition.shape)}")
    if not condition:
        shown = "\n".join(_summary(np.asarray(value), count) for value in data)
        raise errors.invalid(None, f"Expected '{condition}' to be true. Summarized data: {shown}")


# what looks at the first of its values alone, bools all of which must hold, and at the others for its message
CONDITIONS = frozenset([_all_hold, _all_near, _is_true])


def _summary(value: np.ndarray, count: int) -> str:
    elements = value.reshape(-1)
    shown = [f"{element}" for element in (elements if count < 0 else elements[:count])]
    return ", ".join(shown if len(shown) == elements.size else [*shown, "..."])


# -- numbers that are none ---------------------------------------------------------------------------------------------


def _check_numerics(xp: Any) -> Callable:
    def check(x: Any, message: str) -> Any:
        if not xp.isfinite(x).all():
            kinds = [name for name, found in (("Inf", xp.isinf(x).any()), ("NaN", xp.isnan(x).any())) if found]
            raise errors.invalid("CheckNumerics", f"{message} : Tensor had {' and '.join(kinds)} values")
        return x

    return check


def _checked_gradient(F: Any, g: Any, message: str) -> Any:
    return F.check_numerics(g, f"NaN or Inf in the gradient of check_numerics. {message}")


_check_finite = define("check_numerics", _check_numerics, same, [_checked_gradient])


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor, if it has no NaN and no infinity in it; its gradient is held to the same.

    Raises InvalidArgumentError, with the message, where it has, and for tensors that are not floating.
    """
    if not isinstance(message, str):
        raise TypeError(f"Expected string for argument 'message' not {message!r}.")
    tensor = convert_to_tensor(tensor)
    if not tensor.dtype.is_floating:
        raise refused_dtype(_check_finite.op, numpy_dtype(tensor.dtype), FLOATS)
    return _check_finite(tensor, message)


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor, if it has no NaN and no infinity in it, as `check_numerics` gives it. Errors as there."""
    return check_numerics(x, message)
