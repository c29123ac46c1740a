"""Philox: the published known answers, and that a stream may be cut anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapeflow.ops import philox

KEYS = st.integers(0, 2**64 - 1)
COUNTERS = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(-300, 300).map(lambda near: (2**32 + near) % 2**128),
    st.integers(-300, 300).map(lambda near: (2**64 + near) % 2**128),
    st.integers(-300, 300).map(lambda near: near % 2**128),
)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        (0, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (2**128 - 1, 2**64 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            0x0370734413198A2E85A308D3243F6A88,
            0x299F31D0A4093822,
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_known_answers_of_the_paper(counter, key, words):
    assert philox.philox_words(key, counter, 4).tolist() == words
    at_offset = philox.philox_blocks_at(key, counter, np.zeros(300, np.uint64))
    np.testing.assert_array_equal(at_offset, np.tile(np.array(words, np.uint32), (300, 1)))


@settings(max_examples=40, deadline=None)
@given(KEYS, COUNTERS, st.integers(0, 300), st.integers(0, 300))
def test_skipping_equals_concatenation(key, counter, first, second):
    whole = philox.philox_blocks(key, counter, first + second)
    parts = [philox.philox_blocks(key, counter, first), philox.philox_blocks(key, counter + first, second)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@settings(max_examples=40, deadline=None)
@given(KEYS, COUNTERS, st.lists(st.integers(0, 2**63), min_size=1, max_size=5), st.sampled_from([1, 70]))
def test_blocks_at_offsets_are_the_blocks_there(key, counter, offsets, repeats):
    got = philox.philox_blocks_at(key, counter, np.array(offsets * repeats, np.uint64))
    expected = np.concatenate([philox.philox_blocks(key, counter + offset, 1) for offset in offsets])
    np.testing.assert_array_equal(got, np.tile(expected, (repeats, 1)))


def test_many_blocks_agree_with_few():
    blocks = philox.philox_blocks(7, 2**32 - 5000, 10000)
    for start in (0, 1, 4095, 4096, 4999, 5000, 9990):
        np.testing.assert_array_equal(blocks[start : start + 10], philox.philox_blocks(7, 2**32 - 5000 + start, 10))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 1001])
def test_words_are_the_blocks_in_order(count):
    words = philox.philox_words(3, 9, count)
    assert words.dtype == np.uint32
    np.testing.assert_array_equal(words, philox.philox_blocks(3, 9, (count + 3) // 4).reshape(-1)[:count])
