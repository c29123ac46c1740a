"""The logarithm of the gamma function and its derivative, computed as doubles.

From 8 on by Stirling's series; below, steps of one lead to an interval with a polynomial; below zero by reflection.
Near the zeros between negative whole numbers two terms cancel, and the result is right absolutely, not relatively.
"""

from __future__ import annotations

import math

from tapeflow.engines.llvm.builder import Builder
from tapeflow.engines.llvm.values import V
from tapeflow.engines.llvm.vector_math.exact import absolute, minus, polynomial, widened, with_sign
from tapeflow.engines.llvm.vector_math.logarithms import log
from tapeflow.engines.llvm.vector_math.rounding import round_even
from tapeflow.engines.llvm.vector_math.trigonometry import cos_within, sin_within

# lgamma(1 + d) / d and lgamma(2 + d) / d over -0.3 <= d <= 0.7, minimax, relative: 2**-54, 2**-54
_AT_ONE = (
    -0.5772156649015329, 0.8224670334241133, -0.40068563438652455, 0.27058080842772586, -0.20738555103020287,
    0.1695571770085884, -0.14404989664636242, 0.1255096685577029, -0.11133427003328981, 0.10009950118189455,
    -0.09095397821903778, 0.08335276266192522, -0.07693121446342174, 0.071446748115988, -0.0667108213556946,
    0.06244033773414146, -0.05835583942774241, 0.05508280881229445, -0.05439064110203158, 0.055597367558583535,
    -0.051820827397778275, 0.03655905851618429, -0.015363651535090039, 0.0012887151670793922, 0.00181363329595682,
    -0.0005977810538520513,
)  # fmt: skip
_AT_TWO = (
    0.42278433509846713, 0.3224670334241132, -0.06735230105319805, 0.020580808427784078, -0.00738555102868092,
    0.00289051033078901, -0.0011927539113793348, 0.0005096695224657795, -0.00022315476419913335,
    9.945756915755654e-05, -4.492623370725844e-05, 2.0506512770431692e-05, -9.438361492302055e-06,
    4.378223398822026e-06, -2.0515665113094408e-06, 9.614613853756748e-07, -4.176533241876634e-07,
    1.384967705892755e-07, -2.3949314143208124e-08,
)  # fmt: skip
# x (lgamma(x) - (x - 1/2) (log(x) - 1) - log(2 pi) / 2 + 1/2) in x**-2 for x >= 8, minimax for the relative error of
# lgamma: 2**-69
_STIRLING = (
    0.08333333333333331, -0.0027777777777506433, 0.000793650779676212, -0.0005952345988835502, 0.0008412734173708324,
    -0.0018808454299391502, 0.004885716883958722,
)  # fmt: skip
_HALF_LOG_2PI_LESS_HALF = 0.4189385332046727

# digamma(1.5 + t) / (1.5 + t - zero) over |t| <= 1/2, minimax, relative: 2**-53
_DIGAMMA = (
    0.951055876031833, -0.4236274212814606, 0.24054248424077398, -0.14840492305388986, 0.09498872445497135,
    -0.061922133274711764, 0.040760833810869854, -0.02697579669066785, 0.017907252479969566, -0.011908219431405975,
    0.007926944038625788, -0.0052799461080408885, 0.003519011949263632, -0.002345421953435942, 0.0015566004190527727,
    -0.0010368362421907184, 0.0007234334936743178, -0.0004847486538665586, 0.00022703142258065785,
    -0.00014694563516604072, 0.00025984662947642936, -0.00017658711554350716,
)  # fmt: skip
_ZERO = (1.4616321449683622, 9.549995429965697e-17)  # of digamma, rounded, and the rest
# x**2 (log(x) - 1 / (2 x) - digamma(x)) in x**-2 for x >= 8, minimax for the relative error of digamma: 2**-71
_DIGAMMA_FAR = (
    0.08333333333333333, -0.008333333333322713, 0.0039682539604204824, -0.004166663917281976, 0.007575224511188697,
    -0.021032095439283173, 0.07923873001832255, -0.2863630094146693,
)  # fmt: skip


def _sine_and_cosine(b: Builder, x: V) -> tuple[V, V]:
    """sin(pi x) and cos(pi x) without the signs that whole turns give them: (-1)**n of both."""
    rest = minus(b, x, round_even(b, x))
    size = absolute(b, rest)
    outer = b.compare("gt", size, b.like(x, 0.25))
    pi = b.like(x, math.pi)
    angle = b.mul(b.select(outer, minus(b, b.like(x, 0.5), size), size), pi)
    sine, cosine = sin_within(b, angle), cos_within(b, angle)
    return with_sign(b, b.select(outer, cosine, sine), rest), b.select(outer, sine, cosine)


