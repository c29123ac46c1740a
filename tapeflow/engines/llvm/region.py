"""A region of a graph as a Python function over one native call.

The function takes the arrays of the region's inputs and gives those of its outputs, in fresh arrays. Variables that it
writes are changed in place where nobody else sees their arrays, and get arrays of their own first where somebody does.

What the code takes stands in a `Recipe`, plain data that can be kept on disk (`recipes`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...graph.ir import CONSTANT, Graph
from ..numpy import compile_graph as by_numpy
from . import guard
from .entry import Argument, conform, make_entry
from .native import Native, compile_ir
from .pieces import Region
from .pool import PARALLEL_FOR  # noqa: F401 - which makes it known to compiled code
from .recipes import variables_of
from .target import Target

if TYPE_CHECKING:
    from .compiler import Compiled
    from .program import Cell, Program


class Recipe(NamedTuple):
    """What the code of a region takes and gives.

    slots: of each array from outside (what, number, dtype, shape): "input" of the region, "array" for a constant and
        "variable", counted in the order in which the region's nodes have them.
    outputs: (dtype, shape) of each; behind those of the region, the new values of variables of one number.
    scalars: the numbers of these variables.
    writes: the numbers of the variables that are written in place.
    checks: whether the code may find that NumPy must run the region, to raise an error.
    arena, long: bytes of memory it needs, and whether other Python threads should run meanwhile.
    """

    slots: list
    outputs: list
    scalars: list
    writes: list
    checks: bool
    arena: int
    long: bool


class RegionFunction:
    """The compiled region, callable with a list of arrays: `run`."""

    def __init__(self, region: Region, name: str, recipe: Recipe, native: Native, target: Target) -> None:
        self.region = region
        self.name = name
        self.recipe = recipe
        self.native = native
        self._target = target
        self._variables = variables_of(region.nodes)
        self._fallback: Any = None
        constants = [node.attributes[0]._value for node in region.nodes if node.op is CONSTANT]
        arguments: list[Argument] = []
        names: dict[str, Any] = {"empty": np.empty, "zeros": np.zeros}
        given: list[str] = []
        lines = []
        inputs = [f"a{i}" for i in range(len(region.inputs))]
        if inputs:
            lines.append(f"{', '.join(inputs)}, = values")
        for k, (what, number, dtype, shape) in enumerate(recipe.slots):
            written = what == "variable" and number in recipe.writes
            if what == "input":
                given.append(f"a{number}")
            elif what == "array":
                names[f"c{k}"] = np.ascontiguousarray(constants[number])
                given.append(f"c{k}")
            else:
                names[f"x{number}"] = self._variables[number]
                given.append(f"v{number}")
                lines.append(
                    f"v{number} = x{number}.writable()" if written else f"v{number} = x{number}._tensor._value"
                )
            arguments.append(Argument(np.dtype(dtype), tuple(shape), written))
        results = []
        for k, (dtype, shape) in enumerate(recipe.outputs):
            names[f"s{k}"], names[f"t{k}"] = tuple(shape), np.dtype(dtype)
            lines.append(f"o{k} = empty(s{k}, t{k})")
            given.append(f"o{k}")
            results.append(f"o{k}" if shape else f"o{k}[()]")
            arguments.append(Argument(np.dtype(dtype), tuple(shape), True))
        if recipe.checks:
            lines.append("status = zeros(1, 'int32')")
            given.append("status")
            arguments.append(Argument(np.dtype("int32"), (1,), True))
        self.arguments = arguments
        self._entry = self._guarded() if guard.enabled() else self._entered()
        names["entry"], names["again"], names["numpy"] = self._entry, self._again, self._by_numpy
        lines.append(f"if entry({', '.join(given)}) is not None: again([{', '.join(given)}])")
        if recipe.checks:
            lines.append("if status[0]: return numpy(values)")
        count = len(results) - len(recipe.scalars)
        for number, result in zip(recipe.scalars, results[count:], strict=True):
            names[f"x{number}"] = self._variables[number]
            lines.append(f"x{number}._set({result})")
        lines.append(f"return ({', '.join(results[:count])}{',' if count else ''})")
        source = "def run(values):\n" + "".join(f" {line}\n" for line in lines)
        exec(compile(source, f"<native {name}>", "exec"), names)
        self.run: Callable = names["run"]

    def _entered(self, arena: np.ndarray | None = None) -> Callable:
        recipe = self.recipe
        return make_entry(
            self.native, self.arguments, self._target, scratch=recipe.arena, long=recipe.long, arena=arena
        )

    def _guarded(self) -> Callable:
        """The entry with guard zones around everything that the code may write."""
        recipe, of = self.recipe, f"of compiled {self.name}"
        names = [f"{what} {number} {of}" for what, number, _, _ in recipe.slots]
        names += [f"output {k} {of}" for k in range(len(recipe.outputs))]
        names += [f"the status {of}"] * recipe.checks
        arena = guard.guarded_copy(np.zeros(recipe.arena, np.uint8)) if recipe.arena else None
        entry = self._entered(None if arena is None else arena.array)
        return guard.guarded_entry(entry, names, [a.writable for a in self.arguments], arena, f"the arena {of}")

    @property
    def compiled(self) -> Compiled:
        """The program that the code was written of, with its kernels; made again, since code from disk has none."""
        return written(self.region, self._target)[1]

    def _again(self, values: list) -> None:
        """The call with arrays that fit, where some did not: not in one piece, or not aligned."""
        for k, (what, number, _, _) in enumerate(self.recipe.slots):
            if self.arguments[k].writable and what == "variable" and not values[k].flags.c_contiguous:
                variable = self._variables[number]
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


def compile_region(region: Region, name: str, target: Target) -> RegionFunction:
    """Compiles a region. Raises Unsupported, and OSError where the system gives no memory for code."""
    recipe, compiled = written(region, target)
    return RegionFunction(region, name, recipe, compile_ir(compiled.text, target), target)


def written(region: Region, target: Target) -> tuple[Recipe, Compiled]:
    """The code of a region as text, and what it takes. Raises Unsupported."""
    from .compiler import compiled  # with all that knows how to write code, which code from disk does without

    program, outputs = _program(region)
    made = compiled(program, outputs, target)
    numbers = {id(v): k for k, v in enumerate(variables_of(region.nodes))}
    slots = []
    for cell in made.memory.slots:
        what, item = cell.data[:2]
        slots.append([what, numbers[id(item)] if what == "variable" else item, _DTYPES[cell.kind.name], cell.shape])
    recipe = Recipe(
        slots,
        [[_DTYPES[cell.kind.name], cell.shape] for cell in outputs],
        [numbers[id(variable)] for variable, _ in program.scalars],
        sorted({numbers[id(store.data)] for store in program.stores}),
        bool(program.checks),
        made.memory.bytes,
        made.long,
    )
    return recipe, made


def _program(region: Region) -> tuple[Program, list[Cell]]:
    """The cells of a region, and those of its outputs, each made by the program."""
    from .lower import lowered
    from .program import Program

    program = Program()
    cells: dict[Any, Cell] = {}
    for i, value in enumerate(region.inputs):
        cells[value] = program.source(("input", i), value.shape, value.dtype)
    for value in [x for node in region.nodes for x in node.inputs] + region.outputs:
        program.uses[value] = program.uses.get(value, 0) + 1
    constants = 0
    for node in region.nodes:
        if node.op is CONSTANT:
            cells[node.outputs[0]] = program.constant(node.attributes[0]._value, constants)
            constants += 1
            continue
        program.node = node
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


_DTYPES = {
    "f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16", "i1": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
}  # fmt: skip
