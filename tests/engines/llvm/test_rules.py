"""Every op that has a lowering rule, compiled, against its NumPy kernel: small and larger shapes, dtypes, targets."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.engines.llvm.target import of
from tests.engines.llvm.op_cases import DTYPES, LOWERED, cases, check
from tests.engines.llvm.running import TARGETS, on_both
from tests.ops.examples import EXAMPLES

# small and larger shapes of a dtype, the code of most of which is alike; of others one each
COUNTS = {"float32": (3, 3), "bool": (2, 2), "float16": (1, 0), "bfloat16": (0, 1), "int8": (1, 0), "uint32": (0, 1)}
FOLDED = {"ones_like", "zeros_like"}  # constants by the time a graph is made
ELSEWHERE = {"assert"}  # compiled of conditions alone: see test_assertions


@pytest.mark.parametrize("name", LOWERED)
def test_as_the_numpy_kernel(name):
    compiled = 0
    for dtype in [d for d in DTYPES if d in EXAMPLES[name].dtypes]:
        compiled += check(name, cases(name, dtype, *COUNTS.get(dtype, (1, 1))))
    assert compiled or name in FOLDED | ELSEWHERE


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
