"""Python functions called as ops: `tf.py_function`, whose tensors have gradients, and `tf.numpy_function`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.convert import convert_to_tensor, is_tensor
from ..core.dtypes import as_dtype
from ..core.tapes import active_tapes
from ..core.tensor import Tensor
from ..core.type_spec import TensorSpec

# the errors by which TensorFlow reports what Python raises
_STATUS: tuple[tuple[Any, Any], ...] = (
    ((TypeError, ValueError), errors.InvalidArgumentError),
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
    (Exception, errors.UnknownError),
)


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Calls a Python function with tensors, and takes what it returns as tensors of the dtypes given.

    Without `func` or `inp` it is a decorator: `@tf.py_function(Tout=tf.float32)`.

    Arguments:
        func: a function of as many tensors as `inp` has. In a trace it runs whenever the function that was traced does.
        inp: a list of tensors.
        Tout: a dtype or `tf.TensorSpec`, or a list of them, the results' ([] for none).

    Returns a tensor, or for a list a list of tensors. Gradients flow through the ops that `func` runs.

    Raises:
        TypeError: `Tout` is missing. ValueError: `func` is no function.
        InvalidArgumentError: `func` raised a TypeError or ValueError, or returned too little or another dtype.
        UnknownError and other errors of `tf.errors`: what else `func` raised.
    """
    _check_output(Tout, "py_function")
    if func is None or inp is None:
        return _decorator(py_function, func, Tout, name)
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func} of type {type(func)}.")
    tensors = [convert_to_tensor(x) for x in inp]
    if active_tapes().trace is None:
        results = called(func, tensors, _dtypes(Tout))
    else:
        from .graph_calls import traced_py_function

        results = traced_py_function(func, tensors, _dtypes(Tout), _shapes(Tout))
    return results if isinstance(Tout, (list, tuple)) else results[0]


def called(func: Callable, tensors: list[Tensor], dtypes: tuple) -> list[Tensor]:
    """What `func` of the tensors returns, as tensors of the dtypes. Raises as `py_function` does."""
    try:
        returned = func(*tensors)
        given = list(returned) if isinstance(returned, (list, tuple)) else [] if returned is None else [returned]
        if not dtypes and given:
            raise IndexError(f"{_name(func)} returned {len(given)} values where Tout is empty")
        converted = [convert_to_tensor(value, dtype) for value, dtype in zip(given, dtypes)]
    except errors.OpError:
        raise
    except Exception as error:
        kind = next(status for types, status in _STATUS if isinstance(error, types))
        message = f"{type(error).__name__}: {error}, in the Python function {_name(func)}"
        raise errors.failed(kind, "EagerPyFunc", message) from error
    if len(converted) < len(dtypes):
        raise errors.invalid(
            "EagerPyFunc", f"{_name(func)} returns {len(converted)} values, but expects to see {len(dtypes)} values."
        )
    return converted


def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a Python function with NumPy arrays, and takes the arrays it returns as tensors. It has no gradient.

    Without `func` or `inp` it is a decorator: `@tf.numpy_function(Tout=tf.float32)`.

    Arguments:
        func: a function of as many arrays as `inp` has. In a trace it runs whenever the function that was traced does.
        inp: a list of tensors.
        Tout: a dtype, or a list of them, the results'. Outside a trace the results are what they are.
        stateful: whether `func` may do more than compute its results; in a trace, such a call is never left out.

    Returns a tensor, or a list of them where `func` returned a list or tuple; None where it returned None.

    Raises TypeError where `Tout` is missing, ValueError where `func` is no function, and what `func` raises.
    """
    _check_output(Tout, "numpy_function")
    if func is None or inp is None:
        return _decorator(functools.partial(numpy_function, stateful=stateful), func, Tout, name)
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func} of type {type(func)}.")
    if active_tapes().trace is not None:
        from .graph_calls import traced_numpy_function

        tensors = [convert_to_tensor(x if is_tensor(x) else np.asarray(x)) for x in inp]
        results = traced_numpy_function(func, tensors, _dtypes(Tout), _shapes(Tout))
        return results if isinstance(Tout, (list, tuple)) else results[0]
    arrays = [np.array(convert_to_tensor(x)._value if is_tensor(x) else x) for x in inp]
    returned = func(*arrays)
    if isinstance(returned, (list, tuple)):
        return [_tensor(value) for value in returned]
    return _tensor(returned)


def py_func(func: Callable, inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """`numpy_function` by the name that TensorFlow 1 has for it."""
    return numpy_function(func, inp, Tout, stateful, name)


def _tensor(value: Any) -> Any:
    return None if value is None else convert_to_tensor(value)


def _decorator(call: Callable, func: Any, Tout: Any, name: str | None) -> Callable:
    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*inputs: Any) -> Any:
            return call(func=function, inp=inputs, Tout=Tout, name=name)

        return wrapper

    return decorate if func is None else decorate(func)


def _check_output(Tout: Any, title: str) -> None:
    if Tout is None:
        raise TypeError(
            f"Missing required argument: 'Tout'. As a decorator, tf.{title} takes it by name: "
            f"@tf.{title}(Tout=tf.float32)"
        )


def _dtypes(Tout: Any) -> tuple:
    specs = Tout if isinstance(Tout, (list, tuple)) else [Tout]
    return tuple(spec.dtype if isinstance(spec, TensorSpec) else as_dtype(spec) for spec in specs)


def _shapes(Tout: Any) -> tuple:
    """What `Tout` says of the shapes of the results."""
    specs = Tout if isinstance(Tout, (list, tuple)) else [Tout]
    return tuple(spec.shape._dims if isinstance(spec, TensorSpec) else None for spec in specs)


def _name(func: Callable) -> str:
    return getattr(func, "__name__", type(func).__name__)
