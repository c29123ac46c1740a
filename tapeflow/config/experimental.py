"""`tf.config.experimental`: older names of `tf.config`, memory, and switches that concern accelerators.

What a CPU has no choice about is answered as TensorFlow answers for a CPU. Setters whose setting nothing here obeys
keep it, so that programs read back what they wrote.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..core.context import checked, flag, settings
from ..core.device import (
    LogicalDeviceConfiguration,
    PhysicalDevice,
    get_logical_device_configuration,
    get_visible_devices,
    list_logical_devices,
    list_physical_devices,
    set_logical_device_configuration,
    set_visible_devices,
)
from ..core.device_spec import DeviceSpec

VirtualDeviceConfiguration = LogicalDeviceConfiguration
get_virtual_device_configuration = get_logical_device_configuration
set_virtual_device_configuration = set_logical_device_configuration

__all__ = [
    "VirtualDeviceConfiguration",
    "disable_mlir_bridge",
    "enable_mlir_bridge",
    "enable_op_determinism",
    "enable_tensor_float_32_execution",
    "get_device_details",
    "get_device_policy",
    "get_memory_growth",
    "get_memory_info",
    "get_memory_usage",
    "get_synchronous_execution",
    "get_virtual_device_configuration",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "reset_memory_stats",
    "set_device_policy",
    "set_memory_growth",
    "set_synchronous_execution",
    "set_virtual_device_configuration",
    "set_visible_devices",
    "tensor_float_32_execution_enabled",
]

_POLICIES = ("silent", "silent_for_int32", "warn", "explicit")


def enable_op_determinism() -> None:
    """Asks for ops that give the same result in every run. Ops on NumPy do; random ones still need a seed."""
    settings["op_determinism"] = True


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Whether GPUs may round the operands of products to 10 bits. No effect on a CPU. Raises TypeError for no bool."""
    settings["tensor_float_32"] = checked(enabled, bool, "enabled")


tensor_float_32_execution_enabled = flag(
    "tensor_float_32", "Whether GPUs may round the operands of products to 10 bits (True at the start)."
)


def set_synchronous_execution(enable: bool) -> None:
    """Whether eager ops are finished when they return. They always are; the setting is kept."""
    settings["synchronous_execution"] = bool(enable)


get_synchronous_execution = flag("synchronous_execution", "What `set_synchronous_execution` was last told.")


def set_device_policy(device_policy: str | None) -> None:
    """How tensors of different devices meet in an op. They are all on the CPU; the setting is kept.

    Raises ValueError for what is no policy.
    """
    if device_policy is not None and device_policy not in _POLICIES:
        raise ValueError(f"Invalid argument `device_policy`: {device_policy!r}. Expected None or one of {_POLICIES}.")
    settings["device_policy"] = device_policy or "silent"


def get_device_policy() -> str:
    """How tensors of different devices meet in an op ("silent" at the start)."""
    return settings["device_policy"]


def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Raises ValueError: only GPUs grow their memory, and there is none."""
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}. This process has: {list_physical_devices()}")
    raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")


def get_memory_growth(device: PhysicalDevice) -> bool:
    """Raises ValueError: only GPUs grow their memory, and there is none."""
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}. This process has: {list_physical_devices()}")
    raise ValueError("Cannot get memory growth of non-GPU and non-Pluggable devices")


def get_memory_info(device: str) -> dict[str, int]:
    """{"current": 0, "peak": 0}: memory is counted on accelerators only.

    Raises ValueError for a device that is not there.
    """
    _check_present(device)
    return {"current": 0, "peak": 0}


def get_memory_usage(device: str) -> int:
    """0: memory is counted on accelerators only. Raises ValueError for a device that is not there."""
    return get_memory_info(device)["current"]


def reset_memory_stats(device: str) -> None:
    """Nothing is counted on a CPU, so nothing is reset. Raises ValueError for a device that is not there."""
    _check_present(device)


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """{}: only GPUs have details. Raises ValueError for what is no physical device of this machine."""
    if not isinstance(device, PhysicalDevice):
        raise ValueError(f"device must be a tf.config.PhysicalDevice, but got: {device!r}")
    if device not in list_physical_devices():
        raise ValueError(f"The PhysicalDevice must be one of tf.config.list_physical_devices(), but got: {device!r}")
    return {}


def enable_mlir_bridge() -> None:
    """Accepted, without effect: there is no such bridge."""


def disable_mlir_bridge() -> None:
    """Accepted, without effect: there is no such bridge."""


def _check_present(device: str) -> None:
    spec = DeviceSpec.from_string(device)
    if f"/device:{spec.device_type}:{spec.device_index or 0}" not in {d.name for d in list_logical_devices()}:
        raise ValueError(f"No matching devices found for '{device}'")


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
