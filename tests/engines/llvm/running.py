"""Running a function on both engines, the compiling one for any target, and comparing what comes out and is changed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapeflow import Variable
from tapeflow.engines.llvm import NativeExecutable, compile_graph, host
from tapeflow.engines.llvm.target import Target, names, of
from tapeflow.engines.numpy import compile_graph as by_numpy
from tapeflow.graph.ir import Graph
from tapeflow.graph.trace import Trace

HOST = host()
# what else this machine can run code for
TARGETS = [
    name
    for name in names()
    if HOST is not None and name != HOST.name
    and of(name).x86 == HOST.x86 and of(name).vector_bytes <= HOST.vector_bytes
]  # fmt: skip


def graph_of(f: Callable, arrays: Sequence[Any]) -> Graph:
    """The graph of a function of tensors like these arrays; it may return one tensor, several or none."""
    with Trace("f") as trace:
        out = f(*[trace.placeholder(np.shape(a), np.asarray(a).dtype) for a in arrays])
        return trace.graph(list(out) if isinstance(out, (list, tuple)) else [] if out is None else [out])


def native(graph: Graph, target: Target | None = None) -> NativeExecutable:
    """The graph compiled, whatever it is worth, for the host or another target that it can run."""
    machine = target or host()
    assert machine is not None, "this machine has no compiler"
    return compile_graph(graph, machine)


def on_both(
    f: Callable, arrays: Sequence[Any] = (), variables: Sequence[Variable] = (), *, calls: int = 1,
    target: Target | None = None, graph: Graph | None = None, whole: bool = False,
) -> tuple[list, list]:  # fmt: skip
    """(what the compiling engine gives, what NumPy gives): outputs of each call, then what the variables hold.

    The variables begin with the values that they have, each time, and end with those. With `whole`, all of the graph
    must be compiled.
    """
    graph = graph or graph_of(f, arrays)
    compiled = native(graph, target)
    assert not (whole and compiled.reasons), compiled.reasons
    start = [np.array(v.numpy()) for v in variables]
    found = []
    for executable in (compiled, by_numpy(graph)):
        results: list[Any] = []
        for _ in range(calls):
            results += [np.array(y) for y in executable.run(*arrays)]
        found.append([*results, *[np.array(v.numpy()) for v in variables]])
        for v, value in zip(variables, start, strict=True):
            v.assign(value)
    return found[0], found[1]


def same(f: Callable, *arrays: Any) -> None:
    """Asserts that what both engines give is the same to the bit, and that all of it was compiled."""
    with np.errstate(all="ignore"):
        got, want = on_both(f, arrays, whole=True)
    for x, y in zip(got, want, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)
