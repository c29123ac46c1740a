"""Static shapes: `tf.TensorShape`, `tf.TensorSpec`, and broadcasting. Expected values are TensorFlow's."""

import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapeflow.core import dtypes
from tapeflow.core.errors import InvalidArgumentError
from tapeflow.core.shapes import (
    TensorShape,
    as_shape,
    broadcast_shapes,
    broadcast_static_shape,
    shape_text,
)
from tapeflow.core.tensor import Tensor, wrap
from tapeflow.core.type_spec import TensorSpec, TypeSpec

UNKNOWN = TensorShape(None)


@pytest.mark.parametrize(
    ("given_dims", "dims"),
    [
        (None, None),
        (3, [3]),
        ([], []),
        ((2, None), [2, None]),
        (TensorShape([1, None]), [1, None]),
        (UNKNOWN, None),
        (np.int64(3), [3]),
        ([np.int32(3)], [3]),
        (np.array([2, 3]), [2, 3]),
        (np.array(4), [4]),
        (range(3), [0, 1, 2]),
        (iter([1, 2]), [1, 2]),
        ({1: "a"}, [1]),
        ([True], [1]),
        ("", []),
    ],
)
def test_construction(given_dims, dims):
    shape = TensorShape(given_dims)
    assert shape.dims == dims
    assert all(type(size) in (int, type(None)) for size in dims or ())


def test_a_tensor_gives_a_shape():
    assert TensorShape(wrap(np.int32(3))) == [3]


@pytest.mark.parametrize("dims", ["ab", "12", [2.5], [2.0], 2.5, [[1, 2]], [TensorShape([2])], object(), [None, "a"]])
def test_what_is_no_integer_is_a_type_error(dims):
    with pytest.raises(TypeError, match="must be an int or None"):
        TensorShape(dims)


@pytest.mark.parametrize("dims", [-1, [-1], [None, -1]])
def test_a_negative_dimension_is_a_value_error(dims):
    with pytest.raises(ValueError, match="Dimension -1 must be >= 0"):
        TensorShape(dims)


@pytest.mark.parametrize(
    ("dims", "as_repr", "as_str", "in_messages"),
    [
        (None, "TensorShape(None)", "<unknown>", "<unknown>"),
        ([], "TensorShape([])", "()", "[]"),
        ([3], "TensorShape([3])", "(3,)", "[3]"),
        ([2, None], "TensorShape([2, None])", "(2, None)", "[2,?]"),
    ],
)
def test_printing(dims, as_repr, as_str, in_messages):
    shape = TensorShape(dims)
    assert (repr(shape), str(shape), f"{shape}") == (as_repr, as_str, as_str)
    assert shape_text(shape.dims) == in_messages


@pytest.mark.parametrize(
    ("dims", "rank", "elements", "defined"),
    [
        (None, None, None, False),
        ([], 0, 1, True),
        ([2, 3], 2, 6, True),
        ([2, None], 2, None, False),
        ([0, None], 2, None, False),
        ([0, 4], 2, 0, True),
    ],
)
def test_rank_and_size(dims, rank, elements, defined):
    shape = TensorShape(dims)
    assert (shape.rank, shape.ndims, shape.num_elements(), shape.is_fully_defined()) == (rank, rank, elements, defined)


def test_a_known_rank_makes_a_shape_true():
    assert [bool(TensorShape(dims)) for dims in (None, [], [0])] == [False, True, True]


def test_as_a_sequence():
    shape = TensorShape([1, None, 3])
    assert (len(shape), list(shape), tuple(shape), shape.as_list()) == (3, [1, None, 3], (1, None, 3), [1, None, 3])
    assert (shape[0], shape[1], shape[-1], shape[np.int64(2)]) == (1, None, 3, 3)
    assert repr((shape[1:], shape[::-1], shape[5:], shape[1:1])) == (
        "(TensorShape([None, 3]), TensorShape([3, None, 1]), TensorShape([]), TensorShape([]))"
    )
    assert 3 in shape and 4 not in shape
    with pytest.raises(IndexError):
        shape[3]
    with pytest.raises(TypeError):
        shape["a"]


def test_numpy_takes_one():
    assert np.zeros(TensorShape([2, 3])).shape == (2, 3)


def test_an_unknown_rank_has_no_sequence():
    for use in (len, list, TensorShape.as_list, lambda shape: 1 in shape):
        with pytest.raises(ValueError, match="unknown rank"):
            use(UNKNOWN)


