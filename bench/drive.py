"""Starts the worker processes and has them work in turns: one at a time, library after library, round after round."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.report import Row
from bench.works import CHAIN, COMPILED, GRAPH_SIZES, graph_of

ROOT = Path(__file__).resolve().parent.parent
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
"""Environment of every worker: the CPU, and no chatter."""
SETTLE = 0.02
"""Seconds between two libraries' batches: thread pools spin for a while after the last piece of work."""


@dataclass
class Plan:
    """How long to measure.

    `rounds` of `seconds` a batch for each work, but no further round once `budget` seconds are over after the first,
    which builds; `processes` fresh ones for import times and first calls; `long` works or not.
    """

    rounds: int
    seconds: float
    budget: float
    processes: int
    long: bool


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

FROM_IMPORT, FIRST, PEAK = "from import", "first", "peak"
FIGURES: dict[str, tuple[str, str, Callable[[dict[str, Any]], float | None]]] = {
    FROM_IMPORT: ("import, build and first {}", "ms", lambda said: said["import_ms"] + said["first_ms"]),
    FIRST: ("first call of the {}", "ms", lambda said: said["first_ms"]),
    PEAK: ("peak memory after the {}", "MB", lambda said: said["peak_mb"]),
}
"""What is told of a work in a fresh process: its row's name and unit, and the figure, from what the process said."""

GROWTH = "time of an op's compiling, largest graphs to smaller"


@dataclass(frozen=True)
class Lone:
    """A work in fresh processes: what is told of it, with which cache, and whether one long process is enough."""

    work: str
    figures: tuple[str, ...]
    cache: str = ""
    once: bool = False

    def row(self, figure: str) -> str:
        """The name of the row of that figure; memory is told without its cache, of which there is one kind."""
        name = FIGURES[figure][0].format(self.work)
        return f"{name}, {self.cache}" if self.cache and figure != PEAK else name


STEPS = ("housing step", "CNN step", "wide MLP step", "transformer step", "LSTM step")
LONE = (
    Lone("MNIST step", (FROM_IMPORT, PEAK)),
    Lone(COMPILED + "MNIST step", (FROM_IMPORT, FIRST, PEAK), NO_CACHE),
    Lone(COMPILED + "MNIST step", (FROM_IMPORT, FIRST), WARM),
    *(Lone(COMPILED + name, (FIRST, PEAK), NO_CACHE, once=True) for name in STEPS),
    Lone(CHAIN, (PEAK,), NO_CACHE, once=True),
    *(Lone(graph_of(size), (FIRST,), NO_CACHE) for size in GRAPH_SIZES),
)


