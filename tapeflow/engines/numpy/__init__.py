"""The engine that every installation has: graphs run by the ops' own NumPy kernels, one after the other.

A graph becomes one Python function, a line a node, each value a local variable that is deleted after its last use:
nothing is looked up while it runs, and a variable whose value nobody else holds is updated in place, as in eager mode.
Results are those of eager mode, bit for bit: the kernels are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.op import Op, refusal
from ...core.tensor import flat
from ...graph.ir import CONSTANT, Graph, Node, Value


class Executable:
    """A graph that can run: `run(*arrays)` gives the tuple of its outputs' arrays."""

    __slots__ = ("graph", "source", "_function", "_lines")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        source, names, self._lines = _written(graph)
        self.source = source
        exec(compile(source, f"<graph {graph.name}>", "exec"), names)
        self._function: Callable = names["run"]

    def run(self, *arrays: Any) -> tuple:
        """The arrays of the outputs. Raises what the op that fails raises, with the line it was written at."""
        try:
            return self._function(*arrays)
        except Exception as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> Exception:
        """The error of the node that failed, which the line number tells, in the words of its op."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not self._function.__code__:
            trace = trace.tb_next
        node = None if trace is None else self._lines.get(trace.tb_lineno)
        if node is None:
            return error
        values = [trace.tb_frame.f_locals.get(name) for name in node[1]]  # type: ignore[union-attr]
        if not any(value is None for value in values):
            error = refusal(node[0].op, values, node[0].attributes, error)
        if node[0].place and hasattr(error, "add_note"):
            error.add_note(f"in tf.function '{self.graph.name}', written at {node[0].place}")
        return error


def compile_graph(graph: Graph) -> Executable:
    """Makes a graph ready to run."""
    return Executable(graph)


def _written(graph: Graph) -> tuple[str, dict[str, Any], dict[int, tuple[Node, list[str]]]]:
    """The graph as a Python function: its source, what its names mean, and the node of each line."""
    names: dict[str, Any] = {"__name__": "tapeflow.engines.numpy.run", "flat": flat, "held": _held}
    kernels: dict[Op, str] = {}
    where: dict[Value, str] = {value: f"a{i}" for i, value in enumerate(graph.inputs)}
    last: dict[Value, int] = {}
    for i, node in enumerate(graph.nodes):
        for value in node.inputs:
            last[value] = i
    kept = set(graph.outputs)
    text = [f"def run({', '.join(where[v] for v in graph.inputs)}):"]
    lines: dict[int, tuple[Node, list[str]]] = {}
    count = 0
    for i, node in enumerate(graph.nodes):
        op = node.op
        if op is CONSTANT:
            where[node.outputs[0]] = name = f"c{count}"
            names[name] = node.attributes[0]._value
            count += 1
            continue
        kernel = kernels.get(op)
        if kernel is None:
            kernel = kernels[op] = f"k{len(kernels)}_{op.name}"
            names[kernel] = op.kernel
        given = [where[value] for value in node.inputs]
        attributes = []
        for a in node.attributes:
            attributes.append(_literal(a) or f"t{count}")
            if _literal(a) is None:
                names[f"t{count}"] = a
                count += 1
        arguments = [f"[{', '.join(given)}]"] if op.inputs is None else given
        call = f"{kernel}({', '.join([*arguments, *attributes])})"
        made = []
        for value in node.outputs:
            where[value] = f"v{count}"
            made.append(f"v{count}")
            count += 1
        if op.outputs == 1:
            out = node.outputs[0]
            if out.dtype.kind == "O":
                call = f"held({call})"
            elif not op.elementwise and not out.shape:
                call = f"flat({call})"
            text.append(f" {made[0]} = {call}")
        elif made:
            text.append(f" {', '.join(made)}, = {call}")
            lines[len(text)] = (node, given)
            text += [f" {name} = flat({name})" for name, v in zip(made, node.outputs, strict=True) if not v.shape]
        else:
            text.append(f" {call}")
        lines[len(text)] = (node, given)
        dead = [where[v] for v in {*node.inputs, *node.outputs} if last.get(v, -1) <= i and v not in kept]
        dead = [name for name in dead if name[0] != "c"]
        if dead:
            text.append(f" del {', '.join(sorted(dead))}")
    text.append(f" return ({', '.join(where[v] for v in graph.outputs)}{',' if graph.outputs else ''})")
    return "\n".join(text) + "\n", names, lines


def _literal(a: Any) -> str | None:
    """An attribute as it can stand in source, or None."""
    if a is None or type(a) in (bool, int, str):
        return repr(a)
    if type(a) is tuple and all(type(n) is int for n in a):
        return repr(a)
    return None


def _held(value: Any) -> Any:
    """Strings as tensors hold them: a single one in a 0-d array."""
    return np.array(value, object) if type(value) is bytes else value
