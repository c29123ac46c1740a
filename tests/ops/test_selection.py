"""`where` and clipping: values, gradients and errors as recorded from TensorFlow 2.21."""

import numpy as np
import pytest

import tapeflow.ops.reduction  # noqa: F401 - rules find its ops by name
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.indexed_slices import IndexedSlices
from tapeflow.ops import operators  # noqa: F401 - attaches the operators that rules use
from tapeflow.ops import selection as ops
from tests.gradients import check_gradients

NAN = float("nan")


def gradients(f, *values):
    inputs = [constant(v) for v in values]
    with GradientTape() as tape:
        tape.watch(inputs)
        y = f(*inputs)
    return [None if g is None else g.numpy().tolist() for g in tape.gradient(y, inputs)]


def rows():
    return IndexedSlices(constant([[3.0, 4.0]]), constant([0]))


# -- where -------------------------------------------------------------------------------------------------------------


def test_where_broadcasts_all_three():
    got = ops.where([[True], [False]], [1.0, 2.0, 3.0], constant([[0.0]]))
    assert got.numpy().tolist() == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
    assert ops.where(True, 1.0, 2).numpy() == np.float32(1.0)
    assert ops.where(True, "a", "b").numpy() == b"a"
    assert ops.where([True], [], [1.0]).shape == [0]
    assert ops.where([True, False], 3, constant([1.0, 2.0])).numpy().tolist() == [3.0, 2.0]
    assert ops.where(constant([True, False]), constant([1, 2], "int64"), 3).dtype == "int64"


def test_gradients_of_where():
    assert gradients(lambda x, y: ops.where(constant([True, False]), x, y), [1.0, 2.0], 3.0) == [[1.0, 0.0], 1.0]
    assert gradients(lambda x, y: ops.where(True, x, y), [1.0, 2.0], 3.0) == [[1.0, 1.0], 0.0]
    # the branch not taken has an infinite slope, which does not come through
    x = constant([0.0, 4.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.where(x > 0.0, ops.sqrt(ops.where(x > 0.0, x, 1.0)), 0.0)
    assert tape.gradient(y, x).numpy().tolist() == [0.0, 0.25]


def test_indices_of_what_is_true():
    assert ops.where([[True, False], [False, True]]).numpy().tolist() == [[0, 0], [1, 1]]
    for condition in (constant([0, 5, 0]), constant([0.0, NAN, 0.0])):
        got = ops.where(condition)
        assert got.dtype == "int64"
        assert got.numpy().tolist() == [[1]]
    for wrong in (True, ["a"]):
        with pytest.raises(errors.InvalidArgumentError, match=r"\[Op:Where"):
            ops.where(wrong)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((True, None, 2.0), ValueError),
        ((True, 1.0, None), ValueError),
        ((1.0, 2.0, 3.0), TypeError),
        ((constant([1, 0]), 1.0, 2.0), errors.InvalidArgumentError),
        ((True, constant(1), constant(2.0)), errors.InvalidArgumentError),
        (([True, False], [1.0, 2.0, 3.0], 2.0), errors.InvalidArgumentError),
    ],
)
def test_where_refuses(arguments, error):
    with pytest.raises(error):
        ops.where(*arguments)


def test_where_names_all_three_shapes():
    with pytest.raises(errors.InvalidArgumentError, match=r"condition \[2,1\], then \[3\], and else \[2\]"):
        ops.where([[True], [False]], [0.0, 0.0, 0.0], [1.0, 1.0])


# -- by value ----------------------------------------------------------------------------------------------------------


def test_clip_by_value():
    assert ops.clip_by_value(constant([1, 5]), 2, 3).numpy().tolist() == [2, 3]
    assert ops.clip_by_value([1, 2], 3, 1).numpy().tolist() == [3, 3]  # the lower limit wins
    assert ops.clip_by_value([1.0, 5.0], [2.0, 6.0], 7).numpy().tolist() == [2.0, 6.0]
    np.testing.assert_array_equal(ops.clip_by_value([2.0, NAN], 0.0, 1.0).numpy(), [1.0, NAN])
    clipped = ops.clip_by_value(rows(), 3.5, 9.0)
    assert clipped.values.numpy().tolist() == [[3.5, 4.0]]


def test_gradients_of_clip_by_value():
    x = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert gradients(ops.clip_by_value, x, 1.0, 3.0) == [[0, 1, 1, 1, 0], 1.0, 1.0]
    assert gradients(ops.clip_by_value, x, 3.0, 1.0) == [[0, 0, 0, 0, 0], 5.0, 0.0]


