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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.report import Row

ROOT = Path(__file__).resolve().parent.parent
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
"""Environment of every worker: the CPU, and no chatter."""
SETTLE = 0.3
"""Seconds between two libraries' batches: thread pools spin after the last piece of work, some for 0.2 s."""


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
            for worker, variant in takers(workers, name, plan):
                column = row.column(titled(worker.name, variant))
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


def _work_names(workers: Sequence[Worker], plan: Plan, only: str) -> list[str]:
    offers = [offer for worker in workers for offer in worker.hello.get("works", [])]
    wanted = (name for name, _, long, lone in offers if only.lower() in name.lower() and plan.long >= long and not lone)
    return list(dict.fromkeys(wanted))


def takers(workers: Sequence[Worker], work: str, plan: Plan) -> list[tuple[Worker, str]]:
    """The workers that have the work, with each of their variants of it that the plan has time for."""
    offers = ((worker, *offer) for worker in workers for offer in worker.hello.get("works", []))
    return [(worker, variant) for worker, name, variant, long, _ in offers if name == work and plan.long >= long]


def titled(library: str, variant: str) -> str:
    """The title of a column."""
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
