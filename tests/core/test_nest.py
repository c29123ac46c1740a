"""`tf.nest`. Expected values are TensorFlow's; messages are ours."""

import collections
import types
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapeflow.core import nest

Point = namedtuple("Point", "x y")
Other = namedtuple("Other", "x y")


class MyList(list):
    pass


class MyTuple(tuple):
    pass


class MyDict(dict):
    pass


class Flattenable:
    """A class that tells how it is taken apart."""

    def __init__(self, label, a, b):
        self.label, self.a, self.b = label, a, b

    def __tf_flatten__(self):
        return (self.label,), (self.a, self.b)

    @classmethod
    def __tf_unflatten__(cls, metadata, components):
        return cls(*metadata, *components)


class Attrs:
    """What the library attrs makes of a frozen class."""

    __attrs_attrs__ = (types.SimpleNamespace(name="b"), types.SimpleNamespace(name="_a"))

    def __init__(self, b, a):
        object.__setattr__(self, "b", b)
        object.__setattr__(self, "_a", a)

    def __setattr__(self, name, value):
        raise AttributeError("frozen")


class Slices:
    """A composite tensor."""

    def __init__(self, *parts):
        self.parts = parts

    def _components(self):
        return self.parts

    def _with_components(self, parts):
        return Slices(*parts)


ARRAY = np.arange(3)


@pytest.mark.parametrize(
    ("structure", "leaves"),
    [
        (3, [3]),
        (None, [None]),
        ("ab", ["ab"]),
        ([], []),
        ({}, []),
        ([[], {}], []),
        ([1, [2, (3,)], {"b": 1, "a": [5]}], [1, 2, 3, 5, 1]),
        (["ab", b"c", None], ["ab", b"c", None]),
        (Point(1, (2,)), [1, 2]),
        (OrderedDict([("b", 1), ("a", 2)]), [2, 1]),
        (defaultdict(int, b=1, a=2), [2, 1]),
        (UserDict(b=1, a=2), [2, 1]),
        (MyDict(b=1, a=2), [2, 1]),
        (ChainMap({"b": 1}, {"a": 2}), [2, 1]),
        (types.MappingProxyType({"b": 1, "a": 2}), [2, 1]),
        ({2: "x", 1: "y"}, ["y", "x"]),
        ({(2, 1): "x", (1, 5): "y"}, ["y", "x"]),
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (UserList([1, [2]]), [1, 2]),
        (MyList([1, 2]), [1, 2]),
        (MyTuple([1, 2]), [1, 2]),
        ({"b": 1, "a": 2}.values(), [1, 2]),
        ({"b": 1}.items(), ["b", 1]),
        ({1, 2}, [{1, 2}]),
        (list, [list]),
        (Flattenable("label", 1, [2, 3]), [1, 2, 3]),
        (Attrs(1, [2, 3]), [1, 2, 3]),
    ],
)
def test_flatten(structure, leaves):
    assert nest.flatten(structure) == leaves


def test_arrays_are_leaves():
    assert nest.flatten(ARRAY)[0] is ARRAY
    assert nest.flatten([ARRAY])[0] is ARRAY


@pytest.mark.parametrize("structure", [{1: 2, "a": 3}, [{"x": {1: 2, "a": 3}}]])
def test_keys_without_an_order_are_a_type_error(structure):
    with pytest.raises(TypeError, match="keys that can be sorted"):
        nest.flatten(structure)


def test_is_nested():
    nested = [[], {}, (), Point(1, 2), range(2), deque(), {}.keys(), UserDict(), Flattenable("", 1, 2), Attrs(1, 2)]
    leaves = [3, "a", b"a", None, {1}, ARRAY, list, Slices(1), (x for x in ())]
    assert all(nest.is_nested(structure) for structure in nested)
    assert not any(nest.is_nested(structure) for structure in leaves)


@pytest.mark.parametrize(
    ("structure", "packed"),
    [
        ([1, [2]], [10, [20]]),
        ((1, [2]), (10, [20])),
        ([[], 1, (), 2], [[], 10, (), 20]),
        ({"b": 1, "a": 2}, {"b": 20, "a": 10}),
        (Point(1, (2,)), Point(10, (20,))),
        (OrderedDict([("b", 1), ("a", 2)]), OrderedDict([("b", 20), ("a", 10)])),
        (MyDict(b=1, a=2), MyDict(b=20, a=10)),
        (UserDict(b=1, a=2), UserDict(b=20, a=10)),
        (ChainMap({"b": 1}, {"a": 2}), ChainMap({"b": 20}, {"a": 10})),
        (types.MappingProxyType({"b": 1, "a": 2}), types.MappingProxyType({"b": 20, "a": 10})),
        (MyList([1, 2]), MyList([10, 20])),
        (MyTuple([1, 2]), MyTuple([10, 20])),
        (UserList([1, 2]), UserList([10, 20])),
        (deque([1, 2]), deque([10, 20])),
        (range(2), [10, 20]),
        ({"b": 1, "a": 2}.values(), [10, 20]),
    ],
)
def test_pack_sequence_as(structure, packed):
    out = nest.pack_sequence_as(structure, [10, 20])
    assert out == packed
    assert type(out) is type(packed)


