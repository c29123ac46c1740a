"""How close results must be: equal to the bit on the NumPy engine, within a bound for the kind of op where compiled.

A bound is `own` units in the last place of each element, plus `scale` times the dtype's epsilon of a magnitude: that of
the numbers that went into the element, which may be far larger than what is left after they cancel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapeflow.engines import chosen


class Bound(NamedTuple):
    """How far a float may be off; whole numbers, bools and strings never are."""

    own: float = 0.0
    scale: float = 0.0


EXACT = Bound()  # moves, comparisons, extrema, and what IEEE 754 rounds in one way: + - * / sqrt
HALF_STEPS = Bound(own=2, scale=2)  # few steps of 16 bits, each of which may have been rounded
FUNCTION = Bound(own=4)  # functions of one number or two
ROUGH = Bound(own=32)  # functions that SciPy, which they are held against, gives to so many units
ZEROS = Bound(own=4, scale=64)  # functions of which SciPy loses digits beside their zeros
PRODUCT = Bound(own=64)  # products of many numbers: as many roundings
SUM = Bound(own=2, scale=4)  # of the sum of magnitudes
SOFTMAX = Bound(own=16)  # exp of a difference that was rounded
LOGSUM = Bound(own=4, scale=8)  # sums of logarithms, which may cancel
COMPOSED = Bound(own=16, scale=16)  # programs of several ops, and gradients
PROGRAM = Bound(own=256, scale=256)  # long ones, in which what was rounded goes on
TRAINED = Bound(own=4096, scale=64)  # several steps of training, divided by what may be small

_CLASSES = {
    FUNCTION: """
        acos acosh asin asinh atan atan2 atanh cos cosh elu erf erfinv exp expm1 log log1p ndtri pow random_normal
        random_truncated_normal rsqrt selu sigmoid silu sin sinh softplus softsign tan tanh xlog1py xlogy""",
    ROUGH: "erfc",
    ZEROS: "digamma lgamma",
    PRODUCT: "reduce_prod",
    SUM: """
        avg_pool avg_pool_grad bias_add convolution convolution_filter_gradient convolution_input_gradient
        convolution_with_bias dense einsum gather_grad global_norm l2_loss matmul max_pool_grad reduce_euclidean_norm
        reduce_mean reduce_sum reduce_variance sum_to_shape trace""",
    SOFTMAX: "softmax",
    LOGSUM: """
        cross cumulative_logsumexp gelu gelu_tanh log_softmax reduce_logsumexp sigmoid_cross_entropy
        softmax_cross_entropy sparse_cross_entropy_of_probabilities sparse_softmax_cross_entropy""",
    COMPOSED: "gru gru_grad lstm lstm_grad tanh_rnn tanh_rnn_grad",
}
BOUNDS: dict[str, Bound] = {name: bound for bound, names in _CLASSES.items() for name in names.split()}
# whose elements come from sums of what their inputs' magnitudes make
SUMS = frozenset(_CLASSES[SUM].split()) - {"max_pool_grad", "reduce_variance"}


def bound_of(op: str) -> Bound:
    """The bound of an op by its name."""
    return BOUNDS.get(op, EXACT)


def assert_within(got: Any, want: Any, bound: Bound, magnitude: Any = None, what: str = "") -> None:
    """Asserts shape, dtype and values; `want` may be floats of more precision than `got`.

    The magnitude is the largest of |want| and 1 unless given. Both must agree in where they are NaN or infinite.
    """
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{what} has shape {got.shape}, not {want.shape}"
    if got.dtype.kind not in "fcV" or bound == EXACT or not got.size:
        assert got.dtype == want.dtype or {got.dtype.kind, want.dtype.kind} <= set("fV"), (what, got.dtype, want.dtype)
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    epsilon = 2.0**-7 if got.dtype.kind == "V" else np.finfo(got.dtype).eps
    wide: type = np.complex128 if got.dtype.kind == "c" else np.float64
    got, want = got.astype(wide), want.astype(wide)
    finite = np.isfinite(want)
    np.testing.assert_array_equal(np.isfinite(got), finite, err_msg=what)
    np.testing.assert_array_equal(got[~finite], want[~finite], err_msg=what)
    got, want = np.where(finite, got, 0), np.where(finite, want, 0)
    if magnitude is None:
        magnitude = max(1.0, np.max(np.abs(want)))
    off = np.abs(got - want)
    allowed = epsilon * (bound.own * np.abs(want) + bound.scale * np.asarray(magnitude, np.float64))
    allowed = allowed + (np.spacing(np.float16(0)) if epsilon == 2.0**-10 else 0)  # float16 goes on below its digits
    if not (off <= allowed).all():
        i = np.unravel_index(np.argmax(off - allowed), off.shape)
        raise AssertionError(f"{what}{list(map(int, i))} is {got[i]!r}, not {want[i]!r}: off by more than {bound}")


def assert_same(got: Any, want: Any, bound: Bound = COMPOSED) -> None:
    """Asserts that a traced function gives what eager mode does: the same bits, or within a bound where compiled."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    assert_within(got, want, EXACT if chosen() == "numpy" else bound)
