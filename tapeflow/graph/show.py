"""A graph as a web page: one row a node, whose inputs light up where the pointer is. One file, nothing loaded."""

from __future__ import annotations

import tempfile
import webbrowser
from html import escape
from pathlib import Path

from .ir import Graph, Node, lines

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.5 ui-monospace, monospace; margin: 2em; color: #222; background: #fff }}
div {{ white-space: pre; padding: 0 .5em; border-left: .5em solid transparent }}
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
    """The page's text. Of a compiled graph, nodes of one kernel have a bar of one colour."""
    kernels = {} if graph.kernels is None else graph.kernels()
    hues: dict[str, int] = {}
    of_line = [None, *[kernels.get(node) for node in graph.nodes]] if not any(map(_inner, graph.nodes)) else []
    rows = []
    for i, line in enumerate(lines(graph)):
        text, mark, place = line.partition("# ")
        kernel = of_line[i] if i < len(of_line) else None
        style = ""
        if kernel is not None:
            hue = hues.setdefault(kernel, len(hues) * 137 % 360)  # neighbours far apart on the wheel of colours
            style = f' style="border-left: .5em solid hsl({hue} 70% 60%)" title="{escape(kernel)}"'
        rows.append(f'<div{style}>{escape(text)}<span class="place">{escape(mark + place)}</span></div>')
    return _PAGE.format(title=escape(graph.name), rows="\n".join(rows))


def _inner(node: Node) -> bool:
    """Whether a node has lines of its own below it."""
    return any(isinstance(a, Graph) for a in node.attributes)


def show(graph: Graph, path: str | None = None, open_browser: bool = True) -> str:
    """Writes the page, to a temporary file unless a path is given, opens it in a browser, and returns its path."""
    if path is None:
        with tempfile.NamedTemporaryFile("w", suffix=".html", prefix=f"{graph.name}_", delete=False) as file:
            path = file.name
    Path(path).write_text(page(graph), encoding="utf-8")
    if open_browser:
        webbrowser.open(Path(path).resolve().as_uri())
    return path
