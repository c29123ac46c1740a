"""Works in fresh processes that do nothing else: what a first call takes, with code on disk and without, and memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.drive import Plan, Worker, takers, titled
from bench.report import Row
from bench.works import CHAIN, COMPILED, GRAPH_SIZES, graph_of

NO_CACHE, WARM = "no disk cache", "warm disk cache"
CACHES: dict[str, Callable[[str], dict[str, str]]] = {
    "": lambda folder: {},
    NO_CACHE: lambda folder: {
        "TAPEFLOW_CACHE": "off",
        "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
        "TORCHINDUCTOR_CACHE_DIR": folder,
    },
    WARM: lambda folder: {
        "TAPEFLOW_CACHE": folder,
        "TORCHINDUCTOR_CACHE_DIR": folder,
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    },
}
"""Environment that has libraries keep compiled code nowhere, or in a folder that an earlier process has filled."""

FROM_IMPORT, FIRST, CALL, PEAK = "from import", "first", "call", "peak"


class Figure(NamedTuple):
    """What is told of a work in a fresh process: its row's name and unit; the figure, of what the process said."""

    name: str
    unit: str
    of: Callable[[dict[str, Any]], float | None]


FIGURES = {
    FROM_IMPORT: Figure("import, build and first {}", "ms", lambda said: said["import_ms"] + said["first_ms"]),
    FIRST: Figure("first call of the {}", "ms", lambda said: said["first_ms"]),
    CALL: Figure("first call of the built {}", "ms", lambda said: said["call_ms"]),
    PEAK: Figure("peak memory after the {}", "MB", lambda said: said["peak_mb"]),
}

GROWTH = "an op's compile time, 500 to 2000 ops / 10 to 500"


@dataclass(frozen=True)
class Lone:
    """A work in fresh processes: what is told of it, with which cache, and whether one long process is enough."""

    work: str
    figures: tuple[str, ...]
    cache: str = ""
    once: bool = False

    def row(self, figure: str) -> str:
        """The name of the row of that figure; memory is told without its cache, of which there is one kind."""
        name = FIGURES[figure].name.format(self.work)
        return f"{name}, {self.cache}" if self.cache and figure != PEAK else name


STEPS = ("housing step", "CNN step", "wide MLP step", "transformer step", "LSTM step")
LONE = (
    Lone("MNIST step", (FROM_IMPORT, PEAK)),
    Lone(COMPILED + "MNIST step", (FROM_IMPORT, FIRST, CALL, PEAK), NO_CACHE),
    Lone(COMPILED + "MNIST step", (FROM_IMPORT, FIRST, CALL), WARM),
    *(Lone(COMPILED + name, (FIRST, PEAK), NO_CACHE, once=True) for name in STEPS),
    Lone(CHAIN, (PEAK,), NO_CACHE, once=True),
    *(Lone(graph_of(size), (FIRST,), NO_CACHE) for size in GRAPH_SIZES),
)


def measure_lone(workers: Sequence[Worker], plan: Plan, only: str = "") -> Iterator[Row]:
    """Works in fresh processes that do nothing else; rows whose name contains `only`, as they are measured."""
    sized: dict[str, Row] = {}
    for lone in LONE:
        rows = {figure: Row(lone.row(figure), FIGURES[figure].unit) for figure in lone.figures}
        rows = {figure: row for figure, row in rows.items() if only.lower() in row.name.lower()}
        if rows and not (lone.once and not plan.long):
            with tempfile.TemporaryDirectory() as folder:
                _measure_alone(workers, plan, lone, rows, folder)
            measured = [row for row in rows.values() if row.columns]
            sized |= {row.name: row for row in measured}
            yield from measured
    yield from growth(sized)


def _measure_alone(workers: Sequence[Worker], plan: Plan, lone: Lone, rows: dict[str, Row], folder: str) -> None:
    """Fills the rows of a work's figures; the cache, if there is one, is in `folder`."""
    environment = CACHES[lone.cache](folder)
    filling = lone.cache == WARM
    for number in range(1 if lone.once else plan.processes + filling):
        for worker, variant in takers(workers, lone.work, plan):
            columns = {figure: row.column(titled(worker.name, variant)) for figure, row in rows.items()}
            if any(column.error for column in columns.values()):
                continue
            hello, answer = _alone(worker, environment, work=lone.work, variant=variant, seconds=plan.seconds)
            error = answer.get("error")
            if number == 0 and filling and not error:
                continue
            for figure, column in columns.items():
                column.add(None if error else FIGURES[figure].of(hello | answer), error or "the system does not say")


def _alone(worker: Worker, environment: dict[str, str], **request: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a fresh process of the library says of itself, and its answer."""
    lone = Worker(worker.name, worker.python, worker.environment | environment, worker.timeout)
    answer = lone.ask(**request)
    lone.stop()
    return lone.hello, answer


def growth(rows: dict[str, Row]) -> list[Row]:
    """How many times more an op costs between the two largest graphs than between smaller ones: 1 is linear.

    `rows` by their names; no row comes of them unless the graphs' first calls are there.
    """
    small, middle, large = (GRAPH_SIZES[i] for i in (0, -2, -1))
    names = [Lone(graph_of(size), (), NO_CACHE).row(FIRST) for size in (small, middle, large)]
    if not all(name in rows for name in names):
        return []
    found = Row(GROWTH, "x")
    for title in rows[names[0]].columns:
        columns = [rows[name].column(title) for name in names]
        if error := next((column.error for column in columns if column.error), None):
            found.column(title).add(None, error)
            continue
        for low, mid, high in zip(*(column.rounds for column in columns)):
            found.column(title).add((high - mid) / (large - middle) / ((mid - low) / (middle - small)), None)
    return [found]
