"""Parts of variables, read and written: `v[i]` with `.assign`, the scatter methods, sparse_read, gather_nd.

An update is worked out and checked before the first element changes, so an error leaves the variable as it was; and it
is made in the variable's own buffer only when nobody else sees that (`Variable.buffer`), in a copy otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import int32
from ..core.indexed_slices import IndexedSlices
from ..core.op import Op
from ..core.shapes import broadcast_shapes, shape_text
from ..core.size import Size, size_of
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, ndarray
from ..core.variable import Variable
from .indexing import bad_index, gather, gather_nd, indices_of
from .scattering import ROW_UPDATES, check_scatter, rows_by, scattered
from .slicing import getitem, numpy_index, spec_of
from .statics import refused_integer

# -- slices ------------------------------------------------------------------------------------------------------------


class VariableSlice(Tensor):
    """The value of a part of a variable, and the way to change that part. Ops see a tensor."""

    __slots__ = ("_variable", "_spec", "_read")
    _level = 3  # ops see the tensor that was read before they see what kind of tensor that is
    _variable: Variable
    _spec: tuple
    _read: Tensor

    @classmethod
    def _interpret(cls, op: Op, inputs: tuple, attributes: tuple) -> Any:
        plain = [x._plain() if isinstance(x, VariableSlice) else x for x in inputs]
        return op.call(plain, *attributes) if op.inputs is None else op.call(*plain, *attributes)

    def assign(self, value: Any, name: str | None = None) -> Variable:
        """Replaces this part of the variable, by a value that broadcasts to its shape. Returns the variable.

        Raises InvalidArgumentError for a shape that does not broadcast, TypeError or ValueError for another dtype.
        """
        return self._update(None, value)

    def assign_add(self, delta: Any, name: str | None = None) -> Variable:
        """Adds to this part of the variable, as it is now. Returns and raises as `assign` does."""
        return self._update(np.add, delta)

    def assign_sub(self, delta: Any, name: str | None = None) -> Variable:
        """Subtracts from this part of the variable, as it is now. Returns and raises as `assign` does."""
        return self._update(np.subtract, delta)

    def _plain(self) -> Tensor:
        """The tensor that was read, or what it would be now."""
        if type(self._read) is not Tensor:
            return self._read
        out = Tensor()
        out._value = self._value
        out._key = self._key
        return out

    def _update(self, combine: Callable | None, value: Any) -> Variable:
        trace = active_tapes().trace
        if trace is not None:
            return trace.method(_change, self._variable, (value, _as_tensors(self._spec), combine), {})
        new = self._variable._operand(value)
        shape = self._value.shape
        try:
            fits = broadcast_shapes(new.shape[max(0, new.ndim - len(shape)) :], shape) == shape
        except errors.InvalidArgumentError:
            fits = False
        if not fits or prod(new.shape[: max(0, new.ndim - len(shape))]) != 1:
            raise errors.invalid(
                "ResourceStridedSliceAssign",
                f"Cannot broadcast input shape {shape_text(new.shape)} into final shape {shape_text(shape)}",
            )
        new = np.asarray(new)
        new = new.reshape(new.shape[max(0, new.ndim - len(shape)) :])
        new = new if new.ndim else new[()]
        index = numpy_index(self._spec)
        # a view of the variable's array would keep it from being changed in place
        self._value = self._value.copy()

        def put(array: ndarray) -> ndarray:
            array[index] = new if combine is None else combine(array[index], new)
            return array

        return _written(self._variable, put)


def _as_tensors(spec: Any) -> Any:
    """A spec with tensors for what is known only when the graph runs."""
    if type(spec) is tuple:
        return tuple([_as_tensors(part) for part in spec])
    return spec.tensor() if type(spec) is Size else spec


def _as_numbers(spec: Any) -> Any:
    if type(spec) is tuple:
        return tuple([_as_numbers(part) for part in spec])
    return size_of(spec) if isinstance(spec, Tensor) else spec


def _change(variable: Variable, value: Any, spec: tuple, combine: Callable | None) -> None:
    part: Any = variable_getitem(variable, numpy_index(_as_numbers(spec)))
    part._update(combine, value)


def variable_getitem(self: Variable, key: Any) -> Tensor:
    """`v[key]`: the part of the value, as for tensors, with methods `assign`, `assign_add` and `assign_sub`.

    A mask of bools gives a plain tensor. Raises as `x[key]` of a tensor does.
    """
    value = getitem(self.read_value(), key)
    part = VariableSlice()
    part._value = value._value
    part._key = value._key
    try:
        part._spec = spec_of(key)
    except TypeError:  # a mask
        return value
    part._variable = self
    part._read = value
    return part


def _written(variable: Variable, put: Callable[[ndarray], ndarray]) -> Variable:
    """Changes the variable's array by `put`, in place or in a copy."""
    buffer = variable.buffer()
    if buffer is None:
        variable._set(flat(put(np.array(variable._tensor._value))))
    else:
        put(buffer)
    return variable