@pytest.mark.parametrize(
    ("key", "dims"),
    [
        (slice(0, 2), [None, None]),
        (slice(None, 3), [None] * 3),
        (slice(3, 1), []),
        (slice(1, None), None),
        (slice(None), None),
        (slice(-2, None), None),
        (slice(None, -1), None),
        (slice(-3, -1), None),
        (slice(1, -1), None),
    ],
)
def test_slices_of_an_unknown_rank(key, dims):
    assert repr(UNKNOWN[key]) == repr(TensorShape(dims))


def test_a_dimension_of_an_unknown_rank_is_unknown():
    assert UNKNOWN[0] is None and UNKNOWN[-1] is None
    with pytest.raises(ValueError, match="step"):
        UNKNOWN[0:4:2]


def test_equality():
    shape = TensorShape([1, 2])
    assert shape == [1, 2] and shape == (1, 2) and shape == TensorShape((1, 2)) and operator.eq([1, 2], shape)
    assert TensorShape([3]) == 3 and shape == np.array([1, 2])
    assert UNKNOWN == None and TensorShape(None) == UNKNOWN and TensorShape([None]) == [None]  # noqa: E711
    assert shape != [1, 3] and shape != None and shape != "ab" and shape != object() and shape != [2.5]  # noqa: E711
    assert shape != UNKNOWN and shape != -1 and operator.ne(shape, [1, 2]) is False


def test_hash_is_the_tuples():
    assert hash(TensorShape([1, 2])) == hash((1, 2))
    assert {TensorShape([1, None]): "found"}[TensorShape((1, None))] == "found"
    assert hash(TensorShape(None)) == hash(UNKNOWN)


@pytest.mark.parametrize("dims", [None, [], [2, None]])
def test_pickle_and_copy(dims):
    shape = TensorShape(dims)
    for again in (pickle.loads(pickle.dumps(shape)), copy.copy(shape), copy.deepcopy(shape)):
        assert type(again) is TensorShape and again.dims == dims


def test_concatenation():
    one = TensorShape([1])
    assert repr(one + TensorShape([2])) == repr(one + [2]) == repr(one.concatenate((2,))) == "TensorShape([1, 2])"
    assert repr([2, None] + one) == "TensorShape([2, None, 1])"
    assert repr(one + 3) == "TensorShape([1, 3])" and repr(3 + one) == "TensorShape([3, 1])"
    assert all(out.dims is None for out in (one + None, UNKNOWN + [1], None + one, one.concatenate(UNKNOWN)))
    with pytest.raises(TypeError, match="must be an int"):
        one + "a"


def test_compatibility():
    shape = TensorShape([1, None])
    assert shape.is_compatible_with([1, 2]) and shape.is_compatible_with(None) and UNKNOWN.is_compatible_with([1])
    assert not shape.is_compatible_with([1]) and not shape.is_compatible_with([2, 2])
    shape.assert_is_compatible_with([None, 3])
    with pytest.raises(ValueError, match=r"Shapes \(1, None\) and \(2,\) are incompatible"):
        shape.assert_is_compatible_with([2])


def test_merging():
    shape = TensorShape([1, None])
    assert shape.merge_with([None, 2]).dims == [1, 2]
    assert shape.merge_with(None).dims == UNKNOWN.merge_with(shape).dims == [1, None]
    for other in ([2, None], [1]):
        with pytest.raises(ValueError, match="are not compatible"):
            shape.merge_with(other)


def test_ranks():
    one = TensorShape([1])
    assert one.with_rank(1) is one and one.with_rank(None) is one
    assert UNKNOWN.with_rank(2).dims == [None, None]
    assert UNKNOWN.with_rank_at_least(2) is UNKNOWN and UNKNOWN.with_rank_at_most(2) is UNKNOWN
    assert one.with_rank_at_least(1) is one and one.with_rank_at_most(1) is one
    one.assert_has_rank(1)
    UNKNOWN.assert_has_rank(2)
    one.assert_same_rank([5])
    one.assert_same_rank(None)
    UNKNOWN.assert_same_rank([1])


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda shape: shape.with_rank(2), r"Shape \(1,\) must have rank 2"),
        (lambda shape: shape.assert_has_rank(2), r"Shape \(1,\) must have rank 2"),
        (lambda shape: shape.with_rank_at_least(2), r"Shape \(1,\) must have rank at least 2"),
        (lambda shape: shape.with_rank_at_most(0), r"Shape \(1,\) must have rank at most 0"),
        (lambda shape: shape.assert_same_rank([1, 2]), r"Shapes \(1,\) and \(1, 2\) must have the same rank"),
        (lambda shape: (shape + [None]).assert_is_fully_defined(), r"Shape \(1, None\) is not fully defined"),
        (lambda shape: (shape + None).assert_is_fully_defined(), "Shape <unknown> is not fully defined"),
    ],
)
def test_assertions_that_fail(check, message):
    with pytest.raises(ValueError, match=message):
        check(TensorShape([1]))


