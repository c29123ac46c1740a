"""`python -m bench.tracing`: the time to trace a function against the number of its ops, which should grow as they do.

Three functions of n ops: the ops alone, with a tape's gradient, and with `tf.gradients`. `--write` puts the table into
docs/tracing.md; `--plot FILE` draws it, where matplotlib is installed.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tapeflow as tf

SIZES = (100, 300, 1000, 3000, 10000, 20000)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "tracing.md"

OPENING = """\
# The time to trace

Milliseconds of processor time to trace a function of so many ops (sin and add in turn, shape [4]), and microseconds
an op; `python -m bench.tracing --write` measures and writes this page. It grows as the number of ops does; what it
grows beyond that is Python's collector of cycles, which looks at all objects of a large trace now and then.

"""


def chain(n: int) -> Callable:
    """A function of n ops, one after the other."""

    def f(x: Any) -> Any:
        for _ in range(n // 2):
            x = tf.sin(x) + 1.0
        return x

    return f


def with_tape(n: int) -> Callable:
    """The same with its gradient by a tape: about three times as many nodes."""
    f = chain(n)

    def g(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    return g


def with_gradients(n: int) -> Callable:
    """The same with `tf.gradients`."""
    f = chain(n)
    return lambda x: tf.gradients(f(x), x)[0]


FUNCTIONS: dict[str, Callable[[int], Callable]] = {
    "ops alone": chain,
    "and a tape": with_tape,
    "and tf.gradients": with_gradients,
}


def measured(make: Callable[[int], Callable], n: int, rounds: int) -> float:
    """The least processor time of a trace, in seconds: other processes do not count."""
    spec = tf.TensorSpec([4])
    times = []
    for _ in range(rounds):
        function = tf.function(make(n), autograph=False)
        gc.collect()
        started = time.process_time()
        function.get_concrete_function(spec)
        times.append(time.process_time() - started)
    return min(times)


def table(times: dict[str, dict[int, float]]) -> str:
    """The figures as a table, a line for each number of ops."""
    lines = [f"| ops | {' | '.join(times)} |", "|---|" + "---|" * len(times)]
    for n in next(iter(times.values())):
        cells = [f"{each[n] * 1e3:.1f} ({each[n] / n * 1e6:.0f})" for each in times.values()]
        lines.append(f"| {n} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(times: dict[str, dict[int, float]], path: str) -> None:
    """The figures as a picture. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for name, each in times.items():
        axes.loglog(list(each), [t * 1e3 for t in each.values()], marker="o", label=name)
    axes.set_xlabel("ops")
    axes.set_ylabel("ms to trace")
    axes.legend()
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracing", description="Times tracing.")
    parser.add_argument("--sizes", metavar="N", type=int, nargs="+", default=SIZES, help="numbers of ops")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="traces of each; the fastest counts")
    parser.add_argument("--write", action="store_true", help="write docs/tracing.md")
    parser.add_argument("--plot", metavar="FILE", help="draw the figures, where matplotlib is installed")
    options = parser.parse_args(arguments)
    chain(2)(tf.constant(1.0))  # what loads on first use shall not count
    measured(with_tape, 10, 1)
    times = {name: {n: measured(make, n, options.rounds) for n in options.sizes} for name, make in FUNCTIONS.items()}
    text = table(times)
    print(text, end="")
    if options.write:
        PAGE.write_text(OPENING + text, encoding="utf-8")
    if options.plot:
        plot(times, options.plot)


if __name__ == "__main__":
    main()
