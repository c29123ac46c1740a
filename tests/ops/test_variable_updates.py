"""Parts of variables: reading, assigning, scattering; what was read before stays, and errors change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
import tapeflow.ops.variable_updates  # noqa: F401 - attaches the methods

INVALID = tf.errors.InvalidArgumentError


def vector():
    return tf.Variable([1.0, 2.0, 3.0])


def slices(values, indices):
    return tf.IndexedSlices(tf.constant(values), tf.constant(indices))


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        (0, 5.0, [5.0, 2.0, 3.0]),
        (-1, [7.0], [1.0, 2.0, 7.0]),
        (slice(0, 2), 7.0, [7.0, 7.0, 3.0]),
        (slice(None, None, -1), [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]),
        (..., [4.0, 5.0, 6.0], [4.0, 5.0, 6.0]),
        (None, [[4.0, 5.0, 6.0]], [4.0, 5.0, 6.0]),
        ((slice(1, None), None), [[8.0], [9.0]], [1.0, 8.0, 9.0]),
    ],
)
def test_assigning_to_a_part(key, value, want):
    v = vector()
    assert v[key].assign(value) is v
    assert v.numpy().tolist() == want


def test_updating_a_part():
    v = vector()
    v[1:].assign_add([1.0, 1.0])
    v[0].assign_sub(0.5)
    assert v.numpy().tolist() == [0.5, 3.0, 4.0]
    words = tf.Variable(["a", "b"])
    words[0].assign("z")
    assert words.numpy().tolist() == [b"z", b"b"]


@given(st.lists(st.tuples(st.integers(-3, 2), st.integers(-9, 9), st.booleans()), max_size=6))
def test_what_was_read_before_stays_as_it_was(updates):
    v, want = vector(), np.array([1.0, 2.0, 3.0], np.float32)
    seen = []
    for place, value, hold in updates:
        if hold:
            seen.append((v.read_value(), v[place], want.copy(), want[place]))
        v[place].assign(value)
        want[place] = value
        np.testing.assert_array_equal(v.numpy(), want)
    for whole, part, had, had_part in seen:
        np.testing.assert_array_equal(whole.numpy(), had)
        assert part.numpy() == had_part


def test_a_part_is_a_tensor_for_ops_and_for_tapes():
    v = vector()
    with tf.GradientTape() as tape:
        y = v[0] * v[1:] + tf.stack([v[2], v[2]]) + tf.exp(v[0])
    assert y.numpy() == pytest.approx([5.0 + np.e, 6.0 + np.e], rel=1e-6)
    assert tape.gradient(y, v).numpy() == pytest.approx([5.0 + 2 * np.e, 1.0, 3.0], rel=1e-6)
    assert isinstance(v[0], tf.Tensor) and tf.is_tensor(v[0]) and float(v[0]) == 1.0
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = v[1] ** 3
        slope = inner.gradient(y, v)
    assert outer.gradient(slope, v).numpy().tolist() == [0.0, 12.0, 0.0]
    assert v[v > 1.5].numpy().tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("update", "error", "text"),
    [
        (lambda v: v[0].assign([1.0, 2.0]), INVALID, r"Cannot broadcast input shape \[2\] into final shape \[\]"),
        (lambda v: v[7].assign(1.0), INVALID, "slice index 7"),
        (lambda v: v[0].assign("a"), TypeError, "float"),
        (lambda v: v[0].assign(tf.constant(1)), ValueError, "int32"),
        (lambda v: v.scatter_add(slices([1.0, 1.0], [0, 3])), INVALID, r"indices\[1\] = 3 is not in \[0, 3\)"),
        (lambda v: v.scatter_add(slices([1.0], [-1])), INVALID, "= -1 is not in"),
        (lambda v: v.scatter_add(slices([1], [0])), ValueError, "int32"),
        (lambda v: v.scatter_add(slices([1.0, 2.0], [0])), INVALID, r"take updates of \[1\]"),
        (lambda v: v.scatter_add([1.0]), TypeError, "sparse_delta"),
        (lambda v: v.scatter_add(slices([1.0], [0.0])), INVALID, "Tindices"),
        (lambda v: v.scatter_nd_update([[0], [5]], [9.0, 9.0]), INVALID, r"indices\[1\] = \[5\]"),
        (lambda v: v.scatter_nd_update([[0]], [9.0, 9.0]), INVALID, "take updates"),
        (lambda v: v.scatter_nd_update([[0]], 9.0), INVALID, "rank at least one"),
        (lambda v: v.scatter_nd_update([[0]], ["a"]), TypeError, "float"),
    ],
)
def test_an_error_changes_nothing(update, error, text):
    v = vector()
    with pytest.raises(error, match=text):
        update(v)
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("how", "want"),
    [
        ("add", [6.0, 2.0, 7.0]),
        ("sub", [-4.0, 2.0, -1.0]),
        ("update", [3.0, 2.0, 4.0]),
        ("max", [3.0, 2.0, 4.0]),
        ("min", [1.0, 2.0, 3.0]),
        ("mul", [6.0, 2.0, 12.0]),
        ("div", [1 / 6, 2.0, 0.75]),
    ],
)
@pytest.mark.parametrize("held", [False, True])
def test_scattering_rows(how, want, held):
    v = vector()
    before = v.read_value() if held else None
    assert getattr(v, f"scatter_{how}")(slices([2.0, 3.0, 4.0], [0, 0, 2])) is v
    np.testing.assert_allclose(v.numpy(), want, rtol=1e-6)
    if held:
        assert before.numpy().tolist() == [1.0, 2.0, 3.0]


def test_scattering_rows_of_matrices_and_scalars():
    v = tf.Variable(tf.zeros([3, 2]))
    v.scatter_update(slices([[1.0, 2.0]], [1]))
    v.scatter_add(tf.IndexedSlices(tf.constant(4.0), tf.constant([0, 1])))
    assert v.numpy().tolist() == [[4.0, 4.0], [5.0, 6.0], [0.0, 0.0]]
    n = tf.Variable([7, -7, 3])
    n.scatter_div(slices([2, 2], [0, 1]))
    assert n.numpy().tolist() == [3, -3, 3]
    with pytest.raises(INVALID, match="must not contain 0"):
        n.scatter_div(slices([2, 0], [2, 0]))
    assert n.numpy().tolist() == [3, -3, 3]


@pytest.mark.parametrize(
    ("how", "want"),
    [
        ("add", [6.0, 2.0, 7.0]),
        ("sub", [-4.0, 2.0, -1.0]),
        ("update", [3.0, 2.0, 4.0]),
        ("max", [3.0, 2.0, 4.0]),
        ("min", [1.0, 2.0, 3.0]),
    ],
)
def test_scattering_at_positions(how, want):
    v = vector()
    assert getattr(v, f"scatter_nd_{how}")([[0], [0], [2]], [2.0, 3.0, 4.0]) is v
    assert v.numpy().tolist() == want
    m = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    m.scatter_nd_add([[1, 0]], [10.0])
    assert m.numpy().tolist() == [[1.0, 2.0], [13.0, 4.0]]


def test_batch_scatter_update():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    v.batch_scatter_update(slices([[8.0], [9.0]], [[1], [0]]))
    assert v.numpy().tolist() == [[1.0, 8.0], [9.0, 4.0]]
    v.batch_scatter_update(slices([[5.0, 6.0]], [1]))
    assert v.numpy().tolist() == [[1.0, 8.0], [5.0, 6.0]]


def test_reading_by_position():
    v = vector()
    with tf.GradientTape() as tape:
        y = v.sparse_read([1, 1])
    assert y.numpy().tolist() == [2.0, 2.0]
    assert isinstance(tape.gradient(y, v), tf.IndexedSlices)
    assert v.gather_nd([[2], [0]]).numpy().tolist() == [3.0, 1.0]
    with pytest.raises(INVALID, match="= 5 is not in"):
        v.sparse_read([5])


def test_a_variable_nobody_else_holds_is_updated_in_place():
    v = tf.Variable(np.zeros(100, np.float32))
    buffer = v.buffer()
    if buffer is None:  # an interpreter that does not count references
        return
    address = buffer.ctypes.data
    del buffer
    v[3].assign(1.0)
    v.scatter_add(slices([1.0], [5]))
    v.scatter_nd_update([[7]], [2.0])
    assert v.buffer().ctypes.data == address
    assert v.numpy()[[3, 5, 7]].tolist() == [1.0, 1.0, 2.0]
