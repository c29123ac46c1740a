"""Elementwise ops of one and two tensors: what programs call most, so each op is a closure of its own.

A generic `apply(op, *args)` costs two to four times as much. The first lines of each closure decide with a few type
comparisons that there is nothing unusual (tensors of one real dtype that the op takes); everything else, Python
numbers, variables, NumPy arrays, complex numbers, traced tensors, dtypes refused, goes through `_meet` or `_slow`.

Rules of a binary op need not think of broadcasting. Complex numbers follow TensorFlow's convention (the gradient of a
holomorphic f is g * conj(f'(x))): an op's record of complex inputs is of its `conjugated` twin, whose saved values are
conjugated before the rules see them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import errors
from .abstract import Abstract
from .convert import convert_like, convert_to_tensor
from .dtypes import COMPLEXES, DTYPE_OF, FLOATS_COMPLEX, NUMBERS, STRINGS, as_dtype, numpy_dtype, short_name
from .op import ARRAYS, Op, interpret, refusal
from .shapes import broadcast_shapes
from .tapes import active_tapes, new_key, record_elementwise
from .tensor import Tensor, ndarray
from .variable import Variable


def unary(
    name: str,
    kernel: Callable,
    grad: Callable | None = None,
    *,
    saves: str = "x",
    dtypes: set = FLOATS_COMPLEX,
    infer: Callable | None = None,
    title: str | None = None,
    doc: str | None = None,
) -> Callable:
    """Declares an elementwise op of one tensor; its rule `grad(F, g, s)` sees the input or, by `saves`, the output."""
    op = Op(name, kernel, infer or same, (grad,) if grad else (), title=title)
    kernel = op.kernel
    saves_x = saves == "x"
    op.pull = _unary_pull(grad)
    op.describe = _describe_unary
    op.elementwise = True
    twin = _conjugated(op, _unary_pull(grad, conjugate=True)) if grad else op

    def remember(inputs: tuple, attributes: tuple, outputs: tuple) -> None:
        (x,), (out,) = inputs, outputs
        if grad is not None and x._key is not None:
            which = twin if x._value.dtype in COMPLEXES else op
            record_elementwise(x._key, None, out, (which, x._key, x if saves_x else out))

    def slow(x: Any) -> Any:
        if not isinstance(x, Tensor):
            x = convert_to_tensor(x)
        value = x._value
        if value.dtype not in dtypes:
            raise refused_dtype(op, value.dtype, dtypes)
        if type(x) is not Tensor:
            return interpret(op, (x,), ())
        out = Tensor()
        try:
            out._value = kernel(value)
        except Exception as error:
            raise refusal(op, (value,), (), error) from None
        out._key = None
        remember((x,), (), (out,))
        return out

    fast = frozenset(dtypes - COMPLEXES)

    def call(x: Any, name: str | None = None) -> Any:
        if type(x) is not Tensor:
            return slow(x)
        value = x._value
        kind = type(value)
        if (value.dtype if kind is ndarray else kind) not in fast:
            return slow(x)
        out = Tensor()
        out._value = kernel(value)
        out._key = None
        key_x = x._key
        if key_x is not None and grad is not None:
            for tape in active_tapes():
                records = tape._records
                if key_x in records:
                    key = out._key
                    if key is None:
                        key = out._key = new_key()
                    records[key] = (op, key_x, x if saves_x else out)
        return out

    op.remember = remember
    return op.publish(call, _documented(doc, dtypes))


def _unary_pull(grad: Callable | None, conjugate: bool = False) -> Callable:
    def pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        _, key, saved = rec
        if key not in wanted:
            return
        if F.raw:
            saved = saved._value
        if conjugate:
            saved = F.conj(saved)
        d = grad(F, g, saved)
        grads[key] = grads[key] + d if key in grads else d

    return pull


def binary(
    name: str,
    kernel: Callable,
    grad_x: Callable | None = None,
    grad_y: Callable | None = None,
    *,
    saves: bool = True,
    dtypes: set = NUMBERS,
    infer: Callable | None = None,
    title: str | None = None,
    doc: str | None = None,
    pull: Callable | None = None,
) -> Callable:
    """Declares an elementwise op of two tensors that broadcast.

    The rules are `grad(F, g, x, y)`, or `grad(F, g)` with `saves=False`; they need not undo the broadcasting. `pull` is
    the two of them written out, for an op so common that calling its rules is worth saving.
    """
    op = Op(name, kernel, infer or broadcast, (grad_x, grad_y) if grad_x else (), title=title, inputs=2)
    kernel = op.kernel
    op.pull = pull or (_binary_pull(grad_x, grad_y) if saves else _linear_pull(grad_x, grad_y))
    op.describe = _describe_binary
    op.elementwise = True
    twin = _conjugated(op, _binary_pull(grad_x, grad_y, conjugate=True)) if grad_x and saves else op

    def remember(inputs: tuple, attributes: tuple, outputs: tuple) -> None:
        (x, y), (out,) = inputs, outputs
        if grad_x is not None and (x._key is not None or y._key is not None):
            a, b = x._value, y._value
            entry = (twin if a.dtype in COMPLEXES else op, x._key, y._key, a.shape, b.shape)
            record_elementwise(x._key, y._key, out, (*entry, x, y) if saves else entry)

    def slow(x: Any, y: Any) -> Any:
        a, b = x._value, y._value
        if a.dtype != b.dtype:
            raise mixed_dtypes(op, a.dtype, b.dtype)
        if a.dtype not in dtypes:
            raise refused_dtype(op, a.dtype, dtypes)
        if type(x) is not Tensor or type(y) is not Tensor:
            return interpret(op, (x, y), ())
        out = Tensor()
        try:
            value = kernel(a, b)
        except Exception as error:
            raise refusal(op, (a, b), (), error) from None
        out._value = value if type(value) is not bytes else np.array(value, object)
        out._key = None
        remember((x, y), (), (out,))
        return out

    fast = frozenset(dtypes - COMPLEXES - STRINGS)
    scalars = frozenset(kind for kind in fast if isinstance(kind, type))

    def call(x: Any, y: Any, name: str | None = None) -> Any:
        if type(x) is not Tensor or type(y) is not Tensor:
            x, y = meet(x, y)
            if type(x) is not Tensor or type(y) is not Tensor:
                return slow(x, y)
        a = x._value
        b = y._value
        if type(a) is type(b) in scalars:
            value = kernel(a, b)
        else:
            kind = a.dtype if type(a) is ndarray else DTYPE_OF[type(a)]
            if kind is not (b.dtype if type(b) is ndarray else DTYPE_OF[type(b)]) or kind not in fast:
                return slow(x, y)
            try:
                value = kernel(a, b)
            except Exception as error:
                raise refusal(op, (a, b), (), error) from None
        out = Tensor()
        out._value = value
        out._key = None
        key_x = x._key
        key_y = y._key
        if (key_x is not None or key_y is not None) and grad_x is not None:
            for tape in active_tapes():
                records = tape._records
                if key_x in records or key_y in records:
                    key = out._key
                    if key is None:
                        key = out._key = new_key()
                    if saves:
                        records[key] = (op, key_x, key_y, a.shape, b.shape, x, y)
                    else:
                        records[key] = (op, key_x, key_y, a.shape, b.shape)
        return out

    op.remember = remember
    return op.publish(call, _documented(doc, dtypes))


def _binary_pull(grad_x: Callable | None, grad_y: Callable | None, conjugate: bool = False) -> Callable:
    def pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        _, key_x, key_y, shape_x, shape_y, x, y = rec
        if F.raw:
            x = x._value
            y = y._value
        if conjugate:
            x, y = F.conj(x), F.conj(y)
        if key_x in wanted:
            d = grad_x(F, g, x, y)
            if shape_x != shape_y:
                d = F.sum_to(d, shape_x)
            grads[key_x] = grads[key_x] + d if key_x in grads else d
        if key_y in wanted:
            d = grad_y(F, g, x, y)
            if shape_x != shape_y:
                d = F.sum_to(d, shape_y)
            grads[key_y] = grads[key_y] + d if key_y in grads else d

    return pull


def _linear_pull(grad_x: Callable | None, grad_y: Callable | None) -> Callable:
    def pull(F: Any, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        _, key_x, key_y, shape_x, shape_y = rec
        if key_x in wanted:
            d = grad_x(F, g)
            if shape_x != shape_y:
                d = F.sum_to(d, shape_x)
            grads[key_x] = grads[key_x] + d if key_x in grads else d
        if key_y in wanted:
            d = grad_y(F, g)
            if shape_x != shape_y:
                d = F.sum_to(d, shape_y)
            grads[key_y] = grads[key_y] + d if key_y in grads else d

    return pull


def _conjugated(op: Op, pull: Callable) -> Op:
    """The op that stands in records of complex inputs: the same but for how it is pulled back."""
    twin = object.__new__(Op)
    twin.__dict__.update(op.__dict__)
    twin.pull = pull
    return twin


def _describe_unary(rec: tuple) -> tuple[tuple, Any, tuple]:
    shape = rec[2]._value.shape
    return (shape,), shape, (rec[2],)


def _describe_binary(rec: tuple) -> tuple[tuple, Any, tuple]:
    return (rec[3], rec[4]), broadcast_shapes(rec[3], rec[4]), rec[5:]


def _documented(doc: str | None, dtypes: set) -> str | None:
    if doc is None:
        return None
    return f"{doc}\n\nTakes tensors of {_names(dtypes)}. Raises InvalidArgumentError for others.\n"


def _names(dtypes: set) -> str:
    """The dtypes of a group in words, in order of kind and size."""
    plain = {d for d in dtypes if isinstance(d, np.dtype)}
    return ", ".join(short_name(d) for d in sorted(plain, key=lambda d: (d.kind, d.itemsize)))


# -- operands ----------------------------------------------------------------------------------------------------------

_FLOAT32 = np.dtype("float32")
_constants: dict[float, Tensor] = {}  # float32 tensors of Python floats seen before: 0.4 us saved each time


def meet(x: Any, y: Any) -> tuple[Any, Any]:
    """Two operands, one no plain tensor: a number or array takes the other's dtype where TensorFlow lets it."""
    kind_x, kind_y = type(x), type(y)
    if kind_x is Variable or kind_x is not Tensor and isinstance(x, Variable):
        same = x is y
        x = x.read_value()
        if same:
            return x, x
        kind_x = Tensor
    if kind_y is Variable or kind_y is not Tensor and isinstance(y, Variable):
        y = y.read_value()
        kind_y = Tensor
    if kind_x is Tensor or isinstance(x, Tensor):
        if kind_y is Tensor:
            return x, y
        if kind_y is float and x._value.dtype is _FLOAT32:
            known = _constants.get(y)
            return x, _constant(y) if known is None else known
        return x, convert_like(y, x._value.dtype)
    if kind_y is Tensor or isinstance(y, Tensor):
        if kind_x is float and y._value.dtype is _FLOAT32:
            known = _constants.get(x)
            return _constant(x) if known is None else known, y
        return convert_like(x, y._value.dtype), y
    x = convert_to_tensor(x)
    return x, convert_like(y, x._value.dtype)


