"""`tf.autograph`: how functions are rewritten so that their statements over tensors become part of a graph."""

from __future__ import annotations

from ..functions.autograph import set_verbosity, to_code, to_graph, trace
from . import experimental

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]
