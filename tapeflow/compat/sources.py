"""Reading programs and notebooks as Python source, each line with the place it came from."""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".py", ".ipynb")

# Folders that hold no programs of the user's.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})

# Cell magics that run the rest of their cell as Python; any other hands it to something else.
PYTHON_CELLS = ("%%time", "%%capture", "%%prun")

COMMAND = re.compile(r"(\s*)([\w\s,.]+=\s*)?[%!?]")
HELP = re.compile(r"^(\s*[\w.]+)\?+\s*$")


@dataclass(frozen=True)
class Source:
    """Python source, and for each of its lines what to print after the file's name."""

    text: str
    places: list[str]


class Unreadable(Exception):
    """A path that cannot be read as Python source; the text says why."""


def find(path: Path) -> Iterator[Path]:
    """`path` itself, or the programs and notebooks in and below a folder, sorted; hidden folders are left out."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.name.startswith(".") or entry.name in SKIPPED:
            continue
        if entry.is_dir():
            yield from find(entry)
        elif entry.suffix in SUFFIXES:
            yield entry


def read(path: Path) -> Source:
    """The Python source of a program, or of a notebook's code cells joined; Unreadable where there is none."""
    try:
        raw = path.read_bytes()
        return notebook(json.loads(raw)) if path.suffix == ".ipynb" else program(raw)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    except (SyntaxError, UnicodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{'no notebook' if path.suffix == '.ipynb' else 'no Python source'}: {error}") from error


def program(raw: bytes) -> Source:
    """A program's bytes as text in the encoding that it declares."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    text = raw.decode(encoding)
    return Source(text, [str(number) for number in range(1, text.count("\n") + 2)])


def notebook(document: dict) -> Source:
    """The code cells of a notebook, IPython's own commands blanked; places count code and text cells from 1."""
    lines: list[str] = []
    places: list[str] = []
    for number, cell in enumerate(document["cells"], 1):
        if cell.get("cell_type") != "code":
            continue
        source = cell["source"]
        body = (source if isinstance(source, str) else "".join(source)).split("\n")
        lines += plain(body)
        places += [f"cell {number} line {line}" for line in range(1, len(body) + 1)]
    return Source("\n".join(lines) + "\n", places + ["end"])


def plain(body: list[str]) -> list[str]:
    """A cell's lines as Python, as many as there were; a cell in another language becomes blank."""
    first = next((line.strip() for line in body if line.strip()), "")
    if first.startswith("%%") and not first.startswith(PYTHON_CELLS):
        return [""] * len(body)
    return [command(line) for line in body]


def command(line: str) -> str:
    """A line without IPython's syntax: `%magic` and `!command` are `pass`, `x = !command` gives None, `x?` is `x`."""
    found = COMMAND.match(line)
    if found:
        return found[1] + (f"{found[2]}None" if found[2] else "pass")
    return HELP.sub(r"\1", line)
