"""The pathwise derivative of gamma numbers: how a sample moves with its concentration while its quantile stays.

With F and p the distribution and density of gamma(a, 1), it is -(dF/da) / p at the sample x. The series of the
incomplete gamma function, differentiated term by term, gives

    dx/da = x * sum over n >= 0 of c_n * (digamma(a + n + 1) - log x),    c_n = x**n / (a * (a + 1) * ... * (a + n)),

in which no gamma function is left. Source: M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients",
NeurIPS 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.elementwise import broadcast
from ..core.op import define
from .special import digamma

# From here on the first terms of the quantile's expansion in 1 / sqrt(a) are exact to 1e-9, and the series is slow.
_LARGE = 1e6


def gamma_derivative(alpha: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """d sample / d alpha of gamma numbers of rate 1, computed in float64.

    Args:
      alpha: concentrations, a float array.
      sample: numbers drawn with them, which broadcast with `alpha`.

    Returns:
      Array of the broadcast shape and alpha's dtype; NaN where the sample is.
    """
    a, x = np.broadcast_arrays(np.asarray(alpha, np.float64), np.asarray(sample, np.float64))
    shape = a.shape
    a, x = a.reshape(-1), x.reshape(-1)
    result = np.where(x > 0.0, np.nan, x * 0.0)
    series = np.flatnonzero((x > 0.0) & (a > 0.0) & (a < _LARGE) & np.isfinite(x))
    result[series] = _by_series(a[series], x[series])
    large = np.flatnonzero((x > 0.0) & (a >= _LARGE))
    result[large] = _by_expansion(a[large], x[large])
    return result.reshape(shape).astype(alpha.dtype)


def _by_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    slope = digamma.op.kernel(a + 1.0) - np.log(x)  # type: ignore[attr-defined]
    term = 1.0 / a
    total = term * slope
    weight = term.copy()
    n = 0.0
    going = np.arange(a.size)
    while going.size:
        n += 1.0
        at = a[going] + n
        term[going] *= x[going] / at
        slope[going] += 1.0 / at
        total[going] += term[going] * slope[going]
        weight[going] += term[going]
        # past the largest term, where at > x, what is left is less than a geometric series
        bound = term[going] * (1.0 + np.abs(slope[going])) * at
        going = going[(at <= x[going]) | (bound > 1e-17 * weight[going] * (at - x[going]))]
    return x * total


def _by_expansion(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    root = np.sqrt(a)
    z = (x - a) / root
    z -= (z * z - 1.0) / (3.0 * root)
    return 1.0 + z / (2.0 * root) - (z * z * z - 7.0 * z) / (72.0 * a * root)


def _no_second_derivative(F: Any, g: Any, needs: Any) -> Any:
    raise LookupError(
        "gradient registry has no entry for: RandomGammaGrad; the derivative of a gamma sample with respect to alpha "
        "has no derivative of its own, in TensorFlow neither"
    )


random_gamma_grad = define(
    "random_gamma_grad",
    lambda xp: gamma_derivative,
    broadcast,
    _no_second_derivative,
    inputs=2,
    doc="The derivative of gamma samples with respect to their concentrations: (alpha, sample) -> d sample / d alpha.",
)
