"""Recurrent networks compiled, with their gradients, against NumPy's: tails, chunks of rows, masks, targets."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.llvm.target import host, names, of
from tapeflow.engines.numpy import compile_graph as by_numpy
from tapeflow.ops.recurrent import gru, lstm, tanh_rnn

from .running import graph_of, native

# op, gates, states, whether there is a bias
KINDS = {"lstm": (lstm, 4, 2, 0), "gru": (gru, 3, 1, 1), "tanh_rnn": (tanh_rnn, 1, 1, 0)}
LESSER = [name for name in names() if host() is not None and name != host().name and host().x86 == of(name).x86]


def inputs_of(name, batch, steps, units, dtype, masked):
    """The arrays of a network, and gradients of its states."""
    rng = np.random.default_rng(batch * steps + units)
    _, gates, states, bias = KINDS[name]
    shapes = [(batch, steps, gates * units), *[(batch, units)] * states, (units, gates * units)]
    shapes += [(gates * units,)] * bias
    made = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    made[-1 - bias] *= 0.5 / units**0.5
    if masked:
        made.append(rng.random((batch, steps)) < 0.7)
    rates = [rng.standard_normal((batch, steps, units)).astype(dtype) for _ in range(states)]
    return made, rates


def network(name, count, masked, backward, used):
    """A function of the inputs and the gradients of the `used` states: the states and all gradients."""
    op, _, states, _ = KINDS[name]

    def f(*tensors):
        inputs, rates = tensors[:count], tensors[count:]
        with tf.GradientTape() as tape:
            learned = inputs[: count - masked]
            tape.watch(learned)
            made = op(list(inputs), masked, backward)[:states]
        wanted = [made[k] for k in used]
        return [*made, *tape.gradient(wanted, learned, output_gradients=[rates[k] for k in used])]

    return f


def compare(name, batch, steps, units, dtype="float32", masked=False, backward=False, used=None, target=None):
    arrays, rates = inputs_of(name, batch, steps, units, dtype, masked)
    used = range(len(rates)) if used is None else used
    f = network(name, len(arrays), masked, backward, used)
    graph = graph_of(f, [*arrays, *rates])
    executable = native(graph, target)
    assert not executable.reasons, executable.plan
    got = executable.run(*arrays, *rates)
    want = by_numpy(graph).run(*[a.astype("float64") if a.dtype.kind == "f" else a for a in [*arrays, *rates]])
    for x, y in zip(got, want, strict=True):
        scale = np.abs(y).max() + 1
        np.testing.assert_allclose(x, y, atol=scale * (2e-5 if dtype == "float32" else 1e-13), rtol=0)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_values_and_gradients(name, masked, backward):
    compare(name, 9, 5, 17, "float32", masked, backward)
    compare(name, 3, 4, 8, "float64", masked, backward)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 3, 4), (8, 1, 16), (19, 2, 5), (33, 3, 32)])
def test_sizes(name, sizes):
    compare(name, *sizes)


@pytest.mark.parametrize("used", [(0,), (1,)])
def test_one_of_the_states(used):
    compare("lstm", 4, 3, 16, used=used)
    compare("lstm", 4, 3, 7, masked=True, used=used)


@pytest.mark.parametrize("target", LESSER)
@pytest.mark.parametrize("name", KINDS)
def test_lesser_machines(name, target):
    compare(name, 6, 3, 11, masked=True, target=of(target))


def test_sizes_known_only_at_run_time_are_numpys():
    def f(x, h, c, kernel):
        return lstm([x, h, c, kernel], False, False)[:2]

    arrays, _ = inputs_of("lstm", 2, 3, 4, "float32", False)
    whole = tf.function(
        f, input_signature=[tf.TensorSpec([None, *a.shape[1:]] if i < 3 else a.shape) for i, a in enumerate(arrays)]
    )
    for got, want in zip(whole(*arrays), f(*map(tf.constant, arrays)), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
