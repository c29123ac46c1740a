"""TensorArrays whose elements are not known one by one while tracing: their list is one value of the graph.

A TensorArray in a trace is a Python list of tensors as long as its size and all indices are known. It comes here with
the first that is symbolic, and where it goes into a loop or branch of the graph.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from ..core.convert import convert_to_tensor
from ..core.dtypes import numpy_dtype
from ..core.shapes import TensorShape
from ..core.size import known
from ..core.tapes import active_tapes, pop_stack, push_stack
from ..core.tensor import Tensor, wrap
from ..core.tensor_list import ZERO
from ..graph.lists import CONCAT, FROM, GET, NEW, PUT, SIZE, SPLIT, STACK, UNSTACK
from ..graph.trace import user_place
from .tensor_array import TensorArray


def new(size: Tensor) -> Tensor:
    """An empty list."""
    return NEW.call([size])


def list_of(ta: TensorArray) -> Tensor:
    """The list that a TensorArray is; of one whose elements are known, made where they were, not in each iteration."""
    if ta._list is not None:
        return ta._list
    trace = active_tapes().trace
    home, inner = trace, None
    while home.parent is not None and home is not ta._home:
        home, inner = home.parent, home
    if ta._made is None or ta._made[0] is not home:
        token = push_stack(active_tapes() if inner is None else inner.around)
        try:
            places = [i for i, x in enumerate(ta._items) if x is not None]
            if places:
                made = FROM.call([ta._items[i] for i in places], tuple(places), len(ta._items))
            else:
                made = NEW.call([wrap(np.int32(len(ta._items)))])
        finally:
            pop_stack(token)
        ta._made = home, made
    return ta._made[1]


def with_list(ta: TensorArray, made: Tensor, size: Any = None) -> TensorArray:
    """The TensorArray with another list."""
    after = copy(ta)
    after._items, after._read, after._made = [], set(), None
    after._list, after._size = made, size
    return after


def size_of(ta: TensorArray) -> int | None:
    """The number of elements, where it is known while tracing."""
    return ta._size if ta._list is not None else len(ta._items)


# -- its methods -------------------------------------------------------------------------------------------------------


def size(ta: TensorArray) -> Tensor:
    """How many elements there are."""
    return wrap(np.int32(ta._size)) if ta._size is not None else SIZE.call([ta._list])


def write(ta: TensorArray, index: Any, value: Any) -> TensorArray:
    """The array with a tensor at an index."""
    after = with_list(ta, list_of(ta), None if ta._dynamic else size_of(ta))
    x = after._element(value)
    after._list = PUT.call([after._list, convert_to_tensor(index), x], ta._dynamic)
    return after


def scatter(ta: TensorArray, indices: Tensor, x: Tensor) -> TensorArray:
    """The array with the rows of a tensor at these indices."""
    after = with_list(ta, list_of(ta), None if ta._dynamic else size_of(ta))
    _check_rows(after, x)
    after._list = PUT.call([after._list, indices, x], ta._dynamic)
    return after


def read(ta: TensorArray, index: Any) -> Tensor:
    """The tensor at an index, or those at several, stacked."""
    return GET.call([list_of(ta), convert_to_tensor(index)], *_kind(ta), True)


def stack(ta: TensorArray) -> Tensor:
    """All elements as one tensor."""
    return STACK.call([list_of(ta)], size_of(ta), *_kind(ta))


def concat(ta: TensorArray) -> Tensor:
    """The elements one after the other along their first dimension."""
    return CONCAT.call([list_of(ta)], *_kind(ta))[0]


def unstack(ta: TensorArray, x: Tensor, rows: int | None) -> TensorArray:
    """The array of the rows of a tensor."""
    before = size_of(ta)
    if rows is not None and before is not None and rows > before and not ta._dynamic:
        raise ValueError(f"Cannot unstack {rows} tensors into a TensorArray of static size {before}")
    after = with_list(ta, UNSTACK.call([x]), rows)
    _check_rows(after, x)
    return after


def split(ta: TensorArray, x: Tensor, lengths: Tensor) -> TensorArray:
    """The array of parts of a tensor."""
    count = lengths.shape[0] if lengths.shape.rank is not None else None
    after = with_list(ta, SPLIT.call([x, lengths]), count)
    if after._shape.rank is None and x.shape.rank is not None:
        after._shape = TensorShape([None, *x.shape[1:]])
    return after


def _kind(ta: TensorArray) -> tuple:
    return ta._shape._dims, numpy_dtype(ta._dtype)


def _check_rows(ta: TensorArray, x: Tensor) -> None:
    """Takes the rows of a tensor for elements."""
    dims = known(x._value.shape)
    ta._takes(x.dtype, TensorShape(None if dims is None else dims[1:]))


# -- in and out of loops and branches ----------------------------------------------------------------------------------


def as_value(leaf: Any) -> Any:
    """A leaf of loop variables or of a branch's result as what a graph takes: a TensorArray as its list."""
    return list_of(leaf) if isinstance(leaf, TensorArray) else leaf


def as_leaf(made: Any, like: Any) -> Any:
    """The other way: a TensorArray of a list, with what is known of the TensorArray `like`."""
    return with_list(like, made, None if like._dynamic else size_of(like)) if isinstance(like, TensorArray) else made


def either(a: Any, b: Any, name: str) -> Any:
    """What holds of two leaves that a graph takes one of, or one after the other: the first, or of TensorArrays both.

    Raises TypeError where one alone is a TensorArray, or they differ in dtype.
    """
    if not isinstance(a, TensorArray) and not isinstance(b, TensorArray):
        return a
    if not isinstance(a, TensorArray) or not isinstance(b, TensorArray):
        other = b if isinstance(a, TensorArray) else a
        raise TypeError(f"{name} is a TensorArray, and elsewhere {other!r} (at {user_place()})")
    if a._dtype != b._dtype:
        raise TypeError(
            f"{name} is a TensorArray of {a._dtype.name}, and elsewhere one of {b._dtype.name} (at {user_place()})"
        )
    made = copy(a)
    made._dynamic = a._dynamic or b._dynamic
    if a._shape.rank is None or b._shape.rank is None:  # nothing was written to one, or shapes are not told
        made._shape = (b if a._shape.rank is None else a)._shape if a._infer_shape else TensorShape(None)
    else:
        made._shape = a._shape.most_specific_compatible_shape(b._shape)
    sizes = {size_of(a), size_of(b)}
    return with_list(made, wrap(ZERO), sizes.pop() if len(sizes) == 1 else None)
