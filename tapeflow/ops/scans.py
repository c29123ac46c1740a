"""Scans: running sums, products and log-sum-exps along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, NUMBERS, as_dtype
from ..core.elementwise import refused_dtype
from ..core.op import define
from ..core.tensor import Tensor
from .arithmetic import like, typed_constant

_FLOAT32 = np.dtype("float32")
nothing = typed_constant(-np.inf)

# -- kernels -----------------------------------------------------------------------------------------------------------


def _scan(ufunc: str, neutral: float) -> Callable:
    """The kernel maker of a scan; `neutral` is what an exclusive one begins with."""

    def make(xp: Any) -> Callable:
        accumulate = getattr(xp, ufunc).accumulate

        def scan(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
            dtype = x.dtype
            if dtype.kind not in "iu" and dtype.itemsize < 4:
                return scan(x.astype(_FLOAT32), axis, exclusive, reverse).astype(dtype)
            if reverse:
                x = xp.flip(x, axis)
            if exclusive:
                before = (slice(None),) * axis
                first = xp.full_like(x[(*before, slice(0, 1))], neutral)
                x = xp.concatenate([first, x[(*before, slice(0, -1))]], axis)
            # logaddexp has no loops for a dtype of its own choice
            out = accumulate(x, axis) if ufunc == "logaddexp" else accumulate(x, axis, dtype)
            return xp.flip(out, axis) if reverse else out

        return scan

    return make


def _scanned(title: str) -> Callable:
    def infer(x: Any, axis: int, exclusive: bool, reverse: bool) -> Abstract:
        if x.shape is not None and not -len(x.shape) <= axis < len(x.shape):
            rank = len(x.shape)
            raise errors.invalid(title, f"ScanOp: Expected scan axis in the range [{-rank}, {rank}), but got {axis}")
        return Abstract(x.shape, x.dtype)

    return infer


# -- gradients ---------------------------------------------------------------------------------------------------------


def _from_product(F: Any, g: Any, x: Any, y: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    """Each factor takes from the products it is in; as in TensorFlow, nothing flows to a factor that is zero."""
    x = F.conj(x)
    products = F.cumsum(F.conj(y) * g, axis, exclusive, not reverse)
    absent = F.equal(x, F.zeros_like(x))
    return F.where(absent, F.zeros_like(x), products / F.where(absent, F.ones_like(x), x))


def _from_logsumexp(F: Any, g: Any, x: Any, y: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    """The sum of g * exp(x - y) over the results an element is in, its positive and negative parts as logarithms."""
    parts = []
    for part in (g, -g):
        zeros = F.zeros_like(part)
        there = F.greater(part, zeros)
        lowest = like(F, nothing, part)
        logs = F.where(there, F.log(F.where(there, part, F.ones_like(part))) - F.where(there, y, zeros), lowest)
        parts.append(F.exp(F.cumulative_logsumexp(logs, axis, exclusive, not reverse) + x))
    return parts[0] - parts[1]


# -- the ops, and the functions that users call ------------------------------------------------------------------------


def _scanning(
    name: str, ufunc: str, neutral: float, title: str, grad: Callable, saves: Callable | None, dtypes: set, doc: str
) -> Callable:
    infer = _scanned(title)
    run = define(name, _scan(ufunc, neutral), infer, [grad], saves=saves, title=title)
    op = run.op

    def scan(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
        x = convert_to_tensor(x)
        value = x._value
        if value.dtype not in dtypes:
            raise refused_dtype(op, value.dtype, dtypes)
        if type(axis) is not int:
            axis = _static_axis(axis, title)
        rank = len(value.shape)
        if not -rank <= axis < rank:
            infer(value, axis, exclusive, reverse)
        return run(x, axis % rank, bool(exclusive), bool(reverse))

    names = ", ".join(sorted({as_dtype(d).name for d in dtypes if isinstance(d, np.dtype)}))
    scan.__name__ = scan.__qualname__ = name
    scan.__doc__ = f"""{doc}

    Arguments:
        x: a tensor of one or more dimensions, of {names}.
        axis: the dimension along which to go.
        exclusive: whether each result leaves out its own element.
        reverse: whether to go from the end.

    Raises InvalidArgumentError for another dtype or an axis out of range, TypeError for an axis that is no int.
"""
    return scan


def _static_axis(axis: Any, title: str) -> int:
    value = np.asarray(convert_to_tensor(axis, dtype_hint=as_dtype("int32"))._value)
    if value.dtype.kind not in "iu":
        raise TypeError(f"Cannot convert {axis!r} to EagerTensor of dtype int32: the axis of {title} is an int")
    if value.ndim:
        raise errors.invalid(title, f"ScanOp: axis must be a scalar, not {list(value.shape)}")
    return int(value)


cumsum = _scanning(
    "cumsum",
    "add",
    0,
    "Cumsum",
    lambda F, g, axis, exclusive, reverse: F.cumsum(g, axis, exclusive, not reverse),
    None,
    NUMBERS,
    "Running sums along an axis: of [a, b, c], [a, a + b, a + b + c].",
)
cumprod = _scanning(
    "cumprod",
    "multiply",
    1,
    "Cumprod",
    _from_product,
    lambda x, out, axis, exclusive, reverse: (x, out),
    NUMBERS,
    "Running products along an axis: of [a, b, c], [a, a * b, a * b * c].",
)
cumulative_logsumexp = _scanning(
    "cumulative_logsumexp",
    "logaddexp",
    -np.inf,
    "CumulativeLogsumexp",
    _from_logsumexp,
    lambda x, out, axis, exclusive, reverse: (x, out),
    FLOATS,
    "Running log(sum(exp)) along an axis, without overflow; what an exclusive one begins with is -inf.",
)
