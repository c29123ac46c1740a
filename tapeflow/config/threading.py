"""`tf.config.threading`: how many threads engines may use; 0 lets them choose.

Eager ops run on NumPy, whose BLAS has threads of its own (set by OMP_NUM_THREADS and the like): these numbers are for
what is compiled.
"""

from typing import NoReturn

from ..core.context import settings

__all__ = [
    "get_inter_op_parallelism_threads",
    "get_intra_op_parallelism_threads",
    "set_inter_op_parallelism_threads",
    "set_intra_op_parallelism_threads",
]


def get_inter_op_parallelism_threads() -> int:
    """How many ops may run at the same time; 0 where nothing was set."""
    return settings["inter_op_threads"]


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Sets how many ops may run at the same time. Raises TypeError and ValueError for what is no number of threads."""
    settings["inter_op_threads"] = _threads(num_threads)


def get_intra_op_parallelism_threads() -> int:
    """How many threads one op may use; 0 where nothing was set."""
    return settings["intra_op_threads"]


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Sets how many threads one op may use. Raises TypeError and ValueError for what is no number of threads."""
    from ..engines.llvm.pool import resize

    settings["intra_op_threads"] = _threads(num_threads)
    resize()


def _threads(count: int) -> int:
    if not hasattr(count, "__index__"):
        raise TypeError(f"`num_threads` must be an int. Received: {count!r}")
    if int(count) < 0:
        raise ValueError(f"`num_threads` must be 0 or more. Received: {count!r}")
    return int(count)


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
