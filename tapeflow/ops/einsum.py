"""`tf.einsum`: sums of products in index notation.

The public function brings an equation into one form (no spaces, the output written out, the dimensions of an ellipsis
labelled by digits) and more than two operands into pairs. The op below it takes one or two operands; its kernel makes
every pair a product of matrices, and its gradients are einsums themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.convert import convert_like, convert_to_tensor
from ..core.dtypes import NUMBERS
from ..core.elementwise import mixed_dtypes, refused_dtype
from ..core.op import define
from ..core.tensor import Tensor

_FLOAT32 = np.dtype("float32")


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """A sum of products in index notation: `tf.einsum("ij,jk->ik", a, b)` is a product of matrices.

    Arguments:
        equation: a letter for each dimension of each operand, operands divided by commas, and behind `->` the letters
            of the result (without it: those that appear once, in alphabetical order). What is not in the result is
            summed over; a letter twice in one operand takes its diagonal; `...` stands for dimensions that broadcast.
        inputs: as many tensors of one dtype as the equation has operands.
        **kwargs: `name`, and `optimize` and `greedy`, which have no effect: more than two operands are multiplied in
            the order that a greedy search finds cheapest.

    Raises ValueError for an equation that is none, TypeError for other keywords, InvalidArgumentError for operands
    whose ranks or sizes do not fit the equation.
    """
    unknown = [key for key in kwargs if key not in ("name", "optimize", "greedy")]
    if unknown:
        raise TypeError(
            f"Invalid keyword arguments for einsum: {', '.join(unknown)}. Valid arguments: name, optimize, greedy."
        )
    tensors = [convert_to_tensor(x) for x in inputs[:1]]
    tensors += [convert_like(x, tensors[0]._value.dtype) for x in inputs[1:]]
    op = _einsum.op
    for x in tensors:
        dtype = x._value.dtype
        if dtype != tensors[0]._value.dtype:
            raise mixed_dtypes(op, tensors[0]._value.dtype, dtype)
        if dtype not in NUMBERS:
            raise refused_dtype(op, dtype, NUMBERS)
    shapes = [x._value.shape for x in tensors]
    operands, output = _normalised(equation, tuple([len(shape) for shape in shapes]))
    if len(tensors) < 3:
        return _checked(tensors, ",".join(operands) + "->" + output)
    _sizes(operands, shapes)
    labelled = list(zip(operands, tensors, strict=True))
    for pair in _order(",".join(operands) + "->" + output, tuple(shapes)):
        taken = [labelled.pop(i) for i in sorted(pair, reverse=True)][::-1]
        rest = set(output).union(*[labels for labels, _ in labelled])
        kept = "".join(dict.fromkeys(c for labels, _ in taken for c in labels if c in rest)) if labelled else output
        step = ",".join([labels for labels, _ in taken]) + "->" + kept
        labelled.append((kept, _einsum([x for _, x in taken], step)))
    return labelled[0][1]


def _checked(tensors: list, equation: str) -> Tensor:
    if all(type(x) is Tensor for x in tensors):
        # NumPy would broadcast what TensorFlow refuses
        contraction(equation, *[x._value.shape for x in tensors])
    return _einsum(tensors, equation)


# -- equations ---------------------------------------------------------------------------------------------------------

_EQUATION = re.compile(r"(?:[a-zA-Z]|\.{3})*(?:,(?:[a-zA-Z]|\.{3})*)*(?:->(?:[a-zA-Z]|\.{3})*)?")


@lru_cache(1024)
def _normalised(equation: str, ranks: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The labels of the operands and of the output, ellipses replaced by digits."""
    text = equation.replace(" ", "")
    if not _EQUATION.fullmatch(text):
        raise ValueError(f"Subscripts have incorrect format: {equation}")
    left, arrow, output = text.partition("->")
    operands = left.split(",")
    if any(part.count("...") > 1 for part in (*operands, output)):
        raise ValueError(f"Subscripts have incorrect format (an ellipsis twice): {equation}")
    if len(operands) != len(ranks):
        raise ValueError(f'Got {len(ranks)} inputs for equation "{equation}", expecting {len(operands)}')
    spread = [rank - len(part.replace("...", "")) for part, rank in zip(operands, ranks, strict=True)]
    for i, (part, rank) in enumerate(zip(operands, ranks, strict=True)):
        if spread[i] < 0 or spread[i] and "..." not in part:
            least = "at least " if "..." in part else ""
            raise errors.invalid(
                "Einsum",
                f"Expected input {i} to have rank {least}{len(part.replace('...', ''))} but got: {rank} ({equation})",
            )
    widest = max([n for part, n in zip(operands, spread, strict=True) if "..." in part], default=0)
    digits = "".join([chr(ord("0") + i) for i in range(widest)])
    if not arrow:
        counts = Counter("".join(operands).replace(".", ""))
        output = ("..." if any("..." in part for part in operands) else "") + "".join(
            sorted([c for c, n in counts.items() if n == 1])
        )
    letters = output.replace("...", "")
    for c in letters:
        if c not in left:
            raise ValueError(f"Output subscripts contain the label {c} not present in the input subscripts: {equation}")
    if len(set(letters)) != len(letters):
        raise ValueError(f"Output subscripts contain a label appearing more than once: {equation}")
    if digits and "..." not in output:
        raise errors.invalid(
            "Einsum",
            f"Output contains {widest} broadcasting dimension(s) but no ellipsis (...) was found in the output "
            f"subscripts: {equation}",
        )
    labels = [part.replace("...", digits[widest - n :]) for part, n in zip(operands, spread, strict=True)]
    return tuple(labels), output.replace("...", digits)


