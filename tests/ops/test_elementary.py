"""Elementary functions against NumPy in float64, at their edges, and in half precision."""

import numpy as np
import pytest

import tapeflow.ops.selection  # noqa: F401 - rules find its ops by name
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.ops import elementary as ops
from tapeflow.ops import operators  # noqa: F401 - attaches the operators that rules use

INF, NAN = float("inf"), float("nan")


def gradient(f, x):
    x = constant(x, "float64")
    with GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


REFERENCE = {
    "exp": (np.exp, [-1.0, 0.0, 2.0]),
    "expm1": (np.expm1, [-1.0, 1e-12, 2.0]),
    "log": (np.log, [0.5, 1.0, 3.0]),
    "log1p": (np.log1p, [-0.5, 1e-12, 3.0]),
    "sqrt": (np.sqrt, [0.0, 0.25, 2.0]),
    "rsqrt": (lambda x: 1 / np.sqrt(x), [0.25, 2.0]),
    "sin": (np.sin, [-1.0, 0.0, 2.0]),
    "cos": (np.cos, [-1.0, 0.0, 2.0]),
    "tan": (np.tan, [-1.0, 0.0, 1.0]),
    "asin": (np.arcsin, [-1.0, 0.0, 0.5]),
    "acos": (np.arccos, [-1.0, 0.0, 0.5]),
    "atan": (np.arctan, [-1.0, 0.0, 0.5]),
    "sinh": (np.sinh, [-1.0, 0.0, 2.0]),
    "cosh": (np.cosh, [-1.0, 0.0, 2.0]),
    "tanh": (np.tanh, [-1.0, 0.0, 20.0]),
    "asinh": (np.arcsinh, [-1.0, 0.0, 1e10]),
    "acosh": (np.arccosh, [1.0, 2.0, 1e10]),
    "atanh": (np.arctanh, [-0.5, 0.0, 0.9]),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), [-3.0, 0.0, 3.0]),
    "softplus": (lambda x: np.log1p(np.exp(x)), [-3.0, 0.0, 3.0]),
    "log_sigmoid": (lambda x: -np.log1p(np.exp(-x)), [-3.0, 0.0, 3.0]),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_values(name):
    reference, x = REFERENCE[name]
    op = getattr(ops, name)
    np.testing.assert_allclose(op(constant(x, "float64")).numpy(), reference(np.array(x)), rtol=1e-14)
    for dtype, rtol in (("float32", 1e-6), ("float16", 2e-3), ("bfloat16", 2e-2)):
        given = constant([v for v in x if abs(v) < 100], dtype)
        got = op(given)
        assert got.dtype == dtype
        exact = reference(given.numpy().astype("float64"))
        np.testing.assert_allclose(got.numpy().astype("float64"), exact, rtol=rtol, atol=1e-30)


@pytest.mark.parametrize("name", sorted(set(REFERENCE) - {"softplus", "log_sigmoid"}))
def test_complex_values(name):
    z = np.array([0.3 + 0.4j, -0.5 + 0.2j])
    np.testing.assert_allclose(getattr(ops, name)(constant(z)).numpy(), REFERENCE[name][0](z), rtol=1e-13)


def test_values_at_the_edges():
    for op, x, wanted in [
        (ops.log, [0.0, -1.0, INF], [-INF, NAN, INF]),
        (ops.sqrt, [-1.0, INF], [NAN, INF]),
        (ops.rsqrt, [0.0, INF], [INF, 0.0]),
        (ops.acosh, [0.5], [NAN]),
        (ops.atanh, [-1.0, 1.0], [-INF, INF]),
        (ops.sigmoid, [-INF, -800.0, 800.0, INF, NAN], [0.0, 0.0, 1.0, 1.0, NAN]),
        (ops.softplus, [-INF, -800.0, 800.0, INF], [0.0, 0.0, 800.0, INF]),
        (ops.log_sigmoid, [-INF, -800.0, 800.0, INF], [-INF, -800.0, 0.0, 0.0]),
    ]:
        np.testing.assert_array_equal(op(constant(x, "float64")).numpy(), wanted)


def test_gradients_at_the_edges_are_tensorflows():
    for op, x, wanted in [
        (ops.sqrt, [0.0, 4.0], [INF, 0.25]),
        (ops.log, [0.0, INF], [INF, 0.0]),
        (ops.asin, [-1.0, 0.0, 1.0], [INF, 1.0, INF]),
        (ops.asinh, [INF, 0.0], [0.0, 1.0]),
        (ops.acosh, [1.0, INF], [INF, 0.0]),
        (ops.tanh, [-INF, 0.0, INF], [0.0, 1.0, 0.0]),
        (ops.sigmoid, [-INF, 0.0, INF], [0.0, 0.25, 0.0]),
        (ops.softplus, [-INF, 0.0, INF], [0.0, 0.5, 1.0]),
    ]:
        np.testing.assert_array_equal(gradient(op, x).numpy(), wanted)


def test_rounding_is_to_even_and_has_no_gradient():
    x = [-2.5, -0.5, 0.5, 1.5, 2.5, INF]
    for op, wanted in [
        (ops.round_, [-2, 0, 0, 2, 2, INF]),
        (ops.rint, [-2, 0, 0, 2, 2, INF]),
        (ops.floor, [-3, -1, 0, 1, 2, INF]),
        (ops.ceil, [-2, 0, 1, 2, 3, INF]),
    ]:
        np.testing.assert_array_equal(op(x).numpy(), wanted)
        assert gradient(op, x) is None
    assert ops.round_(3).dtype == "int32"
    assert ops.round_(constant([250], "uint8")).numpy().tolist() == [250]


def test_products_that_are_zero_where_x_is():
    for op, y, wanted in [
        (ops.xlogy, [0.0, 0.0, np.e], [0.0, -INF, 2.0]),
        (ops.xlog1py, [-1.0, 0.0, np.e - 1], [0.0, 0.0, 2.0]),
        (ops.xdivy, [0.0, 0.0, 4.0], [0.0, INF, 0.5]),
    ]:
        got = op(constant([0.0, 1.0, 2.0], "float64"), constant(y, "float64")).numpy()
        np.testing.assert_allclose(got, wanted, rtol=1e-15)
        assert op(constant(0.0), constant(NAN)).numpy() == 0.0
    assert gradient(lambda y: ops.xlogy(constant([0.0, 2.0], "float64"), y), [0.0, 4.0]).numpy().tolist() == [0.0, 0.5]


def test_atan2_takes_y_first():
    y, x = [1.0, 1.0, -1.0, 0.0], [2.0, -2.0, -2.0, -1.0]
    np.testing.assert_allclose(ops.atan2(y=y, x=x).numpy(), np.arctan2(y, x), rtol=1e-6)


def test_nextafter():
    got = ops.nextafter(constant([1.0, 2.0, 3.0], "float64"), 2.0)
    assert got.numpy().tolist() == [1 + 2**-52, 2.0, 3 - 2**-51]
    with pytest.raises(errors.InvalidArgumentError):
        ops.nextafter(constant([1.0], "float16"), constant([2.0], "float16"))


@pytest.mark.parametrize("name", sorted({*REFERENCE, "floor", "rint"}))
def test_integers_are_refused_with_a_hint(name):
    with pytest.raises(errors.InvalidArgumentError, match=r"int32 is not in the list.*tf\.cast"):
        getattr(ops, name)(1)
