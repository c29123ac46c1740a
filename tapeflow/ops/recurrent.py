"""Recurrent networks over whole sequences, each one op: the LSTM, the GRU, and the plain tanh network.

An op takes what the inputs contribute to every step at once, `x` [batch, steps, gates * units], and walks over the
steps in a loop of its own; its gradient is one op too, which walks back. What of a step's derivative depends on no
other step is computed for all steps together, so that a step of the walk is a handful of array operations, and the
gradient of the recurrent kernel one product. For 32 steps of 64 units that is five times as fast as ops step by step.

All take a list of tensors: `x`, the states before the first step [batch, units], the recurrent kernel
[units, gates * units], for the GRU the recurrent bias, and last, where `masked`, bools [batch, steps] that say which
steps count: in others the states stay as they are. With `backward` the steps are taken from the last to the first, and
outputs stand in the order of the walk. The outputs are the states after each step, and then what only the gradient
looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.op import TENSORS as T
from ..core.op import define
from ..core.tensor import Tensor, wrap
from .deferring import deferred, shape_of

_FLOAT32 = np.dtype("float32")


def _sigmoid_in_place(z: Any) -> None:
    np.negative(z, z)
    np.exp(z, z)
    z += 1
    np.reciprocal(z, z)


# -- the walks, on arrays ----------------------------------------------------------------------------------------------


def _lstm_walk(x: Any, h: Any, c: Any, kernel: Any, mask: Any = None) -> tuple:
    batch, steps, width = x.shape
    units = width // 4
    hs, cs = np.empty((2, batch, steps, units), x.dtype)
    gates = np.empty(x.shape, x.dtype)
    z = np.empty((batch, width), x.dtype)
    tanh, product = np.tanh, np.empty((batch, units), x.dtype)
    f, candidate, o = z[:, units : 2 * units], z[:, 2 * units : 3 * units], z[:, 3 * units :]
    i = z[:, :units]
    for t in range(steps):
        np.dot(h, kernel, out=z)
        z += x[:, t]
        new = tanh(candidate)
        _sigmoid_in_place(z)
        candidate[...] = new
        gates[:, t] = z
        c_new = f * c
        c_new += np.multiply(i, new, product)
        h_new = o * tanh(c_new, product)
        if mask is not None:
            skip = ~mask[:, t, None]
            np.copyto(h_new, h, where=skip)
            np.copyto(c_new, c, where=skip)
        hs[:, t] = h = h_new
        cs[:, t] = c = c_new
    return hs, cs, gates


def _lstm_back(x: Any, h: Any, c: Any, kernel: Any, mask: Any, made: Sequence, g: Sequence) -> tuple:
    hs, cs, gates = made
    batch, steps, width = x.shape
    units = width // 4
    i, f, new, o = (gates[..., k * units : (k + 1) * units] for k in range(4))
    squashed = np.tanh(cs)
    to_c = o * (1 - squashed * squashed)
    slopes = gates * (1 - gates)
    slopes[..., :units] *= new
    slopes[..., units : 2 * units] *= _before(c, cs)
    slopes[..., 2 * units : 3 * units] = i * (1 - new * new)
    slopes[..., 3 * units :] *= squashed
    passed = None
    if mask is not None:
        kept = mask[..., None]
        slopes *= kept
        to_c *= kept
        f = np.where(kept, f, f.dtype.type(1))
        passed = (~kept).astype(x.dtype)
    dz = np.empty(x.shape, x.dtype)
    three, fourth = slopes.reshape(batch, steps, 4, units), slopes[..., 3 * units :]
    dz_three = dz.reshape(batch, steps, 4, units)
    dh, dc = np.zeros((2, batch, units), x.dtype)
    g_h, g_c = g
    turned = kernel.T
    for t in range(steps - 1, -1, -1):
        if g_h is not None:
            dh += g_h[:, t]
        if g_c is not None:
            dc += g_c[:, t]
        dc += dh * to_c[:, t]
        np.multiply(three[:, t, :3], dc[:, None], dz_three[:, t, :3])
        np.multiply(fourth[:, t], dh, dz[:, t, 3 * units :])
        dc *= f[:, t]
        stays = None if passed is None else dh * passed[:, t]
        dh = np.dot(dz[:, t], turned)
        if stays is not None:
            dh += stays
    return dz, dh, dc, _kernel_gradient(_before(h, hs), dz)


def _gru_walk(x: Any, h: Any, kernel: Any, bias: Any, mask: Any = None) -> tuple:
    batch, steps, width = x.shape
    units = width // 3
    hs = np.empty((batch, steps, units), x.dtype)
    gates = np.empty((batch, steps, 4 * units), x.dtype)  # update, reset, candidate, the candidate's recurrent part
    inner = np.empty((batch, width), x.dtype)
    part, two = inner[:, 2 * units :], inner[:, : 2 * units]
    z, r = inner[:, :units], inner[:, units : 2 * units]
    for t in range(steps):
        np.dot(h, kernel, out=inner)
        inner += bias
        two += x[:, t, : 2 * units]
        gates[:, t, 3 * units :] = part
        _sigmoid_in_place(two)
        new = r * part
        new += x[:, t, 2 * units :]
        np.tanh(new, new)
        gates[:, t, : 2 * units] = two
        gates[:, t, 2 * units : 3 * units] = new
        h_new = h - new
        h_new *= z
        h_new += new
        if mask is not None:
            np.copyto(h_new, h, where=~mask[:, t, None])
        hs[:, t] = h = h_new
    return hs, gates


def _gru_back(x: Any, h: Any, kernel: Any, bias: Any, mask: Any, made: Sequence, g: Sequence) -> tuple:
    hs, gates = made
    batch, steps, width = x.shape
    units = width // 3
    z, r, new, part = (gates[..., k * units : (k + 1) * units] for k in range(4))
    before = _before(h, hs)
    to_new = (1 - z) * (1 - new * new)
    slopes = np.empty(x.shape, x.dtype)  # of the recurrent part; the inputs' differs in its last third
    np.multiply(before - new, z * (1 - z), slopes[..., :units])
    np.multiply(to_new * part, r * (1 - r), slopes[..., units : 2 * units])
    np.multiply(to_new, r, slopes[..., 2 * units :])
    if mask is not None:
        kept = mask[..., None]
        slopes *= kept
        to_new = to_new * kept
        z = np.where(kept, z, z.dtype.type(1))
    inner = np.empty(x.shape, x.dtype)
    blocks, made_blocks = slopes.reshape(batch, steps, 3, units), inner.reshape(batch, steps, 3, units)
    all_dh = np.empty_like(hs)
    dh = np.zeros((batch, units), x.dtype)
    turned = kernel.T
    for t in range(steps - 1, -1, -1):
        if g[0] is not None:
            dh += g[0][:, t]
        all_dh[:, t] = dh
        np.multiply(blocks[:, t], dh[:, None], made_blocks[:, t])
        dh *= z[:, t]
        dh += np.dot(inner[:, t], turned)
    dx = inner.copy()
    np.multiply(to_new, all_dh, dx[..., 2 * units :])
    return dx, dh, _kernel_gradient(before, inner), np.add.reduce(inner, (0, 1))


def _rnn_walk(x: Any, h: Any, kernel: Any, mask: Any = None) -> tuple:
    hs = np.empty(x.shape, x.dtype)
    for t in range(x.shape[1]):
        h_new = np.dot(h, kernel)
        h_new += x[:, t]
        np.tanh(h_new, h_new)
        if mask is not None:
            np.copyto(h_new, h, where=~mask[:, t, None])
        hs[:, t] = h = h_new
    return (hs,)


def _rnn_back(x: Any, h: Any, kernel: Any, mask: Any, made: Sequence, g: Sequence) -> tuple:
    (hs,) = made
    slopes = 1 - hs * hs
    if mask is not None:
        slopes *= mask[..., None]
    dz = np.empty(x.shape, x.dtype)
    dh = np.zeros_like(h)
    turned = kernel.T
    for t in range(x.shape[1] - 1, -1, -1):
        if g[0] is not None:
            dh += g[0][:, t]
        np.multiply(slopes[:, t], dh, dz[:, t])
        stays = None if mask is None else dh * ~mask[:, t, None]
        dh = np.dot(dz[:, t], turned)
        if stays is not None:
            dh += stays
    return dz, dh, _kernel_gradient(_before(h, hs), dz)


def _before(first: Any, after: Any) -> Any:
    """The states before each step, of those after each."""
    return np.concatenate([first[:, None], after[:, :-1]], 1)[:, : after.shape[1]]


def _kernel_gradient(before: Any, dz: Any) -> Any:
    return np.dot(before.reshape(-1, before.shape[-1]).T, dz.reshape(-1, dz.shape[-1]))


# -- the same in ops, which derivatives of derivatives are taken of ----------------------------------------------------


def _lstm_step(x: Tensor, states: list, kernel: Tensor) -> list:
    h, c = states
    i, f, new, o = T.split(x + T.matmul(h, kernel, False, False), (kernel._value.shape[0],) * 4, 1)
    c = T.sigmoid(f) * c + T.sigmoid(i) * T.tanh(new)
    return [T.sigmoid(o) * T.tanh(c), c]


def _gru_step(x: Tensor, states: list, kernel: Tensor, bias: Tensor) -> list:
    (h,) = states
    sizes = (kernel._value.shape[0],) * 3
    x_z, x_r, x_new = T.split(x, sizes, 1)
    in_z, in_r, part = T.split(T.matmul(h, kernel, False, False) + bias, sizes, 1)
    new = T.tanh(x_new + T.sigmoid(x_r + in_r) * part)
    return [new + T.sigmoid(x_z + in_z) * (h - new)]


def _rnn_step(x: Tensor, states: list, kernel: Tensor) -> list:
    return [T.tanh(x + T.matmul(states[0], kernel, False, False))]


def _work(values: Sequence, *how: Any) -> int:
    return 8 * values[0].size * (values[1].shape[-1] if values[1].ndim else 1)


# -- the ops -----------------------------------------------------------------------------------------------------------


class _Network:
    """One kind of network: how many gates and states it has, its walks, and how many outputs beyond the states."""

    def __init__(
        self, name: str, gates: int, states: int, weights: int, hidden: int, walk: Any, back: Any, step: Any
    ) -> None:
        self.name, self.gates, self.states, self.weights, self.hidden = name, gates, states, weights, hidden
        self.walk, self.back, self.step = walk, back, step
        self.inputs = 1 + states + weights  # those that have gradients
        self.outputs = states + hidden

    def split(self, values: Sequence, masked: bool) -> tuple[list, Any, list]:
        """The inputs that have gradients, the mask or None, and what follows."""
        n = self.inputs
        return list(values[:n]), values[n] if masked else None, list(values[n + masked :])

    def run(self, values: Sequence, masked: bool, backward: bool) -> tuple:
        """The kernel."""
        (x, *rest), mask, _ = self.split(values, masked)
        half = x.dtype.itemsize == 2
        if half:
            x, *rest = (v.astype(_FLOAT32) for v in (x, *rest))
        if backward:
            x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
        made = self.walk(x, *rest, mask)
        return tuple([v.astype(values[0].dtype) for v in made]) if half else made

    def run_back(self, values: Sequence, masked: bool, backward: bool, given: tuple) -> tuple:
        """The kernel of the gradient; `given` says of which of the states there is a gradient."""
        (x, *rest), mask, more = self.split(values, masked)
        half = x.dtype.itemsize == 2
        if half:
            x, *rest = (v.astype(_FLOAT32) for v in (x, *rest))
            more = [v.astype(_FLOAT32) for v in more]
        if backward:
            x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
        made, rates = more[: self.outputs], iter(more[self.outputs :])
        dx, *others = self.back(x, *rest, mask, made, [next(rates) if there else None for there in given])
        found = (dx[:, ::-1] if backward else dx, *others)
        return tuple([v.astype(values[0].dtype) for v in found]) if half else found

    def infer(self, values: Sequence, masked: bool, backward: bool) -> tuple:
        """The shape rule. Raises InvalidArgumentError for shapes and dtypes that do not fit."""
        (x, *states, kernel), mask, _ = self.split(values, masked)
        bias = None
        if self.weights == 2:
            kernel, bias = states.pop(), kernel
        if len(x.shape) != 3 or any(len(s.shape) != 2 for s in states) or len(kernel.shape) != 2:
            shapes = [list(v.shape) for v in values]
            raise errors.invalid(
                self.name, f"takes [batch, steps, n], states [batch, units] and a kernel, not {shapes}"
            )
        batch, steps, width = x.shape
        units = kernel.shape[0]
        expected = [(width, kernel.shape[1]), (width, None if units is None else self.gates * units)]
        for state in states:
            expected += [(state.shape[0], batch), (state.shape[1], units)]
        if bias is not None:
            expected.append((bias.shape[-1], width))
        if mask is not None:
            expected += [(mask.shape[0], batch), (mask.shape[1], steps)]
        if any(a != b and None not in (a, b) for a, b in expected) or any(
            v.dtype != x.dtype for v in values[: self.inputs]
        ):
            shown = [f"{v.dtype.name}{list(v.shape)}" for v in values]
            raise errors.invalid(self.name, f"Shapes or dtypes of inputs, states, kernel and mask do not fit: {shown}")
        outs = [Abstract((batch, steps, units), x.dtype)] * self.states
        return (
            (*outs, Abstract((batch, steps, None if units is None else 4 * units), x.dtype))
            if self.hidden
            else tuple(outs)
        )

    def infer_back(self, values: Sequence, masked: bool, backward: bool, given: tuple) -> tuple:
        """The shape rule of the gradient: the inputs' shapes."""
        return tuple([Abstract(v.shape, v.dtype) for v in values[: self.inputs]])

    def gradients(self, F: Any, g: Sequence, needs: Sequence, count: int, *rest: Any) -> list:
        """The gradient rule."""
        tensors, (masked, backward) = list(rest[:-2]), rest[-2:]
        given = tuple([one is not None for one in g[: self.states]])
        rates = [one for one in g[: self.states] if one is not None]
        back = getattr(F, f"{self.name}_grad")
        found = back([*tensors, *rates], masked, backward, given)
        return [*found, *[None] * (count - self.inputs)]

    def gradients_of_gradients(self, F: Any, g: Sequence, needs: Sequence, count: int, *rest: Any) -> list:
        """The gradient rule of the gradient; of an unknown number of steps, it is taken when the graph runs."""
        values, attributes = rest[:-3], rest[-3:]
        if F.raw:
            found = self.over_steps(F, [wrap(v) for v in values], g, *attributes)
        elif type(values[0]._value.shape[1]) is int:
            found = self.over_steps(F, values, g, *attributes)
        else:

            def sources(values: Sequence) -> list:
                inputs, _, more = self.split(values, attributes[0])
                return [*inputs, *more[self.outputs :]]

            @deferred(lambda values, g: [Abstract(shape_of(x), x._value.dtype) for x in sources(values)])
            def second_gradient(values: Sequence, g: Sequence) -> list:
                found = self.over_steps(F, values, g, *attributes)
                pairs = zip(found, sources(values), strict=True)
                return [T.zeros_like(x) if d is None else d for d, x in pairs]  # type: ignore[attr-defined]

            found = second_gradient(values, g)
        between = count - len(found)
        return [*found[: self.inputs], *[None] * between, *found[self.inputs :]]

    def over_steps(self, F: Any, values: Sequence, g: Sequence, masked: bool, backward: bool, given: tuple) -> list:
        """The gradients of the gradient for inputs and gradients of states: the tape's, over the steps as ops."""
        from ..autodiff.backward import pull_back
        from ..autodiff.tape import GradientTape

        # each a tensor of its own: the same one may stand in two places
        tensors = [T.identity(v) for v in values]  # type: ignore[attr-defined]
        inputs, mask, more = self.split(tensors, masked)
        rates = more[self.outputs :]
        with GradientTape() as outer:
            outer.watch([*inputs, *rates])
            with GradientTape() as inner:
                inner.watch(inputs)
                states = self.compose(inputs, mask, backward)
            wanted = [state for state, there in zip(states, given, strict=True) if there]
            first = inner.gradient(wanted, inputs, output_gradients=rates)
        pairs = [(d, one) for d, one in zip(first, g, strict=True) if d is not None and one is not None]
        records = outer._records
        keys = [x._key for x in (*inputs, *rates)]
        grads = pull_back(F, records, {d._key: one for d, one in pairs if d._key in records}, keys, len(keys))
        return [grads.get(key) for key in keys]

    def compose(self, inputs: list, mask: Any, backward: bool) -> list:
        """The states after each step, by ops."""
        x, *rest = inputs
        states, weights = rest[: self.states], rest[self.states :]
        steps = x._value.shape[1]
        parts = T.unstack(x, 1, steps)
        masks = [None] * steps if mask is None else T.unstack(mask, 1, steps)
        after: list[list] = [[] for _ in states]
        for t in range(steps - 1, -1, -1) if backward else range(steps):
            new = self.step(parts[t], states, *weights)
            if mask is not None:
                kept = T.expand_dims(masks[t], 1)
                new = [T.where(kept, n, old) for n, old in zip(new, states, strict=True)]
            states = new
            for made, state in zip(after, states, strict=True):
                made.append(state)
        return [T.stack(made, 1) for made in after]

    def declare(self, doc: str) -> Callable:
        """The op, its gradient being another."""
        run, run_back = self.run, self.run_back

        def saves(*args: Any) -> tuple:
            count = len(args) - self.outputs - 2
            return (count, *args[:-2])

        def saves_back(*args: Any) -> tuple:
            count = len(args) - self.inputs - 3
            return (count, *args[:count])

        define(
            f"{self.name}_grad", lambda xp: run_back, self.infer_back, self.gradients_of_gradients, saves=saves_back,
            inputs=None, outputs=0, work=_work,
        )  # fmt: skip
        return define(
            self.name, lambda xp: run, self.infer, self.gradients, doc, saves=saves, inputs=None, outputs=0, work=_work
        )


lstm = _Network("lstm", 4, 2, 1, 1, _lstm_walk, _lstm_back, _lstm_step).declare(
    "The LSTM (Hochreiter and Schmidhuber, 1997) with gates i, f, candidate, o, of [x, h, c, kernel]."
)
gru = _Network("gru", 3, 1, 2, 1, _gru_walk, _gru_back, _gru_step).declare(
    "The GRU (Cho et al., 2014) with gates z, r, candidate, the reset after the product, of [x, h, kernel, bias]."
)
tanh_rnn = _Network("tanh_rnn", 1, 1, 1, 0, _rnn_walk, _rnn_back, _rnn_step).declare(
    "h = tanh(x + h @ kernel), of [x, h, kernel]."
)
