"""Values as `tf.print` and `tf.strings.format` write them: `[[1 2 ... 9] [3.5 nan -0]]`, floats in shortest form.

That is another form than `repr(tensor)`, which is NumPy's (`core.printing`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def tensor_text(value: Any, summarize: int = 3) -> str:
    """The value of a tensor in text, rows on lines of their own.

    Arguments:
        value: array or NumPy scalar.
        summarize: how many elements to show at either end of a dimension, an ellipsis between them; a negative number
            shows all.
    """
    array = np.asarray(value)
    if not array.size:
        summarize = 0
    return _block(array if array.ndim else array[()], array.ndim, 0, summarize, _writer(array.dtype))


def _block(rows: Any, ndim: int, depth: int, summarize: int, write: Callable[[Any], str]) -> str:
    """An array of `ndim` dimensions inside `depth` others; with none, an element."""
    if not ndim:
        return write(rows)
    n = len(rows)
    # between rows one line's end, one more for each further dimension, and a space for each bracket open
    between = "\n" * (ndim - 1) + " " * (depth + 1) if ndim > 1 else " "
    if summarize < 0 or n <= 2 * summarize:
        return "[" + between.join([_block(row, ndim - 1, depth + 1, summarize, write) for row in rows]) + "]"
    head, tail = (
        [_block(row, ndim - 1, depth + 1, summarize, write) for row in part]
        for part in (rows[:summarize], rows[n - summarize :])
    )
    return "[" + between.join([*(head or [""]), "...", *tail]) + "]"


def _writer(dtype: np.dtype) -> Callable[[Any], str]:
    if dtype == np.float64:
        return _float64
    return _WRITERS.get(dtype.kind, str)


def _float32(x: Any) -> str:
    x = np.float32(x)
    short = f"{x:.6g}"
    return short if np.float32(short) == x or x != x else f"{x:.9g}"


def _float64(x: Any) -> str:
    short = f"{x:.15g}"
    return short if float(short) == x or x != x else f"{x:.17g}"


def _complex(x: Any) -> str:
    real, imaginary = (tensor_text(part) for part in (x.real, x.imag))
    return f"{real}{'' if imaginary[0] in '-+' else '+'}{imaginary}j"


_ESCAPES = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", ord('"'): '\\"', ord("'"): "\\'", ord("\\"): "\\\\"}
_ESCAPES |= {code: f"\\{code:03o}" for code in (*range(32), 127) if code not in _ESCAPES}


def _string(x: bytes) -> str:
    """In quotes, with C's escapes; bytes that are no UTF-8 as `\\xff`."""
    escaped = x.decode("utf-8", "surrogateescape").translate(_ESCAPES)
    return '"' + escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") + '"'


def _bool(x: Any) -> str:
    return "1" if x else "0"


_WRITERS = {"f": _float32, "V": _float32, "c": _complex, "O": _string, "b": _bool}
