"""What a tape holds, as a table: `tape.summary()`; and the records of tapes that remember lines of the program."""

from __future__ import annotations

import sys
from typing import Any

from ..core.tapes import PART
from ..core.tensor import Tensor

_HERE = __name__.partition(".")[0] + "."


class _ExplainedRecords(dict):
    """Records that note, as each is made, the line of the program it came from. Other tapes pay nothing for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[int, str] = {}

    def __setitem__(self, key: int, record: Any) -> None:
        super().__setitem__(key, record)
        if record is not None and record[0] is not PART:
            self.lines[key] = users_line()


def explained_records() -> dict:
    """An empty dict of records that remembers lines."""
    return _ExplainedRecords()


def users_line() -> str:
    """`file:line` of the innermost frame that is not tapeflow's."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_HERE):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def table(records: dict) -> str:
    """The records as aligned columns: op, shapes of its inputs, shape of its output, bytes kept for the backward pass.

    Bytes count each array once, where it is first kept; the last line gives ops and bytes in total.
    """
    lines = getattr(records, "lines", None)
    rows = [["op", "inputs", "output", "bytes"]]
    if lines is not None:
        rows[0].append("line")
    seen: set[int] = set()
    total = 0
    for key, record in records.items():
        if record is not None and record[0] is not PART:
            inputs, output, saved = record[0].describe(record)
            kept = _new_bytes(saved, seen)
            total += kept
            rows.append([record[0].name, " ".join(map(_text, inputs)), _text(output), f"{kept:,}"])
            if lines is not None:
                rows[-1].append(lines.get(key, ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    text.insert(1, "-" * max(map(len, text)))
    text.append(f"{len(rows) - 1} ops, {total:,} bytes kept for the backward pass")
    return "\n".join(text)


def _new_bytes(saved: Any, seen: set[int]) -> int:
    kept = 0
    for value in saved:
        if isinstance(value, Tensor) and id(value._value) not in seen:
            seen.add(id(value._value))
            kept += value._value.nbytes
    return kept


def _text(shape: Any) -> str:
    return "[" + ",".join("?" if n is None else str(n) for n in shape) + "]"
