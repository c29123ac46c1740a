"""Tracing: ops of symbolic tensors become nodes of a graph, in the order in which the program comes to them.

A `Symbolic` tensor has shape and dtype and no value. A `Trace` is where its ops go: it stands first among the active
tapes, so that tapes inside know that their gradients must be traced as well, and variables that reading them is a node.
What does not depend on an input is computed at once and stands in the graph as a constant.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core import errors, nest
from ..core.abstract import Abstract
from ..core.context import init_scope
from ..core.convert import convert_to_tensor
from ..core.dtypes import is_differentiable
from ..core.op import Op, refusal
from ..core.shapes import TensorShape
from ..core.size import Size, has_sizes, known
from ..core.tapes import TapeStack, active_tapes, new_key, pop_stack, push_stack
from ..core.tensor import Tensor, flat, wrap
from ..core.variable import Variable
from ..ops.deferring import Deferred
from ..ops.seeds import GraphSeeds
from ..ops.variable_updates import VariableSlice
from . import custom, deferred, unknown_rank
from .ir import CONSTANT, Graph, Node, Value
from .late import DIMENSION, late, template
from .state import ASSIGNMENTS, EFFECT, READ, WRITES

# what these give follows from shape and dtype alone
_STATIC = frozenset(["shape", "size", "rank", "zeros_like", "ones_like"])


class Symbolic(Tensor):
    """A tensor inside a function that is being traced: shape and dtype, and the value in the graph that it stands for.

    Asking for its elements raises, with the line that asked and the way out.
    """

    __slots__ = ("_node_value", "_trace")
    _level = 1
    _node_value: Value
    _trace: Trace

    @classmethod
    def _interpret(cls, op: Op, inputs: tuple, attributes: tuple) -> Any:
        trace = active_tapes().trace
        if trace is None:
            raise out_of_scope(next(x for x in inputs if isinstance(x, Symbolic)))
        return trace.add(op, inputs, attributes)

    @property
    def name(self) -> str:  # type: ignore[override]
        """A name for messages."""
        return f"{self._described()}:0"

    @property
    def graph(self) -> Any:  # type: ignore[override]
        """The trace it belongs to."""
        return self._trace

    @property
    def op(self) -> Node | None:  # type: ignore[override]
        """The node that makes it, None for an input."""
        return self._node_value.node

    @property
    def shape(self) -> TensorShape:
        """The static shape, as far as it is known."""
        return TensorShape(known(self._value.shape))

    @property
    def ndim(self) -> int | None:  # type: ignore[override]
        """The number of dimensions, None where it is not known."""
        return self._value.ndim

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of the shape. Raises ValueError where it disagrees."""
        merged = self.shape.merge_with(shape)
        self._node_value.shape = merged._dims
        dims = merged._dims
        before = self._value.shape
        if dims is not None and None in dims:
            sizes = before if before is not None else [self._trace._size(self, i) for i in range(len(dims))]
            dims = tuple([size if n is None else n for n, size in zip(dims, sizes, strict=True)])
        self._value = Abstract(dims, self._value.dtype)

    def _described(self) -> str:
        value = self._node_value
        return value.name or (value.node.op.title if value.node is not None else "Placeholder")

    def _refuse(self, kind: type, what: str, way_out: str) -> Any:
        place = user_place()
        if not self._trace.is_active():
            raise kind(f"{what}: {out_of_scope(self)}")
        raise kind(f"{what} (tf.Tensor '{self.name}' {self._value!r}, at {place or 'an unknown line'}): {way_out}")

    @property
    def numpy(self) -> Any:  # type: ignore[override]
        """Raises AttributeError: a symbolic tensor has no value."""
        return self._refuse(
            AttributeError,
            "a tensor in a tf.function that is being traced has no value, so .numpy() is not there",
            "return the tensor and call .numpy() outside, or use tf.print or tf.py_function inside",
        )

    def __bool__(self) -> bool:
        return self._refuse(
            errors.OperatorNotAllowedInGraphError,
            "using a symbolic tensor as a Python bool is not allowed",
            "use tf.cond, or an `if` in code that AutoGraph can convert (a file, not a REPL; not @do_not_convert)",
        )

    def __iter__(self) -> Any:
        return self._refuse(
            errors.OperatorNotAllowedInGraphError,
            "iterating over a symbolic tensor is not allowed",
            "use tf.unstack, tf.map_fn or tf.while_loop, or a `for` in code that AutoGraph can convert",
        )

    def __len__(self) -> int:
        shape = self._value.shape
        if shape and type(shape[0]) is int:
            return shape[0]
        return self._refuse(TypeError, "len is not well defined for a symbolic tensor", "use tf.shape(x)[0]")

    def _number(self, kind: str) -> Any:
        return self._refuse(
            TypeError,
            f"{kind}() argument must be a number, not a symbolic tensor",
            "compute with the tensor itself (tf.cast for another dtype), or do it outside of the tf.function",
        )

    def __float__(self) -> float:
        return self._number("float")

    def __int__(self) -> int:
        return self._number("int")

    def __complex__(self) -> complex:
        return self._number("complex")

    def __index__(self) -> int:
        return self._number("int")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._refuse(
            NotImplementedError,
            "cannot convert a symbolic tensor to a NumPy array",
            "use TensorFlow's functions instead of NumPy's, or tf.numpy_function",
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        self._refuse(
            TypeError,
            "a tensor does not support item assignment",
            "tf.tensor_scatter_nd_update gives a changed copy, and parts of a tf.Variable can be assigned to",
        )

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        shape = "" if self._value.shape is None else f"shape={self.shape}, "
        return f'Tensor("{self.name}", {shape}dtype={self.dtype.name})'

    def __format__(self, spec: str) -> str:
        return str(self)

    def __copy__(self) -> Tensor:
        out = self._trace._alias(self._node_value)
        out._value = self._value
        return out

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self


class Trace:
    """A graph in the making. `with trace:` makes it the active one.

    Arguments:
        name: the graph's name.
        parent: the trace around it, for the graph of a branch or a loop; its tensors may be used and become inputs.
        lift_reads: whether variables read here are read by the parent, before the branch (they must not be written).
    """

    _auto = False  # as a tape it watches no variable

    def __init__(self, name: str, parent: Trace | None = None, lift_reads: bool = False) -> None:
        self.name = name
        self.parent = parent
        self.lift_reads = lift_reads
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.captures: list[tuple[Tensor, Value]] = []  # tensors of the parent, and the inputs they came to be
        self.variable_inputs: dict[int, Variable] = {}  # see `own_reads`
        self.written: dict[int, Variable] = {}  # variables assigned here
        self.created: list[Variable] = parent.created if parent is not None else []
        self.may_create = True
        # how functions that the program gives to others, such as a layer's `call`, are rewritten by AutoGraph
        self.rewrite: Callable | None = parent.rewrite if parent is not None else None
        self.deep: bool = parent is not None and parent.deep  # whether gradients taken here will be differentiated
        self.seeds: GraphSeeds = parent.seeds if parent is not None else GraphSeeds()
        self.tensors: dict[Value, Symbolic] = {}  # of each value, the tensor that the program has
        # ops of tensors that have a value make no node; for `tf.gradients`, those that begin with one made here
        self._records: dict = parent._records if parent is not None else {}
        self._current: dict[int, Symbolic] = {}  # id of a variable -> what it holds now
        self._known: dict[int, tuple[Tensor, Value]] = {}  # id of a tensor from outside -> its value here
        self._tokens: list = []
        self.around: TapeStack  # the tapes that were active when it was entered
        self.place: str | None = None  # where the ops that are now added were written, if not where the program is

    def __enter__(self) -> Trace:
        self.around = active_tapes()
        self._tokens.append(push_stack(TapeStack([self], self)))
        return self

    def __exit__(self, *exc: object) -> None:
        pop_stack(self._tokens.pop())

    def is_active(self) -> bool:
        """Whether it is this function, or what it calls, that is being traced."""
        trace = active_tapes().trace
        while trace is not None and trace is not self:
            trace = trace.parent
        return trace is self

    # -- tensors --

    def placeholder(self, shape: Any, dtype: np.dtype, name: str | None = None) -> Symbolic:
        """A new input."""
        value = Value(None, shape, dtype, name)
        self.inputs.append(value)
        return self._symbolic(value)

    @staticmethod
    def unknown(attributes: tuple) -> bool:
        """Whether there is something in attributes that is known only when the graph runs."""
        return has_sizes(attributes)

    def _keep_sizes(self, out: Symbolic, shape: tuple, operands: tuple) -> None:
        """Gives an output the sizes that its op was told, or that elementwise operands have, where they are unknown."""
        dims = list(out._value.shape)
        for axis, n in enumerate(shape):
            if type(n) is int:
                continue
            if n is not None:
                dims[axis] = n
                continue
            back = len(shape) - axis
            others = [x._value.shape[-back] for x in operands if len(x._value.shape) >= back]
            others = [m for m in others if m is not None and m != 1]
            if len(others) == 1 or others and all(m is others[0] for m in others):
                dims[axis] = others[0]
        out._value = Abstract(tuple(dims), out._value.dtype)

    def _symbolic(self, value: Value) -> Symbolic:
        out = Symbolic()
        shape = value.shape
        if shape is not None and None in shape:
            shape = tuple([self._size(out, i) if n is None else n for i, n in enumerate(shape)])
        out._value = Abstract(shape, value.dtype)
        out._key = None
        out._node_value = value
        out._trace = self
        self.tensors[value] = out
        return out

    def tensor_of(self, value: Value) -> Symbolic:
        """The tensor that stands for a value of this trace."""
        found = self.tensors.get(value)
        return self._symbolic(value) if found is None else found

    def made(self, x: Tensor) -> None:
        """Takes notice of a tensor with a value that the function makes: `tf.gradients` may be asked for it."""
        if type(x) is Tensor and is_differentiable(x._value.dtype):
            if x._key is None:
                x._key = new_key()
            self._records.setdefault(x._key, None)

    @staticmethod
    def _size(x: Symbolic, axis: int) -> Size:
        """The size of a dimension that is not known."""

        def make() -> Tensor:
            alias = x._trace._alias(x._node_value)
            return x._trace.add(DIMENSION, (alias,), (axis,))

        return Size(make)

    def _alias(self, value: Value) -> Symbolic:
        """A tensor for a value of this trace; of its shape, only the rank is known."""
        out = Symbolic()
        out._value = Abstract(value.shape, value.dtype)
        out._key = None
        out._node_value = value
        out._trace = self
        return out

    def value_of(self, x: Tensor) -> Value:
        """The value that stands for a tensor in this graph: its own, a constant, or an input that captures it."""
        if isinstance(x, Symbolic) and x._trace is self:
            return x._node_value
        if isinstance(x, VariableSlice):
            return self.value_of(x._plain())
        known = self._known.get(id(x))
        if known is not None:
            return known[1]
        if isinstance(x, Symbolic):
            outer = self.parent
            while outer is not None and outer is not x._trace:
                outer = outer.parent
            if outer is None:
                raise out_of_scope(x)
            value = self.placeholder(x._value.shape, x._value.dtype)._node_value
            self.captures.append((x, value))
        elif isinstance(x._value, Abstract):
            raise TypeError(f"{type(x).__name__} cannot stand in a graph: {x!r}")
        elif x._key is not None and self.parent is not None:  # a tape may follow it, around the branch or loop
            value = self.placeholder(x._value.shape, x._value.dtype)._node_value
            self.captures.append((x, value))
        else:
            value = self._append(CONSTANT, [], (x,), [Abstract(x._value.shape, x._value.dtype)])[0]
        self._known[id(x)] = (x, value)
        return value

    def _append(self, op: Op, inputs: list[Value], attributes: tuple, made: Sequence[Abstract]) -> list[Value]:
        node = Node(op, inputs, attributes, [], self.place or user_place())
        node.outputs = [Value(node, known(a.shape), a.dtype) for a in made]
        self.nodes.append(node)
        return node.outputs

    def add(self, op: Op, inputs: Sequence[Tensor], attributes: tuple) -> Any:
        """Adds a run of an op, and gives its outputs as symbolic tensors. Raises what the op's shape rule raises."""
        inputs = tuple(inputs)
        if op.name in _STATIC:
            known_shape = inputs[0]._value
            if known_shape.shape is not None and not has_sizes(known_shape.shape):
                return wrap(flat(op.kernel(known_shape, *attributes)))
        if op.traced is not None:
            op, attributes = op.traced(self, attributes)
        if unknown_rank.needs_ranks(op, inputs) and not has_sizes(attributes):
            return unknown_rank.add(self, op, inputs, attributes)
        abstracts = [_for_rules(x._value) for x in inputs]
        try:
            made = op.infer(abstracts, *attributes) if op.inputs is None else op.infer(*abstracts, *attributes)
        except (errors.InvalidArgumentError, ValueError, TypeError) as error:
            refused = refusal(op, abstracts, attributes, error)
            raise _at_trace_time(refused, user_place()) from None
        values = [self.value_of(x) for x in inputs]
        kinds = [made] if op.outputs == 1 else made
        if has_sizes(attributes):
            sizes: list[Size] = []
            holes = template(attributes, sizes)
            values += [self.value_of(size.tensor()) for size in sizes]
            outs = self._append(late(op), values, (len(sizes), *holes), kinds)
        else:
            outs = self._append(op, values, attributes, kinds)
        results = tuple([self._symbolic(out) for out in outs])
        for result, kind in zip(results, kinds, strict=True):
            if kind.shape is not None and (None in kind.shape or has_sizes(kind.shape)):
                self._keep_sizes(result, kind.shape, inputs if op.elementwise else ())
        own, self._records = self._records, {}  # what has a node needs no record of the trace's own
        op.remember(inputs, attributes, results)
        self._records = own
        if op in WRITES:
            self._wrote([a for a in attributes if isinstance(a, Variable)], everything=op is EFFECT)
        return results[0] if op.outputs == 1 else results

    def later(self, what: Deferred, args: tuple, kwargs: dict) -> Any:
        """Calls a function that needs sizes or values: now if they are known, else by a node."""
        args, kwargs = nest.map_structure(
            lambda x: x.read_value() if isinstance(x, Variable) else x.tensor() if type(x) is Size else x,
            (args, kwargs),
            expand_composites=True,
        )
        leaves = nest.flatten((args, kwargs), expand_composites=True)
        shapes = [x._value.shape for x in leaves if isinstance(x, Symbolic)]
        if what.values is not None and not any(shape is None or has_sizes(shape) for shape in shapes):
            given = inspect.signature(what.function).bind(*args, **kwargs).arguments if what.values and shapes else {}
            needed = nest.flatten([given.get(name) for name in what.values])
            if not any(isinstance(x, Symbolic) for x in needed):
                return what.function(*args, **kwargs)
        return deferred.later(self, what, args, kwargs)

    def rows(self, pulled: Callable, y: Tensor, seeds_of: Callable, batch: bool) -> list:
        """What `pulled(seed)` gives for every seed of a tensor of unknown size: the rows of a Jacobian."""
        return deferred.rows(self, pulled, y, seeds_of, batch)

    # -- variables --

    def read(self, variable: Variable) -> Symbolic:
        """The value of a variable now: of its last assignment in this trace, or from before."""
        found = self._current.get(id(variable))
        if found is None:
            if self.parent is not None and self.lift_reads and id(variable) not in self.written:
                found = self._symbolic(self.value_of(self.parent.read(variable)))
            else:
                found = self._symbolic(self._append(READ, [], (variable,), [READ.infer(variable)])[0])
            found._key = variable._key
            self._current[id(variable)] = found
        return found

    def assign(self, variable: Variable, how: str, value: Any) -> None:
        """Adds an assignment, of the kind that a variable's method `how` makes. Raises as that does."""
        from ..ops.casting import cast

        dtype = variable.dtype
        if isinstance(value, (Tensor, Variable)) and value.dtype != dtype and type(variable) is not Variable:
            value = cast(value, dtype)  # as Keras's variables do
        new = convert_to_tensor(value, dtype)
        have, wanted = new.shape, variable.shape
        if not wanted.is_compatible_with(have):
            raise ValueError(
                f"Cannot assign value to variable '{variable.name}': Shape mismatch. The variable shape {wanted}, and "
                f"the assigned value shape {have} are incompatible. (at {user_place()})"
            )
        self.add(ASSIGNMENTS[how], (new,), (variable,))

    def effect(self, call: Callable, tensors: Sequence[Tensor], writes: Sequence[Variable] = ()) -> None:
        """Adds a call of Python, `call(*tensors)`, which happens whenever the graph comes to it and returns nothing.

        `writes` are variables that it changes, for the graph to show; it may change others.
        """
        self.add(EFFECT, tuple(tensors), (call, *writes))

    def method(self, call: Callable, variable: Variable, args: tuple, kwargs: dict) -> Variable:
        """Adds a call of a method that changes a variable, with tensors somewhere in its arguments."""
        leaves = nest.flatten((args, kwargs), expand_composites=True)
        at = [i for i, leaf in enumerate(leaves) if isinstance(leaf, (Tensor, Variable))]
        tensors = [convert_to_tensor(leaves[i]) for i in at]

        def run(*values: Tensor) -> None:
            filled = list(leaves)
            for i, value in zip(at, values, strict=True):
                filled[i] = value
            given, named = nest.pack_sequence_as((args, kwargs), filled, expand_composites=True)
            call(variable, *given, **named)

        run.__name__ = call.__name__
        self.effect(run, tensors, [variable])
        return variable

    def custom_gradient(
        self,
        name: str,
        inputs: Sequence,
        variables: Sequence,
        outputs: Sequence[Tensor],
        grad_fn: Callable,
        pairs: bool,
    ) -> list[Tensor]:
        """Adds a function that has its own gradient, of which the outputs were just traced."""
        return custom.traced(
            self, Trace(name, parent=self, lift_reads=True), inputs, variables, outputs, grad_fn, pairs
        )

    def _wrote(self, variables: Sequence[Variable], everything: bool = False) -> None:
        for variable in variables:
            self.written[id(variable)] = variable
            self._current.pop(id(variable), None)
        if everything:
            self._current.clear()

    def absorb(self, graph: Graph) -> None:
        """Takes notice of what the graph of a branch or loop, which is now part of this one, writes."""
        for node in graph.nodes:
            if node.op in WRITES:
                self._wrote([a for a in node.attributes if isinstance(a, Variable)], everything=node.op is EFFECT)
            elif node.op.effect:
                for inner in node.attributes:
                    if isinstance(inner, Graph):
                        self.absorb(inner)

    def own_reads(self) -> None:
        """Adds an input for each variable that this part of a graph reads itself: its gradient belongs there."""
        for variable in {id(n.attributes[0]): n.attributes[0] for n in self.nodes if n.op is READ}.values():
            outside = variable.read_value()
            self.variable_inputs[len(self.inputs)] = variable
            self.captures.append((outside, self.placeholder(outside._value.shape, outside._value.dtype)._node_value))

    def initial_value(self, variable: Variable, value: Any) -> Any:
        """The initial value of a variable that is made in this trace, computed now.

        Raises ValueError where variables may not be made any more, or the value depends on an input.
        """
        root = self
        while root.parent is not None:
            root = root.parent
        if not root.may_create:
            raise ValueError(
                "tf.function only supports singleton tf.Variables created on the first call, and this function creates "
                f"one whenever it is traced (at {user_place()}). Create the variable outside of the function, or keep "
                "it: `if self.v is None: self.v = tf.Variable(...)`."
            )
        self.created.append(variable)
        if callable(value) and not isinstance(value, (Tensor, Variable)):
            with init_scope():
                return value()
        if isinstance(value, Variable):
            return value._tensor
        if isinstance(value, Symbolic):
            return self.lifted(value)
        return value

    def lifted(self, x: Symbolic) -> Tensor:
        """The value of a tensor that depends on no input, computed now. Raises ValueError for one that does."""
        wanted, nodes = {x._node_value}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                nodes.append(node)
                wanted.update(node.inputs)
        if any(value.node is None for value in wanted):
            raise ValueError(
                "Tensor-typed variable initializers must either be wrapped in an init_scope or callable (e.g., "
                "`tf.Variable(lambda : tf.truncated_normal([10, 40]))`): this one depends on an argument of the "
                f"function that is being traced (at {user_place()})."
            )
        with init_scope():
            return replay(Graph("initial_value", [], nodes[::-1], [x._node_value]), [])[0]

    # -- the end --

    def graph(self, outputs: Sequence[Tensor]) -> Graph:
        """The graph, with these tensors as outputs."""
        graph = Graph(self.name, self.inputs, self.nodes, [self.value_of(x) for x in outputs])
        graph.reads = self.variable_inputs
        return graph


def replay(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Runs a graph's ops one by one, on tensors of whatever kind, so that tapes record them and traces take them in."""
    tensors: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
    trace = active_tapes().trace
    for node in graph.nodes:
        if trace is not None:
            trace.place = node.place
        op = node.op
        args = [tensors[x] for x in node.inputs]
        out = op.call(args, *node.attributes) if op.inputs is None else op.call(*args, *node.attributes)
        if op.outputs == 1:
            tensors[node.outputs[0]] = out
        else:
            tensors.update(zip(node.outputs, out or ()))
        if trace is not None:
            _keep_shapes(node.outputs, tensors)
    if trace is not None:
        trace.place = None
    return [tensors[value] for value in graph.outputs]


def _keep_shapes(values: Sequence[Value], tensors: dict[Value, Any]) -> None:
    """Tells tensors that were traced once more what `set_shape` had told of them: no op can know it."""
    for value in values:
        x = tensors.get(value)
        if not isinstance(x, Symbolic) or value.shape is None:
            continue
        known_before = x._node_value.shape
        if known_before is None or (None in known_before and known_before != value.shape):
            x.set_shape(value.shape)


# -- where in the program ----------------------------------------------------------------------------------------------

_OWN = f"{Path(__file__).parent.parent}{os.sep}"
# lines of files that AutoGraph wrote: where in the program they come from
SOURCES: dict[str, dict[int, str]] = {}


@functools.lru_cache(None)
def is_ours(file: str) -> bool:
    """Whether a file is none of the program's."""
    return file.startswith(_OWN) or "/malt/" in file


def user_place() -> str | None:
    """The file and line of the program, outside of this package, that is being run."""
    frame: Any = sys._getframe(1)
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return None
    return place_of(frame.f_code.co_filename, frame.f_lineno)


def place_of(file: str, line: int) -> str | None:
    """A line as the program has it, None for one that is not the program's."""
    return None if is_ours(file) else SOURCES.get(file, {}).get(line) or f"{file.rpartition('/')[2]}:{line}"


def _for_rules(value: Any) -> Any:
    """What shape rules take: None for the sizes that are not known."""
    return Abstract(known(value.shape), value.dtype) if type(value) is Abstract and has_sizes(value.shape) else value


class _TraceShapeError(errors.InvalidArgumentError, ValueError):
    """Operands that do not fit, found while tracing: TensorFlow raises ValueError there."""


def _at_trace_time(error: Exception, place: str | None) -> Exception:
    if type(error) is errors.InvalidArgumentError:
        return _TraceShapeError(None, None, f"{error.message} (at {place})" if place else error.message)
    return error


def out_of_scope(x: Symbolic) -> TypeError:
    """The error for a symbolic tensor that is used where its trace is not."""
    place = user_place() or "an unknown line"
    if x._trace.parent is not None:
        return TypeError(
            f"{x!r} is out of scope: it was made inside of a loop or branch of a graph ({x._trace.name}), where its "
            f"value is another in every run (used at {place}). Make it a result of the branch or a variable of the "
            "loop; what a loop collects belongs in a tf.TensorArray, not in a Python list."
        )
    return TypeError(
        f"{x!r} is out of scope: it belongs to the tf.function '{x._trace.name}', which is no longer being traced, or "
        f"to another one (used at {place}). Return it from the function and use what the call returns, or keep state "
        "in a tf.Variable."
    )
