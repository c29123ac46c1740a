"""`tf.print`: values written as TensorFlow writes them, when the op runs.

A structure is laid out as Python's pprint would lay it out, with the tensors in it in the form that
`core.tensor_text` gives. What is fixed when the op is called (text, layout, stream) are attributes of the op; the
tensors are its inputs.
"""

from __future__ import annotations

import pprint
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..core import errors
from ..core.convert import convert_to_tensor, is_tensor
from ..core.nest import flatten, map_structure
from ..core.op import define
from ..core.tensor_text import tensor_text

_FILE = "file://"
_LEVELS = ("info", "warning", "error")


def print(  # noqa: A001
    *inputs: Any,
    output_stream: Any = None,
    summarize: int | None = 3,
    sep: str = " ",
    end: str | None = "\n",
    name: str | None = None,
    **unknown: Any,
) -> None:
    """Writes the inputs, tensors with their values, when it runs: in a `tf.function`, at each call.

    `tf.print("loss:", loss, {"grads": grads})`

    Arguments:
        inputs: tensors, strings, anything with a repr, and structures of these.
        output_stream: `sys.stderr` (unless given) or `sys.stdout`, as they are when it runs; "file://" and a path to
            append to; or one of a logger's functions `info`, `warning` and `error`.
        summarize: how many elements to show at either end of a dimension; all of them for -1.
        sep: what stands between inputs.
        end: what stands after the last.

    Raises ValueError for other streams and unknown arguments, TypeError for a `sep`, an `end` or a `summarize` of
    another type, NotFoundError where the file cannot be made.
    """
    if unknown:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {unknown}")
    if not isinstance(sep, str):
        raise TypeError(f"Expected string for argument 'sep' not {sep!r}.")
    if end is not None and not isinstance(end, str):
        raise TypeError(f"Expected string for argument 'end' not {end!r}.")
    tensors: list = []
    texts = [""]
    for i, each in enumerate(inputs):
        _lay_out(each, texts, tensors)
        if i < len(inputs) - 1:
            texts[-1] += sep
    bare = len(inputs) == 1 and bool(tensors) and texts == ["", ""]
    texts[-1] += "\n" if end is None else end
    _print(tensors, tuple(texts), _stream(output_stream), shown_at_ends(summarize), bare)


# -- the op ------------------------------------------------------------------------------------------------------------


def _write(xp: Any) -> Callable:
    def run(values: Sequence, texts: tuple, stream: Any, summarize: int, bare: bool) -> tuple:
        if bare and not values[0].ndim and values[0].dtype.kind == "O":
            shown = [values[0][()].decode("utf-8", "backslashreplace")]  # a string alone is written without quotes
        else:
            shown = [tensor_text(value, summarize) for value in values]
        text = texts[0] + "".join(each + after for each, after in zip(shown, texts[1:]))
        _STREAMS.get(stream, _write_elsewhere)(stream, text)
        return ()

    return run


def _write_standard(stream: str, text: str) -> None:
    # looked up now: it may have been redirected since the call was traced
    file = getattr(sys, stream)
    if file is not None:
        file.write(text)
        file.flush()


def _write_elsewhere(stream: Any, text: str) -> None:
    if callable(stream):
        stream("%s", text.removesuffix("\n"))
        return
    path = stream.removeprefix(_FILE)
    try:
        with open(path, "a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise errors.failed(errors.NotFoundError, "PrintV2", f"{path}; {error.strerror}") from None


_STREAMS: dict[Any, Callable] = {"stderr": _write_standard, "stdout": _write_standard}

_print = define(
    "print",
    _write,
    lambda values, *attributes: (),
    doc="Writes text with tensors in it.",
    inputs=None,
    outputs=0,
    effect=True,
    title="PrintV2",
)


# -- from what users pass to attributes --------------------------------------------------------------------------------


class _Place:
    """Stands for a tensor while the structure that it is in is laid out."""

    # a character that the repr of a string never has in it
    text = "\0"

    def __repr__(self) -> str:
        return self.text


_PLACE = _Place()


def _lay_out(each: Any, texts: list[str], tensors: list) -> None:
    """Appends an input to what is to be written: texts, and between two of them a tensor."""
    if isinstance(each, str):
        texts[-1] += each
        return
    found = [leaf for leaf in flatten(each) if is_tensor(leaf)]
    if not found:
        texts[-1] += pprint.pformat(map_structure(lambda leaf: leaf, each))
        return
    laid_out = pprint.pformat(map_structure(lambda leaf: _PLACE if is_tensor(leaf) else leaf, each))
    before, *rest = laid_out.split(_Place.text)
    texts[-1] += before
    texts += rest
    tensors += [convert_to_tensor(leaf) for leaf in found]


def _stream(output_stream: Any) -> Any:
    if output_stream is None or output_stream is sys.stderr or output_stream is sys.__stderr__:
        return "stderr"
    if output_stream is sys.stdout or output_stream is sys.__stdout__:
        return "stdout"
    if isinstance(output_stream, str) and output_stream.startswith(_FILE):
        return output_stream
    if callable(output_stream) and getattr(output_stream, "__name__", None) in _LEVELS:
        return output_stream
    raise ValueError(
        f"Unsupported output stream: {output_stream!r}. Expected sys.stdout, sys.stderr, a logger's functions info, "
        "warning or error, or 'file://<path>'."
    )


def shown_at_ends(summarize: int | None) -> int:
    """The argument `summarize` as an int, 3 for None. Raises TypeError for what is no number."""
    try:
        return 3 if summarize is None else int(summarize)
    except (TypeError, ValueError):
        raise TypeError(f"Expected int for argument 'summarize' not {summarize!r}.") from None
