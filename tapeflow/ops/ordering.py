"""Names by which TensorFlow 1's programs ordered ops: effects happen in program order here, so these do nothing."""

from __future__ import annotations

from typing import Any


def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing: by the time it is called, what makes its inputs has been told to run. Takes any inputs, and a `name`."""


def no_op(name: str | None = None) -> None:
    """Nothing, under a name."""


class control_dependencies:
    """`with tf.control_dependencies([op, tensor]):` what is inside runs after them, as all that is written later does.

    Raises TypeError for what is neither a list nor None.
    """

    def __init__(self, control_inputs: Any) -> None:
        if control_inputs is not None and not hasattr(control_inputs, "__iter__"):
            raise TypeError(f"`control_inputs` must be a list of tensors or ops, or None. Received: {control_inputs!r}")

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None
