"""What AutoGraph makes of Python's statements: `if`, `while`, `for` and the rest over tensors, or as Python has them.

A converted function hands the bodies of its statements over as functions, with a pair that reads and writes the
variables that they change. Conditions that are known while tracing are Python's; what a symbolic tensor decides becomes
a branch or a loop of the graph, whose values are these variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.op import TENSORS
from ..core.size import known
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..core.variable import Variable
from ..graph.trace import Symbolic, Trace, user_place
from ..ops.assertions import Assert
from ..ops.casting import cast
from ..ops.comparison import logical_and, logical_not, logical_or
from ..ops.creation import range_
from ..ops.extents import shape as shape_of
from ..ops.sorting import sort
from . import graph_loops, returns
from .graph_arrays import as_leaf, as_value, either
from .graph_branches import branches, joined, traced
from .tensor_array import TensorArray

_UNROLLED = 64  # iterations over a known tensor that a graph has one by one


def _symbolic(x: Any) -> bool:
    return isinstance(x, Symbolic)


def _undefined(x: Any) -> bool:
    return type(x).__name__ in ("Undefined", "UndefinedReturnValue")


# -- if ----------------------------------------------------------------------------------------------------------------


def if_stmt(
    cond: Any, body: Callable, orelse: Callable, get_state: Callable, set_state: Callable, names: tuple, count: int
) -> None:
    """`if cond: body else: orelse`. The first `count` of the variables called `names` are read afterwards.

    Raises ValueError for a variable that only one branch sets, TypeError where the branches' values differ in dtype.
    """
    if isinstance(cond, Variable):
        cond = cond.read_value()
    if not _symbolic(cond):
        body() if cond else orelse()
        return
    before = get_state()

    def run(branch: Callable) -> Callable:
        def function() -> tuple:
            set_state(before)
            branch()
            return get_state()[:count]

        return function

    try:
        parts, (yes, no) = traced([run(body), run(orelse)])
    finally:
        set_state(before)
    chosen: list = []  # for each variable a structure, whose leaves are values, or numbers of the branch's outputs
    sides: tuple[list, list] = [], []
    for name, a, b in zip(names, yes, no, strict=False):
        chosen.append(_merged(name, a, b, parts, sides))
    outputs = joined(cond, parts, sides)
    after = [nest.map_structure(lambda leaf: leaf.of(outputs) if type(leaf) is _At else leaf, each) for each in chosen]
    for name, flag, *both in zip(names, after, yes, no, strict=False):
        if name.startswith(returns.FLAG):
            returns.noted(flag, cond, tuple(both))
    set_state((*after, *before[count:]))


class _At:
    """Stands for an output of a branch, which is a tensor, or the list of a TensorArray like another."""

    __slots__ = ("i", "like")

    def __init__(self, i: int, like: Any = None) -> None:
        self.i = i
        self.like = like

    def of(self, outputs: list[Tensor]) -> Any:
        return as_leaf(outputs[self.i], self.like)


def _merged(name: str, a: Any, b: Any, parts: list[Trace], sides: tuple[list, list]) -> Any:
    """What a variable is after a branch: the same Python value, or an output that is added to both sides."""
    if _undefined(a) or _undefined(b) or (a is None) != (b is None):
        return _of_one_side(name, a, b, parts, sides)
    if a is b:
        return a
    try:
        nest.assert_same_structure(a, b)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"'{name}' must have the same nested structure in the main and else branches (at {user_place()}): {error}"
        ) from None
    return nest.map_structure(lambda x, y: _merged_leaf(name, x, y, parts, sides), a, b)


def _merged_leaf(name: str, a: Any, b: Any, parts: list[Trace], sides: tuple[list, list]) -> Any:
    like = either(a, b, f"'{name}'") if isinstance(a, TensorArray) or isinstance(b, TensorArray) else None
    if like is not None and a is not b:
        with parts[0]:
            x = as_value(a)
        with parts[1]:
            y = as_value(b)
        return _output(x, y, sides, like)
    plain = not isinstance(a, (Tensor, Variable, np.ndarray)) and not isinstance(b, (Tensor, Variable, np.ndarray))
    if a is b or plain and type(a) is type(b) and a == b:
        return a
    if plain and not (_number(a) and _number(b)):
        raise TypeError(
            f"'{name}' is {a!r} after one branch and {b!r} after the other, of an `if` that depends on a tensor (at "
            f"{user_place()}). Only tensors and numbers can be chosen while the graph runs."
        )
    with parts[0]:
        x = convert_to_tensor(a, dtype_hint=None if _number(b) else b.dtype)
    with parts[1]:
        y = convert_to_tensor(b, dtype_hint=x.dtype)
    if x._value.dtype != y._value.dtype:
        raise TypeError(
            f"'{name}' must have the same dtype in the main and else branches (at {user_place()}). They are "
            f"{x.dtype.name} and {y.dtype.name}: tf.cast one of them."
        )
    return _output(x, y, sides)


def _of_one_side(name: str, a: Any, b: Any, parts: list[Trace], sides: tuple[list, list]) -> Any:
    """A variable without a value on one side: what a `return` gives may wait, anything else must have one."""
    absent = _undefined(a) or a is None
    if (_undefined(a) or a is None) and (_undefined(b) or b is None):
        return b if _undefined(a) else a
    value, part = (b, parts[0]) if absent else (a, parts[1])
    if name.startswith("retval_") and not (_undefined(a) or _undefined(b)):
        raise ValueError(
            f"A function must not return None in one case and a value in another (at {user_place()}): the `if` depends "
            "on a tensor, so both branches are part of the graph."
        )
    if not name.startswith("retval_"):
        raise ValueError(
            f"'{name}' must also be initialized in the {'main' if absent else 'else'} branch (at {user_place()}): the "
            "`if` depends on a tensor, so both branches are part of the graph."
        )

    def leaf(x: Any) -> _At:
        with parts[1] if absent else parts[0]:
            given = convert_to_tensor(x)
        with part:
            zeros = _zeros(given)
        return _output(zeros, given, sides) if absent else _output(given, zeros, sides)

    return nest.map_structure(leaf, value)


def _output(x: Tensor, y: Tensor, sides: tuple[list, list], like: Any = None) -> _At:
    sides[0].append(x)
    sides[1].append(y)
    return _At(len(sides[0]) - 1, like)


def _number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex, np.generic))


# -- while and for -----------------------------------------------------------------------------------------------------


def while_stmt(
    test: Callable, body: Callable, get_state: Callable, set_state: Callable, names: tuple, options: dict
) -> None:
    """`while test: body`. Raises ValueError and TypeError where a variable changes its shape or dtype in the loop."""
    done = 0
    while True:
        going = test()
        if isinstance(going, Variable):
            going = going.read_value()
        if _symbolic(going):
            break
        if not going:
            return
        if isinstance(going, Tensor) and done >= _UNROLLED and active_tapes().trace is not None:
            break
        body()
        done += 1
    _loop(test, body, get_state, set_state, names, options)


def for_stmt(
    iterated: Any,
    extra_test: Callable | None,
    body: Callable,
    get_state: Callable,
    set_state: Callable,
    names: tuple,
    options: dict,
) -> None:
    """`for x in iterated: body(x)`, as long as `extra_test` is true: a `break` or `return` makes it false.

    Raises as `while_stmt` does.
    """
    if isinstance(iterated, Variable):
        iterated = iterated.read_value()
    rows = _rows(iterated)
    if rows is None:
        _each(iterated, extra_test, body, get_state, set_state, names)
        return
    at = convert_to_tensor(0)

    def test() -> Any:
        inside = at < rows
        return inside if extra_test is None else and_(lambda: inside, extra_test)

    def step() -> None:
        nonlocal at
        body(TENSORS.gather(iterated, at, 0, 0))  # type: ignore[attr-defined]
        at = at + 1

    def get() -> tuple:
        return (at, *get_state())

    def put(values: tuple) -> None:
        nonlocal at
        at, *rest = values
        set_state(tuple(rest))

    _loop(test, step, get, put, ("the index", *names), options)


def _rows(iterated: Any) -> Any:
    """The number of rows of a tensor that the graph is to loop over; None for what Python iterates over."""
    if not isinstance(iterated, Tensor) or active_tapes().trace is None:
        return None
    shape = known(iterated._value.shape)
    if shape == ():
        raise TypeError("Cannot iterate over a scalar tensor.")
    if shape is None or shape[0] is None:
        return shape_of(iterated)[0]
    return shape[0] if shape[0] > _UNROLLED else None


def _each(
    iterated: Iterable,
    extra_test: Callable | None,
    body: Callable,
    get_state: Callable,
    set_state: Callable,
    names: tuple,
) -> None:
    items = [iterated[i] for i in range(len(iterated))] if _symbolic(iterated) else iterated  # type: ignore[index, arg-type]
    for item in items:
        going = True if extra_test is None else extra_test()
        if _symbolic(going):  # a `break` that depends on a tensor: what is left is skipped in the graph
            if_stmt(going, lambda item=item: body(item), lambda: None, get_state, set_state, names, len(names))
        elif going:
            body(item)
        else:
            return


def _loop(
    test: Callable, body: Callable, get_state: Callable, set_state: Callable, names: tuple, options: dict
) -> None:
    """A loop of the graph, over the variables that are tensors or numbers."""
    before, late, fillings = _filled(get_state, set_state, body, names)
    options = {**options, "shape_invariants": [*options.get("shape_invariants", ()), *fillings]}
    if late:
        _once(test, body, get_state, set_state, names, options, before, late)
        return
    leaves = nest.flatten(before)
    kinds = (Tensor, Variable, np.ndarray, TensorArray, str, bytes)
    places = [i for i, leaf in enumerate(leaves) if _number(leaf) or isinstance(leaf, kinds)]
    variables = [convert_to_tensor(as_value(leaves[i])) for i in places]
    arrays = dict(enumerate(leaves))  # what is known of TensorArrays after the body
    given = {id(v): s for v, s in options.get("shape_invariants", ())}
    shapes = [
        graph_loops.TensorShape(given.get(id(leaves[i]), known(v._value.shape))) for i, v in zip(places, variables)
    ]
    of_leaf = [name for name, each in zip(names, before, strict=True) for _ in nest.flatten(each)]

    def put(flat: Any) -> None:
        filled = list(leaves)
        for i, x in zip(places, flat, strict=True):
            filled[i] = as_leaf(x, arrays[i])
        set_state(nest.pack_sequence_as(before, filled))

    def step(flat: Any) -> list:
        arrays.update(enumerate(leaves))
        put(flat)
        body()
        state = get_state()
        for name, old, new in zip(names, before, state, strict=True):
            _check_structure(name, old, new)
        made = nest.flatten(state)
        for i in set(range(len(leaves))).difference(places):
            _check_unchanged(of_leaf[i], leaves[i], made[i])
        for i in places:
            arrays[i] = either(leaves[i], made[i], f"'{of_leaf[i]}'")
        made = [as_value(x) for x in made]
        return _checked([made[i] for i in places], variables, shapes, [of_leaf[i] for i in places])

    def going(flat: Any) -> list:
        arrays.update(enumerate(leaves))
        put(flat)
        return [graph_loops.as_bool(test())]

    most = options.get("maximum_iterations")
    try:
        if most is None:
            found = graph_loops.loop(going, step, variables, shapes)
        else:
            count = convert_to_tensor(0)
            found = graph_loops.loop(
                lambda flat: [logical_and(flat[0] < cast(most, "int32"), going(flat[1:])[0])],
                lambda flat: [flat[0] + 1, *step(flat[1:])],
                [count, *variables],
                [count.shape, *shapes],
            )[1:]
    except BaseException:
        set_state(before)
        raise
    put(found)


def _checked(made: list, variables: list[Tensor], shapes: list, names: list[str]) -> list[Tensor]:
    found = []
    for value, v, shape, name in zip(made, variables, shapes, names, strict=True):
        try:
            x = convert_to_tensor(value, dtype_hint=v.dtype)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"'{name}' is no tensor after an iteration of the loop (at {user_place()}): {error}"
            ) from None
        if x._value.dtype != v._value.dtype:
            raise TypeError(
                f"'{name}' has dtype {v.dtype.name} before the loop, but dtype {x.dtype.name} after one iteration (at "
                f"{user_place()}): tf.cast it, or begin with the other dtype."
            )
        if not x.shape.is_subtype_of(shape):
            raise ValueError(
                f"'{name}' has shape {shape} before the loop, but shape {x.shape} after one iteration (at "
                f"{user_place()}). Use tf.autograph.experimental.set_loop_options(shape_invariants=[({name}, ...)]) "
                "where it may change."
            )
        found.append(x)
    return found


def _check_structure(name: str, before: Any, after: Any) -> None:
    try:
        nest.assert_same_structure(before, after)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"'{name}' does not have the same nested structure after one iteration of the loop (at {user_place()}): "
            f"{error}"
        ) from None


def _check_unchanged(name: str, before: Any, after: Any) -> None:
    """Raises for a Python object that a loop of the graph, which runs its body once, cannot change."""
    if before is after or _undefined(before) or _undefined(after):
        return
    if type(before) is not type(after) or before != after:
        raise TypeError(
            f"'{name}' is {before!r} before the loop and {after!r} after one iteration, of a loop that depends on a "
            f"tensor (at {user_place()}). Only tensors, numbers and TensorArrays can change while the graph runs."
        )


def _filled(get_state: Callable, set_state: Callable, body: Callable, names: tuple) -> tuple[tuple, list, list]:
    """The loop's variables; for those that have no value yet, zeros of the shape that they will have.

    Returns also the names of those among them of which the program expects that the loop gives them one (what a
    `return` gives may wait), and the zeros with the shapes that they stand for.
    """
    before = get_state()
    if not any(_undefined(x) or x is None for x in before):
        return before, [], []
    trace = active_tapes().trace
    with Trace(f"{trace.name}_once", parent=trace):
        body()
        after = get_state()
    set_state(before)
    made, late, shapes = [], [], []
    for name, a, b in zip(names, before, after, strict=True):
        empty = _undefined(a) or a is None
        if not empty or _undefined(b) or b is None or not all(map(_is_value, nest.flatten(b))):
            made.append(a)
            continue
        made.append(nest.map_structure(_zeros, b))
        shapes += [
            (zeros, convert_to_tensor(x).shape)
            for zeros, x in zip(nest.flatten(made[-1]), nest.flatten(b), strict=True)
        ]
        if not name.startswith("retval_"):
            late.append(name)
    return tuple(made), late, shapes


def _is_value(x: Any) -> bool:
    return _number(x) or isinstance(x, (Tensor, Variable, np.ndarray))


def _once(
    test: Callable,
    body: Callable,
    get_state: Callable,
    set_state: Callable,
    names: tuple,
    options: dict,
    begun: tuple,
    late: list[str],
) -> None:
    """A loop that is the first to give some variables a value: it must run at least once."""
    set_state(begun)
    ran: Any = convert_to_tensor(False)

    def step() -> None:
        nonlocal ran
        body()
        ran = convert_to_tensor(True)

    def get() -> tuple:
        return (ran, *get_state())

    def put(values: tuple) -> None:
        nonlocal ran
        ran, *rest = values
        set_state(tuple(rest))

    _loop(test, step, get, put, ("whether the loop ran", *names), options)
    Assert(ran, [f"the loop must run at least once to give {', '.join(late)} a value (at {user_place()})"])


def _zeros(x: Any) -> Tensor:
    value = convert_to_tensor(x)._value
    return convert_to_tensor(np.zeros([n or 0 for n in known(value.shape) or ()], value.dtype))


# -- expressions -------------------------------------------------------------------------------------------------------


def if_exp(cond: Any, if_true: Callable, if_false: Callable, text: str) -> Any:
    """`a if cond else b`."""
    return branches(cond, [if_true, if_false], f"`{text}`") if _symbolic(cond) else if_true() if cond else if_false()


def and_(a: Callable, b: Callable) -> Any:
    """`a and b`."""
    first = a()
    return logical_and(first, b()) if _symbolic(first) else first and b()


def or_(a: Callable, b: Callable) -> Any:
    """`a or b`."""
    first = a()
    return logical_or(first, b()) if _symbolic(first) else first or b()


def not_(a: Any) -> Any:
    """`not a`."""
    return logical_not(a) if _symbolic(a) else not a


def assert_stmt(expression: Any, message: Callable) -> None:
    """`assert expression, message`. Raises InvalidArgumentError when the graph runs, AssertionError in Python."""
    if _symbolic(expression):
        Assert(expression, [message() or "assertion failed"])
    elif not expression:
        raise AssertionError(message())


def _len(x: Any) -> Any:
    if isinstance(x, TensorArray):
        return x.size()
    shape = known(x._value.shape) if _symbolic(x) else None
    if not _symbolic(x) or shape and shape[0] is not None:
        return len(x)
    if shape == ():
        raise TypeError("len requires a tensor of at least one dimension, not a scalar")
    return shape_of(x)[0]


def _int(x: Any = 0, *base: Any) -> Any:
    return cast(x, "int32") if _symbolic(x) else int(x, *base)


def _float(x: Any = 0.0) -> Any:
    return cast(x, "float32") if _symbolic(x) else float(x)


def _range(*bounds: Any) -> Any:
    return range_(*bounds) if any(map(_symbolic, bounds)) else range(*bounds)


def _sorted(x: Any) -> Any:
    return sort(x) if _symbolic(x) else sorted(x)


BUILTINS: dict[Any, Callable] = {len: _len, int: _int, float: _float, range: _range, sorted: _sorted}
