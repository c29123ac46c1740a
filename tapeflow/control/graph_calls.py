"""Python functions called from a graph: effects, in their place among the others.

A call of `tf.py_function` runs under a tape of its own, which goes through the graph as one more output, for the
gradient of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.request import UnconnectedGradients
from ..autodiff.tape import GradientTape
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, is_differentiable, numpy_dtype
from ..core.op import Op
from ..core.tapes import active_tapes, pause
from ..core.tensor import Tensor, wrap
from .python_calls import called

_OBJECT = np.dtype(object)


def traced_py_function(func: Callable, tensors: list[Tensor], dtypes: tuple[DType, ...], shapes: tuple) -> list[Tensor]:
    """The results of a call of `tf.py_function` in a trace."""
    return list(PY_FUNCTION.call(tensors, func, dtypes, shapes)[:-1])


def traced_numpy_function(
    func: Callable, tensors: list[Tensor], dtypes: tuple[DType, ...], shapes: tuple
) -> list[Tensor]:
    """The results of a call of `tf.numpy_function` in a trace, which have the dtypes it was told."""
    return list(NUMPY_FUNCTION.call(tensors, func, dtypes, shapes))


class _Taped:
    """What a call of a Python function leaves for its gradient. It goes through a graph as one value."""

    __slots__ = ("tape", "inputs", "outputs")
    shape = ()
    ndim = 0
    dtype = _OBJECT

    def __init__(self, tape: GradientTape, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        self.tape = tape
        self.inputs = inputs
        self.outputs = outputs


def _call(values: Sequence, func: Callable, dtypes: tuple, shapes: tuple) -> tuple:
    inputs = [wrap(value) for value in values]
    with pause(), GradientTape(persistent=True) as tape:
        tape.watch([x for x in inputs if is_differentiable(x._value.dtype)])
        outputs = called(func, inputs, dtypes)
    return (*[y._value for y in outputs], _Taped(tape, inputs, outputs))


def _gradient(F: Any, g: Sequence, needs: Sequence[bool], taped: Tensor, kinds: tuple, *attributes: Any) -> list:
    reached = tuple(i for i, d in enumerate(g[:-1]) if d is not None)
    places = tuple(
        i for i, (kind, need) in enumerate(zip(kinds, needs, strict=True)) if need and is_differentiable(kind[1])
    )
    found = PY_GRADIENT.call([taped, *[g[i] for i in reached]], reached, places, kinds)
    at = dict(zip(places, found, strict=True))
    return [at.get(i) for i in range(len(needs))]


def _call_back(values: Sequence, reached: tuple, places: tuple, kinds: tuple) -> tuple:
    taped = values[0]
    found = taped.tape.gradient(
        [taped.outputs[i] for i in reached],
        [taped.inputs[i] for i in places],
        [wrap(d) for d in values[1:]],
        UnconnectedGradients.ZERO,
    )
    return tuple(convert_to_tensor(d)._value for d in found)


def _call_with_arrays(values: Sequence, func: Callable, dtypes: tuple, shapes: tuple) -> tuple:
    returned = func(*[np.array(value) for value in values])
    given = returned if isinstance(returned, (list, tuple)) else () if returned is None else (returned,)
    wanted = [numpy_dtype(dtype) for dtype in dtypes]
    return tuple(convert_to_tensor(np.asarray(v), d)._value for v, d in zip(given, wanted, strict=True))


def _kinds(dtypes: tuple, shapes: tuple) -> tuple:
    return tuple(Abstract(shape, numpy_dtype(dtype)) for dtype, shape in zip(dtypes, shapes, strict=True))


def _outside(tensors: Sequence[Tensor], func: Callable, dtypes: tuple, shapes: tuple) -> list:
    """A traced call run op by op: outside of a trace, any tape sees what the function does."""
    trace = active_tapes().trace
    if trace is not None:
        return trace.add(PY_FUNCTION, tensors, (func, dtypes, shapes))
    return [*called(func, list(tensors), dtypes), wrap(np.float32(0))]


def _op(name: str, kernel: Callable, infer: Callable, grads: Any = (), effect: bool = True, **options: Any) -> Op:
    op = Op(name, lambda xp: kernel, infer, grads, inputs=None, outputs=0, effect=effect, **options)

    def run(tensors: Sequence[Tensor], *attributes: Any) -> Any:
        trace = active_tapes().trace
        if trace is not None:
            return trace.add(op, tensors, attributes)
        return [wrap(value) for value in kernel([x._value for x in tensors], *attributes)]

    op.call = run
    return op


def _kept(*given: Any) -> tuple:
    """Of a call, the taped run and the shapes and dtypes of the inputs."""
    *tensors, _, dtypes, _ = given
    inputs = tensors[: len(tensors) - len(dtypes) - 1]
    return tensors[-1], tuple((x._value.shape, x._value.dtype) for x in inputs)


PY_FUNCTION = _op(
    "py_function",
    _call,
    lambda values, func, dtypes, shapes: (*_kinds(dtypes, shapes), Abstract((), _OBJECT)),
    _gradient,
    saves=_kept,
    title="EagerPyFunc",
)
PY_FUNCTION.call = _outside
PY_GRADIENT = _op(
    "py_function_gradient",
    _call_back,
    lambda values, reached, places, kinds: tuple(Abstract(*kinds[i]) for i in places),
    effect=False,
)
NUMPY_FUNCTION = _op(
    "numpy_function", _call_with_arrays, lambda values, func, dtypes, shapes: _kinds(dtypes, shapes), title="PyFunc"
)
