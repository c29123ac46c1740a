"""Where the extrema are: `tf.argmax` and `tf.argmin`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import REALS, group, numpy_dtype, short_name
from ..core.elementwise import refused_dtype
from ..core.op import define
from ..core.tensor import Tensor
from ..core.variable import Variable
from .reduction import farthest


def _arg_extremum(name: str, end: str) -> Callable:
    def make(xp: Any) -> Callable:
        find = getattr(xp, name)

        def arg_extremum(x: Any, axis: int, dtype: np.dtype) -> Any:
            if x.dtype.kind in "fV" and _has_nan(x):
                # TensorFlow passes over NaN, NumPy stops at it
                x = xp.where(xp.isnan(x), farthest(x.dtype, end), x)
            return find(x, axis).astype(dtype)

        return arg_extremum

    return make


def _has_nan(x: Any) -> bool:
    if x.dtype.itemsize >= 4:
        # a product of the array with itself costs half of what isnan does: it is NaN only if one of them is
        flat = x.reshape(-1)
        total = flat.dot(flat)
        return bool(total != total)
    return bool((x != x).any())


def _arg_shape(title: str) -> Callable:
    def infer(x: Any, axis: int, dtype: np.dtype) -> Abstract:
        rank = len(x.shape)
        if not -rank <= axis < rank:
            raise errors.invalid(title, f"Expected dimension in the range [{-rank}, {rank}), but got {axis}")
        shape = tuple([n for i, n in enumerate(x.shape) if i != axis % rank])
        if x.shape[axis] == 0 and 0 not in shape:
            raise errors.invalid(title, f"Reduction axis {axis} is empty in shape {list(x.shape)}")
        return Abstract(shape, dtype)

    return infer


def _arg_reduction(name: str, end: str, title: str, outputs: set, what: str) -> Callable:
    infer = _arg_shape(title)
    run = define(name, _arg_extremum(name, end), infer, title=title)
    op = run.op
    dtypes = REALS | group("bool", "bfloat16")

    def arg(input: Any, axis: Any = None, output_type: Any = "int64", name: str | None = None) -> Tensor:
        x = convert_to_tensor(input)
        value = x._value
        if axis is None:
            axis = 0
        elif type(axis) is not int:
            axis = _static_axis(axis, title)
        dtype = numpy_dtype(output_type)
        if value.dtype not in dtypes:
            raise refused_dtype(op, value.dtype, dtypes)
        if dtype not in outputs:
            raise errors.invalid(
                title,
                f"Value for attr 'output_type' of {short_name(dtype)} is not in the list of allowed values: "
                + ", ".join(sorted(d.name for d in outputs if isinstance(d, np.dtype))),
            )
        rank = len(value.shape)
        if not -rank <= axis < rank:
            infer(value, axis, dtype)
        return run(x, axis, dtype)

    arg.__name__ = arg.__qualname__ = name
    arg.__doc__ = f"""The index of the {what} element along an axis, the first of those that tie. NaN is passed over.

    Arguments:
        input: a tensor of one or more dimensions, of real numbers or bools.
        axis: the dimension to search along, the first by default.
        output_type: the dtype of the result: {", ".join(sorted(d.name for d in outputs if isinstance(d, np.dtype)))}.

    Raises InvalidArgumentError for an axis out of range, or along which there is nothing; TypeError for an axis that
    is not an int or a tensor of ints. It has no derivative.
"""
    return arg


def _static_axis(axis: Any, title: str) -> int:
    value = getattr(axis, "_value", axis)
    if not isinstance(axis, Variable) and isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(axis, Variable) and axis.dtype.is_integer:
        return int(axis.numpy())
    raise TypeError(f"axis must be int or Tensor with integer datatype, not {axis!r} [Op:{title}]")


argmax = _arg_reduction("argmax", "min", "ArgMax", group("int16", "uint16", "int32", "int64"), "largest")
argmin = _arg_reduction("argmin", "max", "ArgMin", group("int32", "int64"), "smallest")
