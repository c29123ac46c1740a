"""Random ops with hidden state, against numbers recorded from TensorFlow 2.21."""

import threading

import numpy as np
import pytest

from tapeflow import random
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.shapes import TensorShape


@pytest.fixture(autouse=True)
def _seeded():
    random.set_seed(1)
    yield
    random.set_seed(None)


def near(*values):
    return pytest.approx(values, rel=2e-6)


def flat(tensor):
    return np.asarray(tensor, np.float64).reshape(-1).tolist()


def test_uniform():
    assert flat(random.uniform([2])) == near(0.1651308536529541, 0.9014812707901001)
    random.set_seed(1)
    assert flat(random.uniform([2], 5, 1)) == near(4.339476585388184, 1.3940749168395996)
    random.set_seed(1)
    assert flat(random.uniform([2], dtype="float16")) == [0.751953125, 0.9345703125]
    random.set_seed(1)
    assert flat(random.uniform([1], [0.0, 1.0, 2.0], [3.0])) == near(0.4953925609588623, 1.3302617, 2.1651309)
    assert flat(random.uniform([2], minval=1)) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("seed", "first"), [(3, 0.7787855863571167), (-3, 0.3134012222290039), (2**40, 0.41232216358184814)]
)
def test_op_seeds(seed, first):
    for given in (seed, constant(seed), np.int64(seed), float(seed)):
        random.set_seed(1)
        assert float(random.uniform([2], seed=given)[0]) == pytest.approx(first, rel=1e-6)


def test_integers():
    random.set_seed(7)
    assert random.uniform([6], 0, 100, "int32").numpy().dtype == np.int32
    random.set_seed(1)
    wide = random.uniform([2], minval=1, maxval=np.int64(2**40), dtype="int64")
    assert wide.numpy().tolist() == [812121495142, 228513872739]
    values = random.uniform([500], -3, 4, "int32").numpy()
    assert set(values.tolist()) == set(range(-3, 4))
    assert random.uniform([0], 0, 0, "int32").shape == (0,)


def test_normal_broadcasts_its_parameters():
    assert flat(random.normal([2], mean=1)) == near(-0.10122025012969971, 2.5457515716552734)
    random.set_seed(1)
    both = random.normal([2], mean=[1.0, 2.0], stddev=[[1.0], [2.0]])
    assert both.shape == (2, 2)
    assert flat(both) == near(-0.10122025012969971, 3.5457515716552734, -1.2024405002593994, 5.091503143310547)
    random.set_seed(1)
    assert flat(random.normal([2], dtype="float16")) == [-1.1015625, 1.5458984375]
    random.set_seed(1)
    assert flat(random.normal([2], dtype="bfloat16")) == [-1.1015625, 1.546875]


def test_truncated_normal():
    assert flat(random.truncated_normal([2], mean=1, stddev=2)) == near(-1.2024405002593994, 4.091503143310547)
    values = random.truncated_normal([2000], seed=3).numpy()
    assert np.abs(values).max() < 2
    assert abs(values.mean()) < 0.06


def test_gamma():
    assert flat(random.gamma([2], 1.0)) == near(0.048973411321640015, 0.5779471397399902)
    random.set_seed(1)
    assert flat(random.gamma([2], [1.0, 2.0])) == near(0.0489734113, 0.7403690219, 0.5779471397, 3.2617721558)
    random.set_seed(1)
    scaled = random.gamma([2], [[1.0], [2.0]], beta=[1.0, 2.0, 3.0])
    assert scaled.shape == (2, 2, 3)
    assert flat(scaled)[:4] == near(0.048973411321640015, 0.600936770439148, 0.2853834331, 2.0864083767)
    assert flat(random.gamma([1], 0.0)) == [np.finfo(np.float32).tiny]
    assert np.isnan(random.gamma([1], -1.0).numpy()).all()
    random.set_seed(1)
    assert flat(random.gamma([2], 2.0, dtype="float16")) == [4.30078125, 0.9453125]


def test_poisson():
    assert flat(random.poisson([2], [1.0, 20.0])) == [0, 23, 1, 27]
    random.set_seed(1)
    counts = random.poisson([2], 1.0, dtype="int32")
    assert counts.numpy().dtype == np.int32
    assert flat(counts) == [0, 1]
    assert flat(random.poisson([2], -1.0)) == [0, 0]


