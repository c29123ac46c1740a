"""Every differentiable op against central differences: first and second order, 0-d, broadcast and empty shapes."""

import numpy as np
import pytest

from tests.gradients import check_gradients
from tests.ops.examples import EXAMPLES, load_ops, run

OPS = load_ops()
TRIALS = 5
CHECKED = sorted(name for name in set(OPS) & set(EXAMPLES) if OPS[name].grads and EXAMPLES[name].order)
COMPLEX = sorted(name for name in set(OPS) & set(EXAMPLES) if OPS[name].grads and EXAMPLES[name].complex)


def check(name, dtype):
    op, example = OPS[name], EXAMPLES[name]
    constants = () if callable(op.grads) else tuple(i for i, rule in enumerate(op.grads) if rule is None)
    for trial in range(TRIALS):
        arrays, attributes = example.make(np.random.default_rng([trial, len(name)]), dtype)
        options = {"order": max(1, example.order), "connected": False, "constants": constants, **example.options}
        check_gradients(lambda *tensors, at=attributes: run(op, tensors, at), *arrays, **options)


@pytest.mark.parametrize("name", CHECKED)
def test_derivatives_are_those_of_central_differences(name):
    check(name, "float64")


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_of_complex_numbers(name):
    check(name, "complex128")
