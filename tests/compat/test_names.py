"""Which `tf.` names a program uses, in which place, and which names are offered for one that is missing."""

import json
import sys
from types import ModuleType

import pytest

from tapeflow.compat import nearest as nearest_module
from tapeflow.compat.names import usage
from tapeflow.compat.namespace import kind, lacking, look_up, walk
from tapeflow.compat.nearest import missing, nearest
from tapeflow.compat.sources import Unreadable, find, read


def names(source):
    return [name for name, _ in usage(source)]


@pytest.mark.parametrize(
    ("statement", "use", "name"),
    [
        ("import tensorflow as tf", "tf.nn.relu(x)", "tf.nn.relu"),
        ("import tapeflow as tf", "tf.nn.relu(x)", "tf.nn.relu"),
        ("import tensorflow", "tensorflow.nn.relu(x)", "tf.nn.relu"),
        ("import tensorflow.compat.v2 as tf", "tf.nn.relu(x)", "tf.nn.relu"),
        ("from tensorflow.compat import v2 as tf", "tf.nn.relu(x)", "tf.nn.relu"),
        ("from tensorflow import keras", "keras.Model()", "tf.keras.Model"),
        ("import keras", "keras.Model()", "tf.keras.Model"),
        ("import tf_keras as k", "k.Model()", "tf.keras.Model"),
        ("import keras.layers", "keras.Model()", "tf.keras.Model"),
        ("from keras import layers as L", "L.Dense(1)", "tf.keras.layers.Dense"),
        ("from tensorflow.keras import layers as L", "L.Dense(1)", "tf.keras.layers.Dense"),
        ("import tensorflow.keras.backend as K", "K.mean(x)", "tf.keras.backend.mean"),
        ("from tensorflow.keras.layers import Dense as D", "D.from_config(c)", "tf.keras.layers.Dense.from_config"),
        ("import tensorflow as tf\nlayers = tf.keras.layers", "layers.Dense(1)", "tf.keras.layers.Dense"),
        ("import tensorflow as tf\na, b = tf.nn, tf.math", "b.exp(x)", "tf.math.exp"),
        ("import tensorflow as tf\na = b = tf.nn", "a.relu(x)", "tf.nn.relu"),
        ("import tensorflow as tf\na: object = tf.nn", "a.relu(x)", "tf.nn.relu"),
        ("import tensorflow as tf\n(a := tf.nn)", "a.relu(x)", "tf.nn.relu"),
        ("from tensorflow.python.ops import math_ops", "math_ops.exp(x)", "tf.python.ops.math_ops.exp"),
    ],
)
def test_aliases_are_followed(statement, use, name):
    source = f"{statement}\n{use}\n"
    assert usage(source)[-1] == (name, source.count("\n"))


def test_imports_themselves_are_uses():
    assert usage("from tensorflow.keras.layers import Dense, Flatten\nimport tensorflow.linalg\n") == [
        ("tf.keras.layers.Dense", 1),
        ("tf.keras.layers.Flatten", 1),
        ("tf.linalg", 2),
    ]
    assert names("from tensorflow.keras.layers import *\n") == ["tf.keras.layers"]
    assert names("import tensorflow as tf\n") == []


def test_other_packages_are_left_alone():
    assert (
        names("import numpy as np, tensorflow_datasets as tfds\nnp.exp(1)\ntfds.load('x')\nfrom . import keras") == []
    )


def test_a_chain_ends_where_a_call_begins():
    assert names("import tensorflow as tf\ntf.constant(1).numpy().tolist()") == ["tf.constant"]
    assert names("import tensorflow as tf\nmodel = tf.keras.Model()\nmodel.fit()") == ["tf.keras.Model"]


def test_assigning_to_an_attribute_is_no_use():
    assert names("import tensorflow as tf\ntf.mine = tf.exp") == ["tf.exp"]


def test_repeats_on_one_line_are_told_once_and_lines_are_those_of_the_name():
    source = "import tensorflow as tf\nx = [tf.exp(1), tf.exp(2)]\ny = (tf\n     .nn\n     .relu(1))\n"
    assert usage(source) == [("tf.exp", 2), ("tf.nn.relu", 5)]


