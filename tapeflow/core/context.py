"""How this process runs: eagerly or not, and the settings of `tf.config` that are no property of a device.

Settings are one table of names and values. Whoever executes something reads the ones that concern it: `tf.function` the
flag that makes it run as plain Python, an engine the number of its threads.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from .tapes import TapeStack, active_tapes, pop_stack, push_stack

# name: value at the start
_DEFAULTS: dict[str, Any] = {
    "device_policy": "silent",
    "inter_op_threads": 0,
    "intra_op_threads": 0,
    "jit": "",
    "log_device_placement": False,
    "op_determinism": False,
    "run_functions_eagerly": False,
    "soft_device_placement": True,
    "synchronous_execution": True,
    "tensor_float_32": True,
    "traceback_filtering": True,
}
settings: dict[str, Any] = dict(_DEFAULTS)


def reset() -> None:
    """Gives every setting the value that it has at the start."""
    settings.update(_DEFAULTS)


def executing_eagerly() -> bool:
    """Whether ops compute at once (they do, outside the functions that are being traced)."""
    return active_tapes().trace is None


def inside_function() -> bool:
    """Whether a `tf.function` is being traced."""
    return active_tapes().trace is not None


class init_scope:
    """`with tf.init_scope():` what is computed inside is no part of a trace, and no tape records it."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = push_stack(TapeStack())

    def __exit__(self, *exc: object) -> None:
        pop_stack(self._token)


@functools.lru_cache(maxsize=1)
def get_logger() -> logging.Logger:
    """The logger of the package, called `tapeflow`. It shows warnings until its level is set."""
    logger = logging.getLogger("tapeflow")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
    return logger


def flag(name: str, doc: str) -> Callable[[], bool]:
    """The function that reads a setting of two values."""

    def read() -> bool:
        return settings[name]

    read.__doc__ = doc
    return read


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Makes every `tf.function` run as the Python function it was made of, for debugging, until called with False."""
    settings["run_functions_eagerly"] = bool(run_eagerly)


functions_run_eagerly = flag("run_functions_eagerly", "Whether `tf.function`s run as the Python they were made of.")


def set_soft_device_placement(enabled: bool) -> None:
    """Whether `tf.device` puts what names a device that is not there on one that is, instead of refusing.

    Raises TypeError for what is no bool.
    """
    settings["soft_device_placement"] = checked(enabled, bool, "enabled")


get_soft_device_placement = flag(
    "soft_device_placement", "Whether `tf.device` falls back to a device that is there (True at the start)."
)


def set_log_device_placement(enabled: bool) -> None:
    """Whether placements are to be logged. There is one place, so nothing is; the setting is kept."""
    settings["log_device_placement"] = bool(enabled)


get_log_device_placement = flag("log_device_placement", "What `set_log_device_placement` was last told.")


def enable_traceback_filtering() -> None:
    """Whether frames of the library are left out of tracebacks. They never are; the setting is kept."""
    settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """The opposite of `enable_traceback_filtering`."""
    settings["traceback_filtering"] = False


is_traceback_filtering_enabled = flag(
    "traceback_filtering", "What was asked for last of `enable_` and `disable_traceback_filtering` (True at the start)."
)


def checked(value: Any, kind: type, argument: str) -> Any:
    """The value, if it is of the type that the argument takes. Raises TypeError where it is not."""
    if type(value) is not kind:
        raise TypeError(f"Argument `{argument}` must be of type {kind.__name__}. Received: {value!r}")
    return value
