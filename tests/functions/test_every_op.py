"""Every op of the table a second time, in a `tf.function`: the values and gradients of eager mode, bit for bit."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.dtypes import numpy_dtype
from tapeflow.core.tensor import flat, wrap
from tests.ops.examples import EXAMPLES, load_ops, run

OPS = load_ops()
# what they give is new at every call, or no tensor
OTHERS = {"random_stream", "node_stream", "timestamp", "print", "assert"}


def results(op, tensors, attributes):
    """The outputs, and the gradients of their sum with respect to each input."""
    with tf.GradientTape() as tape:
        tape.watch([x for x in tensors if x.dtype.is_floating])
        out = run(op, tensors, attributes)
        outputs = list(out) if isinstance(out, tuple) else [out]
        targets = [y for y in outputs if y.dtype.is_floating]
    sources = [x for x in tensors if x.dtype.is_floating]
    found = tape.gradient(targets, sources) if targets and sources else []
    return outputs, [g if g is None else tf.convert_to_tensor(g) for g in found]


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) & set(OPS) - OTHERS))
def test_in_a_function_as_eagerly(name):
    op, example = OPS[name], EXAMPLES[name]
    dtype = "float32" if "float32" in example.dtypes else example.dtypes[0]
    numpy_dtype(dtype)
    for trial in range(2):
        arrays, attributes = example.make(np.random.default_rng([trial, len(name)]), dtype)
        tensors = [wrap(flat(np.asarray(a))) for a in arrays]
        want = results(op, tensors, attributes)
        outside = results(_Called(op), tensors, attributes)
        inside = tf.function(lambda xs, given=attributes: results(op, xs, given), autograph=False)(tensors)
        for got in (outside, inside):
            for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(want), strict=True):
                if a is not None and b is not None:
                    np.testing.assert_array_equal(a.numpy(), b.numpy())
                    assert a.dtype == b.dtype and a.shape == b.shape


class _Called:
    """An op behind a call of a tf.function."""

    def __init__(self, op):
        self.inputs = op.inputs
        function = tf.function(lambda xs, attributes: run(op, xs, attributes), autograph=False)
        if op.inputs is None:
            self.call = lambda tensors, *attributes: function(tensors, attributes)
        else:
            self.call = lambda *args: function(list(args[: op.inputs]), args[op.inputs :])
