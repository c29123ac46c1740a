"""The pool in programs of their own: how they begin, fork, sleep and end."""

import os
import subprocess
import sys
from pathlib import Path

import tapeflow as tf

HERE = Path(__file__).parent


def program(text):
    """What a program prints that is run by itself, with `run` and `thread_number` at hand."""
    head = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\nfrom parallel_programs import *\nimport os, threading, time\n"
    )
    head += "x = np.arange(1000, dtype=np.float32)\nrun = sums()\ntotal = lambda: int(run(x, 10)[0].sum())\n"
    root = str(Path(tf.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", head + text], capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "4", "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


def test_a_program_with_threads_ends():
    assert program("print(total())") == ["499500"]
    assert program(
        "threading.Thread(target=lambda: [total() for _ in range(10**9)], daemon=True).start()\nprint(total())"
    )


def test_after_a_fork_both_go_on():
    text = """
print(total(), flush=True)
for _ in range(3):
    child = os.fork()
    if child == 0:
        ok = total() == 499500 and total() == 499500
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(0 if total() == 499500 else 1)
        os._exit(0 if ok and os.waitpid(grandchild, 0)[1] == 0 else 1)
    print(total(), os.waitpid(child, 0)[1])
"""
    assert program(text) == ["499500", *["499500", "0"] * 3]


def test_a_fork_while_another_thread_has_the_pool():
    text = """
go_on = True
def busy():
    while go_on:
        run(x, 1)
threading.Thread(target=busy).start()
codes = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if total() == 499500 else 1)
    codes.append(os.waitpid(child, 0)[1])
go_on = False
print(codes == [0] * 20)
"""
    assert program(text) == ["True"]


def test_threads_begin_when_they_are_needed_and_follow_the_setting():
    text = """
import tapeflow as tf
base = thread_number()
print(thread_number() - base)
total(); print(thread_number() - base)
run(x, 10**6); tf.config.threading.set_intra_op_parallelism_threads(2)
print(thread_number() - base)
total(); print(thread_number() - base)
"""
    assert program(text) == ["0", "3", "0", "1"]


def test_threads_sleep_when_there_is_nothing_to_do():
    text = """
total()
while "R" in (states := thread_states()):  # for ever, did they go on looking
    time.sleep(0.01)
print(set(states), len(states) >= 3)
"""
    assert program(text) == ["{'S'}", "True"]


def test_signals_go_to_pythons_threads():
    text = """
import signal
total()
seen = []
signal.signal(signal.SIGUSR1, lambda *a: seen.append(threading.current_thread() is threading.main_thread()))
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
    total()
    time.sleep(0.001)
print(all(seen), len(seen) > 0)
"""
    assert program(text) == ["True", "True"]
