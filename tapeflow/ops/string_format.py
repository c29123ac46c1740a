"""`tf.strings.format`: tensors put into a text, in the form in which `tf.print` writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.abstract import Abstract
from ..core.convert import convert_to_tensor, is_tensor
from ..core.op import define
from ..core.tensor import Tensor
from ..core.tensor_text import tensor_text
from .output import shown_at_ends


def _format(xp: Any) -> Callable:
    def run(values: Sequence, texts: tuple[str, ...], summarize: int) -> np.ndarray:
        parts = [tensor_text(value, summarize) + after for value, after in zip(values, texts[1:])]
        return np.array((texts[0] + "".join(parts)).encode(), object)

    return run


_string_format = define(
    "string_format",
    _format,
    lambda values, texts, summarize: Abstract((), np.dtype(object)),
    inputs=None,
)


def format(  # noqa: A001
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    """A scalar string tensor: the template with the inputs, in order, where its placeholders are.

    `tf.strings.format("loss {} at {}", (loss, step))`

    Arguments:
        template: a string.
        inputs: a tensor, or a list or tuple of what can be tensors.
        placeholder: what marks the places.
        summarize: how many elements to show at either end of a dimension; all of them for -1.

    Raises ValueError unless there is one input for each placeholder, TypeError for a template that is no string and
    for inputs that are neither a tensor nor a sequence.
    """
    if not isinstance(template, str):
        raise TypeError(f"Expected string for argument 'template' not {template!r}.")
    if is_tensor(inputs):
        inputs = [inputs]
    elif not isinstance(inputs, (list, tuple)):
        raise TypeError(f"`inputs` must be a tensor, or a list or tuple of them. Received: {inputs!r}")
    texts = template.split(placeholder)
    if len(texts) - 1 != len(inputs):
        raise ValueError(
            f"The template has {len(texts) - 1} placeholders {placeholder!r} and there are {len(inputs)} inputs: "
            "they must be as many."
        )
    return _string_format([convert_to_tensor(x) for x in inputs], tuple(texts), shown_at_ends(summarize))
