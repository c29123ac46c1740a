"""`tf.errors`: the exceptions ops raise, one class a status code, and the one place where ops' errors are worded.

The classes are rows of a table in all but syntax: a name, a code, a sentence. `invalid` and `failed` make the error of
an op from a message alone; everything that computes raises through them, so all messages end in `[Op:Name]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An op failed while it ran.

    Args:
        node_def: the node of the graph that failed, or None.
        op: the operation that failed, or None.
        message: what went wrong.
        error_code: one of the codes of this module, such as `INVALID_ARGUMENT`.
        *args: if the first is a mapping, the `experimental_payloads`.
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int, *args: Any) -> None:
        super().__init__()
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code
        self._payloads = dict(args[0]) if args and isinstance(args[0], Mapping) else {}

    @property
    def message(self) -> str:
        """What went wrong."""
        return self._message

    @property
    def op(self) -> Any:
        """The operation that failed, or None where there is no object for it (every eager op)."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The node of the graph that failed, or None."""
        return self._node_def

    @property
    def error_code(self) -> int:
        """The status code, such as `tf.errors.INVALID_ARGUMENT`."""
        return self._error_code

    @property
    def experimental_payloads(self) -> dict:
        """Further facts about the failure, by key."""
        return self._payloads

    def __str__(self) -> str:
        return str(self._message)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r})"

    def __reduce__(self) -> tuple:
        return type(self), (self._node_def, self._op, self._message, self._error_code, self._payloads)


class _StatusError(OpError):
    """An OpError whose class fixes its code: `class SomeError(_StatusError, code=...)`."""

    _code: int

    def __init_subclass__(cls, code: int | None = None) -> None:
        # a user's subclass of one of the errors below keeps that one's code
        if code is not None:
            cls._code = code

    def __init__(self, node_def: Any, op: Any, message: str, *args: Any) -> None:
        super().__init__(node_def, op, message, self._code, *args)

    def __reduce__(self) -> tuple:
        return type(self), (self._node_def, self._op, self._message, self._payloads)


class CancelledError(_StatusError, code=CANCELLED):
    """The operation was cancelled, usually because what it waited for was closed."""


class UnknownError(_StatusError, code=UNKNOWN):
    """Something failed that reported no code of its own."""


class InvalidArgumentError(_StatusError, code=INVALID_ARGUMENT):
    """An op was given values it can do nothing with, whatever the state of the program: shapes, ranges, indices."""


class DeadlineExceededError(_StatusError, code=DEADLINE_EXCEEDED):
    """The operation did not finish in the time it had."""


class NotFoundError(_StatusError, code=NOT_FOUND):
    """A file, a device or another named thing is not there."""


class AlreadyExistsError(_StatusError, code=ALREADY_EXISTS):
    """What was to be made is there already."""


class PermissionDeniedError(_StatusError, code=PERMISSION_DENIED):
    """The program may not do this, a write to a read-only file for instance."""


class UnauthenticatedError(_StatusError, code=UNAUTHENTICATED):
    """The request did not say, or not validly, who makes it."""


class ResourceExhaustedError(_StatusError, code=RESOURCE_EXHAUSTED):
    """Memory, disk or a quota ran out."""


class FailedPreconditionError(_StatusError, code=FAILED_PRECONDITION):
    """The state of the program does not allow the operation, such as reading a variable that has no value yet."""


class AbortedError(_StatusError, code=ABORTED):
    """The operation gave way to another that ran at the same time."""


class OutOfRangeError(_StatusError, code=OUT_OF_RANGE):
    """An iterator, or a reader of a file, has come to its end."""


class UnimplementedError(_StatusError, code=UNIMPLEMENTED):
    """There is no kernel for these dtypes, this rank or this device."""


class InternalError(_StatusError, code=INTERNAL):
    """Something that should always hold did not: a fault of the library, not of the program."""


class UnavailableError(_StatusError, code=UNAVAILABLE):
    """A peer cannot be reached now; trying again may work."""


class DataLossError(_StatusError, code=DATA_LOSS):
    """Data is damaged or cut short, a checkpoint's for instance."""


class DtypeMismatchError(InvalidArgumentError, TypeError):
    """Operands of different dtypes.

    TensorFlow raises InvalidArgumentError where tensors differ and TypeError where a Python number does not fit; which
    of the two depends on the op and how it is written, so programs that expect either find it here.
    """


class OperatorNotAllowedInGraphError(TypeError):
    """Python asked a symbolic tensor for something only a value can give, such as its truth in an `if`."""


_Error = TypeVar("_Error", bound=_StatusError)


def failed(kind: type[_Error], op_name: str | None, message: str) -> _Error:
    """The error of class `kind` of the op `op_name` (such as "MatMul", or None), for the caller to raise."""
    return kind(None, None, message if op_name is None else f"{message} [Op:{op_name}]")


def invalid(op_name: str | None, message: str) -> InvalidArgumentError:
    """The InvalidArgumentError of the op `op_name` (such as "MatMul"), for the caller to raise."""
    return failed(InvalidArgumentError, op_name, message)
