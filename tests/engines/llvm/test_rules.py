"""Every op that has a lowering rule, compiled, against its NumPy kernel: small and larger shapes, dtypes, targets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.tensor import flat
from tapeflow.engines.llvm.lower import RULES
from tapeflow.engines.llvm.target import host, names, of
from tapeflow.engines.numpy import compile_graph as by_numpy
from tests.closeness import EXACT, SUMS, assert_within, bound_of
from tests.engines.llvm import larger
from tests.engines.llvm.running import graph_of, native, on_both
from tests.ops.examples import EXAMPLES, load_ops, run

OPS = load_ops()
LOWERED = sorted(set(RULES) & set(EXAMPLES))
DTYPES = ("float32", "float64", "int32", "int64", "int8", "uint8", "uint32", "bool")
FOLDED = {"ones_like", "zeros_like"}  # constants by the time a graph is made
TARGETS = [name for name in names() if host() is not None and name != host().name and host().x86 == of(name).x86]


def cases(name: str, dtype: str, small: int, large: int) -> list[tuple[list, tuple]]:
    """(arrays, attributes) for an op."""
    found = []
    for i in range(small + large):
        rng = np.random.default_rng([i, len(name)])
        arrays, attributes = EXAMPLES[name].make(rng, dtype) if i < small else larger.make(name, rng, dtype)
        found.append(([flat(np.asarray(a)) for a in arrays], attributes))
    return found


def each(name: str, given: list[tuple[list, tuple]]) -> Callable[..., list]:
    """A function that runs an op on all cases, as one graph: that compiles sooner than one for each."""

    def f(*tensors: Any) -> list:
        rest, outputs = iter(tensors), []
        for arrays, attributes in given:
            out = run(OPS[name], [next(rest) for _ in arrays], attributes)
            outputs += out if isinstance(out, (tuple, list)) else [out]
        return outputs

    return f


def check(name: str, given: list[tuple[list, tuple]], target: Any = None) -> int:
    """Asserts that results are as close to exact ones as the op's class says; gives how many nodes were compiled."""
    arrays = [a for case, _ in given for a in case]
    graph = graph_of(each(name, given), arrays)
    executable = native(graph, target)
    bound = bound_of(name)
    with np.errstate(all="ignore"):
        got = executable.run(*arrays)
        if bound == EXACT:
            want, magnitudes = by_numpy(graph).run(*arrays), [None] * len(got)
        else:
            exact = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
            wide = by_numpy(graph_of(each(name, given), exact)).run
            want = wide(*exact)
            magnitudes = list(wide(*map(np.abs, exact))) if name in SUMS else [None] * len(got)
    compiled = sum(node.op.name == name and node not in executable.reasons for node in graph.nodes)
    dtypes = [v.dtype for v in graph.outputs]
    for i, (a, b, m, dtype) in enumerate(zip(got, want, magnitudes, dtypes, strict=True)):
        assert np.asarray(a).dtype == dtype
        assert_within(a, b, bound, m, f"output {i} of {name}")
    return compiled


@pytest.mark.parametrize("name", LOWERED)
def test_as_the_numpy_kernel(name):
    compiled = 0
    for dtype in [d for d in DTYPES if d in EXAMPLES[name].dtypes]:
        count = 4 if dtype in ("float32", "bool") else 2
        compiled += check(name, cases(name, dtype, count, count))
    assert compiled or name in FOLDED


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "name", ["add", "exp", "floor", "where", "cast", "reduce_sum", "reduce_max", "softmax", "matmul", "strided_slice",
             "argmax", "gather", "one_hot", "concat", "transpose", "sparse_softmax_cross_entropy"],
)  # fmt: skip
def test_for_lesser_machines(name, target):
    dtypes = EXAMPLES[name].dtypes
    check(name, cases(name, "float32" if "float32" in dtypes else dtypes[0], 2, 4), of(target))


def test_positions_of_few_bits():
    at = np.array([5, 0, 100, -3, 127], np.int8)
    got, want = on_both(lambda i: tf.one_hot(i, 300), [at])
    np.testing.assert_array_equal(got[0], want[0])


def test_one_number_in_the_place_of_an_array():
    x, at = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 0, 1])

    def f(x, at):
        same = tf.constant([[2.0]]) * tf.ones([3, 3])
        return x @ same, same @ tf.transpose(x), tf.gather(same, at), tf.gather(tf.ones([2], tf.int32), at)

    got, want = on_both(f, [x, at])
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
