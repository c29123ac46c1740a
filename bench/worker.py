"""The process that times one library's works: `python -m bench.worker LIBRARY`, started by `bench.drive`.

It says on one line of JSON what it is (or `{"error": ...}`), then answers each line `{"work": name, "variant": variant,
"seconds": s}` on standard input with one line: the nanoseconds per thing done of each group of steps. What the library
itself prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

COMPARED = 3
"""Steps after which libraries' results are compared: a training step's loss then depends on two steps' updates."""


def main() -> None:
    """Imports the library named on the command line and serves requests until standard input ends."""
    answers = _claim_stdout()
    started = time.perf_counter()
    try:
        library = importlib.import_module(sys.argv[1])
        # TensorFlow loads its Keras on first use: that is importing, and no part of a first step.
        getattr(getattr(library, "keras", None), "layers", None)
        import_ms = (time.perf_counter() - started) * 1e3
        server = Server(sys.argv[1], library)
        hello = server.hello() | {"import_ms": import_ms}
    except Exception as error:
        _say(answers, {"error": in_words(error)})
        return
    _say(answers, hello)
    for line in sys.stdin:
        try:
            answer = server.answer(**json.loads(line))
        except Exception as error:
            answer = {"error": in_words(error)}
        _say(answers, answer)


@dataclass
class Built:
    """A work made ready: how a group of its steps is timed, what its first step cost, what an early one returned."""

    prepare: Callable[[], Any] | None
    step: Callable
    steps: int
    ops: int
    value: float
    first_ms: float
    call_ms: float


class Server:
    """Builds a library's works when they are asked for and times them; keeps the variants of the latest."""

    def __init__(self, name: str, library: Any) -> None:
        # Imported here, after the library: it brings NumPy, which must not be there before the import is timed.
        from bench.works import works_module

        self.library = library
        self.module = works_module(name)
        self.latest = ""
        self.variants: dict[str, Built] = {}

    def hello(self) -> dict[str, Any]:
        """Versions, facts and the names of the works."""
        import numpy

        return {
            "version": getattr(self.library, "__version__", None),
            "python": ".".join(map(str, sys.version_info[:3])),
            "numpy": numpy.__version__,
            "facts": self.module.describe(self.library),
            "works": [[work.name, work.variant, work.long, work.lone] for work in self.module.works.values()],
        }

    def answer(self, work: str, variant: str, seconds: float) -> dict[str, Any]:
        """Times one batch of about that many seconds.

        Returns:
            `ns`: per thing done, one number a group; `value`: what the last of the first COMPARED steps returned;
            `first_ms`: building the work and its first step; `call_ms`: that step alone; `peak_mb`: the most memory
            this process has held so far.
        """
        if work != self.latest:
            self.latest, self.variants = work, {}
        if variant not in self.variants:
            self.variants[variant] = self._built(work, variant)
        built = self.variants[variant]
        groups = time_batch(built, seconds)
        return {
            "ns": [group / built.ops for group in groups],
            "value": built.value,
            "first_ms": built.first_ms,
            "call_ms": built.call_ms,
            "peak_mb": peak_mb(),
        }

    def _built(self, name: str, variant: str) -> Built:
        started = time.perf_counter()
        work = self.module.works[name, variant]
        built = work.build(self.library)
        prepare, step = built if work.prepared else (None, built)
        called = time.perf_counter()
        result = self.module.value(step(prepare()) if prepare else step())
        ended = time.perf_counter()
        first_ms, call_ms = (ended - started) * 1e3, (ended - called) * 1e3
        for _ in range(COMPARED - 1 if prepare is None else 0):
            result = self.module.value(step())
        return Built(prepare, step, 1 if prepare else calibrated_steps(step), work.ops, result, first_ms, call_ms)


def calibrated_steps(step: Any, group_seconds: float = 0.01) -> int:
    """How many steps fill a group of about that many seconds."""
    steps, group = 1, step_group(step, 1)
    while group < group_seconds * 1e9 / 2:
        steps *= 2
        group = step_group(step, steps)
    return steps


def step_group(step: Any, steps: int) -> int:
    """Nanoseconds of that many steps in a row."""
    rounds = range(steps)
    started = time.perf_counter_ns()
    for _ in rounds:
        step()
    return time.perf_counter_ns() - started


def time_batch(built: Built, seconds: float) -> list[float]:
    """Nanoseconds per step of each group in a batch of about that many seconds; one group at least.

    What `prepare` does counts towards the length of the batch, not towards the figures.
    """
    groups = _prepared_groups(built.prepare, built.step) if built.prepare else _plain_groups(built.step, built.steps)
    deadline = time.perf_counter() + seconds
    timed = [next(groups)]
    while time.perf_counter() < deadline:
        timed.append(next(groups))
    return timed


def _plain_groups(step: Callable, steps: int) -> Iterator[float]:
    if steps > 1:
        step_group(step, max(1, steps // 4))  # Another process had the caches until now.
    while True:
        yield step_group(step, steps) / steps


def _prepared_groups(prepare: Callable[[], Any], step: Callable) -> Iterator[float]:
    while True:
        prepared = prepare()
        started = time.perf_counter_ns()
        result = step(prepared)
        yield float(time.perf_counter_ns() - started)
        del prepared, result


def peak_mb() -> float | None:
    """The most memory this process has had resident, in MB; None where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists() and (peak := re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)):
        return int(peak[1]) * 1024 / 1e6  # What getrusage says starts from the peak of the process that started this.
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def in_words(error: BaseException) -> str:
    """The error's type and first line, without the paths of this machine."""
    lines = str(error).strip().splitlines() or [""]
    return re.sub(r"(?<![\w.])(/[\w.+-]+){2,}", "<path>", f"{type(error).__name__}: {lines[0]}")[:160]


def _claim_stdout() -> TextIO:
    """Standard output for the answers alone: what libraries print there, from C too, goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
