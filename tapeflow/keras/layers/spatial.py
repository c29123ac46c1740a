"""Arguments of layers over space: numbers for each dimension, paddings, formats; and the errors for others."""

from __future__ import annotations

from typing import Any

from ..settings import image_data_format

_FORMATS = {"channels_last": False, "channels_first": True}


def per_dimension(value: Any, rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One int for each dimension of space. Raises ValueError for another number of them, or one less than `least`."""
    given = list(value) if isinstance(value, (list, tuple)) else [value] * rank
    ints = [n for n in given if hasattr(n, "__index__")]
    if len(given) != rank or len(ints) != rank:
        raise ValueError(f"The `{name}` argument must be a tuple of {rank} integers. Received {name}={value}")
    if min(ints) < least:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} integers. Received {name}={value}, including values "
            f"{ {n for n in ints if n < least} } that do not satisfy `value >= {least}`"
        )
    return tuple(int(n) for n in ints)


def pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """Two ints, before and after, for each dimension of space: of one int, an int for each, or the pairs themselves.

    Raises ValueError for another structure or a negative int.
    """
    given = [value] * rank if hasattr(value, "__index__") else value
    if not isinstance(given, (list, tuple)) or len(given) != rank:
        raise ValueError(f"`{name}` should have {rank} elements, or be an int. Received: {name}={value}.")
    made = []
    for n in given:
        pair = (n, n) if hasattr(n, "__index__") else n
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(hasattr(k, "__index__") for k in pair):
            raise ValueError(f"Each element of `{name}` should be an int or two ints. Received: {name}={value}.")
        made.append((int(pair[0]), int(pair[1])))
    if any(k < 0 for pair in made for k in pair):
        raise ValueError(f"`{name}` cannot be negative. Received: {name}={value}.")
    return tuple(made)


def padding_mode(padding: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """The mode in lower case. Raises ValueError for another one."""
    mode = padding.lower() if isinstance(padding, str) else padding
    if mode not in allowed:
        raise ValueError(f"The `padding` argument must be one of {allowed}. Received: {padding}")
    return mode


def format_of(data_format: Any) -> str:
    """The data format, Keras' default one for None. Raises ValueError for another word."""
    name = image_data_format() if data_format is None else str(data_format).lower()
    if name not in _FORMATS:
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return name


def of_format(batch: Any, space: tuple, channels: Any, data_format: str) -> tuple:
    """A number for every dimension, in the order of the format."""
    return (batch, channels, *space) if _FORMATS[data_format] else (batch, *space, channels)


def is_first(data_format: str) -> bool:
    """Whether the channels stand before space."""
    return _FORMATS[data_format]


def space_of(shape: Any, data_format: str) -> tuple:
    """The dimensions of space of a shape."""
    return tuple(shape[2:]) if _FORMATS[data_format] else tuple(shape[1:-1])


def channels_of(shape: Any, data_format: str) -> Any:
    """The number of channels of a shape."""
    return shape[1] if _FORMATS[data_format] else shape[-1]
