"""The command `tapeflow`: run a TensorFlow program on tapeflow, check which names it needs, show versions."""

from __future__ import annotations

import argparse
import contextlib
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

# Exit codes beside a program's own: names are missing; the command was used wrongly or a file cannot be read.
MISSING, USAGE = 1, 2

OPTIONAL = ("jax", "h5py", "scikit-learn", "pandas", "matplotlib", "pillow", "tensorboard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these words (those of the process without any); the exit code."""
    options = parser().parse_args(arguments)
    if options.command is None:
        parser().print_help()
        return USAGE
    return options.command(options)


def parser() -> argparse.ArgumentParser:
    """The command line of `tapeflow`."""
    from tapeflow.version import TENSORFLOW_VERSION, __version__

    top = argparse.ArgumentParser(prog="tapeflow", description="TensorFlow 2 programs on a small library over NumPy.")
    top.add_argument(
        "--version", action="version", version=f"tapeflow {__version__} (TensorFlow API {TENSORFLOW_VERSION})"
    )
    top.set_defaults(command=None)
    commands = top.add_subparsers(title="commands", metavar="{run,check,info}")

    run_options = commands.add_parser(
        "run",
        usage="tapeflow run [-h] (PROGRAM | -m MODULE | -) [ARGS ...]",
        help="run a program whose `import tensorflow` gives tapeflow",
        description="Run a program as python does, with tapeflow in the place of tensorflow, keras and tf_keras.",
    )
    run_options.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, then its arguments")
    run_options.add_argument(
        "program", nargs=argparse.REMAINDER, help="a file, a folder with __main__.py, or - for stdin"
    )
    run_options.set_defaults(command=run)

    check_options = commands.add_parser(
        "check",
        help="list the tf. names that a program uses and tapeflow lacks",
        description="Read programs and notebooks, without running them, for tf. names that tapeflow lacks. "
        "The exit code is 0 where it has all, 1 where some are missing, 2 where something cannot be read.",
    )
    check_options.add_argument("path", nargs="+", type=Path, help="a .py or .ipynb file, or a folder of them")
    check_options.add_argument("--all", action="store_true", help="also list the names that tapeflow has")
    check_options.set_defaults(command=check)

    info_options = commands.add_parser("info", help="show versions, platform and devices")
    info_options.set_defaults(command=info)
    return top


# -- run -------------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """`tapeflow run`: the program's own exit code; 1 after an error of its, 2 where there is no such program."""
    words: list[str] = options.module if options.module is not None else options.program
    if not words:
        return refuse("run: a program is needed: tapeflow run PROGRAM [ARGS ...]")
    from tapeflow.compat.tensorflow import install

    install()
    choose_plot_backend()
    try:
        if options.module is not None:
            run_module(words)
        else:
            run_program(words)
    except NoProgram as error:
        return refuse(f"run: {error}")
    except KeyboardInterrupt as error:
        report(error)
        return 130
    except Exception as error:
        report(error)
        return 1
    return 0


class NoProgram(Exception):
    """What was to be run cannot be read; the text says why."""


def run_program(words: list[str]) -> None:
    """Run a file, a folder or standard input (`-`) as `__main__`, with `sys.argv` and `sys.path` as python has them."""
    name = words[0]
    folder, filename = program_at(name)
    code = read_code(filename)
    main_module = ModuleType("__main__")
    main_module.__file__ = filename
    main_module.__builtins__ = sys.modules["builtins"]  # type: ignore[attr-defined]
    sys.argv = list(words)
    if not getattr(sys.flags, "safe_path", False):  # `python -P` (3.11) puts no folder of the program on the path
        sys.path[0] = folder
    # It stays `__main__` after its last line: threads, exit handlers and pickles still look names up in it.
    sys.modules["__main__"] = main_module
    exec(code, vars(main_module))


def program_at(name: str) -> tuple[str, str]:
    """The folder that a program imports from, and the file that holds it."""
    if name == "-":
        return "", "<stdin>"
    if os.path.isdir(name):
        return os.path.realpath(name), os.path.join(name, "__main__.py")
    return os.path.dirname(os.path.realpath(name)), name


def read_code(filename: str) -> CodeType:
    if filename == "<stdin>":
        return compile(sys.stdin.read(), filename, "exec", dont_inherit=True)
    try:
        source = Path(filename).read_bytes()
    except OSError as error:
        raise NoProgram(f"cannot read {filename!r}: {error.strerror}") from error
    return compile(source, filename, "exec", dont_inherit=True)


def run_module(words: list[str]) -> None:
    """Run a module by its name as `python -m` does."""
    sys.argv = list(words)
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except ImportError as error:
        if frames(error.__traceback__):
            raise
        raise NoProgram(str(error)) from error


def choose_plot_backend() -> None:
    """Let Matplotlib draw into files where there is no display, so that `plt.show()` neither fails nor waits."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("MPLBACKEND", "Agg")


def report(error: BaseException) -> None:
    """Print a program's error as python would have: its own frames, without the ones that started it."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = kept(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)


def frames(traceback: TracebackType | None) -> list[TracebackType]:
    """The frames of a traceback that are neither this command's nor the import system's."""
    found = []
    while traceback is not None:
        if not is_launcher(traceback.tb_frame.f_code.co_filename):
            found.append(traceback)
        traceback = traceback.tb_next
    return found


def kept(traceback: TracebackType | None) -> TracebackType | None:
    below: TracebackType | None = None
    for frame in reversed(frames(traceback)):
        below = TracebackType(below, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return below


def is_launcher(filename: str) -> bool:
    from tapeflow.compat import tensorflow

    return filename in (__file__, tensorflow.__file__, runpy.__file__) or filename.startswith("<frozen ")


# -- check -----------------------------------------------------------------------------------------------------------


def check(options: argparse.Namespace) -> int:
    """`tapeflow check`: one line for each use of a name that tapeflow lacks, then a summary."""
    from tapeflow.compat.names import usage
    from tapeflow.compat.nearest import nearest, offer
    from tapeflow.compat.sources import Unreadable, find, read

    files, unreadable = 0, 0
    used: dict[str, str | None] = {}
    for path in (file for given in options.path for file in find(given)):
        files += 1
        try:
            source = read(path)
            names = usage(source.text, str(path))
        except (Unreadable, SyntaxError, ValueError, RecursionError) as error:
            unreadable += 1
            print(f"{path}: cannot be read: {error}", file=sys.stderr)
            continue
        for name, line in names:
            if name not in used:
                used[name] = absent_part(name)
            lack = used[name]
            place = f"{path}:{source.places[line - 1]}"
            if lack is not None:
                print(f"{place}: {lack} is missing{offer(nearest(lack.removeprefix('tf.')))}")
            elif options.all:
                print(f"{place}: {name}")
    absent = len({lack for lack in used.values() if lack is not None})
    print(summary(files, len(used), absent, unreadable))
    if unreadable or not files:
        return USAGE
    return MISSING if absent else 0


def absent_part(name: str) -> str | None:
    """The shortest part of a `tf.` name that tapeflow lacks, or None where it has the name."""
    from tapeflow.compat.namespace import lacking
    from tapeflow.compat.tensorflow import lacking_private

    path = name.removeprefix("tf.")
    part = lacking_private(path) if path.partition(".")[0] == "python" else lacking(path)
    return None if part is None else f"tf.{part}"


def summary(files: int, names: int, absent: int, unreadable: int) -> str:
    text = f"{count(files, 'file')}, {count(names, 'name')} used, {absent} missing"
    return f"{text}, {count(unreadable, 'file')} unreadable" if unreadable else text


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# -- info ------------------------------------------------------------------------------------------------------------


def info(options: argparse.Namespace) -> int:
    """`tapeflow info`: one aligned line for each version, the platform, the cores and the devices."""
    rows = facts()
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"{label:<{width}}  {value}")
    return 0


def facts() -> list[tuple[str, str]]:
    import platform
    from importlib import metadata

    import tapeflow
    from tapeflow.version import TENSORFLOW_VERSION, __version__

    rows = [("tapeflow", __version__), ("TensorFlow API", TENSORFLOW_VERSION), ("Python", platform.python_version())]
    for name in ("numpy", "scipy", "ml_dtypes", "llvmlite", "rich", *OPTIONAL):
        with contextlib.suppress(metadata.PackageNotFoundError):
            rows.append((name, metadata.version(name)))
    rows.append(("platform", platform.platform()))
    rows.append(("cores", str(cores())))
    rows.append(("functions", _functions_run()))
    devices: list[Any] = tapeflow.config.list_physical_devices()
    return [*rows, ("devices", ", ".join(device.name for device in devices))]


def _functions_run() -> str:
    """How functions run here: compiled for which target, on how many threads, or by NumPy and why."""
    from tapeflow.engines import chosen
    from tapeflow.engines.llvm import target
    from tapeflow.engines.llvm.pool import thread_count

    if chosen() == "numpy":
        return "by NumPy, as TAPEFLOW_ENGINE says"
    machine = None if target.missing() else target.host()
    if machine is None:
        return f"by NumPy: {target.missing() or 'as TAPEFLOW_TARGET says'}"
    count = thread_count()
    return f"compiled for {machine.name}, {count} thread{'s' if count > 1 else ''}"


def cores() -> int:
    """The cores that this process may use, which a container may hold below the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def refuse(text: str) -> int:
    print(f"tapeflow {text}", file=sys.stderr)
    return USAGE
