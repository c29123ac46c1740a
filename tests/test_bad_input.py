"""Bad input: TensorFlow's class of error, a message that names the op and what came, and nothing half changed."""

import numpy as np
import pytest

import tapeflow as tf

Invalid = tf.errors.InvalidArgumentError
nan = float("nan")

# what is tried: (of x [2,3] float32 and v, a variable like it), the class of error, words of the message
CASES = {
    "shapes that do not broadcast": (lambda x, v: x + tf.ones([4]), Invalid, r"\[2,3\] vs. \[4\].*AddV2"),
    "product of sizes that do not meet": (lambda x, v: tf.matmul(x, x), Invalid, r"In\[0\]: \[2, ?3\].*MatMul"),
    "product with a vector": (lambda x, v: tf.matmul(x, tf.ones([3])), Invalid, "ndims must be >= 2"),
    "dtypes mixed": (lambda x, v: x * tf.constant([1, 2, 3]), Invalid, "float tensor but is a int32 tensor.*cast"),
    "a float for an int": (lambda x, v: tf.constant([1, 2]) + 1.5, Invalid, "int32.*float"),
    "a float for an int, in a function": (lambda x, v: tf.maximum([1, 2], 1.5), TypeError, "int32"),
    "bools added": (lambda x, v: tf.add(True, False), Invalid, "bool.*allowed"),
    "the root of ints": (lambda x, v: tf.sqrt(4), Invalid, "int32.*tf.cast"),
    "softmax of ints": (lambda x, v: tf.nn.softmax([1, 2]), Invalid, "int32"),
    "an axis out of range": (lambda x, v: tf.reduce_sum(x, axis=5), Invalid, "5 for input with 2"),
    "an axis twice": (lambda x, v: tf.reduce_sum(x, axis=[0, 0]), Invalid, "duplicate"),
    "an axis that is no int": (lambda x, v: tf.reduce_sum(x, axis=1.5), TypeError, "1.5"),
    "concatenation past the rank": (lambda x, v: tf.concat([x, x], 2), Invalid, r"\[-2, 2\)"),
    "concatenation of unlike shapes": (lambda x, v: tf.concat([x, tf.ones([2, 2])], 0), Invalid, "3.*2"),
    "stacking unlike shapes": (lambda x, v: tf.stack([x, tf.ones([2])]), Invalid, "[Ss]hape"),
    "a reshape to another size": (lambda x, v: tf.reshape(x, [4]), Invalid, "6 values.*4"),
    "no permutation": (lambda x, v: tf.transpose(x, [0, 0]), Invalid, "permutation"),
    "a split that leaves a rest": (lambda x, v: tf.split(x, 2, axis=1), Invalid, "3.*2"),
    "negative padding": (lambda x, v: tf.pad(x, [[0, -1], [0, 0]]), Invalid, "non-negative"),
    "an index out of range": (lambda x, v: x[2], Invalid, "index 2 of dimension 0 out of bounds"),
    "too many indices": (lambda x, v: x[0, 0, 0], Invalid, "2 dims"),
    "an index that is a float": (lambda x, v: x[0.5], TypeError, "0.5"),
    "NaN as an index": (lambda x, v: x[nan], TypeError, "nan"),
    "NaN gathered": (lambda x, v: tf.gather(x, nan), Invalid, "float"),
    "a gather out of range": (lambda x, v: tf.gather(x, [0, 2]), Invalid, r"indices\[1\] = 2 is not in \[0, 2\)"),
    "a negative gather": (lambda x, v: tf.gather(x, [-1]), Invalid, "-1 is not in"),
    "gather_nd out of range": (lambda x, v: tf.gather_nd(x, [[0, 5]]), Invalid, r"\[0, 5\]"),
    "a label out of range": (
        lambda x, v: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 3], x),
        Invalid,
        r"3 which is outside the valid range of \[0, 3\)",
    ),
    "the greatest of nothing": (lambda x, v: tf.argmax(tf.zeros([0])), Invalid, "empty"),
    "a range that goes nowhere": (lambda x, v: tf.range(0, 5, 0), Invalid, "delta"),
    "a negative size": (lambda x, v: tf.zeros([2, -1]), Invalid, "-1"),
    "division of ints by zero": (lambda x, v: tf.constant([1]) // 0, Invalid, "division by zero"),
    "a negative power of ints": (lambda x, v: tf.constant(2) ** -1, Invalid, "negative integer powers"),
    "None": (lambda x, v: x + None, ValueError, "None"),
    "an object": (lambda x, v: tf.constant(object()), ValueError, "object"),
    "an object added": (lambda x, v: x + object(), ValueError, "object"),
    "a generator": (lambda x, v: tf.constant(i for i in range(3)), ValueError, "generator.*list"),
    "a dict": (lambda x, v: tf.constant({"a": 1}), ValueError, "dict"),
    "a ragged list": (lambda x, v: tf.constant([[1, 2], [3]]), ValueError, "non-rectangular"),
    "a mixed list": (lambda x, v: tf.constant([1, "a"]), ValueError, "mixed types"),
    "a float in an int tensor": (lambda x, v: tf.constant(1.5, tf.int32), TypeError, "1.5.*int32"),
    "an unknown dtype": (lambda x, v: tf.cast(x, "float33"), TypeError, "float33"),
    "text as a number": (lambda x, v: tf.cast("1", tf.float32), tf.errors.UnimplementedError, "string to float"),
    "a truth of many": (lambda x, v: bool(x), ValueError, "ambiguous"),
    "a float of many": (lambda x, v: float(x), TypeError, "0-dimensional"),
    "the length of a scalar": (lambda x, v: len(tf.constant(1)), TypeError, "Scalar"),
    "hashing": (lambda x, v: {x}, TypeError, "ref()"),
    "a name that is not there": (lambda x, v: tf.reduce_summ(x), AttributeError, "reduce_sum"),
    "NumPy's method": (lambda x, v: x.reshape(6), AttributeError, "tf.reshape"),
    "assigning another shape": (lambda x, v: v.assign(tf.ones([3])), ValueError, r"Variable:0.*\(2, 3\).*\(3,\)"),
    "assigning another dtype": (lambda x, v: v.assign(tf.constant([[1]])), ValueError, "float32.*int32"),
    "assigning text": (lambda x, v: v.assign("a"), TypeError, "'a'"),
    "adding another shape": (lambda x, v: v.assign_add(tf.ones([3])), Invalid, r"\[2, 3\].*\[3\]"),
    "adding another dtype": (lambda x, v: v.assign_sub(tf.constant([[1]])), ValueError, "float32.*int32"),
    "scattering out of range": (lambda x, v: v.scatter_nd_add([[0, 0], [5, 0]], [1.0, 1.0]), Invalid, r"\[5, 0\]"),
    "a slice of another shape": (lambda x, v: v[0].assign([1.0, 2.0]), (Invalid, ValueError), "3.*2|2.*3"),
    "watching a number": (lambda x, v: tf.GradientTape().watch(3.0), ValueError, "3.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case):
    attempt, kind, words = CASES[case]
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    x, v = tf.constant(values), tf.Variable(values)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * v)
        with pytest.raises(kind, match=words):
            attempt(x, v)
    np.testing.assert_array_equal(v.numpy(), values)
    np.testing.assert_array_equal(x.numpy(), values)
    np.testing.assert_array_equal(tape.gradient(y, [x, v])[1].numpy(), values)


def test_an_optimizer_step_with_a_bad_gradient_changes_nothing():
    v, w = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    for optimizer in (tf.keras.optimizers.SGD(0.1), tf.keras.optimizers.Adam(0.1)):
        with pytest.raises((Invalid, ValueError), match="shape"):
            optimizer.apply_gradients([(tf.constant([1.0, 1.0]), v), (tf.constant([1.0, 1.0, 1.0]), w)])
        assert (v.numpy().tolist(), w.numpy().tolist()) == ([1.0, 2.0], [3.0])
        assert optimizer.iterations.numpy() == 0


def test_a_non_persistent_tape_survives_a_refused_call():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    with pytest.raises(ValueError, match="nonsense"):
        tape.gradient(y, x, unconnected_gradients="nonsense")
    with pytest.raises(TypeError, match="source"):
        tape.gradient(y, [x, "x"])
    with pytest.raises(TypeError, match="target"):
        tape.gradient(9.0, x)
    assert tape.gradient(y, x).numpy() == 6.0
