"""`tf.keras.layers.InputSpec`: what a layer demands of its inputs, and the errors for those that do not meet it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.dtypes import as_dtype


class InputSpec:
    """Dtype, shape, number of dimensions (exact, at least, at most) and sizes along axes that a layer demands.

    Raises TypeError for axes that are no dictionary.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        if axes is not None and not isinstance(axes, dict):
            raise TypeError(f"The keys in axes must be integers: a dictionary, not {axes!r}")
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        shown = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(shown)})"

    def get_config(self) -> dict:
        return {name: getattr(self, name) for name in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")}

    @classmethod
    def from_config(cls, config: dict) -> InputSpec:
        return cls(**config)


def check_inputs(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raises ValueError for inputs whose shapes are not what the specification, or the list of them, demands."""
    if spec is None:
        return
    specs = spec if isinstance(spec, (list, tuple)) else [spec]
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if isinstance(spec, (list, tuple)) and len(specs) != len(given):
        raise ValueError(f"Layer '{layer_name}' expected {len(specs)} input(s). Received {len(given)} instead.")
    for i, (one, x) in enumerate(zip(specs, given, strict=False)):
        shape = getattr(x, "shape", None)
        if one is None or shape is None:
            continue
        wrong = _fault(one, tuple(shape))
        if wrong:
            raise ValueError(
                f"Input {i} of layer '{layer_name}' is incompatible with the layer: {wrong}. Full shape received: "
                f"{tuple(shape)}"
            )


def _fault(spec: InputSpec, shape: tuple) -> str | None:
    rank = len(shape)
    squeezed = spec.shape is not None and spec.allow_last_axis_squeeze and rank == len(spec.shape) + 1
    if squeezed and shape[-1] == 1:
        shape, rank = shape[:-1], rank - 1
    if spec.ndim is not None and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}"
    for axis, size in {**dict(enumerate(spec.shape or ())), **spec.axes}.items():
        if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
            return f"expected axis {axis} of input shape to have value {size}, but received {shape[axis]}"
    return None
