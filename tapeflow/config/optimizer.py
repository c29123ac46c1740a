"""`tf.config.optimizer`: settings of TensorFlow's graph optimizer, which are kept, and of compilation."""

from __future__ import annotations

from typing import Any, NoReturn

from ..core.context import settings

__all__ = ["get_experimental_options", "get_jit", "set_experimental_options", "set_jit"]

# what TensorFlow's optimizer can be told; its passes are not ours, so nothing reads these
_OPTIONS = frozenset(
    {
        "arithmetic_optimization",
        "auto_mixed_precision",
        "auto_mixed_precision_cpu",
        "auto_mixed_precision_mkl",
        "auto_mixed_precision_onednn_bfloat16",
        "auto_parallel",
        "constant_folding",
        "debug_stripper",
        "dependency_optimization",
        "disable_meta_optimizer",
        "disable_model_pruning",
        "function_optimization",
        "implementation_selector",
        "layout_optimizer",
        "loop_optimization",
        "memory_optimization",
        "min_graph_nodes",
        "pin_to_host_optimization",
        "remapping",
        "scoped_allocator_optimization",
        "shape_optimization",
        "use_plugin_optimizers",
    }
)
_options: dict[str, Any] = {"disable_model_pruning": False, "disable_meta_optimizer": False}


def get_experimental_options() -> dict[str, Any]:
    """The options that were set, and the two that always are."""
    return dict(_options)


def set_experimental_options(options: dict[str, Any]) -> None:
    """Adds options to those set. They have no effect: graphs are optimized by other passes here.

    Raises TypeError for what is no dictionary; names that are no options are left out, as in TensorFlow.
    """
    if not isinstance(options, dict):
        raise TypeError(f"`options` must be a dictionary. Received: {options!r}")
    _options.update({name: value for name, value in options.items() if name in _OPTIONS})


def get_jit() -> str:
    """Whether functions are to be compiled for XLA wherever they can be: "autoclustering", or "" for no."""
    return settings["jit"]


def set_jit(enabled: bool | str) -> None:
    """Whether functions are to be compiled for XLA wherever they can be: True or "autoclustering", False or "".

    Raises ValueError for anything else.
    """
    if enabled not in (True, False, "autoclustering", ""):
        raise ValueError(f"`enabled` must be True, False, 'autoclustering' or ''. Received: {enabled!r}")
    settings["jit"] = "autoclustering" if enabled else ""


def __getattr__(name: str) -> NoReturn:
    from ..compat.nearest import missing

    raise missing(__name__, name)