@pytest.mark.parametrize(
    "body",
    [
        "def f(tf):\n    tf.nothing",
        "f = lambda tf: tf.nothing",
        "def f():\n    tf = object()\n    tf.nothing",
        "def f():\n    for tf in []:\n        tf.nothing",
        "def f():\n    with open('x') as tf:\n        tf.nothing",
        "def f():\n    def tf(): pass\n    tf.nothing",
        "def f():\n    def g():\n        tf.nothing\n    tf = 1",
        "def f(*tf, **keras):\n    tf.nothing, keras.nothing",
        "[tf.nothing for tf in range(3)]",
        "[lambda: tf.nothing for tf in range(3)]",
        "try:\n    pass\nexcept ValueError as tf:\n    tf.nothing",
        "tf = 1\ntf.nothing",
        "class A:\n    tf = 1\n    tf.nothing",
        "import numpy as tf\ntf.nothing",
        "for tf in []:\n    tf.nothing",
    ],
)
def test_a_name_bound_to_something_else_is_not_tensorflow(body):
    assert names(f"import tensorflow as tf\n{body}\n") == []


@pytest.mark.parametrize(
    "body",
    [
        "def f():\n    return tf.exp",
        "class A:\n    tf = 1\n    def f(self):\n        return tf.exp",
        "class A:\n    tf = 1\n    class B:\n        tf.exp",
        "def f(x=tf.exp): pass",
        "def f(x: tf.exp): pass",
        "def f() -> tf.exp: pass",
        "@tf.exp\ndef f(tf): pass",
        "class A(tf.exp): pass",
        "def f():\n    [tf for tf in []]\n    tf.exp",
        "def f():\n    global tf\n    tf.exp\n    tf = 1",
        "async def f():\n    await tf.exp()",
        "[x for x in tf.exp(1)]",
        "g = lambda: tf.exp",
        "tf = 1\nimport tensorflow as tf\ntf.exp",
    ],
)
def test_scopes_are_pythons(body):
    assert names(f"import tensorflow as tf\n{body}\n") == ["tf.exp"]


def test_functions_see_what_the_module_binds_after_them():
    assert names("def f():\n    return tf.exp(1)\nimport tensorflow as tf\n") == ["tf.exp"]
    assert names("def f():\n    global tf\n    import tensorflow as tf\ndef g():\n    tf.exp(1)\n") == ["tf.exp"]


def test_a_fallback_of_none_keeps_the_import():
    source = "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\ntf.exp(1)\n"
    assert names(source) == ["tf.exp"]


def test_nonlocal_names_belong_to_the_function_around():
    source = "def f():\n    import tensorflow as tf\n    def g():\n        nonlocal tf\n        tf.exp(1)\n"
    assert names(source) == ["tf.exp"]


def test_no_python_is_a_syntax_error():
    with pytest.raises(SyntaxError, match="never closed"):
        usage("tf.exp(")


# -- programs and notebooks --------------------------------------------------------------------------------------------


def test_notebook_cells_are_read_without_ipython_commands(tmp_path):
    cells = [
        ("markdown", "# tf.nothing"),
        ("code", ["%matplotlib inline\n", "import tensorflow as tf\n", "!pip install x\n", "files = !ls\n", "tf.exp?"]),
        ("code", "%%bash\necho tf.nothing"),
        ("code", "%%time\nif True:\n    %timeit 1\ntf.nn.relu(1)"),
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}))
    source = read(path)
    found = [(name, source.places[line - 1]) for name, line in usage(source.text)]
    assert found == [("tf.exp", "cell 2 line 5"), ("tf.nn.relu", "cell 4 line 4")]


def test_programs_are_read_in_the_encoding_they_declare(tmp_path):
    path = tmp_path / "latin.py"
    path.write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    assert read(path).text.endswith("'é'\n")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.ipynb", b"{}", "no notebook"),
        ("b.ipynb", b"[", "no notebook"),
        ("c.py", b"\xff\xfe\x00", "no Python source"),
        ("missing.py", None, "No such file"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable, match=why):
        read(tmp_path / name)


