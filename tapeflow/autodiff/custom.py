"""Gradients that users give: `tf.custom_gradient`, and what is made of it (`recompute_grad`, `grad_pass_through`)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from copy import copy
from typing import Any

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.op import TENSORS, Namespace
from ..core.tapes import active_tapes, own_stack, pause, record
from ..core.tensor import Tensor, wrap
from ..core.variable import Variable
from ..ops.creation import zeros
from .tape import GradientTape


def custom_gradient(f: Callable) -> Callable:
    """A function whose gradient is the one it gives itself.

        @tf.custom_gradient
        def log1pexp(x):
            e = tf.exp(x)
            def grad(upstream):
                return upstream * (1 - 1 / (1 + e))
            return tf.math.log(1 + e), grad

    Arguments:
        f: takes tensors (positional or by keyword, nests of them too) and returns `(y, grad_fn)`; `y` is a tensor or a
            nest of them. `grad_fn` takes the gradient of each tensor of `y` and returns that of each tensor argument.
            Where `f` reads variables, `grad_fn` must take `variables` by keyword and return
            `(gradients, gradients of the variables)`.

    Raises TypeError where `f` reads variables and `grad_fn` does not take them, and, when a gradient is computed,
    ValueError where their number is wrong. Derivatives of higher order come from what `grad_fn` computes.
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        inputs = [x for x in nest.flatten((args, kwargs)) if isinstance(x, (Tensor, Variable))]
        watcher = _VariableWatcher()
        with watcher:
            returned = f(*args, **kwargs)
        if not isinstance(returned, tuple) or len(returned) != 2 or not callable(returned[1]):
            raise TypeError(
                "A function under @tf.custom_gradient returns (y, grad_fn); "
                f"{_name(f)} returned {type(returned).__name__}"
            )
        result, grad_fn = returned
        passed = {id(x) for x in inputs}
        variables = [v for v in watcher.variables() if id(v) not in passed]
        if variables and not _takes_variables(grad_fn):
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' "
                f"keyword argument. {_name(f)} read: {', '.join(v.name for v in variables)}"
            )
        return _recorded(_name(f), inputs, variables, result, grad_fn)

    return wrapper


