"""tf.IndexedSlices: rows of a tensor and which ones they are."""

import tapeflow as tf


def test_indexed_slices_print_their_tensors():
    slices = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0]), tf.constant([3, 2]))
    assert str(slices) == (
        "IndexedSlices(indices=tf.Tensor([0], shape=(1,), dtype=int32), values=tf.Tensor([[1. 1.]], shape=(1, 2), "
        "dtype=float32), dense_shape=tf.Tensor([3 2], shape=(2,), dtype=int32))"
    )
