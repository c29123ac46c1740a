"""`tf.random.Generator`, against numbers recorded from TensorFlow 2.21."""

import copy
import threading

import numpy as np
import pytest

from tapeflow import random
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.variable import Variable
from tapeflow.random import Generator


def near(*values):
    return pytest.approx(values, rel=2e-6)


def flat(tensor):
    return np.asarray(tensor.numpy()).reshape(-1).tolist()


@pytest.mark.parametrize(
    ("seed", "state"),
    [
        (5, [5, 0, 0]),
        (-1, [-1, -1, -1]),
        (2**100, [0, 2**36, 0]),
        (np.int64(9), [0, 0, 9]),
        (constant(7), [0, 0, 7]),
        ([1, 2], [0, 1, 2]),
        ([[1, 2]], [0, 1, 2]),
        ([1, 2, 3, 4], [1, 2, 3]),
        ([], [0, 0, 0]),
        (1.5, [0, 0, 1]),
    ],
)
def test_states_of_seeds(seed, state):
    assert flat(Generator.from_seed(seed).state) == state
    assert flat(random.create_rng_state(seed, "philox")) == state
    generator = Generator.from_seed(3)
    generator.reset_from_seed(seed)
    assert flat(generator.state) == state


def test_other_beginnings():
    generator = Generator.from_key_counter(1, [2, 3], "philox")
    assert flat(generator.state) == [2, 3, 1]
    assert int(generator.key) == 1
    assert generator.algorithm == 1
    assert flat(Generator.from_state([1.0, 2.0, 3.0], alg="auto_select").state) == [1, 2, 3]
    assert flat(Generator.from_state([2**64 - 1, 0, 2**63], alg="philox").state) == [-1, 0, -(2**63)]
    assert flat(Generator.from_non_deterministic_state().state) != flat(Generator.from_non_deterministic_state().state)
    assert Generator.from_seed(1, alg=3).algorithm == 3


def test_a_given_variable_is_shared_and_a_copy_is_not():
    state = Variable(np.array([1, 2, 3]))
    first, second = Generator.from_state(state, "philox"), Generator.from_state(state, "philox")
    other = Generator(copy_from=first)
    first.normal([2])
    assert flat(second.state) == [513, 2, 3]
    assert flat(other.state) == [1, 2, 3]
    assert not other.state.trainable


def test_draws_follow_each_other():
    generator = Generator.from_seed(1234)
    assert flat(generator.normal([2])) == near(0.9356608986854553, 1.0854305028915405)
    assert flat(generator.uniform([2], 1, 9, "int64")) == [2, 1]
    assert flat(generator.truncated_normal([2], 1.0, 2.0)) == near(-1.5162179470062256, 0.13930851221084595)
    assert flat(generator.binomial([2, 2], [10.0, 50.0], [0.5, 0.2])) == [5, 9, 6, 7]
    assert flat(generator.state) == [130770, 0, 0]
    assert flat(generator.uniform_full_int([2], "int32")) == [339440383, -90328854]
    assert flat(generator.uniform([2], 2.0, 3.0)) == near(2.7683205604553223, 2.6599764823913574)
    assert flat(generator.state) == [131794, 0, 0]


def test_draws():
    def fresh():
        return Generator.from_seed(5)

    assert flat(fresh().normal([2], 1, 2)) == near(3.0557048320770264, 1.5594823360443115)
    assert flat(fresh().normal([2], dtype="float16")) == [1.0283203125, 0.27978515625]
    assert flat(fresh().uniform([2])) == near(0.5670160055160522, 0.20770859718322754)
    assert flat(fresh().uniform([2], 1, 5, "int32")) == [4, 3]
    assert flat(fresh().uniform([1], None, None, "uint32")) == flat(fresh().uniform_full_int([1], "uint32"))
    assert flat(fresh().uniform_full_int([2])) == [511886651086640123, 6557199171514225562]
    assert flat(fresh().binomial([2], 10.0, 0.5, dtype="float32")) == [5.0, 5.0]
    assert fresh().make_seeds(2).numpy().tolist() == [[511886651086640123, 6557199171514225562], [0, 0]]
    assert fresh().make_seeds(0).shape == (2, 0)
    assert [flat(g.state) for g in fresh().split(2)] == [[0, 0, 511886651086640123], [0, 0, 6557199171514225562]]


