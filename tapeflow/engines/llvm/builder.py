"""Writing LLVM's IR: modules, functions, loops. Text in, text out; LLVM is not needed to write it.

Vectors are written out, so that no pass of LLVM has to find them: codegen alone takes a tenth of the time that the
pipeline does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .values import I1, I8, I64, KINDS, PTR, Kind, Type, V, constant, constants, index, literal

FAST = "contract"  # a product and a sum may become one fma; nothing else is loosened
SUM = "contract reassoc"  # what adds up many numbers may do it in another order

_FLOAT = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "rem": "frem"}
_SIGNED = {"add": "add", "sub": "sub", "mul": "mul", "div": "sdiv", "rem": "srem"}
_UNSIGNED = {"add": "add", "sub": "sub", "mul": "mul", "div": "udiv", "rem": "urem"}
_BITS = {"and": "and", "or": "or", "xor": "xor", "shl": "shl", "lshr": "lshr", "ashr": "ashr"}
# floats compare as NumPy's do: false where a NaN is, but for `ne`
_COMPARE = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "uno": "uno", "ord": "ord"}


class Module:
    """Functions, with the declarations and constants that they use.

    `fused` and `rounding` say whether the machine has an instruction for x * y + z, and for rounding to whole numbers:
    where it has none, LLVM would call the C library, once a lane. `halves` says whether it converts float16.
    """

    def __init__(self, vector_bits: int = 512, fused: bool = True, rounding: bool = True, halves: bool = False) -> None:
        self.functions: list[str] = []
        self.declared: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self.vector_bits = vector_bits
        self.fused = fused
        self.rounding = rounding
        self.halves = halves

    def declare(self, name: str, text: str) -> None:
        """Makes a function from elsewhere known, by its declaration."""
        self.declared[name] = text

    def array(self, numbers: np.ndarray) -> str:
        """The name of a constant array."""
        kind = KINDS[numbers.dtype]
        stored = I8 if kind is I1 else kind
        flat = [f"{stored.llvm} {literal(n, stored)}" for n in numbers.ravel().tolist()]
        text = f"private unnamed_addr constant [{len(flat)} x {stored.llvm}] [{', '.join(flat)}], align 64"
        for name, known in self.globals.items():
            if known == text:
                return name
        name = f"@table{len(self.globals)}"
        self.globals[name] = text
        return name

    def text(self) -> str:
        """The module, ready for LLVM's parser."""
        parts = [f"{name} = {text}" for name, text in self.globals.items()]
        parts += self.declared.values()
        parts += self.functions
        parts.append(
            f'attributes #0 = {{ nounwind "prefer-vector-width"="{self.vector_bits}" "no-trapping-math"="true" }}'
        )
        return "\n".join(parts) + "\n"