def _constant(x: float) -> Tensor:
    out = Tensor()
    out._value = np.float32(x)
    out._key = None
    if x and x == x and len(_constants) < 256:  # never 0 or NaN: -0.0 == 0.0, and NaN is never found again
        _constants[x] = out
    return out


# -- shape rules -------------------------------------------------------------------------------------------------------


def same(x: Any, *attributes: Any) -> Abstract:
    """The shape and dtype of the input."""
    return Abstract(x.shape, x.dtype)


def broadcast(x: Any, y: Any) -> Abstract:
    """The broadcast shape. Raises InvalidArgumentError for shapes that do not broadcast."""
    return Abstract(broadcast_shapes(x.shape, y.shape), x.dtype)


_BOOL = np.dtype("bool")


def same_bool(x: Any) -> Abstract:
    return Abstract(x.shape, _BOOL)


def broadcast_bool(x: Any, y: Any) -> Abstract:
    return Abstract(broadcast_shapes(x.shape, y.shape), _BOOL)


def real_part(x: Any) -> Abstract:
    """The shape of the input, and the dtype of its real part."""
    return Abstract(x.shape, numpy_dtype(as_dtype(x.dtype).real_dtype))


# -- errors ------------------------------------------------------------------------------------------------------------


def mixed_dtypes(op: Op, first: np.dtype, second: np.dtype) -> errors.InvalidArgumentError:
    return errors.failed(
        errors.DtypeMismatchError,
        op.title,
        f"cannot compute {op.title} as input #1(zero-based) was expected to be a {short_name(first)} tensor but is a "
        f"{short_name(second)} tensor; nothing is converted silently: tf.cast one of them",
    )