def recompute_grad(f: Callable) -> Callable:
    """A function that keeps nothing for its gradient but its arguments, and computes the rest a second time for it.

    Trades time for memory. `f` may read variables; its tensors come as arguments. Source: Chen et al., Training Deep
    Nets with Sublinear Memory Cost (2016).
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        inputs = [x for x in nest.flatten((args, kwargs)) if isinstance(x, (Tensor, Variable))]
        watcher = _VariableWatcher()
        with pause(), watcher:
            result = f(*args, **kwargs)
        passed = {id(x) for x in inputs}
        variables = [v for v in watcher.variables() if id(v) not in passed]

        def grad_fn(*upstream: Any, variables: Any = ()) -> Any:
            with GradientTape() as tape:
                # other tensors of the same values, so that this pass is told apart from the outer one
                fresh = [x if isinstance(x, Variable) else TENSORS.identity(x) for x in inputs]
                tape.watch([x for x in fresh if isinstance(x, Tensor) and is_differentiable(x._value.dtype)])
                again = iter(fresh)
                new_args, new_kwargs = nest.map_structure(
                    lambda x: next(again) if isinstance(x, (Tensor, Variable)) else x, (args, kwargs)
                )
                outputs = f(*new_args, **new_kwargs)
            found = tape.gradient(outputs, [*fresh, *variables], output_gradients=list(upstream))
            return found[: len(inputs)], found[len(inputs) :]

        return _recorded(_name(f), inputs, variables, result, grad_fn, always_pairs=True)

    return wrapper


def grad_pass_through(f: Callable) -> Callable:
    """A function whose gradient is the identity: what comes from above goes to its argument as it is.

    For forward functions without a useful derivative, such as rounding: the straight-through estimator of Bengio et
    al., 2013. `f` returns as many tensors as it takes.
    """

    @custom_gradient
    def _grad_pass_through_op(*args: Any, **kwargs: Any) -> Any:
        def grad(*upstream: Any, **with_variables: Any) -> Any:
            if with_variables.get("variables"):
                return upstream, [None] * len(with_variables["variables"])
            return upstream

        return f(*args, **kwargs), grad

    return functools.wraps(f)(lambda *args, **kwargs: _grad_pass_through_op(*args, **kwargs))


# -- recording ---------------------------------------------------------------------------------------------------------


class _VariableWatcher:
    """Stands among the active tapes to see which variables are read; it records no ops."""

    _auto = True

    def __init__(self) -> None:
        self._records = _Nothing()
        self._watched: list = []

    def __enter__(self) -> None:
        self._stack = own_stack()
        self._stack.append(self)

    def __exit__(self, *exc: object) -> None:
        self._stack.remove(self)

    def variables(self) -> list[Variable]:
        return list({id(v): v for v in self._watched}.values())


class _Nothing(dict):
    def __setitem__(self, key: Any, value: Any) -> None:
        pass


class _CustomOp:
    """An op made by one call of a function with its own gradient."""

    saves = None
    outputs = 0

    def __init__(self, name: str, grad_fn: Callable, variables: list, count: int, pairs: bool) -> None:
        self.name = name
        self.grad_fn = grad_fn
        self.variables = variables
        self.count = count
        self.pairs = pairs

    def describe(self, rec: tuple) -> tuple:
        return rec[4][:-1], rec[4][-1], ()

    def pull(self, F: Namespace, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
        upstream = [
            zeros(shape, dtype) if d is None else wrap(d) if F.raw else d
            for d, (shape, dtype) in zip(g, rec[5], strict=True)
        ]
        if self.variables or self.pairs:
            found, of_variables = self.grad_fn(*upstream, variables=self.variables)
        else:
            found, of_variables = self.grad_fn(*upstream), ()
        found = [*_flat(found), *_flat(of_variables)]
        if len(found) != self.count + len(self.variables):
            raise ValueError(
                f"custom_gradient function {self.name} expected to return {self.count + len(self.variables)} "
                f"gradients, one for each tensor argument (then each variable), but returned {len(found)} instead."
            )
        for key, d in zip(rec[1], found, strict=True):
            if d is not None and key in wanted:
                d = _from_tensor(d, F)
                grads[key] = grads[key] + d if key in grads else d


def _recorded(
    name: str, inputs: list, variables: list, result: Any, grad_fn: Callable, always_pairs: bool = False
) -> Any:
    """The result as tensors of their own, recorded as one op of the inputs and variables."""
    outputs = [copy(convert_to_tensor(y)) for y in nest.flatten(result)]
    trace = active_tapes().trace
    if trace is not None:
        outputs = trace.custom_gradient(name, inputs, variables, outputs, grad_fn, always_pairs or bool(variables))
        return nest.pack_sequence_as(result, outputs)
    tensors = [x.read_value() if isinstance(x, Variable) else x for x in [*inputs, *variables]]
    op = _CustomOp(name, grad_fn, variables, len(inputs), always_pairs)
    if outputs and any(x._key is not None for x in tensors):
        record(op, tuple(tensors), (), tuple(outputs))
    return nest.pack_sequence_as(result, outputs)


def _from_tensor(d: Any, F: Namespace) -> Any:
    if isinstance(d, IndexedSlices):
        return d if not F.raw else IndexedSlices(d.values._value, d.indices._value, tuple(d.shape.as_list()))
    return F.unwrap(convert_to_tensor(d))


def _flat(gradients: Any) -> list:
    if gradients is None:
        return [None]
    return nest.flatten(gradients) if isinstance(gradients, (list, tuple, dict)) else [gradients]


def _takes_variables(grad_fn: Callable) -> bool:
    parameters = inspect.signature(grad_fn).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _name(f: Callable) -> str:
    return getattr(f, "__name__", type(f).__name__)