def test_packing_keeps_the_order_of_keys_and_what_a_class_adds():
    assert list(nest.pack_sequence_as({"b": 1, "a": 2}, [10, 20])) == ["b", "a"]
    like = defaultdict(list, b=1, a=2)
    out = nest.pack_sequence_as(like, [10, 20])
    assert (out.default_factory, dict(out), dict(like)) == (list, {"b": 20, "a": 10}, {"b": 1, "a": 2})
    assert nest.map_structure(lambda count: 2 * count, collections.Counter("aab")) == {"a": 4, "b": 2}


def test_packing_classes_with_fields():
    out = nest.pack_sequence_as(Flattenable("label", 1, [2]), [10, 20])
    assert (type(out), out.label, out.a, out.b) == (Flattenable, "label", 10, [20])
    like = Attrs(1, 2)
    out = nest.pack_sequence_as(like, [10, 20])
    assert (type(out), out.b, out._a, like.b, like._a) == (Attrs, 10, 20, 1, 2)


def test_packing_a_leaf_and_from_other_sequences():
    assert nest.pack_sequence_as(3, [10]) == 10
    assert nest.pack_sequence_as([3, 4], (10, 20)) == nest.pack_sequence_as([3, 4], range(10, 30, 10)) == [10, 20]
    assert nest.pack_sequence_as([3, 4], [[1], None]) == [[1], None]


@pytest.mark.parametrize(("structure", "flat"), [([3, 4], [1]), ([3, 4], [1, 2, 3]), (3, [1, 2]), ([], [1])])
def test_packing_the_wrong_number_of_leaves(structure, flat):
    with pytest.raises(ValueError, match=f"the structure has .*, the sequence {len(flat)}"):
        nest.pack_sequence_as(structure, flat)


@pytest.mark.parametrize("flat", [10, "ab", ARRAY[:2], iter([1, 2]), {"a": 1, "b": 2}])
def test_packing_from_what_is_no_sequence(flat):
    with pytest.raises(TypeError, match="needs a flat sequence"):
        nest.pack_sequence_as([3, 4], flat)


def test_map_structure():
    assert nest.map_structure(lambda x: x + 1, [1, {"b": 2, "a": (3,)}]) == [2, {"b": 3, "a": (4,)}]
    assert nest.map_structure(lambda x: x + 1, 3) == 4
    assert nest.map_structure(lambda x: x is None, [None]) == [True]
    assert nest.map_structure(lambda x, y: x + y, Point(1, [2]), Point(3, [4])) == Point(4, [6])
    assert nest.map_structure(lambda x, y, z: x + y + z, (1, 2), (3, 4), (5, 6)) == (9, 12)
    assert nest.map_structure(lambda x, y: x - y, {"a": 1, "b": 2}, OrderedDict(b=5, a=3)) == {"a": -2, "b": -3}
    assert nest.map_structure(lambda x, y: x + y, (1, 2), [3, 4], check_types=False) == (4, 6)
    assert nest.map_structure(lambda x, y: x + y, {"a": 1}, {"b": 2}, check_types=False) == {"a": 3}


def test_map_structure_calls_in_the_order_of_flatten():
    structure = {"b": [1, 2], "a": (3,)}
    seen = []
    nest.map_structure(seen.append, structure)
    assert seen == nest.flatten(structure) == [3, 1, 2]


def test_map_structure_refuses():
    with pytest.raises(TypeError, match="a function to apply, not 3"):
        nest.map_structure(3, [1])
    with pytest.raises(ValueError, match="at least one structure"):
        nest.map_structure(lambda: 0)
    with pytest.raises(ValueError, match="do not nest alike"):
        nest.map_structure(lambda x, y, z: 0, [1], [2], [3, 4])
    with pytest.raises(TypeError, match="do not nest alike"):
        nest.map_structure(lambda x, y: 0, [1], (2,))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 2),
        ("ab", "cde"),
        ([], []),
        ([1, (2,)], [3, (None,)]),
        ({"a": 1, "b": 2}, OrderedDict(b=1, a=2)),
        (defaultdict(int, a=1), {"a": 1}),
        (UserDict(a=1), {"a": 1}),
        (MyList([1]), [1]),
        (Point(1, 2), namedtuple("Point", "x y")(1, 2)),
        ([Slices(1, 2)], [3]),
    ],
)
def test_same_structures(first, second):
    nest.assert_same_structure(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 2], (3, 4)),
        (Point(1, 2), [1, 2]),
        ({"a": 1}, [1]),
        ([1], {"a": 1}),
        ({"a": 1}, {"b": 1}),
        (Point(1, 2), Other(1, 2)),
        ([1], deque([1])),
    ],
)
def test_types_that_differ_pass_unchecked(first, second):
    nest.assert_same_structure(first, second, check_types=False)
    with pytest.raises((TypeError, ValueError), match="do not nest alike"):
        nest.assert_same_structure(first, second)