def test_shuffle():
    assert flat(random.shuffle([1, 2, 3])) == [1, 3, 2]
    random.set_seed(1)
    assert random.shuffle(["a", "b", "c"]).numpy().tolist() == [b"a", b"c", b"b"]
    assert random.shuffle([[1, 2], [3, 4]], seed=2).numpy().tolist() == [[3, 4], [1, 2]]
    assert float(random.shuffle(3.0)) == 3.0
    assert random.shuffle([]).shape == (0,)


def test_shuffle_puts_gradients_back_in_the_old_order():
    x = constant(np.arange(6.0))
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = random.shuffle(x, seed=4)
    gradient = tape.gradient(y, x, output_gradients=constant(np.arange(6.0))).numpy()
    random.set_seed(1)
    order = random.shuffle(np.arange(6), seed=4).numpy()
    assert gradient[order].tolist() == [0, 1, 2, 3, 4, 5]


def test_categorical():
    assert random.categorical([[1.0, 2.0]], 3).numpy().tolist() == [[1, 0, 1]]
    random.set_seed(1)
    assert random.categorical([[1.0, 2.0]], constant(2), dtype="int32").numpy().tolist() == [[1, 0]]
    assert random.categorical(np.zeros((0, 3), np.float32), 3).shape == (0, 3)
    assert random.categorical([[1.0, 2.0]], 0).shape == (1, 0)
    only = random.categorical([[0.0, -np.inf, -np.inf]], 50).numpy()
    assert only.tolist() == [[0] * 50]


def test_the_order_of_calls_is_the_sequence():
    random.set_seed(5)
    assert flat(random.gamma([2], [0.5, 1.0, 30.0]))[:3] == near(4.144339561, 0.7152107954, 35.03097915649414)
    assert flat(random.gamma([2, 1], [[2.0], [3.0]], [1.0, 4.0], seed=2))[:4] == near(
        4.187982559, 0.2473609298, 1.407790184, 0.4629458785
    )
    assert flat(random.poisson([2], [0.5, 5.0, 50.0])) == [0, 8, 45, 0, 6, 42]
    assert flat(random.poisson([3], 7.0, "int64", seed=1)) == [2, 7, 8]
    assert flat(random.categorical([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]], 5)) == [1, 1, 2, 1, 2, 2, 2, 2, 2, 2]
    assert flat(random.categorical([[1.0, 2.0, 0.0]], 5, "int32", seed=7)) == [1, 0, 1, 0, 0]
    assert flat(random.categorical([[1.0, 2.0, 0.0]], 5, "int32", seed=7)) == [1, 1, 1, 1, 2]


def test_every_op_takes_one_seed_of_the_sequence():
    expected = near(0.22652864456176758, 0.8106552958488464)
    ops = [
        lambda: random.normal([2]),
        lambda: random.normal([0]),
        lambda: random.shuffle(3),
        lambda: random.categorical(np.zeros((1, 3), np.float32), 0),
        lambda: random.gamma([2], 1.0),
    ]
    for op in ops:
        random.set_seed(5)
        op()
        assert flat(random.normal([2])) == expected
    random.set_seed(5)
    random.normal([2], seed=3)
    assert flat(random.normal([2])) == near(-0.18030665814876556, -0.9502862691879272)


@pytest.mark.parametrize(
    ("shape", "shares"),
    [
        (constant([2]), True),
        (np.array([2], np.int32), True),
        ([np.int64(2)], True),
        (TensorShape([2]), True),
        ((2,), True),
        (constant([2], "int64"), False),
        (np.array([2]), False),
    ],
)
def test_the_dtype_of_the_shape_names_the_stream(shape, shares):
    random.uniform([2], seed=3)
    second = flat(random.uniform(shape, seed=3))
    random.set_seed(1)
    assert (second != flat(random.uniform(shape, seed=3))) == shares


def test_what_shares_a_stream():
    logits = np.zeros((1, 100), np.float32)
    pairs = [
        (lambda: random.gamma([2], 1.0, seed=3), lambda: random.gamma([2], 2.0, seed=3), True),
        (lambda: random.gamma([2], 1.0, dtype="float64", seed=3), lambda: random.gamma([2], 2.0, seed=3), False),
        (
            lambda: random.poisson([2], 30.0, seed=3),
            lambda: random.poisson([2], constant(30.0, "float64"), seed=3),
            True,
        ),
        (lambda: random.poisson([2], 30.0, "int32", seed=3), lambda: random.poisson([2], 30.0, seed=3), False),
        (lambda: random.categorical(logits, 8, seed=3), lambda: random.categorical(logits, 4, seed=3), True),
        (lambda: random.categorical(logits, 8, "int32", seed=3), lambda: random.categorical(logits, 8, seed=3), False),
        (lambda: random.normal([2], seed=3), lambda: random.truncated_normal([2], seed=3), False),
    ]
    for first, second, shares in pairs:
        random.set_seed(1)
        first()
        after = flat(second())
        random.set_seed(1)
        assert (after != flat(second())) == shares


