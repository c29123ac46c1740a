"""`tf.Module`: names, what is found in attributes, and in which order (all as recorded from TensorFlow)."""

import collections
import copy

import numpy as np
import pytest

from tapeflow.core.convert import constant
from tapeflow.core.indexed_slices import IndexedSlices
from tapeflow.core.module import Module
from tapeflow.core.names import name_scope
from tapeflow.core.variable import Variable

Pair = collections.namedtuple("Pair", "q p")


def values(variables):
    return [float(v.numpy()) for v in variables]


class Leaf(Module):
    def __init__(self, value, trainable=True, name=None):
        super().__init__(name=name)
        self.w = Variable(value, trainable=trainable)


class Net(Module):
    def __init__(self):
        super().__init__()
        self.z = Leaf(1.0)
        self.a = [Leaf(2.0), (Leaf(3.0, trainable=False),)]
        self.d = {"k2": Leaf(4.0), "k1": Variable(5.0)}
        self.shared = self.z
        self.me = self
        self.B = Variable(6.0)
        self._h = Variable(7.0)
        self.t = constant(1.0)
        self.o = collections.OrderedDict([("z", Variable(8.0)), ("y", Variable(9.0))])
        self.nt = Pair(Variable(10.0), Variable(11.0))
        self.st = {1, 2}
        self.none = None
        self.intd = {3: Variable(12.0), 1: Variable(13.0)}


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("LinearLayer", "linear_layer"),
        ("ABCDef", "abc_def"),
        ("Conv2D", "conv2_d"),
        ("Conv2DTranspose", "conv2_d_transpose"),
        ("MLP", "mlp"),
        ("MLPBlock3x", "mlp_block3x"),
        ("GRUCell_", "gru_cell_"),
        ("_Priv", "__priv"),
        ("__P", "__p"),
        ("A1B2", "a1_b2"),
        ("x_Y", "x_y"),
        ("aB", "a_b"),
        ("XMLHttp2Request", "xml_http2_request"),
        ("LSTM2", "lstm2"),
    ],
)
def test_the_default_name_is_the_class_name_in_snake_case(class_name, name):
    module = type(class_name, (Module,), {})()
    assert module.name == name
    assert module.name_scope.name == f"{name}/"


@pytest.mark.parametrize("name", ["a b", "9a", "", "a/b", "a.b", "a-b", "é"])
def test_names_are_identifiers(name):
    with pytest.raises(ValueError, match="not a valid module name"):
        Module(name=name)


def test_names_are_strings():
    assert Module(name="_x").name == "_x"
    with pytest.raises(TypeError):
        Module(name=5)
    with pytest.raises(AttributeError):
        Module().name = "other"


def test_a_module_whose_init_does_not_call_the_base_class_says_so():
    class Forgot(Module):
        def __init__(self):
            self.v = Variable(1.0)

    assert values(Forgot().variables) == [1.0]
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Forgot().name
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Forgot().name_scope


def test_variables_in_order():
    net = Net()
    assert values(net.variables) == [6, 7, 5, 13, 12, 10, 11, 9, 8, 2, 3, 4, 1]
    assert values(net.trainable_variables) == [6, 7, 5, 13, 12, 10, 11, 9, 8, 2, 4, 1]
    assert values(net.non_trainable_variables) == [3]
    assert type(net.variables) is tuple


def test_submodules_each_once_and_not_the_module_itself():
    assert values(m.w for m in Net().submodules) == [2, 3, 4, 1]
    assert Module().submodules == ()


def test_equal_modules_are_still_two():
    class Same(Module):
        def __eq__(self, other):
            return True

        __hash__ = None

    holder = Module()
    holder.a, holder.b = Same(), Same()
    holder.c = holder.a
    assert len(holder.submodules) == 2


def is_variable(x):
    return isinstance(x, Variable)


