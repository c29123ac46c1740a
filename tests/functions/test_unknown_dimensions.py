"""Every op, and every function over ops that looks at shapes, with all dimensions of its arguments unknown.

In a function whose input signature says None everywhere, values and gradients are those of eager mode.
"""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.tensor import flat, wrap
from tests.functions.test_every_op import NO_GRADIENT, OTHERS, results
from tests.ops.examples import EXAMPLES, load_ops

OPS = load_ops()
RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(3, 3)).astype(np.float32)
MATRIX = RNG.normal(size=(4, 3)).astype(np.float32)
VECTOR = RNG.normal(size=3).astype(np.float32)
CUBE = RNG.normal(size=(2, 4, 3)).astype(np.float32)
IMAGE = RNG.normal(size=(2, 4, 6, 4)).astype(np.float32)
THIN = RNG.normal(size=(1, 4, 1, 3)).astype(np.float32)
POSITIVE = np.abs(CUBE) + 0.1
COUNTS = np.array([1, 4, 0, 1], np.int32)
ROWS = np.array([[1, 0], [2, 2]], np.int32)
LENGTH = np.array(2, np.int32)
CLASSES = np.array([2, 0, 1, 2], np.int32)
BITS = np.array([5, 3, 0], np.int32)

# what the function is called with: (function, arrays)
FUNCTIONS = {
    "accumulate_n": (lambda x: tf.math.accumulate_n([x, x]), MATRIX),
    "argmax": (lambda x: tf.argmax(x, 1), MATRIX),
    "argsort": (lambda x: tf.argsort(x, direction="DESCENDING"), MATRIX),
    "assert_rank": (lambda x: tf.debugging.assert_rank(x, 2) or x, MATRIX),
    "assert_shapes": (lambda x: tf.debugging.assert_shapes([(x, ("n", 3))]) or x, MATRIX),
    "band_part": (lambda x: tf.linalg.band_part(x, 1, 0), SQUARE),
    "batch_normalization": (
        lambda x: tf.nn.batch_normalization(x, *tf.nn.moments(x, [0]), offset=None, scale=None, variance_epsilon=0.1),
        MATRIX,
    ),
    "batch_to_space": (lambda x: tf.batch_to_space(x, [2, 1], [[0, 1], [0, 0]]), IMAGE),
    "bias_add": (tf.nn.bias_add, CUBE, VECTOR),
    "bias_add of channels first": (lambda x, b: tf.nn.bias_add(x, b, "NCHW"), CUBE, MATRIX[:, 0]),
    "bincount": (tf.math.bincount, COUNTS),
    "bincount of rows": (lambda x: tf.math.bincount(x, axis=-1, minlength=4), ROWS),
    "bincount with weights": (lambda x, w: tf.math.bincount(x, w, maxlength=3), COUNTS, MATRIX[:, 0]),
    "bitcast": (lambda x: tf.bitcast(x, tf.int32), MATRIX),
    "bitwise": (lambda x: tf.bitwise.bitwise_and(x, 4), BITS),
    "boolean_mask": (lambda x, m: tf.boolean_mask(x, m), MATRIX, MATRIX[:, 0] > 0),
    "boolean_mask of an axis": (lambda x, m: tf.boolean_mask(x, m, axis=1), MATRIX, VECTOR > 0),
    "broadcast_dynamic_shape": (
        lambda x, y: tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))),
        VECTOR,
        MATRIX,
    ),
    "broadcast_to": (lambda x, y: tf.broadcast_to(x, tf.shape(y)), VECTOR, MATRIX),
    "clip_by_norm": (lambda x: tf.clip_by_norm(x, 1.0, axes=[1]), MATRIX),
    "clip_by_global_norm": (lambda x, y: tf.clip_by_global_norm([x, y], 1.0)[0][0], MATRIX, VECTOR),
    "clip_by_value": (lambda x: tf.clip_by_value(x, -0.5, 0.5), MATRIX),
    "concat": (lambda x: tf.concat([x, x[:1]], 0), MATRIX),
    "concat the last": (lambda x: tf.concat([x, x * 2.0], -1), CUBE),
    "confusion_matrix": (lambda x: tf.math.confusion_matrix(x, x[::-1]), CLASSES),
    "confusion_matrix of so many": (
        lambda x, w: tf.math.confusion_matrix(x, x[::-1], num_classes=4, weights=w, dtype=tf.float32),
        CLASSES,
        MATRIX[:, 0],
    ),
    "count_nonzero": (lambda x: tf.math.count_nonzero(x, axis=1), ROWS),
    "crelu": (tf.nn.crelu, MATRIX),
    "cross": (tf.linalg.cross, MATRIX, MATRIX[::-1].copy()),
    "cumprod": (lambda x: tf.math.cumprod(x, axis=1, reverse=True), MATRIX),
    "cumsum": (lambda x: tf.cumsum(x, exclusive=True), MATRIX),
    "cumulative_logsumexp": (tf.math.cumulative_logsumexp, MATRIX),
    "depth_to_space": (lambda x: tf.nn.depth_to_space(x, 2), IMAGE),
    "diag": (tf.linalg.diag, MATRIX),
    "diag beside the main one": (lambda x: tf.linalg.diag(x, k=1), VECTOR),
    "diag_part": (tf.linalg.diag_part, CUBE),
    "diag_part beside the main one": (lambda x: tf.linalg.diag_part(x, k=(-1, 1)), SQUARE),
    "dropout": (lambda x: tf.shape(tf.nn.dropout(x, 0.5)), MATRIX),
    "dynamic_partition": (lambda x, p: tf.dynamic_partition(x, p, 3)[0], MATRIX, CLASSES),
    "dynamic_stitch": (lambda x, y: tf.dynamic_stitch([x], [y]), CLASSES[:3], MATRIX[:3]),
    "einsum": (lambda x, y: tf.einsum("bij,kj->bik", x, y), CUBE, SQUARE),
    "einsum of any": (lambda x, y: tf.einsum("...ij,jk->...ik", x, y), CUBE, SQUARE),
    "embedding_lookup": (tf.nn.embedding_lookup, MATRIX, ROWS),
    "embedding_lookup limited": (lambda x, i: tf.nn.embedding_lookup(x, i, max_norm=1.0), MATRIX, ROWS),
    "ensure_shape": (lambda x: tf.ensure_shape(x, [None, 3]), MATRIX),
    "expand_dims": (lambda x: tf.expand_dims(x, -1), MATRIX),
    "eye": (lambda x: tf.eye(tf.shape(x)[0], tf.shape(x)[1]), MATRIX),
    "eye of a dimension": (lambda x: tf.eye(tf.shape(x)[1], batch_shape=tf.shape(x)[:1]) * x[:, None], MATRIX),
    "fill": (lambda x: tf.fill(tf.shape(x), x[0, 0]), MATRIX),
    "gather": (lambda x, i: tf.gather(x, i, axis=1), CUBE, ROWS),
    "gather in batches": (lambda x, i: tf.gather(x, i, batch_dims=1), CUBE, ROWS),
    "gather_nd": (lambda x, i: tf.gather_nd(x, i), MATRIX, ROWS),
    "gather_nd in batches": (lambda x, i: tf.gather_nd(x, i[..., None], batch_dims=1), CUBE, ROWS),
    "histogram_fixed_width": (lambda x: tf.histogram_fixed_width(x, [-1.0, 1.0], 4), MATRIX),
    "histogram_fixed_width_bins": (lambda x: tf.histogram_fixed_width_bins(x, [-1.0, 1.0], 4), MATRIX),
    "identity_n": (lambda x, y: tf.identity_n([x, y])[0], MATRIX, VECTOR),
    "in_top_k": (lambda x, y: tf.nn.in_top_k(y, x, 2), MATRIX, CLASSES),
    "index": (lambda x: x[1:, ..., tf.newaxis, ::-1], CUBE),
    "index from the end": (lambda x: x[-1, -2:], CUBE),
    "index given": (lambda x, n: x[n], CUBE, np.array(1, np.int32)),
    "index of a mask": (lambda x: x[x > 0.0], MATRIX),
    "invert_permutation": (tf.math.invert_permutation, np.array([2, 0, 1], np.int32)),
    "l2_loss": (tf.nn.l2_loss, MATRIX),
    "l2_normalize": (lambda x: tf.math.l2_normalize(x, 1), MATRIX),
    "lbeta": (tf.math.lbeta, POSITIVE),
    "linspace": (lambda x: tf.linspace(x, x * 2.0, 4), VECTOR),
    "local_response_normalization": (lambda x: tf.nn.local_response_normalization(x, 1), IMAGE),
    "log_softmax": (lambda x: tf.nn.log_softmax(x, 0), MATRIX),
    "matmul": (lambda x, y: tf.matmul(x, y, transpose_b=True), CUBE, MATRIX),
    "matmul of batches": (lambda x, y: tf.matmul(x, y, transpose_a=True), CUBE, CUBE[:1]),
    "matvec": (tf.linalg.matvec, CUBE, VECTOR),
    "meshgrid": (lambda x, y: tf.meshgrid(x, y)[0], VECTOR, MATRIX[:, 0]),
    "moments": (lambda x: tf.nn.moments(x, [0, 1])[1], CUBE),
    "norm": (lambda x: tf.norm(x, axis=1), MATRIX),
    "norm of all": (tf.norm, MATRIX),
    "normalize": (lambda x: tf.linalg.normalize(x, axis=-1)[0], MATRIX),
    "one_hot": (lambda x: tf.one_hot(x, 3), ROWS),
    "one_hot of a depth": (lambda x, n: tf.one_hot(x, n + 1), ROWS, LENGTH),
    "pad": (lambda x: tf.pad(x, [[1, 0], [2, 1]]), MATRIX),
    "pad by reflection": (lambda x: tf.pad(x, [[1, 0], [2, 1]], "REFLECT"), MATRIX),
    "pad by a tensor": (lambda x, n: tf.pad(x, [[n, 0], [0, n]]), MATRIX, LENGTH),
    "polyval": (lambda x: tf.math.polyval([x, x, 2.0], x), MATRIX),
    "range": (lambda n: tf.range(n), LENGTH),
    "rank": (lambda x: tf.rank(x), CUBE),
    "reduce_all": (lambda x: tf.reduce_all(x > 0.0, 1), MATRIX),
    "reduce_euclidean_norm": (lambda x: tf.math.reduce_euclidean_norm(x, 1), MATRIX),
    "reduce_logsumexp": (lambda x: tf.reduce_logsumexp(x, 1, keepdims=True), MATRIX),
    "reduce_max": (lambda x: tf.reduce_max(x, [0, 2]), CUBE),
    "reduce_mean": (tf.reduce_mean, CUBE),
    "reduce_prod": (lambda x: tf.reduce_prod(x, -1), CUBE),
    "reduce_std": (lambda x: tf.math.reduce_std(x, 0), MATRIX),
    "repeat": (lambda x: tf.repeat(x, 2, axis=1), MATRIX),
    "repeat each": (lambda x, n: tf.repeat(x, n, axis=0), MATRIX, COUNTS),
    "repeat of all": (lambda x: tf.repeat(x, 3), MATRIX),
    "reshape": (lambda x: tf.reshape(x, [-1, tf.shape(x)[0]]), CUBE),
    "reshape like": (lambda x: tf.reshape(x, tf.shape(x)[::-1]), CUBE),
    "reverse": (lambda x: tf.reverse(x, [0, 1]), MATRIX),
    "reverse_sequence": (lambda x, n: tf.reverse_sequence(x, n, seq_axis=1), MATRIX, np.array([1, 2, 3, 2], np.int32)),
    "roll": (lambda x: tf.roll(x, [1, -1], [0, 1]), MATRIX),
    "scatter_nd": (lambda i, x: tf.scatter_nd(i, x, [4, 3]), ROWS, VECTOR[:2]),
    "scatter_nd of a shape": (lambda i, x, y: tf.scatter_nd(i, x, tf.shape(y)), ROWS, VECTOR[:2], MATRIX),
    "searchsorted": (lambda x, y: tf.searchsorted(tf.sort(x), y), MATRIX, MATRIX[:, :2].copy()),
    "sequence_mask": (tf.sequence_mask, COUNTS),
    "sequence_mask of a length": (lambda n: tf.sequence_mask(n, 5), COUNTS),
    "set_diag": (tf.linalg.set_diag, SQUARE, VECTOR),
    "shape": (tf.shape, CUBE),
    "shape_n": (lambda x, y: tf.shape_n([x, y])[1], CUBE, MATRIX),
    "sigmoid_cross_entropy": (lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels=x * 0.5, logits=x), MATRIX),
    "size": (tf.size, CUBE),
    "slice": (lambda x: tf.slice(x, [1, 0], [2, -1]), MATRIX),
    "slice given": (lambda x, n: tf.slice(x, [n, 0], [n, 2]), MATRIX, LENGTH),
    "softmax_cross_entropy": (
        lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(x * 0.5), logits=x),
        CUBE,
    ),
    "sort": (lambda x: tf.sort(x, 0), MATRIX),
    "space_to_batch": (lambda x: tf.space_to_batch(x, [2, 3], [[0, 0], [3, 0]]), IMAGE),
    "space_to_depth": (lambda x: tf.nn.space_to_depth(x, 2), IMAGE),
    "space_to_depth, channels first": (lambda x: tf.nn.space_to_depth(x, 2, "NCHW"), IMAGE),
    "sparse_softmax_cross_entropy": (
        lambda x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
        MATRIX,
        CLASSES,
    ),
    "split": (lambda x: tf.split(x, 2)[1], MATRIX),
    "split by sizes": (lambda x: tf.split(x, [1, -1], axis=1)[1], MATRIX),
    "squeeze": (tf.squeeze, THIN),
    "squeeze of nothing": (tf.squeeze, MATRIX),
    "squeeze an axis": (lambda x: tf.squeeze(x, [0, 2]), THIN),
    "stack": (lambda x: tf.stack([x, x], 1), MATRIX),
    "strided_slice": (lambda x: tf.strided_slice(x, [0, 1], [4, 3], [2, 1]), MATRIX),
    "sufficient_statistics": (lambda x: tf.nn.sufficient_statistics(x, [0])[1], MATRIX),
    "switch_case": (lambda x, n: tf.switch_case(n, [lambda: x, lambda: x * 2.0, lambda: x * x]), MATRIX, LENGTH),
    "tensor_diag": (tf.linalg.tensor_diag, MATRIX),
    "tensor_diag_part": (tf.linalg.tensor_diag_part, SQUARE),
    "tensor_scatter_nd_update": (tf.tensor_scatter_nd_update, MATRIX, ROWS, VECTOR[:2]),
    "tensor_scatter_nd_add": (tf.tensor_scatter_nd_add, MATRIX, ROWS, VECTOR[:2]),
    "tensordot": (lambda x, y: tf.tensordot(x, y, 1), CUBE, SQUARE),
    "tensordot of pairs": (lambda x, y: tf.tensordot(x, y, [[2, 1], [1, 0]]), CUBE, MATRIX),
    "tensordot outer": (lambda x, y: tf.tensordot(x, y, 0), MATRIX, VECTOR),
    "tile": (lambda x: tf.tile(x, [2, 3]), MATRIX),
    "tile given": (lambda x, n: tf.tile(x, [n, 1]), MATRIX, LENGTH),
    "top_k": (lambda x: tf.math.top_k(x, 2)[0], MATRIX),
    "top_k of a number": (lambda x, n: tf.math.top_k(x, n)[0], MATRIX, LENGTH),
    "trace": (tf.linalg.trace, CUBE),
    "transpose": (tf.transpose, CUBE),
    "transpose by": (lambda x: tf.transpose(x, [0, 2, 1]), CUBE),
    "unique": (lambda x: tf.unique(x)[0], COUNTS),
    "unique_with_counts": (lambda x: tf.unique_with_counts(x)[2], COUNTS),
    "unravel_index": (lambda x: tf.unravel_index(x, [2, 3]), COUNTS),
    "vectorized_map": (lambda x: tf.vectorized_map(lambda row: row * tf.reduce_sum(row), x), MATRIX),
    "weighted_moments": (lambda x, w: tf.nn.weighted_moments(x, [0], w)[1], MATRIX, np.abs(VECTOR)),
    "where": (lambda x: tf.where(x > 0.0), MATRIX),
    "where of three": (lambda x, y: tf.where(x > 0.0, x * x, y), MATRIX, VECTOR),
    "zero_fraction": (tf.math.zero_fraction, ROWS),
    "zeros_like": (lambda x: tf.zeros_like(x, tf.int32), MATRIX),
    "ones": (lambda x: tf.ones(tf.shape(x)) + x, MATRIX),
    "random": (lambda x: tf.shape(tf.random.normal(tf.shape(x))), MATRIX),
    "random like": (lambda x: tf.random.stateless_uniform(tf.shape(x), [1, 2]) * x, MATRIX),
    "categorical": (lambda x: tf.random.stateless_categorical(x, 2, [1, 2]), MATRIX),
    "truncated": (lambda x: tf.random.stateless_truncated_normal(tf.shape(x), [1, 2]) * x, MATRIX),
    "while_loop": (
        lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [tf.constant(0), x])[1],
        MATRIX,
    ),
    "Flatten": (lambda x: tf.keras.layers.Flatten()(x), CUBE),
    "Reshape": (lambda x: tf.keras.layers.Reshape((-1,))(x), CUBE),
    "Reshape in part": (lambda x: tf.keras.layers.Reshape((-1, 2))(x), CUBE),
    "Permute": (lambda x: tf.keras.layers.Permute((2, 1))(x), CUBE),
    "Concatenate": (lambda x: tf.keras.layers.Concatenate()([x, x]), CUBE),
    "categorical_crossentropy": (
        lambda x: tf.keras.losses.CategoricalCrossentropy(from_logits=True)(tf.nn.softmax(x), x),
        MATRIX,
    ),
    "sparse_categorical_crossentropy": (
        lambda x, y: tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, x),
        MATRIX,
        CLASSES,
    ),
    "of probabilities": (
        lambda x, y: tf.keras.losses.SparseCategoricalCrossentropy()(y, tf.nn.softmax(x)),
        MATRIX,
        CLASSES,
    ),
    "mean_squared_error": (lambda x: tf.keras.losses.MeanSquaredError()(x * 0.5, x), MATRIX),
    "sparse_categorical_accuracy": (
        lambda x, y: tf.keras.metrics.sparse_categorical_accuracy(y, x),
        MATRIX,
        CLASSES,
    ),
    "cosine_similarity": (lambda x: tf.keras.losses.CosineSimilarity()(x * x, x), MATRIX),
}


