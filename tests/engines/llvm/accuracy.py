"""Which numbers to try functions of floats on, and how far results are from the truth."""

import math

import numpy as np

INF, NAN = math.inf, math.nan


def name(value):
    return getattr(value, "__name__", str(value))


def sample(dtype):
    """Every exponent with several mantissas, edges, ranges where functions bend, both signs."""
    random = np.random.default_rng(7)
    whole, mantissa, exponents = (np.uint32, 23, 255) if dtype == np.float32 else (np.uint64, 52, 2047)
    ones = (1 << mantissa) - 1
    patterns = np.arange(exponents, dtype=whole)[:, None] << whole(mantissa)
    fractions = np.array([0, 1, ones // 3, ones // 2 + 1, ones, *random.integers(0, ones, 3)], whole)
    numbers = [(patterns | fractions).view(dtype).ravel(), [0.0, INF, NAN]]
    edges = np.array(
        [0.5, 0.625, 0.9, 1, math.sqrt(0.5), math.sqrt(2), math.pi / 4, math.pi / 2, math.pi, math.tan(0.5), 1e5, 2, 4,
         17.3, 38, 88.7, 88.72283, 87.33655, 103.28, 104, 709.782712893384, 709.79, 744.44, 745.2, 1e10, 2**23, 2**24,
         0.49999997, 1.5, 2.5, 3.5, 8388607.5]
    ).astype(dtype)  # fmt: skip
    numbers += [edges, np.nextafter(edges, dtype(0)), np.nextafter(edges, dtype(INF))]
    numbers += [random.uniform(0, top, 600) for top in (1, 2, 10, 30, 100, 800)]
    numbers += [1 - 2.0 ** random.uniform(-mantissa, -1, 200), 1 + 2.0 ** random.uniform(-mantissa, -1, 200)]
    positive = np.concatenate(numbers).astype(dtype)
    return np.concatenate([positive, -positive])


def distance(result, reference):
    """In units in the last place of the reference. Infinite where a zero has a wrong sign, where only one is NaN, or
    where an infinity should be a number."""
    dtype = result.dtype.type
    with np.errstate(all="ignore"):
        rounded = reference.astype(dtype)
        unit = np.spacing(np.where(np.isfinite(rounded), np.abs(rounded), dtype(1)))
        # between the largest number and infinity lies half a unit
        far = np.abs(result.astype(reference.dtype) - reference) / unit
    same = (result == rounded) | (np.isnan(result) & np.isnan(rounded))
    wrong = ~(np.isfinite(result) & np.isfinite(rounded)) & ~same
    wrong |= (rounded == 0) & (result == 0) & (np.signbit(rounded) != np.signbit(result))
    return np.where(wrong, INF, np.where(np.isfinite(result) & np.isfinite(rounded), far, 0.0)).astype(float)


def assert_near(result, reference, units, *arguments):
    far = distance(result, reference)
    worst = far.argmax()
    assert far[worst] <= units, (far[worst], result[worst], reference[worst], *(a[worst] for a in arguments))