def test_folders_are_searched_without_hidden_and_built_ones(tmp_path):
    for name in ("b.py", "a/c.ipynb", "a/notes.txt", ".venv/x.py", "a/__pycache__/y.py", "build/z.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in find(tmp_path)] == ["a/c.ipynb", "b.py"]


# -- the namespace and the nearest names -------------------------------------------------------------------------------


@pytest.fixture
def space(monkeypatch):
    """A package of two namespaces, one of them known under two names."""
    root, inner = ModuleType("standin"), ModuleType("standin.nn")
    monkeypatch.setitem(sys.modules, "standin", root)
    root.nn = root.alias = inner
    inner.relu = inner.selu = len
    inner.back = root
    root.Tensor = type("Tensor", (), {"shape": None})
    root.float32 = root.Tensor()
    root.json = json
    root._hidden = len
    return root


def test_walking_enters_a_namespace_once_and_no_other_package(space):
    assert [name for name, _ in walk(space)] == [
        "Tensor",
        "alias",
        "float32",
        "nn",
        "alias.back",
        "alias.relu",
        "alias.selu",
    ]


def test_all_decides_what_is_public(space):
    space.__all__ = ["nn"]
    space.nn.__all__ = ["relu"]
    assert [name for name, _ in walk(space)] == ["nn", "nn.relu"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("nn.relu", None),
        ("nn.relu.anything", None),  # a function's attributes are its own
        ("float32.anything", None),  # an instance's too
        ("Tensor.shape", None),
        ("Tensor.nothing", "Tensor.nothing"),
        ("nn.nothing.more", "nn.nothing"),
        ("nothing", "nothing"),
    ],
)
def test_lacking_is_the_shortest_part_that_is_not_there(space, name, part):
    assert lacking(name, space) == part


def test_looking_up(space):
    assert look_up("nn.relu", space) is len
    with pytest.raises(AttributeError):
        look_up("nn.nothing", space)


def test_kinds(space):
    assert [kind(value) for value in (space.nn, space.Tensor, len, space.float32)] == [
        "module",
        "class",
        "function",
        "Tensor",
    ]


@pytest.fixture
def some_names(monkeypatch):
    found = ("relu", "nn.relu", "nn.selu", "nn.softmax", "matmul", "reduce_sum", "math.reduce_sum", "reduce_mean")
    monkeypatch.setattr(nearest_module, "known", lambda: found)


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("nn.rleu", "nn.relu"),
        ("rleu", "relu"),
        ("mat_mul", "matmul"),
        ("MatMul", "matmul"),
        ("reduce_summ", "reduce_sum"),
        ("math.reduce_summ", "math.reduce_sum"),
        ("math.softmax", "nn.softmax"),
    ],
)
def test_nearest_names_go_by_spelling_then_by_namespace(some_names, name, best):
    assert nearest(name)[0] == best


def test_far_names_are_not_offered_and_no_word_twice(some_names):
    assert nearest("quantize") == []
    assert "math.reduce_sum" not in nearest("reduce_sun")


@pytest.mark.parametrize("module", ["tapeflow.nn", "tensorflow.nn"])
def test_the_error_of_a_missing_name(some_names, module):
    error = missing(module, "rleu")
    assert str(error) == "tapeflow has no tf.nn.rleu (yet); nearest: tf.nn.relu"
    assert isinstance(error, AttributeError)
    assert type(error).__name__ == "AttributeError"
    assert error.name == "rleu"


def test_the_namespace_of_keras_is_below_tf(some_names):
    assert str(missing("keras.layers", "Quantum")) == "tapeflow has no tf.keras.layers.Quantum (yet)"


def test_probing_for_a_name_does_not_search_the_namespace(monkeypatch):
    monkeypatch.setattr(nearest_module, "known", lambda: pytest.fail("searched"))
    missing("tapeflow", "contrib")
    assert str(missing("tapeflow", "__wrapped__")) == "module 'tapeflow' has no attribute '__wrapped__'"


def test_what_modules_import_for_themselves_is_no_public_name():
    public = dict(walk())
    assert "keras.activations.relu" in public and "losses.mse" in public
    strangers = [
        name
        for name, value in public.items()
        if name.startswith(("keras.", "losses.", "metrics.", "optimizers."))
        and (getattr(value, "__module__", "") in ("typing", "collections.abc") or name.endswith(".annotations"))
    ]
    assert strangers == []
    assert not any(name.startswith(("keras.activations.ops", "keras.naming", "keras.tracking")) for name in public)
