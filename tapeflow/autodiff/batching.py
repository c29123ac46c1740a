"""One tensor that stands for many: ops run once for a whole batch of examples.

A `Batched` tensor looks to an op like one example: its `_value` has that one's shape and dtype and no elements. Its
`_inner` tensor holds all of them, along a first dimension of its own. An op of a batched tensor runs once on the inner
tensors by the op's rule in `RULES`, elementwise ops without one; an op that has no rule runs once an example. Jacobians
are a backward pass of batched gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.op import TENSORS, Op
from ..core.tensor import Tensor, wrap


class Batched(Tensor):
    """Many tensors of one shape and dtype, `_inner[i]` each, that ops treat as one."""

    __slots__ = ("_inner",)
    _level = 2
    _inner: Tensor

    @classmethod
    def _interpret(cls, op: Op, inputs: tuple, attributes: tuple) -> Any:
        rule = RULES.get(op.name)
        if rule is None and getattr(op, "elementwise", False):
            rule = _elementwise
        return (rule or _one_by_one)(op, inputs, attributes)


class CannotBatch(TypeError):
    """What an op raises that has no way to run for a whole batch at once."""


def batched(inner: Tensor) -> Batched:
    """The tensors `inner[i]` as one."""
    out = Batched()
    out._inner = inner
    out._value = Abstract(inner._value.shape[1:], inner._value.dtype)
    out._key = None
    return out


def _size(inputs: tuple) -> int:
    return next(x._inner._value.shape[0] for x in inputs if isinstance(x, Batched))


def _aligned(x: Tensor, rank: int) -> Tensor:
    """The inner tensor with ones put in, so that its examples broadcast as of that rank; a plain tensor as it is."""
    if not isinstance(x, Batched):
        return x
    shape = x._value.shape
    if len(shape) >= rank:
        return x._inner
    return TENSORS.reshape(x._inner, (x._inner._value.shape[0],) + (1,) * (rank - len(shape)) + shape)


def every(x: Tensor, size: int) -> Tensor:
    """The inner tensor; of a plain tensor, `size` copies."""
    if isinstance(x, Batched):
        return x._inner
    return TENSORS.broadcast_to(x, (size, *x._value.shape))


# -- rules -------------------------------------------------------------------------------------------------------------


def _elementwise(op: Op, inputs: tuple, attributes: tuple) -> Any:
    rank = max(len(x._value.shape) for x in inputs)
    return batched(op.call(*[_aligned(x, rank) for x in inputs], *attributes))


def _one_by_one(op: Op, inputs: tuple, attributes: tuple) -> Any:
    results = []
    for i in range(_size(inputs)):
        example = [_example(x, i) for x in inputs]
        results.append(op.call(example, *attributes) if op.inputs is None else op.call(*example, *attributes))
    if isinstance(results[0], tuple):
        return tuple(batched(TENSORS.stack(list(parts), 0)) for parts in zip(*results, strict=True))
    return batched(TENSORS.stack(results, 0))


def _example(x: Tensor, i: int) -> Tensor:
    return TENSORS.gather(x._inner, wrap(np.int32(i)), 0, 0) if isinstance(x, Batched) else x


def _shape_attribute(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """reshape and the like, whose one attribute is the shape that each example gets."""
    (x,), (shape,) = inputs, attributes
    if -1 in shape:
        shape = op.infer(x._value, shape).shape
    return batched(op.call(x._inner, (x._inner._value.shape[0], *shape)))


def _broadcast_to(op: Op, inputs: tuple, attributes: tuple) -> Any:
    (x,), (shape,) = inputs, attributes
    return batched(op.call(_aligned(x, len(shape)), (x._inner._value.shape[0], *shape)))


def _transpose(op: Op, inputs: tuple, attributes: tuple) -> Any:
    (x,), (perm,) = inputs, attributes
    rank = len(perm)
    return batched(op.call(x._inner, (0, *[a % rank + 1 for a in perm])))


def _reduction(op: Op, inputs: tuple, attributes: tuple) -> Any:
    (x,), (axes, *rest) = inputs, attributes
    rank = len(x._value.shape)
    axes = tuple(range(1, rank + 1)) if axes is None else tuple(a % rank + 1 for a in axes)
    return batched(op.call(x._inner, axes, *rest))


def _one_axis(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """Ops whose first attribute is an axis: softmax, cumsum, argmax."""
    x, (axis, *rest) = inputs[0], attributes
    axis = axis % len(x._value.shape) + 1
    return batched(op.call(*[every(y, _size(inputs)) for y in inputs], axis, *rest))


def _matmul(op: Op, inputs: tuple, attributes: tuple) -> Any:
    rank = max(len(x._value.shape) for x in inputs)
    return batched(op.call(*[_aligned(x, rank) for x in inputs], *attributes))


def _joined(op: Op, inputs: tuple, attributes: tuple) -> Any:
    axis, *rest = attributes
    size = _size(inputs)
    rank = len(inputs[0]._value.shape) + (op.name == "stack")
    return batched(op.call([every(x, size) for x in inputs], axis % rank + 1, *rest))


def _same_attributes(op: Op, inputs: tuple, attributes: tuple) -> Any:
    return batched(op.call(inputs[0]._inner, *attributes))


def _windows(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """Pooling, whose attributes have an entry for each dimension."""
    *shapes, windows, strides, dilations, padding = attributes
    size = _size(inputs)
    how = ((1, *windows), (1, *strides), (1, *dilations), padding if type(padding) is str else ((0, 0), *padding))
    return batched(op.call(*[every(x, size) for x in inputs], *[(size, *shape) for shape in shapes], *how))


def _convolution(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """Examples of inputs as more of one batch; one by one where the filter is batched."""
    x, *fixed = inputs
    if any(isinstance(k, Batched) for k in fixed):
        return _one_by_one(op, inputs, attributes)
    inner = x._inner
    size, batch, *rest = inner._value.shape
    if op.name == "convolution_input_gradient":
        shape, *how = attributes
        attributes = ((size * batch, *shape[1:]), *how)
    y = op.call(TENSORS.reshape(inner, (size * batch, *rest)), *fixed, *attributes)
    return batched(TENSORS.reshape(y, (size, batch, *y._value.shape[1:])))


def _filter_gradient(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """Examples of the outputs' gradient as more channels; one by one where inputs are batched, or in groups."""
    (x, g), (shape, *how) = inputs, attributes
    first = how[-1]
    if isinstance(x, Batched) or x._value.shape[1 if first else -1] != shape[-2]:
        return _one_by_one(op, inputs, attributes)
    size, *dims = g._inner._value.shape
    rank, m = len(dims), shape[-1]
    at = 1 if first else rank - 1
    joined = TENSORS.transpose(g._inner, (*range(1, at + 1), 0, *range(at + 1, rank + 1)))
    joined = TENSORS.reshape(joined, (*dims[:at], size * m, *dims[at + 1 :]))
    d = op.call(x, joined, (*shape[:-1], size * m), *how)
    d = TENSORS.reshape(d, (*shape[:-1], size, m))
    return batched(TENSORS.transpose(d, (rank - 1, *range(rank - 1), rank)))


RULES: dict[str, Callable] = {
    "reshape": _shape_attribute,
    "broadcast_to": _broadcast_to,
    "transpose": _transpose,
    "matmul": _matmul,
    "concat": _joined,
    "stack": _joined,
    "where": _elementwise,
    "relu_grad": _elementwise,
    "convolution_filter_gradient": _filter_gradient,
}
RULES.update(dict.fromkeys(("convolution", "convolution_with_bias", "convolution_input_gradient"), _convolution))
RULES.update(dict.fromkeys(("max_pool", "max_pool_grad", "max_pool_pick", "avg_pool", "avg_pool_grad"), _windows))
RULES.update(dict.fromkeys(("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"), _reduction))
RULES.update(dict.fromkeys(("cumsum", "cumprod", "softmax", "log_softmax"), _one_axis))
RULES.update(dict.fromkeys(("cast", "identity", "zeros_like", "ones_like", "stop_gradient"), _same_attributes))
