"""Random initializers: normal, uniform, scaled by the number of a layer's inputs and outputs, orthogonal.

They draw as TensorFlow's stateless ops do, so that a program's seeds give it the same weights here and there. An
initializer without a seed draws one when it is made, and from then on gives the same numbers at each call; one with a
`SeedGenerator` goes on with that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.dtypes import numpy_dtype
from ...core.tensor import Tensor, flat, wrap
from ...ops import sampling
from ...ops.seeds import stateless_stream
from ..random import SeedGenerator, draw_seed, make_default_seed
from ..registry import resolve
from ..settings import floatx
from .initializer import Initializer

# what cutting a normal distribution off at two standard deviations leaves of its standard deviation
_TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """What random initializers share: the seed, an int or a SeedGenerator, or None for one that is drawn."""

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if isinstance(seed, dict):
            seed = resolve(seed, {"SeedGenerator": SeedGenerator}, "seed", SeedGenerator)
        elif seed is not None and not isinstance(seed, (int, SeedGenerator)):
            raise ValueError(
                "`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. "
                f"Received: seed={seed!r}"
            )
        self.seed = make_default_seed() if seed is None else seed

    def _draw(self, sample: Callable, shape: Sequence[int], dtype: Any, scale: float, shift: float) -> Tensor:
        """`sample` numbers of the seed, times `scale`, plus `shift`."""
        kind = numpy_dtype(dtype or floatx())
        drawn = sample(tuple(shape), *stateless_stream(draw_seed(self.seed).numpy()), kind)
        return wrap(flat(np.asarray(drawn * kind.type(scale) + kind.type(shift))))

    def get_config(self) -> dict:
        seed = self._init_seed
        return {"seed": {"class_name": "SeedGenerator", "config": seed.get_config()} if hasattr(seed, "next") else seed}


class RandomNormal(RandomInitializer):
    """Normally distributed numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        return self._draw(sampling.normal, shape, dtype, self.stddev, self.mean)

    def get_config(self) -> dict:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Normally distributed numbers, those further than two standard deviations from the mean drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        return self._draw(sampling.truncated_normal, shape, dtype, self.stddev, self.mean)

    def get_config(self) -> dict:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Numbers uniform in [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        kind = numpy_dtype(dtype or floatx()).type
        return self._draw(sampling.uniform, shape, dtype, kind(self.maxval) - kind(self.minval), self.minval)

    def get_config(self) -> dict:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Numbers whose variance is `scale / n`, n being the number of inputs, of outputs, or the mean of both.

    Arguments:
        scale: a positive float.
        mode: `fan_in`, `fan_out` or `fan_avg`: which n.
        distribution: `truncated_normal`, `untruncated_normal` or `uniform`.
        seed: an int, a SeedGenerator or None.
        input_axes, output_axes: which axes of the shape count as inputs and outputs, where the last two do not.

    Raises ValueError for another mode or distribution, or a scale that is not positive.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in _FANS:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {list(_FANS)}")
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. Please use one of {list(_DISTRIBUTIONS)}"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        inputs, outputs = compute_fans(shape, self.input_axes, self.output_axes)
        sample, width, from_zero = _DISTRIBUTIONS[self.distribution]
        width *= math.sqrt(self.scale / max(1.0, _FANS[self.mode](inputs, outputs)))
        return self._draw(sample, shape, dtype, width, -width / 2 if from_zero else 0.0)

    def get_config(self) -> dict:
        own = ("scale", "mode", "distribution", "input_axes", "output_axes")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


_FANS: dict[str, Callable] = {
    "fan_in": lambda inputs, outputs: inputs,
    "fan_out": lambda inputs, outputs: outputs,
    "fan_avg": lambda inputs, outputs: (inputs + outputs) / 2.0,
}
# sampler, width for variance 1, whether the samples are in [0, 1)
_DISTRIBUTIONS: dict[str, tuple[Callable, float, bool]] = {
    "truncated_normal": (sampling.truncated_normal, 1 / _TRUNCATED_STDDEV, False),
    "untruncated_normal": (sampling.normal, 1.0, False),
    "uniform": (sampling.uniform, 2 * math.sqrt(3.0), True),
}


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """The numbers of inputs and outputs of a kernel of this shape: [..., inputs, outputs], the rest a window."""
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _scaled(name: str, scale: float, mode: str, distribution: str, source: str) -> type:
    """A class of VarianceScaling with three of its arguments fixed."""

    class Scaled(VarianceScaling):
        def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
            super().__init__(scale, mode, distribution, seed, input_axes, output_axes)

        def get_config(self) -> dict:
            return {
                **RandomInitializer.get_config(self), "input_axes": self.input_axes, "output_axes": self.output_axes
            }  # fmt: skip

    Scaled.__name__ = Scaled.__qualname__ = name
    Scaled.__doc__ = f"VarianceScaling({scale}, {mode!r}, {distribution!r}). Source: {source}"
    return Scaled


_GLOROT = "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)"
_HE = "He et al., Delving deep into rectifiers (2015)"
_LECUN = "Klambauer et al., Self-normalizing neural networks (2017)"
GlorotUniform = _scaled("GlorotUniform", 1.0, "fan_avg", "uniform", _GLOROT)
GlorotNormal = _scaled("GlorotNormal", 1.0, "fan_avg", "truncated_normal", _GLOROT)
HeUniform = _scaled("HeUniform", 2.0, "fan_in", "uniform", _HE)
HeNormal = _scaled("HeNormal", 2.0, "fan_in", "truncated_normal", _HE)
LecunUniform = _scaled("LecunUniform", 1.0, "fan_in", "uniform", _LECUN)
LecunNormal = _scaled("LecunNormal", 1.0, "fan_in", "truncated_normal", _LECUN)


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns, times `gain`; further dimensions are folded into the rows.

    Raises ValueError for fewer than two dimensions. Source: Saxe et al., Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks (2013).
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> Tensor:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. Received: "
                f"shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = self._draw(sampling.normal, (max(rows, columns), min(rows, columns)), dtype, 1.0, 0.0)._value
        q, r = np.linalg.qr(normal.astype(np.result_type(normal, np.float32)))
        q *= np.sign(np.diagonal(r))
        q = (q.T if rows < columns else q).reshape(tuple(shape))
        return wrap((self.gain * q).astype(normal.dtype))

    def get_config(self) -> dict:
        return {**super().get_config(), "gain": self.gain}
