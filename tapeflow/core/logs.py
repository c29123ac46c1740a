"""Warnings to the program's log. `logging` costs 3 ms to import, so it is imported when there is something to say."""

from __future__ import annotations

from typing import Any


def warning(message: str, *args: Any) -> None:
    """Logs a warning under the name `tapeflow`."""
    import logging

    logging.getLogger("tapeflow").warning(message, *args)
