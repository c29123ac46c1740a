"""Where windows that slide over a tensor lie: output sizes, padding, and the arguments that say so.

A window along one axis covers the positions `o * stride + j * dilation - before` of the input, for each output o and
each j below its size; what lies outside of the input is padding. `padding` is "SAME" (as many outputs as strides begin
within the input, the padding divided evenly, the odd one behind), "VALID" (none), or (before, after) for each axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core import errors
from ..core.tensor import Tensor


class Axis(NamedTuple):
    """The windows along one axis."""

    size: int
    window: int
    stride: int
    dilation: int
    before: int
    outputs: int

    @property
    def apart(self) -> bool:
        """Whether no input is in two windows."""
        return self.stride >= (self.window - 1) * self.dilation + 1

    @property
    def tiles(self) -> bool:
        """Whether every input is in exactly one window, and nothing else is."""
        whole = self.before == 0 and self.outputs * self.stride == self.size
        return whole and self.window == self.stride and self.dilation == 1

    @property
    def inside(self) -> bool:
        """Whether no window reaches into padding."""
        last = (self.outputs - 1) * self.stride + (self.window - 1) * self.dilation
        return self.before <= 0 and last - self.before < self.size

    @property
    def taps(self) -> list[tuple[int, slice, slice]]:
        """For each position j in the window: j, the outputs for which it is in the input, and where it is there."""
        return _taps(self)


@lru_cache(1024)
def _taps(axis: Axis) -> list[tuple[int, slice, slice]]:
    found = []
    for j in range(axis.window):
        offset = j * axis.dilation - axis.before
        first = max(0, -(offset // axis.stride))
        last = min(axis.outputs, -((offset - axis.size) // axis.stride))
        if last > first:
            start = first * axis.stride + offset
            found.append(
                (j, slice(first, last), slice(start, start + (last - first - 1) * axis.stride + 1, axis.stride))
            )
    return found


def output_size(
    size: int | None, window: int | None, stride: int, dilation: int, padding: Any, title: str
) -> int | None:
    """How many windows there are along an axis; None where that is not known.

    Raises InvalidArgumentError for a window that is larger than the padded input by more than a stride.
    """
    if size is None or type(size) is not int:
        return None
    if padding == "SAME":
        return -(-size // stride)
    if window is None:
        return None
    before, after = (0, 0) if padding == "VALID" else padding
    reach = (window - 1) * dilation + 1
    room = size + before + after - reach + stride
    if room < 0:
        raise errors.invalid(
            title,
            f"Computed output size would be negative: {room // stride} [input_size: {size}, effective_filter_size: "
            f"{reach}, stride: {stride}]: the window is larger than the padded input",
        )
    return room // stride


def of_axis(padding: Any, i: int) -> Any:
    """The padding of one axis of the canonical attribute."""
    return padding if isinstance(padding, str) else padding[i]


def axes_of(
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Any,
    title: str,
) -> tuple[Axis, ...]:
    """The windows along each axis. Raises as `output_size` does."""
    found = []
    for i, (n, w, s, d) in enumerate(zip(sizes, windows, strides, dilations, strict=True)):
        one = of_axis(padding, i)
        outputs = output_size(n, w, s, d, one, title) or 0
        before = one[0] if isinstance(one, tuple) else 0
        if one == "SAME":
            before = max((outputs - 1) * s + (w - 1) * d + 1 - n, 0) // 2
        found.append(Axis(n, w, s, d, before, outputs))
    return tuple(found)


def remembered(function: Callable) -> Callable:
    """A function of what users say about windows, whose answers are kept; lists count as tuples."""
    kept = lru_cache(1024, typed=True)(function)

    def answer(*arguments: Any) -> Any:
        hashable = [tuple(a) if type(a) is list else a for a in arguments]
        try:
            hash(tuple(hashable))
        except TypeError:
            return function(*arguments)
        return kept(*hashable)

    return answer


# -- arguments ---------------------------------------------------------------------------------------------------------

FORMATS = {
    1: {"NWC": False, "NHWC": False, "NCW": True, "NCHW": True},
    2: {"NHWC": False, "NCHW": True},
    3: {"NDHWC": False, "NCDHW": True},
}


def channels_first(data_format: Any, space: int, title: str) -> bool:
    """Whether the channels stand behind the batch. None is the format with channels last.

    Raises InvalidArgumentError for another word than those of this number of dimensions of space.
    """
    if data_format is None:
        return False
    known = FORMATS[space]
    if data_format not in known:
        names = ", ".join(f'"{name}"' for name in known)
        raise errors.invalid(
            title, f"Value for attr 'data_format' of \"{data_format}\" is not in the list of allowed values: {names}"
        )
    return known[data_format]


def numbers(value: Any, space: int, first: bool, what: str, batch: int = 1, channel: int = 1) -> tuple[int, ...]:
    """One number, one for each dimension of space, or one for each of all dimensions, as the last.

    Raises ValueError for another length, TypeError for what are no ints.
    """
    if isinstance(value, (Tensor, np.ndarray)):
        value = np.asarray(value).tolist()
    given = list(value) if isinstance(value, (list, tuple)) else [1 if value is None else value]
    for n in given:
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(f"{what} must be integers. Received: {what}={value!r}")
    ints = [int(n) for n in given]
    if len(ints) == space + 2:
        return tuple(ints)
    if len(ints) == 1:
        ints *= space
    if len(ints) != space:
        expected = " or ".join(["1", *([str(space)] if space > 1 else []), str(space + 2)])
        raise ValueError(f"{what} should be of length {expected}. Received: {what}={value!r} of length {len(given)}")
    return (batch, channel, *ints) if first else (batch, *ints, channel)


def spatial(full: Sequence, first: bool) -> tuple:
    """Of numbers for all dimensions, those of space."""
    return tuple(full[2:] if first else full[1:-1])


def positive(full: tuple[int, ...], message: str, title: str) -> None:
    """Raises InvalidArgumentError with this message where a number is less than one."""
    if min(full) < 1:
        raise errors.invalid(title, f"{message}; got {list(full)}")


def full_padding(padding: Any, rank: int, title: str) -> Any:
    """The padding argument: "SAME", "VALID", or a pair of ints for each dimension as a tuple of tuples.

    Raises InvalidArgumentError for another word or a negative number, ValueError for a list of another shape.
    """
    if isinstance(padding, str):
        if padding not in ("SAME", "VALID"):
            hint = f"; {padding.upper()!r}?" if padding.upper() in ("SAME", "VALID") else ""
            raise errors.invalid(
                title,
                f'Value for attr \'padding\' of "{padding}" is not in the list of allowed values: "SAME", '
                f'"VALID", or a list of pairs{hint}',
            )
        return padding
    if isinstance(padding, (Tensor, np.ndarray)):
        padding = np.asarray(padding).tolist()
    if not isinstance(padding, (list, tuple)):
        raise TypeError(f"padding is a string or a list of pairs, not {padding!r}")
    for i, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(
                f"When `padding` is a list, each element of `padding` must be a list/tuple of size 2. Received: "
                f"padding={padding} with element at index {i}: {pair!r}"
            )
    if len(padding) != rank:
        raise ValueError(
            f"When padding is a list, it must be of size {rank}. Received: padding={padding} of size {len(padding)}"
        )
    pairs = tuple((int(before), int(after)) for before, after in padding)
    if any(n < 0 for pair in pairs for n in pair):
        raise errors.invalid(title, f"All elements of explicit_paddings must be nonnegative, got {padding}")
    return pairs
