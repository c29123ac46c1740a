"""What tapeflow's compiled works are to reach: so many times the speed of the best peer, or a limit of their own."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.alone import CALL, FIRST, GROWTH, NO_CACHE, PEAK, WARM, Lone
from bench.report import Row, digits, ratios, summary
from bench.works import CHAIN, COMPILED, graph_of


class Ratio(NamedTuple):
    """The least ratio of the best peer to tapeflow; `peer` names one that alone counts."""

    least: float
    peer: str = ""


SPEED = {
    COMPILED + "MNIST step": Ratio(2.5),
    COMPILED + "housing step": Ratio(3.0),
    COMPILED + "CNN step": Ratio(1.5),
    COMPILED + "wide MLP step": Ratio(0.95),
    COMPILED + "transformer step": Ratio(1.2),
    COMPILED + "LSTM step": Ratio(1.2),
    CHAIN: Ratio(1.0, "jax"),
}
RATIOS = SPEED | {Lone(work, (), NO_CACHE).row(PEAK): Ratio(1.0) for work in SPEED}
"""By the row's name: speed, and peak memory at most that of the best peer."""

LIMITS = {
    Lone(COMPILED + "MNIST step", (), NO_CACHE).row(CALL): 200.0,
    Lone(COMPILED + "MNIST step", (), WARM).row(CALL): 40.0,
    Lone(graph_of(500), (), NO_CACHE).row(FIRST): 3000.0,
    GROWTH: 1.5,
}
"""The most a row's own figure may be, in its unit."""


def verdicts(rows: list[Row], base: str) -> list[dict[str, Any]]:
    """What became of each target whose row was measured.

    Returns:
        A dict for each: `work`, `unit`, `figure` (the median) and `met`; `peer`, `peer_figure`, `ratio` and `least`, or
        `most`. Rows that `base` or all peers failed are left out; what failed is told with the rows.
    """
    found = []
    for row in rows:
        column = row.columns.get(base)
        if column is None or column.error:
            continue
        figure = summary(column.rounds)["median"]
        verdict: dict[str, Any] = {"work": row.name, "unit": row.unit, "figure": figure}
        if row.name in LIMITS:
            most = LIMITS[row.name]
            found.append(verdict | {"most": most, "met": figure <= most})
        elif row.name in RATIOS and (best := best_peer(row, base, RATIOS[row.name].peer)):
            peer, ratio = best
            least = RATIOS[row.name].least
            peer_figure = summary(row.columns[peer].rounds)["median"]
            against = {"peer": peer, "peer_figure": peer_figure, "ratio": ratio, "least": least}
            found.append(verdict | against | {"met": ratio >= least})
    return found


def best_peer(row: Row, base: str, only: str = "") -> tuple[str, float] | None:
    """The column of another library with the least ratio to the base's, and that ratio; `only` of one library."""
    medians = {
        title: ratio["median"]
        for title, ratio in ratios(row, base).items()
        if (library := title.split()[0]) != base and library == (only or library)
    }
    return min(medians.items(), key=lambda item: item[1]) if medians else None


def lines(found: list[dict[str, Any]], base: str) -> list[list[str]]:
    """The verdicts as a table, its header first."""
    table = [["work", "unit", base, "best peer", "", "ratio", "target", ""]]
    for verdict in found:
        if "most" in verdict:
            peer, against, ratio, target = "", "", "", f"at most {digits(verdict['most'])}"
        else:
            peer, against = verdict["peer"], digits(verdict["peer_figure"])
            ratio, target = f"{digits(verdict['ratio'])}x", f"{verdict['least']:g}x"
        figures = [verdict["unit"], digits(verdict["figure"]), peer, against, ratio, target]
        table.append([verdict["work"], *figures, "met" if verdict["met"] else "missed"])
    return table