@widened
def lgamma(b: Builder, x: V) -> V:
    """log|gamma(x)|; infinite at 0 and at the negative whole numbers."""
    one, size = b.like(x, 1.0), absolute(b, x)
    far, low = b.compare("ge", size, b.like(x, 8.0)), b.compare("lt", size, b.like(x, 0.7))
    y, product = size, one
    for _ in range(6):
        above = b.compare("ge", y, b.like(x, 2.7))
        below = minus(b, y, one)
        product, y = b.select(above, b.mul(product, below), product), b.select(above, below, y)
    logarithm = log(b, b.select(far, size, b.select(low, size, product)))
    at_one = b.compare("lt", size, b.like(x, 1.7))
    d = b.select(low, size, minus(b, y, b.select(at_one, one, b.like(x, 2.0))))
    near = b.mul(d, b.select(at_one, polynomial(b, d, _AT_ONE), polynomial(b, d, _AT_TWO)))
    near = b.add(near, b.select(low, b.neg(logarithm), logarithm))
    inverse = b.div(one, size)
    series = b.mul(inverse, polynomial(b, b.mul(inverse, inverse), _STIRLING))
    stirling = b.fma(
        b.sub(size, b.like(x, 0.5)),
        b.sub(logarithm, one),
        b.add(b.like(x, _HALF_LOG_2PI_LESS_HALF), series),
    )
    positive = b.select(far, stirling, near)
    # gamma(x) gamma(-x) = -pi / (x sin(pi x)); what is tiny is its own reflection
    sine = absolute(b, _sine_and_cosine(b, size)[0])
    reflected = b.sub(log(b, b.div(b.like(x, math.pi), b.mul(size, sine))), positive)
    mirrored = b.compare("lt", x, b.like(x, -(2.0**-60)))
    y = b.select(mirrored, reflected, positive)
    infinity = b.like(x, math.inf)
    endless = b.compare("eq", size, infinity)
    whole = b.op("and", b.compare("eq", round_even(b, size), size), mirrored)
    return b.select(b.op("or", endless, whole), infinity, y)


@widened
def digamma(b: Builder, x: V) -> V:
    """The derivative of log(gamma(x)); NaN at 0, the negative whole numbers and minus infinity, as TensorFlow's."""
    one, size = b.like(x, 1.0), absolute(b, x)
    far, low = b.compare("ge", size, b.like(x, 8.0)), b.compare("lt", size, one)
    # digamma(y + 1) = digamma(y) + 1 / y: the sum of the fractions as one
    y, above, below = size, b.like(x, 0.0), one
    for _ in range(6):
        step = b.compare("ge", y, b.like(x, 2.0))
        less = minus(b, y, one)
        above = b.select(step, b.fma(above, less, below), above)
        below, y = b.select(step, b.mul(below, less), below), b.select(step, less, y)
    above, below = b.select(low, b.like(x, -1.0), above), b.select(low, size, below)
    # y - 1, which is x itself below 1, is exact
    past_one = b.select(low, size, minus(b, y, one))
    from_zero = minus(b, minus(b, past_one, b.like(x, _ZERO[0] - 1)), b.like(x, _ZERO[1]))
    near = b.mul(from_zero, polynomial(b, minus(b, past_one, b.like(x, 0.5)), _DIGAMMA))
    near = b.add(near, b.div(above, below))
    inverse = b.div(one, size)
    square = b.mul(inverse, inverse)
    series = b.fma(inverse, b.like(x, 0.5), b.mul(square, polynomial(b, square, _DIGAMMA_FAR)))
    positive = b.select(far, b.sub(log(b, size), series), near)
    # digamma(-x) = digamma(x) + 1 / x + pi / tan(pi x)
    sine, cosine = _sine_and_cosine(b, size)
    reflected = b.add(positive, b.add(inverse, b.div(b.mul(cosine, b.like(x, math.pi)), sine)))
    negative = b.compare("lt", x, b.like(x, 0.0))
    y = b.select(negative, reflected, positive)
    pole = b.op("and", b.compare("eq", round_even(b, size), size), b.compare("le", x, b.like(x, 0.0)))
    return b.select(pole, b.like(x, math.nan), y)
