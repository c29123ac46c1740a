"""Holds the tape against central differences, in float64 or complex128, to any order.

A function's outputs, times fixed weights and summed, are a number; what the tape gives for its inputs is compared with
how that number changes when one element of them moves. A gradient of higher order is the same check of the function
"gradient of f", so rules must have rules. Complex inputs follow TensorFlow's convention: the real and the imaginary
part of the gradient are the derivatives along the real and the imaginary axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapeflow.autodiff.tape import GradientTape
from tapeflow.core.convert import constant, convert_to_tensor


def check_gradients(
    f: Callable,
    *arrays: Any,
    order: int = 2,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    step: float = 1e-5,
    connected: bool = True,
    constants: tuple[int, ...] = (),
) -> None:
    """Asserts that the gradients of `f(*tensors)`, a tensor or a sequence of them, are those of central differences.

    Arguments:
        arrays: the inputs. Real and complex ones are differentiated, in float64 and complex128; ints, bools and strings
            are passed on as they are.
        order: how many derivatives to check.
        rtol, atol: how far the two may differ.
        step: how far an element moves.
        connected: whether at least one input must have a gradient; what has none counts as zero.
        constants: positions of inputs that are not differentiated, though they could be.
    """
    inputs = [_widened(x) for x in arrays]
    moving = [i for i, x in enumerate(inputs) if x.dtype.kind in "fc" and i not in constants]
    gradients = _gradients(f, inputs, moving)
    assert not connected or any(g is not None for g in gradients), "no input has a gradient"
    for i, gradient in zip(moving, gradients, strict=True):
        wanted = _differences(f, inputs, i, step)
        got = np.zeros_like(inputs[i]) if gradient is None else np.asarray(gradient._value)
        assert got.shape == inputs[i].shape, f"input {i} has shape {inputs[i].shape}, its gradient {got.shape}"
        assert got.dtype == inputs[i].dtype, f"input {i} is {inputs[i].dtype}, its gradient {got.dtype}"
        scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
        np.testing.assert_allclose(
            got, wanted, rtol=rtol, atol=atol * scale, err_msg=f"gradient of input {i} against central differences"
        )
    if order > 1:

        def slope(*tensors: Any) -> list:
            return [g for g in _tape(f, tensors, moving) if g is not None]

        options = {"rtol": rtol, "atol": atol, "step": step, "constants": constants}
        check_gradients(slope, *inputs, order=order - 1, connected=False, **options)


def weights(shape: tuple, dtype: Any) -> np.ndarray:
    """Fixed weights, no two near each other equal, so that a gradient shows which output it came from."""
    size = int(np.prod(shape, dtype=np.int64))
    real = 0.25 + (np.arange(size) * 7 + 3) % 11 / 10
    return (real * (1 - 0.5j) if np.dtype(dtype).kind == "c" else real).astype(dtype).reshape(shape)


def _widened(x: Any) -> np.ndarray:
    x = np.asarray(x)
    return x.astype({"f": np.float64, "c": np.complex128}.get(x.dtype.kind, x.dtype))


def _outputs(f: Callable, tensors: Any) -> list:
    out = f(*tensors)
    return list(out) if isinstance(out, (list, tuple)) else [out]


def _tape(f: Callable, tensors: Any, moving: list[int]) -> list:
    sources = [tensors[i] for i in moving]
    with GradientTape() as tape:
        tape.watch(sources)
        outputs = [y for y in _outputs(f, tensors) if y._value.dtype.kind in "fc"]
    above = [constant(weights(y._value.shape, y._value.dtype)) for y in outputs]
    gradients = tape.gradient(outputs, sources, output_gradients=above) if outputs else [None] * len(sources)
    return [None if g is None else convert_to_tensor(g) for g in gradients]


def _gradients(f: Callable, inputs: list, moving: list[int]) -> list:
    return _tape(f, [constant(x) for x in inputs], moving)


def _number(f: Callable, inputs: list) -> float:
    """The weighted sum of all outputs whose derivative the tape gives."""
    values = [np.asarray(y._value) for y in _outputs(f, [constant(x) for x in inputs])]
    return float(sum((np.conj(weights(v.shape, v.dtype)) * v).sum().real for v in values if v.dtype.kind in "fc"))


def _differences(f: Callable, inputs: list, which: int, step: float) -> np.ndarray:
    x = inputs[which]
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        for unit in (1.0, 1j) if x.dtype.kind == "c" else (1.0,):
            h = step * max(1.0, abs(x[index]))
            ends = []
            for sign in (1.0, -1.0):
                moved = x.copy()
                moved[index] += sign * h * unit
                ends.append(_number(f, [*inputs[:which], moved, *inputs[which + 1 :]]))
            out[index] += unit * (ends[0] - ends[1]) / (2 * h)
    return out
