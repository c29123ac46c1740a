"""Arithmetic: values, dtypes, edges and gradients at kinks, as recorded from TensorFlow 2.21; errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapeflow.ops.shaping  # noqa: F401 - rules find its ops by name
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.indexed_slices import IndexedSlices
from tapeflow.ops import arithmetic as ops
from tapeflow.ops import operators  # noqa: F401 - attaches the operators that rules use

INF, NAN = float("inf"), float("nan")


def gradients(f, *values):
    inputs = [constant(v) for v in values]
    with GradientTape() as tape:
        tape.watch(inputs)
        y = f(*inputs)
    return [None if g is None else g.numpy().tolist() for g in tape.gradient(y, inputs)]


def same(got, wanted, dtype=None):
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6)
    if dtype is not None:
        assert got.dtype == dtype


# -- quotients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "quotient"),
    [("int8", "float32"), ("uint16", "float32"), ("int32", "float64"), ("uint64", "float64"), ("float16", "float16")],
)
def test_divide_makes_floats_of_integers(dtype, quotient):
    same(ops.divide(constant([3, 4], dtype), constant([2, 8], dtype)), [1.5, 0.5], quotient)


def test_divide_of_python_numbers():
    same(ops.divide(3, 2), 1.5, "float64")
    same(ops.divide(3.0, 2), 1.5, "float32")
    same(ops.divide([3, 4], 2), [1.5, 2.0], "float64")


@pytest.mark.parametrize("pair", [(constant(3), constant(2.0)), (constant(3), 2.5), (True, False), ("a", "b")])
def test_divide_refuses_two_dtypes_and_what_is_no_number(pair):
    with pytest.raises(TypeError, match=r"dtype"):
        ops.divide(*pair)


def test_quotients_that_are_never_nan():
    same(ops.divide_no_nan([1.0, 0.0, 3.0], [0.0, 0.0, 2.0]), [0.0, 0.0, 1.5])
    same(ops.divide_no_nan(3, 2), 1.5, "float64")
    same(ops.multiply_no_nan([INF, NAN, 2.0], [0.0, 0.0, 3.0]), [0.0, 0.0, 6.0])
    same(ops.reciprocal_no_nan([0.0, 2.0]), [0.0, 0.5])
    assert gradients(ops.divide_no_nan, [1.0, 3.0], [0.0, 2.0]) == [[0.0, 0.5], [0.0, -0.75]]
    assert gradients(ops.multiply_no_nan, [INF, 2.0], [0.0, 3.0]) == [[0.0, 3.0], [INF, 2.0]]
    with pytest.raises(TypeError):
        ops.divide_no_nan(constant(3.0), constant(0))
    with pytest.raises(errors.InvalidArgumentError):
        ops.reciprocal_no_nan(2)


X = [5.0, -5.0, 3.0, -3.0, INF, 1.0, -1.0, 0.0]
Y = [3.0, 3.0, -2.0, -2.0, 1.0, INF, INF, 0.5]


def test_quotients_rounded():
    same(ops.floordiv(X, Y), [1, -2, -2, 1, INF, 0, 0, 0])
    same(ops.truncatediv(X, Y), [1, -1, -1, 1, INF, 0, 0, 0])
    same(ops.floormod(X[:4], Y[:4]), [2, 1, -1, -1])
    same(ops.truncatemod(X[:4], Y[:4]), [2, -2, 1, -1])
    assert gradients(ops.floordiv, X, Y) == [None, None]
    assert gradients(ops.floormod, X[:4], Y[:4]) == [[1, 1, 1, 1], [-1, 2, 2, -1]]


@given(st.integers(-100, 100), st.integers(-100, 100).filter(bool))
def test_integer_quotients_and_remainders_are_pythons(x, y):
    assert ops.floordiv(x, y).numpy() == x // y
    assert ops.floormod(x, y).numpy() == x % y
    quotient = int(x / y)
    assert ops.truncatediv(x, y).numpy() == quotient
    assert ops.truncatemod(x, y).numpy() == x - quotient * y


def test_floordiv_is_the_floor_of_the_quotient():
    # Python's 1.0 // 0.1 is 9: the quotient rounds up to 10
    assert ops.floordiv(constant(1.0, "float64"), constant(0.1, "float64")).numpy() == 10.0


@pytest.mark.parametrize("op", [ops.floordiv, ops.floormod, ops.truncatediv, ops.truncatemod])
@pytest.mark.parametrize("divisor", [0, [1, 0]])
def test_integers_divided_by_zero(op, divisor):
    with pytest.raises(errors.InvalidArgumentError, match=r"Integer division by zero.*\[Op:(Floor|Truncate)"):
        op(constant(7), divisor)


# -- powers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0, 0.5, -1.0, 0.0, 2.5, -2.0])
def test_powers_of_a_scalar_exponent(exponent):
    x = np.array([0.25, 1.0, 3.0])
    np.testing.assert_allclose(ops.pow_(constant(x), exponent).numpy(), x**exponent, rtol=1e-15)
    (got,) = gradients(lambda t: ops.pow_(t, exponent), x)
    np.testing.assert_allclose(got, exponent * x ** (exponent - 1), rtol=1e-14)


def test_powers_of_integers():
    same(ops.pow_(2, 3), 8, "int32")
    same(ops.pow_(constant([2, -3], "int64"), [5, 3]), [32, -27], "int64")
    for x, y in [(2, -1), ([2, 3], [1, -1]), ([0, 3], -2)]:
        with pytest.raises(errors.InvalidArgumentError, match="Integers to negative integer powers"):
            ops.pow_(x, y)


def test_gradients_of_powers_at_zero():
    assert gradients(lambda x: ops.pow_(x, 2), 0.0) == [0.0]
    assert gradients(lambda x: ops.pow_(x, 0.5), 0.0) == [INF]
    x, y = gradients(ops.pow_, [0.0, 0.0, -5.0, 2.0], [1.0, 2.0, 3.0, 2.0])
    assert x == [1.0, 0.0, 75.0, 4.0]
    np.testing.assert_allclose(y, [0.0, 0.0, 0.0, 4 * np.log(2)], rtol=1e-6)


# -- signs and extrema -------------------------------------------------------------------------------------------------


def test_gradients_at_kinks():
    assert gradients(ops.abs_, [-2.0, -0.0, 0.0, 2.0]) == [[-1.0, 0.0, 0.0, 1.0]]
    assert gradients(ops.sign, [-2.0, 0.0, 2.0]) == [[0.0, 0.0, 0.0]]
    assert gradients(ops.maximum, [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]) == [[1, 1, 0], [0, 0, 1]]
    assert gradients(ops.minimum, [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]) == [[1, 0, 1], [0, 1, 0]]
    assert gradients(ops.minimum, [NAN, 1.0], [1.0, NAN]) == [[0, 0], [1, 1]]
    assert gradients(ops.maximum, [1.0, 1.0], 1.0) == [[1.0, 1.0], 0.0]


def test_complex_sizes_and_directions():
    z = [3 + 4j, 0j]
    same(ops.abs_(z), [5.0, 0.0], "float64")
    same(ops.sign(z), [0.6 + 0.8j, 0.0], "complex128")
    np.testing.assert_allclose(gradients(ops.abs_, z), [[0.6 + 0.8j, 0j]])
    np.testing.assert_allclose(gradients(ops.sign, z), [[0.128 - 0.096j, 0j]])
    np.testing.assert_allclose(gradients(ops.conj, [3 + 4j]), [[1.0]])
    same(ops.squared_difference([1 + 1j], [0.5j]), [1.25], "complex128")
    np.testing.assert_allclose(gradients(ops.squared_difference, [1 + 1j], [0.5j]), [[2 + 1j], [-2 - 1j]])


def test_gradients_of_complex_products_and_quotients():
    a, b = [1 + 1j], [0.5j]
    np.testing.assert_allclose(gradients(ops.multiply, a, b), [[-0.5j], [1 - 1j]])
    np.testing.assert_allclose(gradients(ops.divide, a, b), [[2j], [4 - 4j]])
    np.testing.assert_allclose(gradients(ops.divide_no_nan, a, b), [[2j], [4 - 4j]])
    np.testing.assert_allclose(gradients(ops.reciprocal, a), [[-0.5j]], atol=1e-15)


def test_dtypes_refused():
    for op, x in [(ops.negative, constant(1, "uint8")), (ops.abs_, "a"), (ops.square, True), (ops.sign, True)]:
        with pytest.raises(errors.InvalidArgumentError, match="not in the list of allowed values"):
            op(x)
    with pytest.raises(errors.InvalidArgumentError, match="allowed values"):
        ops.subtract(True, False)
    for x in (True, "a"):
        with pytest.raises(TypeError):
            ops.conj(x)


def test_half_precision():
    for dtype in ("float16", "bfloat16"):
        x = constant([0.5, -2.0], dtype)
        for got, wanted in [
            (ops.add(x, x), [1, -4]),
            (ops.multiply(x, x), [0.25, 4]),
            (ops.divide(x, x), [1, 1]),
            (ops.maximum(x, 0), [0.5, 0]),
            (ops.pow_(x, 2), [0.25, 4]),
            (ops.abs_(x), [0.5, 2]),
            (ops.squared_difference(x, 1), [0.25, 9]),
        ]:
            assert got.dtype == dtype
            assert got.numpy().astype("float32").tolist() == wanted


# -- sums of many ------------------------------------------------------------------------------------------------------


def test_add_n():
    same(ops.add_n([1, 2]), 3, "int32")
    same(ops.add_n([[1.0, 2.0], constant([3.0, 4.0]), constant([5.0, 6.0])]), [9.0, 12.0])
    x = constant([[1.0, 2.0]])
    assert ops.add_n([x]) is x
    assert gradients(lambda a, b: ops.add_n([a, b, a]), 1.0, 2.0) == [2.0, 1.0]


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ([], ValueError),
        ([constant(1.0), constant(2)], errors.InvalidArgumentError),
        ([constant([1.0]), constant(2.0)], errors.InvalidArgumentError),
        (["a", "b"], errors.InvalidArgumentError),
        ([True], errors.InvalidArgumentError),
        (3, TypeError),
    ],
)
def test_add_n_refuses(inputs, error):
    with pytest.raises(error):
        ops.add_n(inputs)


def test_accumulate_n():
    same(ops.accumulate_n([[1.0, 2.0], [3.0, 4.0]], shape=[2], tensor_dtype="float32"), [4.0, 6.0])
    for inputs, more, error in [
        ([], {}, ValueError),
        ([constant([1.0])], {"shape": [3]}, ValueError),
        ([constant([1.0])], {"tensor_dtype": "int32"}, TypeError),
        ([constant([1.0]), constant([1])], {}, ValueError),
    ]:
        with pytest.raises(error):
            ops.accumulate_n(inputs, **more)


def test_polyval_and_scalar_mul():
    same(ops.polyval([2.0, -1.0, 3.0], [0.0, 2.0]), [3.0, 9.0])
    same(ops.polyval([1, 2], 2), 4, "int32")
    same(ops.polyval([], 2.0), 0.0)
    assert gradients(lambda x: ops.polyval([2.0, x, 1.0], x), 3.0) == [18.0]  # 3 x^2 + 1
    with pytest.raises(ValueError, match="list"):
        ops.polyval(3.0, 2.0)
    same(ops.scalar_mul(2.0, constant([1.0, 2.0])), [2.0, 4.0])
    scaled = ops.scalar_mul(2.0, IndexedSlices(constant([[1.0, 3.0]]), constant([0])))
    same(scaled.values, [[2.0, 6.0]])
    with pytest.raises(ValueError, match="0-D"):
        ops.scalar_mul([2.0], constant([1.0]))
