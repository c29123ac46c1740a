"""`python -m bench`: reads the command line, measures in turns, prints the table, writes the JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence

from bench import machine, targets
from bench.alone import measure_lone
from bench.drive import QUIET, Plan, Worker, measure_imports, measure_works
from bench.report import Row, as_json, digits, show, show_table, summary

QUICK = Plan(rounds=2, seconds=0.05, budget=5, processes=2, long=False)
FULL = Plan(rounds=7, seconds=0.2, budget=60, processes=5, long=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the bench as the command line says."""
    options = _parser().parse_args(arguments)
    plan = QUICK if options.quick else FULL
    plan.rounds = options.rounds or plan.rounds
    environment = QUIET | (machine.thread_limits(options.threads) if options.threads else {})
    facts = {
        "machine": machine.facts(),
        "settings": vars(plan) | {"threads": options.threads, "environment": environment},
    }
    workers = [Worker(*_named_python(text), environment) for text in [options.library, *options.peer]]
    rows: list[Row] = []
    try:
        for worker in workers:
            worker.start()
            if "error" in worker.hello:
                print(f"{worker.name} n/a: {worker.hello['error']}", file=sys.stderr)
        started = time.perf_counter()
        rows += _noted(measure_works(workers, plan, options.only), started)
        facts["libraries"] = {worker.name: _versions(worker) for worker in workers}
    finally:
        for worker in workers:
            worker.stop()
    if options.only.lower() in "import":
        rows += _noted(measure_imports(workers, plan), started)
    rows += _noted(measure_lone(workers, plan, options.only), started)
    facts["machine"]["load_average_after"] = machine.load_average()
    base = workers[0].name
    facts["targets"] = targets.verdicts(rows, base)
    show(rows, base)
    if facts["targets"]:
        show_table(targets.lines(facts["targets"], base), "targets: the best peer's time by ours, or a limit")
    for remark in machine.remarks(facts["machine"]):
        print(remark)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(as_json(rows, base, facts), file, indent=1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Times tapeflow and its peers in turns.")
    named = "NAME=PYTHON"
    parser.add_argument("--library", metavar=named, default=f"tapeflow={sys.executable}", help="what is under test")
    parser.add_argument("--peer", metavar=named, nargs="*", default=[], help="a peer and the interpreter that has it")
    parser.add_argument("--only", metavar="TEXT", default="", help="only works whose name contains this")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--rounds", metavar="N", type=int, help=f"turns of each library (default {FULL.rounds})")
    parser.add_argument("--quick", action="store_true", help="two short rounds, nothing long: a first look")
    parser.add_argument("--threads", metavar="N", type=int, help="hold all thread pools to this many (default: as is)")
    return parser


def _named_python(text: str) -> tuple[str, str]:
    name, separator, python = text.partition("=")
    if not (name and separator and python):
        sys.exit(f"expected NAME=PYTHON, such as torch=/usr/bin/python3, and got {text!r}")
    return name, python


def _versions(worker: Worker) -> dict:
    return {key: worker.hello[key] for key in ("version", "python", "numpy", "facts", "error") if key in worker.hello}


def _noted(rows: Iterable[Row], started: float) -> Iterator[Row]:
    """The rows, each told on standard error when it has been measured."""
    for row in rows:
        print(f"{time.perf_counter() - started:6.1f} s  {_in_short(row)}", file=sys.stderr)
        yield row


def _in_short(row: Row) -> str:
    figures = [
        f"{title} {'n/a' if column.error else digits(summary(column.rounds)['median'])}"
        for title, column in row.columns.items()
    ]
    return f"{row.name} ({row.unit}): {', '.join(figures)}"


if __name__ == "__main__":
    main()
