"""The bench's compiled works: what they compute, fresh processes and their caches, targets."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

import tapeflow as tf
from bench import alone, drive, machine, targets, worker
from bench.drive import Plan, Worker
from bench.report import Column, Row
from bench.works import COMPILED, Works, graph_of, works_module

PLAN = Plan(rounds=1, seconds=0.0, budget=1, processes=2, long=False)
FULL_PLAN = Plan(rounds=1, seconds=0.0, budget=1, processes=2, long=True)
MNIST = COMPILED + "MNIST step"


def row(name: str, **rounds: list[float]) -> Row:
    return Row(name, "us", {title.replace("_", " "): Column(figures) for title, figures in rounds.items()})


# The losses of the first and third step in TensorFlow, in which both the initial weights and two updates show.
@pytest.mark.parametrize(
    ("name", "first", "third"),
    [
        (MNIST, 2.741, 2.499),
        (COMPILED + "housing step", 14.8172, 6.51114),
        (COMPILED + "CNN step", 2.46646, 2.50305),
        ("CNN step", 2.46646, 2.50305),
        (COMPILED + "wide MLP step", 2.39737, 2.51618),
        (COMPILED + "transformer step", 2.01596, 2.00239),
        (COMPILED + "LSTM step", 2.37137, 2.30465),
    ],
)
def test_training_steps_give_tensorflows_losses(name: str, first: float, third: float):
    step = works_module("tapeflow").works[name, ""].build(tf)
    losses = [float(step()) for _ in range(3)]
    assert losses[::2] == pytest.approx([first, third], rel=1e-4)


def test_chain_and_graphs_compute_what_the_peers_do():
    module = works_module("tapeflow")
    assert module.value(module.works["compiled chain of 10 ops on 1M floats", ""].build(tf)()) == pytest.approx(
        -447963, rel=1e-5
    )
    assert module.value(module.works[graph_of(10), ""].build(tf)()) == pytest.approx(164.895, rel=1e-5)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_peers_have_every_training_step(library: str):
    ours = {name for name, _ in works_module("tapeflow").works if name.startswith(COMPILED) and "step" in name}
    assert len(ours) == 6
    assert ours <= {name for name, _ in works_module(library).works}


def test_results_are_compared_after_two_updates():
    table = Works()
    table.add("counted")(lambda library: counting_step())
    server = worker.Server.__new__(worker.Server)
    server.library, server.latest, server.variants = None, "", {}
    server.module = SimpleNamespace(works=table, value=float)  # type: ignore[assignment]
    assert server.answer("counted", "", 0.0)["value"] == 3.0


def counting_step():
    counted = itertools.count(1)
    return lambda: next(counted)


def test_quick_runs_leave_out_long_variants():
    peer = Worker("torch", "python", hello={"works": [["a", "", False, False], ["a", "compile", True, False]]})
    assert drive.takers([peer], "a", PLAN) == [(peer, "")]
    assert drive.takers([peer], "a", FULL_PLAN) == [(peer, ""), (peer, "compile")]


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, dict[str, str]]]:
    """What fresh processes are asked and under which environment, in order; each says another number."""
    asked: list[tuple[str, dict[str, str]]] = []

    def ask(fresh: Worker, environment: dict[str, str], **request: str):
        asked.append((request["work"], environment))
        if fresh.name == "broken":
            return {}, {"error": "gone"}
        return {"import_ms": 100.0}, {"first_ms": float(len(asked)), "call_ms": len(asked) / 2, "peak_mb": 50.0}

    monkeypatch.setattr(alone, "_alone", ask)
    return asked


def offering(name: str, *works: str) -> Worker:
    return Worker(name, "python", hello={"works": [[work, "", False, False] for work in works]})


def test_first_calls_without_and_with_a_cache(asked):
    rows = {found.name: found for found in alone.measure_lone([offering("ours", MNIST)], PLAN)}
    assert {name: found.columns["ours"].rounds for name, found in rows.items()} == {
        f"import, build and first {MNIST}, no disk cache": [101.0, 102.0],
        f"first call of the {MNIST}, no disk cache": [1.0, 2.0],
        f"first call of the built {MNIST}, no disk cache": [0.5, 1.0],
        f"peak memory after the {MNIST}": [50.0, 50.0],
        # the third process fills the cache and counts for nothing
        f"import, build and first {MNIST}, warm disk cache": [104.0, 105.0],
        f"first call of the {MNIST}, warm disk cache": [4.0, 5.0],
        f"first call of the built {MNIST}, warm disk cache": [2.0, 2.5],
    }
    caches = [environment["TAPEFLOW_CACHE"] for _, environment in asked]
    assert caches[:2] == ["off", "off"]
    assert len(set(caches[2:])) == 1 and caches[2] != "off"


def test_only_the_rows_asked_for_are_measured(asked):
    names = [found.name for found in alone.measure_lone([offering("ours", MNIST)], PLAN, "peak memory")]
    assert names == [f"peak memory after the {MNIST}"]
    assert len(asked) == PLAN.processes


def test_memory_of_the_other_steps_is_taken_once_and_not_in_a_quick_run(asked):
    steps = [offering("ours", COMPILED + "CNN step")]
    assert list(alone.measure_lone(steps, PLAN)) == []
    names = [found.name for found in alone.measure_lone(steps, FULL_PLAN)]
    work = "compiled CNN step"
    assert names == [f"first call of the {work}, no disk cache", f"peak memory after the {work}"]
    assert len(asked) == 1


def test_what_fails_is_not_tried_again(asked):
    (found,) = alone.measure_lone([offering("broken", MNIST)], PLAN, "peak memory")
    assert found.columns["broken"].error == "gone"
    assert len(asked) == 1


def graph_rows(*milliseconds: float) -> dict[str, Row]:
    sizes = (10, 500, 2000)
    names = [f"first call of the {graph_of(size)}, no disk cache" for size in sizes]
    return {name: row(name, ours=[figure]) for name, figure in zip(names, milliseconds)}


def test_growth_is_one_for_linear_times_and_more_for_quadratic_ones():
    (linear,) = alone.growth(graph_rows(200 + 10, 200 + 500, 200 + 2000))
    assert linear.columns["ours"].rounds == [pytest.approx(1.0)]
    (quadratic,) = alone.growth(graph_rows(10**2, 500**2, 2000**2))
    assert quadratic.columns["ours"].rounds == [pytest.approx(2500 / 510)]
    assert alone.growth({}) == []


def test_growth_tells_what_failed():
    rows = graph_rows(1.0, 2.0, 3.0)
    next(iter(rows.values())).columns["ours"].error = "gone"
    (found,) = alone.growth(rows)
    assert found.columns["ours"].error == "gone"


def test_a_ratio_is_held_against_the_fastest_other_library():
    measured = row(MNIST, ours=[100.0], ours_jit_compile=[10.0], torch_fused=[300.0], jax_jit=[200.0])
    assert targets.verdicts([measured], "ours") == [
        {
            "work": MNIST,
            "unit": "us",
            "figure": 100.0,
            "peer": "jax jit",
            "peer_figure": 200.0,
            "ratio": 2.0,
            "least": 2.5,
            "met": False,
        }
    ]
    measured.columns["jax jit"].error = "gone"
    (verdict,) = targets.verdicts([measured], "ours")
    assert verdict["peer"] == "torch fused" and verdict["met"]


def test_the_chain_is_held_against_jax_alone():
    measured = row(targets.CHAIN, ours=[100.0], torch=[50.0], jax_jit=[100.0])
    (verdict,) = targets.verdicts([measured], "ours")
    assert (verdict["peer"], verdict["ratio"], verdict["met"]) == ("jax jit", 1.0, True)


def test_limits_need_no_peer_and_ratios_do():
    linear, step = row(alone.GROWTH, ours=[1.6]), row(MNIST, ours=[100.0])
    assert targets.verdicts([linear, step], "ours") == [
        {"work": alone.GROWTH, "unit": "us", "figure": 1.6, "most": 1.5, "met": False}
    ]
    linear.columns["ours"].error = "gone"
    assert targets.verdicts([linear, row("x*x", ours=[1.0])], "ours") == []


def test_verdicts_as_lines():
    measured = row(MNIST, ours=[100.0], jax=[300.0])
    found = targets.verdicts([measured, row(alone.GROWTH, ours=[1.6])], "ours")
    assert targets.lines(found, "ours")[1:] == [
        [MNIST, "us", "100", "jax", "300", "3.00x", "2.5x", "met"],
        [alone.GROWTH, "us", "1.60", "", "", "", "at most 1.50", "missed"],
    ]


def test_targets_are_of_works_that_there_are():
    names = {name for name, _ in works_module("tapeflow").works}
    told = {lone.row(figure) for lone in alone.LONE for figure in lone.figures} | {alone.GROWTH}
    assert set(targets.SPEED) <= names
    assert set(targets.RATIOS) <= names | told
    assert set(targets.LIMITS) <= told
    assert {lone.work for lone in alone.LONE} <= names


def test_remarks_tell_a_busy_machine_from_a_quiet_one():
    facts = {
        "load_average": [0.1, 3, 3],
        "load_average_after": [1.5, 3, 3],
        "cores": 2,
        "copy_gb_s": {"4 MiB by 1": 12.0},
    }
    assert machine.remarks(facts) == [
        "load average (1, 5, 15 min) before [0.1, 3, 3], after [1.5, 3, 3]; 2 cores",
        "copying, bytes read and written, by number of threads: 12 GB/s (4 MiB by 1)",
    ]
    assert "busy" in machine.remarks(facts | {"load_average": [0.6, 0, 0]})[1]
    assert "busy" not in machine.remarks(facts | {"load_average": None})[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_copying_is_timed(threads: int):
    assert 0.001 < machine.copy_rate(1 << 16, threads, seconds=0.0) < 10_000


def test_peak_memory_is_of_this_process():
    before = worker.peak_mb()
    block = bytearray(b"1") * (64 << 20)
    after = worker.peak_mb()
    assert before is None or after >= 67 and after >= before
    assert len(block) == 64 << 20
