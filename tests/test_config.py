"""`tf.config`, `tf.device` and `tf.DeviceSpec`: values and error classes as TensorFlow gives them on a CPU."""

import pytest

from tapeflow import config
from tapeflow.autodiff.tape import GradientTape
from tapeflow.core import context, errors
from tapeflow.core.device import device, forget_devices
from tapeflow.core.device_spec import DeviceSpec
from tapeflow.core.names import name_scope
from tapeflow.core.variable import Variable
from tapeflow.ops.arithmetic import multiply
from tapeflow.ops.clock import timestamp
from tapeflow.ops.ordering import control_dependencies, group, no_op

CPU = config.PhysicalDevice("/physical_device:CPU:0", "CPU")
GPU = config.PhysicalDevice("/physical_device:GPU:0", "GPU")
ONE = config.LogicalDeviceConfiguration()


@pytest.fixture(autouse=True)
def as_at_the_start():
    yield
    forget_devices()
    context.reset()


def test_physical_devices():
    assert repr(config.list_physical_devices()) == (
        "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]"
    )
    assert config.list_physical_devices("CPU") == [CPU]
    assert config.list_physical_devices("GPU") == config.list_physical_devices("cpu") == []
    assert config.experimental.list_physical_devices is config.list_physical_devices


def test_logical_devices():
    assert repr(config.list_logical_devices()) == "[LogicalDevice(name='/device:CPU:0', device_type='CPU')]"
    assert config.list_logical_devices("GPU") == []


def test_a_cpu_split_into_logical_devices():
    assert config.get_logical_device_configuration(CPU) is None
    config.set_logical_device_configuration(CPU, [ONE, ONE])
    assert config.get_logical_device_configuration(CPU) == [ONE, ONE]
    assert [d.name for d in config.list_logical_devices("CPU")] == ["/device:CPU:0", "/device:CPU:1"]
    config.set_logical_device_configuration(CPU, [ONE, ONE])  # no change
    with pytest.raises(RuntimeError, match="cannot be modified"):
        config.set_logical_device_configuration(CPU, [ONE] * 3)


@pytest.mark.parametrize(
    ("where", "what", "error"),
    [
        (GPU, [ONE], ValueError),
        (CPU, [config.LogicalDeviceConfiguration(memory_limit=10)], ValueError),
        (CPU, [config.LogicalDeviceConfiguration(experimental_priority=1)], ValueError),
        (CPU, ONE, TypeError),
        (CPU, 5, TypeError),
        (CPU, [5], TypeError),
    ],
)
def test_logical_devices_that_cannot_be(where, what, error):
    with pytest.raises(error):
        config.set_logical_device_configuration(where, what)
    assert len(config.list_logical_devices()) == 1


def test_visible_devices():
    assert config.get_visible_devices() == [CPU]
    config.set_visible_devices([], "GPU")
    assert config.get_visible_devices() == [CPU]
    config.set_visible_devices(CPU)
    for devices, kind in (([GPU], None), (CPU, "GPU")):
        with pytest.raises(ValueError, match="Unrecognized device"):
            config.set_visible_devices(devices, kind)
    config.set_visible_devices([], "CPU")
    assert config.get_visible_devices() == []
    with pytest.raises(errors.NotFoundError):
        config.list_logical_devices()
    config.set_visible_devices([CPU])
    config.list_logical_devices()
    with pytest.raises(RuntimeError, match="cannot be modified"):
        config.set_visible_devices([])


