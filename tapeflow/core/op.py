"""How an op is declared: once, as data, beside its kernel, its shape rule and its gradient rules.

    name      what graphs, tapes, tables and errors call it
    kernel    a function of an array namespace `xp` (NumPy, or JAX's) that gives the function on arrays
    infer     the shape rule: from inputs with `.shape` and `.dtype`, and the attributes, to `Abstract` outputs; it
              raises what TensorFlow raises for operands that do not fit, and so words the errors of the kernel as well
    grads     one gradient rule per input, or None for an input without a derivative; or one function for all inputs
    saves     which of the inputs, outputs and attributes the rules want to see again
    pull      the rules written out as one function of a record, for an op so common that it is worth it
    work      about how many operations a run of the kernel takes, for an op that may be worth compiling eagerly

`define` gives the function that runs an op: `op(x, y, axis)`, tensors first, then attributes, all positional. The
public functions over it (`tf.reduce_sum(input_tensor, axis=None, ...)`) bring their arguments into that form.

Gradient rules are written over a namespace `F`: F.matmul and the like are bare kernels on arrays when nobody records
(`ARRAYS`, the fast path), and the ops themselves when an outer tape or a trace must see them (`TENSORS`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import errors
from .dtypes import as_dtype
from .heavy import offered
from .tapes import active_tapes, new_key, record
from .tensor import Tensor, flat, ndarray, wrap

OPS: dict[str, Op] = {}
_OBJECT = np.dtype(object)
_HEAVY = 4_000_000  # operations from which a run of an op that tells its `work` is offered to an engine


class Namespace:
    """Where gradient rules find ops: an attribute for each op's name, and helpers that rules share."""

    def __init__(self, raw: bool) -> None:
        self.raw = raw

    def unwrap(self, tensor: Any) -> Any:
        """What a rule works on in this namespace, of a tensor."""
        return tensor._value if self.raw else tensor


ARRAYS = Namespace(raw=True)
TENSORS = Namespace(raw=False)


class Op:
    """One op, see this module's first lines. Calling it runs it, and records it on the tapes that track an input."""

    def __init__(
        self,
        name: str,
        kernel: Callable[[Any], Callable],
        infer: Callable,
        grads: Any = (),
        *,
        saves: Callable | None = None,
        title: str | None = None,
        inputs: int | None = 1,
        outputs: int = 1,
        pull: Callable | None = None,
        effect: bool = False,
        work: Callable[..., int] | None = None,
        xp: Any = np,
    ) -> None:
        self.name = name
        self.title = title or "".join(part.capitalize() for part in name.split("_"))
        self.make_kernel = kernel
        self.kernel = kernel(xp)
        self.work = work
        if work is not None:
            self.kernel = offered(self, self.kernel, work, _HEAVY)
        self.infer = infer
        self.grads = grads
        self.saves = saves
        self.inputs = inputs
        self.outputs = outputs
        self.effect = effect
        self.traced: Callable | None = None  # (trace, attributes) -> the op and attributes that stand in a graph
        self.keep: Callable | None = None  # (node, its trace) -> changes it so that it keeps what derivatives need
        self.elementwise = False
        self.pull = pull or (_joint_pull if callable(grads) else _pull_one if inputs == 1 == outputs else _pull)
        self.describe = _describe
        self.remember: Callable = self._remember
        self.call: Callable = _uncalled

    def _remember(self, inputs: tuple, attributes: tuple, outputs: tuple) -> None:
        """Records a run of the op whose outputs somebody else made: a trace, or a batched backward pass."""
        if self.grads and any(x._key is not None for x in inputs):
            record(self, inputs, attributes, outputs)

    def publish(self, call: Callable, doc: str | None) -> Callable:
        """Makes `call` the way this op is run on tensors, and lets rules find the op by its name. Returns `call`."""
        self.call = call
        call.__name__ = call.__qualname__ = self.name
        call.__doc__ = doc
        call.op = self  # type: ignore[attr-defined]
        OPS[self.name] = self
        setattr(ARRAYS, self.name, self.kernel)
        setattr(TENSORS, self.name, call)
        return call

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _uncalled(*args: Any) -> Any:
    raise RuntimeError("the op is not published yet")


def define(
    name: str, kernel: Callable, infer: Callable, grads: Any = (), doc: str | None = None, **options: Any
) -> Callable:
    """Declares an op of a fixed number of tensors (`inputs=1`), or of a list of them (`inputs=None`), and attributes.

    With `outputs=0` it returns a tuple of as many tensors as its kernel gives arrays. An op with an `effect` does
    something, or depends on something, besides its inputs: graphs keep it, in its place among the others. Returns the
    function that runs the op: it takes the tensors (a list of them for `inputs=None`), then the attributes, all
    positional.
    """
    op = Op(name, kernel, infer, grads, **options)
    call = _of_one(op) if op.inputs == 1 and op.outputs == 1 else _of_any(op)
    return op.publish(_of_effect(op, call) if op.effect else call, doc)


def _of_effect(op: Op, call: Callable) -> Callable:
    """Runs an op with an effect: in a trace it is traced even where all inputs are known."""

    def run(*args: Any) -> Any:
        trace = active_tapes().trace
        if trace is None:
            return call(*args)
        n = op.inputs
        inputs, attributes = (tuple(args[0]), args[1:]) if n is None else (args[:n], args[n:])
        return trace.add(op, inputs, attributes)

    return run


