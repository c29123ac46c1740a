"""TensorFlow's own initializers, against values recorded from TensorFlow 2.21."""

import numpy as np
import pytest

from tapeflow import random
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.ops.initializers import (
    Initializer,
    constant_initializer,
    ones_initializer,
    random_normal_initializer,
    random_uniform_initializer,
    zeros_initializer,
)


def flat(tensor):
    return np.asarray(tensor).reshape(-1).tolist()


def near(*values):
    return pytest.approx(values, rel=2e-6)


def test_seeded_ones_repeat():
    initializer = random_normal_initializer(seed=4)
    for _ in range(2):
        assert flat(initializer([2])) == near(-0.02909243479371071, 0.043267954140901566)
    assert flat(random_uniform_initializer(seed=1)([2])) == near(0.0378488190472126, -0.004001975059509277)
    assert flat(random_uniform_initializer(0, 10, seed=1)([2], "int32")) == [9, 4]
    assert flat(random_normal_initializer(1, 2, seed=1)([2], "float64")) == near(-4.064173331451338, 2.727844740080905)


def test_the_others_follow_the_global_seed():
    random.set_seed(1)
    initializer = random_normal_initializer()
    assert flat(initializer([2])) == near(-0.055061012506484985, 0.07728758454322815)
    assert flat(initializer([2])) == near(0.020154394209384918, -0.05440104007720947)
    random.set_seed(None)


def test_fills():
    assert flat(zeros_initializer()([2])) == [0.0, 0.0]
    assert flat(ones_initializer()([2], "bool")) == [True, True]
    assert zeros_initializer()([], "int32").dtype == "int32"
    assert flat(zeros_initializer()([2], partition_shape=[1], partition_offset=[0])) == [0.0]


def test_constants():
    assert constant_initializer(3)([2]).dtype == "int32"
    assert constant_initializer([1, 2, 3, 4])([2, 2]).numpy().tolist() == [[1, 2], [3, 4]]
    assert constant_initializer(np.arange(4.0))([2, 2]).dtype == "float64"
    assert flat(constant_initializer("a")([2], "string")) == [b"a", b"a"]
    part = constant_initializer([3, 4], support_partition=True)([2], partition_shape=[1], partition_offset=[1])
    assert flat(part) == [3, 4]


@pytest.mark.parametrize(
    "initializer",
    [
        zeros_initializer(),
        constant_initializer([1, 2]),
        random_normal_initializer(1.0, 2.0, 3),
        random_uniform_initializer(seed=1),
    ],
)
def test_configurations(initializer):
    assert isinstance(initializer, Initializer)
    config = initializer.get_config()
    assert type(initializer).from_config({**config, "dtype": "float32"}).get_config() == config
    assert flat(type(initializer).from_config(config)([2])) == flat(initializer([2]))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: zeros_initializer()([2], "string"), ValueError, "string"),
        (lambda: zeros_initializer()([-2]), errors.InvalidArgumentError, "-2"),
        (lambda: zeros_initializer()([2], foo=1), TypeError, "foo"),
        (lambda: random_uniform_initializer()([2], "bool"), ValueError, "bool"),
        (lambda: random_normal_initializer()([2], "int32"), ValueError, "floating"),
        (lambda: constant_initializer(None), TypeError, "NoneType"),
        (lambda: constant_initializer(constant(3.0)), TypeError, "Tensor"),
        (lambda: constant_initializer([1, 2, 3])([2]), TypeError, "shape"),
        (lambda: constant_initializer(3.5)([2], dtype="int32"), TypeError, "int32"),
        (lambda: constant_initializer(3)([4], partition_shape=[1]), ValueError, "partition"),
        (lambda: Initializer()([2]), TypeError, "__call__"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
