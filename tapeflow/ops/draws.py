"""The random ops, each declared once: numbers of a distribution, given where in a random stream they begin.

A draw is a pure function. Its first tensor is a `stream`, int64[3]: the counter's lower and upper half and the key, as
the state of a `Generator` is. Three ops say where streams begin, and they are all that tells stateful, stateless and
Generator's randomness apart: `random_stream` (hidden state, see `seeds.reserve`), `stateless_stream` (scrambles a
user's two seeds), and `advance_stream` (a Generator's state after it was used).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor
from ..core.dtypes import FLOATS, as_dtype, group, short_name
from ..core.op import define
from ..core.shapes import TensorShape, broadcast_shapes
from ..core.size import sizes_given
from ..core.tensor import Tensor
from . import rejection, sampling, seeds
from .pathwise import random_gamma_grad  # noqa: F401 - the rule of `random_gamma` calls it by its name
from .philox import KEY_MASK

_INT32, _INT64 = np.dtype("int32"), np.dtype("int64")
INTEGERS_32_64 = group("int32", "int64")
FULL_INTEGERS = group("int32", "int64", "uint32", "uint64")
PARAMETERS = group("float16", "float32", "float64", "int32", "int64")
WIDE_FLOATS = group("float16", "float32", "float64")

# -- where streams begin -----------------------------------------------------------------------------------------------

_STREAM = Abstract((3,), _INT64)


def _stream(key: int, counter: int) -> np.ndarray:
    return np.array([counter & KEY_MASK, counter >> 64, key], np.uint64).view(_INT64)


def _reserved(kernel: tuple, op_seed: int | None, blocks: int) -> np.ndarray:
    return _stream(*seeds.reserve(kernel, op_seed, blocks))


def _seed_shape(seed: Any, title: str = "StatelessRandomGetKeyCounter") -> Abstract:
    if seed.dtype not in INTEGERS_32_64:
        raise refused("Tseed", seed.dtype, INTEGERS_32_64, title)
    if seed.shape is not None and (len(seed.shape) != 1 or seed.shape[0] not in (2, None)):
        raise errors.invalid(title, f"seed must have shape [2], not {list(seed.shape)}")
    return _STREAM


random_stream = define(
    "random_stream",
    lambda xp: _reserved,
    lambda kernel, op_seed, blocks: _STREAM,
    inputs=0,
    effect=True,
    doc="The stream that the next stateful op of this kernel and op seed draws from, moved on by `blocks`.",
)
_node_stream = define(
    "node_stream",
    lambda xp: lambda node, blocks: _stream(*node.reserve(blocks)),
    lambda node, blocks: _STREAM,
    inputs=0,
    effect=True,
    doc="The stream that a random op of a graph draws from, which goes on from call to call.",
)


def _in_a_graph(trace: Any, attributes: tuple) -> tuple:
    _, op_seed, blocks = attributes
    return _node_stream.op, (trace.seeds.node(op_seed), blocks)  # type: ignore[attr-defined]


random_stream.op.traced = _in_a_graph  # type: ignore[attr-defined]
_scrambled = define(
    "stateless_stream",
    lambda xp: lambda seed: _stream(*seeds.stateless_stream(seed.tolist())),
    _seed_shape,
    doc="The stream that a stateless op draws from, of its two seeds.",
)
advance_stream = define(
    "advance_stream",
    lambda xp: seeds.skip_blocks,
    lambda stream, blocks: _STREAM,
    doc="The stream `blocks` further on.",
)


def stateless_stream(seed: Any, title: str = "StatelessRandomGetKeyCounter") -> Tensor:
    """The stream of a stateless op, of its argument `seed`.

    Raises InvalidArgumentError for a seed that is not two int32 or int64 integers.
    """
    if type(seed) is not Tensor:
        seed = convert_to_tensor(seed)
    _seed_shape(seed._value, title)
    return _scrambled(seed)


# -- draws -------------------------------------------------------------------------------------------------------------


def _floats(draw: Callable) -> Callable:
    return lambda xp: lambda stream, shape, dtype: draw(shape, *seeds.state_stream(stream), dtype)


def _of_shape(stream: Any, shape: tuple, dtype: np.dtype) -> Abstract:
    return Abstract(shape, dtype)


random_uniform = define("random_uniform", _floats(sampling.uniform), _of_shape)
random_normal = define("random_normal", _floats(sampling.normal), _of_shape)
random_truncated_normal = define("random_truncated_normal", _floats(sampling.truncated_normal), _of_shape)
random_uniform_full_int = define("random_uniform_full_int", _floats(sampling.uniform_full_int), _of_shape)


def _uniform_int(stream: Any, low: Any, high: Any, shape: tuple) -> np.ndarray:
    return sampling.uniform_int(shape, *seeds.state_stream(stream), int(low), int(high), low.dtype)


def _uniform_int_shape(stream: Any, low: Any, high: Any, shape: tuple) -> Abstract:
    for name, bound in (("minval", low), ("maxval", high)):
        if bound.shape:
            raise errors.invalid("RandomUniformInt", f"{name} must be 0-D, got shape {list(bound.shape)}")
    if isinstance(low, np.generic) and low >= high and math.prod(shape):
        raise errors.invalid("RandomUniformInt", f"Need minval < maxval, got {low} >= {high}")
    return Abstract(shape, low.dtype)


random_uniform_int = define("random_uniform_int", lambda xp: _uniform_int, _uniform_int_shape, inputs=3)


def _ends_with(shape: tuple, parameters: tuple | None, title: str) -> tuple:
    """The part of `shape` before that of the parameters. Raises InvalidArgumentError where it does not end with it."""
    if parameters is None:
        return shape
    before = len(shape) - len(parameters)
    if before < 0 or any(a not in (None, b) for a, b in zip(parameters, shape[before:], strict=True)):
        raise errors.invalid(
            title, f"Shape passed in must end with broadcasted shape: {list(shape)} does not with {list(parameters)}"
        )
    return shape[:before]


def _gamma(stream: Any, alpha: Any, shape: tuple) -> np.ndarray:
    samples = _ends_with(shape, alpha.shape, "RandomGamma")
    return rejection.gamma(samples, np.asarray(alpha), *seeds.state_stream(stream))


def _gamma_shape(stream: Any, alpha: Any, shape: tuple) -> Abstract:
    _ends_with(shape, alpha.shape, "RandomGamma")
    return Abstract(shape, alpha.dtype)


random_gamma = define(
    "random_gamma",
    lambda xp: _gamma,
    _gamma_shape,
    [None, lambda F, g, alpha, sample, of, shape: F.sum_to(g * F.random_gamma_grad(alpha, sample), of)],
    saves=lambda stream, alpha, out, shape: (alpha, out, alpha._value.shape),
    inputs=2,
)


def _poisson(stream: Any, rate: Any, shape: tuple, dtype: np.dtype) -> np.ndarray:
    samples = _ends_with(shape, rate.shape, "RandomPoissonV2")
    return rejection.poisson(samples, np.asarray(rate), *seeds.state_stream(stream), dtype)


def _poisson_shape(stream: Any, rate: Any, shape: tuple, dtype: np.dtype) -> Abstract:
    _ends_with(shape, rate.shape, "RandomPoissonV2")
    return Abstract(shape, dtype)


random_poisson = define("random_poisson", lambda xp: _poisson, _poisson_shape, inputs=2)


def _binomial(stream: Any, counts: Any, probs: Any, shape: tuple, dtype: np.dtype) -> np.ndarray:
    return rejection.binomial(shape, counts, probs, *seeds.state_stream(stream), dtype)


def _binomial_shape(stream: Any, counts: Any, probs: Any, shape: tuple, dtype: np.dtype) -> Abstract:
    try:
        both = broadcast_shapes(counts.shape, probs.shape)
    except errors.InvalidArgumentError:
        raise errors.invalid(
            "RandomBinomial",
            f"counts and probs must have compatible batch dimensions: {list(counts.shape)} vs. {list(probs.shape)}",
        ) from None
    _ends_with(shape, both, "RandomBinomial")
    return Abstract(shape, dtype)


random_binomial = define("random_binomial", lambda xp: _binomial, _binomial_shape, inputs=3)


def _categorical(stream: Any, logits: Any, num_samples: int, dtype: np.dtype) -> np.ndarray:
    return sampling.categorical(logits, num_samples, *seeds.state_stream(stream), dtype)


def _categorical_shape(stream: Any, logits: Any, num_samples: int, dtype: np.dtype) -> Abstract:
    if num_samples < 0:
        raise errors.invalid("Multinomial", f"num_samples should be non-negative, got {num_samples}")
    if logits.shape is None:
        return Abstract((None, num_samples), dtype)
    if len(logits.shape) != 2:
        raise errors.invalid("Multinomial", f"logits should be a matrix, got shape {list(logits.shape)}")
    if logits.shape[1] == 0:
        raise errors.invalid("Multinomial", f"num_classes should be positive, got shape {list(logits.shape)}")
    return Abstract((logits.shape[0], num_samples), dtype)


random_categorical = define("random_categorical", lambda xp: _categorical, _categorical_shape, inputs=2)


def _shuffle(stream: Any, value: Any, back: bool) -> Any:
    if not value.shape:
        return value
    order = sampling.permutation(value.shape[0], *seeds.state_stream(stream))
    return value[np.argsort(order) if back else order]


random_shuffle = define(
    "random_shuffle",
    lambda xp: _shuffle,
    lambda stream, value, back: Abstract(value.shape, value.dtype),
    [None, lambda F, g, stream, back: F.random_shuffle(stream, g, not back)],
    saves=lambda stream, value, out, back: (stream,),
    inputs=2,
    doc="The rows in random order, or with `back`, the rows so shuffled in their old order.",
)

# -- arguments that draws share ----------------------------------------------------------------------------------------


def shape_argument(shape: Any, title: str) -> tuple[tuple[int, ...], np.dtype]:
    """The shape that a draw is asked for, and the dtype that it would have as a tensor (which names its stream).

    Raises InvalidArgumentError for what is no vector of int32 or int64, or has a negative dimension, ValueError for
    None and for a partly known TensorShape.
    """
    if (type(shape) is list or type(shape) is tuple) and all(type(n) is int for n in shape):
        dims, dtype = tuple(shape), _INT32
    elif isinstance(shape, TensorShape):
        if not shape.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {shape} to a Tensor.")
        dims, dtype = tuple(shape.as_list()), _INT32
    elif (sizes := sizes_given(shape)) is not None:
        return sizes, shape._value.dtype if isinstance(shape, Tensor) else _INT32
    else:
        given = convert_to_tensor(shape)._value
        if given.dtype not in INTEGERS_32_64:
            raise refused("T", given.dtype, INTEGERS_32_64, title)
        if given.ndim != 1:
            raise errors.invalid(title, f"shape must be a vector of {{int32,int64}}, got shape {list(given.shape)}")
        dims, dtype = tuple(given.tolist()), given.dtype
        if isinstance(shape, (list, tuple)) and not any(isinstance(n, Tensor) for n in shape):
            dtype = _INT32  # TensorFlow takes NumPy's integers in a list for Python's
    for n in dims:
        if n < 0:
            raise errors.invalid(title, f"Dimension {n} must be >= 0, in the shape {list(dims)}")
    return dims, dtype


def parameter(value: Any, dtype: np.dtype, allowed: set = FLOATS, title: str = "RandomStandardNormal") -> Tensor:
    """A distribution's parameter as a tensor of the dtype that the numbers drawn have.

    Raises TypeError or ValueError where it is of another, InvalidArgumentError where the draw is not made in that one.
    """
    tensor = value if type(value) is Tensor and value._value.dtype is dtype else convert_to_tensor(value, dtype)
    if dtype not in allowed:
        raise refused("dtype", dtype, allowed, title)
    return tensor


def refused(attribute: str, dtype: np.dtype, allowed: set, title: str) -> errors.InvalidArgumentError:
    """The error for a dtype that an op does not take."""
    names = ", ".join(sorted(short_name(d) for d in allowed if isinstance(d, np.dtype)))
    return errors.invalid(
        title, f"Value for attr '{attribute}' of {short_name(dtype)} is not in the list of allowed values: {names}"
    )


def refused_value(argument: str, dtype: Any, allowed: set) -> ValueError:
    """The error for a dtype argument that a function does not take."""
    names = ", ".join(sorted(f"tf.{as_dtype(d).name}" for d in allowed if isinstance(d, np.dtype)))
    return ValueError(f"Argument `{argument}` got invalid value {as_dtype(dtype)}. Accepted dtypes are ({names}).")
