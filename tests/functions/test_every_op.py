"""Every op of the table a second time, in a `tf.function`: the values and gradients of eager mode."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.dtypes import numpy_dtype
from tapeflow.core.tensor import flat, wrap
from tests.closeness import assert_same, bound_of
from tests.ops.examples import EXAMPLES, load_ops, run

OPS = load_ops()
# what they give is new at every call, or no tensor
OTHERS = {"random_stream", "node_stream", "timestamp", "print", "assert"}
# gradients themselves, which refuse to be differentiated
NO_GRADIENT = {"leading_singular_product", "random_gamma_grad"}


def results(op, tensors, attributes, differentiable=True):
    """The outputs, and the gradients of their sum with respect to each input."""
    with tf.GradientTape() as tape:
        tape.watch([x for x in tensors if x.dtype.is_floating])
        out = run(op, tensors, attributes)
        outputs = list(out) if isinstance(out, tuple) else [out]
        targets = [y for y in outputs if y.dtype.is_floating]
    sources = [x for x in tensors if x.dtype.is_floating and differentiable]
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
        differentiable = name not in NO_GRADIENT
        want = results(op, tensors, attributes, differentiable)
        outside = results(_Called(op), tensors, attributes, differentiable)
        inside = tf.function(lambda xs: results(op, xs, attributes, differentiable), autograph=False)(tensors)  # noqa: B023
        for (values, gradients), (own, theirs) in ((outside, want), (inside, want)):
            for a, b in zip(values, own, strict=True):
                assert_same(a.numpy(), b.numpy(), bound_of(name))
            for a, b in zip(gradients, theirs, strict=True):
                if a is not None and b is not None:
                    assert_same(a.numpy(), b.numpy())


class _Called:
    """An op behind a call of a tf.function."""

    def __init__(self, op):
        self.inputs = op.inputs
        self.op = op

    def call(self, *args):
        inputs, attributes = (args[0], args[1:]) if self.inputs is None else (args[: self.inputs], args[self.inputs :])
        return tf.function(lambda xs: run(self.op, xs, attributes), autograph=False)(list(inputs))
