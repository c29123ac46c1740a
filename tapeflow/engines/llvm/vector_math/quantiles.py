"""erfinv and ndtri, the inverses of erf and of the normal distribution, computed as doubles."""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import V
from tapeflow.engines.llvm.vector_math.exact import absolute, minus, polynomial, widened, with_sign
from tapeflow.engines.llvm.vector_math.logarithms import log

# erfinv(x) / x in x**2 for |x| <= 3/4, minimax, relative: 2**-54
_CENTRE = (
    0.886226925452758, 0.23201366653465544, 0.12755617530528526, 0.08655212928302075, 0.06495961482679741,
    0.05173140806695415, 0.04283307149016018, 0.03654088224524269, 0.030551791836223384, 0.04109868312030095,
    -0.09246929508035179, 0.8522565269151673, -4.648167626424368, 21.103084786980677, -76.66121582308249,
    224.61136368810685, -527.9208936585612, 988.0563107138722, -1452.3531617166248, 1640.7270370039573,
    -1375.6741667195938, 807.2933506908112, -296.46353520376067, 51.47438391759626,
)  # fmt: skip
# erfinv(1 - exp(-s**2)) / s in (s - 2.5) / (s + 2.5) for s from there to 5.7, in (s - 12.5) / (s + 12.5) for s to 27.4;
# minimax, relative: 2**-53, 2**-54
_TAIL = (
    0.8770183687247652, 0.3399305171789803, -0.3864199167948633, 0.26713234959563437, -0.1155879367287868,
    -0.01811268814145207, 0.09760029221265369, -0.11768763511629876, 0.08894096310531198, -0.03482166362222578,
    -0.0203953582485773, 0.056871550490636545, -0.06561096916067252, 0.04834108118992679, -0.01578869055623404,
    -0.017891284824138057, 0.03988024644156265, -0.04399879403196975, 0.032559587426443846, -0.010020743645798748,
    -0.02107181295169893, 0.04033025508510035, -0.023485740605108107,
)  # fmt: skip
_FAR_TAIL = (
    0.9900582916361994, 0.03343531003697221, -0.05427947001968852, 0.0668615178290406, -0.07541742073146461,
    0.08076592636842196, -0.08374167289478048, 0.08470875833700263, -0.08404804550302311, 0.08199254231719634,
    -0.07878765231158875, 0.074615238408195, -0.0696640420677959, 0.06407743898964628, -0.05801316363783548,
    0.05173084337542142, -0.04529869619748812, 0.037808525785404834, -0.030149773883562873, 0.02752775869714557,
    -0.02499788873471843, 0.008389031614025794, 0.005182954639520405,
)  # fmt: skip


def _central(b: Builder, x: V) -> V:
    """erfinv(x) for |x| <= 3/4."""
    return b.mul(x, polynomial(b, b.mul(x, x), _CENTRE))


def _tail(b: Builder, q: V) -> V:
    """erfinv(1 - q) for 0 <= q <= 1/4."""
    s = b.intrinsic("sqrt", b.neg(log(b, q)))
    near = b.compare("lt", s, b.like(s, 5.7))
    centre = b.select(near, b.like(s, 2.5), b.like(s, 12.5))
    t = b.div(b.sub(s, centre), b.add(s, centre))
    y = b.mul(s, b.select(near, polynomial(b, t, _TAIL), polynomial(b, t, _FAR_TAIL)))
    return b.select(b.compare("eq", q, b.like(q, 0.0)), b.like(q, math.inf), y)


@widened
def erfinv(b: Builder, x: V) -> V:
    """The number whose erf is x; infinite at 1 and -1, NaN beyond."""
    size = absolute(b, x)
    tail = with_sign(b, _tail(b, minus(b, b.like(x, 1.0), size)), x)
    return b.select(b.compare("lt", size, b.like(x, 0.75)), _central(b, x), tail)


@widened
def ndtri(b: Builder, x: V) -> V:
    """The number below which a normal variable lies with probability x; infinite at 0 and 1, NaN beyond."""
    half, one = b.like(x, 0.5), b.like(x, 1.0)
    upper = b.compare("gt", x, half)
    smaller = b.select(upper, minus(b, one, x), x)
    tail = _tail(b, b.add(smaller, smaller))
    y = b.select(upper, tail, b.neg(tail))
    central = _central(b, minus(b, b.add(x, x), one))
    return b.mul(b.select(b.compare("gt", smaller, b.like(x, 0.125)), central, y), b.like(x, math.sqrt(2)))