class Builder:
    """One function being written. `finish()` appends it to the module."""

    def __init__(
        self, module: Module, name: str, parameters: Sequence[tuple[Kind, str]], returns: str = "void",
        internal: bool = True, attributes: str = "",
    ) -> None:  # fmt: skip
        self.module = module
        self.name = name
        listed = ", ".join(
            f"{kind.llvm}{' noalias' if kind is PTR and 'noalias' in attributes else ''} %{n}" for kind, n in parameters
        )
        self.parameters = [V(f"%{n}", Type(kind)) for kind, n in parameters]
        self._head = f"define {'internal ' if internal else ''}{returns} @{name}({listed}) #0 {{"
        self._allocated: list[str] = []
        self._body: list[str] = []
        self._count = 0
        self._block = "entry"
        self._known: dict[tuple, V] = {}  # addresses of this block, which are asked for many times

    # -- raw lines --

    def fresh(self, prefix: str = "v") -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"%{prefix}{self._count}"

    def emit(self, line: str) -> None:
        """A line as it is."""
        self._body.append(f"  {line}")

    def value(self, expression: str, type: Type) -> V:
        """A new value."""
        name = self.fresh()
        self._body.append(f"  {name} = {expression}")
        return V(name, type)

    def label(self, name: str) -> None:
        """Begins a block."""
        self._body.append(f"{name}:")
        self._block = name
        self._known = {}

    def block(self, prefix: str) -> str:
        """A name for a block."""
        self._count += 1
        return f"{prefix}{self._count}"

    def jump(self, label: str) -> None:
        """Goes on at a block."""
        self.emit(f"br label %{label}")

    def finish(self, result: V | None = None) -> None:
        """Ends the function."""
        self.emit("ret void" if result is None else f"ret {result.text}")
        self.module.functions.append("\n".join([self._head, "entry:", *self._allocated, *self._body, "}"]))

    # -- arithmetic --

    def op(self, name: str, x: V, y: V, flags: str = FAST) -> V:
        """`add sub mul div rem` by kind, `and or xor shl lshr ashr` of ints and bools."""
        kind = x.kind
        if name in _BITS:
            return self.value(f"{_BITS[name]} {x.text}, {y.name}", x.type)
        if kind.floating:
            return self.value(f"{_FLOAT[name]} {flags} {x.text}, {y.name}", x.type)
        table = _SIGNED if kind.signed else _UNSIGNED
        return self.value(f"{table[name]} {x.text}, {y.name}", x.type)

    def add(self, x: V, y: V, flags: str = FAST) -> V:
        return self.op("add", x, y, flags)

    def sub(self, x: V, y: V, flags: str = FAST) -> V:
        return self.op("sub", x, y, flags)

    def mul(self, x: V, y: V, flags: str = FAST) -> V:
        return self.op("mul", x, y, flags)

    def div(self, x: V, y: V, flags: str = FAST) -> V:
        return self.op("div", x, y, flags)

    def neg(self, x: V) -> V:
        if x.kind.floating:
            return self.value(f"fneg {x.text}", x.type)
        return self.value(
            f"sub {x.type.text} zeroinitializer, {x.name}" if x.lanes > 1 else f"sub {x.type.text} 0, {x.name}", x.type
        )  # noqa: E501

    def invert(self, x: V) -> V:
        """All bits turned; `not` of bools."""
        return self.op("xor", x, constant(1 if x.kind is I1 else -1, x.kind, x.lanes))

    def fma(self, x: V, y: V, z: V) -> V:
        """x * y + z, rounded once where the machine can."""
        if not self.module.fused:
            return self.add(self.mul(x, y), z)
        return self.intrinsic("fma", x, y, z)

    def intrinsic(self, name: str, *operands: V, flags: str = "") -> V:
        """LLVM's own function of operands of one type, such as sqrt, fabs, rint, maxnum, smax, ctpop."""
        type = operands[0].type
        full = f"llvm.{name}.{type.suffix}"
        self.module.declare(full, f"declare {type.text} @{full}({', '.join([type.text] * len(operands))})")
        return self.value(f"call {flags} {type.text} @{full}({', '.join(v.text for v in operands)})", type)

    def compare(self, how: str, x: V, y: V) -> V:
        """A bool: eq ne lt le gt ge by the kind's order; uno and ord of floats tell whether one is NaN, or none."""
        type = x.type.of(I1)
        if x.kind.floating:
            return self.value(f"fcmp {_COMPARE[how]} {x.text}, {y.name}", type)
        sign = "" if how in ("eq", "ne") else "s" if x.kind.signed else "u"
        return self.value(f"icmp {sign}{how} {x.text}, {y.name}", type)

    def select(self, condition: V, x: V, y: V) -> V:
        """x where the condition holds, else y."""
        return self.value(f"select {condition.text}, {x.text}, {y.text}", x.type)

    def like(self, x: V, number: Any) -> V:
        """A number in the type of x."""
        return constant(number, x.kind, x.lanes)

    def reduce(self, name: str, x: V, start: V | None = None, flags: str = SUM) -> V:
        """All lanes in one scalar, by `fadd fmul fmax fmin add mul and or xor smax smin umax umin`."""
        type = Type(x.kind)
        if x.lanes == 1:
            return x
        full = f"llvm.vector.reduce.{name}.{x.type.suffix}"
        if name in ("fadd", "fmul"):
            first = start or constant(0.0 if name == "fadd" else 1.0, x.kind)
            self.module.declare(full, f"declare {type.text} @{full}({type.text}, {x.type.text})")
            return self.value(f"call {flags} {type.text} @{full}({first.text}, {x.text})", type)
        self.module.declare(full, f"declare {type.text} @{full}({x.type.text})")
        return self.value(f"call {type.text} @{full}({x.text})", type)

    # -- changing type --

    def splat(self, x: V, lanes: int) -> V:
        """A scalar in every lane."""
        if lanes == 1 or x.lanes == lanes:
            return x
        if not x.name.startswith("%"):
            return V(f"splat ({x.text})", Type(x.kind, lanes))
        type = Type(x.kind, lanes)
        first = self.value(f"insertelement {type.text} poison, {x.text}, i64 0", type)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.value(f"shufflevector {first.text}, {type.text} poison, {zeros}", type)

    def extract(self, x: V, lane: int | V) -> V:
        """One lane."""
        if x.lanes == 1:
            return x
        return self.value(f"extractelement {x.text}, {index(lane).text}", Type(x.kind))

    def insert(self, x: V, scalar: V, lane: int | V) -> V:
        """x with one lane replaced."""
        return self.value(f"insertelement {x.text}, {scalar.text}, {index(lane).text}", x.type)

    def shuffle(self, x: V, y: V | None, order: Sequence[int]) -> V:
        """Lanes of x, and of y behind them, in an order."""
        type = Type(x.kind, len(order))
        second = y.text if y is not None else f"{x.type.text} poison"
        places = ", ".join(f"i32 {i}" for i in order)
        return self.value(f"shufflevector {x.text}, {second}, <{len(order)} x i32> <{places}>", type)

    def bitcast(self, x: V, kind: Kind) -> V:
        """The same bits as another kind of the same size."""
        type = x.type.of(kind)
        if type.text == x.type.text:
            return V(x.name, type)
        return self.value(f"bitcast {x.text} to {type.text}", type)

    def cast(self, x: V, kind: Kind) -> V:
        """The number as another kind, as C casts: floats to ints toward zero. One beyond the int's range is poison."""
        old, type = x.kind, x.type.of(kind)
        if old is kind or type.text == x.type.text:
            return V(x.name, type)
        if kind is I1:
            return self.compare("ne", x, self.like(x, 0))
        if old.floating and kind.floating:
            how = "fpext" if kind.bytes > old.bytes else "fptrunc"
        elif old.floating:
            how = "fptosi" if kind.signed else "fptoui"
        elif kind.floating:
            how = "sitofp" if old.signed else "uitofp"
        elif type.bits > x.type.bits:
            how = "sext" if old.signed else "zext"
        else:
            how = "trunc"
        return self.value(f"{how} {x.text} to {type.text}", type)

    # -- memory --

    def address(self, pointer: V, offset: int | V, kind: Kind) -> V:
        """The address of an element, counted from a pointer in elements."""
        if isinstance(offset, int) and offset == 0:
            return pointer
        where = index(offset)
        key = (pointer.name, where.name, kind.bytes)
        found = self._known.get(key)
        if found is None:
            unit = "i8" if kind is I1 else kind.llvm
            found = self.value(f"getelementptr inbounds {unit}, {pointer.text}, {where.text}", Type(PTR))
            self._known[key] = found
        return found

    def load(self, pointer: V, kind: Kind, lanes: int = 1, align: int | None = None, mask: V | None = None) -> V:
        """Lanes that lie side by side; with a mask only those it names, the others being zero."""
        stored = I8 if kind is I1 else kind
        type = Type(stored, lanes)
        align = align or stored.bytes
        if mask is None:
            x = self.value(f"load {type.text}, {pointer.text}, align {align}", type)
        else:
            full = f"llvm.masked.load.{type.suffix}.p0"
            self.module.declare(full, f"declare {type.text} @{full}(ptr, <{lanes} x i1>, {type.text})")
            x = self.value(
                f"call {type.text} @{full}(ptr align {align} {pointer.name}, {mask.text}, {type.text} zeroinitializer)",
                type,
            )
        return self.value(f"trunc {x.text} to {type.of(I1).text}", type.of(I1)) if kind is I1 else x

    def store(self, x: V, pointer: V, align: int | None = None, mask: V | None = None) -> None:
        """Writes the lanes side by side; with a mask only those it names."""
        if x.kind is I1:
            x = self.value(f"zext {x.text} to {x.type.of(I8).text}", x.type.of(I8))
        align = align or x.kind.bytes
        if mask is None:
            self.emit(f"store {x.text}, {pointer.text}, align {align}")
            return
        full = f"llvm.masked.store.{x.type.suffix}.p0"
        self.module.declare(full, f"declare void @{full}({x.type.text}, ptr, <{x.lanes} x i1>)")
        self.emit(f"call void @{full}({x.text}, ptr align {align} {pointer.name}, {mask.text})")

    def mask(self, count: int, lanes: int) -> V:
        """A mask of the first lanes."""
        return constants([int(i < count) for i in range(lanes)], I1)

    def allocate(self, kind: Kind, count: int = 1, align: int = 64) -> V:
        """Memory of the function's own."""
        name = self.fresh("a")
        unit = "i8" if kind is I1 else kind.llvm
        self._allocated.append(f"  {name} = alloca [{count} x {unit}], align {align}")
        return V(name, Type(PTR))

    # -- control --

    @contextmanager
    def loop(self, start: int | V, stop: int | V, step: int = 1, carried: Sequence[V] = ()) -> Iterator[Loop]:
        """`for i in range(start, stop, step)`, with values that one turn hands to the next.

        with b.loop(0, n, carried=[zero]) as loop:
            loop.carry(b.add(loop.values[0], ...))
        total = loop.results[0]
        """
        first, last = index(start), index(stop)
        head, body, done = self.block("head"), self.block("body"), self.block("done")
        before = self._block
        self.jump(head)
        self.label(head)
        i = V(self.fresh("i"), Type(I64))
        values = [V(self.fresh("c"), v.type) for v in carried]
        place = len(self._body)
        self._body += [""] * (1 + len(values))
        more = self.compare("lt", i, last)
        self.emit(f"br {more.text}, label %{body}, label %{done}")
        self.label(body)
        loop = Loop(i, values)
        yield loop
        following = self.value(f"add nsw i64 {i.name}, {step}", Type(I64))
        given = loop.given or values
        lines = [f"  {i.name} = phi i64 [ {first.name}, %{before} ], [ {following.name}, %{self._block} ]"]
        for v, initial, new in zip(values, carried, given, strict=True):
            lines.append(
                f"  {v.name} = phi {v.type.text} [ {initial.name}, %{before} ], [ {new.name}, %{self._block} ]"
            )
        self._body[place : place + len(lines)] = lines
        self.jump(head)
        self.label(done)

    @contextmanager
    def when(self, condition: V, otherwise: Sequence[V] = ()) -> Iterator[Branch]:
        """A block that runs only where the condition, one bool, holds; it may give other values than there were.

        with b.when(rare, otherwise=[x]) as branch:
            branch.give(b.add(x, one))
        x = branch.results[0]
        """
        then, done = self.block("then"), self.block("done")
        before = self._block
        self.emit(f"br {condition.text}, label %{then}, label %{done}")
        self.label(then)
        branch = Branch([V(self.fresh("p"), v.type) for v in otherwise])
        yield branch
        after = self._block
        self.jump(done)
        self.label(done)
        for v, old, new in zip(branch.results, otherwise, branch.given or otherwise, strict=True):
            self.emit(f"{v.name} = phi {v.type.text} [ {old.name}, %{before} ], [ {new.name}, %{after} ]")

    def call(self, name: str, *operands: V, returns: Type | None = None) -> V | None:
        """Calls a function of the module, or a declared one."""
        listed = ", ".join(v.text for v in operands)
        if returns is None:
            self.emit(f"call void @{name}({listed})")
            return None
        return self.value(f"call {returns.text} @{name}({listed})", returns)


class Branch:
    """A block that may run: what is `given` in it are the `results` after it."""

    def __init__(self, results: list[V]) -> None:
        self.results = results
        self.given: list[V] | None = None

    def give(self, *values: V) -> None:
        """What the results are where the block runs."""
        self.given = list(values)


class Loop:
    """A loop being written: `i`, the `values` carried into this turn; after it, `results`."""

    def __init__(self, i: V, values: list[V]) -> None:
        self.i = i
        self.values = values
        self.given: list[V] | None = None

    def carry(self, *values: V) -> None:
        """What the next turn gets."""
        self.given = list(values)

    @property
    def results(self) -> list[V]:
        """The carried values after the last turn, or the first ones if there was none."""
        return self.values
