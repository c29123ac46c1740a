"""`tf.errors`: codes, constructors, what they print, pickling."""

import copy
import pickle

import pytest

from tapeflow.core import errors

# class and code, as TensorFlow numbers them
CODES = {
    "CancelledError": ("CANCELLED", 1),
    "UnknownError": ("UNKNOWN", 2),
    "InvalidArgumentError": ("INVALID_ARGUMENT", 3),
    "DeadlineExceededError": ("DEADLINE_EXCEEDED", 4),
    "NotFoundError": ("NOT_FOUND", 5),
    "AlreadyExistsError": ("ALREADY_EXISTS", 6),
    "PermissionDeniedError": ("PERMISSION_DENIED", 7),
    "ResourceExhaustedError": ("RESOURCE_EXHAUSTED", 8),
    "FailedPreconditionError": ("FAILED_PRECONDITION", 9),
    "AbortedError": ("ABORTED", 10),
    "OutOfRangeError": ("OUT_OF_RANGE", 11),
    "UnimplementedError": ("UNIMPLEMENTED", 12),
    "InternalError": ("INTERNAL", 13),
    "UnavailableError": ("UNAVAILABLE", 14),
    "DataLossError": ("DATA_LOSS", 15),
    "UnauthenticatedError": ("UNAUTHENTICATED", 16),
}


@pytest.mark.parametrize("name", CODES)
def test_a_class_carries_its_code(name):
    constant, code = CODES[name]
    error = getattr(errors, name)("node", "op", "what happened")
    assert getattr(errors, constant) == code
    assert (error.error_code, error.message, str(error)) == (code, "what happened", "what happened")
    assert (error.node_def, error.op, error.experimental_payloads, error.args) == ("node", "op", {}, ())
    assert isinstance(error, errors.OpError)


def test_ok_is_zero():
    assert errors.OK == 0


@pytest.mark.parametrize("name", [*CODES, "OpError"])
@pytest.mark.parametrize("transfer", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_and_pickles_are_equal_in_all_parts(name, transfer):
    code = (errors.ABORTED,) if name == "OpError" else ()
    error = getattr(errors, name)("node", None, "gone", *code, {"key": b"value"})
    again = transfer(error)
    assert type(again) is type(error)
    assert (again.node_def, again.op, again.message) == ("node", None, "gone")
    assert again.error_code == error.error_code
    assert again.experimental_payloads == {"key": b"value"}


def test_op_error_takes_its_code_as_fourth_argument():
    assert errors.OpError(None, None, "m", errors.DATA_LOSS).error_code == 15
    with pytest.raises(TypeError, match="error_code"):
        errors.OpError(None, None, "m")


def test_further_arguments_that_are_no_mapping_are_ignored():
    error = errors.UnknownError(None, None, "m", 7)
    assert (error.error_code, error.experimental_payloads) == (2, {})


def test_a_message_alone_is_not_enough():
    with pytest.raises(TypeError, match="message"):
        errors.InvalidArgumentError("m")


def test_parts_are_read_only():
    with pytest.raises(AttributeError):
        errors.NotFoundError(None, None, "m").message = "other"


def test_repr_shows_the_message():
    assert repr(errors.NotFoundError(None, None, "no file")) == "NotFoundError('no file')"


def test_a_message_that_is_none_prints():
    assert str(errors.NotFoundError(None, None, None)) == "None"


def test_a_users_subclass_keeps_the_code():
    class Worse(errors.InternalError):
        pass

    assert Worse(None, None, "m").error_code == errors.INTERNAL


def test_operator_not_allowed_is_a_type_error():
    assert issubclass(errors.OperatorNotAllowedInGraphError, TypeError)
    assert not issubclass(errors.OperatorNotAllowedInGraphError, errors.OpError)
    assert str(errors.OperatorNotAllowedInGraphError("if on a tensor")) == "if on a tensor"


def test_an_ops_error_ends_in_the_ops_name():
    error = errors.invalid("MatMul", "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]")
    assert type(error) is errors.InvalidArgumentError
    assert str(error) == "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3] [Op:MatMul]"


def test_failed_takes_the_kind():
    error = errors.failed(errors.OutOfRangeError, "IteratorGetNext", "End of sequence")
    assert type(error) is errors.OutOfRangeError
    assert str(error) == "End of sequence [Op:IteratorGetNext]"
