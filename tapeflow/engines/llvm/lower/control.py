"""Branches and loops: a subgraph becomes a function of the module, which a kernel calls.

What a branch or loop gives lies in one piece of memory, one array after the other, followed by what the functions need
for themselves. A loop's variables have two places each: the body reads one and writes the other, which is copied back.

A check that fails in a function ends the kernel, which says so by a bool in that memory: a check of the program around
it, so that in the end NumPy runs all of it and raises the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....graph.ir import CONSTANT, Graph
from ....graph.passes import optimized
from ..builder import Builder
from ..memory import Memory
from ..pieces import Unsupported
from ..program import Cell, Program, kind_of
from ..values import HALVES, I1, I32, I64, PTR, U8, Kind, Type, V, constant, index
from .rules import lowered, rule

_ALIGN = 64
_IN_CODE = 4096  # elements of a constant array that stands in the code


class _Function:
    """A subgraph as a program: what it takes, and the code once it is written."""

    def __init__(self, graph: Graph) -> None:
        graph = optimized(graph)
        self.program = program = Program()
        cells: dict[Any, Cell] = {}
        for i, value in enumerate(graph.inputs):
            cells[value] = program.source(("input", i), value.shape, value.dtype)
        self._constants: list[np.ndarray] = []
        for node in graph.nodes:
            if node.op is CONSTANT:
                array = np.asarray(node.attributes[0]._value)
                cells[node.outputs[0]] = program.constant(array, len(self._constants))
                self._constants.append(array)
                continue
            if node.op.effect:
                raise Unsupported(f"op {node.op.name} in a branch or loop")
            cells.update(zip(node.outputs, lowered(program, node, [cells[x] for x in node.inputs]), strict=True))
        self.outputs: list[Cell] = []
        for value in graph.outputs:
            cell = cells[value]
            if cell.how in ("source", "view", "number", "place") or cell in self.outputs:
                cell = program.copy(cell)
            self.outputs.append(cell)
        for source in program.sources:
            if source.data[0] == "variable" or source.data[0] == "array" and source.size > _IN_CODE:
                raise Unsupported("a variable, or a large constant array, in a branch or loop")
        self._memory: Memory | None = None
        self._module: Any = None
        self._name = ""

    def write(self, b: Builder) -> None:
        """Writes the function into the builder's module, if it is not there yet."""
        from ..compiler import write_program

        if self._module is not b.module:
            self._module = b.module
            self._name = f"{b.name}_{len(b.module.functions)}_"
            self._memory, _ = write_program(b.module, self.program, self.outputs, self._name)

    def call(self, b: Builder, given: Sequence[V], made: Sequence[V], arena: V) -> V | None:
        """Calls it with the addresses of its inputs and outputs; gives whether its checks held, if it has any."""
        assert self._memory is not None
        addresses = [*[self._source(b, cell, given) for cell in self._memory.slots], *made]
        status = None
        if self.program.checks:
            status = b.allocate(I32)
            b.store(constant(0, I32), status)
            addresses.append(status)
        addresses.append(arena)
        slots = b.allocate(I64, len(addresses))
        for k, address in enumerate(addresses):
            b.store(address, b.address(slots, k, PTR))
        b.call(f"{self._name}step", slots)
        return None if status is None else b.compare("eq", b.load(status, I32), constant(0, I32))

    def _source(self, b: Builder, cell: Cell, given: Sequence[V]) -> V:
        what, number = cell.data
        if what == "input":
            return given[number]
        array = np.ascontiguousarray(self._constants[number])
        return V(b.module.array(array.view(np.uint16) if cell.kind in HALVES else array), Type(PTR))


