"""Slices of tensors: what NumPy gives, TensorFlow's errors, gradients, and the two functions over the same op."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow as tf
from tapeflow.ops.slicing import slice_, strided_slice
from tests.gradients import check_gradients

INVALID = tf.errors.InvalidArgumentError
A = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

bounds = st.none() | st.integers(-6, 6)
slices = st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, 3, -1, -2]))
keys = st.lists(slices | st.integers(-2, 1) | st.none(), max_size=3).map(tuple)


@given(keys, st.booleans())
def test_a_slice_is_numpys(key, ellipsis):
    key = (*key, ...) if ellipsis else key
    got = tf.constant(A)[key]
    np.testing.assert_array_equal(got.numpy(), A[key])
    assert tuple(got.shape) == A[key].shape and got.dtype == tf.float32


@pytest.mark.parametrize("key", [0, -1, slice(1, None), (0, ..., 1), (slice(None), None, 2), (slice(None, None, -2),)])
def test_gradients_flow_to_the_part_taken(key):
    check_gradients(lambda x: x[key], A)
    x = tf.constant(A)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x[key]
    want = np.zeros_like(A)
    want[key] = 1
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), want)


@pytest.mark.parametrize("index", [np.int64(1), np.array(1), tf.constant(1), tf.constant(1, tf.int16), tf.Variable(1)])
def test_integers_of_any_kind_are_indices(index):
    np.testing.assert_array_equal(tf.constant(A)[index].numpy(), A[1])
    np.testing.assert_array_equal(tf.constant(A)[index:].numpy(), A[1:])
    np.testing.assert_array_equal(tf.constant(A)[0, ..., index].numpy(), A[0, ..., 1])


def test_a_list_of_integers_counts_dimensions_as_a_tuple_does():
    assert tf.constant([[1, 2], [3, 4]])[[0, 1]].numpy() == 2


def test_masks_take_what_is_true():
    x = tf.constant([3.0, -1.0, 2.0])
    assert x[x > 0].numpy().tolist() == [3.0, 2.0]
    assert x[np.array([False, True, False])].numpy().tolist() == [-1.0]
    assert tf.constant([[1, 2], [3, 4]])[tf.constant([[True, False], [True, False]])].numpy().tolist() == [1, 3]
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\) are incompatible"):
        x[tf.constant([True, False])]
    with pytest.raises(ValueError, match="mask cannot be scalar"):
        x[True]


def test_strings_are_sliced_like_anything_else():
    words = tf.constant(["a", "bc", "d"])
    assert words[1].numpy() == b"bc" and words[1].dtype == tf.string and words[1].shape == ()
    assert words[::-1].numpy().tolist() == [b"d", b"bc", b"a"]


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (2, INVALID, "slice index 2 of dimension 0 out of bounds"),
        (-3, INVALID, "slice index -3 of dimension 0 out of bounds"),
        (2**40, INVALID, "out of bounds"),
        ((0, 0, 0, 0), INVALID, "input has only 3 dims"),
        ((..., ...), INVALID, "Multiple ellipses"),
        (slice(None, None, 0), INVALID, r"strides\[0\] must be non-zero"),
        ((slice(5, None), 7), INVALID, "slice index 7 of dimension 1"),
        ([True, False], INVALID, "attr 'Index' of bool"),
        ("a", TypeError, "got 'a'"),
        (1.0, TypeError, "valid indices, got 1.0"),
        (slice(None, 2.5), TypeError, "got 2.5"),
        (tf.constant([1, 0]), TypeError, "tf.gather"),
        (tf.constant(1, tf.uint8), TypeError, "valid indices"),
        (np.array([0, 1]), TypeError, "tf.gather"),
        (np.True_, TypeError, "valid indices"),
    ],
)
def test_what_is_no_index_is_refused(key, error, text):
    with pytest.raises(error, match=text):
        tf.constant(A)[key]


def test_a_scalar_has_no_parts():
    with pytest.raises(INVALID, match="slice scalar input"):
        tf.constant(5)[0]
    assert tf.constant(5)[...].numpy() == 5
    assert tf.constant(5)[None].numpy().tolist() == [5]


def test_slice_takes_a_corner_and_a_size():
    x = tf.constant([[1, 2], [3, 4]])
    assert slice_(x, [0, 1], [2, -1]).numpy().tolist() == [[2], [4]]
    assert slice_(x, tf.constant([1, 0]), tf.constant([1, 2], tf.int64)).numpy().tolist() == [[3, 4]]
    assert slice_([1, 2, 3], [3], [0]).shape == (0,)
    check_gradients(lambda x: slice_(x, [0, 1, 0], [2, 2, 3]), A)


@pytest.mark.parametrize(
    ("begin", "size", "text"),
    [
        ([0], [4], r"Expected size\[0\] in \[0, 3\], but got 4"),
        ([-1], [1], r"Expected begin\[0\] in \[0, 3\], but got -1"),
        ([4], [0], r"Expected begin\[0\]"),
        ([0], [-2], r"Expected size\[0\]"),
        ([0, 0], [1, 1], "1-D tensors of size 1"),
        (0, 1, "1-D tensors of size 1"),
        ([0.0], [1.0], "attr 'Index' of float"),
    ],
)
def test_slice_refuses_what_does_not_lie_within(begin, size, text):
    with pytest.raises(INVALID, match=text):
        slice_([1, 2, 3], begin, size)


@pytest.mark.parametrize(
    ("arguments", "masks", "want"),
    [
        (([0], [4], [2]), {}, [1, 3]),
        (([3], [0], [-1]), {}, [4, 3, 2]),
        (([1], [0]), {"begin_mask": 1, "end_mask": 1}, [1, 2, 3, 4]),
        (([2], [0]), {"shrink_axis_mask": 1}, 3),
        (([0, 1], [0, 3]), {"new_axis_mask": 1}, [[2, 3]]),
        (([0, 1], [0, 3]), {"ellipsis_mask": 1}, [2, 3]),
    ],
)
def test_strided_slice_and_its_masks(arguments, masks, want):
    assert strided_slice([1, 2, 3, 4], *arguments, **masks).numpy().tolist() == want


def test_strided_slice_refuses_vectors_that_differ():
    with pytest.raises(INVALID, match="1D equal size"):
        strided_slice([1, 2, 3], [0], [2], [1, 1])
    with pytest.raises(INVALID, match="must be non-zero"):
        strided_slice([1, 2, 3], [0], [2], [0])
    with pytest.raises(INVALID, match="only stride 1"):
        strided_slice([1, 2, 3], [2], [3], [-1], shrink_axis_mask=1)
