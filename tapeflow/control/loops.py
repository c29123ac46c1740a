"""`tf.while_loop`: a loop whose state is a structure of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors, nest
from ..core.convert import convert_to_tensor
from ..core.indexed_slices import IndexedSlices
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..ops.casting import cast
from ..ops.comparison import logical_and
from .tensor_array import TensorArray

UNROLLED = 64  # iterations of a loop known while tracing that a graph has one by one


def while_loop(
    cond: Callable,
    body: Callable,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Runs `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` is true; the last `loop_vars`.

    Arguments:
        cond: a function of the loop variables that gives a bool, or a tensor of one element.
        body: a function of the loop variables that gives new ones, in the same structure.
        loop_vars: a list or tuple of tensors, TensorArrays and nests of them.
        shape_invariants: a structure like `loop_vars` of the shapes that hold in every iteration. Only a trace asks.
        maximum_iterations: how often `body` runs at most, a scalar.
        parallel_iterations, back_prop, swap_memory: have no effect.

    Returns what `body` returned last, with tensors; of a structure like `loop_vars`.

    Raises TypeError where `cond` or `body` is no function or containers change their type, ValueError where there are
    no loop variables or the structure changes.
    """
    if not callable(cond):
        raise TypeError(f"'cond' must be callable. tf.while_loop received: {cond!r}")
    if not callable(body):
        raise TypeError(f"'body' must be callable. tf.while_loop received: {body!r}")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    if not isinstance(loop_vars, (list, tuple)) or not loop_vars:
        raise ValueError(f"'loop_vars' must be provided: a list or tuple of tensors. Received: {loop_vars!r}")
    limit = None if maximum_iterations is None else _limit(maximum_iterations)
    if active_tapes().trace is not None:
        return traced_loop(cond, body, loop_vars, shape_invariants, limit)
    done = 0
    state: Any = loop_vars
    while (limit is None or done < limit) and is_true(cond(*state)):
        state = next_state(body(*state), loop_vars)
        done += 1
    return nest.map_structure(as_loop_variable, state)


def traced_loop(cond: Callable, body: Callable, loop_vars: Any, shape_invariants: Any, limit: Any) -> Any:
    """`while_loop` in a trace: unrolled as long as its condition is known, but for loops of many iterations."""
    state: Any = loop_vars
    done = 0
    while type(limit) is int or limit is None:
        if limit is not None and done >= limit:
            return nest.map_structure(as_loop_variable, state)
        test = cond(*state)
        if isinstance(test, (list, tuple)):
            test = convert_to_tensor(test)
        if isinstance(test, Tensor) and type(test) is not Tensor:
            break
        if not test:
            return nest.map_structure(as_loop_variable, state)
        if done >= UNROLLED:
            break
        state = next_state(body(*state), loop_vars)
        done += 1
    return graph_loop(cond, body, state, shape_invariants, limit if type(limit) is not int else limit - done)


def graph_loop(cond: Callable, body: Callable, state: Any, shape_invariants: Any, limit: Any) -> Any:
    """`while_loop` as one node of the graph that is traced."""
    from ..graph.trace import user_place
    from . import graph_arrays, graph_loops

    leaves = nest.flatten(state)
    for leaf in leaves:
        if isinstance(leaf, IndexedSlices):
            raise errors.UnimplementedError(
                None,
                None,
                "IndexedSlices as a variable of a loop whose number of iterations is not known while tracing: make a "
                "tensor of them with tf.convert_to_tensor",
            )
    variables = [convert_to_tensor(graph_arrays.as_value(leaf)) for leaf in leaves]
    names = graph_loops.labels(body, state)
    shapes = graph_loops.invariants(shape_invariants, variables, names)
    after = list(leaves)  # what the last trace of the body made of TensorArrays

    def step(flat: Any) -> list:
        given = [graph_arrays.as_leaf(x, leaf) for x, leaf in zip(flat, leaves, strict=True)]
        result = body(*nest.pack_sequence_as(state, given))
        try:
            returned = nest.flatten(next_state(result, state))
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"The body of a loop returns other loop variables than it gets (at {user_place()}): {error}"
            ) from None
        after[:] = [
            graph_arrays.either(leaf, x, f"loop variable {name}")
            for name, leaf, x in zip(names, leaves, returned, strict=True)
        ]
        made = [
            x if isinstance(x, Tensor) else convert_to_tensor(graph_arrays.as_value(x), dtype_hint=v.dtype)
            for x, v in zip(returned, variables, strict=True)
        ]
        graph_loops.check_next(variables, made, shapes, names)
        return made

    def test(flat: Any) -> Any:
        given = [graph_arrays.as_leaf(x, leaf) for x, leaf in zip(flat, leaves, strict=True)]
        return graph_loops.as_bool(cond(*nest.pack_sequence_as(state, given)))

    def packed(made: list) -> Any:
        found = [graph_arrays.as_leaf(x, leaf) for x, leaf in zip(made, after, strict=True)]
        return nest.pack_sequence_as(state, found)

    if limit is None:
        made = graph_loops.loop(lambda flat: [test(flat)], step, variables, shapes)
        return packed(made)
    counter, most = convert_to_tensor(0), cast(limit, "int32")
    made = graph_loops.loop(
        lambda flat: [logical_and(flat[0] < most, test(flat[1:]))],
        lambda flat: [flat[0] + 1, *step(flat[1:])],
        [counter, *variables],
        [counter.shape, *shapes],
    )
    return packed(made[1:])


def is_true(value: Any) -> bool:
    """The truth of what a condition returned: a bool, or a tensor or list of one element."""
    return bool(convert_to_tensor(value) if isinstance(value, (list, tuple)) else value)


def next_state(returned: Any, before: Any) -> Any:
    """What a body returned, as the loop variables `before`. Raises where it is of another structure."""
    if not isinstance(returned, (list, tuple)):
        if len(before) != 1:
            raise ValueError(
                f"The body of a loop returns its {len(before)} loop variables in a list or tuple, not {returned!r}."
            )
        returned = [returned]
    nest.assert_same_structure(list(before), list(returned))
    return returned


def as_loop_variable(leaf: Any) -> Any:
    """A leaf of the loop variables as a tensor; TensorArrays and IndexedSlices as they are."""
    return leaf if isinstance(leaf, (TensorArray, IndexedSlices)) else convert_to_tensor(leaf)


def _limit(maximum_iterations: Any) -> Any:
    """The largest number of iterations: a number, or in a trace perhaps a symbolic tensor."""
    limit = convert_to_tensor(maximum_iterations)
    if limit._value.shape not in ((), None):
        raise ValueError(f"'maximum_iterations' must be a scalar. Received shape: {limit._value.shape}")
    return int(np.ceil(limit._value)) if type(limit) is Tensor else limit
