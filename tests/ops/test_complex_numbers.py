"""Complex numbers: parts, angles, gradients along both axes, errors."""

import numpy as np
import pytest

from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.ops import arithmetic, operators, selection  # noqa: F401 - rules find their ops by name
from tapeflow.ops import complex_numbers as ops
from tests.gradients import check_gradients

Z = np.array([1 + 1j, -2 + 0.5j, 3 - 4j])


def test_parts():
    for dtype, part in (("complex64", "float32"), ("complex128", "float64")):
        z = constant(Z.astype(dtype))
        for got, wanted in [(ops.real(z), Z.real), (ops.imag(z), Z.imag), (ops.angle(z), np.angle(Z))]:
            assert got.dtype == part
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6)
        joined = ops.complex_(ops.real(z), ops.imag(z))
        assert joined.dtype == dtype
        np.testing.assert_array_equal(joined.numpy(), z.numpy())


def test_parts_of_real_numbers():
    x = constant([1.0, -1.0, 0.0, float("nan")])
    assert ops.real(x) is x
    assert ops.imag(x).numpy().tolist() == [0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(ops.angle(x).numpy(), [0.0, np.pi, 0.0, 0.0], rtol=1e-6)
    assert ops.real(1).dtype == "int32"


def test_infinite_parts_stay_what_they_are():
    z = ops.complex_(1.0, float("inf")).numpy()
    assert (z.real, z.imag) == (1.0, np.inf)


def test_gradients():
    for f in (ops.real, ops.imag, ops.angle, arithmetic.abs_, arithmetic.sign):
        check_gradients(f, Z)
    check_gradients(lambda z: ops.real(arithmetic.multiply(z, z)), Z)
    check_gradients(ops.complex_, np.array([[1.0], [2.0]]), np.array([3.0, 4.0, 5.0]))


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda: ops.real("a"), TypeError),
        (lambda: ops.real(True), TypeError),
        (lambda: ops.angle(1), TypeError),
        (lambda: ops.complex_(1, 2), TypeError),
        (lambda: ops.complex_(1.0, constant(2.0, "float64")), TypeError),
        (lambda: ops.complex_([1.0, 2.0], [1.0, 2.0, 3.0]), errors.InvalidArgumentError),
    ],
)
def test_errors(f, error):
    with pytest.raises(error):
        f()