def _split(equation: str) -> tuple[list[str], str]:
    left, _, output = equation.partition("->")
    return left.split(","), output


def _sizes(operands: Any, shapes: Any) -> dict:
    """The size of each label. Raises InvalidArgumentError where dimensions of one label differ."""
    sizes: dict[str, int | None] = {}
    for labels, shape in zip(operands, shapes, strict=True):
        for axis, (c, n) in enumerate(zip(labels, shape, strict=True)):
            known = sizes.get(c)
            if known is None or (c.isdigit() and known == 1 and n is not None):
                sizes[c] = n
            elif n is not None and n != known and not (c.isdigit() and n == 1):
                raise errors.invalid(
                    "Einsum",
                    f"Expected dimension {known} at axis {axis} of the input shaped {list(shape)} but got dimension "
                    f"{n} (label {c})",
                )
    return sizes


@lru_cache(256)
def _order(equation: str, shapes: tuple) -> list[tuple[int, ...]]:
    """Which operands to multiply, step after step."""
    operands, output = _split(equation)
    labels = dict.fromkeys("".join(operands))
    names = dict(zip(labels, ascii_letters, strict=False))  # einsum_path knows no digits
    text = ",".join(["".join([names[c] for c in part]) for part in operands])
    text += "->" + "".join([names[c] for c in output])
    empty = [np.broadcast_to(_FLOAT32.type(0), shape) for shape in shapes]
    path, _ = np.einsum_path(text, *empty, optimize="greedy")
    # einsum_path leaves to one call what it finds no gain in splitting
    return [pair for step in path[1:] for pair in ([step] if len(step) <= 2 else [(0, 1)] * (len(step) - 1))]


# -- the op ------------------------------------------------------------------------------------------------------------


class _Operand(NamedTuple):
    """What becomes of an operand before the product: its diagonals, sums over labels of its own, order, shape."""

    diagonal: tuple | None
    summed: tuple | None
    perm: tuple | None
    shape: tuple


class _Plan(NamedTuple):
    operands: tuple[_Operand, ...]
    matrices: bool  # whether a product of matrices follows, or one of elements
    shape: tuple  # of the product, dimensions apart again
    perm: tuple | None  # into the order of the output
    diagonal: tuple  # of an output that repeats labels, for each repetition (its axis, the axis it repeats, the size)


@lru_cache(4096)
def contraction(equation: str, *shapes: tuple) -> _Plan:
    operands, output = _split(equation)
    sizes = _sizes(operands, shapes)
    kept = "".join(dict.fromkeys(output))
    if len(operands) == 1:
        prepared = _operand(operands[0], [c for c in operands[0] if c in kept], sizes_of(operands[0], shapes[0]))
        order = [c for c in dict.fromkeys(operands[0]) if c in kept]
        plan = (prepared,), False, tuple([sizes[c] for c in order])
    else:
        x, y = operands
        both = set(x) & set(y)
        batch = [c for c in kept if c in both]
        inner = [c for c in dict.fromkeys(x) if c in both and c not in kept]
        left = [c for c in kept if c in x and c not in both]
        right = [c for c in kept if c in y and c not in both]
        plan = _pair(operands, shapes, batch, left, inner, right)
        order = [*batch, *left, *right]
    perm = tuple([order.index(c) for c in kept])
    repeats = tuple([(i, output.index(c), sizes[c]) for i, c in enumerate(output) if output.index(c) != i])
    return _Plan(*plan, None if perm == tuple(range(len(perm))) else perm, repeats)


def sizes_of(labels: str, shape: tuple) -> dict:
    return dict(zip(labels, shape, strict=True))