def test_a_fully_defined_shape_passes():
    TensorShape([1, 2]).assert_is_fully_defined()


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ([1, None], [1, 2], [1, None]),
        ([1, 2], [1, 2], [1, 2]),
        ([3, 2], [1, 2], [None, 2]),
        ([1, 2], [1], None),
        ([1], None, None),
        (None, None, None),
    ],
)
def test_most_specific_shapes(first, second, joined):
    first, second = TensorShape(first), TensorShape(second)
    assert first.most_specific_compatible_shape(second).dims == joined
    assert first.most_specific_common_supertype([second]).dims == joined


def test_supertypes_are_of_shapes_only():
    assert TensorShape([1]).most_specific_common_supertype([[1]]) is None
    assert TensorShape([1]).most_specific_common_supertype([]).dims == [1]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2], [1, None], True),
        ([1, None], [1, 2], False),
        ([1], None, True),
        (None, [1], False),
        (None, None, True),
        ([1, None], [1, None], True),
        ([1], [1, 2], False),
    ],
)
def test_subtypes(first, second, expected):
    assert TensorShape(first).is_subtype_of(TensorShape(second)) is expected


def test_a_list_has_no_subtypes():
    assert not TensorShape([1]).is_subtype_of([1])


def test_as_shape_keeps_a_shape():
    assert as_shape(UNKNOWN) is UNKNOWN
    assert as_shape([2]).dims == [2]


dimension = st.none() | st.integers(0, 3)
shapes = st.none() | st.lists(dimension, max_size=3)


@given(shapes, shapes)
def test_a_merge_is_a_subtype_of_both_and_both_of_the_join(first, second):
    first, second = TensorShape(first), TensorShape(second)
    if first.is_compatible_with(second):
        merged = first.merge_with(second)
        assert merged.is_subtype_of(first) and merged.is_subtype_of(second)
    joined = first.most_specific_compatible_shape(second)
    assert first.is_subtype_of(joined) and second.is_subtype_of(joined)


@given(st.lists(st.lists(st.integers(0, 3), max_size=3).map(tuple), max_size=3))
def test_broadcasting_known_shapes_is_numpys(dims):
    try:
        expected = np.broadcast_shapes(*dims)
    except ValueError:
        with pytest.raises(InvalidArgumentError, match="Incompatible shapes"):
            broadcast_shapes(*dims)
    else:
        assert broadcast_shapes(*dims) == expected


@pytest.mark.parametrize(
    ("first", "second", "out"),
    [
        ((None, 1), (1, 3), (None, 3)),
        ((None,), (3,), (3,)),
        ((None,), (None,), (None,)),
        ((None,), (1,), (None,)),
        ((None, None), (4,), (None, 4)),
        ((0,), (1,), (0,)),
        (None, (1,), None),
        ((2,), None, None),
    ],
)
def test_broadcasting_unknown_dimensions(first, second, out):
    assert broadcast_shapes(first, second) == broadcast_shapes(second, first) == out
    assert broadcast_static_shape(TensorShape(first), TensorShape(second)).dims == TensorShape(out).dims


def test_shapes_that_do_not_broadcast():
    with pytest.raises(InvalidArgumentError) as error:
        broadcast_shapes((2, 3), (None, 4), op_name="AddV2")
    assert str(error.value) == "Incompatible shapes: [2,3] vs. [?,4] [Op:AddV2]"
    with pytest.raises(ValueError, match=r"Incompatible shapes: \[2,3\] vs. \[4\]$"):
        broadcast_static_shape([2, 3], [4])


def test_a_spec_has_shape_dtype_and_name():
    spec = TensorSpec([None, 2])
    assert (spec.shape.dims, spec.dtype, spec.name, spec.value_type) == ([None, 2], dtypes.float32, None, Tensor)
    assert isinstance(spec, TypeSpec)
    with pytest.raises(AttributeError):
        spec.shape = [1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([None],), "TensorSpec(shape=(None,), dtype=tf.float32, name=None)"),
        ((None, "int32"), "TensorSpec(shape=<unknown>, dtype=tf.int32, name=None)"),
        ((3, np.float64, "x"), "TensorSpec(shape=(3,), dtype=tf.float64, name='x')"),
    ],
)
def test_a_spec_prints_and_pickles(arguments, text):
    spec = TensorSpec(*arguments)
    again = pickle.loads(pickle.dumps(spec))
    assert repr(spec) == str(spec) == repr(again) == text
    assert again == spec and hash(again) == hash(spec)


