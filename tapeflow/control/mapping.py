"""`tf.map_fn`, `foldl`, `foldr`, `scan`: a function applied along the first dimension of tensors, by a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.tapes import active_tapes
from ..core.type_spec import TensorSpec
from ..ops.extents import shape as shape_of
from .loops import UNROLLED, graph_loop, while_loop
from .tensor_array import TensorArray


def map_fn(
    fn: Callable,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each row of `elems`, the results stacked.

    Arguments:
        fn: a function of a row: of a structure like `elems` with one dimension less each.
        elems: a tensor, or a nest of tensors with equal first dimensions.
        fn_output_signature: the structure of what `fn` returns, of dtypes or `tf.TensorSpec`s; that of `elems` unless
            given. `dtype` is its old name.
        infer_shape: whether all results must have the same shape.
        parallel_iterations, back_prop, swap_memory: have no effect.

    Raises:
        TypeError: `fn` is no function, or returns other containers.
        ValueError: elems are 0-d, or none, or differ in length; results differ from the signature or in shape.
        InvalidArgumentError: results of another dtype.
    """
    _check_callable(fn)
    rows, tensors = _rows(elems)
    for x in tensors:
        if x.shape.rank == 0:
            raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
        if not x.shape[:1].is_compatible_with(tensors[0].shape[:1]):
            raise ValueError(
                f"Dimensions {tensors[0].shape[0]} and {x.shape[0]} are not compatible: the elems of tf.map_fn have "
                "the same first dimension"
            )
    signature = dtype if fn_output_signature is None else fn_output_signature
    if signature is None:
        signature = nest.map_structure(lambda x: convert_to_tensor(x).dtype, elems)
    count = _length(tensors)
    outputs = [_output(spec, count, infer_shape) for spec in nest.flatten(signature)]

    def body(i: Any, outputs: list) -> tuple:
        result = fn(rows(i))
        nest.assert_same_structure(signature, result)
        return i + 1, [ta.write(i, value) for ta, value in zip(outputs, nest.flatten(result), strict=True)]

    _, outputs = _repeated(count, body, 0, outputs)
    return nest.pack_sequence_as(signature, [ta.stack() for ta in outputs])


def foldl(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`a = fn(a, row)` for each row of `elems` in order; the last `a`.

    Arguments:
        fn: a function of what has accumulated and a row, structures both.
        elems: a tensor, or a nest of tensors with equal first dimensions.
        initializer: what `a` is at first; the first row unless given.
        parallel_iterations, back_prop, swap_memory: have no effect.

    Raises TypeError where `fn` is no function, IndexError where elems are 0-d, OutOfRangeError where there is no row
    to begin with, ValueError where `fn` changes the structure of `a`.
    """
    return _fold(fn, elems, initializer, lambda i, count: i)


def foldr(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, from the last row to the first."""
    return _fold(fn, elems, initializer, lambda i, count: count - 1 - i)


def _fold(fn: Callable, elems: Any, initializer: Any, place: Callable) -> Any:
    _check_callable(fn)
    rows, tensors = _rows(elems)
    count = _length(tensors)
    first = 0
    start = initializer
    if start is None:
        first, start = 1, rows(place(0, count))
    return _repeated(count, lambda i, a: (i + 1, fn(a, rows(place(i, count)))), first, start)[1]


def scan(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All that `a = fn(a, row)` takes on for the rows of `elems` in order, stacked.

    Arguments:
        fn: a function of what has accumulated and a row, structures both.
        elems: a tensor, or a nest of tensors with equal first dimensions.
        initializer: what `a` is at first, which is not in the result; the first row, which is, unless given.
        infer_shape: whether `a` must keep its shape.
        reverse: whether to go from the last row to the first; the result stays in the order of the rows.
        parallel_iterations, back_prop, swap_memory: have no effect.

    Raises TypeError where `fn` is no function, IndexError where elems are 0-d, OutOfRangeError where there is no row
    to begin with, ValueError where `fn` changes the structure or the shape of `a`, InvalidArgumentError where it
    changes the dtype.
    """
    _check_callable(fn)
    rows, tensors = _rows(elems)
    count = _length(tensors)

    def place(i: Any) -> Any:
        return count - 1 - i if reverse else i

    first = 0
    start = initializer
    if start is None:
        first, start = 1, rows(place(0))
    like = [convert_to_tensor(a) for a in nest.flatten(start)]
    outputs = [
        TensorArray(a.dtype, count, element_shape=a.shape if infer_shape else None, infer_shape=infer_shape)
        for a in like
    ]
    if initializer is None:
        outputs = [ta.write(place(0), a) for ta, a in zip(outputs, like, strict=True)]

    def body(i: Any, a: Any, outputs: list) -> tuple:
        result = fn(a, rows(place(i)))
        nest.assert_same_structure(start, result)
        at = place(i)
        return i + 1, result, [ta.write(at, value) for ta, value in zip(outputs, nest.flatten(result), strict=True)]

    _, _, outputs = _repeated(count, body, first, start, outputs)
    return nest.pack_sequence_as(start, [ta.stack() for ta in outputs])


# -- rows --------------------------------------------------------------------------------------------------------------


def _repeated(count: Any, body: Callable, first: int, *state: Any) -> Any:
    """The last state, `first` and `state` at first, of a loop with an index below `count`; in a trace, of the graph.

    What a few rows give a trace computes one by one; of no row, it finds out the shape in the loop.
    """
    if active_tapes().trace is None or type(count) is int and 0 < count <= UNROLLED:
        return while_loop(lambda i, *_: i < count, body, (first, *state))
    return graph_loop(lambda i, *_: i < count, body, (convert_to_tensor(first), *state), None, None)


def _rows(elems: Any) -> tuple[Callable, list]:
    """A function from an index to the row of `elems` there, and the tensors of `elems`."""
    tensors = [convert_to_tensor(x) for x in nest.flatten(elems)]
    if not tensors:
        raise ValueError(
            "elems must be a Tensor or (possibly nested) sequence of Tensors. "
            f"Got {elems!r}, which does not contain any Tensors."
        )
    arrays = [
        None
        if x.shape.rank == 0
        else TensorArray(x.dtype, 0, dynamic_size=True, clear_after_read=False, element_shape=x.shape[1:]).unstack(x)
        for x in tensors
    ]

    def row(i: Any) -> Any:
        return (
            nest.pack_sequence_as(elems, [ta.read(i) for ta in arrays]) if nest.is_nested(elems) else arrays[0].read(i)
        )

    return row, tensors


def _length(tensors: Sequence[Any]) -> Any:
    """The first dimension. Raises IndexError for tensors that have none."""
    if tensors[0].shape.rank == 0:
        raise IndexError("The elems of a map, fold or scan need a first dimension to go along; a scalar has none.")
    for x in tensors:
        if x.shape.rank is not None and x.shape[0] is not None:
            return x.shape[0]
    return shape_of(tensors[0])[0]


def _output(spec: Any, count: Any, infer_shape: bool) -> TensorArray:
    if isinstance(spec, TensorSpec):
        return TensorArray(spec.dtype, count, element_shape=spec.shape, infer_shape=infer_shape)
    return TensorArray(as_dtype(spec), count, infer_shape=infer_shape)


def _check_callable(fn: Any) -> None:
    if not callable(fn):
        raise TypeError(f"'fn' must be callable. Received: {fn!r} of type {type(fn).__name__}")