def _pair(operands: Any, shapes: Any, batch: list, left: list, inner: list, right: list) -> tuple:
    """How two operands become stacks of matrices [batch..., left, inner] and [batch..., inner, right]."""
    x, y = (sizes_of(labels, shape) for labels, shape in zip(operands, shapes, strict=True))
    sizes = [max(x[c], y[c]) if x[c] and y[c] else 0 for c in batch]
    wide = tuple(sizes) + tuple([x[c] for c in left]) + tuple([y[c] for c in right])
    first = _operand(operands[0], [*batch, *left, *inner], x)
    second = _operand(operands[1], [*batch, *inner, *right], y)
    stacks = [tuple([s[c] for c in batch]) for s in (x, y)]
    if not inner:
        shape = (*stacks[0], *[x[c] for c in left], *[1 for _ in right])
        other = (*stacks[1], *[1 for _ in left], *[y[c] for c in right])
        return (first._replace(shape=shape), second._replace(shape=other)), False, wide
    k = prod([x[c] for c in inner])
    shape = (*stacks[0], prod([x[c] for c in left]), k)
    other = (*stacks[1], k, prod([y[c] for c in right]))
    return (first._replace(shape=shape), second._replace(shape=other)), True, wide


def _operand(labels: str, order: list, sizes: dict) -> _Operand:
    unique = list(dict.fromkeys(labels))
    diagonal = None
    if len(unique) != len(labels):
        diagonal = ([unique.index(c) for c in labels], list(range(len(unique))))
    summed = tuple([i for i, c in enumerate(unique) if c not in order]) or None
    left = [c for c in unique if c in order]
    order = list(dict.fromkeys(order))
    perm = tuple([left.index(c) for c in order])
    shape = tuple([sizes[c] for c in order])
    return _Operand(diagonal, summed, None if perm == tuple(range(len(perm))) else perm, shape)


def _einsum_kernel(xp: Any) -> Callable:
    total, diagonals, product = xp.add.reduce, xp.einsum, xp.matmul

    def prepare(x: Any, step: _Operand) -> Any:
        if step.diagonal is not None:
            x = diagonals(x, *step.diagonal)
        if step.summed is not None:
            x = total(x, step.summed, x.dtype)
        if step.perm is not None:
            x = x.transpose(step.perm)
        return x.reshape(step.shape) if x.shape != step.shape else x

    def einsum(values: list, equation: str) -> Any:
        dtype = values[0].dtype
        if dtype.itemsize == 2 and dtype.kind in "fV":
            return einsum([x.astype(_FLOAT32) for x in values], equation).astype(dtype)
        plan = contraction(equation, *[x.shape for x in values])
        parts = [prepare(x, step) for x, step in zip(values, plan.operands, strict=True)]
        if len(parts) == 1:
            z = parts[0]
        else:
            z = product(*parts) if plan.matrices else parts[0] * parts[1]
        if z.shape != plan.shape:
            z = z.reshape(plan.shape)
        if plan.perm is not None:
            z = z.transpose(plan.perm)
        for axis, first, size in plan.diagonal:
            # a new axis, nothing but zeros off the diagonal it makes with the first
            at = [1] * (z.ndim + 1)
            at[axis] = at[first] = size
            z = z.reshape(*z.shape[:axis], 1, *z.shape[axis:]) * xp.eye(size, dtype=dtype).reshape(at)
        return z

    return einsum


def _einsum_shape(inputs: Any, equation: str) -> Abstract:
    operands, output = _split(equation)
    sizes = _sizes(operands, [x.shape for x in inputs])
    return Abstract(tuple([sizes[c] for c in output]), inputs[0].dtype)


@lru_cache(1024)
def _gradient_steps(equation: str) -> list[tuple[str, str, str, str]]:
    """For each operand: its labels, each once, those of them that the gradient reaches, and the einsum by which."""
    operands, output = _split(equation)
    steps = []
    for i, labels in enumerate(operands):
        others = operands[:i] + operands[i + 1 :]
        known = set(output).union(*others)
        unique = "".join(dict.fromkeys(labels))
        there = "".join([c for c in unique if c in known])
        steps.append((labels, unique, there, ",".join([output, *others]) + "->" + there))
    return steps


def _einsum_gradients(F: Any, g: Any, needs: list, *rest: Any) -> list:
    """For each operand the einsum of the gradient and the other operand, spread over what was summed in it alone."""
    *inputs, equation = rest
    values = inputs if F.raw else [x._value for x in inputs]
    if values[0].dtype.kind == "c":
        inputs = [F.conj(x) for x in inputs]
    gradients: list = [None] * len(inputs)
    for i, (labels, unique, there, step) in enumerate(_gradient_steps(equation)):
        if needs[i]:
            sizes = sizes_of(labels, values[i].shape)
            d = F.einsum([g, *inputs[:i], *inputs[i + 1 :]], step)
            d = F.sum_to(d, tuple([sizes[c] for c in there]))
            if there != unique:
                d = F.reshape(d, tuple([sizes[c] if c in there else 1 for c in unique]))
                d = F.broadcast_to(d, tuple([sizes[c] for c in unique]))
            gradients[i] = d if unique == labels else F.einsum([d], f"{unique}->{labels}")
    return gradients


_einsum = define(
    "einsum",
    _einsum_kernel,
    _einsum_shape,
    _einsum_gradients,
    saves=lambda *args: args[:-2],
    title="Einsum",
    inputs=None,
)