@pytest.mark.parametrize("arguments", [("a",), ([1], "bad"), ([1], int)])
def test_a_spec_of_nothing_known(arguments):
    with pytest.raises(TypeError):
        TensorSpec(*arguments)


def test_specs_are_equal_in_all_parts():
    spec = TensorSpec([1], name="a")
    assert spec == TensorSpec([1], "float32", "a")
    assert spec not in (TensorSpec([2], name="a"), TensorSpec([1], "int32", "a"), TensorSpec([1]), 3)


def test_a_spec_is_compatible_with_specs_and_tensors_only():
    spec = TensorSpec([None, 2], name="a")
    tensor = wrap(np.zeros((3, 2), np.float32))
    assert spec.is_compatible_with(TensorSpec([3, None])) and spec.is_compatible_with(tensor)
    assert not spec.is_compatible_with(TensorSpec([3])) and not spec.is_compatible_with(TensorSpec([3, 2], "int32"))
    assert not spec.is_compatible_with(wrap(np.zeros((3, 2)))) and not spec.is_compatible_with(np.zeros((3, 2), "f"))
    assert not any(spec.is_compatible_with(value) for value in (None, 3, "a", [[1.0, 2.0]]))


def test_specs_from_specs_and_tensors():
    spec = TensorSpec([1], name="a")
    assert TensorSpec.from_spec(spec) == spec
    assert TensorSpec.from_spec(spec, name="b").name == "b"
    tensor = wrap(np.zeros((2, 3)))
    assert TensorSpec.from_tensor(tensor) == TensorSpec([2, 3], "float64")
    assert TensorSpec.from_tensor(tensor, "x").name == "x"
    for value in (3, np.zeros(2), spec):
        with pytest.raises(ValueError, match=r"needs a tf\.Tensor"):
            TensorSpec.from_tensor(value)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (TensorSpec([1]), TensorSpec([None]), True),
        (TensorSpec([None]), TensorSpec([1]), False),
        (TensorSpec([1]), TensorSpec([1], "int32"), False),
        (TensorSpec([1]), TensorSpec([1], name="a"), True),
        (TensorSpec([1], name="a"), TensorSpec([1]), False),
        (TensorSpec([1], name="a"), TensorSpec([None], name="a"), True),
        (TensorSpec([1]), 3, False),
    ],
)
def test_subtypes_of_specs(first, second, expected):
    assert first.is_subtype_of(second) is expected


def test_supertypes_of_specs():
    spec = TensorSpec([1, 2], name="a")
    assert spec.most_specific_common_supertype([]) == spec
    assert spec.most_specific_common_supertype([TensorSpec([1, 3], name="a")]) == TensorSpec([1, None], name="a")
    assert spec.most_specific_compatible_type(TensorSpec([1], name="a")) == TensorSpec(None, name="a")
    for other in (TensorSpec([1, 2]), TensorSpec([1, 2], "int32", "a"), 3):
        assert spec.most_specific_common_supertype([other]) is None
        with pytest.raises(ValueError, match="no TensorSpec for both"):
            spec.most_specific_compatible_type(other)


class PairSpec(TypeSpec):
    """A spec of two specs and a label, as composite tensors have."""

    value_type = tuple

    def __init__(self, first, second, label):
        self.parts = first, second, label

    def _serialize(self):
        return self.parts


class Pair:
    def __init__(self, spec):
        self._type_spec = spec


def test_a_composites_spec_is_compared_part_by_part():
    wide = PairSpec(TensorSpec([None]), TensorShape([2]), "label")
    narrow = PairSpec(TensorSpec([3]), TensorShape([2]), "label")
    other = PairSpec(TensorSpec([3], "int32"), TensorShape([2]), "label")
    assert narrow.is_subtype_of(wide) and not wide.is_subtype_of(narrow)
    assert wide.is_compatible_with(narrow) and wide.is_compatible_with(Pair(narrow))
    assert not wide.is_compatible_with(other) and not wide.is_compatible_with(Pair(other))
    assert narrow.most_specific_common_supertype([wide]) == wide
    assert narrow.most_specific_common_supertype([other]) is None
    assert narrow.most_specific_common_supertype([PairSpec(TensorSpec([3]), TensorShape([2]), "x")]) is None
    assert pickle.loads(pickle.dumps(narrow)) == narrow != wide
    assert repr(narrow).startswith("PairSpec(TensorSpec(shape=(3,)")
    with pytest.raises(ValueError, match="needs a tf"):
        TensorSpec.from_tensor(Pair(narrow))


def test_a_bare_type_spec_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        TypeSpec()
