"""`tf.keras.activations`: the functions between layers, and how to find one by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.convert import convert_to_tensor
from ..core.tensor import Tensor
from ..ops import activations as ops
from ..ops.arithmetic import abs_ as absolute
from ..ops.arithmetic import maximum, minimum, sign
from ..ops.comparison import greater, greater_equal, less_equal
from ..ops.elementary import exp, sqrt
from ..ops.elementary import log_sigmoid as _log_sigmoid
from ..ops.elementary import sigmoid as _sigmoid
from ..ops.elementary import softplus as _softplus
from ..ops.elementary import tanh as _tanh
from ..ops.joining import split
from ..ops.reduction import reduce_max, reduce_sum
from ..ops.selection import clip_by_value, where
from ..ops.shaping import zeros_like
from .logits import remember
from .registry import resolve
from .registry import serialize as _serialize

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x: Any) -> Any:
    """x itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """max(x, 0); below `threshold` a line of slope `negative_slope` through it, and nothing above `max_value`."""
    if negative_slope == 0.0 and max_value is None and threshold == 0.0:
        return ops.relu(x)
    x = convert_to_tensor(x)
    if threshold or negative_slope:
        y = where(greater(x, threshold), x, (x - threshold) * negative_slope if negative_slope else zeros_like(x))
    else:
        y = ops.relu(x)
    if max_value is None:
        return y
    return minimum(y, float(max_value)) if negative_slope else clip_by_value(y, 0.0, float(max_value))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x, times `negative_slope` where it is negative."""
    return ops.leaky_relu(x, alpha=negative_slope)


def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x, and `alpha * (exp(x) - 1)` where it is negative."""
    y = ops.elu(x)
    return y if alpha == 1 else where(greater(convert_to_tensor(x), 0.0), y, y * alpha)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x, and `alpha * (exp(x / alpha) - 1)` where it is negative."""
    x = convert_to_tensor(x)
    return maximum(x, 0.0) + ops.elu(minimum(x, 0.0) / alpha) * alpha


def selu(x: Any) -> Tensor:
    """The scaled `elu` under which activations normalize themselves."""
    return ops.selu(x)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """x times the normal distribution function of x, or its approximation by tanh."""
    return ops.gelu(x, approximate)


def silu(x: Any) -> Tensor:
    """x * sigmoid(x)."""
    return ops.silu(x)


swish = silu


def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return _softplus(x)


def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x))."""
    return _log_sigmoid(x)


def mish(x: Any) -> Tensor:
    """x * tanh(softplus(x))."""
    x = convert_to_tensor(x)
    return x * _tanh(softplus(x))


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return ops.softsign(x)


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return _tanh(x)


def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    x = convert_to_tensor(x)
    return x - _tanh(x)


def hard_tanh(x: Any) -> Tensor:
    """x, held between -1 and 1."""
    return clip_by_value(convert_to_tensor(x), -1.0, 1.0)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x, and 0 where |x| is at most `threshold`."""
    x = convert_to_tensor(x)
    return where(greater(absolute(x), threshold), x, zeros_like(x))


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by `threshold`, as far as 0."""
    x = convert_to_tensor(x)
    return sign(x) * maximum(absolute(x) - threshold, 0.0)


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x, and `default_value` where x is at most `threshold`."""
    x = convert_to_tensor(x)
    return where(greater(x, threshold), x, zeros_like(x) + default_value)


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    x = convert_to_tensor(x)
    return remember(_sigmoid(x), "sigmoid", x)


def hard_sigmoid(x: Any) -> Tensor:
    """x / 6 + 1/2, held between 0 and 1."""
    sixths: Tensor = ops.relu6(convert_to_tensor(x) + 3.0) * (1.0 / 6.0)
    return sixths


def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x)."""
    x = convert_to_tensor(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def sparse_plus(x: Any) -> Tensor:
    """0 below -1, x above 1, and (x + 1)**2 / 4 between."""
    x = convert_to_tensor(x)
    return where(less_equal(x, -1.0), zeros_like(x), where(greater_equal(x, 1.0), x, (x + 1.0) * (x + 1.0) / 4.0))


def sparse_sigmoid(x: Any) -> Tensor:
    """(x + 1) / 2, held between 0 and 1."""
    return clip_by_value((convert_to_tensor(x) + 1.0) / 2.0, 0.0, 1.0)


def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2."""
    x = convert_to_tensor(x)
    return (x + sqrt(x * x + float(b))) / 2.0


def exponential(x: Any) -> Tensor:
    """exp(x)."""
    return exp(x)


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x) over its sum along an axis, or along several at once."""
    x = convert_to_tensor(x)
    if isinstance(axis, (list, tuple)):
        shifted = exp(x - reduce_max(x, axis=tuple(axis), keepdims=True))
        return shifted / reduce_sum(shifted, axis=tuple(axis), keepdims=True)
    y = ops.softmax(x, axis)
    return remember(y, "softmax", x) if axis == -1 else y


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """log(softmax(x))."""
    return ops.log_softmax(x, axis)


def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half of x along an axis, times the sigmoid of the second."""
    value, gate = split(convert_to_tensor(x), 2, axis=axis)
    return value * _sigmoid(gate)


_FUNCTIONS: tuple[Callable, ...] = (
    linear, relu, leaky_relu, relu6, elu, celu, selu, gelu, silu, mish, softplus, softsign, tanh, tanh_shrink,
    hard_tanh, hard_shrink, soft_shrink, threshold, sigmoid, hard_sigmoid, hard_silu, log_sigmoid, sparse_plus,
    sparse_sigmoid, squareplus, exponential, softmax, log_softmax, glu,
)  # fmt: skip
_KNOWN: dict[str, Any] = {f.__name__: f for f in _FUNCTIONS} | {"swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Callable:
    """An activation by name, configuration or function; `linear` for None. Raises ValueError for others."""
    return linear if identifier is None else resolve(identifier, _KNOWN, "activation function")


def serialize(activation: Any) -> Any:
    """The name of an activation."""
    return _serialize(activation, "keras.activations")


def deserialize(config: Any, custom_objects: dict | None = None) -> Callable:
    """The activation of a name or configuration."""
    return resolve(config, _KNOWN | (custom_objects or {}), "activation function")
