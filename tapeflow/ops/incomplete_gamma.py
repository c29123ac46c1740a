"""The derivative of the incomplete gamma function with respect to its first argument, which SciPy does not have.

Source: Moore, Algorithm AS 187: Derivatives of the incomplete gamma integral, Applied Statistics 31 (1982): the series
of P(a, x) where x is small beside a, the continued fraction of Q(a, x) elsewhere, each differentiated term by term.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_TINY = 1e-300
_EPSILON = 2.0**-53
_MOST_TERMS = 20_000


def derivative_of_lower(a: Any, x: Any) -> Any:
    """dP(a, x) / da for arrays or scalars that broadcast; computed in float64, given in the dtype of `a`.

    0 at x = 0 and for x = inf, NaN for a <= 0 and x < 0.
    """
    shape = np.broadcast(a, x).shape
    wide_a, wide_x = (np.array(np.broadcast_to(v, shape), np.float64).reshape(-1) for v in (a, x))
    out = np.full(wide_a.shape, np.nan)
    out[(wide_a > 0) & ((wide_x == 0) | (wide_x == np.inf))] = 0.0
    inside = (wide_a > 0) & (wide_x > 0) & (wide_x < np.inf) & (wide_a < np.inf)
    small = inside & (wide_x <= wide_a + 1)
    for where, method in ((small, _by_series), (inside & ~small, _by_fraction)):
        if where.any():
            out[where] = method(wide_a[where], wide_x[where])
    return out.reshape(shape).astype(a.dtype)[()]


def _by_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    from scipy.special import digamma, gammaln

    # P = x^a e^-x / Gamma(a + 1) * sum of t_n, t_0 = 1, t_n = t_(n-1) x / (a + n)
    term, slope = np.ones_like(a), np.zeros_like(a)
    total, total_slope = term.copy(), slope.copy()
    for n in range(1, _MOST_TERMS):
        ratio = x / (a + n)
        slope = slope * ratio - term * ratio / (a + n)
        term = term * ratio
        total += term
        total_slope += slope
        if (abs(slope) <= _EPSILON * abs(total_slope)).all():
            break
    front = np.exp(a * np.log(x) - x - gammaln(a + 1))
    return front * ((np.log(x) - digamma(a + 1)) * total + total_slope)


def _by_fraction(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    from scipy.special import digamma, gammaln

    # Q = x^a e^-x / Gamma(a) * h, h by Lentz's method; beside each value its derivative with respect to a
    b, b_slope = x + 1 - a, -1.0
    c, c_slope = np.full_like(a, 1 / _TINY), np.zeros_like(a)
    d = 1 / b
    d_slope = -b_slope * d * d
    h, h_slope = d.copy(), d_slope.copy()
    for n in range(1, _MOST_TERMS):
        step, step_slope = -n * (n - a), float(n)
        b = b + 2
        e = step * d + b
        e_slope = step_slope * d + step * d_slope + b_slope
        d = 1 / np.where(abs(e) < _TINY, _TINY, e)
        d_slope = -e_slope * d * d
        c_slope = step_slope / c - step * c_slope / c / c + b_slope
        c = b + step / c
        c = np.where(abs(c) < _TINY, _TINY, c)
        factor, factor_slope = c * d, c_slope * d + c * d_slope
        h_slope = h_slope * factor + h * factor_slope
        h = h * factor
        if (abs(factor - 1) <= _EPSILON).all() and (abs(h * factor_slope) <= _EPSILON * abs(h_slope)).all():
            break
    front = np.exp(a * np.log(x) - x - gammaln(a))
    return -front * ((np.log(x) - digamma(a)) * h + h_slope)
