"""Write the pages that follow from the package itself: docs/names.md, every `tf.` name, and docs/functions.md.

With --check nothing is written; the exit code is 1 where a file does not say what the package has.
"""

import argparse
import difflib
import inspect
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import passes  # noqa: E402 - the checkout's package, installed or not
from tapeflow.compat.namespace import kind, walk  # noqa: E402

OPENING = """\
# Supported names

Every public name of tapeflow, by namespace: {total} in {groups} namespaces. `make docs` writes this page from the
package; `tapeflow check PROGRAM` tells which names a program uses that are not on it.
"""


def page() -> str:
    """The page as text: one table for each namespace, in alphabetical order, `tf` first."""
    rows = sorted((group_of(name), name, kind(value), summary(value)) for name, value in walk())
    groups = [(group, list(members)) for group, members in groupby(rows, key=lambda row: row[0])]
    parts = [OPENING.format(total=len(rows), groups=len(groups))]
    for group, members in groups:
        parts.append(f"## {group}\n\n| name | kind | |\n|---|---|---|\n")
        parts[-1] += "".join(f"| `tf.{name}` | {what} | {text} |\n" for _, name, what, text in members)
    return "\n".join(parts)


def group_of(name: str) -> str:
    space, _, _ = name.rpartition(".")
    return f"tf.{space}" if space else "tf"


def summary(value: Any) -> str:
    """The first line of a docstring, safe inside a table; empty for values, whose docstring is their class's."""
    if kind(value) not in ("module", "class", "function"):
        return ""
    text = inspect.getdoc(value) if not isinstance(value, type) else own_docstring(value)
    first = next(iter((text or "").strip().splitlines()), "")
    return first.replace("|", "\\|")


def own_docstring(cls: type) -> str:
    """A class's own docstring: `inspect.getdoc` would show that of a class it derives from."""
    return inspect.cleandoc(cls.__dict__.get("__doc__") or "")


PAGES = {"names.md": page, "functions.md": passes.page}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="only say whether the files are up to date")
    check = options.parse_args().check
    stale = [name for name, make in PAGES.items() if _is_stale(ROOT / "docs" / name, make(), check)]
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`")
    return bool(stale)


def _is_stale(path: Path, wanted: str, check: bool) -> bool:
    """Whether a file is not what it should be; without `check`, it is made so."""
    if not check:
        path.write_text(wanted, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
        return False
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    if current == wanted:
        return False
    lines = difflib.unified_diff(current.splitlines(), wanted.splitlines(), path.name, "the package", lineterm="", n=0)
    print("\n".join(list(lines)[:20]))
    return True


if __name__ == "__main__":
    sys.exit(main())
