"""`tf.autodiff.ForwardAccumulator`: Jacobian-vector products, computed along with the values.

An accumulator stands among the active tapes. Where a tape stores an op's record, the accumulator computes the tangent
of the op's output from it, at once, and keeps that instead. The rules are the ones of reverse mode: an elementwise op's
Jacobian is diagonal, so its gradient rule applied to a tangent gives the next one; another op's rule is linear in what
comes from above, so the tangent is the gradient of that linear map (differentiating twice transposes twice).
Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 3, forward mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import nest
from ..core.convert import convert_to_tensor
from ..core.dtypes import VARIANT, is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.logs import warning
from ..core.op import TENSORS
from ..core.size import has_sizes
from ..core.tapes import PART, new_key, own_stack, pause
from ..core.tensor import Tensor, flat, wrap
from ..core.tensor_list import ZERO
from ..core.variable import Variable
from .request import UnconnectedGradients
from .tape import GradientTape


class ForwardAccumulator:
    """Computes Jacobian-vector products with forward mode.

        with tf.autodiff.ForwardAccumulator(primals=x, tangents=v) as acc:
            y = f(x)
        acc.jvp(y)                      # J_f(x) v, of y's shape

    Accumulators nest with each other and with tapes, for derivatives of higher order; a tape inside an accumulator
    gives Hessian-vector products.

    Arguments:
        primals: the tensors or variables to differentiate with respect to, or a nest of them.
        tangents: the direction, a nest of the same structure with tensors of the same shapes.

    Raises ValueError where a primal comes twice, or structures, shapes or dtypes disagree.
    """

    _auto = False

    def __init__(self, primals: Any, tangents: Any) -> None:
        nest.assert_same_structure(primals, tangents, expand_composites=True)
        self._records = _Tangents(self)
        self._watched: list = []
        seen: set[int] = set()
        for primal, tangent in zip(nest.flatten(primals), nest.flatten(tangents), strict=True):
            if not isinstance(primal, (Tensor, Variable)):
                raise TypeError(f"The primals of a ForwardAccumulator are tensors or variables, not {primal!r}")
            if id(primal) in seen:
                raise ValueError(f"Tensor {primal!r} was specified as a primal twice; sum its tangents.")
            seen.add(id(primal))
            self._watch(primal, tangent)

    def _watch(self, primal: Any, tangent: Any) -> None:
        value = primal._tensor._value if isinstance(primal, Variable) else primal._value
        if not is_differentiable(value.dtype):
            warning("The dtype of the watched primal must be floating (e.g. tf.float32), got %r", primal.dtype)
        tangent = convert_to_tensor(tangent, dtype=primal.dtype)
        if tangent._value.shape != value.shape and not tangent.shape.is_compatible_with(primal.shape):
            raise ValueError(
                f"A tangent of shape {tangent.shape} was given for a primal of shape {primal.shape}; "
                "they must be the same"
            )
        if primal._key is None:
            primal._key = new_key()
        self._records.keep(primal._key, tangent)

    def __enter__(self) -> ForwardAccumulator:
        self._stack = own_stack()
        if self in self._stack:
            raise ValueError("Accumulator is already recording.")
        self._stack.append(self)
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self in self._stack:
            self._stack.remove(self)

    def jvp(self, primals: Any, unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE) -> Any:
        """The Jacobian-vector product of tensors computed inside the block: for each its tangent, of its shape.

        A tensor that does not depend on the primals gives None, or zeros with `unconnected_gradients="zero"`.
        """
        zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO

        def tangent(x: Any) -> Any:
            found = self._records.get(x._key)
            if found is None and zero:
                return TENSORS.zeros_like(convert_to_tensor(x))  # type: ignore[attr-defined]
            return found

        return nest.map_structure(tangent, primals)


class _Tangents(dict):
    """Tangents by key. What an op stores here is its record, in place of which its output's tangent is kept."""

    def __init__(self, accumulator: ForwardAccumulator) -> None:
        super().__init__()
        self._accumulator = accumulator

    keep = dict.__setitem__

    def __setitem__(self, key: int, record: Any) -> None:
        if record is None:
            return
        if record[0] is PART:
            parts, index = self.get(record[1]), record[2]
            if parts is not None and parts[index] is not None:
                self.keep(key, parts[index])
            return
        with pause(self._accumulator):
            tangent = _tangent(record, self)
        if tangent is not None:
            self.keep(key, tangent)


def _tangent(record: tuple, tangents: dict) -> Any:
    op = record[0]
    if op.name in JVP:
        return JVP[op.name](record, tangents)
    if getattr(op, "elementwise", False):
        return _elementwise(record, tangents)
    return _transposed_twice(record, tangents)


def _elementwise(record: tuple, tangents: dict) -> Any:
    op = record[0]
    if len(op.grads) == 1:
        return op.grads[0](TENSORS, tangents[record[1]], record[2])
    total = None
    for key, rule in zip(record[1:3], op.grads, strict=True):
        if key in tangents:
            part = rule(TENSORS, tangents[key], *record[5:])
            total = part if total is None else total + part
    shape = op.describe(record)[1]
    return total if total._value.shape == shape else TENSORS.broadcast_to(total, shape)  # type: ignore[attr-defined]


def _transposed_twice(record: tuple, tangents: dict) -> Any:
    """The tangent as the gradient, with respect to u, of the pullback of u paired with the inputs' tangents."""
    op = record[0]
    outputs = ((record[4][-1], record[5]),) if op.outputs == 1 else record[5]
    with GradientTape() as tape:
        # the map is linear, so any u will do; not 0, where rules that take its logarithm are not smooth
        dummies = [_ones(*like) for like in outputs]
        tape.watch([u for u in dummies if is_differentiable(u._value.dtype)])
        grads: dict = {}
        op.pull(TENSORS, dummies[0] if op.outputs == 1 else dummies, record, tangents, grads)
        found = {k: _dense(g) for k, g in grads.items()}
    if not found:
        return None
    results = tape.gradient(list(found.values()), dummies, output_gradients=[tangents[k] for k in found])
    results = [_dense(g) for g in results]
    return results[0] if op.outputs == 1 else results


def _ones(shape: tuple, dtype: np.dtype) -> Tensor:
    if dtype is VARIANT:
        return wrap(ZERO)
    if has_sizes(shape):
        return TENSORS.broadcast_to(wrap(dtype.type(1)), shape)  # type: ignore[attr-defined]
    return wrap(flat(np.ones(shape, dtype)))


def _dense(g: Any) -> Any:
    return g.dense() if isinstance(g, IndexedSlices) else g


def _cast(record: tuple, tangents: dict) -> Any:
    tangent, dtype = tangents[record[1]], record[3][0]
    return TENSORS.cast(tangent, dtype) if is_differentiable(dtype) else None  # type: ignore[attr-defined]


JVP = {"cast": _cast}
JVP.update(
    {
        name: lambda record, tangents, name=name: getattr(TENSORS, name)(tangents[record[1]])
        for name in ("real", "imag", "conj", "identity")
    }
)
