"""A graph as a web page: one row a node, whose inputs light up where the pointer is. One file, nothing loaded."""

from __future__ import annotations

import tempfile
import webbrowser
from html import escape
from pathlib import Path

from .ir import Graph, lines

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.5 ui-monospace, monospace; margin: 2em; color: #222; background: #fff }}
div {{ white-space: pre; padding: 0 .5em }}
div:hover {{ background: #f2f2f2 }}
.used {{ background: #ffe9a8 }}
.place {{ color: #888 }}
@media (prefers-color-scheme: dark) {{
body {{ color: #ddd; background: #181818 }} div:hover {{ background: #262626 }} .used {{ background: #5a4a10 }}
}}
</style></head><body>
{rows}
<script>
const rows = [...document.querySelectorAll("div")];
const names = row => row.textContent.split("#")[0].match(/%[\\w?]+/g) || [];
for (const row of rows) {{
  row.onmouseenter = () => {{
    const used = new Set(names(row));
    for (const other of rows) other.classList.toggle("used", other !== row && names(other).some(n => used.has(n)));
  }};
}}
</script></body></html>
"""


def page(graph: Graph) -> str:
    """The page's text."""
    rows = []
    for line in lines(graph):
        text, mark, place = line.partition("# ")
        rows.append(f'<div>{escape(text)}<span class="place">{escape(mark + place)}</span></div>')
    return _PAGE.format(title=escape(graph.name), rows="\n".join(rows))


def show(graph: Graph, path: str | None = None, open_browser: bool = True) -> str:
    """Writes the page, to a temporary file unless a path is given, opens it in a browser, and returns its path."""
    if path is None:
        with tempfile.NamedTemporaryFile("w", suffix=".html", prefix=f"{graph.name}_", delete=False) as file:
            path = file.name
    Path(path).write_text(page(graph), encoding="utf-8")
    if open_browser:
        webbrowser.open(Path(path).resolve().as_uri())
    return path
