"""`tf.cond`, `tf.case`, `tf.switch_case`: one of several functions, chosen by the value of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..autodiff.batching import Batched
from ..core import errors, nest
from ..core.convert import convert_to_tensor, is_tensor
from ..core.shapes import shape_text
from ..core.tapes import active_tapes
from ..core.tensor import Reference, Tensor
from ..ops.assertions import Assert
from ..ops.casting import cast
from ..ops.joining import stack
from ..ops.reduction import reduce_any, reduce_sum
from ..ops.selection import where


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """`true_fn()` where `pred` is true, else `false_fn()`; only one of them runs.

    Arguments:
        pred: a bool, or a tensor of one element.
        true_fn, false_fn: functions of no arguments. In a trace both must give the same structure of tensors, of the
            same dtypes.

    Raises TypeError where one of them is no function, ValueError for a `pred` of several elements or None.
    """
    for function, argument in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(f"{argument!r} must be callable. tf.cond received: {function!r}")
    return choose(pred, true_fn, false_fn)


def choose(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`cond` of arguments that are known to be right."""
    if not isinstance(pred, Tensor):
        pred = convert_to_tensor(pred)
    if type(pred) is not Tensor:
        if isinstance(pred, Batched):
            return _selected(pred, true_fn(), false_fn())
        if active_tapes().trace is not None:
            return _branches()(pred, [true_fn, false_fn])
    return true_fn() if pred else false_fn()


def _branches() -> Callable:
    from .graph_branches import branches  # graphs are of no use to a program that traces nothing

    return branches


def _selected(pred: Batched, yes: Any, no: Any) -> Any:
    """Of each example the result of its own branch: both have run for all of them."""
    nest.assert_same_structure(yes, no)
    return nest.map_structure(lambda a, b: where(pred, a, b), yes, no)


def case(
    pred_fn_pairs: Any,
    default: Callable | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """What the function of the first true predicate gives, `default()` where none is true.

    Arguments:
        pred_fn_pairs: a list of pairs of a bool tensor and a function of no arguments. With `exclusive` a dict from
            references (`pred.ref()`) to functions will do.
        default: a function of no arguments.
        exclusive: whether more than one true predicate is an error.
        strict: has no effect.

    Raises:
        InvalidArgumentError: no predicate is true and there is no default, or several are true with `exclusive`.
        TypeError: what is given are no such pairs. ValueError: there is none, or a dict that has no order.
    """
    pairs = _predicate_pairs(pred_fn_pairs, exclusive)
    if default is not None and not callable(default):
        raise TypeError(f"'default' must be callable. tf.case received: {default!r}")
    preds = [pred for pred, _ in pairs]
    if exclusive:
        _check_exclusive(preds)
    if default is None:
        if any(type(pred) is not Tensor for pred in preds) and active_tapes().trace is not None:
            Assert(reduce_any(stack(preds)), [_NONE_TRUE.format(len(preds))])
            return _first_true(pairs[:-1], pairs[-1][1])
        default = _none_was_true(preds)
    return _first_true(pairs, default)


def _first_true(pairs: Sequence[tuple[Any, Callable]], default: Callable) -> Any:
    if not pairs:
        return default()
    pred, function = pairs[0]
    return choose(pred, function, lambda: _first_true(pairs[1:], default))


def _none_was_true(preds: list) -> Callable:
    def refuse() -> Any:
        raise errors.InvalidArgumentError(None, None, _NONE_TRUE.format(len(preds)))

    return refuse


_NONE_TRUE = "tf.case: none of the {} conditions is true, and there is no `default`"


def _check_exclusive(preds: list) -> None:
    if any(type(pred) is not Tensor for pred in preds) and active_tapes().trace is not None:
        count = reduce_sum(cast(stack(preds), "int32"))
        Assert(count < 2, ["tf.case with exclusive=True: more than one condition is true:", stack(preds)])
        return
    if all(type(pred) is Tensor for pred in preds) and sum(map(bool, preds)) > 1:
        which = [i for i, pred in enumerate(preds) if pred]
        raise errors.InvalidArgumentError(
            None, None, f"tf.case with exclusive=True: more than one condition is true, numbers {which}"
        )


def _predicate_pairs(given: Any, exclusive: bool) -> list[tuple[Any, Callable]]:
    if isinstance(given, Mapping):
        if not exclusive:
            raise ValueError(
                "Unordered dictionaries are not supported for the 'pred_fn_pairs' argument when `exclusive=False`: "
                "pass a list of pairs."
            )
        given = list(given.items())
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(given)}")
    if not given:
        raise ValueError("'pred_fn_pairs' has no pairs: tf.case needs at least one condition.")
    pairs = []
    for pair in given:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        pred, function = pair
        if isinstance(pred, Reference):
            pred = pred.deref()
        if not is_tensor(pred):
            raise TypeError(f"pred must be a Tensor, got: {pred}")
        if not pred.dtype.is_bool:
            raise TypeError(f"pred must be a Tensor of type bool, got {pred.dtype.name}: {pred!r}")
        if not callable(function):
            raise TypeError(f"The second of each pair in 'pred_fn_pairs' must be callable. Received {function!r}.")
        pairs.append((convert_to_tensor(pred), function))
    return pairs


def switch_case(branch_index: Any, branch_fns: Any, default: Callable | None = None, name: str = "switch_case") -> Any:
    """What the function of number `branch_index` gives; where there is none of that number, `default()`.

    Arguments:
        branch_index: a 0-d integer tensor.
        branch_fns: a list of functions of no arguments, or a dict or pairs from the numbers 0, 1, ... to them.
        default: a function of no arguments; the last of `branch_fns` unless given.

    Raises:
        TypeError: `branch_index` is no integer tensor, or `branch_fns` no such functions.
        ValueError: there is no function, or their numbers are not 0 to n - 1.
        InvalidArgumentError: `branch_index` is not 0-d.
    """
    if not is_tensor(branch_index):
        raise TypeError(f"'branch_index' must be a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"'branch_index' must be an integer Tensor, got {branch_index.dtype!r}")
    functions = _numbered(branch_fns)
    if default is not None and not callable(default):
        raise TypeError(f"'default' must be callable. tf.switch_case received: {default!r}")
    index = convert_to_tensor(branch_index)
    if index._value.shape not in ((), None):
        raise errors.invalid("Case", f"branch_index must be a scalar, got shape {shape_text(index._value.shape)}")
    functions.append(default or functions[-1])
    if type(index) is not Tensor and active_tapes().trace is not None:
        return _branches()(index, functions, "tf.switch_case")
    number = int(index)
    return functions[number if 0 <= number < len(functions) else -1]()


def _numbered(given: Any) -> list[Callable]:
    if isinstance(given, Mapping):
        given = list(given.items())
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"'branch_fns' must be a list, tuple, or dict. Received: {type(given)}")
    if not given:
        raise ValueError("Must provide at least one item in 'branch_fns'")
    if all(map(callable, given)):
        return list(given)
    for pair in given:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError(f"Each entry in 'branch_fns' must be a 2-tuple. Received {pair}.")
        if not isinstance(pair[0], int):
            raise TypeError(f"The first of each pair in 'branch_fns' must be a Python int. Received {pair[0]!r}.")
        if not callable(pair[1]):
            raise TypeError(f"The second of each pair in 'branch_fns' must be callable. Received {pair[1]!r}.")
    keys = sorted(key for key, _ in given)
    if keys != list(range(len(given))):
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(given)}) but found "
            f"{{{','.join(map(str, keys))}}}"
        )
    return [function for _, function in sorted(given, key=lambda pair: pair[0])]
