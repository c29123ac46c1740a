"""Gamma functions and quantiles as compiled code."""

import math

import numpy as np
import pytest
import scipy.special

from tapeflow.engines.llvm import vector_math as vm
from tests.engines.llvm.accuracy import assert_near, name, sample
from tests.engines.llvm.elementwise_code import MACHINES, apply

L = np.longdouble
INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=name)
def test_gamma_functions(dtype, machine):
    x = np.concatenate([sample(dtype), np.random.default_rng(4).uniform(0, 12, 3000).astype(dtype)])
    wide = x.astype(np.float64)
    with np.errstate(all="ignore"):
        tiny = np.abs(x) < 1e-300
        expected = np.where(tiny | np.isneginf(x), -np.log(np.abs(x).astype(L)), scipy.special.gammaln(wide))
        expected[np.isneginf(x)] = INF  # as TensorFlow's
        slope = np.where(x == 0, NAN, scipy.special.digamma(wide))
    for function, reference in ((vm.lgamma, expected.astype(float)), (vm.digamma, slope)):
        result = apply(function, x, machine=machine)
        if dtype is np.float32:
            assert_near(result, reference, 2, x)
        else:  # SciPy itself is no closer
            # nor close at all where it reflects next to a whole number
            with np.errstate(invalid="ignore"):
                fine = ~tiny & ((x > 0) | (np.abs(x - np.rint(x)) > 1e-2) | ~np.isfinite(reference))
            np.testing.assert_allclose(result[fine], reference[fine], 2e-14, 1e-13)
    if dtype is np.float64:
        np.testing.assert_allclose(apply(vm.lgamma, x[tiny], machine=machine), expected[tiny].astype(float), 1e-15)


def test_gamma_functions_at_their_zeros_and_poles():
    # computed with 200 bits
    x = np.array(
        [
            1.4616321449683622, 1.4616321449683625, 1.46, 1.5, 1.0000001, 0.9999999, 0.99, 1.01, 1.2, 1.999999,
            2.000001, 2.1, 1.8, 0.75, 2.69, 7.999, 8.0, 1e300, 1e-300, -1.0000000000000002, -0.9999999999999999,
            -3.0000001, -2.9999999, -1e-05, -1e-200, -0.25, -7.00001,
        ]
    )  # fmt: skip
    logarithms = np.array(
        [
            -0.12148629053584961, -0.12148629053584961, -0.12148500100400743, -0.12078223763524522,
            -5.772155829918507e-08, 5.772157468444193e-08, 0.005854806764709781, -0.005690307946069651,
            -0.08537409000331583, -4.227840125965854e-07, 4.2278465762452923e-07, 0.04543773854448518,
            -0.07108387291437215, 0.20328095143129538, 0.42687511547445395, 8.523145786158915, 8.525161361065415,
            6.897755278982137e302, 690.7755278982137, 36.04365338911715, 36.7368005696771, 14.326336057755093,
            14.326336308978625, 11.512931237209125, 460.51701859880916, 1.589575312551186, 2.9877439476857295,
        ]
    )  # fmt: skip
    slopes = np.array(
        [
            -9.241265521729427e-17, 1.2245374622004068e-16, -0.0015805619870834522, 0.03648997397857652,
            -0.5772155004081381, -0.5772158293949515, -0.5937863040555952, -0.5608854578686745, -0.2890398965921884,
            0.4227836901641983, 0.422784980032332, 0.48533596867983236, 0.28499143329386156, -1.0858608797864722,
            0.7923011693881079, 2.015508332090348, 2.01564147795561, 690.7755278982137, -9.999999999999999e299,
            4503599627370496.0, -9007199254740992.0, 10000001.272483157, -9999998.76024782, 99999.42276788563, 1e200,
            2.9141391202135276, 100002.01561369642,
        ]
    )  # fmt: skip
    for machine in MACHINES:
        assert_near(apply(vm.lgamma, x, machine=machine), logarithms, 4, x)
        assert_near(apply(vm.digamma, x, machine=machine), slopes, 4, x)


@pytest.mark.parametrize("machine", MACHINES)
def test_quantiles(machine):
    # computed with 200 bits
    x = np.array(
        [
            1e-300, 1e-09, 0.1, -0.25, 0.5, -0.7499999, 0.75, 0.7500001, -0.9, 0.99, 0.999999, -0.9999999999,
            0.9999999999999999,
        ]
    )  # fmt: skip
    assert_near(
        apply(vm.erfinv, x, machine=machine),
        np.array(
            [
                8.86226925452758e-301, 8.86226925452758e-10, 0.08885599049425769, -0.2253120550121781,
                0.4769362762044699, -0.8134196758476657, 0.8134198475976185, 0.8134200193476194, -1.1630871536766743,
                1.8213863677184494, 3.458910737275499, -4.572824958544925, 5.8635847487551676,
            ]
        ),
        4,
        x,
    )  # fmt: skip
    p = np.array(
        [
            5e-324, 1e-308, 1e-200, 1e-50, 1e-15, 7e-15, 8e-15, 1e-08, 0.001, 0.1249999, 0.125, 0.1250001, 0.3,
            0.4999999, 0.5000001, 0.8, 0.8750001, 0.99, 0.999999999, 0.9999999999999999,
        ]
    )  # fmt: skip
    assert_near(
        apply(vm.ndtri, p, machine=machine),
        np.array(
            [
                -38.467405617144344, -37.54067492154594, -30.20559417957964, -14.933337534788489, -7.941345326170997,
                -7.696357288947955, -7.679268156196443, -5.612001244174789, -3.0902323061678136, -1.1503498661584373,
                -1.150349380376008, -1.1503488945938505, -0.5244005127080408, -2.5066282747031063e-07,
                2.506628273311648e-07, 0.8416212335729144, 1.150349866158437, 2.3263478740408408, 5.9978070196016375,
                8.209536151601387,
            ]
        ),
        4,
        p,
    )  # fmt: skip
    ends = np.array([0.0, 1.0, -1.0, 1.5, -0.5, NAN, INF])
    np.testing.assert_array_equal(
        apply(vm.erfinv, ends, machine=machine)[[0, 1, 2, 3, 5, 6]], [0, INF, -INF, *[NAN] * 3]
    )
    np.testing.assert_array_equal(apply(vm.ndtri, ends, machine=machine), [-INF, INF, *[NAN] * 5])


def test_quantiles_undo_what_they_invert():
    x = np.linspace(-0.999, 0.999, 2001)
    np.testing.assert_allclose(scipy.special.erf(apply(vm.erfinv, x)), x, 1e-14)
    p = np.concatenate([np.linspace(0.001, 0.999, 999), 10.0 ** -np.arange(4, 308, 7)])
    np.testing.assert_allclose(scipy.special.ndtr(apply(vm.ndtri, p)), p, 1e-12)
    floats = p.astype(np.float32)
    assert_near(apply(vm.ndtri, floats), scipy.special.ndtri(floats.astype(np.float64)), 2, floats)
