"""What the measured rounds say: medians, ratios to the library under test, a table and JSON."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 1e-3
"""Relative difference up to which two libraries' results count as the same."""


@dataclass
class Column:
    """One library's figures for one row: a number a round, or the reason why there is none."""

    rounds: list[float] = field(default_factory=list)
    error: str | None = None
    value: float | None = None
    peak_mb: float | None = None

    def add(self, figure: float | None, error: str | None) -> None:
        """Takes a round's figure; None means that it could not be had, because of `error`."""
        if figure is None:
            self.error = error
        else:
            self.rounds.append(figure)


@dataclass
class Row:
    """One thing measured, in every library that has it. Less is better in all units."""

    name: str
    unit: str
    columns: dict[str, Column] = field(default_factory=dict)

    def column(self, title: str) -> Column:
        """The column of that title, made when it is first asked for."""
        return self.columns.setdefault(title, Column())


def summary(rounds: list[float]) -> dict[str, float]:
    """Median, and the quartiles as `low` and `high`, of one number or more."""
    if len(rounds) == 1:
        return {"median": rounds[0], "low": rounds[0], "high": rounds[0]}
    low, median, high = statistics.quantiles(rounds, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def ratios(row: Row, base: str) -> dict[str, dict[str, float]]:
    """How many times the base's figure each other column's is.

    Rounds are compared one by one, as they were measured moments apart, and the median of these ratios is given: what
    slows the machine for a while slows both.
    """
    if base not in row.columns or row.columns[base].error:
        return {}
    base_rounds = row.columns[base].rounds
    return {
        title: summary([figure / base_figure for figure, base_figure in zip(column.rounds, base_rounds)])
        for title, column in row.columns.items()
        if title != base and not column.error
    }


def differences(row: Row, base: str) -> list[str]:
    """Columns whose result is not the base's: they did not compute the same, so their ratio means nothing."""
    expected = row.columns[base].value if base in row.columns else None
    if expected is None:
        return []
    allowed = TOLERANCE * max(abs(expected), 1e-6)
    return [
        f"{row.name}: {title} computed {column.value:.6g}, {base} {expected:.6g}"
        for title, column in row.columns.items()
        if column.value is not None and not abs(column.value - expected) <= allowed
    ]


def as_json(rows: list[Row], base: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Everything measured, `facts` first, in a form for `json.dump`."""
    works = []
    for row in rows:
        row_ratios = ratios(row, base)
        columns: dict[str, dict[str, Any]] = {}
        for title, column in row.columns.items():
            if column.error:
                columns[title] = {"error": column.error}
                continue
            columns[title] = summary(column.rounds) | {"rounds": column.rounds}
            if column.peak_mb is not None:
                columns[title] |= {"result": column.value, "peak_mb": column.peak_mb}
            if title in row_ratios:
                columns[title]["ratio"] = row_ratios[title]
        works.append({"name": row.name, "unit": row.unit, "libraries": columns, "differences": differences(row, base)})
    return facts | {"base": base, "works": works}


def cells(rows: list[Row], base: str) -> tuple[list[str], list[list[str]], list[str]]:
    """The table as text: its header, its lines, and notes on what is missing or does not agree."""
    titles = list(dict.fromkeys([base] + [title for row in rows for title in row.columns]))
    lines, notes = [], []
    for row in rows:
        row_ratios = ratios(row, base)
        line = [row.name, row.unit]
        for title in titles:
            column = row.columns.get(title)
            if column is None:
                line.append("-")
            elif column.error:
                line.append("n/a")
                notes.append(f"{row.name}: {title} n/a: {column.error}")
            else:
                ratio = f" ({digits(row_ratios[title]['median'])}x)" if title in row_ratios else ""
                line.append(digits(summary(column.rounds)["median"]) + ratio)
        lines.append(line)
        notes += differences(row, base)
    return ["work", "unit", *titles], lines, list(dict.fromkeys(notes))


def digits(number: float) -> str:
    """Three significant digits, without an exponent."""
    if number == 0:
        return "0"
    rounded = float(f"{number:.3g}")
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def show(rows: list[Row], base: str) -> None:
    """Prints the table and its notes."""
    header, lines, notes = cells(rows, base)
    show_table([header, *lines], f"medians; (ratio to {base})")
    for note in notes:
        print(note)


def show_table(lines: list[list[str]], caption: str) -> None:
    """Prints a table whose first line is its header: with rich where it is installed, in plain columns otherwise."""
    header, *body = lines
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(plain(header, body))
        return
    table = Table(caption=caption)
    for title in header:
        table.add_column(title, justify="left" if title == "work" else "right", no_wrap=title == "work")
    for line in body:
        table.add_row(*line)
    console = Console()
    if not console.is_terminal:
        console.width = 1000  # In a file or a pipe the table is as wide as it is.
    console.print(table)


def plain(header: list[str], lines: list[list[str]]) -> str:
    """Columns of text: the first to the left, the others to the right."""
    table = [header, *lines]
    widths = [max(map(len, column)) for column in zip(*table)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])])
        for line in table
    )
