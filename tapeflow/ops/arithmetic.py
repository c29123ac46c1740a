"""Elementwise arithmetic: sums, products, quotients, powers, extrema, and what programs write with operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import COMPLEXES, FLOATS_COMPLEX, NUMBERS, REALS, SIGNED_NUMBERS, as_dtype, group, numpy_dtype
from ..core.elementwise import binary, meet, mixed_dtypes, real_part, refused_dtype, unary
from ..core.indexed_slices import IndexedSlices
from ..core.op import OPS, TENSORS, define
from ..core.shapes import TensorShape
from ..core.tensor import Tensor, ndarray, wrap
from .casting import cast


def typed_constant(value: Any) -> Callable:
    """A function of a dtype that gives `value` in it, made once: a literal inside a ufunc costs 0.4 us."""
    made: dict = {}

    def get(dtype: Any) -> Any:
        constant = made.get(dtype)
        if constant is None:
            constant = made[dtype] = np.asarray(value).astype(numpy_dtype(dtype))[()]
        return constant

    return get


zero, one, two = typed_constant(0), typed_constant(1), typed_constant(2)


def like(F: Any, constant: Callable, x: Any) -> Any:
    """A typed constant of the dtype of `x`, as rules over F need it: bare, or a tensor."""
    return constant(x.dtype) if F.raw else wrap(constant(x.dtype))


def selection(xp: Any) -> Callable:
    """`where` for kernels: a scalar where all operands are."""
    return lambda mask, x, y: xp.where(mask, x, y)[()]


def kept(F: Any, g: Any, mask: Any) -> Any:
    """The gradient where the mask holds, 0 elsewhere: a product, which is three times faster than `where`."""
    return g * mask if F.raw else g * F.cast(mask, numpy_dtype(g.dtype))


# -- sums, products, quotients -----------------------------------------------------------------------------------------


def _pull_add(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    _, key_x, key_y, shape_x, shape_y = rec
    if key_x in wanted:
        d = g if shape_x == shape_y else F.sum_to(g, shape_x)
        grads[key_x] = grads[key_x] + d if key_x in grads else d
    if key_y in wanted:
        d = g if shape_x == shape_y else F.sum_to(g, shape_y)
        grads[key_y] = grads[key_y] + d if key_y in grads else d


def _pull_multiply(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    _, key_x, key_y, shape_x, shape_y, x, y = rec
    if F.raw:
        x = x._value
        y = y._value
    if key_x in wanted:
        d = g * y
        if shape_x != shape_y:
            d = F.sum_to(d, shape_x)
        grads[key_x] = grads[key_x] + d if key_x in grads else d
    if key_y in wanted:
        d = g * x
        if shape_x != shape_y:
            d = F.sum_to(d, shape_y)
        grads[key_y] = grads[key_y] + d if key_y in grads else d


add = binary(
    "add",
    lambda xp: operator.add,
    lambda F, g: g,
    lambda F, g: g,
    saves=False,
    dtypes=NUMBERS | group("string", "bfloat16"),
    title="AddV2",
    pull=_pull_add,
    doc="x + y, elementwise with broadcasting; strings are joined.",
)
subtract = binary(
    "subtract",
    lambda xp: operator.sub,
    lambda F, g: g,
    lambda F, g: -g,
    saves=False,
    title="Sub",
    doc="x - y, elementwise with broadcasting.",
)
multiply = binary(
    "multiply",
    lambda xp: operator.mul,
    lambda F, g, x, y: g * y,
    lambda F, g, x, y: g * x,
    title="Mul",
    pull=_pull_multiply,
    doc="x * y, elementwise with broadcasting.",
)
# the quotient of floats; tf.divide casts integers to floats first
real_divide = binary(
    "real_divide",
    lambda xp: operator.truediv,
    lambda F, g, x, y: g / y,
    lambda F, g, x, y: -(g * x) / (y * y),
    dtypes=FLOATS_COMPLEX,
    title="RealDiv",
    doc="x / y of floats or complex numbers, elementwise with broadcasting.",
)
negative = unary(
    "negative", lambda xp: operator.neg, lambda F, g, x: -g, dtypes=SIGNED_NUMBERS, title="Neg", doc="-x, elementwise."
)
square = unary(
    "square", lambda xp: lambda x: x * x, lambda F, g, x: g * (x + x), dtypes=NUMBERS, doc="x * x, elementwise."
)
reciprocal = unary(
    "reciprocal",
    lambda xp: lambda x: one(x.dtype) / x,
    lambda F, g, y: -g * y * y,
    saves="y",
    doc="1 / x, elementwise.",
)
_conj = unary(
    "conj",
    lambda xp: lambda x: x.conjugate() if x.dtype.kind == "c" else x,
    lambda F, g, x: F.conj(g),
    dtypes=NUMBERS,
)


def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate, elementwise; real numbers as they are. Raises TypeError for bools and strings."""
    x = convert_to_tensor(x)
    if x.dtype.is_bool or not x.dtype.is_numeric:
        raise TypeError(f"tf.math.conj takes a numeric tensor, not one of {x.dtype}")
    return _conj(x)


