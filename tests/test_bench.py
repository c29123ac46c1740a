"""The bench: what it makes of measured rounds, and one tiny work through a worker process with a made-up library."""

from __future__ import annotations

import json
import sys

import pytest

from bench import __main__ as command
from bench import machine, report, worker
from bench.drive import Plan, Worker, measure_works
from bench.works import works_module

FAKE_LIBRARY = """
print("libraries may chatter")
__version__ = "1.2"


class Tensor:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return Tensor(self.value + other.value)

    def numpy(self):
        return self.value


constant = Tensor
"""


def row(name: str = "add", unit: str = "us", values: dict | None = None, **rounds: list[float]) -> report.Row:
    columns = {title: report.Column(figures, value=(values or {}).get(title)) for title, figures in rounds.items()}
    return report.Row(name, unit, columns)


def test_summary_gives_median_and_quartiles():
    assert report.summary([4.0, 1.0, 3.0, 2.0, 100.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}
    assert report.summary([7.0]) == {"median": 7.0, "low": 7.0, "high": 7.0}


def test_ratios_compare_round_by_round():
    # The third round ran on a slow machine; the medians alone would say 30 / 2 = 15.
    measured = row(ours=[1.0, 2.0, 10.0], peer=[10.0, 30.0, 100.0])
    assert report.ratios(measured, "ours")["peer"]["median"] == 10.0


def test_ratios_leave_out_what_failed():
    measured = row(ours=[1.0, 2.0], peer=[3.0, 6.0])
    measured.columns["peer"].error = "gone"
    assert report.ratios(measured, "ours") == {}
    assert report.ratios(measured, "absent") == {}
    assert report.ratios(measured, "peer") == {}


def test_differences_name_libraries_that_computed_something_else():
    measured = row(values={"ours": 2.0, "near": 2.001, "far": 2.1}, ours=[1.0], near=[1.0], far=[1.0])
    assert report.differences(measured, "ours") == ["add: far computed 2.1, ours 2"]
    measured.columns["near"].value = float("nan")
    assert report.differences(measured, "ours")[0] == "add: near computed nan, ours 2"
    assert report.differences(measured, "absent") == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.4567, "0.457"), (9.996, "10.0"), (37.25, "37.2"), (89432.0, "89400"), (0.0057, "0.00570")],
)
def test_digits_keeps_three(number: float, text: str):
    assert report.digits(number) == text


def test_cells_and_plain_table():
    failing = row("step", ours=[2.0])
    failing.column("peer").add(None, "no such name")
    header, lines, notes = report.cells([row(ours=[0.5, 0.5], peer=[5.0, 5.0], lone=[1.0, 1.0]), failing], "ours")
    assert notes == ["step: peer n/a: no such name"]
    assert report.plain(header, lines).splitlines() == [
        "work  unit   ours          peer          lone",
        "add     us  0.500  5.00 (10.0x)  1.00 (2.00x)",
        "step    us   2.00           n/a             -",
    ]


def test_json_holds_figures_ratios_and_reasons():
    failing = row("step", ours=[2.0])
    failing.column("peer").add(None, "no such name")
    written = report.as_json([row(ours=[1.0], peer=[3.0]), failing], "ours", {"machine": {"cores": 2}})
    written = json.loads(json.dumps(written))
    assert written["machine"] == {"cores": 2} and written["base"] == "ours"
    assert written["works"][0]["libraries"]["peer"]["ratio"]["median"] == 3.0
    assert written["works"][0]["libraries"]["ours"]["rounds"] == [1.0]
    assert written["works"][1]["libraries"]["peer"] == {"error": "no such name"}


def test_errors_are_told_without_paths():
    error = FileNotFoundError("nothing at /home/someone/file.txt, nor 3/4 of it\nsecond line")
    assert worker.in_words(error) == "FileNotFoundError: nothing at <path>, nor 3/4 of it"


def test_batches_time_the_step_and_not_its_preparation():
    calls = []
    built = worker.Built(lambda: calls.append("prepare"), lambda prepared: calls.append("step"), 1, 1, 0.0, 0.0, 0.0)
    assert len(worker.time_batch(built, 0.0)) == 1
    assert calls == ["prepare", "step"]


def test_calibrated_groups_fill_their_time():
    steps = worker.calibrated_steps(lambda: sum(range(1000)), group_seconds=0.001)
    assert steps > 1 and steps & (steps - 1) == 0
    assert worker.calibrated_steps(lambda: sum(range(1000)), group_seconds=0.0) == 1


def test_thread_limits_are_set_for_all_or_not_at_all():
    limits = machine.thread_limits(2)
    assert set(limits.values()) == {"2"} and "OPENBLAS_NUM_THREADS" in limits
    assert "eigen=false" in machine.thread_limits(1)["XLA_FLAGS"]


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_peers_have_no_work_of_their_own(library: str):
    ours = {name for name, _ in works_module("tapeflow").works}
    assert {name for name, _ in works_module(library).works} <= ours


def test_works_go_through_a_worker(tmp_path, monkeypatch):
    (tmp_path / "fakeflow.py").write_text(FAKE_LIBRARY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fake = Worker("fakeflow", sys.executable)
    plan = Plan(rounds=2, seconds=0.001, budget=5, processes=1, long=False)
    try:
        assert fake.start()["version"] == "1.2"
        added, taped = (next(measure_works([fake], plan, name)) for name in ("add [32]", "add 0-d, taped"))
    finally:
        fake.stop()
    column = added.columns["fakeflow"]
    assert column.error is None and column.value == 32 * 5.0
    assert len(column.rounds) == 2 and min(column.rounds) > 0
    assert taped.columns["fakeflow"].error == "AttributeError: module 'fakeflow' has no attribute 'GradientTape'"


def test_a_crash_costs_one_work(tmp_path, monkeypatch, capsys):
    (tmp_path / "crashflow.py").write_text(FAKE_LIBRARY + "\nTensor.__add__ = lambda *_: __import__('os')._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    crashing = Worker("crashflow", sys.executable)
    try:
        request = {"variant": "", "seconds": 0.0}
        assert crashing.ask(work="add 0-d", **request) == {"error": "the process ended with exit code 3"}
        assert "GradientTape" in crashing.ask(work="add 0-d, taped", **request)["error"]
    finally:
        crashing.stop()
    assert "libraries may chatter" in capsys.readouterr().err


def test_a_library_that_is_not_there_is_told(tmp_path, monkeypatch, capsys):
    figures = tmp_path / "figures.json"
    monkeypatch.setenv("COLUMNS", "200")
    command.main(["--library", f"no_such_library={sys.executable}", "--only", "add", "--json", str(figures)])
    assert "ModuleNotFoundError" in capsys.readouterr().err
    assert "ModuleNotFoundError" in json.loads(figures.read_text())["libraries"]["no_such_library"]["error"]