def test_skip_and_reset():
    generator = Generator.from_seed(5)
    assert flat(generator.skip(-3)) == [5, 0, 0]
    assert flat(generator.state) == [-763, 0, 0]
    generator.reset([1, 2, 3])
    assert flat(generator.state) == [1, 2, 3]
    generator.reset_from_key_counter(9, [1, 2])
    assert flat(generator.state) == [1, 2, 9]


def test_a_draw_refused_leaves_the_state():
    generator = Generator.from_seed(5)
    for refused in (
        lambda: generator.normal([-2]),
        lambda: generator.normal([2], dtype="int32"),
        lambda: generator.binomial([2, 3], [10.0, 20.0], 0.5),
        lambda: generator.make_seeds(-1),
    ):
        with pytest.raises((TypeError, errors.InvalidArgumentError)):
            refused()
    assert flat(generator.state) == [5, 0, 0]


def test_threads_do_not_repeat_each_other():
    generator, drawn = Generator.from_seed(5), []
    threads = [threading.Thread(target=lambda: drawn.append(tuple(flat(generator.normal([3]))))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 12
    assert flat(generator.state) == [5 + 12 * 3 * 256, 0, 0]


def test_copies():
    generator = Generator.from_seed(5)
    twin = copy.deepcopy(generator)
    assert flat(generator.normal([2])) == flat(twin.normal([2]))


def test_the_global_generator():
    mine = Generator.from_seed(3)
    before = random.get_global_generator()
    assert before is random.get_global_generator()
    random.set_global_generator(mine)
    assert random.get_global_generator() is mine
    random.set_global_generator(before)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Generator(), AssertionError, "state"),
        (lambda: Generator(state=[1, 2, 3]), AssertionError, "alg"),
        (lambda: Generator(copy_from=Generator.from_seed(1), alg=1), AssertionError, "neither"),
        (lambda: Generator.from_state([1, 2], "philox"), ValueError, "\\[3\\]"),
        (lambda: Generator.from_seed("a"), errors.UnimplementedError, "string"),
        (lambda: Generator.from_seed(None), ValueError, "None"),
        (lambda: Generator.from_seed(1, alg="foo"), ValueError, "foo"),
        (lambda: Generator.from_seed(1, alg="threefry"), errors.InvalidArgumentError, "ThreeFry"),
        (lambda: Generator.from_key_counter([1], [2, 3], "philox"), ValueError, "scalar"),
        (lambda: Generator.from_key_counter(1, 2, "philox"), ValueError, "\\[2\\]"),
        (lambda: Generator.from_key_counter(1, [2, 3], None), TypeError, "alg"),
        (lambda: Generator.from_seed(5).reset([1, 2]), ValueError, "\\[3\\]"),
        (lambda: Generator.from_seed(5).skip([3]), errors.InvalidArgumentError, "shape \\[\\]"),
        (lambda: Generator.from_seed(5).uniform([2], 1, dtype="int32"), ValueError, "both"),
        (lambda: Generator.from_seed(5).uniform([2], 1, 5, "uint32"), errors.NotFoundError, "uint32"),
        (lambda: Generator.from_seed(5).uniform([2], 1, 5, "uint8"), errors.InvalidArgumentError, "uint8"),
        (lambda: Generator.from_seed(5).uniform([2], dtype="complex64"), errors.InvalidArgumentError, "complex64"),
        (lambda: Generator.from_seed(5).uniform_full_int([2], "float32"), errors.InvalidArgumentError, "float"),
        (lambda: random.create_rng_state(5, None), TypeError, "alg"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
