"""erf and erfc."""

from __future__ import annotations

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import F32, F64, V
from tapeflow.engines.llvm.vector_math.exact import (
    absolute,
    at_most,
    fast_two_sum,
    minus,
    polynomial,
    two_product,
    two_sum,
    widened,
    with_sign,
)
from tapeflow.engines.llvm.vector_math.exponentials import exp_of_sum, exp_within

# erf(x) / x - 1 in x**2 for |x| <= 0.9 and for |x| <= 1, minimax for the relative error of erf: 2**-30, 2**-56
_ERF = {
    F32: (0.12837917, -0.3761263, 0.11283624, -0.02685556, 0.0051917536, -0.0008039768, 7.94322e-05),
    F64: (
        0.1283791670955126, -0.3761263890318375, 0.11283791670954854, -0.026866170645072317, 0.00522397762477501,
        -0.0008548326978393097, 0.00012055331023734894, -1.4925593180703033e-05, 1.6460967434895202e-06,
        -1.6349966660307902e-07, 1.4657476347641795e-08, -1.1364071114373185e-09, 5.942507360294698e-11,
    ),
}  # fmt: skip
# log(erfc(x)) over 0.9 <= x <= 4, minimax for the relative error of 1 - erfc(x): 2**-29
_LOG_ERFC_F32 = (-0.00016509063, -1.127803, -0.6369662, -0.10412253, 0.02231958, -0.003066612, 0.00019833662)
# erfc(x) exp(x**2) (1 + 2x) in (x - 2.5) / (x + 2.5) over 0.5 <= x <= 27.3, minimax, relative: 2**-55
_SCALED_ERFC = (
    1.2648381843668615, -0.12235676308240397, -0.09902453957359456, 0.15762991902316878, -0.10296705603908075,
    0.032760893270911945, 0.0009318928310650346, -0.00438207838813438, 0.0004918656265348722, 0.0006321249099784861,
    -8.847780476236222e-05, -0.00011352650108330417, 6.259475832818519e-06, 2.27188092686731e-05,
    2.626496235775683e-06, -4.275017465122657e-06, -1.6099562603129234e-06, 6.33980131913018e-07,
    5.419848957308462e-07, -8.383006007903522e-08, -1.0598293484421874e-07, 2.2479518635655196e-08,
)  # fmt: skip


def _small(b: Builder, x: V) -> V:
    """erf near zero."""
    return b.fma(x, polynomial(b, b.mul(x, x), _ERF[x.kind]), x)


def _complement(b: Builder, x: V) -> V:
    """erfc(x) of doubles from 0.5 on."""
    x = at_most(b, x, 28.0)
    centre, one = b.like(x, 2.5), b.like(x, 1.0)
    t = b.div(b.sub(x, centre), b.add(x, centre))
    above, above_low = fast_two_sum(b, b.like(t, _SCALED_ERFC[0]), b.mul(t, polynomial(b, t, _SCALED_ERFC[1:])))
    doubled = b.add(x, x)
    below, below_low = two_sum(b, one, doubled)
    scaled = b.div(above, below)
    # what the roundings have lost, as a part of the whole: `above` being about 1.2, an approximate division will do
    product, lost = two_product(b, scaled, below)
    rest = b.sub(minus(b, minus(b, above, product), lost), b.sub(b.mul(scaled, below_low), above_low))
    square, lost = two_product(b, x, x)
    return b.mul(exp_of_sum(b, b.neg(square), b.fma(rest, b.like(x, 1 / 1.2), b.neg(lost))), scaled)


def erf(b: Builder, x: V) -> V:
    """2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    one, size = b.like(x, 1.0), absolute(b, x)
    if x.kind is F32:
        edge, rest = 0.9, exp_within(b, polynomial(b, at_most(b, size, 4.0), _LOG_ERFC_F32))
    else:
        edge, rest = 1.0, _complement(b, size)
    inner = b.compare("lt", size, b.like(x, edge))
    return b.select(inner, _small(b, x), with_sign(b, b.sub(one, rest), x))


@widened
def erfc(b: Builder, x: V) -> V:
    """1 - erf(x), without cancellation."""
    size = absolute(b, x)
    rest = _complement(b, size)
    far = b.select(b.compare("lt", x, b.like(x, 0.0)), b.sub(b.like(x, 2.0), rest), rest)
    return b.select(b.compare("lt", size, b.like(x, 0.5)), b.sub(b.like(x, 1.0), _small(b, x)), far)
