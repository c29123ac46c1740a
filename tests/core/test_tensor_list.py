"""Lists that go through graphs: what is written to one is not seen in another, whatever is asked for in which order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tapeflow.core.tensor_list import ZERO, Kept, TensorList

STEPS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["put", "erase", "look"]), st.integers(0, 4)), max_size=30
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_every_list_keeps_what_it_had(steps):
    lists, models = [TensorList(3)], [{}]
    for which, what, index in steps:
        which %= len(lists)
        if what == "look":
            assert lists[which].entries == models[which]
            continue
        model = dict(models[which])
        if what == "put":
            model[index] = float(len(lists))
            made = lists[which].with_entry(index, model[index])
        else:
            model.pop(index, None)
            made = lists[which].with_entry(index)
        lists.append(made)
        models.append(model)
    assert [made.entries for made in lists] == models
    assert ZERO.entries == {}


def test_writing_in_a_row_copies_nothing():
    made = TensorList(0).with_entry(0, np.float32(0))
    entries = made.entries
    for i in range(1, 50):
        made = made.with_entry(i, np.float32(i))
    assert made.entries is entries and made.size == 50 and made.nbytes == 200


def test_sums():
    a = TensorList(3, {0: 1.0, 2: 2.0})
    b = TensorList(4, {2: 10.0, 3: 5.0})
    assert (a + b).entries == {0: 1.0, 2: 12.0, 3: 5.0} and (a + b).size == 4
    assert a.entries == {0: 1.0, 2: 2.0} and b.entries == {2: 10.0, 3: 5.0}
    stack = Kept(Kept(ZERO, (1.0, None)), (2.0, 3.0))
    assert list(stack + stack) == [(4.0, 6.0), (2.0, None)]
    assert (stack + ZERO) is stack and (ZERO + stack) is stack