def refused_dtype(op: Op, dtype: np.dtype, allowed: set) -> errors.InvalidArgumentError:
    hint = "; tf.cast it to tf.float32 first" if dtype.kind in "iub" and _FLOAT32 in allowed else ""
    return errors.invalid(
        op.title,
        f"Value for attr 'T' of {short_name(dtype)} is not in the list of allowed values: {_names(allowed)}{hint}",
    )


# -- what rules share --------------------------------------------------------------------------------------------------


def sum_to(g: Any, shape: tuple) -> Any:
    """The array summed down to a shape that broadcasts to its own: the adjoint of broadcasting.

    Where it is smaller than `shape` (a rule that did not use one of the operands), it is spread instead.
    """
    have = g.shape
    if have == shape:
        return g
    if not shape:
        return np.add.reduce(g, axis=None)
    lead = len(have) - len(shape)
    if lead == 1 and have[1:] == shape:
        return np.add.reduce(g, 0)
    if lead >= 0:
        axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and have[i + lead] != 1)
        if axes:
            g = np.add.reduce(g, axes).reshape(shape)
    if g.shape != shape:
        spread = np.empty(shape, g.dtype)
        spread[...] = g
        return spread
    return g


ARRAYS.sum_to = sum_to  # type: ignore[attr-defined]