@pytest.mark.parametrize(
    ("first", "second", "kind", "message"),
    [
        ([1, 2], [3], ValueError, "the first is a list of 2 elements, the second is a list of 1 element"),
        ([1, [2]], [3, 4], ValueError, r"at \[1\], the first is a list of 1 element, the second is a leaf of type int"),
        (None, [1], ValueError, "the first is a leaf of type NoneType, the second is a list of 1 element"),
        ([], 1, ValueError, "the first is a list of 0 elements, the second is a leaf of type int"),
        ([1, {"a": 2}], [1, {"b": 2}], ValueError, r"at \[1\], the first has the keys \['a'\], the second has \['b'\]"),
        ({"a": 1}, {"a": 1, "b": 2}, ValueError, r"the keys \['a'\], the second has \['a', 'b'\]"),
        ([[1], [2, 3]], [[1, 2], [3]], ValueError, r"at \[0\]"),
        (Point(1, [2]), Point(1, 2), ValueError, r"at \.y"),
        (
            {"k": (1, 2)},
            {"k": [1, 2]},
            TypeError,
            r"at \['k'\], the first is a tuple of 2 elements, the second is a list",
        ),
        ([1, 2], (3, 4, 5), TypeError, "the second is a tuple of 3 elements"),
        ([], (), TypeError, "list of 0 elements, the second is a tuple of 0"),
        ({"a": 1}, [1], TypeError, "the first is a dict of 1 element"),
        (Point(1, 2), Other(1, 2), TypeError, "the first is a Point of 2 elements, the second is a Other"),
        (Point(1, 2), namedtuple("Point", "x z")(1, 2), TypeError, "Point"),
        (Point(1, 2), (1, 2), TypeError, "Point"),
        ((1,), MyTuple([1]), TypeError, "MyTuple"),
        ([0], range(1), TypeError, "range"),
        (Flattenable("", 1, 2), [1, 2], TypeError, "Flattenable"),
    ],
)
def test_structures_that_differ(first, second, kind, message):
    with pytest.raises(kind, match=message):
        nest.assert_same_structure(first, second)


def test_lengths_and_depths_are_checked_without_types_too():
    for first, second in [([1, [2, 3]], [[3, 4], 5]), ([1, 2], (3,)), ({"a": 1}, {"a": [1]}), ({"a": 1, "b": 2}, [1])]:
        with pytest.raises(ValueError, match="do not nest alike"):
            nest.assert_same_structure(first, second, check_types=False)


def test_the_message_outlines_both_structures():
    first = [1, (2,), {"a": Point(3, [])}]
    second = [1, MyTuple([1, 2]), Flattenable("", 1, [2])]
    with pytest.raises(TypeError) as error:
        nest.assert_same_structure(first, second)
    assert str(error.value) == (
        "The two structures do not nest alike: at [1], the first is a tuple of 1 element, the second is a MyTuple of "
        "2 elements.\nFirst structure: [., (.,), {'a': Point(x=., y=[])}]\n"
        "Second structure: [., MyTuple(., .), Flattenable(., [.])]"
    )


def test_composites_are_leaves_unless_expanded():
    inner = Slices(2, 3)
    structure = [Slices(1, inner), 4]
    assert nest.flatten(structure) == structure
    assert nest.flatten(structure, expand_composites=True) == [1, 2, 3, 4]
    out = nest.map_structure(lambda x: 10 * x, structure, expand_composites=True)
    assert (type(out[0]), out[0].parts[0], out[0].parts[1].parts, out[1]) == (Slices, 10, (20, 30), 40)
    packed = nest.pack_sequence_as(Slices(1, 2), [5, 6], expand_composites=True)
    assert packed.parts == (5, 6)
    assert not nest.is_nested(structure[0])


def test_composites_against_others():
    nest.assert_same_structure([Slices(1, 2)], [Slices(3, 4)], expand_composites=True)
    with pytest.raises(ValueError, match=r"at \[0\], the first is a Slices of 2 elements, the second is a leaf"):
        nest.assert_same_structure([Slices(1, 2)], [3], expand_composites=True)
    with pytest.raises(ValueError, match="Slices of 1 element"):
        nest.assert_same_structure(Slices(1, 2), Slices(1), expand_composites=True)
    with pytest.raises(TypeError, match="Slices"):
        nest.assert_same_structure(Slices(1, 2), [1, 2], check_types=False, expand_composites=True)


structures = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Point, inner, inner)
    ),
    max_leaves=10,
)


@given(structures)
def test_packing_what_was_flattened_gives_it_back(structure):
    leaves = nest.flatten(structure)
    assert not any(nest.is_nested(leaf) for leaf in leaves)
    packed = nest.pack_sequence_as(structure, leaves)
    assert packed == structure and type(packed) is type(structure)
    numbered = nest.pack_sequence_as(structure, list(range(len(leaves))))
    assert nest.flatten(numbered) == list(range(len(leaves)))
    nest.assert_same_structure(structure, numbered)
    paired = nest.map_structure(lambda leaf, number: (leaf, number) == (leaves[number], number), structure, numbered)
    assert all(nest.flatten(paired))
