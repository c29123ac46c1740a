"""Special functions: values of closed forms and tables, dtypes, errors, and the derivative SciPy does not have."""

import numpy as np
import pytest
from scipy import special as scipy_special

import tapeflow as tf
import tapeflow.ops.reduction  # noqa: F401 - rules find its ops by name
import tapeflow.ops.selection  # noqa: F401
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.ops import operators  # noqa: F401 - attaches the operators that rules use
from tapeflow.ops import special as ops
from tapeflow.ops.incomplete_gamma import derivative_of_lower

# x, value: NIST DLMF and Abramowitz and Stegun's tables
TABLE = [
    ("erf", 1.0, 0.8427007929497149),
    ("erfc", 3.0, 2.209049699858544e-05),
    ("erfinv", 0.5, 0.4769362762044699),
    ("erfcinv", 0.5, 0.4769362762044699),
    ("ndtri", 0.975, 1.959963984540054),
    ("lgamma", 4.0, np.log(6.0)),
    ("lgamma", -0.5, 1.2655121234846454),
    ("digamma", 1.0, -0.5772156649015329),
    ("bessel_i0", 1.0, 1.2660658777520084),
    ("bessel_i0e", 1.0, 0.46575960759364043),
    ("bessel_i1", 1.0, 0.5651591039924851),
    ("bessel_i1e", -1.0, -0.2079104153497085),
    ("bessel_j0", 1.0, 0.7651976865579666),
    ("bessel_j1", 1.0, 0.44005058574493355),
    ("bessel_y0", 1.0, 0.08825696421567697),
    ("bessel_y1", 1.0, -0.7812128213002887),
    ("bessel_k0", 1.0, 0.42102443824070834),
    ("bessel_k0e", 1.0, 1.1444630798068947),
    ("bessel_k1", 1.0, 0.6019072301972346),
    ("bessel_k1e", 1.0, 1.636153486263258),
    ("dawsn", 1.0, 0.5380795069127684),
    ("expint", 1.0, 1.8951178163559368),
    ("fresnel_cos", 1.0, 0.7798934003768228),
    ("fresnel_sin", 1.0, 0.4382591473903548),
    ("spence", 2.0, -(np.pi**2) / 12),
]


@pytest.mark.parametrize(("name", "x", "value"), TABLE)
def test_values(name, x, value):
    op = getattr(ops, name)
    np.testing.assert_allclose(op(constant(x, "float64")).numpy(), value, rtol=1e-13)
    for dtype, rtol in (("float32", 1e-5), ("float16", 5e-3), ("bfloat16", 5e-2)):
        got = op(constant([x], dtype))
        assert got.dtype == dtype
        np.testing.assert_allclose(got.numpy().astype("float64"), [value], rtol=rtol, atol=1e-5)
    assert op(constant([], "float64")).shape == [0]


@pytest.mark.parametrize(
    ("name", "a", "x", "value"),
    [
        ("polygamma", 0.0, 1.0, -0.5772156649015329),
        ("polygamma", 1.0, 1.0, np.pi**2 / 6),
        ("polygamma", 2.0, 1.0, -2.4041138063191885),
        ("polygamma", 0.5, 1.0, np.nan),
        ("zeta", 2.0, 1.0, np.pi**2 / 6),
        ("zeta", 4.0, 1.0, np.pi**4 / 90),
        ("igamma", 1.0, 2.0, 1 - np.exp(-2.0)),
        ("igammac", 1.0, 2.0, np.exp(-2.0)),
    ],
)
def test_values_of_two(name, a, x, value):
    got = getattr(ops, name)(constant(a, "float64"), constant([x, x], "float64"))
    np.testing.assert_allclose(got.numpy(), [value, value], rtol=1e-13)
    with pytest.raises(errors.InvalidArgumentError):
        getattr(ops, name)(1, 2)
    with pytest.raises(errors.InvalidArgumentError):
        getattr(ops, name)(constant(1.0), constant(1.0, "float64"))
    with pytest.raises(errors.InvalidArgumentError):
        getattr(ops, name)(constant([1.0, 2.0]), constant([1.0, 2.0, 3.0]))


