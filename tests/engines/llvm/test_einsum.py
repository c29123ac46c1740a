"""Einsum compiled: products, sums, diagonals and their spread, at sizes of several vectors."""

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core.op import OPS
from tests.closeness import COMPOSED, assert_within
from tests.engines.llvm.running import graph_of, native, on_both


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("ij,jk->ik", [(9, 33), (33, 17)]),
        ("bqhd,bkhd->bhqk", [(2, 9, 3, 16), (2, 7, 3, 16)]),
        ("bhqk,bkhd->bqhd", [(2, 3, 9, 7), (2, 7, 3, 16)]),
        ("abc,cde->abde", [(2, 5, 18), (18, 3, 7)]),
        ("...i,ij->...j", [(2, 3, 17), (17, 8)]),
        ("ij->ji", [(9, 33)]),
        ("ij->", [(9, 33)]),
        ("iij->j", [(9, 9, 17)]),
        ("ii->i", [(17, 17)]),
        ("ij,ij->ij", [(9, 33), (9, 33)]),
        ("i,j->ij", [(9,), (33,)]),
        ("ijk,kj->i", [(4, 5, 16), (16, 5)]),
    ],
)
def test_as_numpy(equation, shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s).astype(np.float32) for s in shapes]
    compare(lambda *xs: tf.einsum(equation, *xs), arrays)


def test_spread_along_a_diagonal():
    # what the gradient of ii->i asks for
    compare(lambda x: OPS["einsum"].call([x], "ij->iji"), [np.arange(34, dtype=np.float32).reshape(2, 17)])


def compare(f, arrays):
    executable = native(graph_of(f, arrays))
    assert not executable.reasons, executable.reasons
    got, want = on_both(f, arrays)
    assert_within(got[0], want[0], COMPOSED)
