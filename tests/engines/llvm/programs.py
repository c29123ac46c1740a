"""Random programs for the engine: steps over tensors and variables, of whole numbers that no order of summing rounds.

A program is a list of steps, each a name and four whole numbers, which choose operands and attributes whatever they
are: so that hypothesis can shorten a program and make its numbers smaller. Values stay below 16: what might grow is
taken modulo 16, and what is no whole number (`tanh`, `softmax`) is scaled and rounded, never near a half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

import tapeflow as tf

_MOST = 3000  # elements of a tensor
SHAPES = [(3, 17), (17,), (1, 17), (3, 1), (), (2, 3, 5), (5,), (4, 16), (33,), (2, 1, 1, 9)]
VARIABLES = [(3, 17), (17,), (), (3, 17), ()]
_STEPS: dict[str, Callable] = {}


def step(function: Callable) -> Callable:
    """Declares a step: `function(state, a, b, c, d)` gives a tensor or None."""
    _STEPS[function.__name__.strip("_")] = function
    return function


def names() -> list[str]:
    """What steps there are."""
    return sorted(_STEPS)


class State:
    """The tensors that there are, and the variables."""

    def __init__(self, tensors: Sequence[Any], variables: Sequence[tf.Variable]) -> None:
        self.pool = list(tensors)
        self.variables = variables
        self.dtype = tensors[0].dtype
        self.floating = self.dtype.is_floating

    def __getitem__(self, i: int) -> Any:
        return self.pool[i % len(self.pool)]

    def variable(self, i: int) -> tf.Variable:
        return self.variables[i % len(self.variables)]

    def number(self, x: int) -> Any:
        return tf.constant(x, self.dtype)


def program(steps: Sequence[tuple], outputs: Sequence[int], variables: Sequence[tf.Variable]) -> Callable:
    """The function of tensors that runs the steps and returns the chosen tensors."""

    def f(*tensors: Any) -> list:
        state = State(tensors, variables)
        for name, *numbers in steps:
            made = _STEPS[name](state, *numbers)
            if made is not None:
                if prod(dims(made)) > _MOST:
                    made = tf.reduce_max(made, axis=-1)
                state.pool.append(made)
        return [state[i] for i in outputs]

    return f


def inputs(count: int, dtype: str, seed: int) -> list[np.ndarray]:
    """Arrays of whole numbers, of some shapes each."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-8, 8, SHAPES[(seed + i) % len(SHAPES)]).astype(dtype)[()] for i in range(count)]


def new_variables(dtype: str) -> list[tf.Variable]:
    """Variables of whole numbers."""
    rng = np.random.default_rng(1)
    return [tf.Variable(rng.integers(-8, 8, shape).astype(dtype)) for shape in VARIABLES]


def dims(x: Any) -> tuple[int, ...]:
    """The shape of a tensor or a variable."""
    return tuple(x.shape)


def small(state: State, x: Any) -> Any:
    """The numbers modulo 16."""
    return tf.math.floormod(x, state.number(16))


def fitted(state: State, x: Any, shape: Sequence[int]) -> Any:
    """x in another shape, somehow."""
    if dims(x) == tuple(shape):
        return x
    if prod(dims(x)) == prod(shape):
        return tf.reshape(x, shape)
    if all(n in (1, m) for n, m in zip(reversed(dims(x)), reversed(shape), strict=False)) and len(dims(x)) <= len(
        shape
    ):
        return tf.broadcast_to(x, shape)
    return tf.broadcast_to(small(state, tf.reduce_sum(x)), shape)


def two(state: State, a: int, b: int) -> tuple[Any, Any]:
    """Two tensors that broadcast."""
    x, y = state[a], state[b]
    try:
        np.broadcast_shapes(dims(x), dims(y))
    except ValueError:
        y = fitted(state, y, dims(x))
    return x, y


def axes_of(x: Any, bits: int) -> list[int]:
    """Some of the axes."""
    return [i for i in range(len(dims(x))) if bits >> i & 1]


# -- elementwise -------------------------------------------------------------------------------------------------------


@step
def _unary(state: State, a: int, b: int, c: int, d: int) -> Any:
    functions = [tf.negative, tf.abs, tf.sign, tf.nn.relu, tf.identity, tf.stop_gradient]
    return functions[b % len(functions)](state[a])


