"""Standing in for TensorFlow: the modules are tapeflow's own, and what is missing is named with what is near."""

import importlib
import sys
from types import ModuleType

import pytest

import tapeflow as tf
from tapeflow.compat import private
from tapeflow.compat.tensorflow import ROOTS, install, lacking_private, uninstall


@pytest.fixture(autouse=True)
def standing_in():
    install()
    yield
    uninstall()


def test_modules_are_the_packages_own():
    import tensorflow
    import tensorflow.keras.layers
    from tensorflow.keras import layers

    assert tensorflow is tf
    assert tensorflow.keras is tf.keras
    assert layers is tf.keras.layers
    assert sys.modules["tensorflow.keras.layers"] is tf.keras.layers


def test_the_other_roots():
    import keras
    import tensorflow.compat.v2 as v2
    import tf_keras
    from keras.layers import Dense

    assert v2 is tf
    assert keras is tf_keras is tf.keras
    assert Dense is tf.keras.layers.Dense
    assert importlib.import_module("tensorflow.compat.v2.keras") is tf.keras


def test_names_of_namespaces_can_be_imported():
    import tensorflow.keras.backend as K
    from tensorflow import Variable, keras
    from tensorflow.nn import relu
    from tensorflow.random import set_seed

    assert (relu, set_seed, Variable) == (tf.nn.relu, tf.random.set_seed, tf.Variable)
    assert keras.backend is K


def test_versions_are_those_of_the_api_level():
    from tapeflow.version import TENSORFLOW_VERSION, __version__

    assert tf.__version__ == tf.version.VERSION == TENSORFLOW_VERSION == "2.21.0"
    assert __version__ != TENSORFLOW_VERSION


@pytest.mark.parametrize(
    ("path", "name", "public"),
    [
        ("framework.ops", "convert_to_tensor", "convert_to_tensor"),
        ("framework.ops", "EagerTensor", "Tensor"),
        ("framework.dtypes", "float32", "float32"),
        ("framework.tensor_shape", "TensorShape", "TensorShape"),
        ("ops.math_ops", "reduce_sum", "reduce_sum"),
        ("ops.math_ops", "mul", "multiply"),
        ("ops.array_ops", "reshape", "reshape"),
        ("ops.nn_ops", "relu", "nn.relu"),
        ("ops.random_ops", "random_uniform", "random.uniform"),
        ("ops.variables", "Variable", "Variable"),
        ("eager.backprop", "GradientTape", "GradientTape"),
        ("keras.layers.core", "Dense", "keras.layers.Dense"),
        ("keras.layers", "Dense", "keras.layers.Dense"),
        ("keras.engine.training", "Model", "keras.Model"),
    ],
)
def test_private_modules_give_public_names(path, name, public):
    module = importlib.import_module(f"tensorflow.python.{path}")
    expected = tf
    for part in public.split("."):
        expected = getattr(expected, part)
    assert getattr(module, name) is expected
    assert lacking_private(f"python.{path}.{name}") is None


def test_private_modules_are_reached_from_their_packages():
    from tensorflow.python.framework import ops
    from tensorflow.python.keras import layers

    assert ops.convert_to_tensor is tf.convert_to_tensor
    assert layers is tf.keras.layers


def test_private_names_are_of_public_modules():
    for (path, name), public in private.RENAMED.items():
        assert path in private.SPACES, name
        assert private.places(path, name)[0] == public


def test_lacking_private_names_stop_where_something_is_missing():
    assert lacking_private("python.framework.ops") is None
    assert lacking_private("python.eager.backprop.GradientTape.gradient") is None
    assert lacking_private("python.eager.backprop.Nothing.more") == "python.eager.backprop.Nothing"
    assert lacking_private("python.nothing.more") == "python.nothing"


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        (
            "import tensorflow as t; t.reduce_summ",
            AttributeError,
            r"tapeflow has no tf\.reduce_summ .*nearest: tf\.reduce_sum",
        ),
        ("import tensorflow as t; t.nn.rleu", AttributeError, r"tapeflow has no tf\.nn\.rleu .*nearest: tf\.nn\.relu"),
        ("from tensorflow import reduce_summ", ImportError, r"tapeflow has no tf\.reduce_summ .*tf\.reduce_sum"),
        ("from tensorflow.nn import rleu", ImportError, r"tapeflow has no tf\.nn\.rleu .*nearest: tf\.nn\.relu"),
        ("import tensorflow.nothing", ModuleNotFoundError, r"tapeflow has no tf\.nothing"),
        ("import tensorflow.nn.rleu", ModuleNotFoundError, r"tapeflow has no tf\.nn\.rleu"),
        (
            "from keras.layers import Dnse",
            ImportError,
            r"tapeflow has no tf\.keras\.layers\.Dnse .*tf\.keras\.layers\.Dense",
        ),
        ("import keras.lyers", ModuleNotFoundError, r"tapeflow has no tf\.keras\.lyers .*tf\.keras\.layers"),
        ("from tensorflow.python.framework.ops import Tensr", ImportError, r"framework\.ops\.Tensr .*tf\.Tensor"),
        ("import tensorflow.python.nothing", ModuleNotFoundError, r"tapeflow has no tf\.python\.nothing"),
    ],
)
def test_what_is_missing_is_named_with_what_is_near(statement, error, text):
    with pytest.raises(error, match=text):
        exec(statement, {})


def test_fallbacks_of_programs_work():
    namespace = {}
    exec(
        "try:\n    from tensorflow import nothing\nexcept ImportError:\n    nothing = 1\n"
        "import tensorflow as t\nhas = hasattr(t, 'contrib')\n",
        namespace,
    )
    assert namespace["nothing"] == 1
    assert namespace["has"] is False


def test_installing_twice_is_installing_once():
    finders = list(sys.meta_path)
    install()
    assert sys.meta_path == finders


def test_uninstalling_leaves_nothing():
    importlib.import_module("tensorflow.python.framework.ops")
    importlib.import_module("tensorflow.nn")
    uninstall()
    assert not [name for name in sys.modules if name.partition(".")[0] in ROOTS]
    assert "python" not in vars(tf)
    uninstall()


def test_a_tensorflow_already_imported_is_not_replaced(monkeypatch):
    uninstall()
    real = ModuleType("tensorflow")
    real.__file__ = "somewhere/tensorflow/__init__.py"
    monkeypatch.setitem(sys.modules, "tensorflow", real)
    with pytest.raises(RuntimeError, match="tensorflow.*already imported, from somewhere"):
        install()
    assert sys.modules["tensorflow"] is real


def test_text_conversions():
    assert tf.compat.as_bytes("é") == tf.compat.as_bytes(b"\xc3\xa9") == b"\xc3\xa9"
    assert tf.compat.as_text(b"\xc3\xa9") == tf.compat.as_str("é") == "é"
    assert tf.compat.as_str_any(1.5) == "1.5"
    assert tf.compat.as_str_any(b"x") == "x"
    assert tf.compat.path_to_str(1) == 1
    with pytest.raises(TypeError, match="expected text or bytes, got int: 1"):
        tf.compat.as_bytes(1)
    with pytest.raises(TypeError, match="expected text or bytes, got int: 1"):
        tf.compat.as_text(1)