def _layout(kinds: Sequence[tuple[tuple[int, ...], Kind]]) -> tuple[list[int], int]:
    """Where arrays lie one after the other, and how many bytes they take."""
    places, at = [], 0
    for shape, kind in kinds:
        size = kind.bytes
        for n in shape:
            size *= n
        places.append(at)
        at += -(-max(size, 1) // _ALIGN) * _ALIGN
    return places, at


def _outputs(node: Any) -> list[tuple[tuple[int, ...], Kind]]:
    for value in node.outputs:
        if value.shape is None or None in value.shape:
            raise Unsupported("a shape that is not known")
    return [(tuple(value.shape), kind_of(value.dtype)) for value in node.outputs]


@rule("cond")
def _cond(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    pred, *captured = inputs
    counts, *graphs, _ = node.attributes
    if pred.kind in HALVES:
        raise Unsupported(f"a branch chosen by {pred.kind.name}")
    functions = [_Function(graph) for graph in graphs]
    made = _outputs(node)
    places, total = _layout([*made, ((), I1)])
    if any(x.shape != shape for f in functions for x, (shape, _) in zip(f.outputs, made, strict=True)):
        raise Unsupported("branches of several shapes")

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        for function in functions:
            function.write(b)
        chosen = _number(b, b.load(at[0], pred.kind), len(functions))
        arena, held = b.address(place, total, U8), b.address(place, places[-1], U8)
        b.store(constant(1, I1), held)
        first = 1
        for k, function in enumerate(functions):
            given = at[first : first + counts[k]]
            first += counts[k]
            with b.when(b.compare("eq", chosen, constant(k, I64))):
                fine = function.call(b, given, [b.address(place, p, U8) for p in places[:-1]], arena)
                if fine is not None:
                    b.store(fine, held)
        return 1, 0

    return _called(program, write, functions, inputs, places, made, total)


def _number(b: Builder, pred: V, count: int) -> V:
    """Which branch a value chooses: a bool the first or second, an int its own, the last one for any other."""
    if pred.kind is I1:
        return b.select(pred, constant(0, I64), constant(1, I64))
    if pred.kind.floating:
        return b.select(b.compare("ne", pred, b.like(pred, 0.0)), constant(0, I64), constant(1, I64))
    wide = b.cast(pred, I64)
    inside = b.op("and", b.compare("ge", wide, index(0)), b.compare("lt", wide, index(count)))
    return b.select(inside, wide, index(count - 1))


@rule("while_loop")
def _while(program: Program, node: Any, inputs: Sequence[Cell]) -> list[Cell]:
    (n, c, _), cond, body, _ = node.attributes
    test, step = _Function(cond), _Function(body)
    made = _outputs(node)
    if len(made) != n or any(
        x.shape != s for x, (s, _) in zip([*inputs[:n], *step.outputs], [*made, *made], strict=True)
    ):
        raise Unsupported("a loop variable that changes shape")
    places, total = _layout([*made, *made, ((), I1), ((), I1)])

    def write(b: Builder, at: list[V], place: V, lo: V, hi: V) -> tuple[int, int]:
        for function in (test, step):
            function.write(b)
        old, new, going = places[:n], places[n : 2 * n], b.address(place, places[2 * n], U8)
        before, after = ([b.address(place, p, U8) for p in each] for each in (old, new))
        arena = b.address(place, total, U8)
        for x, to, (shape, kind) in zip(at[:n], before, made, strict=True):
            _move(b, x, to, shape, kind)
        again, done = b.block("again"), b.block("done")
        held = b.address(place, places[-1], U8)
        b.store(constant(1, I1), held)

        def leave_unless(fine: V | None) -> None:
            if fine is None:
                return
            b.store(fine, held)
            on = b.block("held")
            b.emit(f"br {fine.text}, label %{on}, label %{done}")
            b.label(on)

        b.jump(again)
        b.label(again)
        leave_unless(test.call(b, [*before, *at[n : n + c]], [going], arena))
        run = b.block("run")
        b.emit(f"br {b.load(going, I1).text}, label %{run}, label %{done}")
        b.label(run)
        leave_unless(step.call(b, [*before, *at[n + c :]], after, arena))
        for x, to, (shape, kind) in zip(after, before, made, strict=True):
            _move(b, x, to, shape, kind)
        b.jump(again)
        b.label(done)
        return 1, 1 << 30  # as far as anybody knows

    return _called(program, write, (test, step), inputs, places, made, total)


def _move(b: Builder, source: V, to: V, shape: tuple[int, ...], kind: Kind) -> None:
    size = kind.bytes
    for k in shape:
        size *= k
    b.module.declare("memcpy", "declare ptr @memcpy(ptr, ptr, i64)")
    b.value(f"call ptr @memcpy({to.text}, {source.text}, i64 {size})", Type(PTR))


def _called(
    program: Program, write: Any, functions: Sequence[_Function], inputs: Sequence[Cell], places: Sequence[int],
    made: Sequence[tuple[tuple[int, ...], Kind]], total: int,
) -> list[Cell]:  # fmt: skip
    """What the kernel gives, in memory that also holds the functions' arenas, and last whether checks held."""
    from ..builder import Module
    from ..compiler import write_program

    room = 0
    for function in functions:  # how much memory a function needs is known when it is written; this one is not kept
        memory, _ = write_program(Module(), function.program, function.outputs, "try_")
        room = max(room, memory.bytes)
    operands = [program.whole(x) for x in inputs]
    memory_of_all = program.custom(write, operands, (total + room + _ALIGN,), U8)
    if any(function.program.checks for function in functions):
        program.check(program.copy(program.within(memory_of_all, places[-1], (), I1)))
    return [program.within(memory_of_all, at, *what) for at, what in zip(places, made, strict=False)]