def test_orders_get_no_gradient():
    n, x = constant(1.0), constant(2.0)
    for op in (ops.polygamma, ops.zeta):
        with GradientTape() as tape:
            tape.watch([n, x])
            y = op(n + 1.0, x)
        got = tape.gradient(y, [n, x])
        assert got[0] is None
        assert got[1] is not None


def test_betainc():
    # I_x(2, 2) = 3 x^2 - 2 x^3, whose derivative is 6 x (1 - x)
    a, x = constant(2.0, "float64"), constant([0.0, 0.25, 1.0], "float64")
    with GradientTape() as tape:
        tape.watch([a, x])
        y = ops.betainc(a, a, x)
    got = tape.gradient(y, [a, x])
    np.testing.assert_allclose(y.numpy(), [0.0, 0.15625, 1.0], rtol=1e-14)
    assert got[0] is None
    np.testing.assert_allclose(got[1].numpy(), [0.0, 1.125, 0.0], rtol=1e-13)
    assert np.isnan(ops.betainc(1.0, 2.0, 1.5).numpy())
    for wrong in ([[[1.0], [2.0]], 2.0, [0.5, 0.5]], [1, 2, 3], [constant(1.0), constant(1.0, "float64"), 0.5]):
        with pytest.raises(errors.InvalidArgumentError):
            ops.betainc(*wrong)


def test_lbeta():
    np.testing.assert_allclose(ops.lbeta([[1.0, 2.0], [3.0, 4.0]]).numpy(), np.log([1 / 2, 1 / 60]), rtol=1e-5)
    assert ops.lbeta(constant(np.ones((2, 0), "float32"))).numpy().tolist() == [-np.inf, -np.inf]
    with pytest.raises(errors.InvalidArgumentError):
        ops.lbeta(2.0)


def test_erfcinv_takes_floats():
    np.testing.assert_array_equal(ops.erfcinv([0.0, 2.0, 3.0]).numpy(), [np.inf, -np.inf, np.nan])
    with pytest.raises(TypeError, match="cast"):
        ops.erfcinv(1)


def test_gradients_where_the_formula_divides_by_zero():
    x = constant(0.0, "float64")
    for op, first, second in [(ops.bessel_i1, 0.5, 0.0), (ops.bessel_j1, 0.5, 0.0), (ops.bessel_i1e, 0.5, None)]:
        with GradientTape() as outer:
            outer.watch(x)
            with GradientTape() as tape:
                tape.watch(x)
                y = op(x)
            slope = tape.gradient(y, x)
        assert slope.numpy() == first
        if second is not None:
            assert outer.gradient(slope, x).numpy() == second
    one = constant(1.0, "float64")
    with GradientTape() as tape:
        tape.watch(one)
        y = ops.spence(one)
    assert tape.gradient(y, one).numpy() == -1.0


def test_derivative_of_the_incomplete_gamma_function():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.uniform(0.05, 20, 300), rng.uniform(20, 300, 50)])
    x = a * rng.uniform(0.05, 2.5, a.size)
    h = 1e-3 * np.maximum(1, a) ** 0.5 * np.minimum(1, a)
    points = [scipy_special.gammainc(a + k * h, x) for k in (-2, -1, 1, 2)]
    wanted = (points[0] - 8 * points[1] + 8 * points[2] - points[3]) / (12 * h)
    np.testing.assert_allclose(derivative_of_lower(a, x), wanted, rtol=2e-6, atol=1e-10)


def test_derivative_of_the_incomplete_gamma_function_at_the_edges():
    # for a = 1, dP/da at x is the exponential integral's: recorded from TensorFlow
    got = derivative_of_lower(np.array([1.0, 1.0, 1.0, 2.0, -1.0]), np.array([0.0, np.inf, 1.0, 2.0, 1.0]))
    np.testing.assert_allclose(got, [0.0, 0.0, -0.4317, -0.2940, np.nan], atol=5e-5)
    assert derivative_of_lower(np.float32(1), np.float32(1)).dtype == np.float32


def test_the_gamma_family_at_its_poles_and_ends():
    x = tf.constant([0.0, -0.0, -1.0])
    assert np.isnan(tf.math.digamma(x)).all() and np.isnan(tf.math.polygamma(0.0, x)).all()
    assert tf.math.lgamma(tf.constant([-np.inf, np.inf, 0.0])).numpy().tolist() == [np.inf] * 3
