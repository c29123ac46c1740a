"""`tf.timestamp`: the time."""

from __future__ import annotations

import time

import numpy as np

from ..core import errors
from ..core.abstract import Abstract
from ..core.context import settings
from ..core.op import define
from ..core.tensor import Tensor

_timestamp = define(
    "timestamp", lambda xp: lambda: np.float64(time.time()), lambda: Abstract((), np.dtype(np.float64)), inputs=0
)


def timestamp(name: str | None = None) -> Tensor:
    """The seconds since the beginning of 1970, a float64 scalar, taken when the op runs.

    Raises FailedPreconditionError where `tf.config.experimental.enable_op_determinism` was called.
    """
    if settings["op_determinism"]:
        raise errors.failed(
            errors.FailedPreconditionError, "Timestamp", "Timestamp cannot be called when determinism is enabled"
        )
    return _timestamp()
