"""Ops that have lowering rules, run compiled on the examples' inputs and larger ones, and how close they must come."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tapeflow.core.tensor import flat
from tapeflow.engines.llvm.lower import RULES
from tapeflow.engines.numpy import compile_graph as by_numpy
from tests.closeness import EXACT, HALF_STEPS, SUMS, assert_within, bound_of
from tests.engines.llvm import larger
from tests.engines.llvm.running import graph_of, native
from tests.ops.examples import EXAMPLES, load_ops, run

OPS = load_ops()
LOWERED = sorted(set(RULES) & set(EXAMPLES))
DTYPES = ("float32", "float64", "float16", "bfloat16", "int32", "int64", "int8", "uint8", "uint32", "bool")
HALVES = ("float16", "bfloat16")
# composed ops of 16 bits: compiled they round once, where NumPy's kernels round after every step
_ONCE = frozenset(["squared_difference", "tensor_scatter_add", "tensor_scatter_sub"])


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
    if name in _ONCE and any(v.dtype.name in HALVES for v in graph.outputs):
        bound = HALF_STEPS
    with np.errstate(all="ignore"):
        got = executable.run(*arrays)
        if bound == EXACT:
            want, magnitudes = by_numpy(graph).run(*arrays), [None] * len(got)
        else:
            exact = [a.astype("float64") if a.dtype.kind in "fV" else a for a in arrays]
            wide = by_numpy(graph_of(each(name, given), exact)).run
            want = wide(*exact)
            magnitudes = list(wide(*map(np.abs, exact))) if name in SUMS else [None] * len(got)
    compiled = sum(node.op.name == name and node not in executable.reasons for node in graph.nodes)
    dtypes = [v.dtype for v in graph.outputs]
    for i, (a, b, m, dtype) in enumerate(zip(got, want, magnitudes, dtypes, strict=True)):
        assert np.asarray(a).dtype == dtype
        assert_within(a, b, bound, m, f"output {i} of {name}")
    return compiled