def _squared_difference(xp: Any) -> Callable:
    def squared_difference(x: Any, y: Any) -> Any:
        d = x - y
        return d * d.conjugate() if d.dtype.kind == "c" else d * d

    return squared_difference


def _squared_difference_grad(F: Any, g: Any, x: Any, y: Any) -> Any:
    d = x - y  # of complex numbers, the conjugate of the difference
    return g * F.conj(d + d)


squared_difference = binary(
    "squared_difference",
    _squared_difference,
    _squared_difference_grad,
    lambda F, g, x, y: -_squared_difference_grad(F, g, x, y),
    dtypes=FLOATS_COMPLEX | group("bfloat16", "int32", "int64"),
    doc="(x - y)^2, elementwise with broadcasting; of complex numbers |x - y|^2.",
)

# integers are divided as floats that hold them: those of 8 and 16 bits as float32, others as float64
_QUOTIENTS: dict[Any, np.dtype] = {}
for _kind in group("int8", "int16", "uint8", "uint16"):
    _QUOTIENTS[_kind] = np.dtype("float32")
for _kind in group("int32", "int64", "uint32", "uint64"):
    _QUOTIENTS[_kind] = np.dtype("float64")


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 3 divides, elementwise with broadcasting.

    Integers become floats first: float32 those of 8 and 16 bits, float64 others. Raises TypeError for two dtypes, bools
    and strings.
    """
    if type(x) is not Tensor or type(y) is not Tensor:
        x, y = meet(x, y)
    value = x._value
    to = _QUOTIENTS.get(value.dtype if type(value) is ndarray or type(value) is Abstract else type(value))
    if to is None:
        try:
            return real_divide(x, y)
        except errors.InvalidArgumentError:
            _check_quotient(x, y)
            raise
    _check_quotient(x, y)
    return real_divide(cast(x, to), cast(y, to))


def _check_quotient(x: Tensor, y: Tensor) -> None:
    if x.dtype != y.dtype:
        raise TypeError(f"`x` and `y` must have the same dtype, got {x.dtype!r} != {y.dtype!r}. tf.cast one of them.")
    if x.dtype.is_bool or not x.dtype.is_numeric:
        raise TypeError(f"Invalid dtype {x.dtype!r} in division. Expected a number; tf.cast it to one first.")


truediv = divide


def _divide_no_nan(xp: Any) -> Callable:
    where = selection(xp)

    def divide_no_nan(x: Any, y: Any) -> Any:
        none = zero(y.dtype)
        return where(y == none, none, x / y)

    return divide_no_nan


_divide_no_nan_op = binary(
    "divide_no_nan",
    _divide_no_nan,
    lambda F, g, x, y: F.divide_no_nan(g, y),
    lambda F, g, x, y: g * F.divide_no_nan(F.divide_no_nan(-x, y), y),
    dtypes=FLOATS_COMPLEX,
    title="DivNoNan",
)


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, and 0 where y is 0; elementwise with broadcasting. Dtypes and errors as for `tf.divide`."""
    if type(x) is not Tensor or type(y) is not Tensor:
        x, y = meet(x, y)
    _check_quotient(x, y)
    to = _QUOTIENTS.get(x._value.dtype)
    return _divide_no_nan_op(x, y) if to is None else _divide_no_nan_op(cast(x, to), cast(y, to))


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, and 0 where x is 0; elementwise. Raises InvalidArgumentError for ints, TypeError for bools and strings."""
    if type(x) is not Tensor:
        x = convert_to_tensor(x)
    _check_quotient(x, x)
    return _divide_no_nan_op(wrap(one(x._value.dtype)), x)


def _multiply_no_nan(xp: Any) -> Callable:
    where = selection(xp)

    def multiply_no_nan(x: Any, y: Any) -> Any:
        none = zero(y.dtype)
        return where(y == none, none, x * y)

    return multiply_no_nan


multiply_no_nan = binary(
    "multiply_no_nan",
    _multiply_no_nan,
    lambda F, g, x, y: F.multiply_no_nan(g, y),
    lambda F, g, x, y: F.multiply_no_nan(x, g),
    dtypes=FLOATS_COMPLEX,
    title="MulNoNan",
    doc="x * y, and 0 where y is 0 even if x is infinite or NaN; elementwise with broadcasting.",
)

# -- quotients rounded, and what remains -------------------------------------------------------------------------------


def _guarded(title: str, function: Callable) -> Callable:
    """The function of two arrays that refuses integer divisors of 0, where NumPy only warns."""

    def guarded(x: Any, y: Any) -> Any:
        if y.dtype.kind in "iu" and not y.all():
            raise errors.invalid(title, "Integer division by zero: the divisor has a 0 in it")
        return function(x, y)

    return guarded


def _floordiv(xp: Any) -> Callable:
    def floordiv(x: Any, y: Any) -> Any:
        return x // y if x.dtype.kind in "iu" else xp.floor(x / y)

    return _guarded("FloorDiv", floordiv) if xp is np else floordiv


def _truncatediv(xp: Any) -> Callable:
    def truncatediv(x: Any, y: Any) -> Any:
        kind = x.dtype.kind
        if kind == "i":
            return (x - xp.fmod(x, y)) // y
        return x // y if kind == "u" else xp.trunc(x / y)

    return _guarded("TruncateDiv", truncatediv) if xp is np else truncatediv


floordiv = binary(
    "floordiv",
    _floordiv,
    dtypes=REALS,
    title="FloorDiv",
    doc="x / y rounded down, elementwise with broadcasting. No gradient. InvalidArgumentError for an integer / 0.",
)
floormod = binary(
    "floormod",
    lambda xp: _guarded("FloorMod", xp.remainder) if xp is np else xp.remainder,
    lambda F, g, x, y: g,
    lambda F, g, x, y: -g * F.floordiv(x, y),
    dtypes=REALS,
    title="FloorMod",
    doc="x - floordiv(x, y) * y, of the sign of y; elementwise with broadcasting.",
)
mod = floormod
truncatediv = binary(
    "truncatediv",
    _truncatediv,
    dtypes=REALS,
    title="TruncateDiv",
    doc="x / y rounded towards zero, as C does; elementwise with broadcasting. No gradient.",
)
truncatemod = binary(
    "truncatemod",
    lambda xp: _guarded("TruncateMod", xp.fmod) if xp is np else xp.fmod,
    lambda F, g, x, y: g,
    lambda F, g, x, y: -g * F.truncatediv(x, y),
    dtypes=REALS,
    title="TruncateMod",
    doc="x - truncatediv(x, y) * y, of the sign of x; elementwise with broadcasting.",
)

# -- powers ------------------------------------------------------------------------------------------------------------


def _inverse(x: Any) -> Any:
    if x.dtype.kind == "i":
        raise errors.invalid("Pow", "Integers to negative integer powers are not allowed")
    return one(x.dtype) / x


# exponents that need no logarithm; np.power takes 5 to 50 times as long as these
_POWERS: dict[Any, Callable] = {
    1.0: lambda x: x,
    2.0: lambda x: x * x,
    3.0: lambda x: x * x * x,
    0.5: np.sqrt,
    -1.0: _inverse,
}


def _pow(xp: Any) -> Callable:
    if xp is not np:
        return xp.power

    def power(x: Any, y: Any) -> Any:
        if type(y) is not ndarray:
            quick = _POWERS.get(y)
            if quick is not None:
                return quick(x)
        if y.dtype.kind == "i" and (y < zero(y.dtype)).any():
            raise errors.invalid("Pow", "Integers to negative integer powers are not allowed")
        return np.power(x, y)

    return power


def _pow_grad_y(F: Any, g: Any, x: Any, y: Any) -> Any:
    none = zero(x.dtype)
    mask = F.greater(x, none) if numpy_dtype(x.dtype) not in COMPLEXES else F.not_equal(x, none)
    return g * F.pow(x, y) * F.log(F.where(mask, x, like(F, one, x)))


pow_ = binary(
    "pow",
    _pow,
    lambda F, g, x, y: g * y * F.pow(x, y - one(y.dtype)),
    _pow_grad_y,
    dtypes=SIGNED_NUMBERS,
    doc="x to the power of y, elementwise with broadcasting. InvalidArgumentError for integers to negative powers.",
)

# -- sizes and signs ---------------------------------------------------------------------------------------------------


def _abs_grad(F: Any, g: Any, x: Any) -> Any:
    dtype = numpy_dtype(x.dtype)
    if dtype not in COMPLEXES:
        return g * F.sign(x)
    return F.cast(g, dtype) * F.conj(F.sign(x))  # x comes conjugated


def _sign_grad(F: Any, g: Any, x: Any) -> Any:
    dtype = numpy_dtype(x.dtype)
    if dtype not in COMPLEXES:
        return F.zeros_like(g)
    s, size = F.conj(F.sign(x)), F.abs(x)
    along = F.cast(F.real(F.conj(g) * s), dtype)
    at_zero = F.equal(size, zero(size.dtype))
    turned = (g - along * s) / F.cast(F.where(at_zero, like(F, one, size), size), dtype)
    return F.where(at_zero, like(F, zero, g), turned)


abs_ = unary(
    "abs",
    lambda xp: xp.absolute,
    _abs_grad,
    dtypes=SIGNED_NUMBERS,
    infer=real_part,
    doc="The absolute value, elementwise; of complex numbers a real one.",
)
sign = unary(
    "sign",
    lambda xp: xp.sign,
    _sign_grad,
    dtypes=SIGNED_NUMBERS,
    doc="-1, 0 or 1 by the sign, elementwise; of complex numbers x / |x|. The gradient of real ones is zeros.",
)
# where both are equal the gradient goes to x; NaN counts as y
maximum = binary(
    "maximum",
    lambda xp: xp.maximum,
    lambda F, g, x, y: kept(F, g, F.greater_equal(x, y)),
    lambda F, g, x, y: kept(F, g, F.logical_not(F.greater_equal(x, y))),
    dtypes=REALS,
    doc="The larger of both, elementwise with broadcasting; NaN where one is.",
)
minimum = binary(
    "minimum",
    lambda xp: xp.minimum,
    lambda F, g, x, y: kept(F, g, F.less_equal(x, y)),
    lambda F, g, x, y: kept(F, g, F.logical_not(F.less_equal(x, y))),
    dtypes=REALS,
    doc="The smaller of both, elementwise with broadcasting; NaN where one is.",
)

# -- sums of many ------------------------------------------------------------------------------------------------------


def _add_n(xp: Any) -> Callable:
    def add_n(values: Sequence) -> Any:
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total

    return add_n


def _added(values: Sequence) -> Abstract:
    first = values[0]
    for i, value in enumerate(values):
        if value.dtype != first.dtype:
            raise mixed_dtypes(OPS["add_n"], first.dtype, value.dtype)
        shapes = first.shape, value.shape
        if None not in shapes and shapes[0] != shapes[1] and None not in shapes[0] + shapes[1]:
            raise errors.invalid(
                "AddN",
                "Inputs to operation AddN must have the same size and shape. "
                f"Input 0: {list(first.shape)} != input {i}: {list(value.shape)}",
            )
    if first.dtype not in NUMBERS:
        raise refused_dtype(OPS["add_n"], first.dtype, NUMBERS)
    return Abstract(first.shape, first.dtype)


_sum_of = define("add_n", _add_n, _added, lambda F, g, needs: [g] * len(needs), inputs=None, title="AddN")


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and dtype (IndexedSlices become dense).

    Raises ValueError for an empty list, InvalidArgumentError where shapes or dtypes differ.
    """
    values = list(inputs)
    if not values:
        raise ValueError(
            "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape."
        )
    first = next((v for v in values if isinstance(v, Tensor)), None)
    first = convert_to_tensor(values[0]) if first is None else first
    values = [convert_like(v, first._value.dtype) for v in values]
    _added([v._value for v in values])
    return values[0] if len(values) == 1 else _sum_of(values)


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and dtype, which may be given to be checked.

    Raises ValueError where there is no tensor, or shapes or dtypes differ, TypeError for another dtype than that given.
    """
    values = [convert_to_tensor(v) for v in inputs] if isinstance(inputs, (list, tuple)) else []
    if not values or any(v.dtype != values[0].dtype for v in values):
        raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    wanted = values[0].shape if shape is None else TensorShape(shape)
    for value in values:
        wanted = wanted.merge_with(value.shape)
    if tensor_dtype is not None and as_dtype(tensor_dtype) != values[0].dtype:
        raise TypeError(f"The `tensor_dtype` argument is {as_dtype(tensor_dtype)}, but `input` is {values[0].dtype}.")
    return add_n(values)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The polynomial of these coefficients, the highest power first, at x: Horner's scheme.

    Raises ValueError where `coeffs` is no list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    x = convert_to_tensor(x)
    if not coeffs:
        return TENSORS.zeros_like(x)  # type: ignore[attr-defined]
    value = convert_to_tensor(coeffs[0])
    for c in coeffs[1:]:
        value = add(multiply(value, x), c)
    return value


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """x, a tensor or IndexedSlices, times a 0-d scalar of its dtype. Raises ValueError for what is not 0-d."""
    values = x.values if isinstance(x, IndexedSlices) else convert_to_tensor(x)
    scalar = convert_to_tensor(scalar, values.dtype)
    if len(scalar._value.shape):
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    scaled = multiply(scalar, values)
    return IndexedSlices(scaled, x.indices, x.dense_shape) if isinstance(x, IndexedSlices) else scaled