@dataclass
class Worker:
    """One library in a process of its own. After a crash the next request starts it anew."""

    name: str
    python: str
    environment: dict[str, str] = field(default_factory=dict)
    timeout: float = 300.0
    hello: dict[str, Any] = field(default_factory=dict)
    process: Any = None
    log: Any = None

    def start(self) -> dict[str, Any]:
        """Starts the process and returns what it says of itself, or `{"error": message}`."""
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        self.process = subprocess.Popen(
            [self.python, "-m", "bench.worker", self.name],
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.hello = self._read()
        return self.hello

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer; an error of any kind comes as `{"error": message}`."""
        if self.process is None and "error" in self.start():
            return self.hello
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # The end of the process shows when its answer is read.
        return self._read()

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self.process is not None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self._forget()

    def _read(self) -> dict[str, Any]:
        process = self.process
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        alarm = threading.Timer(self.timeout, give_up)
        alarm.start()
        line = process.stdout.readline()
        alarm.cancel()
        if line:
            return json.loads(line)
        code = self._forget()
        if late.is_set():
            return {"error": f"no answer in {self.timeout:g} s"}
        return {"error": f"the process ended with exit code {code}"}

    def _forget(self) -> int:
        """Takes leave of a process that has ended or is ending; shows what it said when it did not end well."""
        code = self.process.wait()
        if code:
            self.log.seek(0)
            sys.stderr.write(self.log.read().decode(errors="replace")[-2000:])
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code


def measure_works(workers: Sequence[Worker], plan: Plan, only: str = "") -> Iterator[Row]:
    """One row for each work whose name contains `only`, as it is measured. Figures are us per thing done."""
    for name in _work_names(workers, plan, only):
        row = Row(name, "us")
        deadline = 0.0
        for number in range(plan.rounds):
            if number == 1:
                deadline = time.perf_counter() + plan.budget
            elif number and time.perf_counter() > deadline:
                break
            for worker, variant in _takers(workers, name, plan):
                column = row.column(_title(worker.name, variant))
                if column.error is None:
                    time.sleep(SETTLE)
                    answer = worker.ask(work=name, variant=variant, seconds=plan.seconds)
                    column.add(statistics.median(answer["ns"]) / 1e3 if "ns" in answer else None, answer.get("error"))
                    column.value, column.peak_mb = answer.get("value"), answer.get("peak_mb")
        yield row


def measure_imports(workers: Sequence[Worker], plan: Plan) -> list[Row]:
    """Import time in fresh interpreters: of each library, of NumPy in the same interpreter, and how they compare."""
    library, numpy = Row("import", "ms"), Row("import numpy, same interpreter", "ms")
    ratio = Row("import / import numpy", "x")
    for number in range(plan.processes + 1):
        for worker in workers:
            own, numpys = _import_ms(worker, worker.name), _import_ms(worker, "numpy")
            if number == 0:
                continue  # The first import may write byte code, and brings the files into memory.
            library.column(worker.name).add(own, "cannot be imported")
            numpy.column(worker.name).add(numpys, "cannot be imported")
            ratio.column(worker.name).add(own / numpys if own and numpys else None, "cannot be imported")
    return [library, numpy, ratio]


def measure_lone(workers: Sequence[Worker], plan: Plan, only: str = "") -> list[Row]:
    """Works in fresh processes that do nothing else; rows whose name contains `only`."""
    rows: list[Row] = []
    for lone in LONE:
        wanted = {figure: lone.row(figure) for figure in lone.figures}
        wanted = {figure: name for figure, name in wanted.items() if only.lower() in name.lower()}
        if not wanted or lone.once and not plan.long:
            continue
        made = {figure: Row(name, FIGURES[figure][1]) for figure, name in wanted.items()}
        with tempfile.TemporaryDirectory() as folder:
            environment = CACHES[lone.cache](folder)
            for number in range(1 if lone.once else plan.processes + (lone.cache == WARM)):
                for worker, variant in _takers(workers, lone.work, plan):
                    hello, answer = _alone(worker, environment, work=lone.work, variant=variant, seconds=plan.seconds)
                    if number == 0 and lone.cache == WARM:
                        continue  # It filled the cache.
                    for figure, row in made.items():
                        column = row.column(_title(worker.name, variant))
                        error = answer.get("error")
                        found = None if error else FIGURES[figure][2](hello | answer)
                        column.add(found, error or "the system does not say")
        rows += made.values()
    return rows + _growth(rows)


def _alone(worker: Worker, environment: dict[str, str], **request: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a fresh process of the library says of itself, and its answer."""
    lone = Worker(worker.name, worker.python, worker.environment | environment, worker.timeout)
    answer = lone.ask(**request)
    lone.stop()
    return lone.hello, answer


def _growth(rows: list[Row]) -> list[Row]:
    """How many times more an op costs between the two largest graphs than between the smaller ones: 1 is linear."""
    named = {row.name: row for row in rows}
    small, middle, large = (GRAPH_SIZES[i] for i in (0, -2, -1))
    sized = [named.get(Lone(graph_of(size), (), NO_CACHE).row(FIRST)) for size in (small, middle, large)]
    if None in sized:
        return []
    growth = Row(GROWTH, "x")
    for title in sized[0].columns:
        columns = [row.columns[title] for row in sized]
        error = next((column.error for column in columns if column.error), None)
        growth.column(title).error = error
        for low, mid, high in zip(*(column.rounds for column in columns)) if not error else ():
            growth.column(title).add((high - mid) / (large - middle) / ((mid - low) / (middle - small)), None)
    return [growth]


def _work_names(workers: Sequence[Worker], plan: Plan, only: str) -> list[str]:
    offers = [offer for worker in workers for offer in worker.hello.get("works", [])]
    wanted = (name for name, _, long, lone in offers if only.lower() in name.lower() and plan.long >= long and not lone)
    return list(dict.fromkeys(wanted))


def _takers(workers: Sequence[Worker], work: str, plan: Plan) -> list[tuple[Worker, str]]:
    """The workers that have the work, with each of their variants of it that the plan has time for."""
    offers = ((worker, *offer) for worker in workers for offer in worker.hello.get("works", []))
    return [(worker, variant) for worker, name, variant, long, _ in offers if name == work and plan.long >= long]


def _title(library: str, variant: str) -> str:
    return f"{library} {variant}".strip()


def _import_ms(worker: Worker, module: str) -> float | None:
    """Milliseconds of one import in a fresh interpreter; None if it fails."""
    program = f"import time; t = time.perf_counter(); import {module}; print('ms=', (time.perf_counter() - t) * 1e3)"
    done = subprocess.run(
        [worker.python, "-c", program],
        cwd=ROOT,
        env=os.environ | worker.environment,
        capture_output=True,
        text=True,
        timeout=worker.timeout,
    )
    return float(done.stdout.rpartition("ms=")[2]) if done.returncode == 0 else None
