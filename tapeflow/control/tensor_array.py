"""`tf.TensorArray`: a list of tensors of one dtype, written and read one by one, stacked and taken apart whole."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from operator import index as as_index
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.shapes import TensorShape
from ..core.tapes import active_tapes
from ..core.tensor import Tensor, flat, wrap
from ..ops.joining import concat, split, stack, unstack

_FEW = 64  # rows that a graph takes apart one by one


class TensorArray:
    """A list of tensors of one dtype.

        ta = tf.TensorArray(tf.float32, size=3)
        for i in range(3):
            ta = ta.write(i, x * i)
        y = ta.stack()

    `write`, `scatter`, `split` and `unstack` return the array to go on with. Gradients flow through all of it. In a
    trace size and indices may be symbolic, and it may be a variable of a loop and the result of a branch.

    Arguments:
        dtype: of the elements.
        size: how many elements there are at first.
        dynamic_size: whether writing beyond the end makes it longer.
        clear_after_read: whether `read` removes what it gives (True unless given), which may then not be read again.
        infer_shape: whether all elements must have the shape of the first one written.
        element_shape: the shape of the elements, as far as it is known.
        tensor_array_name, handle, flow, colocate_with_first_write_call, name: have no effect.

    Raises TypeError for what is no dtype or no size, ValueError where the size is missing.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self._dtype = as_dtype(dtype)
        if size is None:
            raise ValueError("Size must be declared for TensorArrays: tf.TensorArray(dtype, size=n).")
        self._dynamic = bool(dynamic_size)
        self._clears = clear_after_read is None or bool(clear_after_read)
        self._infer_shape = bool(infer_shape)
        self._shape = TensorShape(element_shape)
        self._items: list[Tensor | None] = []
        self._read: set[int] = set()
        # in a trace: the list that the elements are in, once they are not known one by one; and how many there are
        self._list: Tensor | None = None
        self._size: int | None = None
        self._home: Any = active_tapes().trace
        self._made: tuple[Any, Tensor] | None = None
        if _is_symbolic(size):
            self._list = _graph().new(size)
        else:
            self._items = [None] * max(as_index(size), 0)

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether writing beyond the end makes the array longer."""
        return self._dynamic

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the shape of the elements."""
        return self._shape

    @property
    def handle(self) -> None:
        """None: there is no resource behind it."""
        return None

    @property
    def flow(self) -> Tensor:
        """A tensor that stands for the order of what is done with it: the int32 0."""
        return wrap(np.int32(0))

    def identity(self) -> TensorArray:
        """The array itself."""
        return self

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are, an int32."""
        if self._list is not None:
            return _graph().size(self)
        return wrap(np.int32(len(self._items)))

    def close(self, name: str | None = None) -> None:
        """Forgets all elements."""
        self._items.clear()
        self._list = self._made = None

    # -- one element --

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Puts a tensor at an index. Returns the array to go on with.

        Raises OutOfRangeError for an index below 0, or beyond the end where the size is not dynamic, ValueError for
        another shape, InvalidArgumentError for another dtype.
        """
        if self._list is not None or _is_symbolic(index):
            return _graph().write(self, index, value)
        at = as_index(index)
        after = self._next()
        items = after._items
        if at < 0:
            raise _out_of_range(f"Writing to negative indices (index {at}) is not allowed.")
        if at >= len(items):
            if not self._dynamic:
                raise _out_of_range(
                    f"Tried to write to index {at} but array is not resizeable and size is: {len(items)}; "
                    "tf.TensorArray(..., dynamic_size=True) grows as it is written."
                )
            items.extend([None] * (at + 1 - len(items)))
        items[at] = after._element(value)
        after._read.discard(at)
        return after

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The tensor at an index: zeros where none was written and the shape of the elements is known.

        Raises OutOfRangeError for an index out of range, InvalidArgumentError for one read before (where reading
        clears), ValueError for one never written.
        """
        if self._list is not None or _is_symbolic(index):
            return _graph().read(self, index)
        at = as_index(index)
        if at < 0:
            raise _out_of_range(f"Reading from negative indices (index {at}) is not allowed.")
        if at >= len(self._items):
            raise _out_of_range(f"Tried to read from index {at} but array size is: {len(self._items)}")
        if at in self._read:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Could not read index {at} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?)",
            )
        value = self._at(at)
        if self._clears and active_tapes().trace is None:
            self._read.add(at)
            self._items[at] = None
        return value

    # -- all elements, or some --

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor, [size, *element_shape]. Raises as `read` does for elements never written."""
        if self._list is not None:
            return _graph().stack(self)
        return self._stacked(range(len(self._items)))

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at these indices as one tensor, [len(indices), *element_shape]. Raises as `read` does."""
        if self._list is not None or _is_symbolic(indices):
            return _graph().read(self, _vector(indices))
        wanted = _indices(indices)
        for at in wanted:
            if not 0 <= at < len(self._items):
                raise _out_of_range(f"Tried to read from index {at} but array size is: {len(self._items)}")
        return self._stacked(wanted)

    def concat(self, name: str | None = None) -> Tensor:
        """The elements one after the other along their first dimension.

        Raises InvalidArgumentError for elements without a dimension, and where there is no element.
        """
        if self._list is not None:
            return _graph().concat(self)
        parts = [self._at(i) for i in range(len(self._items))]
        for i, part in enumerate(parts):
            if not part._value.shape:
                raise errors.InvalidArgumentError(
                    None, None, f"Concat saw a scalar shape at index {i} but requires at least vectors."
                )
        return concat(parts, 0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Makes the rows of a tensor the elements. Returns the array to go on with.

        Raises ValueError for a 0-d tensor, and for more rows than there are elements where the size is not dynamic.
        """
        x = convert_to_tensor(value)
        shape = x._value.shape
        if shape == ():
            raise ValueError("Cannot unstack a scalar into a TensorArray: it has no first dimension.")
        rows = None if shape is None else shape[0]
        if self._list is not None or type(rows) is not int or rows > _FEW and active_tapes().trace is not None:
            return _graph().unstack(self, x, rows if type(rows) is int else None)
        if rows > len(self._items) and not self._dynamic:
            raise ValueError(f"Cannot unstack {rows} tensors into a TensorArray of static size {len(self._items)}")
        after = self._next()
        after._items[:] = [after._element(row) for row in unstack(x)]
        after._read.clear()
        return after

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Writes the rows of a tensor to these indices. Returns and raises as `write` does."""
        x = convert_to_tensor(value)
        if self._list is not None or _is_symbolic(indices) or x.shape.rank is None or x.shape[0] is None:
            return _graph().scatter(self, _vector(indices), x)
        after = self
        for at, row in zip(_indices(indices), unstack(x)):
            after = after.write(at, row)
        return after

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Makes parts of a tensor, of these lengths along its first dimension, the elements.

        Returns the array to go on with. Raises InvalidArgumentError where the lengths do not add up to it, ValueError
        for more parts than elements where the size is not dynamic.
        """
        x = convert_to_tensor(value, self._dtype)
        if self._list is not None or _is_symbolic(lengths) or x.shape.rank is None or x.shape[0] is None:
            return _graph().split(self, x, _vector(lengths))
        sizes = _indices(lengths)
        if not x._value.shape or sum(sizes) != x._value.shape[0]:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {sum(sizes)} and "
                f"value's shape is: {list(x._value.shape)}",
            )
        if len(sizes) > len(self._items) and not self._dynamic:
            raise ValueError(f"Cannot split {len(sizes)} tensors into a TensorArray of static size {len(self._items)}")
        after = self._next()
        after._items[:] = split(x, sizes) if sizes else []
        after._read.clear()
        return after

    # -- within --

    def _next(self) -> TensorArray:
        """What the next write changes: in a trace a copy, since a branch or an iteration may be traced in vain."""
        if active_tapes().trace is None:
            return self
        after = copy(self)
        after._items, after._read = list(self._items), set(self._read)
        after._home, after._made = active_tapes().trace, None
        return after

    def _element(self, value: Any) -> Tensor:
        """A value to be written, checked; from now on the shape of the elements is known by it."""
        x = convert_to_tensor(value, dtype_hint=self._dtype)
        self._takes(x.dtype, x.shape)
        return x

    def _takes(self, dtype: DType, shape: TensorShape) -> None:
        """Raises for an element of another dtype or shape."""
        if dtype != self._dtype:
            raise errors.InvalidArgumentError(
                None, None, f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype {dtype.name}"
            )
        if not self._shape.is_compatible_with(shape):
            raise ValueError(f"Incompatible shape for value ({shape}), expected ({self._shape})")
        if self._infer_shape:
            self._shape = self._shape.merge_with(shape)

    def _at(self, index: int) -> Tensor:
        value = self._items[index]
        return self._zeros() if value is None else value

    def _zeros(self) -> Tensor:
        if not self._shape.is_fully_defined():
            raise ValueError(
                f"There is no element to read: nothing was written, and the shape of the elements, {self._shape}, is "
                "not known. tf.TensorArray(..., element_shape=...) gives one."
            )
        return _zeros(self._shape._dims, self._dtype)

    def _stacked(self, indices: Sequence[int]) -> Tensor:
        if not indices:
            dims = self._shape._dims if self._shape.is_fully_defined() else ()
            return _zeros((0, *dims), self._dtype)  # type: ignore[misc]
        return stack([self._at(i) for i in indices])


def _zeros(dims: Any, dtype: DType) -> Tensor:
    if dtype.name != "string":
        return wrap(flat(np.zeros(dims, dtype.as_numpy_dtype)))
    array = np.empty(dims, object)
    array.fill(b"")
    return wrap(array)


def _is_symbolic(given: Any) -> bool:
    """Whether there is a tensor in it that only the running graph will know."""
    if isinstance(given, (list, tuple)):
        return any(map(_is_symbolic, given))
    return isinstance(given, Tensor) and type(given) is not Tensor


def _graph() -> Any:
    from . import graph_arrays  # graphs are of no use to a program that traces nothing

    return graph_arrays


def _vector(given: Any) -> Tensor:
    return convert_to_tensor(given) if isinstance(given, Tensor) or len(given) else wrap(np.zeros(0, np.int32))


def _indices(given: Any) -> list[int]:
    if isinstance(given, (list, tuple)) and not given:
        return []
    return np.asarray(convert_to_tensor(given)._value).tolist()


def _out_of_range(message: str) -> errors.OutOfRangeError:
    return errors.OutOfRangeError(None, None, message)
