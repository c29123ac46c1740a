"""The devices of this process, and `tf.device`.

Eager tensors live on the one CPU. That CPU may be split into several logical devices, which is how programs try out
distribution strategies without accelerators; GPUs and TPUs are the business of the XLA engine, so none is listed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from . import errors
from .context import settings
from .device_spec import DeviceSpec
from .tensor import _CPU


class PhysicalDevice(NamedTuple):
    """A device of the machine: its `name`, such as "/physical_device:CPU:0", and its `device_type`, "CPU"."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device that ops run on: its `name`, such as "/device:CPU:0", and its `device_type`, "CPU"."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """What one logical device gets of its physical device.

    Fields:
        memory_limit: megabytes; only GPUs take it.
        experimental_priority, experimental_device_ordinal: only GPUs take them.
    """

    memory_limit: float | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


_physical = (PhysicalDevice("/physical_device:CPU:0", "CPU"),)
_visible: list[PhysicalDevice] = list(_physical)
_configurations: dict[PhysicalDevice, list[LogicalDeviceConfiguration]] = {}
_logical: list[LogicalDevice] | None = None  # fixed when first asked for


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of the machine, or those of one kind ("CPU", "GPU"): one CPU, however many cores it has."""
    return [d for d in _physical if device_type in (None, d.device_type)]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The physical devices that logical devices are made of, or those of one kind."""
    return [d for d in _visible if device_type in (None, d.device_type)]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Makes only these physical devices visible, among all or (`device_type="GPU"`) among those of one kind.

    Raises ValueError for a device that is not there or not of that kind, RuntimeError once logical devices are listed.
    """
    devices = list(devices) if type(devices) in (list, tuple) else [devices]
    for device in devices:
        if device not in list_physical_devices(device_type):
            raise _unrecognized(device)
    others = [d for d in _visible if device_type is not None and d.device_type != device_type]
    wanted = others + devices
    if wanted != _visible:
        _check_changeable("Visible devices")
        _visible[:] = wanted


def get_logical_device_configuration(device: PhysicalDevice) -> list[LogicalDeviceConfiguration] | None:
    """How a physical device is split into logical ones, or None where nothing was set.

    Raises ValueError for a device that is not there.
    """
    _check_known(device)
    configured = _configurations.get(device)
    return None if configured is None else list(configured)


def set_logical_device_configuration(
    device: PhysicalDevice, logical_devices: Iterable[LogicalDeviceConfiguration]
) -> None:
    """Splits a physical device into logical ones, one for each configuration given.

    Raises ValueError for a device that is not there and for limits that a CPU does not take, TypeError for what is no
    list of configurations, RuntimeError once logical devices are listed.
    """
    _check_known(device)
    if isinstance(logical_devices, LogicalDeviceConfiguration) or not hasattr(logical_devices, "__iter__"):
        raise TypeError(
            f"`logical_devices` must be a list of LogicalDeviceConfiguration. Received: {logical_devices!r}"
        )
    configurations = list(logical_devices)
    for configuration in configurations:
        if not isinstance(configuration, LogicalDeviceConfiguration):
            raise TypeError(f"A logical device is configured by a LogicalDeviceConfiguration, not {configuration!r}.")
        for field, value in configuration._asdict().items():
            if value is not None:
                raise ValueError(f"Setting {field} on CPU virtual devices is not supported. Received: {value!r}")
    if configurations != _configurations.get(device):
        _check_changeable("Virtual devices")
        _configurations[device] = configurations


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices that ops run on, or those of one kind. From the first call on, their number is fixed."""
    global _logical
    if _logical is None:
        _logical = _split()
    return [d for d in _logical if device_type in (None, d.device_type)]


def forget_devices() -> None:
    """Undoes what was set about devices, and lets it be set anew."""
    global _logical
    _logical = None
    _visible[:] = _physical
    _configurations.clear()


def _split() -> list[LogicalDevice]:
    count = sum(len(_configurations.get(device, (None,))) for device in _visible)
    if not count:
        raise errors.failed(errors.NotFoundError, None, "No CPU devices are available in this process")
    return [LogicalDevice(f"/device:CPU:{i}", "CPU") for i in range(count)]


def _check_known(device: Any) -> None:
    if device not in _physical:
        raise _unrecognized(device)


def _unrecognized(device: Any) -> ValueError:
    return ValueError(f"Unrecognized device: {device!r}. This process has: {list(_physical)}")


def _check_changeable(what: str) -> None:
    if _logical is not None:
        raise RuntimeError(
            f"{what} cannot be modified after being initialized: set them before logical devices are listed"
        )


class device:
    """`with tf.device("/CPU:0"):` names the device that ops inside run on.

    Arguments:
        device_name: a name ("/CPU:0", "CPU:0", "/job:localhost/replica:0/task:0/device:CPU:0"), a `tf.DeviceSpec`, a
            `tf.config.LogicalDevice`, or None or "" for any device.

    Every op runs on the CPU, so all that a name can do is be refused: of a device that is not in this process, with
    InvalidArgumentError, when soft placement is off (`tf.config.set_soft_device_placement`) or its job or task are
    others; of no device at all, with ValueError. Functions raise RuntimeError, as they do in TensorFlow.
    """

    def __init__(self, device_name: Any) -> None:
        if callable(device_name):
            raise RuntimeError("tf.device does not support functions: give it the name of a device.")
        if isinstance(device_name, LogicalDevice):
            device_name = device_name.name
        elif isinstance(device_name, DeviceSpec):
            device_name = device_name.to_string()
        if device_name is not None and not isinstance(device_name, str):
            raise ValueError(f"Expecting a string device name. Got {type(device_name)}({device_name})")
        self._name = device_name

    def __enter__(self) -> None:
        if self._name:
            _check_placement(DeviceSpec.from_string(self._name))

    def __exit__(self, *exc: object) -> None:
        return None


def _check_placement(wanted: DeviceSpec) -> None:
    here = DeviceSpec.from_string(_CPU)
    full = here.make_merged_spec(wanted)
    if wanted.device_type is not None and wanted.device_index is None:
        full = full.replace(device_index=0)
    if (full.job, full.replica, full.task) != (here.job, here.replica, here.task):
        raise errors.invalid(None, f"{full.to_string()} unknown device. This process is {_CPU.rpartition('/')[0]}.")
    devices = list_logical_devices()
    if not settings["soft_device_placement"] and f"/device:{full.device_type}:{full.device_index}" not in {
        d.name for d in devices
    }:
        available = ", ".join(f"{_CPU.rpartition('/')[0]}{d.name}" for d in devices)
        raise errors.invalid(
            None,
            f"Could not satisfy device specification '{full.to_string()}'. enable_soft_placement=0. "
            f"Supported device types [CPU]. All available devices [{available}].",
        )
