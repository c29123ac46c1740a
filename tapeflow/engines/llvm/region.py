"""A region of a graph as a Python function over one native call.

The function takes the arrays of the region's inputs and gives those of its outputs, in fresh arrays. Variables that it
writes are changed in place where nobody else sees their arrays, and get arrays of their own first where somebody does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.ir import CONSTANT, Graph
from ..numpy import compile_graph as by_numpy
from .compiler import Compiled, compiled
from .entry import Argument, conform, make_entry
from .lower import lowered
from .native import compile_ir
from .pieces import Region
from .program import Cell, Program
from .target import Target


def program_of(region: Region) -> tuple[Program, list[Cell]]:
    """The cells of a region, and those of its outputs, each made by the program. Raises Unsupported."""
    program = Program()
    cells: dict[Any, Cell] = {}
    for i, value in enumerate(region.inputs):
        cells[value] = program.source(("input", i), value.shape, value.dtype)
    for node in region.nodes:
        if node.op is CONSTANT:
            cells[node.outputs[0]] = program.constant(node.attributes[0]._value)
            continue
        made = lowered(program, node, [cells[x] for x in node.inputs])
        cells.update(zip(node.outputs, made, strict=True))
    outputs: list[Cell] = []
    for value in region.outputs:
        cell = cells[value]
        if cell.how in ("source", "view", "number", "place") or cell in outputs:
            cell = program.copy(cell)
        outputs.append(cell)
    outputs += [program.copy(cell) for _, cell in program.scalars]
    return program, outputs


class RegionFunction:
    """The compiled region, callable with a list of arrays; `compiled` tells of what it is made."""

    def __init__(self, region: Region, name: str, target: Target) -> None:
        self.region = region
        self.name = name
        program, outputs = program_of(region)
        self.compiled: Compiled = compiled(program, outputs, target)
        memory = self.compiled.memory
        arguments: list[Argument] = []
        names: dict[str, Any] = {"empty": np.empty, "zeros": np.zeros}
        given: list[str] = []
        lines = []
        inputs = [f"a{i}" for i in range(len(region.inputs))]
        if inputs:
            lines.append(f"{', '.join(inputs)}, = values")
        writes = {id(s.data) for s in program.stores}
        for k, cell in enumerate(memory.slots):
            what, item = cell.data
            dtype = _dtype(cell)
            if what == "input":
                given.append(f"a{item}")
            elif what == "array":
                names[f"c{k}"] = np.ascontiguousarray(item)
                given.append(f"c{k}")
            else:
                names[f"x{k}"] = item
                given.append(f"v{k}")
                if id(item) in writes:
                    lines.append(f"v{k} = x{k}.writable()")
                else:
                    lines.append(f"v{k} = x{k}._tensor._value")
            arguments.append(Argument(dtype, cell.shape, what == "variable" and id(item) in writes))
        results = []
        for k, cell in enumerate(outputs):
            names[f"s{k}"], names[f"t{k}"] = cell.shape, _dtype(cell)
            lines.append(f"o{k} = empty(s{k}, t{k})")
            given.append(f"o{k}")
            results.append(f"o{k}" if cell.shape else f"o{k}[()]")
            arguments.append(Argument(_dtype(cell), cell.shape, True))
        if program.checks:
            lines.append("status = zeros(1, 'int32')")
            given.append("status")
            arguments.append(Argument(np.dtype("int32"), (1,), True))
        self.arguments = arguments
        native = compile_ir(self.compiled.text, target)
        self.native = native
        entry = make_entry(native, arguments, target, scratch=memory.bytes, long=self.compiled.long)
        names["entry"], names["again"], names["numpy"] = entry, self._again, self._by_numpy
        lines.append(f"if entry({', '.join(given)}) is not None: again([{', '.join(given)}])")
        if program.checks:
            lines.append("if status[0]: return numpy(values)")
        count = len(outputs) - len(program.scalars)
        for (variable, _), result in zip(program.scalars, results[count:], strict=True):
            short = result.removesuffix("[()]")
            names[f"y{short}"] = variable
            lines.append(f"y{short}._set({result})")
        lines.append(f"return ({', '.join(results[:count])}{',' if count else ''})")
        source = "def run(values):\n" + "".join(f" {line}\n" for line in lines)
        exec(compile(source, f"<native {name}>", "exec"), names)
        self.run: Callable = names["run"]
        self._entry = entry
        self._fallback: Any = None

    def _again(self, values: list) -> None:
        """The call with arrays that fit, where some did not: not in one piece, or not aligned."""
        for k, cell in enumerate(self.compiled.memory.slots):
            if self.arguments[k].writable and not values[k].flags.c_contiguous:
                variable = cell.data[1]
                values[k] = np.array(variable._tensor._value, order="C")
                variable._set(values[k])
        result = self._entry(*conform(values, self.arguments))
        if result is not None:
            raise SystemError(f"compiled code refused argument {result}")

    def _by_numpy(self, values: list) -> tuple:
        """The region by NumPy, which raises the error that a check has found; nothing has been written yet."""
        if self._fallback is None:
            region = self.region
            self._fallback = by_numpy(Graph(self.name, region.inputs, region.nodes, region.outputs))
        return self._fallback.run(*values)


def _dtype(cell: Cell) -> np.dtype:
    return np.dtype(_DTYPES[cell.kind.name])


_DTYPES = {
    "f32": "float32", "f64": "float64", "i1": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
}  # fmt: skip
