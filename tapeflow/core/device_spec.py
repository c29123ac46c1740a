"""`tf.DeviceSpec`: the names of devices, taken apart and put together."""

from __future__ import annotations

from typing import Any

_FIELDS = ("job", "replica", "task", "device_type", "device_index")
_NUMBERED = ("replica", "task")
# kinds of device that a name may begin with, without `device:` before it
_SHORT = ("CPU", "GPU", "TPU")


class DeviceSpec:
    """A device, named wholly or in part: `tf.DeviceSpec(job="worker", task=1, device_type="GPU", device_index=0)`.

    A field that is None says nothing about that part of the name. Specs are immutable; equal fields make equal specs.
    """

    __slots__ = ("_values",)

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self._values: tuple[Any, ...] = (
            None if job is None else str(job),
            None if replica is None else int(replica),
            None if task is None else int(task),
            None if device_type is None else str(device_type).upper(),
            None if device_index is None else int(device_index),
        )

    @property
    def job(self) -> str | None:
        return self._values[0]

    @property
    def replica(self) -> int | None:
        return self._values[1]

    @property
    def task(self) -> int | None:
        return self._values[2]

    @property
    def device_type(self) -> str | None:
        """The kind of device in capitals, such as "CPU"."""
        return self._values[3]

    @property
    def device_index(self) -> int | None:
        return self._values[4]

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """The spec that a string names: `/job:worker/replica:0/task:1/device:GPU:0`, or `/gpu:0`, `CPU:0`, `CPU`.

        Raises ValueError for parts that no device has, for numbers that are none and for two kinds of device.
        """
        return cls(**_parsed(spec))

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """The spec that a string names, see `from_string`; nothing of this one is in it."""
        return self.from_string(spec)

    def to_string(self) -> str:
        """The name: `/job:worker/replica:0/task:1/device:GPU:0`, without the parts that are None."""
        named = zip(_FIELDS[:3], self._values[:3])
        text = "".join(f"/{field}:{value}" for field, value in named if value is not None)
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A spec of this one's fields, with those of `dev` in their place where it has any."""
        return type(self)(*[mine if its is None else its for mine, its in zip(self._values, dev._values)])

    def replace(self, **fields: Any) -> DeviceSpec:
        """A spec like this one in all but the fields given. Raises TypeError for fields that no spec has."""
        return type(self)(**{**dict(zip(_FIELDS, self._values)), **fields})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={value}" for field, value in zip(_FIELDS, self._values))
        return f"<DeviceSpec({fields})>"


def _parsed(spec: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in spec.split("/"):
        if not part:
            continue
        name, *rest = part.split(":")
        if name == "job" and len(rest) == 1:
            fields["job"] = rest[0]
        elif name in _NUMBERED and len(rest) == 1:
            fields[name] = _number(rest[0], spec)
        else:
            if name != "device":
                rest = [name, *rest]
            if len(rest) not in (1, 2) or (name != "device" and name.upper() not in _SHORT):
                raise ValueError(
                    f"Unknown attribute '{name}' is encountered while parsing the device spec: '{spec}'. "
                    "Expected parts such as /job:<name>, /replica:<i>, /task:<i>, /device:<kind>:<i>, or CPU:<i>."
                )
            if "device_type" in fields:
                raise ValueError(f"Multiple device types are not allowed while parsing the device spec: {spec}.")
            fields["device_type"] = rest[0]
            if len(rest) == 2 and rest[1] != "*":
                fields["device_index"] = _number(rest[1], spec)
    return fields


def _number(text: str, spec: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"'{text}' is no number while parsing the device spec: '{spec}'.") from None