def outcome(f, *tensors):
    """What a function gives, and the gradient of its squares with respect to each argument of floats."""
    with tf.GradientTape() as tape:
        sources = [x for x in tensors if x.dtype.is_floating]
        tape.watch(sources)
        y = f(*tensors)
        loss = tf.reduce_sum(y * y) if y.dtype.is_floating else None
    if loss is None:
        return y, [None for _ in sources]
    found = tape.gradient(loss, sources)
    return y, [g if g is None else tf.convert_to_tensor(g) for g in found]


def unknown(tensors):
    return [tf.TensorSpec([None] * len(x.shape), x.dtype) for x in tensors]


def assert_same(got, want):
    for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(want), strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert a.dtype == b.dtype and a.shape == b.shape
            if b.dtype.is_floating or b.dtype.is_complex:
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)
            else:
                np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    f, *arrays = FUNCTIONS[name]
    tensors = [tf.constant(a) for a in arrays]
    traced = tf.function(lambda *xs: outcome(f, *xs), input_signature=unknown(tensors), autograph=False)
    assert_same(traced(*tensors), outcome(f, *tensors))


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) & set(OPS) - OTHERS))
def test_ops(name):
    op, example = OPS[name], EXAMPLES[name]
    dtype = "float32" if "float32" in example.dtypes else example.dtypes[0]
    for trial in range(2):
        arrays, attributes = example.make(np.random.default_rng([trial, len(name)]), dtype)
        tensors = [wrap(flat(np.asarray(a))) for a in arrays]
        differentiable = name not in NO_GRADIENT
        want = results(op, tensors, attributes, differentiable)

        def f(*xs):
            return results(op, xs, attributes, differentiable)  # noqa: B023

        assert_same(tf.function(f, input_signature=unknown(tensors), autograph=False)(*tensors), want)