def test_flatten_with_paths_gives_a_leaf_under_every_path_to_its_module():
    root = Module()
    root.a = Leaf(1.0)
    root.me = root
    root.sh = root.a
    root.l = [root.a, Variable(2.0)]
    root.v = root.a.w
    root.m = Leaf(5.0)
    root.m.n = root
    found = [(path, float(v.numpy())) for path, v in root._flatten(predicate=is_variable, with_path=True)]
    assert found == [
        (("l", 1), 2.0),
        (("v",), 1.0),
        (("a", "w"), 1.0),
        (("l", 0, "w"), 1.0),
        (("m", "w"), 5.0),
        (("m", "n", "l", 1), 2.0),
        (("m", "n", "v"), 1.0),
        (("me", "l", 1), 2.0),
        (("me", "v"), 1.0),
        (("sh", "w"), 1.0),
    ]
    assert values(root._flatten(predicate=is_variable)) == [2.0, 1.0, 5.0]


def test_paths_name_keys_fields_and_positions():
    found = [path for path, _ in Net()._flatten(predicate=is_variable, with_path=True, recursive=False)]
    assert found == [
        ("B",),
        ("_h",),
        ("d", "k1"),
        ("intd", 1),
        ("intd", 3),
        ("nt", "q"),
        ("nt", "p"),
        ("o", "y"),
        ("o", "z"),
    ]


def test_flatten_not_recursive_and_in_another_order():
    net = Net()
    assert values(net._flatten(recursive=False, predicate=is_variable)) == [6, 7, 5, 13, 12, 10, 11, 9, 8]
    backwards = net._flatten(predicate=is_variable, attribute_traversal_key=lambda name: (-ord(name[0]), name))
    assert values(backwards) == [9, 8, 10, 11, 13, 12, 5, 7, 6, 1, 4, 2, 3]


def test_flatten_without_a_predicate_gives_everything():
    module = Leaf(1.0, name="leaf")
    module.extra = [None, "text"]
    assert [x for x in module._flatten() if not isinstance(x, Variable)] == ["leaf", "leaf/", None, "text"]


def test_ignored_properties():
    class Ignoring(Module):
        _TF_MODULE_IGNORED_PROPERTIES = frozenset(["skip"]).union(Module._TF_MODULE_IGNORED_PROPERTIES)

        def __init__(self):
            super().__init__()
            self.skip = Variable(1.0)
            self.keep = Variable(2.0)

    assert values(Ignoring().variables) == [2.0]


def test_composites_are_looked_into_for_variables_only():
    holder = Module()
    holder.slices = IndexedSlices(Variable([1.0]), constant([0]))
    assert len(holder.variables) == 1
    assert holder.slices in list(holder._flatten())


def test_an_attribute_that_cannot_be_walked_is_named():
    module = Module()
    module.mixed = {1: Variable(1.0), "a": Variable(2.0)}
    with pytest.raises(ValueError, match="'mixed'"):
        module.variables


def test_what_is_not_in_the_attributes_is_not_found():
    class Odd(Module):
        __slots__ = ("slot",)

        def __init__(self):
            super().__init__()
            self.slot = Variable(1.0)
            self.generator = (v for v in [Variable(2.0)])
            self.kept = collections.defaultdict(list, {"a": [[[Variable(3.0)]]]})

        @property
        def broken(self):
            raise RuntimeError

    assert values(Odd().variables) == [3.0]


def test_name_scopes_of_modules_nest():
    class Scoped(Module):
        @Module.with_name_scope
        def build(self, depth):
            """Makes variables."""
            self.w = Variable(1.0, name="w")
            if depth:
                self.below = Scoped(name="below")
                self.below.build(depth - 1)
                self.again()

        @Module.with_name_scope
        def again(self):
            self.v = Variable(1.0, name="v")

    module = Scoped(name="top")
    module.build(1)
    assert [v.name for v in module.variables] == ["top/v:0", "top/w:0", "top/below/w:0"]
    assert Scoped.build.__name__ == "build" and Scoped.build.__doc__ == "Makes variables."
    with name_scope("outer"):
        inside = Scoped()
    with inside.name_scope:
        assert Variable(1.0, name="v").name == "outer/scoped/v:0"


def test_a_deep_copy_has_variables_of_its_own():
    net = Net()
    twin = copy.deepcopy(net)
    net.B.assign(0.0)
    assert values(twin.variables) == [6, 7, 5, 13, 12, 10, 11, 9, 8, 2, 3, 4, 1]
    np.testing.assert_array_equal(twin.t.numpy(), 1.0)
    assert twin.me is twin
