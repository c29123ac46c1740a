"""Every op's shape rule against its kernel: what the rule says is what comes out, for random shapes and dtypes."""

import numpy as np
import pytest

from tapeflow.core.abstract import Abstract
from tapeflow.core.dtypes import numpy_dtype
from tests.ops.examples import EXAMPLES, load_ops

OPS = load_ops()
TRIALS = 4


def unknown(x):
    """The same with its dimensions not known."""
    return Abstract((None,) * np.ndim(x), x.dtype)


def agrees(dim, size):
    return dim is None or dim == size


def test_every_op_has_an_example():
    assert sorted(set(OPS) - set(EXAMPLES)) == []


@pytest.mark.parametrize("name", sorted(set(OPS) & set(EXAMPLES)))
def test_the_rule_agrees_with_the_kernel(name):
    op, example = OPS[name], EXAMPLES[name]
    for i, dtype in enumerate(example.dtypes):
        numpy_dtype(dtype)  # loads bfloat16
        for trial in range(TRIALS):
            rng = np.random.default_rng([i, trial, len(name)])
            arrays, attributes = example.make(rng, dtype)
            # 0-d values are NumPy scalars, as in tensors, but for strings
            inputs = [x if x.ndim or x.dtype.kind == "O" else x[()] for x in map(np.asarray, arrays)]
            as_list = op.inputs is None
            value = op.kernel(inputs, *attributes) if as_list else op.kernel(*inputs, *attributes)
            for given in (inputs, [unknown(x) for x in inputs]):
                rule = op.infer(given, *attributes) if as_list else op.infer(*given, *attributes)
                outputs, values = ([rule], [value]) if op.outputs == 1 else (list(rule), list(value))
                assert len(outputs) == len(values)
                for out, got in zip(outputs, values, strict=True):
                    about = f"{name} of {[(x.dtype.name, x.shape) for x in inputs]} {attributes}"
                    assert out.dtype == got.dtype, about
                    if out.shape is not None:
                        assert len(out.shape) == np.ndim(got), about
                        assert all(map(agrees, out.shape, np.shape(got))), f"{about}: {out.shape} for {np.shape(got)}"