@pytest.mark.parametrize(
    ("get", "set_", "start", "other"),
    [
        (config.functions_run_eagerly, config.run_functions_eagerly, False, True),
        (config.get_soft_device_placement, config.set_soft_device_placement, True, False),
        (
            config.threading.get_inter_op_parallelism_threads,
            config.threading.set_inter_op_parallelism_threads,
            0,
            3,
        ),
        (
            config.threading.get_intra_op_parallelism_threads,
            config.threading.set_intra_op_parallelism_threads,
            0,
            2,
        ),
        (config.experimental.get_synchronous_execution, config.experimental.set_synchronous_execution, True, False),
        (config.experimental.get_device_policy, config.experimental.set_device_policy, "silent", "explicit"),
        (
            config.experimental.tensor_float_32_execution_enabled,
            config.experimental.enable_tensor_float_32_execution,
            True,
            False,
        ),
        (context.get_log_device_placement, context.set_log_device_placement, False, True),
    ],
)
def test_settings_are_kept(get, set_, start, other):
    assert get() == start
    assert set_(other) is None
    assert get() == other
    set_(start)
    assert get() == start


def test_settings_that_cannot_be():
    with pytest.raises(TypeError):
        config.set_soft_device_placement("x")
    with pytest.raises(TypeError):
        config.threading.set_intra_op_parallelism_threads("a")
    with pytest.raises(ValueError):
        config.threading.set_inter_op_parallelism_threads(-1)
    with pytest.raises(ValueError, match="device_policy"):
        config.experimental.set_device_policy("foo")


def test_jit():
    assert config.optimizer.get_jit() == ""
    config.optimizer.set_jit(True)
    assert config.optimizer.get_jit() == "autoclustering"
    config.optimizer.set_jit(False)
    assert config.optimizer.get_jit() == ""
    config.optimizer.set_jit("autoclustering")
    assert config.optimizer.get_jit() == "autoclustering"
    with pytest.raises(ValueError, match="autoclustering"):
        config.optimizer.set_jit("foo")


def test_options_of_the_graph_optimizer():
    always = {"disable_model_pruning": False, "disable_meta_optimizer": False}
    assert config.optimizer.get_experimental_options() == always
    config.optimizer.set_experimental_options({"layout_optimizer": False, "nonsense": True})
    assert config.optimizer.get_experimental_options() == {**always, "layout_optimizer": False}
    with pytest.raises(TypeError):
        config.optimizer.set_experimental_options(5)


def test_what_only_gpus_have():
    for f in (
        lambda d: config.experimental.set_memory_growth(d, True),
        config.experimental.get_memory_growth,
    ):
        with pytest.raises(ValueError, match="non-GPU"):
            f(CPU)
        with pytest.raises(ValueError, match="Unrecognized device"):
            f(GPU)
    assert config.experimental.get_memory_info("CPU:0") == {"current": 0, "peak": 0}
    assert config.experimental.get_memory_usage("CPU:0") == 0
    assert config.experimental.reset_memory_stats("/device:CPU:0") is None
    with pytest.raises(ValueError, match="No matching devices found for 'GPU:0'"):
        config.experimental.get_memory_info("GPU:0")
    assert config.experimental.get_device_details(CPU) == {}
    for what in (GPU, 5):
        with pytest.raises(ValueError):
            config.experimental.get_device_details(what)


def test_names_that_are_not_there():
    for space in (config, config.experimental, config.threading, config.optimizer):
        with pytest.raises(AttributeError):
            space.nonsense


@pytest.mark.parametrize(
    "name",
    [
        "/job:localhost/replica:0/task:0/device:CPU:0",
        "CPU",
        "cpu",
        "/cpu:0",
        "/device:CPU:0",
        "",
        None,
        "CPU:7",
        "GPU:0",
        "GPU:*",
        "/device:foo:0",
        DeviceSpec(device_type="CPU", device_index=0),
        config.LogicalDevice("/device:CPU:0", "CPU"),
    ],
)
def test_devices_with_soft_placement(name):
    with device(name) as entered:
        assert entered is None
        assert Variable(1.0).device == "/job:localhost/replica:0/task:0/device:CPU:0"


