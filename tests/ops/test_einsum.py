"""einsum: against NumPy's on random operands, TensorFlow's errors, gradients of diagonals and of what is spread."""

import numpy as np
import pytest

import tapeflow as tf

INVALID = tf.errors.InvalidArgumentError
RNG = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ij , jk -> ki", [(2, 3), (3, 4)]),
        ("IJ,JK->IK", [(2, 3), (3, 4)]),
        ("ba", [(2, 3)]),
        ("ii", [(3, 3)]),
        ("ii->i", [(3, 3)]),
        ("iji->j", [(2, 3, 2)]),
        ("ijk->k", [(2, 3, 2)]),
        ("->", [()]),
        (",->", [(), ()]),
        ("i,j->ij", [(2,), (3,)]),
        ("ij,ij->", [(2, 3), (2, 3)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("aecd,abcd->acbe", [(1, 3, 2, 2), (1, 2, 2, 2)]),
        ("ii,ijk->k", [(2, 2), (2, 2, 3)]),
        ("ij,kl->il", [(2, 3), (4, 2)]),
        ("...i->...", [(2, 3)]),
        ("...i", [(2, 3)]),
        ("...d,de->...e", [(2, 2, 3), (3, 2)]),
        ("...ij,...jk->...ik", [(5, 2, 3), (1, 3, 4)]),
        ("...ij,...jk->ik...", [(5, 2, 3), (7, 1, 3, 4)]),
        ("i...,i...->...", [(2, 3), (2, 1)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]),
        ("ij,jk,kl,lm->im", [(2, 3), (3, 4), (4, 5), (5, 6)]),
        ("i,i,i->", [(3,), (3,), (3,)]),
        ("bi,bj,bk->ijk", [(2, 3), (2, 2), (2, 4)]),
        ("ij,jk->ik", [(0, 3), (3, 2)]),
        ("ij,jk->ik", [(2, 0), (0, 2)]),
    ],
)
def test_values_and_gradients_are_numpys(equation, shapes):
    arrays = [RNG.standard_normal(shape) for shape in shapes]
    tensors = [tf.constant(x) for x in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = tf.einsum(equation, *tensors)
    np.testing.assert_allclose(y, np.einsum(equation, *arrays), rtol=1e-10, atol=1e-12)
    # linear in each operand: the gradient of the sum, times the operand, is the sum
    for x, g in zip(arrays, tape.gradient(y, tensors), strict=True):
        assert g.shape == x.shape
        np.testing.assert_allclose(np.sum(g.numpy() * x), np.sum(y.numpy()), rtol=1e-9, atol=1e-12)


def test_dtypes():
    assert tf.einsum("ij,jk->ik", tf.constant([[1, 2]]), tf.constant([[3], [4]])).numpy().tolist() == [[11]]
    half = tf.einsum(
        "i,i->", tf.fill([2048], tf.constant(1.0, tf.float16)), tf.fill([2048], tf.constant(1.0, tf.float16))
    )
    assert half.dtype == tf.float16
    assert half.numpy() == 2048
    assert tf.einsum("i->", tf.constant([200, 100], tf.uint8)).numpy() == 44


def test_complex_gradients_are_conjugated():
    x, y = tf.constant([[1 + 1j, 2]]), tf.constant([[1j], [3]])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        z = tf.math.real(tf.einsum("ij,jk->", x, y))
    of_x, of_y = tape.gradient(z, [x, y])
    assert of_x.numpy().tolist() == [[-1j, 3]]
    assert of_y.numpy().tolist() == [[1 - 1j], [2]]


def test_the_gradient_of_what_broadcasts():
    x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[5.0, 6.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        z = tf.einsum("...i,...i->...", x, y)
    of_x, of_y = tape.gradient(z, [x, y])
    assert of_x.numpy().tolist() == [[5, 6], [5, 6]]
    assert of_y.numpy().tolist() == [[4, 6]]


@pytest.mark.parametrize(
    ("equation", "shapes", "error", "words"),
    [
        ("ij,jk->ik", [(2, 3)], ValueError, "Got 1 inputs"),
        ("ij->ik", [(2, 3)], ValueError, "label k"),
        ("ij->ii", [(2, 2)], ValueError, "more than once"),
        ("i->ij", [(2,)], ValueError, "label j"),
        ("i1,1k->ik", [(2, 3), (3, 4)], ValueError, "incorrect format"),
        ("ij..,jk->ik", [(2, 3), (3, 4)], ValueError, "incorrect format"),
        ("ij->i->j", [(2, 3)], ValueError, "incorrect format"),
        ("...i...->i", [(2, 3)], ValueError, "ellipsis twice"),
        ("ij,jk->ik", [(2, 3), (2, 3)], INVALID, r"Expected dimension 3 at axis 0 of the input shaped \[2, 3\]"),
        ("ij,ij->i", [(2, 3), (2, 1)], INVALID, "but got dimension 1"),
        ("ij,jk,kl->il", [(2, 3), (2, 3), (3, 3)], INVALID, "Expected dimension 3"),
        ("ii", [(2, 3)], INVALID, "Expected dimension 2 at axis 1"),
        ("ij", [(2,)], INVALID, "to have rank 2 but got: 1"),
        ("...ij->...", [(2,)], INVALID, "rank at least 2"),
        ("...i->i", [(2, 3)], INVALID, "no ellipsis"),
    ],
)
def test_errors(equation, shapes, error, words):
    with pytest.raises(error, match=words):
        tf.einsum(equation, *[tf.ones(shape) for shape in shapes])


def test_errors_of_dtypes_and_keywords():
    a = tf.ones([2, 2])
    with pytest.raises(INVALID, match="expected to be a float tensor but is a double tensor"):
        tf.einsum("ij,jk->ik", a, tf.ones([2, 2], tf.float64))
    with pytest.raises(TypeError, match="foo"):
        tf.einsum("ij->ji", a, foo=1)
    assert tf.einsum("ij,jk->ik", a, a, optimize="auto", name="x").shape == [2, 2]
