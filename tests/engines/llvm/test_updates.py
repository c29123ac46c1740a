"""Optimizers' rules compiled into the step: none is left to NumPy, and weights are those that it gives."""

import numpy as np
import pytest

import tapeflow as tf
from tests.closeness import Bound, assert_within
from tests.engines.llvm.running import graph_of, native, on_both

OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.9}, {"centered": True}, {"centered": True, "momentum": 0.5}],
    "Adam": [{}, {"amsgrad": True}, {"clipnorm": 1.0}, {"clipvalue": 0.5}, {"global_clipnorm": 1.0}],
    "AdamW": [{}],
    "Adamax": [{}],
    "Nadam": [{}],
    "Adagrad": [{"weight_decay": 0.01}],
    "Adadelta": [{}],
    "Ftrl": [{}, {"l1_regularization_strength": 0.1, "l2_shrinkage_regularization_strength": 0.1, "beta": 0.1}],
}
CASES = [(name, options) for name, each in OPTIMIZERS.items() for options in each]


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda x: x if type(x) is str else "-".join(x) or "plain")
def test_compiled_and_as_numpy(name, options):
    rng = np.random.default_rng(0)
    weights = [tf.Variable(rng.normal(size=s).astype(np.float32)) for s in ((5, 33), (33,), ())]
    optimizer = getattr(tf.keras.optimizers, name)(learning_rate=0.1, **options)
    optimizer.build(weights)

    def step(*gradients):
        optimizer.apply_gradients(zip(gradients, weights, strict=True))

    gradients = [rng.normal(size=w.shape).astype(np.float32) for w in weights]
    graph = graph_of(step, gradients)
    left = {node.op.name for node in native(graph).reasons}
    assert left == {"optimizer_numbers"}, left  # a few numbers of Python's, and nothing of an array
    got, want = on_both(step, gradients, [*weights, *optimizer.variables], calls=3, graph=graph)
    for a, b in zip(got, want, strict=True):
        assert_within(a, b, Bound(own=8, scale=4))
