"""Blocks of compiled code that may run, and products that become part of a sum."""

import numpy as np
import pytest

from tapeflow.engines.llvm.builder import Builder, Module
from tapeflow.engines.llvm.values import F32
from tests.engines.llvm.elementwise_code import apply


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_block_gives_other_values_where_it_runs(lanes):
    def doubled_if_any_is_negative(b, x):
        negative = b.reduce("or", b.compare("lt", x, b.like(x, 0)))
        with b.when(negative, otherwise=[x, b.like(x, 1.0)]) as branch:
            branch.give(b.add(x, x), b.like(x, 3.0))
        return b.mul(*branch.results)

    x = np.array([1, 2, 3, 4, 5, -6, 7, 8], np.float32)
    groups = x.reshape(-1, lanes)
    expected = np.where((groups < 0).any(1, keepdims=True), 6 * groups, groups).ravel()
    np.testing.assert_array_equal(apply(doubled_if_any_is_negative, x, lanes=lanes), expected)


def test_a_block_that_gives_nothing_leaves_the_values():
    def kept(b, x):
        with b.when(b.compare("lt", x, b.like(x, 0)), otherwise=[x]) as branch:
            pass
        return branch.results[0]

    x = np.array([1, -2], np.float32)
    np.testing.assert_array_equal(apply(kept, x, lanes=1), x)


@pytest.mark.parametrize(("fused", "calls"), [(True, 1), (False, 0)])
def test_products_are_fused_where_the_machine_can(fused, calls):
    module = Module(fused=fused)
    b = Builder(module, "f", [(F32, "x")], returns="float")
    b.finish(b.fma(*[b.parameters[0]] * 3))
    assert module.text().count("call  float @llvm.fma") == calls
    assert module.text().count("fmul") == 1 - calls