def test_threads_share_a_stream_without_repeating():
    drawn = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(flat(random.uniform([50], seed=8)) for _ in range(5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(values) for values in drawn}) == 20


def test_without_a_seed_numbers_do_not_repeat():
    random.set_seed(None)
    assert flat(random.uniform([4])) != flat(random.uniform([4]))


def test_gradients_flow_to_the_parameters():
    low, high, scale = constant(1.0), constant([2.0, 3.0, 4.0]), constant(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch([low, high, scale])
        flatly = random.uniform([3], low, high, seed=2)
        bell = random.normal([3], low, high, seed=2)
        waiting = random.gamma([2], high, scale, seed=2)
    unit = (flatly.numpy() - 1) / (high.numpy() - 1)
    assert flat(tape.gradient(flatly, high)) == pytest.approx(unit.tolist(), rel=1e-5)
    assert float(tape.gradient(flatly, low)) == pytest.approx(3 - unit.sum(), rel=1e-5)
    assert float(tape.gradient(bell, low)) == 3
    assert flat(tape.gradient(bell, high)) == pytest.approx(((bell.numpy() - 1) / high.numpy()).tolist(), rel=1e-5)
    assert float(tape.gradient(waiting, scale)) == pytest.approx(-waiting.numpy().sum() / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: random.uniform([2], 5, 1, "int32"), errors.InvalidArgumentError, "minval < maxval"),
        (lambda: random.uniform([2], 0, [3, 4], "int32"), errors.InvalidArgumentError, "maxval must be 0-D"),
        (lambda: random.uniform([2], dtype="int32"), ValueError, "maxval"),
        (lambda: random.uniform([2], 0.0, 3.0, "int32"), TypeError, "int32"),
        (lambda: random.uniform([2], dtype="uint8"), ValueError, "uint8"),
        (lambda: random.uniform([2], [0.0, 1.0, 2.0]), errors.InvalidArgumentError, "Incompatible"),
        (lambda: random.uniform([2], constant(1.0), dtype="float64"), ValueError, "float64"),
        (lambda: random.uniform([-1]), errors.InvalidArgumentError, "-1"),
        (lambda: random.uniform([2.0]), errors.InvalidArgumentError, "int32"),
        (lambda: random.uniform(3), errors.InvalidArgumentError, "vector"),
        (lambda: random.uniform([[2]]), errors.InvalidArgumentError, "vector"),
        (lambda: random.uniform(None), ValueError, "None"),
        (lambda: random.uniform(TensorShape([2, None])), ValueError, "partially known"),
        (lambda: random.uniform([2], seed="a"), TypeError, "seed"),
        (lambda: random.normal([2], dtype="int32"), TypeError, "int32"),
        (lambda: random.normal([2], dtype="complex64"), errors.InvalidArgumentError, "complex64"),
        (lambda: random.gamma([2], [1.0, 2.0], [1.0, 2.0, 3.0]), errors.InvalidArgumentError, "Incompatible"),
        (lambda: random.gamma(constant([2], "int64"), 1.0), ValueError, "int32"),
        (lambda: random.poisson([2], 1.0, "uint8"), errors.InvalidArgumentError, "uint8"),
        (lambda: random.categorical([1.0, 2.0], 3), errors.InvalidArgumentError, "matrix"),
        (lambda: random.categorical([[]], 3), errors.InvalidArgumentError, "num_classes"),
        (lambda: random.categorical([[1.0, 2.0]], -1), errors.InvalidArgumentError, "non-negative"),
        (lambda: random.categorical([[1.0, 2.0]], [2]), errors.InvalidArgumentError, "scalar"),
        (lambda: random.categorical([[1.0, 2.0]], 2.5), TypeError, "2.5"),
        (lambda: random.categorical([[1, 2]], 2), errors.NotFoundError, "int32"),
        (lambda: random.categorical([[True]], 2), errors.InvalidArgumentError, "bool"),
        (lambda: random.categorical([[1.0, 2.0]], 2, "float32"), ValueError, "float32"),
        (lambda: random.set_seed([1]), TypeError, "seed"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_missing_name_offers_the_nearest():
    with pytest.raises(AttributeError, match="tf.random.unifrom"):
        random.unifrom  # noqa: B018