def _of_one(op: Op) -> Callable:
    """Runs an op of one tensor and one output: most are, and this way costs half of `_of_any`."""
    kernel, saves = op.kernel, op.saves
    differentiable = bool(op.grads)

    def call(x: Any, *attributes: Any) -> Any:
        if type(x) is not Tensor:
            return interpret(op, (x,), attributes)
        value = x._value
        try:
            result = kernel(value, *attributes)
        except Exception as error:
            trace = active_tapes().trace
            if trace is not None and trace.unknown(attributes):
                return trace.add(op, (x,), attributes)
            raise refusal(op, (value,), attributes, error) from None
        if type(result) is ndarray and not result.ndim and result.dtype is not _OBJECT:
            result = result[()]
        out = Tensor()
        out._value = result
        out._key = None
        key_x = x._key
        if key_x is not None and differentiable:
            for tape in active_tapes():
                records = tape._records
                if key_x in records:
                    key = out._key
                    if key is None:
                        key = out._key = new_key()
                        saved = saves(x, out, *attributes) if saves is not None else ()
                        entry = (op, key_x, saved, attributes, (value.shape, result.shape), result.dtype)
                    records[key] = entry
        return out

    return call


def _of_any(op: Op) -> Callable:
    kernel, saves, n, single = op.kernel, op.saves, op.inputs, op.outputs == 1
    differentiable = bool(op.grads)

    def call(*args: Any) -> Any:
        if n is None:
            inputs, attributes = tuple(args[0]), args[1:]
        else:
            inputs, attributes = args[:n], args[n:]
        values, keys, tracked = [], [], False
        for x in inputs:
            if type(x) is not Tensor:
                return interpret(op, inputs, attributes)
            values.append(x._value)
            key = x._key
            keys.append(key)
            if key is not None:
                tracked = True
        try:
            result = kernel(values, *attributes) if n is None else kernel(*values, *attributes)
        except Exception as error:
            trace = active_tapes().trace
            if trace is not None and trace.unknown(attributes):
                return trace.add(op, inputs, attributes)
            raise refusal(op, values, attributes, error) from None
        if not single:
            outs = tuple([wrap(flat(v)) for v in result])
            if tracked and differentiable and outs:
                record(op, inputs, attributes, outs)
            return outs
        if type(result) is ndarray and not result.ndim and result.dtype is not _OBJECT:
            result = result[()]
        out = Tensor()
        out._value = result
        out._key = None
        if tracked and differentiable:
            # what `record` does, from what is at hand here
            for tape in active_tapes():
                records = tape._records
                for key in keys:
                    if key in records:
                        if out._key is None:
                            out._key = new_key()
                            saved = saves(*inputs, out, *attributes) if saves is not None else ()
                            shapes = (*[v.shape for v in values], result.shape)
                            entry = (op, tuple(keys), saved, attributes, shapes, result.dtype)
                        records[out._key] = entry
                        break
        return out

    return call


# -- what is not an eager tensor, and what does not fit ---------------------------------------------------------------


def interpret(op: Op, inputs: tuple, attributes: tuple) -> Any:
    """Runs an op on inputs of which some are no plain tensors: traced, or batched. The innermost kind decides."""
    kinds = [type(x) for x in inputs if type(x) is not Tensor]
    for x, kind in zip(inputs, map(type, inputs), strict=True):
        if not issubclass(kind, Tensor):
            raise TypeError(f"{op.name} takes tensors here, not {kind.__name__}: {x!r}")
    return max(kinds, key=lambda kind: kind._level)._interpret(op, inputs, attributes)


def refusal(op: Op, values: Any, attributes: tuple, error: Exception) -> Exception:
    """The error for a kernel that could not run: the shape rule's, which knows TensorFlow's words, else its own."""
    if isinstance(error, (errors.OpError, MemoryError, KeyboardInterrupt)):
        return error
    try:
        op.infer(values, *attributes) if op.inputs is None else op.infer(*values, *attributes)
    except errors.InvalidArgumentError as known:
        # shape rules that several ops share do not know which op they spoke for
        return known if "[Op:" in known.message else errors.invalid(op.title, known.message)
    except Exception as known:
        return known
    shown = ", ".join(f"{as_dtype(v.dtype).name}{list(v.shape)}" for v in values)
    return errors.invalid(op.title, f"tf.{op.name} could not be computed for ({shown}): {error}")


# -- backward through a record -----------------------------------------------------------------------------------------


def _pull(F: Namespace, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    op, keys, saved, attributes, _, _ = rec
    if F.raw and saved:
        saved = [s._value if type(s) is Tensor else s for s in saved]
    for key, rule in zip(keys, op.grads):  # noqa: B905 - strict costs 0.1 us
        if rule is not None and key in wanted:
            d = rule(F, g, *saved, *attributes)
            if d is not None:
                grads[key] = grads[key] + d if key in grads else d


def _pull_one(F: Namespace, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    op, key, saved, attributes, _, _ = rec
    if key in wanted:
        if F.raw and saved:
            saved = [s._value if type(s) is Tensor else s for s in saved]
        d = op.grads[0](F, g, *saved, *attributes)
        if d is not None:
            grads[key] = grads[key] + d if key in grads else d


def _joint_pull(F: Namespace, g: Any, rec: tuple, wanted: Any, grads: dict) -> None:
    op, keys, saved, attributes, _, _ = rec
    if F.raw and saved:
        saved = [s._value if type(s) is Tensor else s for s in saved]
    if type(keys) is not tuple:
        keys = (keys,)
    found = op.grads(F, g, [key in wanted for key in keys], *saved, *attributes)
    for key, d in zip(keys, found):  # noqa: B905
        if d is not None and key in wanted:
            grads[key] = grads[key] + d if key in grads else d


def _describe(rec: tuple) -> tuple[tuple, tuple, Any]:
    """(shapes of the inputs, shape of the output, saved values) of a record, for tables and pictures."""
    return rec[4][:-1], rec[4][-1], rec[2]