@pytest.mark.parametrize(
    ("t", "low", "high", "error"),
    [
        (constant([1.0, 5.0]), [[2.0], [2.0]], 3, ValueError),
        (constant(1.0), [2.0, 2.0], 3, ValueError),
        (constant([1.0, 5.0]), [2.0, 2.0, 2.0], 3, errors.InvalidArgumentError),
        (constant([1.0, 5.0]), constant(2), 3, errors.InvalidArgumentError),
        (constant([1j]), 0.0, 1.0, errors.InvalidArgumentError),
        (True, True, True, errors.InvalidArgumentError),
    ],
)
def test_clip_by_value_refuses(t, low, high, error):
    with pytest.raises(error):
        ops.clip_by_value(t, low, high)


# -- by norm -----------------------------------------------------------------------------------------------------------


def test_clip_by_norm():
    for x, norm, wanted in [
        ([3.0, 4.0], 1.0, [0.6, 0.8]),
        ([3.0, 4.0], 10.0, [3.0, 4.0]),
        ([3.0, 4.0], [1.0, 2.0], [0.6, 1.6]),
        ([3.0, 4.0], 0.0, [0.0, 0.0]),
        ([3.0, 4.0], -1.0, [0.0, 0.0]),
        ([3.0, 4.0], constant(1), [0.6, 0.8]),
        ([0.0, 0.0], 1.0, [0.0, 0.0]),
    ]:
        np.testing.assert_allclose(ops.clip_by_norm(x, norm).numpy(), wanted, rtol=1e-6)
    got = ops.clip_by_norm([[3.0, 4.0], [0.3, 0.4]], 1.0, axes=[1])
    np.testing.assert_allclose(got.numpy(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(ops.clip_by_norm(rows(), 1.0).values.numpy(), [[0.6, 0.8]], rtol=1e-6)
    assert gradients(lambda x: ops.clip_by_norm(x, 1.0), [0.0, 0.0]) == [[1.0, 1.0]]
    check_gradients(lambda x: ops.clip_by_norm(x, 1.0), np.array([[3.0, 4.0], [0.3, 0.4]]))
    for wrong in ((constant([3, 4]), 1), (constant([3.0]), 1.0, 2)):
        with pytest.raises(errors.InvalidArgumentError):
            ops.clip_by_norm(*wrong)


def test_clip_by_average_norm():
    np.testing.assert_allclose(ops.clip_by_average_norm([3.0, 4.0], 1.0).numpy(), [1.2, 1.6], rtol=1e-6)
    np.testing.assert_allclose(ops.clip_by_average_norm([3.0, 4.0], 9.0).numpy(), [3.0, 4.0], rtol=1e-6)


def test_global_norm():
    assert ops.global_norm([constant([3.0]), None, constant([[4.0]])]).numpy() == 5.0
    assert ops.global_norm([]).numpy() == 0.0
    assert ops.global_norm([None]).dtype == "float32"
    assert ops.global_norm([rows(), constant(12.0)]).numpy() == 13.0
    check_gradients(lambda x, y: ops.global_norm([x, y]), np.array([1.0, 2.0]), np.array([[3.0], [0.5]]))
    with pytest.raises(TypeError, match="sequence"):
        ops.global_norm(constant(3.0))
    with pytest.raises(errors.InvalidArgumentError):
        ops.global_norm([constant([3, 4])])


def test_clip_by_global_norm():
    clipped, norm = ops.clip_by_global_norm((constant([3.0, 4.0]), None, rows()), 1.0)
    root = np.sqrt(50)
    assert norm.numpy() == np.float32(root)
    assert clipped[1] is None
    np.testing.assert_allclose(clipped[0].numpy(), np.array([3, 4]) / root, rtol=1e-6)
    np.testing.assert_allclose(clipped[2].values.numpy(), np.array([[3, 4]]) / root, rtol=1e-6)
    for values, norm, more, wanted in [
        ([3.0, 4.0], 10.0, {}, [3.0, 4.0]),
        ([3.0, 4.0], 1.0, {"use_norm": constant(10.0)}, [0.3, 0.4]),
        ([float("inf"), 4.0], 1.0, {}, [NAN, NAN]),
        ([0.0, 0.0], 1.0, {}, [0.0, 0.0]),
        ([3.0, 4.0], 0.0, {}, [0.0, 0.0]),
    ]:
        (got,), _ = ops.clip_by_global_norm([constant(values)], norm, **more)
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6)
    assert ops.clip_by_global_norm([], 1.0)[0] == []
