"""`tf.compat`: text conversions, `tf.compat.v2`, which is `tf` itself, and a little of `tf.compat.v1`.

The submodules stand in for TensorFlow in programs that import it (`tensorflow`, `private`) and know which names a
program uses and the package has (`names`, `sources`, `namespace`, `nearest`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["as_bytes", "as_str", "as_str_any", "as_text", "path_to_str", "v1", "v2"]


def as_bytes(bytes_or_text: str | bytes | bytearray, encoding: str = "utf-8") -> bytes:
    """`bytes_or_text` as bytes, text being encoded; anything but text or bytes is a TypeError."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, (bytes, bytearray)):
        return bytes(bytes_or_text)
    raise TypeError(f"as_bytes: expected text or bytes, got {type(bytes_or_text).__name__}: {bytes_or_text!r}")


def as_text(bytes_or_text: str | bytes, encoding: str = "utf-8") -> str:
    """`bytes_or_text` as a str, bytes being decoded; anything but text or bytes is a TypeError."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"as_text: expected text or bytes, got {type(bytes_or_text).__name__}: {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """`value` as a str: bytes are decoded, anything else goes through `str`."""
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: Any) -> Any:
    """`path` as a str where it is a path object (has `__fspath__`); anything else as it came."""
    return as_str_any(path.__fspath__()) if hasattr(path, "__fspath__") else path


def __getattr__(name: str) -> Any:
    if name == "v2":
        import tapeflow

        return tapeflow
    if name == "v1":
        return import_module("tapeflow.compat.v1")
    from tapeflow.compat.nearest import missing

    raise missing(__name__, name)
