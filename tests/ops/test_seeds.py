"""Seeds: where each kind of random op begins in its stream, against numbers recorded from TensorFlow 2.21."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapeflow.ops import rejection, sampling, seeds

KERNEL = ("RandomUniform", "float32", "int32")


@pytest.fixture(autouse=True)
def _unseeded_afterwards():
    yield
    seeds.set_seed(None)


def uniform(shape, op_seed=None, kernel=KERNEL):
    blocks = seeds.blocks_for_outputs(int(np.prod(shape)))
    return sampling.uniform(shape, *seeds.reserve(kernel, op_seed, blocks)).reshape(-1).tolist()


def near(*values):
    return pytest.approx(values, rel=1e-6)


def test_pairs():
    seeds.set_seed(42)
    assert [seeds.get_seed(None) for _ in range(3)] == [(42, 478163327), (42, 107420369), (42, 1181241943)]
    assert seeds.get_seed(9) == (42, 9)
    seeds.set_seed(-5)
    assert seeds.get_seed(-3) == (2147483642, 2147483644)
    assert seeds.get_seed(None) == (2147483642, 1097127993)
    seeds.set_seed(2**40 + 5)
    assert seeds.get_seed(2**33) == (517, 4)
    assert seeds.get_seed(None) == (517, 1153647273)
    seeds.set_seed(np.int64(7))
    assert seeds.get_seed(None) == (7, 1390851128)
    seeds.set_seed(2**31 - 1)
    assert seeds.get_seed(0) == (0, 2**31 - 1)
    seeds.set_seed(None)
    assert seeds.get_seed(None) == (None, None)
    assert seeds.get_seed(3) == (87654321, 3)
    assert seeds.global_seed() is None


def test_global_seed_gives_every_call_a_stream():
    seeds.set_seed(42)
    assert uniform((3,)) == near(0.6645621, 0.44100678, 0.3528825)
    assert uniform((2, 2)) == near(0.68789124, 0.48447883, 0.9309944, 0.252187)
    assert uniform((5,), 9) == near(0.79607403, 0.49815786, 0.67241085, 0.17330217, 0.07276583)
    assert uniform((2,), 9) == near(0.6792673, 0.6556182)


def test_op_seed_continues_until_set_seed():
    seeds.set_seed(1)
    first, second = uniform((3,), 9), uniform((3,), 9)
    assert first == near(0.30953991, 0.53644264, 0.18752158)
    assert second == near(0.87803960, 0.94262779, 0.24303889)
    seeds.set_seed(1)
    assert uniform((0,), 9) == []
    assert uniform((3,), 9, ("RandomUniform", "float32", "int64")) == first
    assert uniform((3,), 9 + 2**31 - 1) == first
    assert uniform((3,), 9) == second


def test_categorical_and_shuffle_reserve_amounts_of_their_own():
    seeds.set_seed(7)
    logits = np.array([[0.0, 1.0, 2.0]], np.float32)
    blocks = seeds.blocks_for_categorical(1, 5)
    draws = [sampling.categorical(logits, 5, *seeds.reserve("Multinomial", 3, blocks)).tolist() for _ in range(2)]
    assert draws == [[[1, 2, 2, 0, 2]], [[2, 1, 2, 2, 2]]]
    blocks = seeds.blocks_for_shuffle(7)
    orders = [sampling.permutation(7, *seeds.reserve("RandomShuffle", 1, blocks)).tolist() for _ in range(2)]
    assert orders == [[1, 4, 5, 3, 2, 0, 6], [1, 0, 3, 4, 5, 2, 6]]
    assert [seeds.blocks_for_shuffle(rows) for rows in (0, 1, 2, 5, 6, 257)] == [0, 0, 1, 1, 2, 64]


def test_without_any_seed_nothing_repeats():
    assert uniform((4,)) != uniform((4,))
    assert seeds.GraphSeeds().node(None).reserve(1) != seeds.GraphSeeds().node(None).reserve(1)


def test_reservations_from_threads_never_overlap():
    seeds.set_seed(1)
    begins = []
    workers = [
        threading.Thread(target=lambda: begins.extend(seeds.reserve(KERNEL, 5, 10)[1] for _ in range(200)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(begin - (5 << 64) for begin in begins) == list(range(0, 8000, 10))


def test_set_seed_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="set_seed: seed must be an integer or None, got 'a'"):
        seeds.set_seed("a")


def test_nodes_of_a_graph_number_themselves_and_keep_their_place():
    seeds.set_seed(3)
    graph = seeds.GraphSeeds()
    nodes = [graph.node(None), graph.node(None), graph.node(5)]
    assert [node.pair for node in nodes] == [(3, 0), (3, 1), (3, 5)]

    def run():
        return [sampling.uniform((2,), *node.reserve(seeds.blocks_for_outputs(2))).tolist() for node in nodes]

    first, second = run(), run()
    assert first[0] == near(0.12736404, 0.81469131)
    assert first[1] == near(0.77806914, 0.50528848)
    assert first[2] == near(0.39766920, 0.84256816)
    assert second[0] == near(0.88987064, 0.66275668)
    assert second[2] == near(0.94872642, 0.52278328)
    seeds.set_seed(4)
    assert run() == first


def test_stateless_streams():
    assert seeds.stateless_stream([1, 2]) == (10413732777507651514, 17830669156045600267 << 64)
    assert seeds.stateless_stream(np.array([0, 0])) == (16103252647613272195, 18388005586443337812 << 64)
    assert seeds.stateless_stream(np.array([-1, 5], np.int32)) == (14871329193082503880, 13010662996493797292 << 64)
    with pytest.raises(ValueError, match=r"must have shape \[2\], got \[3\]"):
        seeds.stateless_stream([1, 2, 3])


def test_split_and_fold_in():
    seed = np.array([1, 2], np.int32)
    expected = [[1105988140, 1738052849], [-335576002, 370444179], [10670227, -246211131]]
    assert seeds.split(seed, 3).tolist() == expected
    assert seeds.split(seed).dtype == np.int32
    wide = seeds.split(seed.astype(np.int64), 1)
    assert wide.tolist() == [[7464880146280614444, 1591045637757961278]]
    folded = seeds.fold_in(seed, np.int32(5))
    assert (folded.dtype, folded.tolist()) == (np.int32, [1105988140, 5])
    assert seeds.fold_in(seed, np.int64(9)).tolist() == [7464880146280614444, 9]


@pytest.mark.parametrize(
    ("seed", "state"),
    [
        (5, [5, 0, 0]),
        (-1, [-1, -1, -1]),
        (-(2**70), [0, -64, -1]),
        (2**100 + 7, [7, 2**36, 0]),
        (2**63 + 1, [-(2**63) + 1, 0, 0]),
        ([1, 2], [0, 1, 2]),
        ([1, 2, 3, 4], [1, 2, 3]),
        (np.int64(9), [0, 0, 9]),
        ([2**63 + 5], [0, 0, -(2**63) + 5]),
    ],
)
def test_generator_states_from_seeds(seed, state):
    assert seeds.state_from_seed(seed).tolist() == state


def test_generator_draws_and_skips():
    state = seeds.state_from_state([1, 2, 3])
    values = sampling.normal((3,), *seeds.state_stream(state))
    np.testing.assert_allclose(values, [-0.26016375, -1.220522, -0.26770854], rtol=1e-6)
    assert seeds.skip(state, 3).tolist() == [769, 2, 3]
    assert seeds.skip(np.array([-256, -1, 4]), 1).tolist() == [0, 0, 4]
    assert seeds.skip(np.array([4932, 1, 0]), -1).tolist() == [4676, 1, 0]


def test_generator_binomial_skips_an_amount_of_its_own():
    state = seeds.state_from_seed(5)
    assert rejection.binomial((3,), 10.0, 0.5, *seeds.state_stream(state)).tolist() == [5, 5, 4]
    assert seeds.skip_blocks(state, seeds.blocks_for_binomial(1, 3)).tolist() == [76805, 0, 0]


def test_generator_splits_and_makes_seeds():
    state = seeds.state_from_seed(5)
    states, after = seeds.split_states(state, 2)
    assert after.tolist() == [517, 0, 0]
    assert states.tolist() == [[0, 0, 511886651086640123], [0, 0, 6557199171514225562]]
    made, after = seeds.make_seeds(state, 2)
    assert made.tolist() == [[511886651086640123, 6557199171514225562], [0, 0]]
    assert after.tolist() == [517, 0, 0]


def test_generator_states_are_checked():
    assert seeds.state_from_key_counter(7, [1, -2]).tolist() == [1, -2, 7]
    with pytest.raises(ValueError, match=r"counter have shape \[2\], got shapes \[\] and \[3\]"):
        seeds.state_from_key_counter(7, [1, 2, 3])
    with pytest.raises(ValueError, match=r"shape \[3\], got \[2\]"):
        seeds.state_from_state([1, 2])
    assert seeds.nondeterministic_state().tolist() != seeds.nondeterministic_state().tolist()


def test_replicas_have_keys_of_their_own():
    state = seeds.state_from_state([1, 2, 3])
    streams = [seeds.state_stream(state, replica) for replica in (None, 0, 1)]
    assert len({key for key, _ in streams}) == 3
    assert {counter for _, counter in streams} == {1 | 2 << 64}
    assert streams[1][0] == int(sampling.uniform_full_int((), 3, 0, np.uint64))


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**40), st.integers(0, 2**40))
def test_skips_add_up(low, first, second):
    state = np.array([low, 5, 6])
    np.testing.assert_array_equal(seeds.skip(seeds.skip(state, first), second), seeds.skip(state, first + second))