@pytest.mark.parametrize("name", ["GPU:0", "/gpu:0", "CPU:7", "TPU:0"])
def test_devices_without_soft_placement(name):
    config.set_soft_device_placement(False)
    with pytest.raises(errors.InvalidArgumentError, match="Could not satisfy device specification"):
        with device(name):
            pass
    with device("CPU:0"), device("CPU"):
        pass


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("/job:foo/device:CPU:0", errors.InvalidArgumentError),
        ("/job:worker/task:1", errors.InvalidArgumentError),
        ("/task:3", errors.InvalidArgumentError),
        ("foo", ValueError),
        ("CPU:a", ValueError),
        ("/physical_device:CPU:0", ValueError),
        ("XLA_CPU:0", ValueError),
        ("mydevice:0", ValueError),
        (5, ValueError),
        (CPU, ValueError),
        (lambda op: "/cpu:0", RuntimeError),
    ],
)
def test_devices_that_cannot_be(name, error):
    with pytest.raises(error):
        with device(name):
            pass


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("/job:ps/replica:0/task:0/device:CPU:0", "/job:ps/replica:0/task:0/device:CPU:0"),
        ("/cpu:1", "/device:CPU:1"),
        ("CPU:0", "/device:CPU:0"),
        ("/device:GPU:*", "/device:GPU:*"),
        ("/job:a/job:b", "/job:b"),
        ("", ""),
    ],
)
def test_device_specs_of_strings(text, full):
    assert DeviceSpec.from_string(text).to_string() == full
    assert DeviceSpec.from_string(full) == DeviceSpec.from_string(text)


def test_device_specs():
    spec = DeviceSpec(job="a", replica=1, task=2, device_type="gpu", device_index=3)
    assert spec.to_string() == "/job:a/replica:1/task:2/device:GPU:3"
    assert (spec.job, spec.replica, spec.task, spec.device_type, spec.device_index) == ("a", 1, 2, "GPU", 3)
    gpu = DeviceSpec(device_type="GPU", device_index=1)
    assert DeviceSpec(job="a").make_merged_spec(gpu).to_string() == "/job:a/device:GPU:1"
    assert DeviceSpec(job="a").replace(job="b", task=1).to_string() == "/job:b/task:1"
    assert DeviceSpec(job="a").parse_from_string("/job:b").to_string() == "/job:b"
    assert hash(gpu) == hash(DeviceSpec(device_type="gpu", device_index=1)) and gpu != DeviceSpec()
    assert str(DeviceSpec(job="a")) == (
        "<DeviceSpec(job=a, replica=None, task=None, device_type=None, device_index=None)>"
    )
    with pytest.raises(AttributeError):
        spec.job = "b"
    for text in ("/foo", "/cpu:0/gpu:1", "/task:a"):
        with pytest.raises(ValueError):
            DeviceSpec.from_string(text)


def test_init_scope_hides_from_tapes_and_keeps_names():
    x = Variable(2.0)
    with GradientTape() as tape:
        with context.init_scope():
            y = multiply(x, x)
        z = multiply(x, x)
        with name_scope("a"), context.init_scope():
            assert Variable(1.0, name="v").name == "a/v:0"
    assert y.numpy() == 4.0
    assert tape.gradient([y, z], x).numpy() == 4.0
    assert context.executing_eagerly() is True


def test_the_logger():
    assert context.get_logger().name == "tapeflow"
    assert context.get_logger() is context.get_logger()


def test_names_that_order_ops_do_nothing():
    assert group(Variable(1.0), name="all") is None and no_op(name="nothing") is None
    for inputs in ([Variable(1.0)], None):
        with control_dependencies(inputs) as entered:
            assert entered is None
    with pytest.raises(TypeError):
        control_dependencies(5)


def test_timestamps(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1.5e9)
    now = timestamp()
    assert now.numpy() == 1.5e9 and now.dtype.name == "float64"
    config.experimental.enable_op_determinism()
    with pytest.raises(errors.FailedPreconditionError, match="determinism"):
        timestamp()