# -- scatter_add and its like: rows ------------------------------------------------------------------------------------


def _divide_rows(xp: Any, out: Any, places: Any, rows: Any) -> Any:
    if rows.dtype.kind not in "iu":
        np.divide.at(out, places, rows)
        return out
    if not rows.all():
        raise errors.invalid("ResourceScatterDiv", "updates must not contain 0")
    for place, row in zip(places.tolist(), rows, strict=True):
        # towards zero, where // goes down
        out[place] = np.sign(out[place]) * np.sign(row) * (abs(out[place]) // abs(row))
    return out


_ROWS = {**ROW_UPDATES, "mul": rows_by("multiply"), "div": _divide_rows}


def _scatter_method(how: str, what: str) -> Callable:
    title = f"ResourceScatter{how.capitalize()}"
    update = _ROWS[how]

    def scatter(
        self: Variable, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Variable:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta!r}")
        places, rows = _rows_of(self, sparse_delta, title)

        def put(array: ndarray) -> ndarray:
            matrix = array.reshape(array.shape[0], prod(array.shape[1:]))
            update(np, matrix, places.reshape(-1), rows.reshape(places.size, -1) if rows.size else rows.reshape(0, 0))
            return array

        return _written(self, put) if places.size and rows.size else self

    return _named(scatter, f"scatter_{how}", what)


def _rows_of(variable: Variable, delta: IndexedSlices, title: str) -> tuple[ndarray, ndarray]:
    """The rows named and what comes to them, checked against the variable; a scalar comes to all of them."""
    at = convert_to_tensor(delta.indices, dtype_hint=int32)
    if at._value.dtype.name not in ("int32", "int64"):
        raise refused_integer(at._value.dtype, title, "Tindices")
    places, rows = np.asarray(at._value), np.asarray(variable._operand(delta.values))
    shape = variable._tensor._value.shape
    if not shape:
        raise errors.invalid(title, f"variable '{variable._name}' is a scalar: it has no rows")
    wanted = (*places.shape, *shape[1:])
    if rows.shape != wanted:
        if rows.shape:
            raise errors.invalid(
                title,
                f"updates have shape {shape_text(rows.shape)}, but indices {shape_text(places.shape)} into variable "
                f"'{variable._name}' of shape {shape_text(shape)} take updates of {shape_text(wanted)} or a scalar",
            )
        rows = np.full(wanted, rows, rows.dtype)
    if ((places < 0) | (places >= shape[0])).any():
        raise bad_index(places, shape[0], title)
    return places, rows


def batch_scatter_update(
    self: Variable, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
) -> Variable:
    """Replaces, in each example of a batch, the entries named: `v[b, indices[b, i]] = values[b, i]`.

    Arguments:
        sparse_delta: IndexedSlices of indices [batch..., n] and values [batch..., n, ...], whose leading dimensions are
            the variable's.

    Returns the variable.

    Raises TypeError for anything else, InvalidArgumentError for shapes and indices that do not fit.
    """
    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta!r}")
    at = np.asarray(indices_of(sparse_delta.indices, "BatchScatterUpdate")._value)
    if at.ndim:
        grid = np.indices(at.shape[:-1], at.dtype).reshape(at.ndim - 1, *at.shape[:-1], 1)
        at = np.stack([*np.broadcast_to(grid, (at.ndim - 1, *at.shape)), at], -1)
    return scatter_nd_update(self, at, sparse_delta.values)


