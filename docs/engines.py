"""The page of ops as `docs/generate.py` writes it: which engine runs each."""

import importlib
import pkgutil

import tapeflow.ops
from tapeflow.core.op import OPS
from tapeflow.engines.llvm.lower import RULES

OPENING = """\
# Ops by engine

Graphs of `tf.function` consist of these {total} ops, by the file of `tapeflow/ops` that declares them. The NumPy engine
runs all of them. The LLVM engine compiles {compiled} into machine code; the others run by their NumPy kernels between
pieces of it. It compiles an op of arrays whose shapes are known and whose dtypes are floats, bool or
integers, and leaves to NumPy what a rule does not do, such as the sort of long rows; `jit_compile=True` says so.
`make docs` writes this page from the package.
"""


def page() -> str:
    """The page of ops as text: one table, by file."""
    for module in pkgutil.iter_modules(tapeflow.ops.__path__):
        importlib.import_module(f"tapeflow.ops.{module.name}")
    files: dict[str, list[str]] = {}
    for name, op in OPS.items():
        files.setdefault(op.make_kernel.__module__.removeprefix("tapeflow.ops."), []).append(name)
    parts = [OPENING.format(total=len(OPS), compiled=len(RULES.keys() & OPS.keys())) + "\n"]
    parts.append("| file | compiled | by NumPy |\n|---|---|---|\n")
    for file in sorted(files):
        columns = [[f"`{n}`" for n in sorted(files[file]) if (n in RULES) is wanted] for wanted in (True, False)]
        parts.append(f"| {file} | {', '.join(columns[0])} | {', '.join(columns[1])} |\n")
    return "".join(parts)
