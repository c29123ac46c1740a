"""The code of kernels of loops: elementwise work (`maps`), and reductions with what comes of them (`reductions`).

Every kernel is a function of the slots and of the part `lo..hi` of its work that a thread is to do.
"""

from __future__ import annotations

from math import prod

from .builder import Builder, Module
from .maps import write_map
from .points import Kernel, Written, lanes_of
from .reductions import Reduction
from .squares import turned_dimension, write_squares
from .values import I64, PTR


def write_loops(module: Module, kernel: Kernel, name: str) -> Written:
    """Writes the kernel of a map or reduce group."""
    b = Builder(module, name, [(PTR, "slots"), (I64, "lo"), (I64, "hi")])
    group = kernel.group
    sizes = [c.kind.bytes for c in group.cells] + [a.kind.bytes for a in kernel.reads.values()]
    lanes = lanes_of(module, max(sizes))
    weight = sum(c.weight for c in group.cells if c.how == "map") + len(kernel.reads)
    work = prod(group.dims) * weight
    if group.kind == "map":
        across = turned_dimension(kernel, lanes)
        parts = write_map(b, kernel, lanes) if across is None else write_squares(b, kernel, lanes, across)
    else:
        parts = Reduction(b, kernel, lanes).write()
    b.finish()
    return Written(name, parts, work)
