"""Forward mode against reverse mode, and batched Jacobians against row by row, for every differentiable op."""

import numpy as np
import pytest

from tapeflow.autodiff.forward import ForwardAccumulator
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core.convert import constant
from tapeflow.core.dtypes import is_differentiable
from tapeflow.core.indexed_slices import IndexedSlices
from tests.ops.examples import EXAMPLES, load_ops, run, values

OPS = load_ops()
CHECKED = sorted(name for name in set(OPS) & set(EXAMPLES) if OPS[name].grads and EXAMPLES[name].order)
TRIALS = 3


def setting(name, trial):
    """An example of an op in float64: its inputs, those that can be differentiated, and the function of them."""
    op = OPS[name]
    rng = np.random.default_rng([trial, len(name)])
    arrays, attributes = EXAMPLES[name].make(rng, "float64")
    constants = () if callable(op.grads) else tuple(i for i, rule in enumerate(op.grads) if rule is None)
    inputs = [constant(x) for x in arrays]
    moving = [i for i, x in enumerate(inputs) if is_differentiable(x._value.dtype) and i not in constants]

    def f():
        outputs = run(op, inputs, attributes)
        outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        return [y for y in outputs if is_differentiable(y._value.dtype)]

    return rng, inputs, [inputs[i] for i in moving], f


def dense(g):
    return np.asarray(g.dense()) if isinstance(g, IndexedSlices) else np.asarray(g)


@pytest.mark.parametrize("name", CHECKED)
def test_forward_mode_is_the_transpose_of_reverse_mode(name):
    """<w, J v> from the accumulator equals <J' w, v> from the tape."""
    for trial in range(TRIALS):
        rng, _, sources, f = setting(name, trial)
        tangents = [constant(rng.standard_normal(x.shape)) for x in sources]
        with ForwardAccumulator(sources, tangents) as accumulator, GradientTape() as tape:
            tape.watch(sources)
            outputs = f()
        weights = [constant(values(rng, y.shape, y.dtype.name)) for y in outputs]
        jvps = [accumulator.jvp(y, unconnected_gradients="zero") for y in outputs]
        vjps = tape.gradient(outputs, sources, output_gradients=weights, unconnected_gradients="zero")
        forward = sum(np.vdot(np.asarray(w), np.asarray(d)).real for w, d in zip(weights, jvps, strict=True))
        reverse = sum(np.vdot(dense(g), np.asarray(v)) for g, v in zip(vjps, tangents, strict=True))
        np.testing.assert_allclose(forward, reverse, rtol=1e-9, atol=1e-9)
        assert all(d.shape == y.shape for d, y in zip(jvps, outputs, strict=True))


@pytest.mark.parametrize("name", CHECKED)
def test_jacobians_in_one_batched_pass_are_those_row_by_row(name):
    for trial in range(TRIALS):
        _, _, sources, f = setting(name, trial)
        with GradientTape(persistent=True) as tape:
            tape.watch(sources)
            outputs = f()
        for y in outputs:
            together = tape.jacobian(y, sources)
            apart = tape.jacobian(y, sources, experimental_use_pfor=False)
            for a, b in zip(together, apart, strict=True):
                assert (a is None) == (b is None)
                if a is not None:
                    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-12)