@step
def _curved(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not state.floating:
        return small(state, x * x)
    functions = [tf.tanh, tf.sigmoid, tf.sin, tf.atan, lambda x: tf.exp(-tf.abs(x)), lambda x: tf.math.log1p(tf.abs(x))]
    return tf.math.rint(functions[b % len(functions)](x) * 7.3)


@step
def _binary(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, y = two(state, a, b)
    functions = [tf.add, tf.subtract, tf.multiply, tf.maximum, tf.minimum, tf.math.squared_difference]
    return small(state, functions[c % len(functions)](x, y))


@step
def _chosen(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, y = two(state, a, b)
    tests = [tf.less, tf.equal, tf.greater_equal, lambda x, y: tf.logical_and(x < y, y > x - state.number(3))]
    return tf.where(tests[c % len(tests)](x, y), y, state.number(d % 5))


@step
def _cast(state: State, a: int, b: int, c: int, d: int) -> Any:
    to = [tf.int32, tf.int64, tf.float64, tf.int8, tf.bool, tf.float32][b % 6]
    return tf.cast(tf.cast(state[a], to), state.dtype)


# -- over axes ---------------------------------------------------------------------------------------------------------


@step
def _reduced(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    functions = [tf.reduce_sum, tf.reduce_max, tf.reduce_min, tf.reduce_sum]
    return small(state, functions[c % 4](x, axes_of(x, b), keepdims=bool(d % 2)))


@step
def _mean(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not state.floating:
        return tf.cast(tf.reduce_any(x > state.number(2), axes_of(x, b)), state.dtype)
    axes = axes_of(x, b)
    count = prod([dims(x)[i] for i in axes])
    return small(state, tf.math.rint(x - tf.math.rint(tf.reduce_mean(x, axes, keepdims=True) * float(count)) + 0.1))


@step
def _softmax(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not state.floating or not dims(x):
        return None
    axis = b % len(dims(x))
    if c % 3 == 0:
        return small(state, tf.math.rint(tf.reduce_logsumexp(x, axis, keepdims=bool(d % 2)) * 7.13))
    if c % 3 == 1:
        return tf.math.rint(tf.nn.softmax(x, axis) * 13.7)
    return small(state, tf.math.rint(tf.nn.log_softmax(x, axis) * 7.13))


@step
def _position(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not dims(x) or 0 in dims(x):
        return None
    return tf.cast(small(state, tf.cast((tf.argmax, tf.argmin)[c % 2](x, b % len(dims(x))), state.dtype)), state.dtype)


@step
def _product(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, y = state[a], state[b]
    if not state.floating or not dims(x):
        return None
    if len(dims(x)) == 3 and dims(y) == dims(x):
        return small(state, tf.matmul(x, y, transpose_b=True))
    k = dims(x)[-1]
    x = tf.reshape(x, [-1, k])
    m = 1 + c % 20
    y = fitted(state, y, [m, k] if d % 2 else [k, m])
    return small(state, tf.matmul(x, y, transpose_b=bool(d % 2)) + fitted(state, state[c], [m]))


# -- moves -------------------------------------------------------------------------------------------------------------


@step
def _reshaped(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if b % 3 == 0:
        return tf.reshape(x, [-1])
    if b % 3 == 1:
        return tf.expand_dims(x, c % (len(dims(x)) + 1)) if len(dims(x)) < 5 else tf.squeeze(x)
    return tf.reshape(x, [dims(x)[-1], -1] if dims(x) else [1])


@step
def _transposed(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    return tf.transpose(x, np.random.default_rng(b % 100).permutation(len(dims(x))).tolist())


@step
def _sliced(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not dims(x) or 0 in dims(x):
        return None
    axis = b % len(dims(x))
    n = dims(x)[axis]
    parts = [
        slice(c % n, None),
        slice(None, None, -1),
        slice(None, None, 2),
        c % n,
        slice(c % n, c % n + 1),
        slice(n, 0, -2),
    ]
    return x[(*[slice(None)] * axis, parts[d % len(parts)])]


@step
def _joined(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    y = fitted(state, state[b], dims(x))
    if not dims(x):
        return tf.stack([x, y])
    if d % 3 == 0:
        return tf.stack([x, y, x], c % (len(dims(x)) + 1)) if len(dims(x)) < 5 else None
    if d % 3 == 1:
        return tf.concat([x, y], c % len(dims(x)))
    return tf.concat([x[: dims(x)[0] // 2], y], 0)


@step
def _spread(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if b % 3 == 0:
        return tf.tile(x, [1 + (c >> i) % 2 for i in range(len(dims(x)))])
    if b % 3 == 1 and dims(x):
        return tf.pad(x, [[(c + i) % 3, (d + i) % 3] for i in range(len(dims(x)))])
    return tf.broadcast_to(x, [1 + c % 3, *dims(x)]) if len(dims(x)) < 5 else None


@step
def _parted(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not dims(x) or 0 in dims(x):
        return None
    axis = b % len(dims(x))
    if d % 2:
        parts = tf.unstack(x, axis=axis)
        return tf.maximum(parts[0], parts[c % len(parts)])
    n = dims(x)[axis]
    first, second = tf.split(x, [c % (n + 1), n - c % (n + 1)], axis)
    return tf.concat([second, first], axis)


@step
def _gathered(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, at = state[a], state[b]
    if not dims(x) or 0 in dims(x):
        return None
    axis = c % len(dims(x))
    at = tf.cast(tf.minimum(tf.abs(at), state.number(dims(x)[axis] - 1)), (tf.int32, tf.int64)[d % 2])
    return tf.gather(x, tf.reshape(at, [-1])[:20] if len(dims(at)) + len(dims(x)) > 4 else at, axis=axis)


@step
def _hot(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    return tf.one_hot(tf.cast(x, tf.int32), 1 + b % 20, dtype=state.dtype) if len(dims(x)) < 4 else None


# -- branches and loops ------------------------------------------------------------------------------------------------


@step
def _branch(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, y = state[a], fitted(state, state[b], dims(state[a]))
    v = state.variable(c)

    def yes() -> Any:
        if d % 3 == 0:
            v.assign_add(fitted(state, y, dims(v)))
        return small(state, x + y)

    return tf.cond(small(state, tf.reduce_sum(x)) > state.number(c % 16), yes, lambda: tf.maximum(x, y) if d % 2 else x)


@step
def _loop(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, y = state[a], fitted(state, state[b], dims(state[a]))
    v = state.variable(c)

    def body(i: Any, x: Any, y: Any) -> tuple:
        if d % 3 == 0:
            v.assign(fitted(state, x, dims(v)))
        return i + 1, (y if d % 2 else small(state, x + y)), small(state, x * state.number(3))

    return tf.while_loop(lambda i, x, y: i < c % 4, body, (tf.constant(0), x, y))[1]


# -- by NumPy, between compiled pieces ---------------------------------------------------------------------------------


@step
def _alone(state: State, a: int, b: int, c: int, d: int) -> Any:
    x = state[a]
    if not dims(x):
        return None
    return tf.sort(x, b % len(dims(x))) if c % 2 else small(state, tf.cumsum(x, b % len(dims(x))))


@step
def _python(state: State, a: int, b: int, c: int, d: int) -> Any:
    x, v = state[a], state.variable(b)

    def look(x: np.ndarray) -> np.ndarray:
        return np.asarray((x + v.numpy().sum()) % 16, x.dtype)

    out = tf.numpy_function(look, [x], x.dtype)
    out.set_shape(x.shape)
    return out


# -- variables ---------------------------------------------------------------------------------------------------------


@step
def _read(state: State, a: int, b: int, c: int, d: int) -> Any:
    return state.variable(a).read_value() if b % 2 else state.variable(a) + state.number(0)


@step
def _assign(state: State, a: int, b: int, c: int, d: int) -> Any:
    v = state.variable(a)
    v.assign(fitted(state, state[b], dims(v)))


@step
def _assign_add(state: State, a: int, b: int, c: int, d: int) -> Any:
    v = state.variable(a)
    (v.assign_add, v.assign_sub)[c % 2](fitted(state, state[b], dims(v)))


@step
def _swap(state: State, a: int, b: int, c: int, d: int) -> Any:
    v, w = state.variable(a), state.variable(b)
    old, new = v.read_value(), w.read_value()
    v.assign(fitted(state, new, dims(v)))
    w.assign(fitted(state, old, w.shape))


# strategies for a program's steps, its outputs, its dtype, and the seed of its inputs
RANDOM = (
    st.lists(st.tuples(st.sampled_from(names()), *[st.integers(0, 99)] * 4), min_size=1, max_size=25),
    st.lists(st.integers(0, 99), max_size=6),
    st.sampled_from(["float32", "float64", "float16", "int32", "int64"]),
    st.integers(0, 9),
)
