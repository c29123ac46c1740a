"""What holds for all of Keras until it is set otherwise: the float type, the fuzz factor, the order of image axes."""

from __future__ import annotations

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_settings = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx() -> str:
    """The name of the float type that layers, losses and metrics have by default."""
    return _settings["floatx"]  # type: ignore[return-value]


def set_floatx(value: str) -> None:
    """Sets the default float type. Raises ValueError for what is no name of a float type."""
    if value not in _FLOATS:
        raise ValueError(f"Unknown `floatx` value: {value!r}. Expected one of {_FLOATS}")
    _settings["floatx"] = value


def epsilon() -> float:
    """The small number that keeps divisors and logarithms away from zero; 1e-7 by default."""
    return _settings["epsilon"]  # type: ignore[return-value]


def set_epsilon(value: float) -> None:
    """Sets the small number that keeps divisors and logarithms away from zero."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Where images have their channels by default: `channels_last` or `channels_first`."""
    return _settings["image_data_format"]  # type: ignore[return-value]


def set_image_data_format(data_format: str) -> None:
    """Sets where images have their channels by default. Raises ValueError for another word than the two."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"The `data_format` argument must be one of ('channels_first', 'channels_last'). Received: {data_format!r}"
        )
    _settings["image_data_format"] = data_format