# -- scatter_nd_add and its like: positions ----------------------------------------------------------------------------


def _scatter_nd_method(how: str, what: str) -> Callable:
    title = f"ResourceScatterNd{how.capitalize()}"
    update = ROW_UPDATES[how]

    def scatter_nd(self: Variable, indices: Any, updates: Any, name: str | None = None) -> Variable:
        at = np.asarray(indices_of(indices, title)._value)
        rows = np.asarray(self._operand(updates))
        check_scatter(at, rows, self._tensor._value.shape, title)
        return _written(self, lambda array: scattered(np, update, array, at, rows))

    return _named(scatter_nd, f"scatter_nd_{how}", what)


# -- reading by position -----------------------------------------------------------------------------------------------


def sparse_read(self: Variable, indices: Any, name: str | None = None) -> Tensor:
    """The rows at the indices, as `tf.gather` gives them."""
    return gather(self.read_value(), indices, axis=0)


def _gather_nd_of_a_variable(self: Variable, indices: Any, name: str | None = None) -> Tensor:
    """The parts at the positions given, as `tf.gather_nd` gives them."""
    return gather_nd(self.read_value(), indices)


# -- attached to the class ---------------------------------------------------------------------------------------------


def _named(method: Callable, name: str, what: str) -> Callable:
    method.__name__ = method.__qualname__ = name
    arguments = (
        "indices [..., depth], each a position in the first `depth` dimensions; updates of shape\n"
        "        indices.shape[:-1] + v.shape[depth:]."
        if "_nd_" in name
        else "sparse_delta, tf.IndexedSlices: rows `indices`, what comes to each `values` (or a scalar for all)."
    )
    method.__doc__ = f"""{what} Returns the variable.

    Arguments:
        {arguments}

    Raises InvalidArgumentError for positions out of range and shapes that do not fit, TypeError or ValueError for
    values of another dtype; the variable is then as it was.
    """
    return method


_WHAT = {
    "add": "Adds to the parts named; what comes to one of them adds up.",
    "sub": "Subtracts from the parts named; what comes to one of them adds up.",
    "update": "Replaces the parts named; of several values for one of them the last counts.",
    "max": "Makes each part named the greater of itself and what comes to it.",
    "min": "Makes each part named the lesser of itself and what comes to it.",
    "mul": "Multiplies the parts named.",
    "div": "Divides the parts named; integers towards zero.",
}
scatter_nd_update = _scatter_nd_method("update", _WHAT["update"])


def _traceable(method: Callable) -> Callable:
    """The method, which in a trace becomes an effect of the graph."""

    @wraps(method)
    def call(self: Variable, *args: Any, **kwargs: Any) -> Variable:
        trace = active_tapes().trace
        return method(self, *args, **kwargs) if trace is None else trace.method(method, self, args, kwargs)

    return call


for _how, _what in _WHAT.items():
    setattr(Variable, f"scatter_{_how}", _traceable(_scatter_method(_how, _what)))
    if _how in ROW_UPDATES:
        setattr(Variable, f"scatter_nd_{_how}", _traceable(_scatter_nd_method(_how, _what)))
Variable.batch_scatter_update = _traceable(batch_scatter_update)
Variable.sparse_read = sparse_read
Variable.gather_nd = _gather_nd_of_a_variable
Variable.__getitem__ = variable_getitem
