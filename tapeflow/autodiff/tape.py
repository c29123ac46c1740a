"""`tf.GradientTape`, 梯度带: records what is computed from what it watches, and differentiates it backward."""

from __future__ import annotations

import os
from _thread import get_ident
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import nest
from ..core.abstract import Abstract
from ..core.dtypes import is_differentiable
from ..core.indexed_slices import IndexedSlices
from ..core.logs import warning
from ..core.op import ARRAYS, TENSORS, Namespace
from ..core.tapes import active_tapes, new_key, own_stack, pause
from ..core.tensor import Tensor, ndarray, wrap
from ..core.variable import Variable
from .backward import pull_back
from .request import UnconnectedGradients, source_key, targets_of
from .summary import explained_records

_EXPLAIN = os.environ.get("TAPEFLOW_EXPLAIN", "") not in ("", "0")


_NONE, _ZERO = UnconnectedGradients  # looking a member up in the enum costs 0.1 us


class GradientTape:
    """Records operations for automatic differentiation.

        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        tape.gradient(y, x)             # 6.0

    Trainable variables that are read inside the block are watched by themselves. Tapes nest, for derivatives of any
    order, and stand side by side.

    Arguments:
        persistent: whether `gradient` and the others may be called more than once. What the tape holds lives on until
            the tape is deleted.
        watch_accessed_variables: whether trainable variables are watched when they are read.
        explain: whether to remember the line of the program that each op came from, for `summary`; also set by
            TAPEFLOW_EXPLAIN=1 in the environment.

    Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 3, reverse mode.
    """

    __slots__ = ("_records", "_stack", "_watched", "_persistent", "_auto", "_used", "__weakref__")

    def __init__(
        self, persistent: bool = False, watch_accessed_variables: bool = True, explain: bool | None = None
    ) -> None:
        self._persistent = persistent
        self._auto = watch_accessed_variables
        self._used = False
        self._records: dict = explained_records() if explain or explain is None and _EXPLAIN else {}
        self._watched: list = []  # the variables watched, and None for each tensor

    # -- recording --

    def __enter__(self) -> GradientTape:
        stack = active_tapes()
        if stack.owner != get_ident():
            stack = own_stack()
        elif stack and self in stack:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        stack.append(self)
        self._stack = stack
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        stack = self._stack
        if stack and stack[-1] is self:  # the innermost tape is nearly always the one that leaves
            stack.pop()
        elif self in stack:
            stack.remove(self)

    def watch(self, tensor: Any) -> None:
        """Watches a tensor, a variable, or a nest of them: gradients with respect to them can be asked for later.

        Tensors that are not floating point or complex have no derivative; they are passed over with a warning.
        Raises ValueError for what is neither tensor nor variable.
        """
        for x in (tensor,) if type(tensor) is Tensor else nest.flatten(tensor, expand_composites=True):
            if isinstance(x, IndexedSlices):
                x = x.values
            if not isinstance(x, (Tensor, Variable)):
                raise ValueError(
                    f"Passed in object {x!r} of type {type(x).__name__!r}, not tf.Tensor or tf.Variable or "
                    "ExtensionType."
                )
            value = x._tensor._value if isinstance(x, Variable) else x._value
            if not is_differentiable(value.dtype):
                warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", x.dtype)
                continue
            if x._key is None:
                x._key = new_key()
            if x._key not in self._records:
                self._records[x._key] = None
                self._watched.append(x if isinstance(x, Variable) else None)

    def stop_recording(self) -> pause:
        """`with tape.stop_recording():` nothing is recorded on this tape inside; other tapes go on.

        Raises ValueError where the tape is not recording.
        """
        if self not in active_tapes():
            raise ValueError("Tape is not recording.")
        return pause(self)

    def reset(self) -> None:
        """Forgets everything recorded and watched."""
        self._records = type(self._records)()
        self._watched = []
        self._used = False

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in the order in which they were."""
        return tuple(v for v in self._watched if v is not None)

    # -- differentiating --

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = _NONE,
    ) -> Any:
        """The gradient of `target` with respect to `sources`, by going backward through what was recorded.

        Arguments:
            target: a tensor, or a nest of tensors whose gradients are summed.
            sources: a tensor or variable, or a nest of them.
            output_gradients: for each target what comes from above, of the target's shape; ones by default.
            unconnected_gradients: what to give for a source that the target does not depend on: None, or zeros.

        Returns the nest of `sources` with for each a tensor of its shape (IndexedSlices where only some of its rows
        were gathered), or None.

        Raises RuntimeError on the second call for a tape that is not persistent, ValueError for another value of
        `unconnected_gradients`, TypeError for sources that are neither tensors nor variables.
        """
        if self._used:
            raise self._used_twice("gradient")
        kind = type(sources)
        if kind is Variable or kind is Tensor:
            keys: Sequence = (sources._key,)
        else:
            flat_sources = sources if kind is list or kind is tuple else nest.flatten(sources)
            try:
                keys = [s._key for s in flat_sources]
            except AttributeError:  # not a flat list of tensors and variables
                kind = None
                flat_sources = nest.flatten(sources)
                keys = [source_key(s) for s in flat_sources]
        if unconnected_gradients is not _NONE:
            unconnected_gradients = UnconnectedGradients(unconnected_gradients)

        tapes = active_tapes()
        if tapes and self in tapes:
            if self._persistent:
                warning(
                    "GradientTape.gradient was called on a persistent tape inside its own block, so the backward pass "
                    "is recorded too, which takes time and memory. That is only of use for higher derivatives; "
                    "otherwise call it after the block."
                )
            else:
                tapes.remove(self)
        F = TENSORS if tapes else ARRAYS
        records = self._records
        if output_gradients is None and type(target) is Tensor and target._key in records:
            grads = {target._key: _ones(F, target)}
        else:
            grads = self._seeds(F, target, output_gradients, keys)
        if self._persistent:
            records = dict(records)
        else:
            self._used = True
            self._records = {}
        if grads:
            pull_back(F, records, grads, keys, len(self._watched))
        if kind is Variable or kind is Tensor:
            g = grads.get(keys[0])
            if g is None:
                return _zeros(sources) if unconnected_gradients is _ZERO else None
            return g if tapes else _wrapped(g)
        if tapes:
            flat = [grads.get(key) for key in keys]
        else:
            flat = [_wrapped(grads[key]) if key in grads else None for key in keys]
        if unconnected_gradients is _ZERO:
            flat = [_zeros(s) if g is None else g for s, g in zip(flat_sources, flat, strict=True)]
        return flat if kind is list else nest.pack_sequence_as(sources, flat)

    def _seeds(self, F: Namespace, target: Any, output_gradients: Any, keys: Sequence) -> dict:
        """What the backward pass begins with: the gradient from above by each target's key, of recorded ones and of
        those that are sources themselves."""
        grads: dict = {}
        for y, g in zip(*targets_of(target, output_gradients), strict=True):
            key = y._key
            if key in self._records or key is not None and key in keys:
                g = _ones(F, y) if g is None else F.unwrap(g)
                grads[key] = grads[key] + g if key in grads else g
        return grads

    def _used_twice(self, method: str) -> RuntimeError:
        return RuntimeError(
            f"GradientTape.{method} can only be called once on non-persistent tapes. "
            "Make the tape with tf.GradientTape(persistent=True) to call it more often, or ask for all gradients in "
            "one call: tape.gradient(target, [source1, source2])."
        )

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = _NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian: for each source a tensor of shape `target.shape + source.shape`, d target / d source.

        All rows come from one batched backward pass; with `experimental_use_pfor=False`, or where an op cannot be
        batched, from one pass a row. `parallel_iterations` has no effect. Raises as `gradient` does.
        """
        from .jacobian import jacobian

        if self._used:
            raise self._used_twice("jacobian")
        return jacobian(self, target, sources, UnconnectedGradients(unconnected_gradients), experimental_use_pfor)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: UnconnectedGradients | str = _NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian of each example of a batch: [b, target.shape[1:], source.shape[1:]].

        `target[i]` must depend on `source[i]` alone. Raises ValueError where the first dimensions differ, and as
        `gradient` does.
        """
        from .jacobian import batch_jacobian

        if self._used:
            raise self._used_twice("batch_jacobian")
        return batch_jacobian(self, target, source, UnconnectedGradients(unconnected_gradients), experimental_use_pfor)

    # -- looking at what is there --

    def summary(self, print_fn: Any = None) -> str:
        """A table of what the tape holds: each op, the shapes of its inputs and output, and the bytes kept for it.

        With `tf.GradientTape(explain=True)` each row shows the line of the program it came from. Returns the text,
        after giving it to `print_fn` where there is one.
        """
        from .summary import table

        text = table(self._records)
        if print_fn is not None:
            print_fn(text)
        return text


def _wrapped(g: Any) -> Any:
    if type(g) is IndexedSlices:
        return g.wrapped()
    out = Tensor()
    out._value = g if type(g) is not ndarray or g.ndim else g[()]
    out._key = None
    return out


_one: dict = {}  # scalar type -> 1


def _ones(F: Namespace, y: Tensor) -> Any:
    value = y._value
    kind = type(value)
    if not F.raw:
        return TENSORS.ones_like(y)  # type: ignore[attr-defined]
    if kind is ndarray:
        return ARRAYS.ones_like(value)  # type: ignore[attr-defined]
    one = _one.get(kind)
    if one is None:
        one = _one[kind] = kind(1)
    return one


def _zeros(source: Any) -> Tensor:
    value = source._tensor._value if isinstance(source, Variable) else source._value
    if type(value) is Abstract:
        return TENSORS.zeros_like(source)  # type: ignore[attr-defined]
    zeros = np.zeros(value.shape, value.dtype)
    return wrap(zeros if zeros.ndim else zeros[()])
